/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/rs_correct.c - arithmetic of GF(256), and finding the errors of one codeword */
#include "verity/rs_correct.h"

#include <string.h>

#define FIELD      0x11d /* x^8 + x^4 + x^3 + x^2 + 1 */
#define ORDER      255   /* of 2, which generates the field */
#define MAX_COEFFS (VERITY_RS_MAX_ROOTS + 1)

static uint8_t power_of[2 * ORDER]; /* twice over, so that a sum of two logarithms needs no remainder */
static uint8_t log_of[256];         /* log_of[0] is never used */
static uint8_t by_power[MAX_COEFFS][256]; /* products with 2^i */

void rs_tables_init(void)
{
	unsigned x = 1;

	for (unsigned i = 0; i < ORDER; i++) {
		power_of[i] = power_of[i + ORDER] = (uint8_t)x;
		log_of[x] = (uint8_t)i;
		x = x & 0x80 ? x << 1 ^ FIELD : x << 1;
	}
	for (unsigned i = 0; i < MAX_COEFFS; i++)
		for (unsigned a = 0; a < 256; a++)
			by_power[i][a] = rs_mul((uint8_t)a, power_of[i]);
}

uint8_t rs_mul(uint8_t a, uint8_t b)
{
	return a && b ? power_of[log_of[a] + log_of[b]] : 0;
}

uint8_t rs_power(unsigned n)
{
	return power_of[n % ORDER];
}

static uint8_t divide(uint8_t a, uint8_t b) /* b is not 0 */
{
	return a ? power_of[log_of[a] + ORDER - log_of[b]] : 0;
}

/* Byte j of a codeword is the coefficient of x^(254 - j): its locator is 2^(254 - j). */
static uint8_t locator_of(unsigned at)
{
	return power_of[VERITY_RS_CODEWORD_BYTES - 1 - at];
}

static uint8_t evaluate(const uint8_t *poly, unsigned n, uint8_t x)
{
	uint8_t y = 0;

	while (n--)
		y = rs_mul(y, x) ^ poly[n];
	return y;
}

/* Berlekamp-Massey, begun with the erasures: the polynomial whose roots are the inverse locators. */
static void find_locator_poly(unsigned roots, const uint8_t *syndrome, const uint8_t *erasures, unsigned n_erasures,
			      uint8_t lambda[static MAX_COEFFS])
{
	uint8_t b[MAX_COEFFS], t[MAX_COEFFS];
	unsigned errors = n_erasures;

	memset(lambda, 0, MAX_COEFFS);
	lambda[0] = 1;
	for (unsigned k = 0; k < n_erasures; k++)
		for (unsigned i = k + 1; i > 0; i--)
			lambda[i] ^= rs_mul(lambda[i - 1], locator_of(erasures[k]));
	memcpy(b, lambda, sizeof(b));
	for (unsigned r = n_erasures + 1; r <= roots; r++) {
		uint8_t discrepancy = 0;

		for (unsigned i = 0; i < r && i <= errors; i++) /* @errors is the degree at most */
			discrepancy ^= rs_mul(lambda[i], syndrome[r - 1 - i]);
		memmove(b + 1, b, sizeof(b) - 1);
		b[0] = 0;
		if (!discrepancy)
			continue;
		for (unsigned i = 0; i < MAX_COEFFS; i++)
			t[i] = lambda[i] ^ rs_mul(discrepancy, b[i]);
		if (2 * errors <= r + n_erasures - 1) {
			errors = r + n_erasures - errors;
			for (unsigned i = 0; i < MAX_COEFFS; i++)
				b[i] = divide(lambda[i], discrepancy);
		}
		memcpy(lambda, t, sizeof(t));
	}
}

