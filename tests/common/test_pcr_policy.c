/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/common/test_pcr_policy.c - signed PCR policies: digests as tpm2-tools have them, files good and bad
 *
 * Known answers, tpm2-tools 5.4 with swtpm; signer.pem is the public half of a throw-away key:
 *   printf of 32 times A and 32 times B >pcrs; printf holdfast-channel >ref
 *   tpm2_createpolicy --policy-pcr -l sha256:7,11 -f pcrs -L pol
 *   tpm2_loadexternal -C o -u signer.tpm -c k -n name     (signer.tpm: pcr_policy_public()'s bytes, exponent written as 0)
 *   tpm2_startauthsession -S s; tpm2_policyauthorize -S s -L auth -i pol -q ref -n name
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/pcr_policy.h"

#include <openssl/pem.h>

#define DATA "tests/data/pcr-policy/"

static EVP_PKEY *signer(void)
{
	FILE *f = fopen(DATA "signer.pem", "r");
	EVP_PKEY *key;

	assert_non_null(f);
	key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
	assert_int_equal(fclose(f), 0);
	assert_non_null(key);
	return key;
}

static void assert_hex(const uint8_t *bytes, size_t n, const char *want)
{
	char hex[256];

	assert_true(2 * n < sizeof(hex));
	hex_encode(bytes, n, hex);
	assert_string_equal(hex, want);
}

static void digests_and_names_are_those_of_tpm2_tools(void **state)
{
	uint8_t value[2][HASH_SHA256_BYTES], digest[HASH_SHA256_BYTES];
	cleanup_buf struct buf public = BUF_INIT;
	EVP_PKEY *key = signer();
	struct err e = ERR_INIT;

	(void)state;
	memset(value[0], 'A', sizeof(value[0]));
	memset(value[1], 'B', sizeof(value[1]));
	pcr_policy_digest(1u << 7 | 1u << 11, (const uint8_t(*)[HASH_SHA256_BYTES])value, digest);
	assert_hex(digest, sizeof(digest), "469128f0d1d2228fbca2032a708dbf3b316462af99b270ee561186dad8c4942a");
	assert_ok(pcr_policy_public(key, &public, &e), &e);
	hash_sha256(public.data + 2, public.len - 2, digest);
	assert_hex(digest, sizeof(digest), "8979244cac86f21fa794571b7be18edada1701743b32a799a4f0c4a575786af0");
	assert_ok(pcr_policy_authorize(key, PCR_POLICY_CHANNEL, digest, &e), &e);
	assert_hex(digest, sizeof(digest), "1def22abd6e1dc82cc6f590d6a1a380e429bb8c2ff0cecb7a00498c1883422f6");
	EVP_PKEY_free(key);
}

static void what_is_written_is_read_and_its_signature_is_over_policy_and_reference(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct pcr_policies p = {.n = 2, .v = {{.pcrs = 0x880, .digest = {1}}, {.pcrs = 0x800, .digest = {2}}}}, back;
	uint8_t text[HASH_SHA256_BYTES + 16];
	cleanup_buf struct buf doc = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < p.n; i++)
		assert_ok(pcr_policy_sign(key, PCR_POLICY_CHANNEL, &p.v[i], &e), &e);
	buf_str(&doc, "{\"sha256\":[{\"any\":1}]}");
	assert_ok(pcr_policy_add(&p, key, PCR_POLICY_CHANNEL, &doc, &e), &e);
	assert_memory_equal(doc.data, "{\"sha256\":[{\"any\":1}],\"holdfast-channel\":[{\"pcrs\":[7,11],\"pkfp\":\"", 62);
	assert_ok(pcr_policy_parse(doc.data, doc.len, "doc", PCR_POLICY_CHANNEL, &back, &e), &e);
	assert_int_equal(back.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(back.v[i].pcrs, p.v[i].pcrs);
		assert_memory_equal(back.v[i].digest, p.v[i].digest, HASH_SHA256_BYTES);
		assert_int_equal(back.v[i].signature_bytes, 256);
		assert_memory_equal(back.v[i].signature, p.v[i].signature, 256);
	}
	memcpy(text, p.v[0].digest, HASH_SHA256_BYTES);
	memcpy(text + HASH_SHA256_BYTES, "holdfast-channel", 16);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(ctx, back.v[0].signature, 256, text, sizeof(text)), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void a_state_signed_for_one_use_is_not_read_nor_verified_for_another(void **state)
{
	static const char *const reference[] = {PCR_POLICY_BOOT, PCR_POLICY_CHANNEL};
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct pcr_policies p = {.n = 1, .v = {{.pcrs = 0x880, .digest = {1}}}}, back;
	uint8_t digest[2][HASH_SHA256_BYTES];
	cleanup_buf struct buf doc = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	buf_str(&doc, "{}");
	for (size_t i = 0; i < 2; i++) {
		p.v[0].digest[1] = (uint8_t)i;
		assert_ok(pcr_policy_sign(key, reference[i], &p.v[0], &e), &e);
		if (i)
			assert_refused(pcr_policy_parse(doc.data, doc.len, "doc", reference[i], &back, &e), &e, EINVAL, "holdfast-channel");
		assert_ok(pcr_policy_add(&p, key, reference[i], &doc, &e), &e);
		assert_ok(pcr_policy_authorize(key, reference[i], digest[i], &e), &e);
	}
	assert_memory_not_equal(digest[0], digest[1], sizeof(digest[0]));
	assert_memory_equal(doc.data, "{\"sha256\":[{\"pcrs\":[7,11],", 26);
	for (size_t i = 0; i < 2; i++) {
		assert_ok(pcr_policy_parse(doc.data, doc.len, "doc", reference[i], &back, &e), &e);
		assert_int_equal(back.n, 1);
		assert_int_equal(back.v[0].digest[1], i);
		for (size_t k = 0; k < 2; k++) { /* the signature is over policy and reference: good for its own alone */
			EVP_MD_CTX *ctx = EVP_MD_CTX_new();
			cleanup_buf struct buf text = BUF_INIT;

			buf_put(&text, back.v[0].digest, HASH_SHA256_BYTES);
			buf_str(&text, reference[k]);
			assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
			assert_int_equal(EVP_DigestVerify(ctx, back.v[0].signature, 256, text.data, text.len) == 1, i == k);
			EVP_MD_CTX_free(ctx);
		}
	}
	EVP_PKEY_free(key);
}

static void a_key_that_is_not_rsa_signs_nothing(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct pcr_policy p = {.pcrs = 1};
	cleanup_buf struct buf public = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(pcr_policy_public(key, &public, &e), &e, EINVAL, "RSA keys of 2048 to 4096 bits");
	assert_refused(pcr_policy_sign(key, PCR_POLICY_CHANNEL, &p, &e), &e, EINVAL, "an RSA key is wanted");
	EVP_PKEY_free(key);
}

static void files_good_and_bad(void **state)
{
	static const struct {
		const char *file, *part;
	} cases[] = {
		{"good-one-state.json", NULL},
		{"bad-systemds-alone.json", "holdfast-channel"},
		{"bad-no-states.json", "0 signed states, wanted 1 to 8"},
		{"bad-nine-states.json", "9 signed states, wanted 1 to 8"},
		{"bad-pcr-24.json", "pcrs[1] is no PCR from 0 to 23"},
		{"bad-pcrs-descend.json", "in ascending order"},
		{"bad-no-pcr.json", "names no PCR"},
		{"bad-base64.json", "not the base64"},
		{"bad-signature-empty.json", "not the base64"},
		{"bad-signature-too-long.json", "sig"},
		{"bad-policy-short.json", "pol"},
		{"bad-unknown-key.json", "extra"},
		{"bad-list.json", "no JSON object"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf text = BUF_INIT;
		struct pcr_policies p;
		char path[128];
		struct err e = ERR_INIT;
		int rc;

		(void)snprintf(path, sizeof(path), DATA "%s", cases[i].file);
		assert_ok(file_read(path, 65536, &text, &e), &e);
		rc = pcr_policy_parse(text.data, text.len, path, PCR_POLICY_CHANNEL, &p, &e);
		if (!cases[i].part)
			assert_ok(rc, &e);
		else
			assert_refused(rc, &e, EINVAL, cases[i].part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_and_names_are_those_of_tpm2_tools),
		cmocka_unit_test(what_is_written_is_read_and_its_signature_is_over_policy_and_reference),
		cmocka_unit_test(a_state_signed_for_one_use_is_not_read_nor_verified_for_another),
		cmocka_unit_test(a_key_that_is_not_rsa_signs_nothing),
		cmocka_unit_test(files_good_and_bad),
	};

	return cmocka_run_group_tests_name("common/pcr_policy", tests, NULL, NULL);
}
