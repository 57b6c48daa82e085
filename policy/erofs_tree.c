/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/erofs_tree.c - folders, inodes and superblock of an EROFS
 *
 *   inode (extended)   2 format  2 xattr count  2 mode  2 -  8 size  4 block or device  4 number  4 uid  4 gid
 *                      8 mtime  4 nanoseconds  4 links  16 -
 *   xattrs             4 name filter  1 shared  7 -  then each: 1 name length  1 name space  2 value length  name  value,
 *                      padded to 4
 *   folder, a block    12 an entry: 8 nid  2 offset of its name  1 type  1 -; then the names. "." and ".." are among them.
 *
 * Spec: Linux fs/erofs/erofs_fs.h.
 */
#include "policy/erofs_tree.h"

#include <string.h>
#include <sys/stat.h>

#define SUPER_MAGIC   0xe0f5e1e2u
#define COMPAT_MTIME  2u
#define INODE_BYTES   64
#define SLOT_BYTES    32 /* a nid counts these */
#define META_RESERVED 64 /* so that no inode is number 0, which readdir(3) takes for a deleted name */
#define XATTR_HEADER  12
#define DIRENT_BYTES  12

enum layout { FLAT_PLAIN = 0, FLAT_INLINE = 2 };

/* --- extended attributes -------------------------------------------------------------------------------------- */

static void put_xattr(struct buf *b, uint8_t space, const char *name, const uint8_t *value, size_t n)
{
	buf_u8(b, (uint8_t)strlen(name));
	buf_u8(b, space);
	buf_u16le(b, (uint16_t)n);
	buf_str(b, name);
	buf_put(b, value, n);
	buf_pad(b, 4);
}

