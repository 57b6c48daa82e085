/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/trust_kernel.c - verity/trust.h where the kernel judges and nobody else ever does (init/uefi_only.c): nothing to verify with,
 * so nothing of OpenSSL's
 */
#include "verity/trust.h"

bool verity_trust_is_direct(void)
{
	return false;
}

int verity_trust_check(const uint8_t root_hash[static HASH_SHA256_BYTES], const void *signature, size_t signature_bytes, struct err *e)
{
	(void)root_hash;
	(void)signature;
	(void)signature_bytes;
	return err_set(e, EPERM, "only the kernel judges root hash signatures here");
}
