/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/conf.c - the one plain text configuration format: `key = value` lines */
#include "common/conf.h"

#include <stdbool.h>
#include <string.h>

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r", end[-1]))
		end--;
	*end = '\0';
	return s;
}

static bool key_is_valid(const char *k)
{
	return *k && strspn(k, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(k);
}

static int conf_line_parse(char *s, unsigned number, struct conf *c, struct err *e)
{
	char *eq;

	if (strlen(s) > CONF_MAX_LINE_BYTES)
		return err_set(e, EINVAL, "%s:%u: line is longer than %d bytes", c->name, number, CONF_MAX_LINE_BYTES);
	s = trim(s);
	if (!*s || *s == '#')
		return 0;
	eq = strchr(s, '=');
	if (!eq)
		return err_set(e, EINVAL, "%s:%u: found \"%.40s\", wanted `key = value`", c->name, number, s);
	*eq = '\0';
	s = trim(s);
	if (!key_is_valid(s))
		return err_set(e, EINVAL, "%s:%u: \"%.40s\" is not a key (a-z, 0-9, '.', '_', '-')", c->name, number, s);
	if (c->n == CONF_MAX_LINES)
		return err_set(e, E2BIG, "%s:%u: more than %d settings", c->name, number, CONF_MAX_LINES);
	c->line[c->n++] = (struct conf_line){ .key = s, .value = trim(eq + 1), .number = number };
	return 0;
}

int conf_parse(char *text, size_t len, const char *name, struct conf *ret, struct err *e)
{
	unsigned number = 0;
	char *next;
	int r;

	ret->name = name;
	ret->n = 0;
	if (strlen(text) != len)
		return err_set(e, EINVAL, "%s: holds a NUL byte at offset %zu", name, strlen(text));
	for (char *s = text; s; s = next) {
		next = strchr(s, '\n');
		if (next)
			*next++ = '\0';
		r = conf_line_parse(s, ++number, ret, e);
		if (r)
			return r;
	}
	return 0;
}

static bool key_matches(const char *pattern, const char *key)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return !strncmp(pattern, key, n - 1);
	return !strcmp(pattern, key);
}

int conf_check(const struct conf *c, const char *const keys[], struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t k = 0;

		while (keys[k] && !key_matches(keys[k], c->line[i].key))
			k++;
		if (!keys[k])
			return err_set(e, EINVAL, "%s:%u: unknown setting \"%s\"", c->name, c->line[i].number,
				       c->line[i].key);
	}
	return 0;
}

int conf_get(const struct conf *c, const char *key, const char *fallback, const char **ret, struct err *e)
{
	const struct conf_line *found = NULL;

	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->line[i].key, key))
			continue;
		if (found)
			return err_set(e, EINVAL, "%s:%u: \"%s\" was already set in line %u", c->name, c->line[i].number,
				       key, found->number);
		found = &c->line[i];
	}
	*ret = found ? found->value : fallback;
	return 0;
}

int conf_need(const struct conf *c, const char *key, const char **ret, struct err *e)
{
	const char *v;
	int r = conf_get(c, key, NULL, &v, e);

	if (r)
		return r;
	if (!v || !*v)
		return err_set(e, EINVAL, "%s: the setting \"%s\" is missing or empty", c->name, key);
	*ret = v;
	return 0;
}

int conf_u64(const struct conf *c, const char *key, uint64_t fallback, uint64_t max, uint64_t *ret, struct err *e)
{
	const char *v;
	uint64_t n = 0;
	int r = conf_get(c, key, NULL, &v, e);

	if (r)
		return r;
	if (!v) {
		*ret = fallback;
		return 0;
	}
	for (const char *s = v; *s; s++) {
		unsigned digit = (unsigned)(*s - '0');

		if (digit > 9 || n > (max - digit) / 10 || digit > max)
			return err_set(e, EINVAL, "%s: %s = \"%.40s\": wanted a whole number from 0 to %llu", c->name, key,
				       v, (unsigned long long)max);
		n = n * 10 + digit;
	}
	if (!*v)
		return err_set(e, EINVAL, "%s: %s is empty, wanted a whole number", c->name, key);
	*ret = n;
	return 0;
}

const char *conf_next(const struct conf *c, const char *key, size_t *pos)
{
	while (*pos < c->n) {
		const struct conf_line *l = &c->line[(*pos)++];

		if (!strcmp(l->key, key))
			return l->value;
	}
	return NULL;
}
