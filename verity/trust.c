/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/trust.c - who judges root hash signatures on this machine: the kernel, or, where it has no key of ours, PID 1 */
#include "verity/trust.h"

#include "common/hex.h"

#include <string.h>

static bool direct;
static X509 *direct_signer;

void verity_trust_direct(X509 *signer)
{
	direct = true;
	direct_signer = signer;
}

bool verity_trust_is_direct(void)
{
	return direct;
}

int verity_trust_check(const uint8_t root_hash[static HASH_SHA256_BYTES], const void *signature, size_t signature_bytes,
		       struct err *e)
{
	char hex[2 * HASH_SHA256_BYTES + 1];
	int r;

	if (!direct_signer)
		return err_set(e, EPERM, "in profile direct only PID 1 opens volumes");
	hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	r = pki_verify_detached(direct_signer, hex, strlen(hex), signature, signature_bytes, e);
	if (r != -EBADMSG)
		return r;
	e->code = EKEYREJECTED; /* as the kernel calls it */
	return err_context(e, "root hash signature");
}
