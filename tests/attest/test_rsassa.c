/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_rsassa.c - RSASSA signatures as OpenSSL's EVP judges them, and each known way to forge one
 *
 * Every answer is compared with EVP's on the same bytes. Encodings that no signer makes are made with the private key and
 * no padding, so what is judged is the encoding alone (the families of Wycheproof's rsa_signature tests: padding, DER,
 * parameters, other hashes, numbers beyond the modulus).
 */
#include "tests/common/check.h"

#include "attest/rsassa.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

enum { MAX_KEYS = 6 };

static struct key {
	EVP_PKEY *pkey;
	struct rsassa *ours;
	BIGNUM *n, *e;
	size_t bytes;
} keys[MAX_KEYS];
static size_t n_keys;

static const uint8_t digest[64] = {0xd1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};

static const EVP_MD *md_of(enum hash_alg alg)
{
	return alg == HASH_SHA512 ? EVP_sha512() : alg == HASH_SHA384 ? EVP_sha384() : EVP_sha256();
}

static bool evp_says(const struct key *k, enum hash_alg alg, const uint8_t *sig, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	int rc;

	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, md_of(alg)), 1);
	rc = EVP_PKEY_verify(ctx, sig, n, digest, hash_bytes(alg));
	EVP_PKEY_CTX_free(ctx);
	return rc == 1;
}

/* What both say. */
static bool judge(const struct key *k, enum hash_alg alg, const uint8_t *sig, size_t n)
{
	struct err e = ERR_INIT;
	int rc = rsassa_verify(k->ours, alg, digest, sig, n, &e);

	assert_true(rc == 0 || rc == -EBADMSG);
	assert_int_equal(rc == 0, evp_says(k, alg, sig, n));
	return rc == 0;
}

static void add_key(EVP_PKEY *pkey)
{
	struct key *k = &keys[n_keys++];
	struct err e = ERR_INIT;

	assert_non_null(pkey);
	k->pkey = pkey;
	assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &k->n), 1);
	assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &k->e), 1);
	k->bytes = (size_t)BN_num_bytes(k->n);
	assert_ok(rsassa_new(k->n, k->e, &k->ours, &e), &e);
}

static EVP_PKEY *generate(int bits, BN_ULONG exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	assert_true(ctx && e && BN_set_word(e, exponent));
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* The number whose power is @em. */
static void raw_sign(const struct key *k, const uint8_t *em, uint8_t *ret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	size_t n = k->bytes;

	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, ret, &n, em, k->bytes), 1);
	EVP_PKEY_CTX_free(ctx);
}

static void sign(const struct key *k, enum hash_alg alg, const uint8_t *d, uint8_t *ret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	size_t n = k->bytes;

	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, md_of(alg)), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, ret, &n, d, hash_bytes(alg)), 1);
	assert_int_equal(n, k->bytes);
	EVP_PKEY_CTX_free(ctx);
}

static int setup(void **state)
{
	(void)state;
	add_key(generate(2048, 65537));
	add_key(generate(2048, 3));
	add_key(generate(2048, 4294967291u)); /* nearly all bits */
	add_key(generate(2056, 65537));	      /* not a whole number of words */
	add_key(generate(3072, 17));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_keys; i++) {
		EVP_PKEY_free(keys[i].pkey);
		rsassa_free(keys[i].ours);
		BN_free(keys[i].n);
		BN_free(keys[i].e);
	}
	return 0;
}

