/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_channel.c - proofs of TLS keys, from files; and OpenSSL keys whose private half is elsewhere
 *
 * good-proof.bin and ak-public.bin are what swtpm 0.7.1 made in tests/attest/test_attack_channel.c; each bad file differs from
 * the former by one byte, or by its length.
 */
#include "tests/common/check.h"

#include "attest/channel.h"
#include "attest/tls.h"
#include "attest/tpm_key.h"
#include "common/file.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>

#define DATA "tests/data/channel/"

static struct buf load(const char *name)
{
	struct buf b = BUF_INIT;
	char path[128];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), DATA "%s", name);
	assert_ok(file_read(path, 4096, &b, &e), &e);
	return b;
}

/* The good proof as a certificate of its key would show it, and what is wanted of it. */
static void sound(struct channel_shown *shown, struct quote_ak *ak, uint8_t policy[static HASH_SHA256_BYTES])
{
	cleanup_buf struct buf ak_public = load("ak-public.bin");
	struct channel_proof p;
	struct err e = ERR_INIT;

	*shown = (struct channel_shown){.proof = load("good-proof.bin")};
	assert_ok(quote_ak_parse((struct bytes){ak_public.data, ak_public.len}, ak, &e), &e);
	assert_ok(channel_parse((struct bytes){shown->proof.data, shown->proof.len}, &p, &e), &e);
	channel_key_digest(p.point, shown->key);
	memcpy(policy, p.policy, HASH_SHA256_BYTES);
}

static void each_bad_proof_is_refused_beside_the_good_one(void **state)
{
	static const struct {
		const char *file;
		int code;
		const char *part;
	} cases[] = {
		{"bad-user-with-auth.bin", EINVAL, "attributes 0x00040472"},
		{"bad-can-leave-the-tpm.bin", EINVAL, "attributes 0x00040430"},
		{"bad-restricted.bin", EINVAL, "attributes 0x00050432"},
		{"bad-magic.bin", EINVAL, "magic 0xfe544347"},
		{"bad-quote-in-its-place.bin", EINVAL, "type 0x8018"},
		{"bad-made-for-another-use.bin", EINVAL, "another use"},
		{"bad-about-another-key.bin", EBADMSG, "about another key"},
		{"bad-other-hierarchy.bin", EBADMSG, "no primary key of the endorsement hierarchy"},
		{"bad-version.bin", EINVAL, "version 2"},
		{"bad-point.bin", EBADMSG, "about another key"},
		{"bad-signature.bin", EBADMSG, "not that of the enrolled AK"},
		{"bad-trailing.bin", EINVAL, "TLS key's proof"},
		{"bad-cut-short.bin", EINVAL, "TLS key's proof"},
		{"bad-empty.bin", EBADMSG, "shows no proof"},
	};
	cleanup_channel_shown struct channel_shown shown = {0};
	cleanup_quote_ak struct quote_ak ak = {0};
	uint8_t policy[HASH_SHA256_BYTES];
	const struct channel_want want = {.ak = &ak, .policy = policy};
	struct err e = ERR_INIT;

	(void)state;
	sound(&shown, &ak, policy);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_channel_shown struct channel_shown bad = {.proof = load(cases[i].file)};

		memcpy(bad.key, shown.key, sizeof(bad.key));
		assert_refused(channel_check(&bad, &want, &e), &e, cases[i].code, cases[i].part);
		assert_false(bad.proven);
	}
	assert_ok(channel_check(&shown, &want, &e), &e);
}

static void what_was_proven_for_one_host_or_owner_is_not_for_another(void **state)
{
	cleanup_channel_shown struct channel_shown shown = {0};
	cleanup_quote_ak struct quote_ak ak = {0};
	uint8_t policy[HASH_SHA256_BYTES], other[HASH_SHA256_BYTES] = {1};
	struct quote_ak stranger;
	struct channel_want want = {.ak = &ak, .policy = policy};
	struct err e = ERR_INIT;

	(void)state;
	sound(&shown, &ak, policy);
	assert_ok(channel_check(&shown, &want, &e), &e);
	want.policy = other;
	assert_refused(channel_check(&shown, &want, &e), &e, EBADMSG, "not that of the owner's PCR key");
	want.policy = policy;
	stranger = ak;
	stranger.name[10] ^= 1;
	want.ak = &stranger;
	assert_refused(channel_check(&shown, &want, &e), &e, EBADMSG, "certified by another key");
	want.ak = &ak;
	shown.proven = false;
	shown.key[0] ^= 1;
	assert_refused(channel_check(&shown, &want, &e), &e, EBADMSG, "is of another key");
	shown.key[0] ^= 1;
	assert_ok(channel_check(&shown, &want, &e), &e);
}

