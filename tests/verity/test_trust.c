/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/verity/test_trust.c - where the kernel has no key: only the signer's signature of this very root hash opens a volume */
#include "tests/common/check.h"

#include "common/hex.h"
#include "verity/activate.h"
#include "verity/trust.h"

#include <openssl/rsa.h>

static X509 *cert, *other_cert;
static EVP_PKEY *key, *other_key;
static uint8_t root_hash[HASH_SHA256_BYTES] = { 1, 2, 3 };

static X509 *self_signed(EVP_PKEY *k, long serial)
{
	X509 *c = X509_new();

	assert_non_null(c);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), serial), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), 3600));
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const uint8_t *)"t", -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(c, X509_get_subject_name(c)), 1);
	assert_int_equal(X509_set_pubkey(c, k), 1);
	assert_true(X509_sign(c, k, EVP_sha256()) > 0);
	return c;
}

static int make_keys(void **state)
{
	(void)state;
	key = EVP_RSA_gen(2048);
	other_key = EVP_RSA_gen(2048);
	cert = self_signed(key, 1);
	other_cert = self_signed(other_key, 1); /* same issuer, same serial: only the key tells them apart */
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	X509_free(cert);
	X509_free(other_cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return 0;
}

static void sign(EVP_PKEY *k, X509 *c, const uint8_t hash[static HASH_SHA256_BYTES], struct buf *ret)
{
	char hex[2 * HASH_SHA256_BYTES + 1];
	struct err e = ERR_INIT;

	hex_encode(hash, HASH_SHA256_BYTES, hex);
	assert_ok(pki_sign(&(struct pki_signer){ k, c }, hex, 64, PKI_DETACHED, ret, &e), &e);
}

static void the_kernel_judges_unless_told_otherwise(void **state)
{
	struct verity_table t = { .name = "t" };
	struct err e = ERR_INIT;

	(void)state;
	assert_false(verity_trust_is_direct());
	assert_refused(verity_table_prove(&t, t.root_hash, 0, &e), &e, EBADMSG, "without a root hash signature");
}

/* From here on this process is one of a machine without UEFI. */
static void whoever_has_no_signer_opens_nothing(void **state)
{
	cleanup_buf struct buf good = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	sign(key, cert, root_hash, &good);
	verity_trust_direct(NULL);
	assert_refused(verity_trust_check(root_hash, good.data, good.len, &e), &e, EPERM, "only PID 1 opens volumes");
}

static void only_the_signers_signature_of_this_root_hash_is_good(void **state)
{
	cleanup_buf struct buf good = BUF_INIT, foreign = BUF_INIT, of_another = BUF_INIT;
	uint8_t another[HASH_SHA256_BYTES] = { 1, 2, 4 };
	struct err e = ERR_INIT;

	(void)state;
	sign(key, cert, root_hash, &good);
	sign(other_key, other_cert, root_hash, &foreign);
	sign(key, cert, another, &of_another);
	verity_trust_direct(cert);
	assert_ok(verity_trust_check(root_hash, good.data, good.len, &e), &e);
	assert_refused(verity_trust_check(root_hash, foreign.data, foreign.len, &e), &e, EKEYREJECTED, "root hash signature");
	assert_refused(verity_trust_check(root_hash, of_another.data, of_another.len, &e), &e, EKEYREJECTED, "root hash signature");
	assert_refused(verity_trust_check(root_hash, "junk", 4, &e), &e, EKEYREJECTED, "root hash signature");
}

/* The signature is judged before anything is opened; a good one goes on to the device. */
static void activation_judges_first(void **state)
{
	cleanup_buf struct buf good = BUF_INIT, foreign = BUF_INIT;
	struct verity_activate_params p = {
		.name = "holdfast-test", .data_device = "/dev/null", .hash_device = "/dev/null", .root_hash = root_hash
	};
	struct verity_device d;
	struct err e = ERR_INIT;

	(void)state;
	sign(key, cert, root_hash, &good);
	sign(other_key, other_cert, root_hash, &foreign);
	verity_trust_direct(cert);
	assert_refused(verity_activate(&p, &d, &e), &e, EINVAL, "no root hash signature");
	p.signature = foreign.data;
	p.signature_bytes = foreign.len;
	assert_refused(verity_activate(&p, &d, &e), &e, EKEYREJECTED, "holdfast-test: root hash signature");
	assert_true(verity_is_signature_error(-e.code));
	p.signature = good.data;
	p.signature_bytes = good.len;
	assert_refused(verity_activate(&p, &d, &e), &e, ENOTBLK, "/dev/null is not a block device");
}

/* What is left to prove of a table: everything but the word of a signature. */
static void a_table_is_proved_by_the_rest(void **state)
{
	struct verity_table t = { .name = "t", .root_hash = { 1, 2, 3 }, .data_bytes = 4096 };
	uint8_t another[HASH_SHA256_BYTES] = { 1, 2, 4 };
	struct err e = ERR_INIT;

	(void)state;
	verity_trust_direct(NULL);
	assert_ok(verity_table_prove(&t, root_hash, 4096, &e), &e);
	assert_refused(verity_table_prove(&t, another, 4096, &e), &e, EBADMSG, "has root digest");
	assert_refused(verity_table_prove(&t, root_hash, 8192, &e), &e, EBADMSG, "wanted 8192");
	t.is_weak = true;
	assert_refused(verity_table_prove(&t, root_hash, 4096, &e), &e, EBADMSG, "does not check every read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_judges_unless_told_otherwise), /* first: it cannot be taken back */
		cmocka_unit_test(whoever_has_no_signer_opens_nothing),
		cmocka_unit_test(only_the_signers_signature_of_this_root_hash_is_good),
		cmocka_unit_test(activation_judges_first),
		cmocka_unit_test(a_table_is_proved_by_the_rest),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys) != 0;
}
