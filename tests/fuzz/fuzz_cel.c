/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_cel.c - a record that parses encodes to the bytes it came from */
#include "common/cel.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	struct err e = ERR_INIT;
	struct cel_record rec;
	size_t at = 0;

	for (uint64_t n = 0; cel_next(&r, n, &rec, &e) == 1; n++) {
		uint8_t again[CEL_MAX_RECORD_BYTES];
		size_t len = cel_encode(&rec, again);

		if (len != reader_offset(&r) - at || memcmp(again, data + at, len))
			abort();
		at += len;
	}
	return 0;
}