/* ---- certificates and OpenSSL ------------------------------------------------------------------------------------ */

static EVP_PKEY *software;

static int sign_in_software(void *arg, const uint8_t digest[static HASH_SHA256_BYTES], uint8_t ret_r[static 32],
			    uint8_t ret_s[static 32], struct err *e)
{
	EVP_PKEY_CTX *ctx;
	uint8_t der[80];
	const unsigned char *p = der;
	size_t n = sizeof(der);
	ECDSA_SIG *sig;

	if (*(int *)arg)
		return err_set(e, EACCES, "closed for the test");
	ctx = EVP_PKEY_CTX_new(software, NULL);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, der, &n, digest, HASH_SHA256_BYTES), 1);
	sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	assert_non_null(sig);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret_r, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret_s, 32), 32);
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
	return 0;
}

static void a_key_that_is_elsewhere_signs_certificates_and_says_why_it_does_not(void **state)
{
	cleanup_buf struct buf proof = load("good-proof.bin");
	cleanup_tls_identity struct tls_identity id = {0}, none = {0}, plain = {0};
	cleanup_channel_shown struct channel_shown shown = {0};
	struct tpm_key key = {.sign = sign_in_software};
	EVP_PKEY *handle = NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;
	int closed = 0;
	size_t n = 0;

	(void)state;
	key.arg = &closed;
	software = EVP_EC_gen("P-256");
	assert_int_equal(EVP_PKEY_get_octet_string_param(software, OSSL_PKEY_PARAM_PUB_KEY, key.point, sizeof(key.point), &n), 1);
	assert_int_equal(n, sizeof(key.point));
	assert_ok(tpm_key_new(&key, &handle, &e), &e);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, handle) == 1, 0); /* its scheme is SHA-256 */
	EVP_MD_CTX_free(ctx);
	assert_ok(tls_identity_of(handle, &proof, &id, &e), &e);
	assert_int_equal(X509_verify(id.cert, software), 1); /* by OpenSSL's own provider */
	channel_key_digest(key.point, digest);
	assert_memory_equal(digest, id.digest, sizeof(digest));
	assert_ok(channel_shown_load(id.cert, &shown, &e), &e);
	assert_int_equal(shown.proof.len, proof.len);
	assert_memory_equal(shown.proof.data, proof.data, proof.len);
	assert_memory_equal(shown.key, id.digest, sizeof(digest));

	closed = 1;
	assert_int_equal(EVP_PKEY_up_ref(handle), 1);
	assert_int_not_equal(tls_identity_of(handle, NULL, &none, &e), 0);
	assert_int_equal(key.last.code, EACCES);
	assert_non_null(strstr(key.last.msg, "closed for the test"));

	/* Other keys are OpenSSL's as before. */
	assert_ok(tls_identity_new(&plain, &e), &e);
	EVP_PKEY_free(software);
}

static void two_proofs_in_one_certificate_are_refused(void **state)
{
	cleanup_tls_identity struct tls_identity id = {0};
	cleanup_channel_shown struct channel_shown shown = {0};
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(tls_identity_new(&id, &e), &e);
	assert_ok(channel_shown_load(id.cert, &shown, &e), &e);
	assert_int_equal(shown.proof.len, 0);
	assert_ok(channel_add_proof(id.cert, (struct bytes){(const uint8_t *)"a", 1}, &e), &e);
	assert_ok(channel_add_proof(id.cert, (struct bytes){(const uint8_t *)"b", 1}, &e), &e);
	assert_refused(channel_shown_load(id.cert, &shown, &e), &e, EINVAL, "two proofs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bad_proof_is_refused_beside_the_good_one),
		cmocka_unit_test(what_was_proven_for_one_host_or_owner_is_not_for_another),
		cmocka_unit_test(a_key_that_is_elsewhere_signs_certificates_and_says_why_it_does_not),
		cmocka_unit_test(two_proofs_in_one_certificate_are_refused),
	};

	return cmocka_run_group_tests_name("attest/channel", tests, NULL, NULL);
}
