/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/lanes_shani.c - SHA-256 by the x86 SHA extensions, 1, 2 or 4 messages side by side
 *
 * sha256rnds2 takes several cycles, and each waits for the one before it; messages side by side fill the gaps.
 * Spec: Intel SDM volume 2, SHA256RNDS2, SHA256MSG1, SHA256MSG2; FIPS 180-4, section 6.2.2.
 */
#include "verity/lanes_path.h"

#ifdef __x86_64__
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

/* The instructions want the state as words A B E F and C D G H, highest first. */
INLINE void load_state(const uint32_t *s, __m128i *abef, __m128i *cdgh)
{
	__m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)s), 0xb1);
	__m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(s + 4)), 0x1b);

	*abef = _mm_alignr_epi8(cdab, efgh, 8);
	*cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
}

INLINE void store_state(uint32_t *s, __m128i abef, __m128i cdgh)
{
	__m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)s, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(s + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Words 4g+4 to 4g+7 of the message schedule, into the place of words 4g-12 to 4g-9. */
INLINE void schedule(__m128i w[4], unsigned g)
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[(g + 1) & 3], w[(g + 2) & 3]),
				    _mm_alignr_epi8(w[g & 3], w[(g + 3) & 3], 4));

	w[(g + 1) & 3] = _mm_sha256msg2_epu32(sum, w[g & 3]);
}

INLINE void compress(const unsigned n, uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i abef[4], cdgh[4];

#pragma GCC unroll 4
	for (unsigned s = 0; s < n; s++)
		load_state(state[s], &abef[s], &cdgh[s]);
	for (size_t at = 0; at < chunks * LANES_CHUNK; at += LANES_CHUNK) {
		__m128i w[4][4], abef_was[4], cdgh_was[4];

#pragma GCC unroll 4
		for (unsigned s = 0; s < n; s++) {
			abef_was[s] = abef[s];
			cdgh_was[s] = cdgh[s];
			if (ahead)
				_mm_prefetch((const char *)p[s] + at + ahead, _MM_HINT_T1);
		}
#pragma GCC unroll 16
		for (unsigned g = 0; g < 16; g++) {
			const __m128i k = _mm_load_si128((const __m128i *)(lanes_k + 4 * g));

#pragma GCC unroll 4
			for (unsigned s = 0; s < n; s++) {
				__m128i wk;

				if (g < 4)
					w[s][g] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p[s] + at) + g), swap);
				wk = _mm_add_epi32(w[s][g & 3], k);
				cdgh[s] = _mm_sha256rnds2_epu32(cdgh[s], abef[s], wk);
				abef[s] = _mm_sha256rnds2_epu32(abef[s], cdgh[s], _mm_shuffle_epi32(wk, 0x0e));
				if (g >= 3 && g < 15)
					schedule(w[s], g);
			}
		}
#pragma GCC unroll 4
		for (unsigned s = 0; s < n; s++) {
			abef[s] = _mm_add_epi32(abef[s], abef_was[s]);
			cdgh[s] = _mm_add_epi32(cdgh[s], cdgh_was[s]);
		}
	}
#pragma GCC unroll 4
	for (unsigned s = 0; s < n; s++)
		store_state(state[s], abef[s], cdgh[s]);
}

void lanes_shani_1(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	compress(1, state, p, chunks, ahead);
}

void lanes_shani_2(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	compress(2, state, p, chunks, ahead);
}

void lanes_shani_4(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	compress(4, state, p, chunks, ahead);
}
#endif
