/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/settings_toml.c - TOML into the flat list of policy/settings.h
 *
 * Numbers and dates are kept as written: no rule of ours is about them but "0". Spec: TOML 1.0.0.
 */
#include "policy/settings.h"

#include "common/buf.h"

#include <string.h>

#define BARE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* struct toml - @table: path of the last header, in front of each key below it */
struct toml {
	const char *p, *end;
	unsigned line;
	const char *name;
	struct settings *to;
	char table[SETTINGS_MAX_PATH];
	struct err *e;
};

static int wanted(struct toml *t, const char *what)
{
	return err_set(t->e, EINVAL, "%s: line %u: wanted %s", t->name, t->line, what);
}

static char peek(const struct toml *t)
{
	return t->p < t->end ? *t->p : '\0';
}

static bool starts(const struct toml *t, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(t->end - t->p) >= n && !memcmp(t->p, s, n);
}

static void blanks(struct toml *t)
{
	while (peek(t) == ' ' || peek(t) == '\t')
		t->p++;
}

/* Blanks, ends of lines and comments. */
static void space(struct toml *t)
{
	for (;;) {
		blanks(t);
		if (peek(t) == '#')
			while (t->p < t->end && *t->p != '\n')
				t->p++;
		if (starts(t, "\r\n"))
			t->p++;
		if (peek(t) != '\n')
			return;
		t->p++;
		t->line++;
	}
}

static int end_of_line(struct toml *t)
{
	blanks(t);
	if (t->p < t->end && peek(t) != '\n' && peek(t) != '#' && !starts(t, "\r\n"))
		return wanted(t, "the end of the line");
	space(t);
	return 0;
}

/* --- strings -------------------------------------------------------------------------------------------------- */

