/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/erofs.h - a folder to a compressed EROFS image, and its dm-verity tree
 *
 * Theory of operation
 *   mkfs.erofs of the tree (1.8; Debian 12's own is too old) is run by the tree's loader. Owners are root, times the
 *   one given, the UUID zero: the same folder gives the same bytes. The hash tree is made in this process, without a salt,
 *   into a file of its own, as docs/formats/README.md "Disk" has it: root and root-verity are two partitions.
 */
#ifndef IMAGE_BUILDER_EROFS_H
#define IMAGE_BUILDER_EROFS_H

#include "common/hash.h"
#include "image-builder/tree.h"

#include <stdint.h>

/**
 * struct erofs_params - zero it, then set all
 * @mkfs:        program of the tree
 * @folder:      what goes in
 * @image:       file to make
 * @compression: as for -z ("zstd,level=3", "lz4"), or NULL
 * @epoch:       time of the file system and of all files
 */
struct erofs_params {
	const struct tree_program *mkfs;
	const char *folder, *image, *compression;
	uint64_t epoch;
};

/** erofs_make() - the image, its size a multiple of 4096. -ECHILD says what mkfs.erofs said. */
int erofs_make(const struct erofs_params *p, uint64_t *ret_bytes, struct err *e) WARN_UNUSED;

/** erofs_hash() - superblock and hash tree of @image into the new file @hash. */
int erofs_hash(const char *image, const char *hash, uint8_t ret_root_hash[static HASH_SHA256_BYTES],
	       struct err *e) WARN_UNUSED;

#endif
