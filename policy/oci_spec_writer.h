/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/oci_spec_writer.h - JSON text, written in order into a buf
 *
 * The caller opens and closes; commas put themselves. Strings are escaped (RFC 8259 section 7).
 */
#ifndef POLICY_OCI_SPEC_WRITER_H
#define POLICY_OCI_SPEC_WRITER_H

#include "common/buf.h"

/** oci_spec_open() - begin an object '{' or array '['; @key is NULL inside arrays and at the top. */
void oci_spec_open(struct buf *out, const char *key, char bracket);

/** oci_spec_close() - end it with '}' or ']'. */
void oci_spec_close(struct buf *out, char bracket);

/** oci_spec_put_str() and its kin - one value; @key as above. */
void oci_spec_put_str(struct buf *out, const char *key, const char *value);
void oci_spec_put_bool(struct buf *out, const char *key, bool value);
void oci_spec_put_i64(struct buf *out, const char *key, int64_t value);
void oci_spec_put_u64(struct buf *out, const char *key, uint64_t value);

/** oci_spec_put_strv() - an array of strings from a NULL-terminated list. */
void oci_spec_put_strv(struct buf *out, const char *key, const char *const *values);

/** oci_spec_put_seccomp() - our default seccomp profile as the member "seccomp". */
void oci_spec_put_seccomp(struct buf *out);

#endif
