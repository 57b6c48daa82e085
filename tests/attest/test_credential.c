/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_credential.c - what we encrypt to an EK is what TPM 2.0 part 1 section 24 says */
#include "tests/common/check.h"

#include "attest/credential.h"
#include "common/hex.h"

#include <openssl/rsa.h>

/*
 * SEED=000102...1f; NAME=000b$(printf 'aa%.0s' $(seq 32))
 * K="openssl kdf -kdfopt digest:SHA2-256 -kdfopt mac:HMAC -kdfopt mode:COUNTER -kdfopt hexkey:$SEED"
 * S=$($K -keylen 16 -kdfopt salt:STORAGE -kdfopt hexinfo:$NAME KBKDF | tr -d :); I=$($K -keylen 32 -kdfopt
 * salt:INTEGRITY KBKDF | tr -d :) printf '\0\x08attested' | openssl enc -aes-128-cfb -K $S -iv
 * 00000000000000000000000000000000 >enc; xxd -p enc { cat enc; echo -n $NAME | xxd -r -p; } | openssl dgst -sha256 -mac
 * HMAC -macopt hexkey:$I
 */
#define WANT "002c0020492ae8df52004bef3fd97690dbc582ea2fb41b46e2712bb5c23bdcbaf7fb06711e624b874a19322925e8"

static const struct bytes attested = {(const uint8_t *)"attested", 8};

static void fill(uint8_t seed[static CREDENTIAL_SEED_BYTES], uint8_t name[static QUOTE_NAME_BYTES])
{
	for (size_t i = 0; i < CREDENTIAL_SEED_BYTES; i++)
		seed[i] = (uint8_t)i;
	memset(name, 0xaa, QUOTE_NAME_BYTES);
	name[0] = 0x00;
	name[1] = 0x0b;
}

static void the_blob_is_that_of_another_implementation(void **state)
{
	uint8_t seed[CREDENTIAL_SEED_BYTES], name[QUOTE_NAME_BYTES];
	cleanup_buf struct buf blob = BUF_INIT;
	char hex[sizeof(WANT) + 2];
	struct err e = ERR_INIT;

	(void)state;
	fill(seed, name);
	assert_ok(credential_wrap(seed, name, attested, &blob, &e), &e);
	assert_int_equal(blob.len, (sizeof(WANT) - 1) / 2);
	hex_encode(blob.data, blob.len, hex);
	assert_string_equal(hex, WANT);
}

static void the_blob_changes_with_the_name_and_the_seed(void **state)
{
	uint8_t seed[CREDENTIAL_SEED_BYTES], name[QUOTE_NAME_BYTES];
	cleanup_buf struct buf base = BUF_INIT, other_name = BUF_INIT, other_seed = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	fill(seed, name);
	assert_ok(credential_wrap(seed, name, attested, &base, &e), &e);
	name[33] ^= 1;
	assert_ok(credential_wrap(seed, name, attested, &other_name, &e), &e);
	name[33] ^= 1;
	seed[0] ^= 1;
	assert_ok(credential_wrap(seed, name, attested, &other_seed, &e), &e);
	assert_memory_not_equal(base.data, other_name.data, base.len);
	assert_memory_not_equal(base.data, other_seed.data, base.len);
}

static void a_credential_has_1_to_32_bytes(void **state)
{
	uint8_t seed[CREDENTIAL_SEED_BYTES], name[QUOTE_NAME_BYTES], long_one[33] = {0};
	cleanup_buf struct buf blob = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	fill(seed, name);
	assert_refused(credential_wrap(seed, name, ((struct bytes){long_one, 0}), &blob, &e), &e, EINVAL,
		       "1 to 32 bytes, not 0");
	assert_refused(credential_wrap(seed, name, ((struct bytes){long_one, 33}), &blob, &e), &e, EINVAL,
		       "1 to 32 bytes, not 33");
	assert_int_equal(blob.len, 0);
	assert_ok(credential_wrap(seed, name, ((struct bytes){long_one, 32}), &blob, &e), &e);
}

/* The seed comes out with the private key, under the label with its NUL and not without it. */
static void only_the_ek_reads_the_seed(void **state)
{
	cleanup_pkey EVP_PKEY *key = EVP_RSA_gen(2048);
	uint8_t seed[CREDENTIAL_SEED_BYTES], name[QUOTE_NAME_BYTES], out[256];
	cleanup_buf struct buf blob = BUF_INIT, again = BUF_INIT, secret = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	fill(seed, name);
	assert_ok(credential_make(key, name, attested, &blob, &secret, &e), &e);
	assert_int_equal(secret.len, 2 + 256);
	assert_int_equal(secret.data[0] << 8 | secret.data[1], 256);
	for (size_t label_bytes = 9; label_bytes >= 8; label_bytes--) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
		size_t n = sizeof(out);

		assert_true(EVP_PKEY_decrypt_init(ctx) == 1 &&
			    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1);
		assert_true(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1);
		assert_true(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_memdup("IDENTITY", 9), (int)label_bytes) ==
			    1);
		assert_int_equal(EVP_PKEY_decrypt(ctx, out, &n, secret.data + 2, 256) == 1, label_bytes == 9);
		EVP_PKEY_CTX_free(ctx);
		if (label_bytes == 9) {
			assert_int_equal(n, CREDENTIAL_SEED_BYTES);
			assert_ok(credential_wrap(out, name, attested, &again, &e), &e);
			assert_memory_equal(again.data, blob.data, blob.len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_blob_is_that_of_another_implementation),
		cmocka_unit_test(the_blob_changes_with_the_name_and_the_seed),
		cmocka_unit_test(a_credential_has_1_to_32_bytes),
		cmocka_unit_test(only_the_ek_reads_the_seed),
	};

	return cmocka_run_group_tests_name("attest/credential", tests, NULL, NULL);
}
