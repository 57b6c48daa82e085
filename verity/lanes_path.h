/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/lanes_path.h - what a SHA-256 code path is, between lanes.c and the lanes_*.c that hold one each
 *
 * A kernel runs the compression function over whole 64-byte chunks of several messages side by side, and knows
 * nothing of salts and padding. Files that hold kernels are compiled for the CPU they need (module.mk), so nothing
 * of them may run before lanes.c has asked the CPU: they hold kernels, nothing else.
 */
#ifndef VERITY_LANES_PATH_H
#define VERITY_LANES_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANES_MAX        16 /* lanes of the widest kernel */
#define LANES_CHUNK      64
#define LANES_MAX_KERNEL 3

/**
 * lanes_fn - compress @chunks chunks of each message
 * @state: one of 8 words for each lane, updated
 * @p:     where each lane's chunks begin, any alignment
 * @ahead: bytes from @p to what that lane will hash next, for prefetching; 0: nothing follows
 */
typedef void lanes_fn(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead);

/**
 * struct lanes_path - one way to use this CPU
 * @has:    can this CPU run it? (And does its operating system keep the registers?)
 * @kernel: widest first; the first one of whose @at_least blocks are left is taken, the last takes 1
 */
struct lanes_path {
	const char *name;
	bool (*has)(void);
	struct lanes_kernel {
		unsigned lanes;
		unsigned at_least;
		lanes_fn *run;
	} kernel[LANES_MAX_KERNEL];
};

extern const uint32_t lanes_k[64]; /* FIPS 180-4, section 4.2.2 */

/* x86_64: SHA extensions with AVX (three-operand forms save the copies), AVX2, AVX-512F/BW. */
lanes_fn lanes_shani_1, lanes_shani_2, lanes_shani_4;
lanes_fn lanes_avx2_8;
lanes_fn lanes_avx512_16;
/* arm64: SHA-2 of ARMv8's cryptography extension. */
lanes_fn lanes_armv8_1, lanes_armv8_2, lanes_armv8_4;

#endif
