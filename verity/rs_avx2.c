/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/rs_avx2.c - Reed-Solomon with AVX2: a product is two lookups in tables of 16 bytes */
#ifdef __x86_64__
#include "verity/rs_path.h"

#include <immintrin.h>

#define INLINE  static inline __attribute__((always_inline))
#define RS_NAME rs_divide_avx2

typedef __m256i vec;
struct coef {
	vec low, high;
};
struct split {
	vec low, high;
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
	const __m128i *nibble = (const __m128i *)rs->nibble[i];

	return (struct coef){_mm256_broadcastsi128_si256(_mm_load_si128(nibble)),
			     _mm256_broadcastsi128_si256(_mm_load_si128(nibble + 1))};
}

INLINE struct split split(vec x)
{
	const vec mask = _mm256_set1_epi8(0x0f);

	return (struct split){_mm256_and_si256(x, mask), _mm256_and_si256(_mm256_srli_epi16(x, 4), mask)};
}

INLINE vec times(struct split x, struct coef k)
{
	return _mm256_xor_si256(_mm256_shuffle_epi8(k.low, x.low), _mm256_shuffle_epi8(k.high, x.high));
}

#include "verity/rs_wide.h"
#endif
