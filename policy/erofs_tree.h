/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/erofs_tree.h - shared by policy/erofs_write.c and policy/erofs_tree.c only: the tree in memory and on disk
 */
#ifndef POLICY_EROFS_TREE_H
#define POLICY_EROFS_TREE_H

#include "common/buf.h"
#include "policy/erofs_write.h"

#define EROFS_SUPER_OFFSET 1024
#define EROFS_INLINE_MAX   2048 /* larger files gain little: their last block is mostly full */
#define EROFS_MAX_BLOCKS   0x7fffffffu
#define EROFS_TEXT_BYTES   65536

/**
 * struct policy_erofs_node - one name; ids are indices of @node in struct policy_erofs, from 1
 * @target: of a hard link: the node that has the inode; all other fields but @name and @parent are then unused
 * @size, @block: of the content, @block if it is not in @data
 * @data:   content that stands behind the inode
 * @xattrs: the inode's attributes as on disk, without the header
 * @child:  a folder's first, @next its sibling; in the order of their names once sorted
 * @at:     of the inode, in bytes from meta_blkaddr; @number: i_ino
 */
struct policy_erofs_node {
	const char *name;
	uint32_t parent, target, child, next;
	uint32_t mode, uid, gid, nlink, rdev;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint64_t size;
	uint32_t block;
	uint8_t *data;
	struct buf xattrs;
	bool opaque;
	uint64_t at;
	uint32_t number;
};

/* struct policy_erofs_text - names, many in one piece */
struct policy_erofs_text {
	struct policy_erofs_text *next;
	size_t used;
	char bytes[EROFS_TEXT_BYTES];
};

/**
 * struct policy_erofs - an image being written
 * @at:   where the next byte goes; @out holds the last @out_len in front of it
 * @file: whose content comes; @filled: bytes of it so far
 */
struct policy_erofs {
	int fd;
	const char *name;
	uint64_t at;
	uint8_t *out;
	size_t out_len;
	struct policy_erofs_node *node;
	size_t n, room;
	struct policy_erofs_text *text;
	struct policy_erofs_node *file;
	uint64_t filled;
};

/** struct policy_erofs_layout - what the superblock says of the rest */
struct policy_erofs_layout {
	uint32_t meta_block;
	uint64_t inodes;
};

/** policy_erofs_put() - append. policy_erofs_pad() - zeros up to a block. */
int policy_erofs_put(struct policy_erofs *w, const uint8_t *data, size_t n, struct err *e) WARN_UNUSED;
int policy_erofs_pad(struct policy_erofs *w, struct err *e) WARN_UNUSED;

/** policy_erofs_xattrs() - encode @from (struct policy_tar_ext's form, or NULL) as @node's. -EINVAL: no such name space. */
int policy_erofs_xattrs(struct policy_erofs_node *node, const struct buf *from, struct err *e) WARN_UNUSED;

/** policy_erofs_fits_inline() - can @size bytes stand behind the inode? */
bool policy_erofs_fits_inline(const struct policy_erofs_node *node, uint64_t size);

/** policy_erofs_tree() - append folders and inodes. */
int policy_erofs_tree(struct policy_erofs *w, struct policy_erofs_layout *ret, struct err *e) WARN_UNUSED;

/** policy_erofs_super() - append the 128 bytes of the superblock. */
void policy_erofs_super(const struct policy_erofs *w, const struct policy_erofs_layout *l, struct buf *ret);

#endif
