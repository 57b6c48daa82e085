/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/policy_edit.h - take something out of a layer policy, and say what two versions of one differ in
 *
 * Input: policies that parsed. Runs as: build machine, unprivileged.
 */
#ifndef POLICY_POLICY_EDIT_H
#define POLICY_POLICY_EDIT_H

#include "common/cleanup.h"
#include "common/err.h"
#include "policy/policy.h"

/**
 * policy_remove_image() - take an entry out, and raise the version by one
 *
 * Its layers stay signed: who has them can still open them. To forbid that too, revoke them.
 * Return: 0; -ENOENT there is none of that name; -EOVERFLOW.
 */
int policy_remove_image(struct policy *p, const char *name, struct err *e) WARN_UNUSED;

/**
 * policy_revoke() - forbid a layer for ever, and raise the version by one
 *
 * Return: 0; -EEXIST it is already; -EINVAL an image still names it (remove that first); -E2BIG past
 * POLICY_MAX_REVOKED; -EOVERFLOW.
 */
int policy_revoke(struct policy *p, const uint8_t root_hash[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/**
 * policy_add_class() - declare a class, and raise the version by one. @c: copied.
 *
 * The first one makes the rules of classes hold for all images, so declare before adding images.
 * Return: 0; -EINVAL the document would not hold; -E2BIG past POLICY_MAX_CLASSES; -EOVERFLOW.
 */
int policy_add_class(struct policy *p, const struct policy_class *c, struct err *e) WARN_UNUSED;

/* Does a difference let more run, or run with more? CHANGES is neither: other content, another place. */
enum policy_diff_kind { POLICY_DIFF_WIDENS, POLICY_DIFF_TIGHTENS, POLICY_DIFF_CHANGES };

/** policy_diff_kind_str() - "widens" and so on. */
const char *policy_diff_kind_str(enum policy_diff_kind kind);

/** struct policy_diff_line - @image: NULL if it is the policy's own; @what: a sentence's end: "capability CAP_X is allowed" */
struct policy_diff_line {
	enum policy_diff_kind kind;
	const char *image;
	const char *what;
};

/** policy_diff() - call @fn for each difference, from @a to @b; @fn's strings live for that call. Return: how many widen. */
size_t policy_diff(const struct policy *a, const struct policy *b,
		   void (*fn)(void *arg, const struct policy_diff_line *l), void *arg);

#endif
