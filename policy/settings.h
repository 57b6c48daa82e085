/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/settings.h - an engine's configuration, TOML or JSON, as one flat list
 *
 * Theory of operation
 *   Every value, table and list is one item with its whole path, so that a rule is a pattern and a value: "no item
 *   plugins.*.registry.configs.*.tls.insecure_skip_verify that is true". Parts of a path are held apart by a byte that
 *   keys cannot have. Elements of lists have their index as a part. What does not parse is refused: whoever reads it
 *   more kindly than we do would find another meaning in it.
 *
 * Input: hostile. Spec: TOML 1.0.0; RFC 8259 through common/json.h.
 */
#ifndef POLICY_SETTINGS_H
#define POLICY_SETTINGS_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_MAX_BYTES (1 << 20)
#define SETTINGS_MAX_ITEMS 8192
#define SETTINGS_MAX_DEPTH 16
#define SETTINGS_MAX_PATH  1024

enum settings_kind { SETTINGS_TABLE, SETTINGS_LIST, SETTINGS_STRING, SETTINGS_BOOL, SETTINGS_OTHER };

/**
 * struct settings_item - one value
 * @path: parts with SETTINGS_SEP between them
 * @text: of a string its content, else as written ("true", "0x10"); "" for tables and lists
 * @line: 0 where the format has none (JSON)
 */
struct settings_item {
	char *path;
	char *text;
	enum settings_kind kind;
	unsigned line;
};

#define SETTINGS_SEP '\x1f'

/** struct settings - a document; zero it */
struct settings {
	struct settings_item *item;
	size_t n, room;
};

/** settings_toml() - parse TOML. settings_json() - parse JSON. Return: 0; -EINVAL naming the line and what was wanted. */
int settings_toml(const char *text, size_t len, const char *name, struct settings *ret, struct err *e) WARN_UNUSED;
int settings_json(const char *text, size_t len, const char *name, struct settings *ret, struct err *e) WARN_UNUSED;

/** settings_free() - release; accepts a zeroed one. */
void settings_free(struct settings *s);
#define cleanup_settings __attribute__((cleanup(settings_free)))

/** settings_match() - does @path fit @pattern: parts with '/' between them, "*" is any one part, "**" at the end any rest? */
bool settings_match(const char *path, const char *pattern);

/** settings_find() - the first item that fits, from *@from on; *@from moves behind it. NULL: none. */
const struct settings_item *settings_find(const struct settings *s, const char *pattern, size_t *from);

/** settings_get() - the first item that fits, NULL if none does. */
const struct settings_item *settings_get(const struct settings *s, const char *pattern);

/** settings_add() - for the two parsers: append an item; -EINVAL if a value stands there already. */
int settings_add(struct settings *s, const struct settings_item *item, const char *name, struct err *e) WARN_UNUSED;

#endif
