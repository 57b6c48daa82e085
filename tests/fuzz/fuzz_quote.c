/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_quote.c - any bytes as a quote, as a public area, as a key of PEM, and as a signature */
#include "attest/quote.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct quote_ak ec; /* a sound key that no input can have signed with */
	cleanup_quote_ak struct quote_ak ak = {0};
	struct bytes b = {data, size};
	struct err e = ERR_INIT;
	struct quote q;

	if (!ec.key) {
		const struct quote_scheme ecdsa = {QUOTE_ECDSA, HASH_SHA256};
		EVP_PKEY *key = EVP_EC_gen("P-256");

		if (!key || quote_ak_from_key(key, &ecdsa, &ec, &e))
			abort();
		EVP_PKEY_free(key);
	}
	if (!quote_parse(b, &q, &e) && q.signer.n > size)
		abort();
	if (!quote_ak_parse(b, &ak, &e) && !ak.key)
		abort();
	{
		const struct quote_scheme any = {0, HASH_SHA256};
		cleanup_quote_ak struct quote_ak spki = {0};

		if (!quote_ak_from_spki(b, &any, &spki, &e) && !spki.key)
			abort();
	}
	if (!quote_verify(&ec, (struct bytes){(const uint8_t *)"x", 1}, b, &e))
		abort();
	return 0;
}
