/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/hash_tree.h - build dm-verity hash trees while the data streams by, bit-identical to veritysetup
 *
 * Theory of operation
 *   Each data block is hashed with the salt before it; 128 digests of 32 bytes make a block of level 0, whose
 *   blocks are hashed likewise into level 1, and so on until one block is left; its digest is the root hash.
 *   Data of one block has no level at all: its digest is the root hash. On disk the levels stand top first,
 *   so the size of the data must be known before the first byte: then every block's place is known, and one
 *   pass with one buffer a level (4 KiB each, 10 at most) writes the tree while the data streams by.
 *
 *     hash_offset              superblock (512 bytes, zeros up to a block)
 *     hash_offset + 4096       level n (one block), level n-1, ..., level 0
 *
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Hash Tree".
 */
#ifndef VERITY_HASH_TREE_H
#define VERITY_HASH_TREE_H

#include "common/err.h"
#include "common/hash.h"
#include "verity/superblock.h"

#include <openssl/sha.h>
#include <stdint.h>

#define VERITY_MAX_LEVELS        10 /* 128^8 blocks of 4 KiB are 2^68 bytes */
#define VERITY_DIGESTS_PER_BLOCK (VERITY_BLOCK_BYTES / HASH_SHA256_BYTES)

struct verity_tree;

/**
 * struct verity_tree_params - zero it, then set what is needed
 * @sb:                what to hash with; supported, @sb->data_blocks set
 * @fd:                where tree blocks go, by pwrite(); -1: only the root hash is wanted
 * @name:              of that file, for messages
 * @tree_offset_bytes: where the top level begins: a block behind the superblock
 */
struct verity_tree_params {
	const struct verity_sb *sb;
	int fd;
	const char *name;
	uint64_t tree_offset_bytes;
};

/** verity_tree_bytes() - size of the tree alone (0 for one data block). verity_hash_bytes() - with the superblock's
 * block. */
uint64_t verity_tree_bytes(const struct verity_sb *sb);
uint64_t verity_hash_bytes(const struct verity_sb *sb);

/**
 * verity_tree_begin() - start a tree; the data follows by verity_tree_update()
 *
 * Memory: about 4 KiB a level. Return: 0, -ENOTSUP, -EINVAL (no data), -ENOMEM.
 */
int verity_tree_begin(const struct verity_tree_params *p, struct verity_tree **ret, struct err *e) WARN_UNUSED;

/** verity_tree_update() - the next @len bytes of data, any length. -EFBIG past data_blocks; or what pwrite() said. */
int verity_tree_update(struct verity_tree *t, const void *data, size_t len, struct err *e) WARN_UNUSED;

/**
 * verity_tree_finish() - flush the last block of each level; all data must have come (-EINVAL else)
 *
 * Does not sync and does not write the superblock. @t may then only be freed.
 */
int verity_tree_finish(struct verity_tree *t, uint8_t ret_root_hash[static HASH_SHA256_BYTES],
		       struct err *e) WARN_UNUSED;

/** verity_tree_free() - release; accepts NULL. */
void verity_tree_free(struct verity_tree *t);

CLEANUP_DEFINE(verity_tree, struct verity_tree *, verity_tree_free)
#define cleanup_verity_tree __attribute__((cleanup(cleanup_verity_tree_fn)))

/**
 * struct verity_levels - where the levels stand, level 0 lowest
 * @n:      levels; 0 for one data block
 * @blocks: of each level
 * @first:  number of its first block, counted from the top of the tree
 */
struct verity_levels {
	unsigned n;
	uint64_t blocks[VERITY_MAX_LEVELS];
	uint64_t first[VERITY_MAX_LEVELS];
};

/** verity_levels_of() - geometry of the tree of a supported superblock. */
struct verity_levels verity_levels_of(const struct verity_sb *sb);

/**
 * struct verity_salted - SHA-256 state after the salt, copied for each block (no heap, no salt hashed twice)
 *
 * verity_salted_init() hashes the salt; verity_salted_hash() gives the digest of one block.
 */
struct verity_salted {
	SHA256_CTX ctx;
};
void verity_salted_init(struct verity_salted *s, const struct verity_sb *sb);
void verity_salted_hash(const struct verity_salted *s, const void *block, uint8_t ret[static HASH_SHA256_BYTES]);

#endif
