/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/rs_correct.h - arithmetic of GF(256), and finding the errors of one codeword
 *
 * Input: hostile; a codeword's errors are whatever they are.
 * Spec: R. Blahut, Algebraic Codes for Data Transmission, chapters 7.2 (Berlekamp-Massey with erasures) and 7.5 (Forney).
 */
#ifndef VERITY_RS_CORRECT_H
#define VERITY_RS_CORRECT_H

#include "verity/rs.h"

/* struct rs_errors - @n bytes of a codeword, at positions @at, that are wrong by @value */
struct rs_errors {
	unsigned n;
	uint8_t at[VERITY_RS_MAX_ROOTS];
	uint8_t value[VERITY_RS_MAX_ROOTS];
};

/** rs_tables_init() - must have been called once before anything else of this file. */
void rs_tables_init(void);

/** rs_mul() - product in GF(256). rs_power() - 2 to the @n-th. */
uint8_t rs_mul(uint8_t a, uint8_t b);
uint8_t rs_power(unsigned n);

/**
 * rs_locate() - the errors behind a remainder
 * @remainder: @roots bytes, the parity found minus the parity computed; not all zero
 * @erasures:  @n_erasures positions, different, at most @roots
 *
 * Whatever is given out makes all syndromes zero when applied. Return: true; false: uncorrectable.
 */
bool rs_locate(unsigned roots, const uint8_t *remainder, const uint8_t *erasures, size_t n_erasures,
	       struct rs_errors *ret);

#endif
