/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/rs_wide.h - division by the generator, one codeword in each byte of a wide vector, written once
 *
 * Include it after defining RS_NAME, and
 *   vec, vec_load(), vec_store(), vec_xor()
 *   struct coef, coef_load(rs, i):  coefficient i of rs->nibble or rs->matrix, in every byte
 *   struct split, split(x):         x as times() wants it, made once for all coefficients
 *   times(x, c):                    the product
 */
#ifndef VERITY_RS_WIDE_H
#define VERITY_RS_WIDE_H

#include "verity/rs_path.h"

#define VECS   2 /* beside each other, so that a coefficient is loaded for all of them */
#define STRIDE (VECS * sizeof(vec))
_Static_assert(RS_STEP % (VECS * sizeof(vec)) == 0, "a step is whole vectors");

/* Row @row enters at turn @head of the ring: what leaves there, plus the row, times the generator. */
INLINE void turn(const struct verity_rs *rs, const unsigned roots, unsigned head, const uint8_t *row, size_t width,
		 uint8_t *ring)
{
	for (size_t c = 0; c < width; c += STRIDE) {
		struct split f[VECS];
		uint8_t *at = ring + c;

		for (unsigned v = 0; v < VECS; v++) {
			size_t o = c + v * sizeof(vec);

			f[v] = split(vec_xor(vec_load(ring + head * width + o), vec_load(row + o)));
		}
		for (unsigned s = 0; s < head; s++, at += width) {
			struct coef k = coef_load(rs, s + roots - 1 - head);

			for (unsigned v = 0; v < VECS; v++)
				vec_store(at + v * sizeof(vec), vec_xor(vec_load(at + v * sizeof(vec)), times(f[v], k)));
		}
		for (unsigned v = 0; v < VECS; v++)
			vec_store(at + v * sizeof(vec), times(f[v], coef_load(rs, roots - 1)));
		at += width;
		for (unsigned s = head + 1; s < roots; s++, at += width) {
			struct coef k = coef_load(rs, s - 1 - head);

			for (unsigned v = 0; v < VECS; v++)
				vec_store(at + v * sizeof(vec), vec_xor(vec_load(at + v * sizeof(vec)), times(f[v], k)));
		}
	}
}

void RS_NAME(const struct verity_rs *rs, const uint8_t *const *rows, size_t width, uint8_t *ring)
{
	unsigned head = 0;

	for (unsigned j = 0; j < rs->rows; j++) {
		if (rs->roots == 2)
			turn(rs, 2, head, rows[j], width, ring);
		else
			turn(rs, rs->roots, head, rows[j], width, ring);
		head = head + 1 == rs->roots ? 0 : head + 1;
	}
}

#endif
