/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_rsassa.c - any number, or any encoding signed with the private key, judged as OpenSSL's EVP judges it
 *
 * First byte odd: the rest is a signature. Even: the second byte says where the rest is laid over the right encoding.
 */
#include "attest/rsassa.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES = 256 };

static EVP_PKEY_CTX *raw, *evp;
static struct rsassa *ours;
static const uint8_t digest[32] = "thirty-two bytes of some digest";

static void must(int ok)
{
	if (ok != 1)
		abort();
}

static void make_ready(void)
{
	EVP_PKEY *key = EVP_RSA_gen(8 * BYTES);
	BIGNUM *n = NULL, *e = NULL;
	struct err err = ERR_INIT;

	must(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n));
	must(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e));
	must(rsassa_new(n, e, &ours, &err) == 0);
	raw = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	must(EVP_PKEY_sign_init(raw));
	must(EVP_PKEY_CTX_set_rsa_padding(raw, RSA_NO_PADDING));
	evp = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	must(EVP_PKEY_verify_init(evp));
	must(EVP_PKEY_CTX_set_rsa_padding(evp, RSA_PKCS1_PADDING));
	must(EVP_PKEY_CTX_set_signature_md(evp, EVP_sha256()));
	BN_free(n);
	BN_free(e);
	EVP_PKEY_free(key);
}

/* The encoding with @size bytes of @data over it. Return: is it still the right one? */
static int signed_encoding(const uint8_t *data, size_t size, size_t at, uint8_t *sig)
{
	static const uint8_t tail[] = {0, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	uint8_t em[BYTES], right[BYTES];
	size_t n = BYTES;

	memset(right, 0xff, sizeof(right));
	right[0] = 0;
	right[1] = 1;
	memcpy(right + BYTES - 32 - sizeof(tail), tail, sizeof(tail));
	memcpy(right + BYTES - 32, digest, 32);
	memcpy(em, right, sizeof(em));
	memcpy(em + at, data, size < BYTES - at ? size : BYTES - at);
	if (em[0] > 0x7f)
		em[0] = 0x7f; /* below any modulus of this size */
	must(EVP_PKEY_sign(raw, sig, &n, em, sizeof(em)));
	return !memcmp(em, right, sizeof(em));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sig[BYTES];
	struct err e = ERR_INIT;
	int right = 0, good;

	if (!ours)
		make_ready();
	if (size < 2)
		return 0;
	if (data[0] & 1) {
		good = rsassa_verify(ours, HASH_SHA256, digest, data + 1, size - 1, &e) == 0;
		if (good != (EVP_PKEY_verify(evp, data + 1, size - 1, digest, sizeof(digest)) == 1))
			abort();
		return 0;
	}
	right = signed_encoding(data + 2, size - 2, data[1], sig);
	good = rsassa_verify(ours, HASH_SHA256, digest, sig, sizeof(sig), &e) == 0;
	if (good != right || good != (EVP_PKEY_verify(evp, sig, sizeof(sig), digest, sizeof(digest)) == 1))
		abort();
	return 0;
}
