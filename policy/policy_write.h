/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/policy_write.h - the layer policy document from the structure, and its signature */
#ifndef POLICY_POLICY_WRITE_H
#define POLICY_POLICY_WRITE_H

#include "common/buf.h"
#include "common/err.h"
#include "common/pki.h"
#include "policy/policy.h"

/**
 * policy_write() - append the document
 *
 * The one canonical text of a policy: what is written parses again, and equals @p in all but @digest. It is parsed
 * before it is returned, so that nothing policy_parse() refuses can be written. Return: 0, -EINVAL, -ENOMEM.
 */
int policy_write(const struct policy *p, struct buf *ret, struct err *e) WARN_UNUSED;

/** policy_save() - policy_write() to @path, all or nothing. A signature beside it no longer fits: it is removed first.
 */
int policy_save(const struct policy *p, const char *path, struct err *e) WARN_UNUSED;

/** policy_load_unverified() - parse @path; for tools that edit or show. Nothing that enforces may use it. */
int policy_load_unverified(const char *path, struct policy **ret, struct err *e) WARN_UNUSED;

/** policy_sign_file() - parse @path, then write "<path>.p7s" over its exact bytes. -EINVAL if it does not parse. */
int policy_sign_file(const char *path, const struct pki_signer *by, struct err *e) WARN_UNUSED;

/**
 * policy_check_file() - is "<path>.p7s" the signature of @path by @cert, and does it parse?
 *
 * Return: 0; -EBADMSG signature bad; -EINVAL malformed; other -errno could not check.
 */
int policy_check_file(const char *path, X509 *cert, struct policy **ret, struct err *e) WARN_UNUSED;

#endif
