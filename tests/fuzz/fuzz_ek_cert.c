/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_ek_cert.c - the bytes of the EK certificate's NV index, and the EK's public area */
#include "attest/ek_cert.h"
#include "attest/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes b = {data, size};
	cleanup_ek_public struct ek_public ek = {0};
	cleanup_x509 X509 *cert = NULL;
	cleanup_pkey EVP_PKEY *key = NULL;
	struct err e = ERR_INIT;

	if (ek_public_parse(&b, &ek, &e) == 0)
		return 0;
	if (ek_cert_parse(&b, &cert, &e) < 0)
		return 0;
	/* Everything that is judged before the chain; a key that is not ours stops most of them here. */
	key = X509_get_pubkey(cert);
	ek.key = key;
	(void)!ek_cert_verify(cert, &ek, "/dev/null", &e); /* any verdict will do, none may crash */
	ek.key = NULL;
	return 0;
}
