/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/path_set.c - what stands under which path of a layer */
#include "policy/path_set.h"

#include <search.h>
#include <string.h>

/* struct path_entry - @path points to @text, or in a search key to the caller's string */
struct path_entry {
	const char *path;
	enum policy_path_kind kind;
	char text[];
};

static int compare(const void *a, const void *b)
{
	const struct path_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static struct path_entry *find(const struct policy_path_set *s, const char *path)
{
	struct path_entry key = {.path = path};
	void *node = tfind(&key, &s->root, compare);

	return node ? *(struct path_entry **)node : NULL;
}

enum policy_path_kind policy_path_set_get(const struct policy_path_set *s, const char *path)
{
	const struct path_entry *found = find(s, path);

	return found ? found->kind : POLICY_PATH_ABSENT;
}

int policy_path_set_put(struct policy_path_set *s, const char *path, enum policy_path_kind kind, struct err *e)
{
	struct path_entry *entry = find(s, path);
	size_t n = strlen(path) + 1;

	if (entry) {
		entry->kind = kind;
		return 0;
	}
	if (s->n == POLICY_PATH_SET_MAX)
		return err_set(e, E2BIG, "more than %d paths", POLICY_PATH_SET_MAX);
	entry = malloc(sizeof(*entry) + n);
	if (!entry)
		return err_set(e, ENOMEM, "no memory for a path");
	memcpy(entry->text, path, n);
	entry->path = entry->text;
	entry->kind = kind;
	if (!tsearch(entry, &s->root, compare)) {
		free(entry);
		return err_set(e, ENOMEM, "no memory for a path");
	}
	s->n++;
	return 0;
}

struct visit {
	void (*fn)(const char *path, enum policy_path_kind kind, void *arg);
	void *arg;
};

static void visit(const void *node, VISIT which, void *closure)
{
	const struct path_entry *entry = *(struct path_entry *const *)node;
	const struct visit *v = closure;

	if (which == postorder || which == leaf) /* glibc's "postorder" is between the two subtrees: in order */
		v->fn(entry->path, entry->kind, v->arg);
}

void policy_path_set_walk(const struct policy_path_set *s,
			  void (*fn)(const char *path, enum policy_path_kind kind, void *arg), void *arg)
{
	struct visit v = {.fn = fn, .arg = arg};

	twalk_r(s->root, visit, &v);
}

void policy_path_set_free(struct policy_path_set *s)
{
	tdestroy(s->root, free);
	*s = (struct policy_path_set){0};
}
