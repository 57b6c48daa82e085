/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_verity_rs.c - decoding ends in codewords, or leaves what it cannot correct as it was
 *
 * Input: roots, number of erasures, the erasures, then bytes of up to three codewords, row after row; what is missing is
 * zero. Bit 7 of the first byte takes a row away (NULL).
 */
#include "verity/rs.h"

#include <stdlib.h>
#include <string.h>

#define WORDS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t data_rows[VERITY_RS_CODEWORD_BYTES][WORDS], parity[VERITY_RS_MAX_ROOTS * WORDS];

static void read_input(const uint8_t *data, size_t size, const struct verity_rs *rs)
{
	memset(data_rows, 0, sizeof(data_rows));
	memset(parity, 0, sizeof(parity));
	memcpy(data_rows, data, size < sizeof(data_rows) ? size : sizeof(data_rows));
	for (unsigned c = 0; c < WORDS; c++)
		for (unsigned k = 0; k < rs->roots; k++)
			parity[c * rs->roots + k] = data_rows[rs->rows + k][c];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *rows[VERITY_RS_CODEWORD_BYTES], was[sizeof(parity)], again[sizeof(parity)], erasures[32];
	uint8_t rows_was[VERITY_RS_CODEWORD_BYTES][WORDS];
	struct verity_rs_words w = {rows, parity, WORDS, erasures, 0};
	struct verity_rs_result found;
	struct err e = ERR_INIT;
	struct verity_rs rs;
	size_t bad = 0, bytes = 0;
	int r;

	if (size < 2 || verity_rs_init(&rs, 2 + data[0] % 23, NULL, &e))
		return 0;
	w.n_erasures = data[1] % 28;
	if (size < 2 + w.n_erasures)
		return 0;
	memcpy(erasures, data + 2, w.n_erasures);
	read_input(data + 2 + w.n_erasures, size - 2 - w.n_erasures, &rs);
	for (unsigned j = 0; j < rs.rows; j++)
		rows[j] = data_rows[j];
	if (data[0] & 0x80) {
		rows[7] = NULL;
		memset(data_rows[7], 0, WORDS);
	}
	memcpy(was, parity, sizeof(was));
	memcpy(rows_was, data_rows, sizeof(rows_was));
	r = verity_rs_decode(&rs, &w, &found);
	if (r == -EINVAL)
		return 0;
	verity_rs_encode(&rs, (const uint8_t *const *)rows, WORDS, again);
	for (unsigned c = 0; c < WORDS; c++) {
		size_t changed = 0;

		for (unsigned j = 0; j < rs.rows; j++)
			changed += rows_was[j][c] != data_rows[j][c];
		for (unsigned k = 0; k < rs.roots; k++)
			changed += was[c * rs.roots + k] != parity[c * rs.roots + k];
		bytes += changed;
		if (memcmp(again + c * rs.roots, parity + c * rs.roots, rs.roots) == 0)
			continue;
		bad++;
		if (changed)
			abort(); /* neither a codeword nor left alone */
	}
	if (bad != found.uncorrectable || bytes != found.bytes || (r == -EBADMSG) != (bad > 0) || (r >= 0 && (size_t)r != bytes) ||
	    found.clean + found.corrected + found.uncorrectable != WORDS)
		abort();
	return 0;
}
