/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/geometry.h - where everything of a hash tree stands, by arithmetic alone
 *
 * Theory of operation
 *   Each data block is hashed with the salt; `per_block` digests make a block of level 0, whose blocks are hashed
 *   likewise into level 1, and so on until one block is left; its digest is the root hash. Data of one block has no level
 *   at all: its digest is the root hash. On disk the levels stand top first:
 *
 *     hash_offset           superblock (512 bytes, zeros up to a hash block); absent with --no-superblock
 *     tree_offset           level n (one block), level n-1, ..., level 0
 *
 *   A hash block of B bytes holds per_block = 2^floor(log2(B / digest size)) digests. In hash type 1 each takes the
 *   digest's size rounded up to a power of two (stride), so they fill the block; in type 0 they stand close together.
 *   What no digest takes is zero.
 *
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Hash Tree"; cryptsetup, lib/verity/verity_hash.c.
 */
#ifndef VERITY_GEOMETRY_H
#define VERITY_GEOMETRY_H

#include "verity/superblock.h"

#include <stdbool.h>
#include <stdint.h>

#define VERITY_MAX_LEVELS  20                    /* 8^18 blocks of 512 bytes are 2^63 bytes; 8 is the least per_block */
#define VERITY_MAX_AT_BYTES (VERITY_MAX_DATA_BYTES / 2) /* offsets of hash areas: so that sums cannot overflow */

/**
 * struct verity_geometry - of one tree
 * @digest_bytes: size of one digest; @stride_bytes: from one to the next
 * @per_block:    digests in a hash block
 * @n:            levels; 0 for one data block
 * @blocks:       of each level, level 0 lowest
 * @first:        number of its first block, counted from the top of the tree
 * @tree_blocks:  of all levels
 */
struct verity_geometry {
	uint32_t hash_block_bytes;
	uint32_t digest_bytes;
	uint32_t stride_bytes;
	uint32_t per_block;
	unsigned n;
	uint64_t blocks[VERITY_MAX_LEVELS];
	uint64_t first[VERITY_MAX_LEVELS];
	uint64_t tree_blocks;
};

/** verity_geometry_of() - of a supported superblock with data blocks. */
struct verity_geometry verity_geometry_of(const struct verity_sb *sb);

/** verity_geometry_level_offset() - of a level's first byte, from the top of the tree. */
uint64_t verity_geometry_level_offset(const struct verity_geometry *g, unsigned level);

/** verity_geometry_digest_offset() - of digest @i of a level, from the level's first byte. */
uint64_t verity_geometry_digest_offset(const struct verity_geometry *g, uint64_t i);

/**
 * verity_geometry_ends_with() - does the last block of a level hold exactly the digests of @children blocks below?
 * @block: hash_block_bytes of it
 *
 * A digest for the last one, and zeros behind it: only this ties the number of data blocks, which nobody signs, to the
 * root hash.
 */
bool verity_geometry_ends_with(const struct verity_geometry *g, const uint8_t *block, uint64_t children);

/** verity_tree_bytes() - size of the tree alone (0 for one data block). */
uint64_t verity_tree_bytes(const struct verity_sb *sb);

/** verity_tree_offset() - where the tree begins, when the superblock stands at @hash_offset_bytes. */
uint64_t verity_tree_offset(const struct verity_sb *sb, uint64_t hash_offset_bytes);

/** verity_hash_bytes() - of superblock, its padding and tree, when the superblock stands at a multiple of the hash block. */
uint64_t verity_hash_bytes(const struct verity_sb *sb);

#endif
