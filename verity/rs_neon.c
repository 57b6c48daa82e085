/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/rs_neon.c - Reed-Solomon with NEON, which every arm64 has: a product is two lookups in tables of 16 bytes */
#ifdef __aarch64__
#include "verity/rs_path.h"

#include <arm_neon.h>

#define INLINE  static inline __attribute__((always_inline))
#define RS_NAME rs_divide_neon

typedef uint8x16_t vec;
struct coef {
	vec low, high;
};
struct split {
	vec low, high;
};

INLINE vec vec_load(const uint8_t *p)
{
	return vld1q_u8(p);
}

INLINE void vec_store(uint8_t *p, vec x)
{
	vst1q_u8(p, x);
}

INLINE vec vec_xor(vec a, vec b)
{
	return veorq_u8(a, b);
}

INLINE struct coef coef_load(const struct verity_rs *rs, unsigned i)
{
	return (struct coef){vld1q_u8(rs->nibble[i]), vld1q_u8(rs->nibble[i] + 16)};
}

INLINE struct split split(vec x)
{
	return (struct split){vandq_u8(x, vdupq_n_u8(0x0f)), vshrq_n_u8(x, 4)};
}

INLINE vec times(struct split x, struct coef k)
{
	return veorq_u8(vqtbl1q_u8(k.low, x.low), vqtbl1q_u8(k.high, x.high));
}

#include "verity/rs_wide.h"
#endif
