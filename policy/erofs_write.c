/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/erofs_write.c - an EROFS from a stream of members: content as it comes, then the tree (policy/erofs_tree.h) */
#include "policy/erofs_write.h"

#include "policy/erofs_tree.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_BYTES (1 << 20)

/* --- the file ------------------------------------------------------------------------------------------------- */

static int write_at(const struct policy_erofs *w, const uint8_t *data, size_t n, uint64_t at, struct err *e)
{
	while (n) {
		ssize_t put = pwrite(w->fd, data, n, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(e, "cannot write %s", w->name);
		data += put;
		n -= (size_t)put;
		at += (uint64_t)put;
	}
	return 0;
}

static int flush(struct policy_erofs *w, struct err *e)
{
	int r = write_at(w, w->out, w->out_len, w->at - w->out_len, e);

	w->out_len = 0;
	return r;
}

int policy_erofs_put(struct policy_erofs *w, const uint8_t *data, size_t n, struct err *e)
{
	int r = 0;

	if (n >= OUT_BYTES && !w->out_len) { /* a copy less */
		r = write_at(w, data, n, w->at, e);
		w->at += n;
		return r;
	}
	while (!r && n) {
		size_t piece = OUT_BYTES - w->out_len < n ? OUT_BYTES - w->out_len : n;

		memcpy(w->out + w->out_len, data, piece);
		w->out_len += piece;
		w->at += piece;
		data += piece;
		n -= piece;
		if (w->out_len == OUT_BYTES)
			r = flush(w, e);
	}
	return r;
}

/* Zeros: what was never written reads so, and takes no room. */
static int put_hole(struct policy_erofs *w, uint64_t n, struct err *e)
{
	int r;

	if (n <= OUT_BYTES - w->out_len) {
		memset(w->out + w->out_len, 0, n);
		w->out_len += n;
		w->at += n;
		return 0;
	}
	r = flush(w, e);
	w->at += n;
	return r;
}

int policy_erofs_pad(struct policy_erofs *w, struct err *e)
{
	return put_hole(w, (POLICY_EROFS_BLOCK - w->at % POLICY_EROFS_BLOCK) % POLICY_EROFS_BLOCK, e);
}

/* The superblock, and the size: a hole may be last. */
static int write_super(struct policy_erofs *w, const struct policy_erofs_layout *l, struct err *e)
{
	struct buf b = BUF_INIT;
	int r = flush(w, e);

	buf_zero(&b, EROFS_SUPER_OFFSET);
	policy_erofs_super(w, l, &b);
	r = r ? r : b.bad ? err_set(e, ENOMEM, "no memory for a superblock") : write_at(w, b.data, b.len, 0, e);
	buf_free(&b);
	if (!r && ftruncate(w->fd, (off_t)w->at) < 0)
		r = err_errno(e, "cannot size %s", w->name);
	return r;
}

/* --- members -------------------------------------------------------------------------------------------------- */

static const char *keep_text(struct policy_erofs *w, const char *s, struct err *e)
{
	size_t n = strlen(s) + 1;
	char *at;

	if (!w->text || n > EROFS_TEXT_BYTES - w->text->used) {
		struct policy_erofs_text *t = malloc(sizeof(*t)); /* names are shorter than one by far */

		if (!t) {
			(void)err_set(e, ENOMEM, "no memory for names"); /* NULL tells */
			return NULL;
		}
		t->next = w->text;
		t->used = 0;
		w->text = t;
	}
	at = w->text->bytes + w->text->used;
	memcpy(at, s, n);
	w->text->used += n;
	return at;
}

/* A new node; ids begin with 1. */
static int new_node(struct policy_erofs *w, uint32_t *ret_id, struct err *e)
{
	if (w->n + 1 >= w->room) {
		size_t room = w->room ? 2 * w->room : 1024;
		struct policy_erofs_node *bigger = realloc(w->node, room * sizeof(*bigger));

		if (!bigger)
			return err_set(e, ENOMEM, "no memory for a layer's tree");
		w->node = bigger;
		w->room = room;
	}
	*ret_id = (uint32_t)++w->n;
	memset(&w->node[*ret_id], 0, sizeof(*w->node));
	return 0;
}

static int set_data(struct policy_erofs_node *node, const void *data, size_t n, struct err *e)
{
	node->data = malloc(n ? n : 1);
	if (!node->data)
		return err_set(e, ENOMEM, "no memory for a small file");
	if (data)
		memcpy(node->data, data, n);
	return 0;
}

static uint32_t type_bits(char type)
{
	switch (type) {
	case POLICY_TAR_SYMLINK:
		return S_IFLNK;
	case POLICY_TAR_CHAR:
	case POLICY_TAR_WHITEOUT:
		return S_IFCHR;
	case POLICY_TAR_BLOCKDEV:
		return S_IFBLK;
	case POLICY_TAR_FOLDER:
		return S_IFDIR;
	case POLICY_TAR_FIFO:
		return S_IFIFO;
	default:
		return S_IFREG;
	}
}

/* What a header says about a node that is there; a folder may be told twice. */
static int describe(struct policy_erofs_node *node, const struct policy_tar_member *m, struct err *e)
{
	bool whiteout = m->type == POLICY_TAR_WHITEOUT;
	bool opaque = node->opaque;

	node->mode = type_bits(m->type) | (whiteout ? 0 : m->mode);
	node->uid = whiteout ? 0 : m->uid;
	node->gid = whiteout ? 0 : m->gid;
	node->mtime = whiteout ? 0 : m->mtime;
	node->mtime_nsec = whiteout ? 0 : m->mtime_nsec;
	node->opaque = opaque;
	if (m->type == POLICY_TAR_CHAR || m->type == POLICY_TAR_BLOCKDEV) /* new_encode_dev() of Linux */
		node->rdev = (m->minor & 0xff) | m->major << 8 | (m->minor & ~0xffu) << 12;
	buf_free(&node->xattrs);
	return policy_erofs_xattrs(node, whiteout ? NULL : m->xattrs, e);
}

/* Where content goes: small into memory, to stand behind the inode; else to the next block. */
static int place(struct policy_erofs *w, struct policy_erofs_node *node, uint64_t size, struct err *e)
{
	node->size = size;
	w->file = node;
	w->filled = 0;
	if (size == 0)
		return 0;
	if (policy_erofs_fits_inline(node, size))
		return set_data(node, NULL, (size_t)size, e);
	node->block = (uint32_t)(w->at / POLICY_EROFS_BLOCK);
	if (w->at / POLICY_EROFS_BLOCK > EROFS_MAX_BLOCKS || size / POLICY_EROFS_BLOCK > EROFS_MAX_BLOCKS)
		return err_set(e, EFBIG, "%s: more than %u blocks", w->name, EROFS_MAX_BLOCKS);
	return 0;
}

static int fill(struct policy_erofs *w, const uint8_t *data, uint64_t n, struct err *e)
{
	struct policy_erofs_node *node = w->file;
	int r = 0;

	if (node->data) {
		if (data)
			memcpy(node->data + w->filled, data, (size_t)n); /* the reader gives as many as it said */
		else
			memset(node->data + w->filled, 0, (size_t)n);
	} else {
		r = data ? policy_erofs_put(w, data, (size_t)n, e) : put_hole(w, n, e);
	}
	w->filled += n;
	if (!r && !node->data && w->filled == node->size)
		r = policy_erofs_pad(w, e);
	return r;
}

static int on_content(void *arg, const uint8_t *data, uint64_t n, struct err *e)
{
	return fill(arg, data, n, e);
}

static int link_to(struct policy_erofs *w, const struct policy_tar_member *m, uint32_t *ret_id, struct err *e)
{
	uint32_t id = 0;
	int r = new_node(w, &id, e);

	if (r)
		return r;
	w->node[id].parent = m->parent;
	w->node[id].target = w->node[m->target].target ? w->node[m->target].target : m->target;
	w->node[w->node[id].target].nlink++;
	w->node[id].name = keep_text(w, m->name, e);
	*ret_id = id;
	return w->node[id].name ? 0 : -e->code;
}

static int add_node(struct policy_erofs *w, const struct policy_tar_member *m, uint32_t *ret_id, struct err *e)
{
	struct policy_erofs_node *node;
	uint32_t id = 0;
	int r = new_node(w, &id, e);

	if (r)
		return r;
	node = &w->node[id];
	node->parent = m->parent ? m->parent : id; /* the top's is the top */
	node->nlink = 1;
	node->name = keep_text(w, m->name, e);
	r = node->name ? describe(node, m, e) : -e->code;
	if (r)
		return r;
	*ret_id = id;
	if (m->type == POLICY_TAR_FILE)
		return place(w, node, m->size, e);
	if (m->type != POLICY_TAR_SYMLINK)
		return 0;
	r = place(w, node, strlen(m->link), e);
	return r ? r : fill(w, (const uint8_t *)m->link, node->size, e);
}

static int on_member(void *arg, const struct policy_tar_member *m, uint32_t *ret_id, struct err *e)
{
	struct policy_erofs *w = arg;

	if (m->type == POLICY_TAR_OPAQUE) {
		w->node[m->parent].opaque = true;
		return 0;
	}
	if (m->type == POLICY_TAR_LINK)
		return link_to(w, m, ret_id, e);
	return m->id ? describe(&w->node[m->id], m, e) : add_node(w, m, ret_id, e);
}

struct policy_tar_sink policy_erofs_sink(struct policy_erofs *w)
{
	return (struct policy_tar_sink){.member = on_member, .content = on_content, .arg = w};
}

/* --- begin and end -------------------------------------------------------------------------------------------- */

int policy_erofs_begin(int fd, const char *name, struct policy_erofs **ret, struct err *e)
{
	struct policy_erofs *w = calloc(1, sizeof(*w));

	if (w)
		w->out = malloc(OUT_BYTES);
	if (!w || !w->out) {
		free(w);
		return err_set(e, ENOMEM, "no memory for a layer");
	}
	w->fd = fd;
	w->name = name;
	w->at = POLICY_EROFS_BLOCK; /* the superblock's, written last */
	*ret = w;
	return 0;
}

int policy_erofs_end(struct policy_erofs *w, uint64_t *ret_bytes, struct err *e)
{
	static const struct buf none = BUF_INIT;
	const struct policy_tar_member top = {.name = "", .type = POLICY_TAR_FOLDER, .mode = 0755, .xattrs = &none};
	struct policy_erofs_layout layout = {0};
	uint32_t id;
	int r = w->n ? 0 : add_node(w, &top, &id, e); /* a layer of nothing */

	r = r ? r : policy_erofs_tree(w, &layout, e);
	r = r ? r : write_super(w, &layout, e);
	if (!r)
		*ret_bytes = w->at;
	return r;
}

void policy_erofs_free(struct policy_erofs *w)
{
	if (!w)
		return;
	for (size_t i = 1; w->node && i <= w->n; i++) {
		free(w->node[i].data);
		buf_free(&w->node[i].xattrs);
	}
	while (w->text) {
		struct policy_erofs_text *next = w->text->next;

		free(w->text);
		w->text = next;
	}
	free(w->node);
	free(w->out);
	free(w);
}
