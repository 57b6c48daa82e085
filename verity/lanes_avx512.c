/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/lanes_avx512.c - SHA-256 of 16 messages side by side in AVX-512 registers */
#ifdef __x86_64__
#define WIDE_LANES 16
#define WIDE_NAME  lanes_avx512_16
#include "verity/lanes_wide.h"
#endif