/* All positions whose inverse locator is a root of @lambda; there must be as many as its degree. */
static bool find_positions(const uint8_t *lambda, unsigned degree, struct rs_errors *ret)
{
	uint8_t term[MAX_COEFFS];

	ret->n = 0;
	memcpy(term, lambda, sizeof(term));
	for (unsigned at = 0; at < VERITY_RS_CODEWORD_BYTES && ret->n < degree; at++) {
		uint8_t sum = term[0];

		for (unsigned i = 1; i <= degree; i++) { /* the inverse locator of position j is 2^(j + 1) */
			term[i] = by_power[i][term[i]];
			sum ^= term[i];
		}
		if (!sum)
			ret->at[ret->n++] = (uint8_t)at;
	}
	return ret->n == degree;
}

/* Forney: the value at each position. */
static bool find_values(unsigned roots, const uint8_t *syndrome, const uint8_t *lambda, unsigned degree,
			struct rs_errors *ret)
{
	uint8_t omega[VERITY_RS_MAX_ROOTS], derivative[MAX_COEFFS] = {0};

	for (unsigned i = 0; i < roots; i++) {
		omega[i] = 0;
		for (unsigned j = 0; j <= i && j <= degree; j++)
			omega[i] ^= rs_mul(lambda[j], syndrome[i - j]);
	}
	for (unsigned i = 1; i <= degree; i += 2)
		derivative[i - 1] = lambda[i];
	for (unsigned k = 0; k < ret->n; k++) {
		uint8_t x = locator_of(ret->at[k]), inverse = power_of[ret->at[k] + 1];
		uint8_t slope = evaluate(derivative, degree, inverse);

		if (!slope)
			return false;
		ret->value[k] = rs_mul(x, divide(evaluate(omega, roots, inverse), slope));
	}
	return true;
}

/* Do these errors have these syndromes? And are there no more of them than the code can tell apart? */
static bool explains(unsigned roots, const uint8_t *syndrome, unsigned n_erasures, const struct rs_errors *errors)
{
	uint8_t term[VERITY_RS_MAX_ROOTS]; /* value times locator to the i-th */

	memcpy(term, errors->value, errors->n);
	if (2 * (errors->n - n_erasures) + n_erasures > roots)
		return false;
	for (unsigned i = 0; i < roots; i++) {
		uint8_t sum = syndrome[i];

		for (unsigned k = 0; k < errors->n; k++) {
			sum ^= term[k];
			term[k] = rs_mul(term[k], locator_of(errors->at[k]));
		}
		if (sum)
			return false;
	}
	return true;
}

/* The common case at once: one error of value e at locator X has the syndromes e, e X, e X^2 ... */
static bool find_single(unsigned roots, const uint8_t *syndrome, struct rs_errors *ret)
{
	if (!syndrome[0] || !syndrome[1])
		return false;
	ret->n = 1;
	ret->value[0] = syndrome[0];
	ret->at[0] = (uint8_t)(VERITY_RS_CODEWORD_BYTES - 1 - log_of[divide(syndrome[1], syndrome[0])]);
	return explains(roots, syndrome, 0, ret);
}

bool rs_locate(unsigned roots, const uint8_t *remainder, const uint8_t *erasures, size_t n_erasures,
	       struct rs_errors *ret)
{
	uint8_t syndrome[VERITY_RS_MAX_ROOTS], lambda[MAX_COEFFS];
	unsigned degree = 0;

	memset(syndrome, 0, sizeof(syndrome));
	for (unsigned k = 0; k < roots; k++)
		for (unsigned i = 0; i < roots; i++)
			syndrome[i] = by_power[i][syndrome[i]] ^ remainder[k];
	if (n_erasures == 0 && find_single(roots, syndrome, ret))
		return true;
	find_locator_poly(roots, syndrome, erasures, (unsigned)n_erasures, lambda);
	for (unsigned i = 1; i < MAX_COEFFS; i++)
		if (lambda[i])
			degree = i;
	if (degree == 0 || degree > roots || degree < n_erasures)
		return false;
	return find_positions(lambda, degree, ret) && find_values(roots, syndrome, lambda, degree, ret) &&
	       explains(roots, syndrome, (unsigned)n_erasures, ret);
}
