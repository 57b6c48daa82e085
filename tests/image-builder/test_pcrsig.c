/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_pcrsig.c - signed PCR policies: one for each phase, as OpenSSL checks them */
#include "tests/image-builder/make.h"

#include "common/hex.h"
#include "common/json.h"
#include "common/pcr_policy.h"
#include "image-builder/pcrsig.h"

#include <string.h>

/* A prediction by hand: one event in PCR 7, one before the phases in PCR 11. */
static void predict_small(struct predict *p, bool uefi)
{
	static struct predict_event seven[1], eleven[1 + MEASURE_READY + 1], fifteen[2];

	memset(seven, 7, sizeof(seven));
	memset(eleven, 11, sizeof(eleven));
	memset(fifteen, 15, sizeof(fifteen));
	for (enum measure_phase i = MEASURE_ENTER_INITRD; i <= MEASURE_READY; i++) {
		struct measure_event m = measure_phase(i);

		hash_sha256(m.data, m.data_bytes, eleven[1 + i].digest);
	}
	*p = (struct predict){ 0 };
	p->pcr[11].rule = PREDICT_SEQUENCE;
	p->pcr[11].event = (struct predict_list){ eleven, ARRAY_SIZE(eleven) };
	p->pcr[15].rule = PREDICT_SEQUENCE;
	p->pcr[15].event = (struct predict_list){ fifteen, ARRAY_SIZE(fifteen) };
	p->pcr[7].rule = uefi ? PREDICT_SEQUENCE : PREDICT_UNJUDGED;
	p->pcr[7].event = (struct predict_list){ seven, uefi };
}

static json_object *make(EVP_PKEY *key, const struct predict *p)
{
	cleanup_buf struct buf text = BUF_INIT, again = BUF_INIT;
	json_object *doc, *list;
	struct err e = ERR_INIT;

	assert_ok(pcrsig_make(key, p, &text, &e), &e);
	assert_ok(pcrsig_make(key, p, &again, &e), &e);
	assert_int_equal(text.len, again.len);
	assert_memory_equal(text.data, again.data, text.len);
	assert_ok(json_parse(text.data, text.len, "pcrsig", &doc, &e), &e);
	assert_ok(json_get(doc, "pcrsig", "sha256", json_type_array, &list, &e), &e);
	assert_int_equal(json_object_array_length(list), PCRSIG_PHASES);
	return doc;
}

static json_object *entry(json_object *doc, size_t i)
{
	return json_object_array_get_idx(json_object_object_get(doc, "sha256"), i);
}

static const char *text_of(json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static void each_phase_before_ready_has_its_policy_and_ready_has_none(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	uint8_t value[2][HASH_SHA256_BYTES], digest[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];
	cleanup_json json_object *doc = NULL;
	struct predict p;
	struct err e = ERR_INIT;

	(void)state;
	predict_small(&p, true);
	doc = make(key, &p);
	assert_ok(predict_value(&p, 7, value[0], &e), &e);
	for (size_t n = 0; n <= PCRSIG_PHASES; n++) {
		p.pcr[11].event.n = 1 + n + 1;
		assert_ok(predict_value(&p, 11, value[1], &e), &e);
		pcr_policy_digest(1u << 7 | 1u << 11, (const uint8_t(*)[HASH_SHA256_BYTES])value, digest);
		hex_encode(digest, sizeof(digest), hex);
		for (size_t i = 0; i < PCRSIG_PHASES; i++)
			assert_int_equal(!strcmp(hex, text_of(entry(doc, i), "pol")), i == n);
		for (size_t i = 0; i < 2; i++) /* the agent's: sysinit and ready, by another signature */
			assert_int_equal(!strcmp(hex, text_of(json_object_array_get_idx(json_object_object_get(doc, "holdfast-channel"), i), "pol")),
					 i + 2 == n);
	}
	assert_string_not_equal(text_of(entry(doc, 2), "sig"),
				text_of(json_object_array_get_idx(json_object_object_get(doc, "holdfast-channel"), 0), "sig"));
	EVP_PKEY_free(key);
}

static void the_states_policy_is_of_leave_initrd_and_of_pcr_15_before_a_volume(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	uint8_t value[3][HASH_SHA256_BYTES], digest[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];
	cleanup_json json_object *doc = NULL;
	json_object *list;
	struct predict p;
	struct err e = ERR_INIT;

	(void)state;
	predict_small(&p, true);
	doc = make(key, &p);
	assert_ok(predict_value(&p, 7, value[0], &e), &e);
	assert_ok(predict_value(&p, 15, value[2], &e), &e);
	p.pcr[11].event.n = 1 + 2;
	assert_ok(predict_value(&p, 11, value[1], &e), &e);
	pcr_policy_digest(1u << 7 | 1u << 11 | 1u << 15, (const uint8_t(*)[HASH_SHA256_BYTES])value, digest);
	hex_encode(digest, sizeof(digest), hex);
	list = json_object_object_get(doc, "holdfast-state");
	assert_int_equal(json_object_array_length(list), 1);
	assert_string_equal(text_of(json_object_array_get_idx(list, 0), "pol"), hex);
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(json_object_array_get_idx(list, 0), "pcrs"), JSON_C_TO_STRING_PLAIN),
			    "[7,11,15]");
	EVP_PKEY_free(key);
}

