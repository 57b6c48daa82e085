/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/lanes_wide.h - SHA-256 with one message in each 32-bit lane of a wide vector, written once for every width
 *
 * Theory of operation
 *   Define WIDE_LANES (8 or 16) and WIDE_NAME, then include this. Vectors are the compiler's own (vector_size), so the
 *   same source becomes AVX2, AVX-512 or, for tests, anything. Vector word i of lane j is word i of message j. Messages
 *   lie one after the other in memory, so 16 words of every message are loaded as quarters of 4 words, and 4 by 4
 *   words change rows and columns within each 128 bits: lane 4g + j of quarter load k is message 4g + k, word j.
 *
 * Spec: FIPS 180-4, section 6.2.2.
 */
#ifndef VERITY_LANES_WIDE_H
#define VERITY_LANES_WIDE_H

#include "verity/lanes_path.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef uint32_t quad __attribute__((vector_size(16)));
typedef uint32_t wide __attribute__((vector_size(4 * WIDE_LANES)));
typedef uint8_t wide_bytes __attribute__((vector_size(4 * WIDE_LANES)));

INLINE quad quad_load(const void *p)
{
	quad q;

	memcpy(&q, p, sizeof(q));
	return q;
}

#if WIDE_LANES == 8
/* The 16 bytes at @at of messages k and 4 + k. */
INLINE wide load4(const uint8_t *const *p, size_t at, unsigned k)
{
	return __builtin_shufflevector(quad_load(p[k] + at), quad_load(p[4 + k] + at), 0, 1, 2, 3, 4, 5, 6, 7);
}
#define LOW_PAIRS         0, 8, 1, 9, 4, 12, 5, 13
#define HIGH_PAIRS        2, 10, 3, 11, 6, 14, 7, 15
#define LOW_HALVES        0, 1, 8, 9, 4, 5, 12, 13
#define HIGH_HALVES       2, 3, 10, 11, 6, 7, 14, 15
#define SWAP_QUAD(n)      n + 3, n + 2, n + 1, n + 0, n + 7, n + 6, n + 5, n + 4, n + 11, n + 10, n + 9, n + 8, n + 15, n + 14, n + 13, n + 12
#define SWAP_BYTES        SWAP_QUAD(0), SWAP_QUAD(16)
#elif WIDE_LANES == 16
typedef uint32_t half __attribute__((vector_size(32)));
INLINE wide load4(const uint8_t *const *p, size_t at, unsigned k)
{
	half low = __builtin_shufflevector(quad_load(p[k] + at), quad_load(p[4 + k] + at), 0, 1, 2, 3, 4, 5, 6, 7);
	half high = __builtin_shufflevector(quad_load(p[8 + k] + at), quad_load(p[12 + k] + at), 0, 1, 2, 3, 4, 5, 6, 7);

	return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#define LOW_PAIRS   0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define HIGH_PAIRS  2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define LOW_HALVES  0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH_HALVES 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define SWAP_QUAD(n) n + 3, n + 2, n + 1, n + 0, n + 7, n + 6, n + 5, n + 4, n + 11, n + 10, n + 9, n + 8, n + 15, n + 14, n + 13, n + 12
#define SWAP_BYTES  SWAP_QUAD(0), SWAP_QUAD(16), SWAP_QUAD(32), SWAP_QUAD(48)
#else
#error "WIDE_LANES must be 8 or 16"
#endif

/* Rows to columns within each 128 bits: r[k] holds 4 words of message k before, word k of 4 messages after. */
INLINE void transpose4(wide r[static 4])
{
	wide a = __builtin_shufflevector(r[0], r[1], LOW_PAIRS), b = __builtin_shufflevector(r[2], r[3], LOW_PAIRS);
	wide c = __builtin_shufflevector(r[0], r[1], HIGH_PAIRS), d = __builtin_shufflevector(r[2], r[3], HIGH_PAIRS);

	r[0] = __builtin_shufflevector(a, b, LOW_HALVES);
	r[1] = __builtin_shufflevector(a, b, HIGH_HALVES);
	r[2] = __builtin_shufflevector(c, d, LOW_HALVES);
	r[3] = __builtin_shufflevector(c, d, HIGH_HALVES);
}

INLINE wide swap_bytes(wide x)
{
	return (wide)__builtin_shufflevector((wide_bytes)x, (wide_bytes)x, SWAP_BYTES);
}

INLINE wide rotr(wide x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* One round. Words are not moved: whoever calls names them turned by one each time. bc is b ^ c, and becomes a ^ b. */
INLINE void round_of(wide s[static 8], unsigned i, wide wk, wide *bc)
{
	wide a = s[(0 - i) & 7], b = s[(1 - i) & 7], e = s[(4 - i) & 7], f = s[(5 - i) & 7], g = s[(6 - i) & 7];
	wide t = s[(7 - i) & 7] + wk + (g ^ (e & (f ^ g))) + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25));
	wide ab = a ^ b;

	s[(3 - i) & 7] += t;
	s[(7 - i) & 7] = t + (b ^ (ab & *bc)) + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22));
	*bc = ab;
}

INLINE wide schedule(const wide w[static 16], unsigned i)
{
	wide x = w[(i + 1) & 15], y = w[(i + 14) & 15];

	return w[i & 15] + w[(i + 9) & 15] + (rotr(x, 7) ^ rotr(x, 18) ^ x >> 3) + (rotr(y, 17) ^ rotr(y, 19) ^ y >> 10);
}

INLINE void chunk(wide s[static 8], wide w[static 16], const uint8_t *const *p, size_t at)
{
	wide was[8], bc;

#pragma GCC unroll 4
	for (unsigned q = 0; q < 4; q++) {
#pragma GCC unroll 4
		for (unsigned k = 0; k < 4; k++)
			w[4 * q + k] = swap_bytes(load4(p, at + 16 * q, k));
		transpose4(w + 4 * q);
	}
	memcpy(was, s, sizeof(was));
	bc = s[1] ^ s[2];
#pragma GCC unroll 16
	for (unsigned i = 0; i < 16; i++)
		round_of(s, i, w[i] + lanes_k[i], &bc);
	for (unsigned r = 16; r < 64; r += 16) {
#pragma GCC unroll 16
		for (unsigned i = 0; i < 16; i++) {
			w[i] = schedule(w, i);
			round_of(s, i, w[i] + lanes_k[r + i], &bc);
		}
	}
#pragma GCC unroll 8
	for (unsigned i = 0; i < 8; i++)
		s[i] += was[i];
}

void WIDE_NAME(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	const uint8_t *words[WIDE_LANES];
	wide s[8], w[16];

	for (unsigned j = 0; j < WIDE_LANES; j++)
		words[j] = (const uint8_t *)state[j];
	for (unsigned k = 0; k < 8; k++)
		s[k] = load4(words, k / 4 * 16, k % 4);
	transpose4(s);
	transpose4(s + 4);
	for (size_t at = 0; at < chunks * LANES_CHUNK; at += LANES_CHUNK) {
		for (unsigned j = 0; ahead && j < WIDE_LANES; j++)
			__builtin_prefetch(p[j] + at + ahead, 0, 2);
		chunk(s, w, p, at);
	}
	for (unsigned k = 0; k < 8; k++)
		for (unsigned j = 0; j < WIDE_LANES; j++)
			state[j][k] = s[k][j];
}

#endif
