/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/rs_path.h - what a Reed-Solomon code path is, between rs.c and the rs_*.c that hold one each
 *
 * A kernel divides: it feeds all rows of data through a shift register of @roots rows of parity, RS_STEP codewords or
 * more at a time. The register is a ring: row s of @ring is what leaves next at turn s, so nothing is shifted. As with
 * verity/lanes_path.h these files are compiled for the CPU they need and hold kernels, nothing else.
 */
#ifndef VERITY_RS_PATH_H
#define VERITY_RS_PATH_H

#include "verity/rs.h"

#define RS_STEP  128   /* a kernel's width is a multiple of this */
#define RS_RING  16384 /* bytes that the ring may take: stays in the first-level cache */
#define RS_STRIP 4096  /* codewords at a time, at most */

/**
 * rs_fn - remainders of @width codewords
 * @rows:   rs->rows pointers, none NULL
 * @width:  multiple of RS_STEP
 * @ring:   roots rows of @width bytes; afterwards the parity byte k is row (rs->rows + k) mod roots
 */
typedef void rs_fn(const struct verity_rs *rs, const uint8_t *const *rows, size_t width, uint8_t *ring);

struct rs_path {
	const char *name;
	bool (*has)(void);
	rs_fn *divide;
};

/* x86_64: AVX2, AVX2 with GFNI. arm64: NEON. */
rs_fn rs_divide_avx2, rs_divide_gfni, rs_divide_neon;

#endif
