/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/hash_tree.h - build dm-verity hash trees while the data streams by, bit-identical to veritysetup
 *
 * Theory of operation
 *   For whoever makes the data: hash it as it goes by, in one pass, without reading it again. The levels stand top first
 *   on disk, so the size of the data must be known before the first byte: then every block's place is known
 *   (verity/geometry.h), and one buffer a level is enough. Data that is a file already is hashed faster, by all
 *   processors, by verity/build.h; the bytes are the same.
 *
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Hash Tree".
 */
#ifndef VERITY_HASH_TREE_H
#define VERITY_HASH_TREE_H

#include "verity/geometry.h"
#include "verity/io.h"

struct verity_tree;

/**
 * struct verity_tree_params - zero it, then set what is needed
 * @sb:                what to hash with; supported, @sb->data_blocks set
 * @fd:                where tree blocks go, by pwrite(); -1: only the root hash is wanted
 * @name:              of that file, for messages
 * @tree_offset_bytes: where the top level begins: verity_tree_offset()
 */
struct verity_tree_params {
	const struct verity_sb *sb;
	int fd;
	const char *name;
	uint64_t tree_offset_bytes;
};

/**
 * verity_tree_begin() - start a tree; the data follows by verity_tree_update()
 *
 * Memory: a hash block a level, and a data block. Return: 0, -ENOTSUP, -EINVAL (no data), -ENOMEM.
 */
int verity_tree_begin(const struct verity_tree_params *p, struct verity_tree **ret, struct err *e) WARN_UNUSED;

/**
 * verity_tree_update() - the next @len bytes of data, any length; fastest in pieces of many whole blocks
 *
 * Return: 0; -EFBIG past data_blocks; or what pwrite() said.
 */
int verity_tree_update(struct verity_tree *t, const void *data, size_t len, struct err *e) WARN_UNUSED;

/**
 * verity_tree_finish() - flush the last block of each level; all data must have come (-EINVAL else)
 * @ret_root_hash: hash_bytes() of the algorithm are set
 *
 * Does not sync and does not write the superblock. @t may then only be freed.
 */
int verity_tree_finish(struct verity_tree *t, uint8_t ret_root_hash[static HASH_MAX_BYTES], struct err *e) WARN_UNUSED;

/** verity_tree_free() - release; accepts NULL. */
void verity_tree_free(struct verity_tree *t);

CLEANUP_DEFINE(verity_tree, struct verity_tree *, verity_tree_free)
#define cleanup_verity_tree __attribute__((cleanup(cleanup_verity_tree_fn)))

#endif
