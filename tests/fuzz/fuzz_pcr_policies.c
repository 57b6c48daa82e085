/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_pcr_policies.c - any document of PCR policies is searched or refused; what is found fits a TPM command */
#include "init/tpm_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pid1_policy_doc doc = { .text = (const char *)data, .bytes = size };
	static const uint8_t zeros[HASH_SHA256_BYTES];
	struct pid1_policy_entry entry;
	struct err e = ERR_INIT;

	if (!pid1_policy_find(&doc, NULL, &entry, &e) &&
	    (!entry.pcrs || entry.pcrs >> 24 || !entry.sig_bytes || entry.sig_bytes > PID1_POLICY_MAX_RSA_BYTES))
		__builtin_trap();
	if (!pid1_policy_find(&doc, zeros, &entry, &e) && !hash_is_zero(entry.digest, sizeof(entry.digest)))
		__builtin_trap();
	return 0;
}
