/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/image_tree.c - a file of an image, found as the container would find it */
#include "policy/image_tree.h"

#include "policy/path_set.h"
#include "policy/tar_read.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* struct node - a member of a layer, called by its place in the list, from 1 on */
struct node {
	const char *path; /* in the set */
	char *link;	  /* of a symbolic link */
	enum policy_path_kind kind;
	bool opaque;
};

/* struct layer - what one tar holds; a hard link has the number of its file */
struct layer {
	struct policy_path_set set;
	struct node *node;
	uint32_t n;
};

struct policy_image_tree {
	struct policy_image_source from;
	struct layer layer[POLICY_OCI_MAX_LAYERS];
};

void policy_image_tree_free(struct policy_image_tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->from.n_layers; i++) {
		struct layer *l = &t->layer[i];

		for (uint32_t k = 0; k < l->n; k++)
			free(l->node[k].link);
		free(l->node);
		policy_path_set_free(&l->set);
	}
	free(t);
}

/* --- reading the tars ----------------------------------------------------------------------------------------- */

/*
 * Both readings give a member the same number: the next one, but a hard link has its file's, and a folder told again
 * keeps its own. Return: it is to be the next.
 */
static bool is_known(const struct policy_tar_member *m, uint32_t *ret_id)
{
	if (m->type == POLICY_TAR_LINK)
		*ret_id = m->target;
	else if (m->id)
		*ret_id = m->id;
	else
		return false;
	return true;
}

static enum policy_path_kind kind_of(char type)
{
	switch (type) {
	case POLICY_TAR_FOLDER:
		return POLICY_PATH_FOLDER;
	case POLICY_TAR_SYMLINK:
		return POLICY_PATH_SYMLINK;
	case POLICY_TAR_WHITEOUT:
		return POLICY_PATH_WHITEOUT;
	case POLICY_TAR_CHAR:
	case POLICY_TAR_BLOCKDEV:
	case POLICY_TAR_FIFO:
		return POLICY_PATH_SPECIAL;
	default:
		return POLICY_PATH_FILE;
	}
}

/* Room for one more in @l, doubled as it fills. */
static int grow(struct layer *l, struct err *e)
{
	struct node *bigger;

	if (l->n & (l->n - 1)) /* full at 0 and at each power of two */
		return 0;
	bigger = realloc(l->node, (l->n ? 2 * (size_t)l->n : 1) * sizeof(*bigger));
	if (!bigger)
		return err_set(e, ENOMEM, "no memory for an image's paths");
	l->node = bigger;
	return 0;
}

static int put_path(struct layer *l, const struct policy_tar_member *m, enum policy_path_kind kind, uint32_t id,
		    const char **ret, struct err *e)
{
	const char *above = m->parent ? l->node[m->parent - 1].path : "";
	struct policy_path *put = NULL;
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s%s%s", above, *above ? "/" : "", m->name) >= (int)sizeof(path))
		return err_set(e, ENAMETOOLONG, "a path is longer than %d bytes", PATH_MAX - 1);
	r = policy_path_set_put(&l->set, path, kind, &put, e);
	if (r)
		return r;
	put->id = id;
	*ret = put->path;
	return 0;
}

static int learn(void *arg, const struct policy_tar_member *m, uint32_t *ret_id, struct err *e)
{
	struct layer *l = arg;
	const char *path = NULL;
	struct node *n;
	int r;

	if (m->type == POLICY_TAR_LINK) {
		*ret_id = m->target;
		return put_path(l, m, l->node[m->target - 1].kind, m->target, &path, e);
	}
	if (is_known(m, ret_id))
		return 0;
	r = grow(l, e);
	if (r)
		return r;
	n = &l->node[l->n];
	*n = (struct node){.kind = kind_of(m->type)};
	if (m->type == POLICY_TAR_OPAQUE)
		l->node[m->parent - 1].opaque = true; /* the top cannot be: it has a parent */
	else
		r = put_path(l, m, n->kind, l->n + 1, &n->path, e);
	if (!r && m->type == POLICY_TAR_SYMLINK) {
		n->link = strdup(m->link);
		r = n->link ? 0 : err_set(e, ENOMEM, "no memory for a symbolic link");
	}
	if (!r)
		*ret_id = ++l->n;
	return r;
}

