/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/settings.c - an engine's configuration as one flat list: the list, its search, and JSON into it */
#include "policy/settings.h"

#include "common/json.h"

#include <string.h>

void settings_free(struct settings *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->item[i].path);
		free(s->item[i].text);
	}
	free(s->item);
	*s = (struct settings){0};
}

static const char *shown(const char *path, char *ret, size_t size)
{
	size_t n = 0;

	for (; path[n] && n < size - 1; n++)
		ret[n] = path[n] == SETTINGS_SEP ? '.' : path[n];
	ret[n] = '\0';
	return ret;
}

static struct settings_item *lookup(const struct settings *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->item[i].path, path))
			return &s->item[i];
	return NULL;
}

int settings_add(struct settings *s, const struct settings_item *item, const char *name, struct err *e)
{
	const struct settings_item *old = lookup(s, item->path);
	char at[80];

	if (old && (old->kind != SETTINGS_TABLE || item->kind != SETTINGS_TABLE))
		return err_set(e, EINVAL, "%s: line %u: %s stands there twice", name, item->line,
			       shown(item->path, at, sizeof(at)));
	if (old)
		return 0;
	if (s->n == SETTINGS_MAX_ITEMS)
		return err_set(e, EINVAL, "%s: more than %d settings", name, SETTINGS_MAX_ITEMS);
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct settings_item *bigger = realloc(s->item, room * sizeof(*bigger));

		if (!bigger)
			return err_set(e, ENOMEM, "no memory for settings");
		s->item = bigger;
		s->room = room;
	}
	s->item[s->n] = *item;
	s->item[s->n].path = strdup(item->path);
	s->item[s->n].text = strdup(item->text ? item->text : "");
	s->n++;
	return s->item[s->n - 1].path && s->item[s->n - 1].text ? 0 : err_set(e, ENOMEM, "no memory for settings");
}

bool settings_match(const char *path, const char *pattern)
{
	for (;;) {
		size_t n = strcspn(path, (char[]){SETTINGS_SEP, '\0'}), m = strcspn(pattern, "/");

		if (m == 2 && !strncmp(pattern, "**", 2))
			return true;
		if (!(m == 1 && pattern[0] == '*') && (n != m || strncmp(path, pattern, n) != 0))
			return false;
		path += n;
		pattern += m;
		if (!*path || !*pattern)
			return !*path && !*pattern;
		path++;
		pattern++;
	}
}

const struct settings_item *settings_find(const struct settings *s, const char *pattern, size_t *from)
{
	while (*from < s->n) {
		const struct settings_item *i = &s->item[(*from)++];

		if (settings_match(i->path, pattern))
			return i;
	}
	return NULL;
}

const struct settings_item *settings_get(const struct settings *s, const char *pattern)
{
	size_t from = 0;

	return settings_find(s, pattern, &from);
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

/* struct json_walk - where we are; common/json.h has bounded the depth */
struct json_walk {
	struct settings *to;
	const char *name;
	char path[SETTINGS_MAX_PATH];
};

static int take(struct json_walk *w, size_t len, json_object *v, struct err *e);

static int step(struct json_walk *w, size_t len, const char *key, json_object *v, struct err *e)
{
	int n = snprintf(w->path + len, sizeof(w->path) - len, "%s%s", len ? (char[]){SETTINGS_SEP, '\0'} : "", key);

	if (n < 0 || (size_t)n >= sizeof(w->path) - len || strchr(key, SETTINGS_SEP))
		return err_set(e, EINVAL, "%s: key \"%.60s\": path is too long or holds a control character", w->name, key);
	return take(w, len + (size_t)n, v, e);
}

static int take_parts(struct json_walk *w, size_t len, json_object *v, struct err *e)
{
	int r = 0;

	if (json_object_is_type(v, json_type_object)) {
		json_object_object_foreach (v, key, value) {
			r = step(w, len, key, value, e);
			if (r)
				return r;
		}
	} else if (json_object_is_type(v, json_type_array)) {
		for (size_t i = 0; !r && i < json_object_array_length(v); i++) {
			char index[24];

			(void)snprintf(index, sizeof(index), "%zu", i); /* fits */
			r = step(w, len, index, json_object_array_get_idx(v, i), e);
		}
	}
	return r;
}

static int take(struct json_walk *w, size_t len, json_object *v, struct err *e)
{
	struct settings_item item = {.path = w->path, .kind = SETTINGS_OTHER};
	const char *text = "";
	int r;

	switch (json_object_get_type(v)) {
	case json_type_object:
		item.kind = SETTINGS_TABLE;
		break;
	case json_type_array:
		item.kind = SETTINGS_LIST;
		break;
	case json_type_string:
		item.kind = SETTINGS_STRING;
		text = json_str(v);
		if (!text)
			return err_set(e, EINVAL, "%s: a string holds a NUL", w->name);
		break;
	case json_type_boolean:
		item.kind = SETTINGS_BOOL;
		text = json_object_get_string(v);
		break;
	default:
		text = v ? json_object_get_string(v) : "null";
	}
	item.text = (char *)text; /* copied */
	w->path[len] = '\0';
	r = len ? settings_add(w->to, &item, w->name, e) : 0;
	return r ? r : take_parts(w, len, v, e);
}

int settings_json(const char *text, size_t len, const char *name, struct settings *ret, struct err *e)
{
	cleanup_json json_object *doc = NULL;
	struct json_walk w = {.to = ret, .name = name};
	int r = json_parse(text, len, name, &doc, e);

	if (!r && !json_object_is_type(doc, json_type_object))
		r = err_set(e, EINVAL, "%s: wanted an object", name);
	return r ? r : take(&w, 0, doc, e);
}
