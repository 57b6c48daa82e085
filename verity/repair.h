/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/repair.h - a sound copy of a damaged dm-verity volume, by its parity, proved by its root hash
 *
 * Theory of operation
 *   Data and hash files are copied; what cannot be read becomes zeros. The copy is then walked from the root hash down, as
 *   verity/verify.h does it. A block that lacks its digest is repaired at once, in the copy, before the walk goes below it:
 *   the 255 blocks of its round are read, those that the tree already shows to be bad are erasures to the code, and what
 *   comes out is written only where it has the digest wanted. So each step of the walk stands on proved blocks, and the
 *   parity is never believed. Known damage of up to `roots` blocks in a round is repaired; of what the tree cannot show
 *   (blocks below a bad one, parity, what stands behind the tree) half as much.
 *   At the end the whole copy is verified again, from the disk, and only then gets its name.
 *
 *   Not covered by error correction, so never repaired: the superblock, anything in front of it, the parity itself.
 *
 * Input: hostile (data, tree, parity); the root hash is the anchor. Memory: 16 MiB at most.
 * Spec: verity/fec.h; Linux, drivers/md/dm-verity-fec.c, which does the same for single blocks.
 */
#ifndef VERITY_REPAIR_H
#define VERITY_REPAIR_H

#include "verity/fec.h"
#include "verity/superblock.h"

#define VERITY_REPAIR_LEVEL_DATA (-1)

/* What became of a block. */
enum verity_repair_outcome {
	VERITY_REPAIR_UNREADABLE,    /* reading the original failed; it is zeros in the copy until repaired */
	VERITY_REPAIR_REPAIRED,      /* has its digest now */
	VERITY_REPAIR_UNCORRECTABLE, /* the damage is beyond the parity */
};

/**
 * struct verity_repair_block - one block that was not as it should be
 * @level:        of the tree, 0 lowest; VERITY_REPAIR_LEVEL_DATA for data. Not known of an UNREADABLE one
 * @block:        number within its level
 * @file:         name of its file; @offset_bytes in it
 */
struct verity_repair_block {
	enum verity_repair_outcome outcome;
	int level;
	uint64_t block;
	const char *file;
	uint64_t offset_bytes;
};

/**
 * struct verity_repair_params - zero it, then set what is needed
 * @fec:               files and numbers; verity_fec_cover() has been called
 * @sb:                supported; of the hash file, or from options
 * @hash_offset_bytes: of the superblock, or of the tree if @no_superblock
 * @root_hash:         the anchor, @root_hash_bytes of it: the size of the algorithm's digest
 * @out_data:          path of the copy of the data's file
 * @out_hash:          path of the copy of the hash file; NULL if both are one file
 * @note:              NULL, or told of each block, in the order in which they are met
 * @say:               NULL, or gets lines of progress
 */
struct verity_repair_params {
	const struct verity_fec *fec;
	const struct verity_sb *sb;
	uint64_t hash_offset_bytes;
	bool no_superblock;
	const uint8_t *root_hash;
	size_t root_hash_bytes;
	const char *out_data;
	const char *out_hash;
	void (*note)(void *arg, const struct verity_repair_block *b);
	void *arg;
	progress_fn *say;
};

/** struct verity_repair_result - how many blocks of each outcome */
struct verity_repair_result {
	uint64_t unreadable;
	uint64_t repaired;
	uint64_t uncorrectable;
};

/**
 * verity_repair() - copy, repair, prove, publish; @ret is filled in any case
 *
 * Should: leave a copy, synced, that fits the root hash. Must not: leave a file if it fails, nor write to the originals.
 * Return: 0; -EBADMSG if damage is left (@ret says how much, @e the first of it); -EINTR; other -errno.
 */
int verity_repair(const struct verity_repair_params *p, struct verity_repair_result *ret, struct err *e) WARN_UNUSED;

#endif