static void good_signatures_are_good_and_no_changed_one(void **state)
{
	static const enum hash_alg algs[] = {HASH_SHA256, HASH_SHA384, HASH_SHA512};
	uint8_t sig[RSASSA_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < n_keys; i++)
		for (size_t a = 0; a < ARRAY_SIZE(algs); a++) {
			sign(&keys[i], algs[a], digest, sig);
			assert_true(judge(&keys[i], algs[a], sig, keys[i].bytes));
			for (size_t other = 0; other < ARRAY_SIZE(algs); other++)
				assert_int_equal(judge(&keys[i], algs[other], sig, keys[i].bytes), other == a);
			assert_false(judge(&keys[(i + 1) % n_keys], algs[a], sig, keys[i].bytes));
			for (size_t bit = 0; bit < 8 * keys[i].bytes; bit += 13) {
				sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
				assert_false(judge(&keys[i], algs[a], sig, keys[i].bytes));
				sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
		}
}

static void lengths_and_numbers_beyond_the_modulus_refuse(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_keys; i++) {
		const struct key *k = &keys[i];
		uint8_t sig[RSASSA_MAX_BYTES + 2] = {0}, other[RSASSA_MAX_BYTES];
		BIGNUM *s = BN_new();

		sign(k, HASH_SHA256, digest, sig + 1);
		assert_true(judge(k, HASH_SHA256, sig + 1, k->bytes));
		assert_false(judge(k, HASH_SHA256, sig, k->bytes + 1)); /* a zero before it */
		assert_false(judge(k, HASH_SHA256, sig + 1, k->bytes + 1));
		assert_false(judge(k, HASH_SHA256, sig + 1, k->bytes - 1));
		assert_false(judge(k, HASH_SHA256, sig + 1, 0));
		assert_true(s && BN_bin2bn(sig + 1, (int)k->bytes, s) && BN_add(s, s, k->n));
		if ((size_t)BN_num_bytes(s) <= k->bytes) { /* the same number modulo n */
			assert_int_equal(BN_bn2binpad(s, other, (int)k->bytes), (int)k->bytes);
			assert_false(judge(k, HASH_SHA256, other, k->bytes));
		}
		for (int add = -1; add <= 1; add++) {
			assert_true(BN_copy(s, k->n) && (add < 0 ? BN_sub_word(s, 1) : BN_add_word(s, (BN_ULONG)add)));
			assert_int_equal(BN_bn2binpad(s, other, (int)k->bytes), (int)k->bytes);
			assert_false(judge(k, HASH_SHA256, other, k->bytes));
		}
		memset(other, 0, sizeof(other));
		assert_false(judge(k, HASH_SHA256, other, k->bytes));
		other[k->bytes - 1] = 1;
		assert_false(judge(k, HASH_SHA256, other, k->bytes));
		memset(other, 0xff, sizeof(other));
		assert_false(judge(k, HASH_SHA256, other, k->bytes));
		BN_free(s);
	}
}

/* A valid signature plus the modulus, where it still has as many bytes: about one in two for a modulus below 3/4 of its range. */
static void a_signature_plus_the_modulus_refuses(void **state)
{
	uint8_t sig[RSASSA_MAX_BYTES], em[RSASSA_MAX_BYTES];
	const struct key *k = &keys[3];
	struct err e = ERR_INIT;
	BIGNUM *s = BN_new();
	bool tried = false;

	(void)state;
	for (uint8_t i = 0; i < 200 && !tried; i++) {
		uint8_t d[32] = {i};

		sign(k, HASH_SHA256, d, sig);
		assert_ok(rsassa_verify(k->ours, HASH_SHA256, d, sig, k->bytes, &e), &e);
		assert_true(s && BN_bin2bn(sig, (int)k->bytes, s) && BN_add(s, s, k->n));
		tried = (size_t)BN_num_bytes(s) <= k->bytes;
		if (!tried)
			continue;
		assert_int_equal(BN_bn2binpad(s, em, (int)k->bytes), (int)k->bytes);
		assert_refused(rsassa_verify(k->ours, HASH_SHA256, d, em, k->bytes, &e), &e, EBADMSG, "not below the modulus");
	}
	assert_true(tried);
	BN_free(s);
}

#define SHA256_INFO "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

