/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/conf.h - the one plain text configuration format: `key = value` lines
 *
 * Used for boards, engines and the two manifests of PID 1. A line is empty, a comment ('#' first), or
 * `key = value`; white space around both is dropped. Keys are [a-z0-9._-]. A key may come again: it is
 * then a list, in order; the reader of a single value refuses a second one. Unknown keys are refused by
 * conf_check(). No quoting, no escapes, no includes: what you see is the value.
 *
 * Input: authenticated (manifests) or the builder's own user (boards). No heap; the text is cut in place.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define CONF_MAX_LINES 256
#define CONF_MAX_LINE_BYTES 4096

/**
 * struct conf - a parsed file; @line entries point into the caller's text
 * @name: file name for messages
 * @n:    lines in use
 */
struct conf {
	const char *name;
	size_t n;
	struct conf_line {
		const char *key;
		const char *value;
		unsigned number;
	} line[CONF_MAX_LINES];
};

/**
 * conf_parse() - cut @text into lines
 * @text: NUL-terminated, modified in place, must outlive @ret; @len without the NUL (a NUL inside is refused)
 *
 * Return: 0, -EINVAL naming file and line, or -E2BIG past CONF_MAX_LINES.
 */
int conf_parse(char *text, size_t len, const char *name, struct conf *ret, struct err *e) WARN_UNUSED;

/** conf_check() - every key must be one of @keys (NULL-terminated; a key ending in '*' matches as a prefix). */
int conf_check(const struct conf *c, const char *const keys[], struct err *e) WARN_UNUSED;

/** conf_get() - the value of a key that may stand once at most; @fallback (may be NULL) if absent. -EINVAL if twice. */
int conf_get(const struct conf *c, const char *key, const char *fallback, const char **ret, struct err *e) WARN_UNUSED;

/** conf_need() - as conf_get(), but absent or empty is -EINVAL. */
int conf_need(const struct conf *c, const char *key, const char **ret, struct err *e) WARN_UNUSED;

/** conf_u64() - a decimal number from 0 to @max; @fallback if absent. */
int conf_u64(const struct conf *c, const char *key, uint64_t fallback, uint64_t max, uint64_t *ret,
	     struct err *e) WARN_UNUSED;

/** conf_next() - walk the values of a list key: start with *@pos = 0. Return: the next value or NULL. */
const char *conf_next(const struct conf *c, const char *key, size_t *pos);

#endif