/* struct copy - the second reading: @n members so far; content of member @want goes to @to */
struct copy {
	uint32_t n, want;
	size_t max;
	bool on;
	struct buf *to;
};

static int copy_member(void *arg, const struct policy_tar_member *m, uint32_t *ret_id, struct err *e)
{
	struct copy *c = arg;

	c->on = false;
	if (is_known(m, ret_id))
		return 0;
	*ret_id = ++c->n;
	c->on = c->n == c->want;
	if (c->on && m->size > c->max)
		return err_set(e, EFBIG, "\"%.80s\" has %llu bytes, wanted at most %zu", m->name,
			       (unsigned long long)m->size, c->max);
	return 0;
}

static int copy_content(void *arg, const uint8_t *data, uint64_t n, struct err *e)
{
	struct copy *c = arg;

	if (!c->on)
		return 0;
	if (data)
		buf_put(c->to, data, (size_t)n); /* below @max, or the member was refused */
	else
		buf_zero(c->to, (size_t)n);
	return c->to->bad ? err_set(e, ENOMEM, "no memory for a file of the image") : 0;
}

static int push(void *arg, const uint8_t *data, size_t n, struct err *e)
{
	return policy_tar_push(arg, data, n, e);
}

/* One reading of layer @index. */
static int walk(const struct policy_image_source *from, size_t index, struct policy_tar_sink sink, struct err *e)
{
	struct policy_tar_params p = {
		.max_bytes = from->max_bytes, .devices = from->devices, .sink = sink};
	cleanup_policy_tar struct policy_tar *tar = NULL;
	struct policy_oci_sink to = {.put = push};
	char name[32];
	int r;

	(void)snprintf(name, sizeof(name), "layer %zu", index); /* fits */
	p.name = name;
	r = policy_tar_begin(&p, &tar, e);
	to.arg = tar;
	r = r ? r : from->unpack(from->arg, index, &to, e);
	return r ? r : policy_tar_end(tar, NULL, e);
}

int policy_image_tree_load(const struct policy_image_source *from, struct policy_image_tree **ret, struct err *e)
{
	cleanup_policy_image_tree struct policy_image_tree *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(e, ENOMEM, "no memory for an image's paths");
	t->from = *from;
	for (size_t i = 0; i < from->n_layers; i++) {
		int r = walk(from, i, (struct policy_tar_sink){.member = learn, .arg = &t->layer[i]}, e);

		if (r)
			return r;
	}
	*ret = take_ptr(t);
	return 0;
}

/* --- looking up ----------------------------------------------------------------------------------------------- */

/* struct place - what is at a path: in which layer */
struct place {
	const struct policy_path *entry;
	const struct layer *layer;
	size_t index;
};

/*
 * What the layers from the top down to @lowest show at @path; its parents are folders. For a folder *@lowest becomes the
 * lowest layer whose folder of that path is still part of it.
 */
static bool look_in(const struct policy_image_tree *t, const char *path, size_t *lowest, struct place *ret)
{
	bool folder = false;

	for (size_t i = t->from.n_layers; i-- > *lowest;) {
		const struct layer *l = &t->layer[i];
		const struct policy_path *entry = policy_path_set_get(&l->set, path);

		if (!entry)
			continue;
		if (entry->kind == POLICY_PATH_WHITEOUT || (folder && entry->kind != POLICY_PATH_FOLDER)) {
			*lowest = i + 1;
			break;
		}
		if (!folder)
			*ret = (struct place){entry, l, i};
		if (entry->kind != POLICY_PATH_FOLDER)
			return true;
		folder = true;
		if (l->node[entry->id - 1].opaque) {
			*lowest = i;
			break;
		}
	}
	return folder;
}

