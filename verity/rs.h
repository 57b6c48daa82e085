/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/rs.h - the Reed-Solomon code of dm-verity's forward error correction, many codewords at a time
 *
 * Theory of operation
 *   A codeword has 255 bytes: 255 - roots of data, then roots of parity; byte j is the coefficient of x^(254 - j).
 *   The code is over GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1, its generator has the roots 2^0 ... 2^(roots - 1).
 *   dm-verity interleaves: byte j of neighbouring codewords lies in neighbouring bytes, so that data come here as
 *   255 - roots *rows*, row j being byte j of @width codewords. Vectors go along the rows: one codeword a lane, all
 *   lanes multiply by the same constant, which is two lookups in tables of 16 bytes (AVX2, NEON) or one instruction
 *   (GFNI). Parity is as on disk: @roots bytes of one codeword, then those of the next.
 *
 *   The remainder of the division by the generator is all that is ever computed over the data: it is the parity when
 *   encoding; when decoding it is compared with the parity found, and where they are equal the codeword is clean.
 *   What differs gives the syndromes, and Berlekamp-Massey, Chien and Forney run for that codeword alone.
 *
 *   A path is chosen once a process: the best that the CPU has and that agreed with the portable one a moment before.
 *   No heap. A struct verity_rs may be shared between threads.
 *
 * Input: hostile when decoding (data and parity from disk); nothing here reads or writes but by the bounds given.
 * Spec: Linux, drivers/md/dm-verity-fec.c; cryptsetup, lib/verity/verity_fec.c, FEC_PARAMS.
 */
#ifndef VERITY_RS_H
#define VERITY_RS_H

#include "common/cleanup.h"
#include "common/err.h"
#include "verity/path_choice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERITY_RS_CODEWORD_BYTES 255
#define VERITY_RS_MIN_ROOTS      2
#define VERITY_RS_MAX_ROOTS      24
#define VERITY_RS_FEED_STEP      128
#define VERITY_RS_ENV            "HOLDFAST_RS_PATH"

struct rs_path;

/**
 * struct verity_rs - a code; verity_rs_init() fills it, then it is only read
 * @rows:   255 - @roots, the rows of data
 * @nibble: for each coefficient of the generator, from x^(roots-1) down: its products with 0 ... 15, then with 0, 16 ...
 *          240
 * @matrix: the same products as the bit matrix that GFNI wants
 */
struct verity_rs {
	unsigned roots;
	unsigned rows;
	const struct rs_path *path;
	uint8_t nibble[VERITY_RS_MAX_ROOTS][32] __attribute__((aligned(32)));
	uint64_t matrix[VERITY_RS_MAX_ROOTS];
};

/**
 * verity_rs_init() - prepare a code
 * @roots: VERITY_RS_MIN_ROOTS to VERITY_RS_MAX_ROOTS
 * @path:  name of the path to take, for tests and benchmarks; NULL: what the environment's HOLDFAST_RS_PATH names,
 *         else the best
 *
 * Return: 0; -EINVAL: @roots out of bounds, or no path has that name; -ENOTSUP: this CPU lacks the forced path; -EIO:
 * the forced path does not agree with the portable one.
 */
int verity_rs_init(struct verity_rs *ret, unsigned roots, const char *path, struct err *e) WARN_UNUSED;

/**
 * verity_rs_encode() - parity of @width codewords
 * @rows:       @rs->rows pointers to @width bytes each, any alignment; NULL: a row of zeros (past the end of the data)
 * @ret_parity: @width * @rs->roots bytes, as on disk
 *
 * Cannot fail. Best with @width a multiple of 512.
 */
void verity_rs_encode(const struct verity_rs *rs, const uint8_t *const *rows, size_t width, uint8_t *ret_parity);

/**
 * verity_rs_feed() - divide @n more rows of @width codewords, for whoever does not hold all rows at a time
 * @rows:  @n pointers as for verity_rs_encode(); all calls together give the @rs->rows rows in order
 * @width: a multiple of VERITY_RS_FEED_STEP, the same in all calls
 * @state: @width * @rs->roots bytes, zeros before the first call, to be left alone until the last
 */
void verity_rs_feed(const struct verity_rs *rs, const uint8_t *const *rows, unsigned n, size_t width, uint8_t *state);

/** verity_rs_parity() - when all rows are fed: the parity as verity_rs_encode() has it. @ret_parity is not @state. */
void verity_rs_parity(const struct verity_rs *rs, const uint8_t *state, size_t width, uint8_t *ret_parity);

/**
 * verity_rs_damaged() - when all rows are fed: which codeword does not have the parity found?
 * @parity: of all @width codewords, as on disk
 * @from:   where to begin
 *
 * Return: the first such codeword; @width: all from @from on are clean.
 */
size_t verity_rs_damaged(const struct verity_rs *rs, const uint8_t *state, size_t width, const uint8_t *parity, size_t from);

/**
 * struct verity_rs_result - what verity_rs_decode() found in its @width codewords
 * @clean:         codewords without an error
 * @corrected:     codewords that were corrected
 * @uncorrectable: codewords that were left as they are, the first of them @first_uncorrectable
 * @bytes:         bytes corrected, of data and parity
 */
struct verity_rs_result {
	size_t clean;
	size_t corrected;
	size_t uncorrectable;
	size_t first_uncorrectable;
	size_t bytes;
};

/**
 * struct verity_rs_words - what to decode
 * @rows:     as for verity_rs_encode(), corrected in place; NULL: a row of zeros, and known to be: an "error" found in
 *            it makes the codeword uncorrectable
 * @parity:   @width * roots bytes, as on disk; corrected in place too
 * @width:    codewords
 * @erasures: @n_erasures different numbers of rows (0 to 254, those from @rs->rows on are parity) that are suspected,
 *            in every codeword; up to roots of them can be restored, where other errors cost two each. NULL: none
 */
struct verity_rs_words {
	uint8_t *const *rows;
	uint8_t *parity;
	size_t width;
	const uint8_t *erasures;
	size_t n_erasures;
};

/**
 * verity_rs_decode() - check @w->width codewords and correct what can be corrected
 *
 * Up to (roots - n_erasures) / 2 errors beside the erasures are corrected in each codeword. More are found out in most
 * cases, not in all: it is the nature of the code, so whoever calls proves the outcome by its hash.
 * Return: bytes corrected, 0 when all was clean; -EBADMSG: there are uncorrectable codewords (the others are corrected
 * all the same); -EINVAL: the erasures are more than roots, out of bounds, or not different. @ret may be NULL.
 */
int verity_rs_decode(const struct verity_rs *rs, const struct verity_rs_words *w, struct verity_rs_result *ret) WARN_UNUSED;

/** verity_rs_path_name() - of the path that @rs takes: "gfni", "avx2", "neon" or "table". */
const char *verity_rs_path_name(const struct verity_rs *rs);

/** verity_rs_paths() - the @i-th path, best first, also those that this CPU lacks; false past the last. */
bool verity_rs_paths(size_t i, struct verity_path_info *ret);

#endif
