/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/verify.h - check data and hash tree against a root hash, in user space, naming the first bad block
 *
 * Theory of operation
 *   The search goes from the root down: the top block against the root hash, then each level against the level above
 *   it, which by then is proved, and the data last. So a block that is named bad is bad itself, and not only below
 *   something bad.
 *
 * Input: hostile. Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Hash Tree".
 */
#ifndef VERITY_VERIFY_H
#define VERITY_VERIFY_H

#include "common/err.h"
#include "verity/hash_tree.h"

/* What verity_verify_fd() found. UNSET is never a pass. */
enum verity_verdict { VERITY_VERDICT_UNSET, VERITY_VERDICT_GOOD, VERITY_VERDICT_BAD };

#define VERITY_LEVEL_DATA (-1)
#define VERITY_LEVEL_NONE (-2) /* sizes or the superblock do not fit: there is no block to blame */

/**
 * struct verity_finding - a verdict, and if it is BAD the first bad block, searched from the root down
 * @level:        0 is the lowest level of the tree; VERITY_LEVEL_DATA for a data block
 * @block:        number within its level
 * @offset_bytes: of the block in its file
 */
struct verity_finding {
	enum verity_verdict verdict;
	int level;
	uint64_t block;
	uint64_t offset_bytes;
};

/**
 * verity_verify_fd() - check the tree against the root hash, then the data against the tree
 * @hash_offset_bytes: of the superblock in @hash_fd
 * @root_hash:         the anchor
 * @ret:               verdict GOOD or BAD when 0 is returned; if BAD the sentence is in @e
 *
 * Memory is constant. Covered are the data, the tree, and the superblock's block but for its UUID; for a separate hash
 * file not what lies behind the data. Data that is too short, or a superblock that is malformed or absent, is BAD too.
 * Return: 0 if a verdict was reached; -errno if it could not be checked (I/O, superblock of an unsupported kind).
 */
int verity_verify_fd(int data_fd, int hash_fd, uint64_t hash_offset_bytes,
		     const uint8_t root_hash[static HASH_SHA256_BYTES], struct verity_finding *ret,
		     struct err *e) WARN_UNUSED;

/**
 * verity_verify_edge() - only the right-hand edge of the tree: a block a level and the last data block
 * @sb: of that tree, supported
 *
 * Cheap, and enough to know that tree, salt and number of data blocks are those of the root hash: the last digest of
 * each level must be there, and nothing behind it. (The kernel does not look at what is behind; a superblock that says
 * fewer blocks would pass there and cut the device short.)
 * Return: 0; -EBADMSG if not; other -errno if it cannot be read.
 */
int verity_verify_edge(int data_fd, int hash_fd, uint64_t hash_offset_bytes, const struct verity_sb *sb,
		       const uint8_t root_hash[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

#endif
