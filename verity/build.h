/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/build.h - build the hash tree of data that is a file or device already, by all processors
 *
 * Theory of operation
 *   Level 0 from the data, level 1 from level 0, and so on; each level by verity/digests.h, whose threads write their
 *   stripes where they belong. Reading a level back costs less than one part in per_block of the whole, and memory does
 *   not depend on the size of the data. The bytes are those of verity/hash_tree.h and of veritysetup.
 *
 *   The superblock is what makes a hash area look good: it is cleared first, and written last, after the tree is on disk.
 *   (Not in a file that gets its name only when all is done.)
 */
#ifndef VERITY_BUILD_H
#define VERITY_BUILD_H

#include "verity/digests.h"

/**
 * struct verity_build_params - zero it, then set what is needed
 * @sb:                what to hash with, @sb->data_blocks set
 * @data:              from offset 0
 * @hash:              may be the file of the data; readable and writable
 * @hash_offset_bytes: of the superblock; of the tree without one
 * @no_superblock:     write the tree alone
 * @is_new:            @hash has no name yet: there is no old superblock to clear, and the order of writes is free
 * @threads, @mode:    as in struct verity_digests_params
 * @say:               told how far it is; NULL: nobody
 */
struct verity_build_params {
	const struct verity_sb *sb;
	struct verity_file data, hash;
	uint64_t hash_offset_bytes;
	bool no_superblock;
	bool is_new;
	unsigned threads;
	enum verity_read_mode mode;
	progress_fn *say;
};

/** verity_build_area() - check kind and offset. @ret_tree_at: first byte of the tree; @ret_end: first behind it all. */
int verity_build_area(const struct verity_build_params *p, uint64_t *ret_tree_at, uint64_t *ret_end,
		      struct err *e) WARN_UNUSED;

/** verity_build_clear() - zeros over the superblock, as well as it goes: what stands there must not look good. */
void verity_build_clear(const struct verity_build_params *p);

/**
 * verity_build() - hash, write, sync
 * @ret_root_hash: hash_bytes() of the algorithm are set
 *
 * On failure what was written stays, without a superblock: the caller owns the file.
 * Return: 0; -EINVAL, -ENOTSUP; -ENODATA if the data ends early; -EINTR; or what the system said.
 */
int verity_build(const struct verity_build_params *p, uint8_t ret_root_hash[static HASH_MAX_BYTES],
		 struct err *e) WARN_UNUSED;

#endif