/* @path has no links in it. Return: something is there. */
static bool look_up(const struct policy_image_tree *t, const char *path, struct place *ret)
{
	char part[PATH_MAX];
	size_t lowest = 0;

	for (const char *s = path; s; s = strchr(s + 1, '/')) {
		const char *end = strchr(s + 1, '/');
		size_t n = end ? (size_t)(end - path) : strlen(path);

		memcpy(part, path, n); /* shorter than PATH_MAX, as all that resolve() makes */
		part[n] = '\0';
		if (!look_in(t, part, &lowest, ret) || (end && ret->entry->kind != POLICY_PATH_FOLDER))
			return false;
		if (!end)
			return true;
	}
	return false;
}

/* struct route - the way through the image: @done was found, without links; @todo comes */
struct route {
	char done[PATH_MAX];
	char todo[PATH_MAX];
	unsigned links;
};

static int follow(struct route *w, const char *link, struct err *e)
{
	char todo[PATH_MAX];

	if (++w->links > POLICY_IMAGE_MAX_LINKS)
		return err_set(e, ELOOP, "more than %d symbolic links", POLICY_IMAGE_MAX_LINKS);
	if (snprintf(todo, sizeof(todo), "%s/%s", link, w->todo) >= (int)sizeof(todo))
		return err_set(e, ENAMETOOLONG, "symbolic links make a path of more than %d bytes", PATH_MAX - 1);
	memcpy(w->todo, todo, sizeof(todo));
	if (link[0] == '/')
		w->done[0] = '\0';
	return 0;
}

/* Take the next part off @w->todo. Return: there was one. */
static bool next_part(struct route *w, char ret[static PATH_MAX])
{
	char *s = w->todo + strspn(w->todo, "/");
	size_t n = strcspn(s, "/");

	memcpy(ret, s, n); /* a part of todo, which has PATH_MAX bytes */
	ret[n] = '\0';
	memmove(w->todo, s + n, strlen(s + n) + 1);
	return n != 0;
}

/* One part further. */
static int step(const struct policy_image_tree *t, struct route *w, const char *part, struct place *ret, struct err *e)
{
	char path[PATH_MAX];

	if (!strcmp(part, "."))
		return 0;
	if (!strcmp(part, "..")) {
		char *slash = strrchr(w->done, '/');

		*(slash ? slash : w->done) = '\0'; /* above the top is the top */
		*ret = (struct place){0};
		return 0;
	}
	if (snprintf(path, sizeof(path), "%s%s%s", w->done, w->done[0] ? "/" : "", part) >= (int)sizeof(path))
		return err_set(e, ENAMETOOLONG, "a path is longer than %d bytes", PATH_MAX - 1);
	if (!look_up(t, path, ret))
		return err_set(e, ENOENT, "there is no \"%.80s\"", path);
	if (ret->entry->kind == POLICY_PATH_SYMLINK)
		return follow(w, ret->layer->node[ret->entry->id - 1].link, e);
	if (ret->entry->kind != POLICY_PATH_FOLDER && w->todo[strspn(w->todo, "/")])
		return err_set(e, EINVAL, "\"%.80s\" is no folder", path);
	memcpy(w->done, path, sizeof(path));
	return 0;
}

static int resolve(const struct policy_image_tree *t, const char *path, struct place *ret, struct err *e)
{
	struct route w = {0};
	char part[PATH_MAX];
	int r = 0;

	if (snprintf(w.todo, sizeof(w.todo), "%s", path) >= (int)sizeof(w.todo))
		return err_set(e, ENAMETOOLONG, "a path is longer than %d bytes", PATH_MAX - 1);
	while (!r && next_part(&w, part))
		r = step(t, &w, part, ret, e);
	if (!r && (!ret->entry || ret->entry->kind != POLICY_PATH_FILE))
		r = err_set(e, EINVAL, "it is no regular file");
	return r;
}

int policy_image_tree_read(const struct policy_image_tree *t, const char *path, size_t max, struct buf *ret,
			   struct err *e)
{
	struct place at = {0};
	struct copy c = {.max = max, .to = ret};
	int r = resolve(t, path, &at, e);

	if (!r) {
		c.want = at.entry->id;
		r = walk(&t->from, at.index,
			 (struct policy_tar_sink){.member = copy_member, .content = copy_content, .arg = &c}, e);
	}
	return r ? err_context(e, "%.80s of the image", path) : 0;
}
