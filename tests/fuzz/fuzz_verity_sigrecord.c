/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_verity_sigrecord.c - a record that parses survives being written and read again */
#include "verity/sigrecord.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct verity_sigrecord rec, again;
	struct err e = ERR_INIT;

	if (verity_sigrecord_parse(data, size, "fuzz", &rec, &e))
		return 0;
	if (verity_sigrecord_encode(&rec, VERITY_SIGRECORD_PARTITION_BYTES, &b, &e) ||
	    verity_sigrecord_parse(b.data, b.len, "again", &again, &e) ||
	    again.signature_bytes != rec.signature_bytes ||
	    memcmp(again.signature, rec.signature, rec.signature_bytes) || memcmp(again.root_hash, rec.root_hash, 32))
		abort();
	return 0;
}
