/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/rs_wide.h - division by the generator, one codeword in each byte of a wide vector, written once
 *
 * Include it after defining RS_NAME, and
 *   vec, vec_load(), vec_store(), vec_xor()
 *   struct coef, coef_load(rs, i):  coefficient i of rs->nibble or rs->matrix, in every byte
 *   struct split, split(x):         x as times() wants it, made once for all coefficients
 *   times(x, c):                    the product
 *
 * Two rows enter at a time, so that the register is loaded and stored half as often. With g the generator, r the register,
 * f = r[0] + row the first to leave and h = r[1] + f g[0] + next row the second:
 *   r'[s] = r[s + 2] + f g[s + 1] + h g[s], where what lies past the end is zero.
 */
#ifndef VERITY_RS_WIDE_H
#define VERITY_RS_WIDE_H

#include "verity/rs_path.h"

#define VECS   2 /* beside each other, so that a coefficient is loaded for all of them */
#define STRIDE (VECS * sizeof(vec))
_Static_assert(RS_STEP % (VECS * sizeof(vec)) == 0, "a step is whole vectors");

#define EACH_VEC _Pragma("GCC unroll 2") for (unsigned v = 0; v < VECS; v++)
#define AT(p)    ((p) + v * sizeof(vec))

INLINE void turn_once(const struct verity_rs *rs, const unsigned roots, const uint8_t *row, size_t width, uint8_t *state)
{
	for (size_t c = 0; c < width; c += STRIDE) {
		uint8_t *at = state + c;
		struct split f[VECS];

		EACH_VEC f[v] = split(vec_xor(vec_load(AT(at)), vec_load(AT(row + c))));
		for (unsigned s = 0; s + 1 < roots; s++, at += width) {
			struct coef k = coef_load(rs, s);

			EACH_VEC vec_store(AT(at), vec_xor(vec_load(AT(at + width)), times(f[v], k)));
		}
		EACH_VEC vec_store(AT(at), times(f[v], coef_load(rs, roots - 1)));
	}
}

INLINE void turn_twice(const struct verity_rs *rs, const unsigned roots, const uint8_t *const row[2], size_t width,
		       uint8_t *state)
{
	for (size_t c = 0; c < width; c += STRIDE) {
		struct coef k = coef_load(rs, 0), next;
		uint8_t *at = state + c;
		struct split f[VECS], h[VECS];

		EACH_VEC f[v] = split(vec_xor(vec_load(AT(at)), vec_load(AT(row[0] + c))));
		EACH_VEC h[v] = split(vec_xor(vec_xor(vec_load(AT(at + width)), vec_load(AT(row[1] + c))), times(f[v], k)));
		for (unsigned s = 0; s + 2 < roots; s++, at += width) {
			next = coef_load(rs, s + 1);
			EACH_VEC vec_store(AT(at), vec_xor(vec_xor(vec_load(AT(at + 2 * width)), times(h[v], k)),
							   times(f[v], next)));
			k = next;
		}
		next = coef_load(rs, roots - 1);
		EACH_VEC vec_store(AT(at), vec_xor(times(h[v], k), times(f[v], next)));
		at += width;
		EACH_VEC vec_store(AT(at), times(h[v], next));
	}
}

INLINE void turn_all(const struct verity_rs *rs, const unsigned roots, const uint8_t *const *rows, unsigned n, size_t width,
		     uint8_t *state)
{
	unsigned j = n & 1;

	if (j)
		turn_once(rs, roots, rows[0], width, state);
	for (; j < n; j += 2)
		turn_twice(rs, roots, rows + j, width, state);
}

void RS_NAME(const struct verity_rs *rs, const uint8_t *const *rows, unsigned n, size_t width, uint8_t *state)
{
	if (rs->roots == 2)
		turn_all(rs, 2, rows, n, width, state);
	else
		turn_all(rs, rs->roots, rows, n, width, state);
}

#endif
