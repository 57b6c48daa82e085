/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_verity_superblock.c - a superblock that parses encodes to the bytes it came from */
#include "verity/superblock.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[VERITY_SB_BYTES];
	struct err e = ERR_INIT;
	struct verity_sb sb;

	if (verity_sb_parse(data, size, "fuzz", &sb, &e))
		return 0;
	verity_sb_encode(&sb, again);
	if (memcmp(again, data, sizeof(again)) || verity_sb_data_bytes(&sb) > VERITY_MAX_DATA_BYTES)
		abort();
	return 0;
}
