/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_pcr_values.c - any bytes are PCR values or refused; what was read can be found again */
#include "attest/pcr_values.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pcr_values v; /* large */
	struct err e = ERR_INIT;

	if (pcr_values_parse((struct bytes){data, size}, "f", &v, &e))
		return 0;
	for (size_t i = 0; i < v.n; i++)
		if (v.v[i].pcr >= REPLAY_PCRS || !hash_bytes(v.v[i].alg) ||
		    pcr_values_find(&v, v.v[i].alg, v.v[i].pcr) != &v.v[i])
			abort();
	return 0;
}
