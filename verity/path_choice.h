/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/path_choice.h - which of several code paths is taken: the one that the user names, or the best sound one
 *
 * lanes.c and rs.c each have a family of them. What a path is worth is found out once a process, by whoever owns the family:
 * a path that the CPU lacks or that computes something else is never taken.
 */
#ifndef VERITY_PATH_CHOICE_H
#define VERITY_PATH_CHOICE_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * struct verity_path_info - one path that this build has
 * @width: blocks at a time; 0 where that means nothing
 * @has:   this CPU can run it
 */
struct verity_path_info {
	const char *name;
	unsigned width;
	bool has;
};

/** verity_path_fn - the @i-th path, best first, also those that this CPU lacks; false past the last. */
typedef bool verity_path_fn(size_t i, struct verity_path_info *ret);

enum verity_path_verdict { VERITY_PATH_UNASKED = 0, VERITY_PATH_LACKING, VERITY_PATH_DISAGREES, VERITY_PATH_GOOD };

/**
 * struct verity_path_family - @what: "SHA-256"; @env: the variable that names a path; @peer: what a path is held against
 * @name_of: of the @i-th path, best first, NULL past the last; @verdicts has one each
 */
struct verity_path_family {
	const char *what;
	const char *env;
	const char *peer;
	const char *(*name_of)(size_t i);
	const enum verity_path_verdict *verdicts;
};

/**
 * verity_path_choose() - the number of the path to take
 * @name: of a path; NULL: what the environment names, else the best good one
 *
 * Return: 0; -EINVAL: no path has that name; -ENOTSUP: this CPU lacks the named one; -EIO: the named one does not agree with
 * @peer, or none does.
 */
int verity_path_choose(const struct verity_path_family *f, const char *name, size_t *ret, struct err *e) WARN_UNUSED;

#endif