/* "user.x" to name space and "x"; 0 if the kernel knows no such space. */
static uint8_t name_space(const char **name)
{
	static const struct {
		const char *prefix;
		uint8_t number;
		bool whole;
	} spaces[] = {
		{"user.", 1, false},
		{"system.posix_acl_access", 2, true},
		{"system.posix_acl_default", 3, true},
		{"security.", 6, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		size_t n = strlen(spaces[i].prefix);

		if (strncmp(*name, spaces[i].prefix, n) || !(*name)[n] != spaces[i].whole)
			continue;
		*name += n;
		return spaces[i].number;
	}
	return 0;
}

int policy_erofs_xattrs(struct policy_erofs_node *node, const struct buf *from, struct err *e)
{
	const uint8_t *p = from && from->len ? from->data : NULL, *end = p ? p + from->len : NULL;

	while (p < end) {
		const char *name = (const char *)p, *full = name;
		uint8_t space = name_space(&name);
		size_t n;

		p += strlen(full) + 1; /* the tar reader wrote this form */
		n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;
		p += 4;
		if (!space || strlen(name) > 255 || n > UINT16_MAX)
			return err_set(e, EINVAL, "extended attribute \"%.60s\" is of no kind that EROFS keeps", full);
		put_xattr(&node->xattrs, space, name, p, n);
		p += n;
	}
	return node->xattrs.bad ? err_set(e, ENOMEM, "no memory for extended attributes") : 0;
}

static size_t xattr_bytes(const struct policy_erofs_node *node)
{
	return node->xattrs.len ? XATTR_HEADER + node->xattrs.len : 0;
}

bool policy_erofs_fits_inline(const struct policy_erofs_node *node, uint64_t size)
{
	return size <= EROFS_INLINE_MAX && INODE_BYTES + xattr_bytes(node) + size <= POLICY_EROFS_BLOCK;
}

/* --- the order ------------------------------------------------------------------------------------------------ */

/* struct name - one entry of a folder being written */
struct name {
	const char *name;
	uint32_t id;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

/* Hang every node below its folder; later ones first, which the sorting undoes. */
static void hang(struct policy_erofs *w)
{
	for (uint32_t i = 1; i <= w->n; i++) {
		struct policy_erofs_node *node = &w->node[i];

		if (node->parent == i)
			continue;
		node->next = w->node[node->parent].child;
		w->node[node->parent].child = i;
		if (!node->target && S_ISDIR(node->mode))
			w->node[node->parent].nlink++;
	}
}

/* The names of a folder in their order, "." and ".." among them, into @names. */
static int list(const struct policy_erofs *w, uint32_t folder, struct buf *names, struct err *e)
{
	const struct name dots[] = {{".", folder}, {"..", w->node[folder].parent}};

	names->len = 0;
	buf_put(names, dots, sizeof(dots));
	for (uint32_t c = w->node[folder].child; c; c = w->node[c].next)
		buf_put(names, &(struct name){w->node[c].name, w->node[c].target ? w->node[c].target : c},
			sizeof(struct name));
	if (names->bad)
		return err_set(e, ENOMEM, "no memory for a folder");
	qsort(names->data, names->len / sizeof(struct name), sizeof(struct name), compare);
	return 0;
}

/* How many of @n names go into one block, and @ret_bytes of it. */
static size_t block_of(const struct name *names, size_t n, size_t *ret_bytes)
{
	size_t used = 0, i = 0;

	for (; i < n; i++) {
		size_t more = DIRENT_BYTES + strlen(names[i].name);

		if (used + more > POLICY_EROFS_BLOCK)
			break;
		used += more;
	}
	*ret_bytes = used;
	return i;
}

static uint64_t folder_bytes(const struct name *names, size_t n)
{
	uint64_t size = 0;
	size_t used = 0;

	while (n) {
		size_t took = block_of(names, n, &used);

		names += took;
		n -= took;
		size += n ? POLICY_EROFS_BLOCK : used;
	}
	return size;
}

/* Give the next inode its place: a whole one in a block, and what is inline with it in the same. */
static void assign(struct policy_erofs_node *node, uint64_t *at, struct policy_erofs_layout *l)
{
	size_t bytes = INODE_BYTES + xattr_bytes(node);
	size_t together = node->data ? bytes + (size_t)node->size : INODE_BYTES;

	if (*at % POLICY_EROFS_BLOCK + together > POLICY_EROFS_BLOCK)
		*at += POLICY_EROFS_BLOCK - *at % POLICY_EROFS_BLOCK;
	node->at = *at;
	node->number = (uint32_t)++l->inodes;
	*at += bytes + (node->data ? (size_t)node->size : 0);
	*at = (*at + SLOT_BYTES - 1) / SLOT_BYTES * SLOT_BYTES;
}

/*
 * Sizes, then places of all inodes: a folder's entries directly behind one another, folders in the order of the list, which
 * grows while it is walked. @order gets every node that has an inode, in the order of places.
 */
static int lay_out(struct policy_erofs *w, struct buf *order, struct policy_erofs_layout *l, struct err *e)
{
	struct buf names = BUF_INIT;
	uint64_t at = META_RESERVED;
	uint32_t top = 1;
	int r = 0;

	buf_put(order, &top, sizeof(top));
	for (size_t i = 0; !r && !order->bad && i < order->len / sizeof(uint32_t); i++) {
		struct policy_erofs_node *node;
		uint32_t id;

		memcpy(&id, order->data + i * sizeof(id), sizeof(id));
		node = &w->node[id];
		if (S_ISDIR(node->mode)) {
			const struct name *n;
			size_t count;

			if (node->opaque)
				put_xattr(&node->xattrs, 4, "overlay.opaque", (const uint8_t *)"y", 1);
			r = list(w, id, &names, e);
			if (r)
				break;
			n = (const struct name *)names.data;
			count = names.len / sizeof(*n);
			node->size = folder_bytes(n, count);
			if (policy_erofs_fits_inline(node, node->size)) {
				node->data = malloc((size_t)node->size);
				if (!node->data)
					r = err_set(e, ENOMEM, "no memory for a folder");
			}
			for (size_t k = 0; k < count; k++) /* an inode of several names: where the first is */
				if (n[k].id != id && n[k].id != node->parent && !w->node[n[k].id].number) {
					w->node[n[k].id].number = 1; /* taken; the real one comes with its place */
					buf_put(order, &n[k].id, sizeof(n[k].id));
				}
		}
		assign(node, &at, l);
	}
	buf_free(&names);
	if (!r && order->bad)
		r = err_set(e, ENOMEM, "no memory for a layer's tree");
	return r;
}

/* --- folders -------------------------------------------------------------------------------------------------- */

static uint8_t file_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 1;
	case S_IFDIR:
		return 2;
	case S_IFCHR:
		return 3;
	case S_IFBLK:
		return 4;
	case S_IFIFO:
		return 5;
	case S_IFLNK:
		return 7;
	default:
		return 0;
	}
}

static void put_block(const struct policy_erofs *w, const struct name *names, size_t n, struct buf *b)
{
	size_t at = n * DIRENT_BYTES;

	for (size_t i = 0; i < n; i++) {
		const struct policy_erofs_node *node = &w->node[names[i].id];

		buf_u64le(b, node->at / SLOT_BYTES);
		buf_u16le(b, (uint16_t)at);
		buf_u8(b, file_type(node->mode));
		buf_u8(b, 0);
		at += strlen(names[i].name);
	}
	for (size_t i = 0; i < n; i++)
		buf_str(b, names[i].name);
}

