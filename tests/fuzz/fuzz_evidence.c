/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_evidence.c - evidence: what parses must be written back to the same bytes */
#include "attest/evidence.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_buf struct buf again = BUF_INIT;
	struct err e = ERR_INIT;
	struct evidence ev;

	if (evidence_parse(data, size, &ev, &e) < 0)
		return 0;
	if (evidence_encode(&ev, &again, &e) < 0 || again.len != size || memcmp(again.data, data, size))
		abort();
	return 0;
}
