/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/lanes.h - salted hashes of many equal blocks, as fast as this CPU can
 *
 * Theory of operation
 *   dm-verity hashes each block on its own, so several can go through the CPU side by side: as streams that fill
 *   the latency of the SHA instructions, or as lanes of a wide vector. What is the same for all blocks is done once:
 *   the SHA-256 state after the salt's whole 64-byte chunks, and the padded end of the message. A message is then
 *
 *     version 1   [salt, whole chunks: midstate] [rest of salt, start of block] [block ...] [end of block, padding]
 *     version 0                                  [block ...] [salt, padding]
 *
 *   with at most one chunk put together by hand at its start, some at its end, and all others read where they lie.
 *
 *   The code path is chosen once a process, at run time: the best that the CPU has and that agreed with OpenSSL on
 *   known blocks a moment before. So a wrong or half-emulated instruction costs speed, never a root hash.
 *   SHA-1 and SHA-512, and CPUs without any path, go through OpenSSL with a copied, pre-salted context. No heap.
 *
 *   PID 1 and the gate do not hash blocks: keep this out of what they call.
 *
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, <version>, <salt>; FIPS 180-4, section 6.2.
 */
#ifndef VERITY_LANES_H
#define VERITY_LANES_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"
#include "verity/path_choice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERITY_LANES_MAX_SALT_BYTES  256
#define VERITY_LANES_MIN_BLOCK_BYTES 512
#define VERITY_LANES_MAX_BLOCK_BYTES 65536
#define VERITY_LANES_ENV             "HOLDFAST_VERITY_PATH"

/**
 * struct verity_lanes_params - zero it, then set what is needed
 * @alg:         HASH_SHA256, HASH_SHA1 or HASH_SHA512
 * @version:     1: salt before the block; 0: salt behind it
 * @salt:        @salt_bytes of them, 0 to VERITY_LANES_MAX_SALT_BYTES
 * @block_bytes: a power of two, VERITY_LANES_MIN_BLOCK_BYTES to VERITY_LANES_MAX_BLOCK_BYTES
 * @path:        name of the SHA-256 path to take, for tests and benchmarks; NULL: what the environment's
 *               HOLDFAST_VERITY_PATH names, else the best
 */
struct verity_lanes_params {
	enum hash_alg alg;
	unsigned version;
	const uint8_t *salt;
	size_t salt_bytes;
	size_t block_bytes;
	const char *path;
};

struct lanes_path;

/**
 * struct verity_lanes - how to hash blocks of one kind; verity_lanes_init() fills it, then it is only read
 *
 * May be copied, and shared between threads. @digest_bytes is for callers; the rest is for lanes.c:
 * @midstate:    after the salt's whole chunks
 * @head:        chunk that begins with the @head_bytes left over from the salt; the block's start follows
 * @body_chunks: chunks that lie in the block as they are, after what @head took
 * @tail:        @tail_chunks chunks, beginning with the last @head_bytes of the block, padding already there
 * @salt:        for other algorithms than SHA-256
 */
struct verity_lanes {
	size_t digest_bytes;
	size_t block_bytes;
	enum hash_alg alg;
	const struct lanes_path *path;
	uint32_t midstate[8];
	size_t head_bytes;
	size_t body_chunks;
	size_t tail_chunks;
	uint8_t head[64];
	uint8_t tail[VERITY_LANES_MAX_SALT_BYTES + 64];
	unsigned version;
	size_t salt_bytes;
	uint8_t salt[VERITY_LANES_MAX_SALT_BYTES];
};

/**
 * verity_lanes_init() - prepare to hash blocks
 *
 * The first call of a process checks the paths (microseconds). Return: 0; -EINVAL: parameters out of bounds, or no
 * path has the forced name; -ENOTSUP: the algorithm, or this CPU lacks the forced path; -EIO: the forced path does
 * not agree with OpenSSL.
 */
int verity_lanes_init(struct verity_lanes *ret, const struct verity_lanes_params *p, struct err *e) WARN_UNUSED;

/**
 * verity_lanes_hash() - digests of @n blocks
 * @blocks:        the first of them, at any alignment; the others follow @stride bytes apart
 * @digests:       where the first digest goes, @l->digest_bytes of it; the others @digest_stride bytes apart
 *                 (what is between them is left as it is)
 *
 * Cannot fail. Best with @n a multiple of 16 or large.
 */
void verity_lanes_hash(const struct verity_lanes *l, const uint8_t *blocks, size_t stride, size_t n, uint8_t *digests,
		       size_t digest_stride);

/** verity_lanes_path_name() - of the path that @l takes: "shani", "avx512", "avx2", "armv8" or "openssl". */
const char *verity_lanes_path_name(const struct verity_lanes *l);

/** verity_lanes_paths() - the @i-th path, best first, also those that this CPU lacks; false past the last. */
bool verity_lanes_paths(size_t i, struct verity_path_info *ret);

#endif
