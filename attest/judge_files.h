/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/judge_files.h - the operator's files that say what is wanted, as `verify`, `explain` and the service are given them
 *
 * One way from files to a struct judge_set, so that a host that the service refuses is refused by the one-shot programs too,
 * for the same reason.
 *
 * Input: the operator's own files; reference values and CRLs are authenticated by signatures, all are parsed strictly.
 */
#ifndef ATTEST_JUDGE_FILES_H
#define ATTEST_JUDGE_FILES_H

#include "attest/judge.h"

/** struct judge_files - paths; @policy_set and what is in @revoked may be NULL. Each of @refvalues has its FILE.p7s beside it. */
struct judge_files {
	const char *const *refvalues;
	size_t n_refvalues;
	const char *policy_cert, *policy_set;
	struct ek_revoked_files revoked;
};

/**
 * judge_files_load() - read and check everything; @ret has no fast path, and is released with judge_set_free()
 *
 * Return: 0; -EBADMSG only if the signature of reference values is bad; other -errno if something else cannot be read or is
 * bad, a CRL's signature among them: then nobody knows what it revokes.
 */
int judge_files_load(const struct judge_files *f, int64_t now_s, struct judge_set *ret, struct err *e) WARN_UNUSED;

/** judge_files_wrong() - NULL, or what is wrong with the combination of options: CRLs without who may sign them. */
const char *judge_files_wrong(const struct judge_files *f);

#endif