static void signatures_are_by_the_key_and_over_the_policy(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(2048), *other = EVP_RSA_gen(2048);
	cleanup_json json_object *doc = NULL;
	unsigned char sig[512], *der = NULL;
	uint8_t pol[HASH_SHA256_BYTES], print[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];
	struct predict p;
	int n;

	(void)state;
	predict_small(&p, false);
	doc = make(key, &p);
	n = i2d_PublicKey(key, &der);
	hash_sha256(der, (size_t)n, print);
	OPENSSL_free(der);
	hex_encode(print, sizeof(print), hex);
	for (size_t i = 0; i < PCRSIG_PHASES; i++) {
		json_object *o = entry(doc, i);

		assert_string_equal(json_object_to_json_string_ext(json_object_object_get(o, "pcrs"), JSON_C_TO_STRING_PLAIN), "[11]");
		assert_string_equal(text_of(o, "pkfp"), hex);
		assert_true(hex_decode(text_of(o, "pol"), pol, sizeof(pol)));
		assert_int_equal(EVP_DecodeBlock(sig, (const unsigned char *)text_of(o, "sig"), (int)strlen(text_of(o, "sig"))), 258);
		for (int k = 0; k < 2; k++) {
			EVP_MD_CTX *ctx = EVP_MD_CTX_new();

			assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k ? other : key), 1);
			assert_int_equal(EVP_DigestVerify(ctx, sig, 256, pol, sizeof(pol)) == 1, !k);
			EVP_MD_CTX_free(ctx);
		}
	}
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void a_key_that_is_not_rsa_and_a_prediction_without_phases_are_refused(void **state)
{
	EVP_PKEY *ec = EVP_EC_gen("P-256"), *key = EVP_RSA_gen(2048);
	cleanup_buf struct buf text = BUF_INIT;
	struct predict p;
	struct err e = ERR_INIT;

	(void)state;
	predict_small(&p, true);
	assert_refused(pcrsig_make(ec, &p, &text, &e), &e, EINVAL, "an RSA key is wanted");
	p.pcr[11].event.n = 2;
	assert_refused(pcrsig_make(key, &p, &text, &e), &e, EINVAL, "fewer than there are phases");
	EVP_PKEY_free(ec);
	EVP_PKEY_free(key);
}

static void the_stubs_archive_is_what_cpio_reads(void **state)
{
	static const char json[] = "{\"sha256\":[]}\n";
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pcrsig_cpio(PCRSIG_FILE, (const uint8_t *)json, sizeof(json) - 1, &b, &e), &e);
	/* .extra: 110 + 7 = 117, padded 120; file: 110 + 31 = 141, padded 144, data 14 padded 16; trailer 110 + 14 */
	assert_int_equal(b.len, 120 + 144 + 16 + 124);
	assert_memory_equal(b.data, "070701" "00000001" "0000416d", 22);
	assert_memory_equal(b.data + 120, "070701" "00000002" "00008124", 22);
	assert_memory_equal(b.data + 120 + 54, "0000000e", 8);
	assert_memory_equal(b.data + 120 + 110, ".extra/tpm2-pcr-signature.json", 31);
	assert_memory_equal(b.data + 120 + 144, "{\"sha", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_phase_before_ready_has_its_policy_and_ready_has_none),
		cmocka_unit_test(the_states_policy_is_of_leave_initrd_and_of_pcr_15_before_a_volume),
		cmocka_unit_test(signatures_are_by_the_key_and_over_the_policy),
		cmocka_unit_test(a_key_that_is_not_rsa_and_a_prediction_without_phases_are_refused),
		cmocka_unit_test(the_stubs_archive_is_what_cpio_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
