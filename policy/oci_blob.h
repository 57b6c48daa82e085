/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/oci_blob.h - the files of an OCI layout, for policy/oci_layout.c */
#ifndef POLICY_OCI_BLOB_H
#define POLICY_OCI_BLOB_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <limits.h>
#include <stdint.h>

/** policy_oci_path() - "<folder>/<name>"; -ENAMETOOLONG. */
int policy_oci_path(const char *folder, const char *name, char ret[static PATH_MAX], struct err *e) WARN_UNUSED;

/** policy_oci_blob_size() - how long the file of a blob is, whatever it holds. */
int policy_oci_blob_size(const char *folder, const uint8_t digest[static HASH_SHA256_BYTES], uint64_t *ret_bytes,
			 struct err *e) WARN_UNUSED;

/** policy_oci_blob_read() - a small blob: exactly @bytes long, and of that digest. -EINVAL if not. */
int policy_oci_blob_read(const char *folder, const uint8_t digest[static HASH_SHA256_BYTES], uint64_t bytes,
			 struct buf *ret, struct err *e) WARN_UNUSED;

#endif