static int write_folder(struct policy_erofs *w, uint32_t id, struct buf *names, struct err *e)
{
	struct policy_erofs_node *node = &w->node[id];
	struct buf b = BUF_INIT;
	const struct name *n;
	size_t left, used;
	int r = list(w, id, names, e);

	if (r)
		return r;
	n = (const struct name *)names->data;
	left = names->len / sizeof(*n);
	while (left) {
		size_t took = block_of(n, left, &used);

		put_block(w, n, took, &b);
		n += took;
		left -= took;
		if (left)
			buf_pad(&b, POLICY_EROFS_BLOCK);
	}
	if (b.bad || b.len != node->size)
		r = err_set(e, ENOMEM, "no memory for a folder");
	else if (node->data)
		memcpy(node->data, b.data, b.len);
	else
		node->block = (uint32_t)(w->at / POLICY_EROFS_BLOCK);
	if (!r && !node->data) {
		r = policy_erofs_put(w, b.data, b.len, e);
		r = r ? r : policy_erofs_pad(w, e);
	}
	buf_free(&b);
	return r;
}

/* --- inodes --------------------------------------------------------------------------------------------------- */

static void put_inode(const struct policy_erofs_node *node, struct buf *b)
{
	bool special = S_ISCHR(node->mode) || S_ISBLK(node->mode) || S_ISFIFO(node->mode);

	buf_u16le(b, 1 | (node->data ? FLAT_INLINE : FLAT_PLAIN) << 1);
	buf_u16le(b, (uint16_t)(node->xattrs.len ? 1 + node->xattrs.len / 4 : 0));
	buf_u16le(b, (uint16_t)node->mode);
	buf_u16le(b, 0);
	buf_u64le(b, node->size);
	buf_u32le(b, special ? node->rdev : node->block);
	buf_u32le(b, node->number);
	buf_u32le(b, node->uid);
	buf_u32le(b, node->gid);
	buf_u64le(b, (uint64_t)node->mtime);
	buf_u32le(b, node->mtime_nsec);
	buf_u32le(b, node->nlink + (S_ISDIR(node->mode) ? 1 : 0)); /* "." */
	buf_zero(b, 16);
	if (node->xattrs.len) {
		buf_zero(b, XATTR_HEADER);
		buf_put(b, node->xattrs.data, node->xattrs.len);
	}
	if (node->data)
		buf_put(b, node->data, (size_t)node->size);
}

static int write_inodes(struct policy_erofs *w, const struct buf *order, struct err *e)
{
	uint64_t start = w->at;
	struct buf b = BUF_INIT;
	int r = 0;

	for (size_t i = 0; !r && i < order->len / sizeof(uint32_t); i++) {
		uint32_t id;

		memcpy(&id, order->data + i * sizeof(id), sizeof(id));
		b.len = 0;
		buf_zero(&b, (size_t)(w->node[id].at - (w->at - start)));
		put_inode(&w->node[id], &b);
		r = b.bad ? err_set(e, ENOMEM, "no memory for an inode") : policy_erofs_put(w, b.data, b.len, e);
	}
	buf_free(&b);
	return r ? r : policy_erofs_pad(w, e);
}

int policy_erofs_tree(struct policy_erofs *w, struct policy_erofs_layout *ret, struct err *e)
{
	struct buf order = BUF_INIT, names = BUF_INIT;
	int r;

	hang(w);
	r = lay_out(w, &order, ret, e);
	for (size_t i = 0; !r && i < order.len / sizeof(uint32_t); i++) {
		uint32_t id;

		memcpy(&id, order.data + i * sizeof(id), sizeof(id));
		if (S_ISDIR(w->node[id].mode))
			r = write_folder(w, id, &names, e);
	}
	ret->meta_block = (uint32_t)(w->at / POLICY_EROFS_BLOCK);
	r = r ? r : write_inodes(w, &order, e);
	if (!r && w->at / POLICY_EROFS_BLOCK > EROFS_MAX_BLOCKS)
		r = err_set(e, EFBIG, "%s: more than %u blocks", w->name, EROFS_MAX_BLOCKS);
	buf_free(&order);
	buf_free(&names);
	return r;
}

void policy_erofs_super(const struct policy_erofs *w, const struct policy_erofs_layout *l, struct buf *ret)
{
	buf_u32le(ret, SUPER_MAGIC);
	buf_u32le(ret, 0); /* checksum: dm-verity has a better one */
	buf_u32le(ret, COMPAT_MTIME);
	buf_u8(ret, 12); /* log2 of the block size */
	buf_u8(ret, 0);
	buf_u16le(ret, META_RESERVED / SLOT_BYTES); /* the top folder's nid */
	buf_u64le(ret, l->inodes);
	buf_u64le(ret, 0); /* build time */
	buf_u32le(ret, 0);
	buf_u32le(ret, (uint32_t)(w->at / POLICY_EROFS_BLOCK));
	buf_u32le(ret, l->meta_block);
	buf_u32le(ret, 0);  /* no shared xattrs */
	buf_zero(ret, 16);  /* UUID */
	buf_zero(ret, 16);  /* volume name */
	buf_zero(ret, 48); /* no incompatible feature: uncompressed, one device */
}
