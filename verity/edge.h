/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/edge.h - does a hash tree belong to a root hash, told by its right-hand edge alone
 *
 * Runs as: PID 1, gate, root tool; small on purpose. Only trees of the chain's kind (verity_sb_check_chain()).
 * Input: hostile. Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Hash Tree".
 */
#ifndef VERITY_EDGE_H
#define VERITY_EDGE_H

#include "verity/superblock.h"

/**
 * verity_verify_edge() - only the right-hand edge of the tree: a block a level and the last data block
 * @sb: of that tree; of the chain's kind, else -ENOTSUP
 *
 * Cheap, and enough to know that tree, salt and number of data blocks are those of the root hash: the last digest of
 * each level must be there, and nothing behind it. (The kernel does not look at what is behind; a superblock that says
 * fewer blocks would pass there and cut the device short.)
 * Return: 0; -EBADMSG if not; other -errno if it cannot be read.
 */
int verity_verify_edge(int data_fd, int hash_fd, uint64_t hash_offset_bytes, const struct verity_sb *sb,
		       const uint8_t root_hash[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

#endif
