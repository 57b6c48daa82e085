/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_pcr_policy.c - the file of signed PCR policies: what is read is within its bounds */
#include "common/pcr_policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcr_policies p;
	struct err e = ERR_INIT;

	if (pcr_policy_parse(data, size, "input", size % 2 ? PCR_POLICY_CHANNEL : PCR_POLICY_BOOT, &p, &e))
		return 0;
	if (p.n < 1 || p.n > PCR_POLICY_MAX_ENTRIES)
		abort();
	for (size_t i = 0; i < p.n; i++)
		if (!p.v[i].pcrs || p.v[i].pcrs >> 24 || !p.v[i].signature_bytes ||
		    p.v[i].signature_bytes > PCR_POLICY_MAX_SIGNATURE_BYTES)
			abort();
	return 0;
}
