/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/rs_gfni.c - Reed-Solomon with GFNI and AVX2: a product is one affine transformation, byte by bit matrix */
#ifdef __x86_64__
#include "verity/rs_path.h"

#include <immintrin.h>

#define INLINE  static inline __attribute__((always_inline))
#define RS_NAME rs_divide_gfni

typedef __m256i vec;
struct coef {
	vec matrix;
};
struct split {
	vec x;
};

INLINE vec vec_load(const uint8_t *p)
{
	return _mm256_loadu_si256((const vec *)p);
}

INLINE void vec_store(uint8_t *p, vec x)
{
	_mm256_storeu_si256((vec *)p, x);
}

INLINE vec vec_xor(vec a, vec b)
{
	return _mm256_xor_si256(a, b);
}

INLINE struct coef coef_load(const struct verity_rs *rs, unsigned i)
{
	return (struct coef){_mm256_set1_epi64x((long long)rs->matrix[i])};
}

INLINE struct split split(vec x)
{
	return (struct split){x};
}

INLINE vec times(struct split x, struct coef k)
{
	return _mm256_gf2p8affine_epi64_epi8(x.x, k.matrix, 0);
}

#include "verity/rs_wide.h"
#endif
