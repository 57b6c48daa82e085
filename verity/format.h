/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/format.h - make a superblock and hash tree for a file or device, as `veritysetup format` does
 *
 * The root hash depends on the data, the salt, the kind and the sizes alone; the hash area as a whole also on the UUID.
 * All of them are given by the caller, so equal inputs give equal bytes.
 *
 * Where the hash area goes decides what a failure leaves behind:
 *   a file of its own       a new file under a temporary name, renamed at the end: all or nothing
 *   behind the data, or at an offset of a file that is there: in place; the file gets its old size back
 *   a device                in place; its superblock is cleared first and written last, so that nothing looks good
 */
#ifndef VERITY_FORMAT_H
#define VERITY_FORMAT_H

#include "verity/build.h"

/**
 * struct verity_format_done - a hash area that is written, but has no name yet if it is a new file
 * @tree_at_bytes: first byte of the tree
 */
struct verity_format_done {
	const struct verity_sb *sb;
	struct verity_file data, hash;
	uint64_t tree_at_bytes;
};

/**
 * struct verity_format_params - zero it, verity_sb_init(&p.sb), then set what is needed
 * @sb:                kind, salt and UUID; data_blocks 0: all of the data, which must be whole blocks and not none
 * @data_path:         file or block device
 * @hash_path:         hash file or block device, or @data_path once more; NULL appends to @data_path
 * @hash_offset_bytes: of the superblock (of the tree, without one) in @hash_path; not looked at when appending
 * @no_superblock, @threads, @mode, @say: as in struct verity_build_params
 * @io:                NULL: the system's calls
 * @then:              NULL, or what else is to be made of data and tree before the hash file gets its name
 */
struct verity_format_params {
	struct verity_sb sb;
	const char *data_path;
	const char *hash_path;
	uint64_t hash_offset_bytes;
	bool no_superblock;
	unsigned threads;
	enum verity_read_mode mode;
	progress_fn *say;
	const struct verity_io *io;
	int (*then)(void *arg, const struct verity_format_done *done, struct err *e);
	void *then_arg;
};

/** struct verity_format_result - @root_hash: hash_bytes() of it; @hash_offset_bytes: where the superblock stands */
struct verity_format_result {
	struct verity_sb sb;
	uint8_t root_hash[HASH_MAX_BYTES];
	uint64_t hash_offset_bytes;
};

/**
 * verity_format() - `veritysetup format` for files and devices
 *
 * Should: leave a synced hash area. Must not: leave a half-written file, or a longer one, if it fails.
 * Return: 0, -EINVAL for refused sizes and offsets, -ENOTSUP for a kind that cannot be hashed, or -errno.
 */
int verity_format(const struct verity_format_params *p, struct verity_format_result *ret, struct err *e) WARN_UNUSED;

#endif
