/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/erofs_write.h - an EROFS from a stream of members: same members, same bytes, on every machine
 *
 * Theory of operation
 *   Content is written once, to its final place, while it streams by; what describes it is kept in memory (some 150
 *   bytes a file) and written behind it, in the order of the names.
 *
 *     block 0      superblock at byte 1024, zeros
 *     block 1...   content of files that are not inline, in the order of the archive, each from a block's start
 *     then         folders that are not inline, in the order of the tree
 *     then         inodes from meta_blkaddr on: 64 bytes, extended attributes, inline data (up to 2048 bytes)
 *
 *   Nothing is compressed: what a compressor writes depends on its version, and so would the root hash, which another
 *   machine must find again from the same tar. Whatever else a machine could put in is fixed: UUID zero, build time 0,
 *   no volume name; inodes are numbered in their order. So there is no mkfs.erofs whose version would matter, and
 *   hosts without any can convert.
 *
 * Runs as: build machine and host, unprivileged. Memory: the tree, and inline data.
 * Spec: Linux fs/erofs/erofs_fs.h, Documentation/filesystems/erofs.rst (extended inodes, FLAT_PLAIN and FLAT_INLINE; 5.4).
 */
#ifndef POLICY_EROFS_WRITE_H
#define POLICY_EROFS_WRITE_H

#include "common/err.h"
#include "policy/tar_read.h"

#define POLICY_EROFS_BLOCK 4096

struct policy_erofs;

/**
 * policy_erofs_begin() - an image into @fd, an empty file; borrowed
 * Return: 0 or -ENOMEM.
 */
int policy_erofs_begin(int fd, const char *name, struct policy_erofs **ret, struct err *e) WARN_UNUSED;

/** policy_erofs_sink() - what fills it: for policy_tar_begin(). -EINVAL, -EFBIG for what the format cannot hold. */
struct policy_tar_sink policy_erofs_sink(struct policy_erofs *w);

/**
 * policy_erofs_end() - write folders, inodes, superblock
 * @ret_bytes: size of the image, a multiple of POLICY_EROFS_BLOCK. Not synced.
 */
int policy_erofs_end(struct policy_erofs *w, uint64_t *ret_bytes, struct err *e) WARN_UNUSED;

/** policy_erofs_free() - release; accepts NULL. */
void policy_erofs_free(struct policy_erofs *w);

CLEANUP_DEFINE(policy_erofs, struct policy_erofs *, policy_erofs_free)
#define cleanup_policy_erofs __attribute__((cleanup(cleanup_policy_erofs_fn)))

#endif
