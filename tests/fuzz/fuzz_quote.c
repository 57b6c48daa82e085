/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_quote.c - any bytes as a quote, as a public area, and as a signature */
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
		ec.type = QUOTE_KEY_P256;
		ec.scheme = QUOTE_ECDSA;
		ec.hash = HASH_SHA256;
		ec.bits = 256;
		ec.key = EVP_EC_gen("P-256");
	}
	if (!quote_parse(b, &q, &e) && q.signer.n > size)
		abort();
	if (!quote_ak_parse(b, &ak, &e) && !ak.key)
		abort();
	if (!quote_verify(&ec, (struct bytes){(const uint8_t *)"x", 1}, b, &e))
		abort();
	return 0;
}
