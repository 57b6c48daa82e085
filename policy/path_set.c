/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/path_set.c - what stands under which path of a layer */
#include "policy/path_set.h"

#include <search.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct policy_path *x = a, *y = b;

	return strcmp(x->path, y->path);
}

struct policy_path *policy_path_set_get(const struct policy_path_set *s, const char *path)
{
	struct policy_path key = {.path = path};
	void *node = tfind(&key, &s->root, compare);

	return node ? *(struct policy_path **)node : NULL;
}

int policy_path_set_put(struct policy_path_set *s, const char *path, enum policy_path_kind kind,
			struct policy_path **ret, struct err *e)
{
	size_t n = strlen(path) + 1;
	struct policy_path *entry;

	if (s->n == POLICY_PATH_SET_MAX)
		return err_set(e, E2BIG, "more than %d paths", POLICY_PATH_SET_MAX);
	entry = malloc(sizeof(*entry) + n);
	if (!entry)
		return err_set(e, ENOMEM, "no memory for a path");
	memcpy(entry->text, path, n);
	entry->path = entry->text;
	entry->kind = kind;
	entry->id = 0;
	if (!tsearch(entry, &s->root, compare)) {
		free(entry);
		return err_set(e, ENOMEM, "no memory for a path");
	}
	s->n++;
	*ret = entry;
	return 0;
}

void policy_path_set_free(struct policy_path_set *s)
{
	tdestroy(s->root, free);
	*s = (struct policy_path_set){0};
}