static void put_utf8(struct buf *b, unsigned long c)
{
	if (c < 0x80) {
		buf_u8(b, (uint8_t)c);
	} else if (c < 0x800) {
		buf_u8(b, (uint8_t)(0xc0 | c >> 6));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_u8(b, (uint8_t)(0xe0 | c >> 12));
		buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buf_u8(b, (uint8_t)(0xf0 | c >> 18));
		buf_u8(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

static int unicode(struct toml *t, int digits, struct buf *b)
{
	unsigned long c = 0;

	for (int i = 0; i < digits; i++, t->p++) {
		static const char hex[] = "0123456789abcdef";
		const char *at = peek(t) ? strchr(hex, peek(t) | 0x20) : NULL;

		if (!at || (peek(t) < '0'))
			return wanted(t, "hex digits");
		c = c << 4 | (unsigned long)(at - hex);
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return wanted(t, "a character that is one");
	put_utf8(b, c);
	return 0;
}

static int escape(struct toml *t, bool many, struct buf *b)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	const char *at;
	char c = peek(t);

	if (many && (c == '\n' || c == '\r' || c == ' ' || c == '\t')) { /* a line goes on */
		const char *s = t->p;

		while (s < t->end && (*s == ' ' || *s == '\t' || *s == '\r'))
			s++;
		if (s >= t->end || *s != '\n')
			return wanted(t, "the end of the line behind \\");
		while (t->p < t->end && strchr(" \t\r\n", *t->p))
			t->line += *t->p++ == '\n';
		return 0;
	}
	t->p++;
	if (c == 'u' || c == 'U')
		return unicode(t, c == 'u' ? 4 : 8, b);
	at = c ? strchr(from, c) : NULL;
	if (!at)
		return wanted(t, "an escape that TOML knows");
	buf_u8(b, (uint8_t)to[at - from]);
	return 0;
}

/* One of the four kinds; t->p is at its first quote. @b gets the text, without NUL. */
static int string(struct toml *t, bool may_be_long, struct buf *b)
{
	char quote = peek(t), three[4] = {quote, quote, quote, '\0'};
	bool many = may_be_long && starts(t, three);
	int r;

	t->p += many ? 3 : 1;
	if (many && starts(t, "\r\n"))
		t->p++;
	if (many && peek(t) == '\n') {
		t->p++;
		t->line++;
	}
	while (t->p < t->end) {
		char c = *t->p;

		if (many ? starts(t, three) : c == quote) {
			t->p += many ? 3 : 1;
			for (int i = 0; many && i < 2 && peek(t) == quote; i++, t->p++)
				buf_u8(b, (uint8_t)quote); /* up to two may stand before the end */
			return b->bad ? err_set(t->e, ENOMEM, "no memory for settings") : 0;
		}
		if (c == '\n' && many)
			t->line++;
		else if ((unsigned char)c < 0x20 && c != '\t' && !(many && c == '\r'))
			return wanted(t, "no control character in a string");
		t->p++;
		if (c == '\\' && quote == '"') {
			r = escape(t, many, b);
			if (r)
				return r;
		} else {
			buf_u8(b, (uint8_t)c);
		}
	}
	return wanted(t, "the end of the string");
}

/* --- keys ----------------------------------------------------------------------------------------------------- */

static int append(struct toml *t, char path[static SETTINGS_MAX_PATH], const char *part, size_t n)
{
	size_t len = strlen(path);

	if (len + n + 2 > SETTINGS_MAX_PATH)
		return wanted(t, "a shorter key");
	if (len)
		path[len++] = SETTINGS_SEP;
	memcpy(path + len, part, n);
	path[len + n] = '\0';
	return 0;
}

static int key_part(struct toml *t, char path[static SETTINGS_MAX_PATH])
{
	cleanup_buf struct buf b = BUF_INIT;
	int r = 0;

	if (peek(t) == '"' || peek(t) == '\'') {
		r = string(t, false, &b);
		if (!r && (memchr(b.data ? b.data : (uint8_t *)"", SETTINGS_SEP, b.len) || !b.len))
			r = wanted(t, "a key without control characters");
		return r ? r : append(t, path, (const char *)b.data, b.len);
	}
	while (t->p < t->end && *t->p && strchr(BARE, *t->p))
		buf_u8(&b, (uint8_t)*t->p++);
	return b.len ? append(t, path, (const char *)b.data, b.len) : wanted(t, "a key");
}

/* How many elements a list has so far; -1: @path is no list. */
static long elements(const struct toml *t, const char *path)
{
	size_t len = strlen(path);
	long n = -1;

	for (size_t i = 0; i < t->to->n; i++) {
		const struct settings_item *item = &t->to->item[i];

		if (strncmp(item->path, path, len) != 0)
			continue;
		if (!item->path[len] && item->kind == SETTINGS_LIST)
			n = 0;
		else if (n >= 0 && item->path[len] == SETTINGS_SEP && !strchr(item->path + len + 1, SETTINGS_SEP))
			n++;
	}
	return n;
}

static int append_index(struct toml *t, char path[static SETTINGS_MAX_PATH], long i)
{
	char index[24];

	(void)snprintf(index, sizeof(index), "%ld", i); /* fits */
	return append(t, path, index, strlen(index));
}

/* The last table of a list of tables is where keys below it go. */
static int into_list(struct toml *t, char path[static SETTINGS_MAX_PATH])
{
	long n = elements(t, path);

	return n > 0 ? append_index(t, path, n - 1) : 0;
}

/* "a.b.c" behind what stands in @path; with @lists, parts that are lists of tables mean their last. */
static int key(struct toml *t, char path[static SETTINGS_MAX_PATH], bool lists)
{
	for (int depth = 0; depth < SETTINGS_MAX_DEPTH; depth++) {
		int r = key_part(t, path);

		if (r)
			return r;
		blanks(t);
		if (peek(t) != '.')
			return 0;
		t->p++;
		blanks(t);
		if (lists)
			r = into_list(t, path);
		if (r)
			return r;
	}
	return wanted(t, "a key of fewer parts");
}

/* --- values --------------------------------------------------------------------------------------------------- */

static int put(struct toml *t, const char *path, enum settings_kind kind, const char *text)
{
	struct settings_item item = {.path = (char *)path, .text = (char *)text, .kind = kind, .line = t->line};

	return settings_add(t->to, &item, t->name, t->e); /* copies both */
}

static int value(struct toml *t, char path[static SETTINGS_MAX_PATH], int depth);

static int list(struct toml *t, char path[static SETTINGS_MAX_PATH], int depth)
{
	size_t len = strlen(path);
	int r = put(t, path, SETTINGS_LIST, "");

	t->p++;
	for (long i = 0; !r; i++) {
		space(t);
		if (peek(t) == ']') {
			t->p++;
			return 0;
		}
		r = append_index(t, path, i);
		r = r ? r : value(t, path, depth + 1);
		path[len] = '\0';
		if (r)
			return r;
		space(t);
		if (peek(t) == ',')
			t->p++;
		else if (peek(t) != ']')
			return wanted(t, "',' or ']'");
	}
	return r;
}

static int inline_table(struct toml *t, char path[static SETTINGS_MAX_PATH], int depth)
{
	size_t len = strlen(path);
	int r = put(t, path, SETTINGS_TABLE, "");

	t->p++;
	blanks(t);
	if (!r && peek(t) == '}') {
		t->p++;
		return 0;
	}
	while (!r) {
		blanks(t);
		r = key(t, path, false);
		if (!r && peek(t) != '=')
			r = wanted(t, "'='");
		if (r)
			return r;
		t->p++;
		blanks(t);
		r = value(t, path, depth + 1);
		path[len] = '\0';
		blanks(t);
		if (!r && peek(t) == '}') {
			t->p++;
			return 0;
		}
		if (!r && peek(t) != ',')
			r = wanted(t, "',' or '}'");
		t->p += !r;
	}
	return r;
}

static int value(struct toml *t, char path[static SETTINGS_MAX_PATH], int depth)
{
	cleanup_buf struct buf b = BUF_INIT;
	bool word;
	int r;

	if (depth > SETTINGS_MAX_DEPTH)
		return wanted(t, "values less deep");
	if (peek(t) == '[')
		return list(t, path, depth);
	if (peek(t) == '{')
		return inline_table(t, path, depth);
	if (peek(t) == '"' || peek(t) == '\'') {
		r = string(t, true, &b);
		if (!r && memchr(b.data ? b.data : (uint8_t *)"x", '\0', b.len))
			r = wanted(t, "a string without NUL");
		buf_u8(&b, 0);
		return r ? r : b.bad ? err_set(t->e, ENOMEM, "no memory for settings") : put(t, path, SETTINGS_STRING, (char *)b.data);
	}
	while (t->p < t->end && *t->p && (strchr(BARE, *t->p) || strchr("+.:", *t->p)))
		buf_u8(&b, (uint8_t)*t->p++);
	if (!b.len)
		return wanted(t, "a value");
	buf_u8(&b, 0);
	if (b.bad)
		return err_set(t->e, ENOMEM, "no memory for settings");
	word = !strcmp((char *)b.data, "true") || !strcmp((char *)b.data, "false");
	if (!word && !strchr("+-0123456789in", b.data[0]))
		return wanted(t, "a value");
	return put(t, path, word ? SETTINGS_BOOL : SETTINGS_OTHER, (char *)b.data);
}

/* --- lines ---------------------------------------------------------------------------------------------------- */

static int header(struct toml *t)
{
	bool many = starts(t, "[[");
	int r;

	t->p += many ? 2 : 1;
	t->table[0] = '\0';
	blanks(t);
	r = key(t, t->table, true);
	if (!r && !starts(t, many ? "]]" : "]"))
		r = wanted(t, "']'");
	if (r)
		return r;
	t->p += many ? 2 : 1;
	if (many) {
		long n = elements(t, t->table);

		r = n < 0 ? put(t, t->table, SETTINGS_LIST, "") : 0;
		r = r ? r : append_index(t, t->table, n < 0 ? 0 : n);
	} else {
		r = into_list(t, t->table);
	}
	r = r ? r : put(t, t->table, SETTINGS_TABLE, "");
	return r ? r : end_of_line(t);
}

static int assignment(struct toml *t)
{
	char path[SETTINGS_MAX_PATH];
	int r;

	memcpy(path, t->table, sizeof(path));
	r = key(t, path, false);
	if (!r && peek(t) != '=')
		r = wanted(t, "'='");
	if (r)
		return r;
	t->p++;
	blanks(t);
	r = value(t, path, 0);
	return r ? r : end_of_line(t);
}

int settings_toml(const char *text, size_t len, const char *name, struct settings *ret, struct err *e)
{
	struct toml t = {.p = text, .end = text + len, .line = 1, .name = name, .to = ret, .e = e};
	int r = 0;

	if (len > SETTINGS_MAX_BYTES)
		return err_set(e, EINVAL, "%s: has %zu bytes, wanted at most %d", name, len, SETTINGS_MAX_BYTES);
	if (memchr(text, '\0', len))
		return err_set(e, EINVAL, "%s: holds a NUL", name);
	space(&t);
	while (!r && t.p < t.end)
		r = peek(&t) == '[' ? header(&t) : assignment(&t);
	return r;
}