/* Before the digest: @head, then ff as often as fits, then @tail; behind it @after of garbage. */
static const struct encoding {
	const char *name;
	const char *head;
	size_t head_n;
	const char *tail;
	size_t tail_n;
	size_t after;
	bool good;
} encodings[] = {
#define E(name, head, tail, after, good) {name, head, sizeof(head) - 1, tail, sizeof(tail) - 1, after, good}
	E("the one that is right", "\0\1", "\0" SHA256_INFO, 0, true),
	E("block type 0", "\0\0", "\0" SHA256_INFO, 0, false),
	E("block type 2", "\0\2", "\0" SHA256_INFO, 0, false),
	E("a first byte that is not zero", "\1\1", "\0" SHA256_INFO, 0, false),
	E("no zero before the DigestInfo", "\0\1", "\xff" SHA256_INFO, 0, false),
	E("a zero within the padding", "\0\1\xff\xff\0", "\0" SHA256_INFO, 0, false),
	E("another byte within the padding", "\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", "\0" SHA256_INFO, 0, false),
	E("CVE-2006-4339: garbage behind the digest", "\0\1", "\0" SHA256_INFO, 20, false),
	E("one byte behind the digest", "\0\1", "\0" SHA256_INFO, 1, false),
	E("no DigestInfo", "\0\1", "\0", 0, false),
	E("no NULL parameters", "\0\1", "\0\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20", 0, false),
	E("garbage as parameters", "\0\1", "\0\x30\x33\x30\x0f\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x02\xaa\xbb\x04\x20", 0, false),
	E("NULL with a byte", "\0\1", "\0\x30\x32\x30\x0e\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x01\x00\x04\x20", 0, false),
	E("CVE-2014-1568: a length in its long form", "\0\1", "\0\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 0, false),
	E("an inner length in its long form", "\0\1", "\0\x30\x32\x30\x81\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 0, false),
	E("an indefinite length", "\0\1", "\0\x30\x80\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 2, false),
	E("the name of SHA-384", "\0\1", "\0\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x20", 0, false),
	E("the name of SHA-1", "\0\1", "\0\x30\x2d\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x20", 0, false),
	E("a length that says less", "\0\1", "\0\x30\x30\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x1f", 0, false),
	E("a wrong tag", "\0\1", "\0\x31\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 0, false),
};

static void no_encoding_but_one_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_keys; i++)
		for (size_t c = 0; c < ARRAY_SIZE(encodings); c++) {
			const struct encoding *en = &encodings[c];
			size_t n = keys[i].bytes, at = n - 32 - en->after;
			uint8_t em[RSASSA_MAX_BYTES], sig[RSASSA_MAX_BYTES];

			memset(em, 0xff, sizeof(em));
			memcpy(em, en->head, en->head_n);
			memcpy(em + at - en->tail_n, en->tail, en->tail_n);
			memcpy(em + at, digest, 32);
			raw_sign(&keys[i], em, sig);
			if (judge(&keys[i], HASH_SHA256, sig, n) != en->good)
				fail_msg("%s, key %zu", en->name, i);
		}
}

/*
 * n = s^3 - EM is a modulus to which s, of 683 bits, is a signature by the exponent 3: valid, with the upper words of the number
 * zero, which takes another path through the multiplication.
 */
static void a_number_with_leading_zeros_is_raised_too(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *s = BN_new(), *em = BN_new(), *n = BN_new(), *three = BN_new();
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	uint8_t bytes[256], sig[256];
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	memcpy(bytes, "\0\1", 2);
	memcpy(bytes + 256 - 32 - 20, "\0" SHA256_INFO, 20);
	memcpy(bytes + 256 - 32, digest, 32);
	assert_true(ctx && s && em && n && three && bld && from);
	assert_true(BN_bin2bn(bytes, 256, em) && BN_set_word(three, 3) && BN_set_bit(s, 682) && BN_set_bit(s, 680) && BN_set_bit(s, 679));
	if (!BN_is_odd(em))
		assert_true(BN_add_word(s, 1)); /* one of the two is odd, so n is */
	assert_true(BN_sqr(n, s, ctx) && BN_mul(n, n, s, ctx) && BN_sub(n, n, em));
	assert_int_equal(BN_num_bits(n), 2048);
	assert_true(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, three));
	params = OSSL_PARAM_BLD_to_param(bld);
	assert_true(params && EVP_PKEY_fromdata_init(from) == 1 && EVP_PKEY_fromdata(from, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1);
	add_key(pkey);
	assert_int_equal(BN_bn2binpad(s, sig, 256), 256);
	assert_true(hash_is_zero(sig, 170));
	assert_true(judge(&keys[n_keys - 1], HASH_SHA256, sig, 256));
	sig[255] ^= 2;
	assert_false(judge(&keys[n_keys - 1], HASH_SHA256, sig, 256));
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(from);
	BN_free(s);
	BN_free(em);
	BN_free(n);
	BN_free(three);
	BN_CTX_free(ctx);
}

static void random_numbers_are_judged_as_evp_does(void **state)
{
	uint8_t sig[RSASSA_MAX_BYTES] = {0};
	uint64_t x = 88172645463325252u; /* xorshift: the same numbers each time */

	(void)state;
	for (size_t round = 0; round < 3000; round++) {
		const struct key *k = &keys[round % n_keys];

		for (size_t i = 0; i < k->bytes; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			sig[i] = (uint8_t)x;
		}
		memset(sig, 0, round % 7 * round % k->bytes); /* shorter numbers, too */
		assert_false(judge(k, HASH_SHA256, sig, k->bytes));
	}
}

static void keys_that_are_none_refuse(void **state)
{
	static const struct {
		const char *name;
		int bits; /* of a modulus whose lowest bit is @odd */
		bool odd, negative;
		BN_ULONG exponent;
		int exponent_bits;
	} bad[] = {
		{"an even modulus", 2048, false, false, 65537, 0}, {"a negative modulus", 2048, true, true, 65537, 0},
		{"a modulus too small for its encoding", 744, true, false, 65537, 0}, {"a modulus too large", 4104, true, false, 65537, 0},
		{"no modulus", 1, true, false, 65537, 0}, {"exponent 0", 2048, true, false, 0, 0}, {"exponent 1", 2048, true, false, 1, 0},
		{"exponent 2", 2048, true, false, 2, 0}, {"exponent 65536", 2048, true, false, 65536, 0},
		{"an exponent of 33 bits", 2048, true, false, 1, 33}, {"an exponent of 65 bits", 2048, true, false, 1, 65},
	};
	struct rsassa *k = NULL;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		BIGNUM *n = BN_new(), *exp = BN_new();

		assert_true(n && exp && BN_set_bit(n, bad[i].bits - 1) && (!bad[i].odd || BN_set_bit(n, 0)) && BN_set_word(exp, bad[i].exponent));
		if (bad[i].exponent_bits)
			assert_true(BN_set_bit(exp, bad[i].exponent_bits - 1));
		BN_set_negative(n, bad[i].negative);
		assert_refused(rsassa_new(n, exp, &k, &e), &e, EINVAL, "wanted odd numbers");
		assert_null(k);
		BN_free(n);
		BN_free(exp);
	}
	assert_refused(rsassa_verify(keys[0].ours, HASH_SHA1, digest, digest, keys[0].bytes, &e), &e, EINVAL, "wanted SHA-256");
}

static void *verify_often(void *arg)
{
	struct rsassa *mine = rsassa_share(keys[0].ours);
	uint8_t sig[256];
	struct err e = ERR_INIT;
	size_t wrong = 0;

	memcpy(sig, arg, sizeof(sig));
	for (size_t i = 0; i < 500; i++) {
		sig[7] ^= i & 1;
		wrong += (rsassa_verify(mine, HASH_SHA256, digest, sig, sizeof(sig), &e) == 0) != !(i & 1);
		sig[7] ^= i & 1;
	}
	rsassa_free(mine);
	return (void *)wrong;
}

static void threads_share_a_key(void **state)
{
	pthread_t thread[4];
	uint8_t sig[256];
	void *wrong;

	(void)state;
	sign(&keys[0], HASH_SHA256, digest, sig);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, verify_often, sig), 0);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++) {
		assert_int_equal(pthread_join(thread[i], &wrong), 0);
		assert_null(wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_signatures_are_good_and_no_changed_one),
		cmocka_unit_test(lengths_and_numbers_beyond_the_modulus_refuse),
		cmocka_unit_test(a_signature_plus_the_modulus_refuses),
		cmocka_unit_test(no_encoding_but_one_is_accepted),
		cmocka_unit_test(a_number_with_leading_zeros_is_raised_too),
		cmocka_unit_test(random_numbers_are_judged_as_evp_does),
		cmocka_unit_test(keys_that_are_none_refuse),
		cmocka_unit_test(threads_share_a_key),
	};

	return cmocka_run_group_tests_name("attest/rsassa", tests, setup, teardown);
}
