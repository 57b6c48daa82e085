/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/lanes_avx2.c - SHA-256 of 8 messages side by side in AVX2 registers */
#ifdef __x86_64__
#define WIDE_LANES 8
#define WIDE_NAME  lanes_avx2_8
#include "verity/lanes_wide.h"
#endif
