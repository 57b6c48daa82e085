/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/lanes_armv8.c - SHA-256 by the SHA-2 instructions of ARMv8, 1, 2 or 4 messages side by side
 *
 * sha256h takes several cycles, and each waits for the one before it; messages side by side fill the gaps.
 * Spec: Arm ARM (DDI 0487), SHA256H, SHA256H2, SHA256SU0, SHA256SU1; FIPS 180-4, section 6.2.2.
 */
#include "verity/lanes_path.h"

#ifdef __aarch64__
#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

INLINE void compress(const unsigned n, uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	uint32x4_t abcd[4], efgh[4];

#pragma GCC unroll 4
	for (unsigned s = 0; s < n; s++) {
		abcd[s] = vld1q_u32(state[s]);
		efgh[s] = vld1q_u32(state[s] + 4);
	}
	for (size_t at = 0; at < chunks * LANES_CHUNK; at += LANES_CHUNK) {
		uint32x4_t w[4][4], abcd_was[4], efgh_was[4];

#pragma GCC unroll 4
		for (unsigned s = 0; s < n; s++) {
			abcd_was[s] = abcd[s];
			efgh_was[s] = efgh[s];
			if (ahead)
				__builtin_prefetch(p[s] + at + ahead, 0, 2);
		}
#pragma GCC unroll 16
		for (unsigned g = 0; g < 16; g++) {
			const uint32x4_t k = vld1q_u32(lanes_k + 4 * g);

#pragma GCC unroll 4
			for (unsigned s = 0; s < n; s++) {
				uint32x4_t wk, abcd_old = abcd[s];

				if (g < 4)
					w[s][g] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p[s] + at + 16 * g)));
				wk = vaddq_u32(w[s][g & 3], k);
				abcd[s] = vsha256hq_u32(abcd[s], efgh[s], wk);
				efgh[s] = vsha256h2q_u32(efgh[s], abcd_old, wk);
				if (g >= 3 && g < 15)
					w[s][(g + 1) & 3] = vsha256su1q_u32(vsha256su0q_u32(w[s][(g + 1) & 3], w[s][(g + 2) & 3]),
									    w[s][(g + 3) & 3], w[s][g & 3]);
			}
		}
#pragma GCC unroll 4
		for (unsigned s = 0; s < n; s++) {
			abcd[s] = vaddq_u32(abcd[s], abcd_was[s]);
			efgh[s] = vaddq_u32(efgh[s], efgh_was[s]);
		}
	}
#pragma GCC unroll 4
	for (unsigned s = 0; s < n; s++) {
		vst1q_u32(state[s], abcd[s]);
		vst1q_u32(state[s] + 4, efgh[s]);
	}
}

void lanes_armv8_1(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	compress(1, state, p, chunks, ahead);
}

void lanes_armv8_2(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	compress(2, state, p, chunks, ahead);
}

void lanes_armv8_4(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	compress(4, state, p, chunks, ahead);
}
#endif
