/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_verity_fec.c - numbers of a volume, and codewords with any damage: what decodes is a codeword
 *
 * Bytes: 0 roots, 1 number of erasures, 2.. the erasures, then damage as pairs of place and byte. The rest of the numbers are
 * taken from the same bytes for verity_fec_cover(), which must refuse or give sizes that do not overflow.
 */
#include "verity/fec.h"
#include "verity/rs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(unsigned roots, const uint8_t *data, size_t size)
{
	static uint8_t row[VERITY_RS_CODEWORD_BYTES][2];
	uint8_t *rows[VERITY_RS_CODEWORD_BYTES], parity[2 * VERITY_RS_MAX_ROOTS], again[2 * VERITY_RS_MAX_ROOTS];
	struct verity_rs_words w = {.rows = rows, .parity = parity, .width = 2};
	struct verity_rs_result res;
	struct err e = ERR_INIT;
	static struct verity_rs codes[VERITY_RS_MAX_ROOTS + 1];
	struct verity_rs rs;
	int r;

	if (roots < VERITY_RS_MIN_ROOTS || roots > VERITY_RS_MAX_ROOTS ||
	    (!codes[roots].roots && verity_rs_init(&codes[roots], roots, NULL, &e)))
		return;
	rs = codes[roots];
	for (unsigned i = 0; i < rs.rows; i++) {
		rows[i] = row[i];
		row[i][0] = (uint8_t)(i * 7), row[i][1] = (uint8_t)(i ^ roots);
	}
	verity_rs_encode(&rs, (const uint8_t *const *)rows, 2, parity);
	w.n_erasures = size > 1 ? data[1] % 26 : 0;
	w.erasures = size > 2 + w.n_erasures ? data + 2 : NULL;
	if (!w.erasures)
		w.n_erasures = 0;
	for (size_t i = 2 + w.n_erasures; i + 1 < size; i += 2) {
		unsigned at = data[i] % VERITY_RS_CODEWORD_BYTES;

		if (at < rs.rows)
			row[at][0] ^= data[i + 1];
		else
			parity[at - rs.rows] ^= data[i + 1];
	}
	r = verity_rs_decode(&rs, &w, &res);
	if (r == -EINVAL)
		return;
	if (res.clean + res.corrected + res.uncorrectable != 2 || res.clean < 1 || (r >= 0) != !res.uncorrectable)
		abort();
	verity_rs_encode(&rs, (const uint8_t *const *)rows, 2, again);
	if (r >= 0 && memcmp(parity, again, 2 * roots))
		abort();
}

static void cover(const uint8_t *data, size_t size)
{
	struct verity_fec f = {.data.name = "data", .hash.name = "hash", .parity.name = "parity"};
	uint64_t n[6] = {0};
	struct err e = ERR_INIT;
	static int fd = -1;

	memcpy(n, data, size < sizeof(n) ? size : sizeof(n));
	if (fd < 0)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	f.data.fd = f.hash.fd = f.parity.fd = fd;
	f.roots = (unsigned)(n[0] & 31);
	f.block_bytes = f.hash_block_bytes = (uint32_t)1 << (n[0] >> 5 & 31);
	f.data_blocks = n[1];
	f.hash_start_bytes = n[2];
	f.tree_blocks = n[3];
	f.parity_offset_bytes = n[4];
	if (verity_fec_cover(&f, &e))
		return;
	if (verity_fec_rounds(&f) * (255 - f.roots) < f.data_blocks + f.hash_blocks ||
	    (f.data_blocks + f.hash_blocks) > INT64_MAX / f.block_bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	decode(data[0] % 26, data, size);
	cover(data, size);
	return 0;
}
