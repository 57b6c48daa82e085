/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/rs_path.h - what a Reed-Solomon code path is, between rs.c and the rs_*.c that hold one each
 *
 * A kernel divides: it feeds rows of data through a shift register of @roots rows of parity, RS_STEP codewords or more at a
 * time. As with verity/lanes_path.h these files are compiled for the CPU they need and hold kernels, nothing else.
 */
#ifndef VERITY_RS_PATH_H
#define VERITY_RS_PATH_H

#include "verity/rs.h"

#define RS_STEP  128   /* a kernel's width is a multiple of this */
#define RS_STATE 16384 /* bytes that the shift register may take: stays in the first-level cache */
#define RS_STRIP 4096  /* codewords at a time, at most */

/**
 * rs_fn - feed @n more rows of @width codewords
 * @rows:   pointers, none NULL
 * @width:  multiple of RS_STEP
 * @state:  roots rows of @width bytes, zeros before the first row of data; after the last one row k is parity byte k
 */
typedef void rs_fn(const struct verity_rs *rs, const uint8_t *const *rows, unsigned n, size_t width, uint8_t *state);

struct rs_path {
	const char *name;
	bool (*has)(void);
	rs_fn *divide;
};

/* x86_64: AVX2, AVX2 with GFNI. arm64: NEON. */
rs_fn rs_divide_avx2, rs_divide_gfni, rs_divide_neon;

#endif
