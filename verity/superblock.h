/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/superblock.h - the 512 bytes that veritysetup writes in front of a hash tree
 *
 * Everything little-endian:
 *
 *     0  8   "verity\0\0"
 *     8  4   version of the superblock: 1
 *    12  4   hash type: 1 (salt before the block, digests padded to a power of two), 0 (Chromium OS)
 *    16  16  UUID
 *    32  32  algorithm name, NUL-padded
 *    64  4   data block size, bytes
 *    68  4   hash block size, bytes
 *    72  8   data blocks
 *    80  2   salt size, bytes
 *    82  6   zero
 *    88  256 salt, NUL-padded
 *   344  168 zero
 *
 * Three things are told apart: verity_sb_parse() accepts whatever is well-formed by the specification,
 * verity_sb_check_supported() what this library can hash, verity_sb_check_chain() what a host may boot and run.
 *
 * Input: hostile. The signature covers the root hash only; of this structure the kernel's reading proves salt,
 * algorithm and block sizes, but not data_blocks: verity_verify_edge() does, and who knows the size from a signed
 * source compares it.
 * Spec: cryptsetup wiki, DMVerity, "Verity superblock format"; lib/verity/verity.c of cryptsetup 2.x.
 */
#ifndef VERITY_SUPERBLOCK_H
#define VERITY_SUPERBLOCK_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <stdbool.h>
#include <stdint.h>

#define VERITY_SB_BYTES            512
#define VERITY_BLOCK_BYTES         4096
#define VERITY_MAX_SALT_BYTES      256
#define VERITY_UUID_BYTES          16
#define VERITY_UUID_STR_BYTES      37
#define VERITY_MAX_ALGORITHM_BYTES 31
#define VERITY_MIN_BLOCK_BYTES     512
#define VERITY_MAX_BLOCK_BYTES     (512 * 1024) /* that are well-formed; up to VERITY_MAX_HASHED_BYTES can be hashed */
#define VERITY_MAX_HASHED_BYTES    65536
#define VERITY_MAX_DATA_BYTES      ((uint64_t)INT64_MAX) /* so that every offset fits off_t */

/**
 * struct verity_sb - a superblock; zero it, verity_sb_init() it, then set data_blocks, and uuid and salt if wanted
 * @hash_type:  1 (normal) or 0 (Chromium OS)
 * @algorithm:  NUL-terminated, lower case
 * @alg:        the same, if we know it; HASH_NONE else
 * @salt_bytes: 0 to VERITY_MAX_SALT_BYTES
 */
struct verity_sb {
	uint32_t hash_type;
	uint8_t uuid[VERITY_UUID_BYTES];
	char algorithm[VERITY_MAX_ALGORITHM_BYTES + 1];
	enum hash_alg alg;
	uint32_t data_block_bytes;
	uint32_t hash_block_bytes;
	uint64_t data_blocks;
	uint16_t salt_bytes;
	uint8_t salt[VERITY_MAX_SALT_BYTES];
};

/** verity_sb_init() - hash type 1, sha256, 4096-byte blocks, no salt, UUID of zeros, no data yet. */
void verity_sb_init(struct verity_sb *ret);

/**
 * verity_sb_parse() - read a superblock strictly
 * @bytes: @len bytes, at least VERITY_SB_BYTES; what is behind them is not looked at
 * @name:  file, for messages
 *
 * Refuses: wrong magic, version, hash type, unclean padding, names and sizes out of bounds, no data blocks, a size
 * that does not fit off_t. Return: 0; -ENODATA if the magic is not there at all; -EINVAL with offset and rule.
 */
int verity_sb_parse(const void *bytes, size_t len, const char *name, struct verity_sb *ret, struct err *e) WARN_UNUSED;

/**
 * verity_sb_check_supported() - can this library hash it?
 *
 * Hash type 1 or 0; sha256, sha512 or sha1; blocks of 512 to 65536 bytes. Return: 0; -ENOTSUP.
 */
int verity_sb_check_supported(const struct verity_sb *sb, const char *name, struct err *e) WARN_UNUSED;

/**
 * verity_sb_check_chain() - is it of the one kind that the chain of trust uses: hash type 1, sha256, 4096/4096?
 *
 * Whatever the kernel is to open for PID 1, the gate or as a layer passes here. Return: 0; -ENOTSUP.
 */
int verity_sb_check_chain(const struct verity_sb *sb, const char *name, struct err *e) WARN_UNUSED;

/** verity_sb_encode() - the bytes veritysetup writes for it. @sb must be well-formed. */
void verity_sb_encode(const struct verity_sb *sb, uint8_t ret[static VERITY_SB_BYTES]);

/** verity_sb_read() - pread() at @offset_bytes of @fd, and parse; whoever uses it checks its kind. */
int verity_sb_read(int fd, uint64_t offset_bytes, const char *name, struct verity_sb *ret, struct err *e) WARN_UNUSED;

/** verity_sb_data_bytes() - size of the protected data. */
uint64_t verity_sb_data_bytes(const struct verity_sb *sb);

/** verity_uuid_str() - "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", lower case. */
void verity_uuid_str(const uint8_t uuid[static VERITY_UUID_BYTES], char ret[static VERITY_UUID_STR_BYTES]);

/** verity_uuid_parse() - the inverse; either case; true if @str was exactly that. */
bool verity_uuid_parse(const char *str, uint8_t ret[static VERITY_UUID_BYTES]);

#endif
