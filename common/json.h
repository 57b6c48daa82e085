/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/json.h - strict JSON: json-c for the tree, our own scan before it for the rules
 *
 * Theory of operation
 *   json-c accepts more than RFC 8259 and keeps the last of two equal keys silently. So the bytes are
 *   first walked once without recursion: UTF-8, the grammar, depth, and that no object names a key twice
 *   (RFC 8785 section 2 wants the same). Only what passed is given to json-c. A schema is then held to by
 *   json_check_keys(): a key that is not listed and does not begin with "x-" is an error.
 *
 * Input: hostile, or authenticated; treated alike.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include "common/buf.h"
#include "common/err.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH 24
#define JSON_MAX_KEYS 512	/* in one object */
#define JSON_MAX_KEY_BYTES 256

static inline void cleanup_json_fn(json_object **o)
{
	if (*o)
		(void)json_object_put(*o); /* drops our reference */
}
#define cleanup_json __attribute__((cleanup(cleanup_json_fn)))

/**
 * json_parse() - strict parse of a whole document
 * @text: @len bytes, no NUL needed
 * @name: for messages
 * @ret:  owned tree
 *
 * Return: 0, or -EINVAL naming byte offset and what was wanted.
 */
int json_parse(const void *text, size_t len, const char *name, json_object **ret, struct err *e) WARN_UNUSED;

/** json_check_keys() - @o is an object whose keys are all in @keys (NULL-terminated) or begin with "x-". @where names it. */
int json_check_keys(json_object *o, const char *where, const char *const keys[], struct err *e) WARN_UNUSED;

/** json_get() - member @key of object @o if it has @type; -EINVAL if absent or of another type. Borrowed. */
int json_get(json_object *o, const char *where, const char *key, enum json_type type, json_object **ret,
	     struct err *e) WARN_UNUSED;

/** json_get_opt() - the same, but absent gives NULL and 0. */
int json_get_opt(json_object *o, const char *where, const char *key, enum json_type type, json_object **ret,
		 struct err *e) WARN_UNUSED;

/** json_get_str() - a string member without NUL bytes inside, at most @max bytes. Borrowed from the tree. */
int json_get_str(json_object *o, const char *where, const char *key, size_t max, const char **ret,
		 struct err *e) WARN_UNUSED;

/** json_get_u64() - an integer member from 0 to @max (at most INT64_MAX). */
int json_get_u64(json_object *o, const char *where, const char *key, uint64_t max, uint64_t *ret, struct err *e) WARN_UNUSED;

/** json_get_hex() - a string member of exactly 2 * @n lower-case hex digits. */
int json_get_hex(json_object *o, const char *where, const char *key, uint8_t *ret, size_t n, struct err *e) WARN_UNUSED;

/** json_str() - the text of a JSON string object that holds no NUL, else NULL. Borrowed. */
const char *json_str(json_object *o);

/** json_write() - append the compact canonical text of @o plus a newline: keys in insertion order, no '\/' escapes. */
int json_write(struct buf *out, json_object *o, struct err *e) WARN_UNUSED;

/**
 * json_put() - hand @value over as a member of @o; json_push(): as the last of @array
 *
 * json-c reports a failed allocation as NULL or by a return value. Both take @value (NULL: it failed) in any case and are
 * false when anything failed, so that calls are joined by && and a document is either whole or not written.
 */
bool json_put(json_object *o, const char *key, json_object *value) WARN_UNUSED;
bool json_push(json_object *array, json_object *value) WARN_UNUSED;

/** json_hex() - a new string of @n bytes (HASH_MAX_BYTES at most) in hex; NULL if memory is short. */
json_object *json_hex(const uint8_t *bytes, size_t n);

#endif
