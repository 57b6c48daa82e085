/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/format.h - make a superblock and hash tree for a file or device, as `veritysetup format` does
 *
 * The root hash depends on the data, the salt and the sizes alone; the file as a whole also on the UUID. Both are given
 * by the caller, so equal inputs give equal bytes.
 */
#ifndef VERITY_FORMAT_H
#define VERITY_FORMAT_H

#include "common/err.h"
#include "verity/hash_tree.h"

/**
 * verity_format_fd() - hash the first sb->data_blocks of @data_fd, write tree and superblock
 * @p:       @p->fd and @p->tree_offset_bytes as above; the superblock goes one block (4096 bytes) before the tree. With
 *           @p->fd -1 only the root hash is found. It may be the file of the data, behind it.
 * @data_fd: read by pread() from 0
 *
 * The superblock is written last. Does not sync. On failure what was written stays: the caller owns the file.
 */
int verity_format_fd(const struct verity_tree_params *p, int data_fd, uint8_t ret_root_hash[static HASH_SHA256_BYTES],
		     struct err *e) WARN_UNUSED;

/**
 * struct verity_format_params - zero it, then set what is needed
 * @data_path: file or block device; its size must be a multiple of 4096 and not 0
 * @hash_path: separate hash file (made new, all or nothing) or block device; NULL appends to @data_path
 * @uuid:      of the superblock
 * @salt:      @salt_bytes of it; NULL for none
 */
struct verity_format_params {
	const char *data_path;
	const char *hash_path;
	uint8_t uuid[VERITY_UUID_BYTES];
	const uint8_t *salt;
	size_t salt_bytes;
};

/** struct verity_format_result - @hash_offset_bytes is where the superblock stands in its file */
struct verity_format_result {
	struct verity_sb sb;
	uint8_t root_hash[HASH_SHA256_BYTES];
	uint64_t hash_offset_bytes;
};

/**
 * verity_format() - `veritysetup format` for files and devices
 *
 * Should: leave a synced hash file, or a synced tree behind the data. Must not: leave a half-written file or, when
 * appending, a longer one, if it fails. Return: 0, -EINVAL for a refused size, or -errno.
 */
int verity_format(const struct verity_format_params *p, struct verity_format_result *ret, struct err *e) WARN_UNUSED;

#endif
