/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/verify.h - check data and hash tree against a root hash, in user space, naming the bad blocks
 *
 * Theory of operation
 *   The search goes from the root down: the top block against the root hash, then each level against the level above
 *   it, which by then is proved, and the data last. So a block that is named bad is bad itself, and not only below
 *   something bad. Each level is hashed by all processors (verity/digests.h).
 *
 *   Usually it ends with the first bad block of the first bad level. With @all it goes on: what is below a bad block
 *   of the tree cannot be judged, and is counted, not named.
 *
 * Input: hostile. Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Hash Tree".
 */
#ifndef VERITY_VERIFY_H
#define VERITY_VERIFY_H

#include "verity/digests.h"

/* What verity_verify() found. UNSET is never a pass. */
enum verity_verdict { VERITY_VERDICT_UNSET, VERITY_VERDICT_GOOD, VERITY_VERDICT_BAD };

#define VERITY_LEVEL_DATA (-1)
#define VERITY_LEVEL_NONE (-2) /* sizes or the superblock do not fit: there is no block to blame */

#define VERITY_MAX_BAD_RANGES 65536 /* kept of one level; with more the search ends there */

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
 * struct verity_verify_params - zero it, then set what is needed
 * @data:              from offset 0
 * @hash:              may be the file of the data
 * @hash_offset_bytes: of the superblock; of the tree without one
 * @root_hash:         the anchor, @root_hash_bytes of it
 * @no_superblock:     there is none: @sb says what it would
 * @threads, @mode:    as in struct verity_digests_params
 * @say:               told how far it is; NULL: nobody
 * @all:               NULL, or called for each bad block in order, one at a time
 */
struct verity_verify_params {
	struct verity_file data, hash;
	uint64_t hash_offset_bytes;
	const uint8_t *root_hash;
	size_t root_hash_bytes;
	const struct verity_sb *no_superblock;
	unsigned threads;
	enum verity_read_mode mode;
	progress_fn *say;
	void (*all)(void *arg, const struct verity_finding *bad);
	void *arg;
};

/**
 * struct verity_verify_result - what was found
 * @first:           the verdict, and the first bad block
 * @bad_blocks:      found: at most 1 without @all
 * @unjudged_blocks: below bad blocks of the tree; only with @all
 * @cut:             there were more bad blocks than can be listed; the search ended there
 * @sb:              what was verified
 */
struct verity_verify_result {
	struct verity_finding first;
	uint64_t bad_blocks;
	uint64_t unjudged_blocks;
	bool cut;
	struct verity_sb sb;
};

/**
 * verity_verify() - check the tree against the root hash, then the data against the tree
 *
 * If BAD the sentence is in @e. Covered are the data, the tree, and the superblock's block but for its UUID (and but for
 * the hash type, where it makes no difference: sha256 or sha512 without a salt); for a separate hash file not what lies
 * behind the data. Data that is too short, or a superblock that is malformed or absent, is BAD too.
 * Return: 0 if a verdict was reached; -errno if it could not be checked (I/O, superblock of an unsupported kind, a root
 * hash of another size than the algorithm's).
 */
int verity_verify(const struct verity_verify_params *p, struct verity_verify_result *ret, struct err *e) WARN_UNUSED;

/** verity_verify_fd() - the same for two descriptors and a SHA-256 root hash, with the usual settings. */
int verity_verify_fd(int data_fd, int hash_fd, uint64_t hash_offset_bytes,
		     const uint8_t root_hash[static HASH_SHA256_BYTES], struct verity_finding *ret,
		     struct err *e) WARN_UNUSED;

#endif
