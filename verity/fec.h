/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/fec.h - forward error correction of a dm-verity volume: parity by Reed-Solomon, byte for byte as veritysetup
 *
 * Theory of operation
 *   Covered is one run of blocks: the data, then the hash device from the tree's first block on (the superblock before it
 *   is not covered), then zeros up to a multiple of k = 255 - roots blocks. It is cut into k rows of `rounds` blocks.
 *   Byte b of block n of every row make one codeword of k message bytes, so damage of up to `rounds` blocks in a run hits
 *   each codeword once. The `roots` parity bytes of codeword (n, b) stand at (n * block_bytes + b) * roots:
 *
 *     block    0            rounds        2 rounds            (k-1) rounds
 *     row      |--- 0 ---|--- 1 ---|--- 2 ---| ... |--- k-1 ---|
 *     round n     ^n        ^n        ^n              ^n             parity: n * block_bytes * roots
 *
 *   The work is split into slabs of neighbouring codewords, over threads; a thread reads the same few KiB of a few rows at
 *   a time and divides them by the generator as they go by, so memory does not depend on the size of the volume: 16 MiB at
 *   most for all threads together. Only where a remainder is not the parity found are all rows of those codewords held at
 *   once, to be corrected.
 *
 * `format` calls verity_fec_write() when tree and superblock are written and before the hash file gets its name.
 *
 * Input: hostile (data, tree, parity). What is corrected is proved by the hash tree, never by the code alone.
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Forward error correction"; RS(255, k) over GF(256),
 * polynomial 0x11d, first root alpha^0.
 */
#ifndef VERITY_FEC_H
#define VERITY_FEC_H

#include "common/err.h"
#include "common/progress.h"
#include "verity/io.h"

#include <stdbool.h>
#include <stdint.h>

#define VERITY_FEC_CODEWORD_BYTES 255
#define VERITY_FEC_MIN_ROOTS      2
#define VERITY_FEC_MAX_ROOTS      24
#define VERITY_FEC_MEMORY_BYTES   (12 << 20) /* of all threads together */

/**
 * struct verity_fec - what is covered, and where the parity is; zero it, then set what is needed
 * @block_bytes:      of data blocks, a power of two, 512 at least; @hash_block_bytes of hash blocks: must be the same
 * @roots:            parity bytes a codeword, 2 to 24
 * @data:             @data_blocks from offset 0
 * @hash:             @hash_blocks from @hash_start_bytes, of which @tree_blocks are the tree; may be the file of the
 *                    data. hash_blocks is found by verity_fec_cover(), and so by verity_fec_write()
 * @parity:           from @parity_offset_bytes; may be the file of the hash tree, or of the data too
 * @threads:          0: as many as there are processors
 * @say:              NULL, or gets lines of progress
 * @fec_blocks_written: set by verity_fec_write(): blocks of parity
 */
struct verity_fec {
	uint32_t block_bytes;
	uint32_t hash_block_bytes;
	unsigned roots;
	struct verity_file data;
	uint64_t data_blocks;
	struct verity_file hash;
	uint64_t hash_start_bytes;
	uint64_t tree_blocks;
	uint64_t hash_blocks;
	struct verity_file parity;
	uint64_t parity_offset_bytes;
	unsigned threads;
	progress_fn *say;
	uint64_t fec_blocks_written;
};

/** verity_fec_roots_parse() - decimal 2 to 24, nothing else. */
bool verity_fec_roots_parse(const char *text, unsigned *ret);

/**
 * verity_fec_rounds() - blocks of a row
 * verity_fec_parity_bytes() - size of the parity
 *
 * hash_blocks must be set.
 */
uint64_t verity_fec_rounds(const struct verity_fec *f);
uint64_t verity_fec_parity_bytes(const struct verity_fec *f);

/**
 * verity_fec_cover() - check the numbers and find @f->hash_blocks
 *
 * As veritysetup and libcryptsetup at activation: the hash device from the tree on to its end; or, if the parity is on
 * the same file or device, to the parity. So whoever activates needs a hash device of the same size, or parity behind the
 * tree on the same device.
 *
 * Return: 0; -EINVAL with the rule that is broken; -errno.
 */
int verity_fec_cover(struct verity_fec *f, struct err *e) WARN_UNUSED;

/**
 * verity_fec_encode() - write the parity of all codewords
 *
 * hash_blocks must be set. Does not sync. Return: 0; -ENODATA if a file ends early; -EINTR; what the system said.
 */
int verity_fec_encode(const struct verity_fec *f, struct err *e) WARN_UNUSED;

/**
 * verity_fec_write() - verity_fec_cover(), then make @path: whole and synced, or nothing
 *
 * A device, the file of the tree, that of the data, and an existing file with an offset are written in place; anything
 * else is a new file under a temporary name, then renamed. Must not: leave a half-written new file if it fails.
 */
int verity_fec_write(struct verity_fec *f, const char *path, uint64_t offset_bytes, struct err *e) WARN_UNUSED;

/**
 * struct verity_fec_report - what the codewords say
 * @codewords:     in all
 * @correctable:   that are damaged, and can be corrected without knowing where
 * @uncorrectable: that cannot; @first_round: number of the round of the first of them
 * @bytes:         that correction would change, parity included
 */
struct verity_fec_report {
	uint64_t codewords;
	uint64_t correctable;
	uint64_t uncorrectable;
	uint64_t first_round;
	uint64_t bytes;
};

/**
 * verity_fec_check() - read everything and check each codeword (`verify --fec-device`)
 *
 * The parity proves nothing: who has damaged the data may have made it fit. @ret says what could be repaired without the
 * help of the hash tree; verity_repair() knows where the damage is and repairs up to twice as much.
 * Return: 0 if all was read (also if codewords are damaged); -ENODATA if a file ends early; -errno.
 */
int verity_fec_check(const struct verity_fec *f, struct verity_fec_report *ret, struct err *e) WARN_UNUSED;

/**
 * verity_fec_fits() - does this look like the parity of these blocks?
 *
 * Samples some thousand codewords all over; @ret is true if one in 16 is sound. The kernel does not ask: with a hash device
 * of another size than at format it would correct nothing, and say so only when it is needed. Heavy damage looks the same,
 * so this is good for a warning and no more.
 */
int verity_fec_fits(const struct verity_fec *f, bool *ret, struct err *e) WARN_UNUSED;

#endif
