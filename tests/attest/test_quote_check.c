/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_quote_check.c - quotes of tpm2-tools: what is accepted, and each thing that is not what was asked for
 *
 * tests/data/quote/tpm2-tools-* is by tpm2-tools 5.4 against swtpm, N = 000102..1f: tpm2_createek -G rsa; tpm2_createak -G
 * rsa -s rsassa, -G rsa -s rsapss, -G ecc -s ecdsa, each -f pem -u ak -q qname; tpm2_quote --scheme=S -l sha256:0,...,15 -q N
 * -m quote -s sig -o tests/data/pcr-values/good-one-bank.serialized; for "two" -l sha1:0,1,2+sha256:0,1,2. bad-sig-plain is
 * tpm2_quote -f plain: a bare signature without its TPMT_SIGNATURE.
 */
#include "tests/attest/world.h"

#include "attest/quote_check.h"
#include "common/file.h"

#include <openssl/pem.h>

#define DATA "tests/data/quote/tpm2-tools-"

struct run {
	struct quote_scheme scheme;
	struct buf attest, signature, signer;
	struct quote_ak ak;
	struct pcr_values values;
	uint8_t nonce[32];
	struct quote_check c;
};

static struct buf load(const char *prefix, const char *kind, const char *suffix)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char path[128];

	(void)snprintf(path, sizeof(path), DATA "%s-%s%s", prefix, kind, suffix);
	assert_ok(file_read(path, 4096, &b, &e), &e);
	return b;
}

/* A check of @kind's real quote that passes. */
static struct run *make(const char *kind, const char *scheme, const char *select)
{
	struct run *r = test_calloc(1, sizeof(*r));
	struct err e = ERR_INIT;
	char path[128];

	r->scheme.hash = HASH_SHA256;
	if (scheme)
		assert_true(quote_scheme_parse(scheme, &r->scheme));
	(void)snprintf(path, sizeof(path), DATA "ak-%s.pem", strcmp(kind, "two") ? kind : "rsassa");
	assert_ok(quote_ak_load(path, &r->scheme, &r->ak, &e), &e);
	r->attest = load("quote", kind, ".bin");
	r->signature = load("sig", kind, ".bin");
	r->signer = load("qname", strcmp(kind, "two") ? kind : "rsassa", ".bin");
	(void)snprintf(path, sizeof(path), "tests/data/pcr-values/good-%s.serialized",
		       strcmp(kind, "two") ? "one-bank" : "two-banks");
	assert_ok(pcr_values_load(path, &r->values, &e), &e);
	for (uint8_t i = 0; i < 32; i++)
		r->nonce[i] = i;
	r->c.want.hash = HASH_SHA256;
	assert_ok(quote_select_parse(select, &r->c.want, &e), &e);
	r->c.ak = &r->ak;
	r->c.nonce = (struct bytes){r->nonce, 32};
	r->c.values = &r->values;
	return r;
}

static int check_run(struct run *r, struct quote *q, enum quote_signer *s, struct err *e)
{
	r->c.attest = (struct bytes){r->attest.data, r->attest.len};
	r->c.signature = (struct bytes){r->signature.data, r->signature.len};
	return quote_check(&r->c, q, s, e);
}

static void free_run(struct run *r)
{
	quote_ak_free(&r->ak);
	buf_free(&r->attest);
	buf_free(&r->signature);
	buf_free(&r->signer);
	test_free(r);
}

static void quotes_of_every_scheme_hold(void **state)
{
	static const struct {
		const char *kind, *scheme, *select;
	} good[] = {{"rsassa", NULL, "sha256:0-15"},
		    {"rsassa", "rsassa", "sha256:0-15"},
		    {"rsapss", "rsapss", "sha256:0-7,8,9-15"},
		    {"ecdsa", NULL, "sha256:0-15"},
		    {"ecdsa", "ecdsa:sha256", "sha256:0-15"},
		    {"two", NULL, "sha1:0-2+sha256:0,1,2"}};
	enum quote_signer s;
	struct quote q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct run *r = make(good[i].kind, good[i].scheme, good[i].select);
		struct err e = ERR_INIT;

		assert_ok(check_run(r, &q, &s, &e), &e);
		assert_int_equal(s, QUOTE_SIGNER_UNKNOWN);
		assert_int_equal(q.reset_count, 2);
		r->c.signer = (struct bytes){r->signer.data, r->signer.len};
		assert_ok(check_run(r, &q, &s, &e), &e);
		assert_int_equal(s, QUOTE_SIGNER_GIVEN);
		free_run(r);
	}
}

static void other_nonce(struct run *r)
{
	r->nonce[31] ^= 1;
}

static void short_nonce(struct run *r)
{
	r->c.nonce.n = 31;
}

static void no_nonce(struct run *r)
{
	r->c.nonce.n = 0;
}

static void one_pcr_less(struct run *r)
{
	r->c.want.select[0].pcrs &= ~1u;
}

static void one_pcr_more(struct run *r)
{
	r->c.want.select[0].pcrs |= 1u << 16;
}

static void other_bank(struct run *r)
{
	r->c.want.select[0].alg = HASH_SHA1;
}

static void one_bank_more(struct run *r)
{
	r->c.want.select[1] = r->c.want.select[0];
	r->c.want.n = 2;
}

static void other_value(struct run *r)
{
	r->values.v[3].digest[5] ^= 1;
}

static void value_missing(struct run *r)
{
	r->values.n--;
}

static void other_signer(struct run *r)
{
	r->signer.data[9] ^= 1;
	r->c.signer = (struct bytes){r->signer.data, r->signer.len};
}

static void magic(struct run *r)
{
	r->attest.data[0] = 0;
}

static void type(struct run *r)
{
	r->attest.data[5] = 0x17;
}

static void byte_behind(struct run *r)
{
	buf_u8(&r->attest, 0);
}

static void byte_behind_signature(struct run *r)
{
	buf_u8(&r->signature, 0);
}

static void digest_edited(struct run *r)
{
	r->attest.data[r->attest.len - 1] ^= 1;
}

static void clock_edited(struct run *r)
{
	r->attest.data[4 + 2 + 36 + 34 + 7] ^= 1;
}

static void signature_edited(struct run *r)
{
	r->signature.data[20] ^= 1;
}

static void scheme_retold(struct run *r)
{
	r->signature.data[1] = 0x16;
}

static void hash_retold(struct run *r)
{
	r->signature.data[3] = 0x0c;
}

static void plain_signature(struct run *r)
{
	struct err e = ERR_INIT;

	buf_free(&r->signature);
	assert_ok(file_read("tests/data/quote/bad-sig-plain.bin", 4096, &r->signature, &e), &e);
}

static void signature_of_another_quote(struct run *r)
{
	buf_free(&r->signature);
	r->signature = load("sig", "two", ".bin");
}

static void other_key(struct run *r)
{
	const struct quote_scheme scheme = {QUOTE_RSASSA, HASH_SHA256};
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct err e = ERR_INIT;

	quote_ak_free(&r->ak);
	assert_ok(quote_ak_from_key(key, &scheme, &r->ak, &e), &e);
	EVP_PKEY_free(key);
}

static const struct {
	const char *name;
	void (*change)(struct run *r);
	int code;
	const char *part;
} bad[] = {
	{"another nonce", other_nonce, EBADMSG, "extraData is 0001"},
	{"a nonce's beginning", short_nonce, EBADMSG, "wanted exactly the nonce"},
	{"no nonce", no_nonce, EBADMSG, "wanted exactly the nonce"},
	{"CVE-2022-0317: a selection of less", one_pcr_less, EINVAL, "mask ffff00, wanted exactly sha256 feff00"},
	{"CVE-2022-0317: a selection of more", one_pcr_more, EINVAL, "wanted exactly sha256 ffff01"},
	{"another bank", other_bank, EINVAL, "wanted exactly sha1"},
	{"one bank more", one_bank_more, EINVAL, "1 banks, wanted exactly 2"},
	{"other PCR values", other_value, EBADMSG, "the TPM signed"},
	{"a value is missing", value_missing, ENOENT, "lack sha256:15"},
	{"a key in another place", other_signer, EBADMSG, "qualified signer is another"},
	{"CVE-2024-29038: no magic", magic, EINVAL, "magic is 0x00544347"},
	{"another type", type, EINVAL, "type is 0x8017"},
	{"a byte behind the quote", byte_behind, EINVAL, "1 bytes behind it"},
	{"a byte behind the signature", byte_behind_signature, EBADMSG, "nothing behind"},
	{"an edited digest", digest_edited, EBADMSG, "not that of the enrolled AK"},
	{"an edited clock", clock_edited, EBADMSG, "not that of the enrolled AK"},
	{"an edited signature", signature_edited, EBADMSG, "not that of the enrolled AK"},
	{"a scheme that was not declared", scheme_retold, EBADMSG, "scheme 0x16"},
	{"a hash that was not declared", hash_retold, EBADMSG, "hash 0xc"},
	{"a bare signature", plain_signature, EBADMSG, "quote signature: scheme"},
	{"another quote's signature", signature_of_another_quote, EBADMSG, "not that of the enrolled AK"},
	{"CVE-2021-3406: another key", other_key, EBADMSG, "not that of the enrolled AK"},
};

static void whatever_is_not_what_was_asked_for_refuses(void **state)
{
	enum quote_signer s;
	struct quote q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct run *r = make("rsassa", NULL, "sha256:0-15");
		struct err e = ERR_INIT;

		assert_ok(check_run(r, &q, &s, &e), &e); /* the sound twin */
		bad[i].change(r);
		print_message("  %s\n", bad[i].name);
		assert_refused(check_run(r, &q, &s, &e), &e, bad[i].code, bad[i].part);
		free_run(r);
	}
}

static void a_public_area_tells_its_scheme_and_place(void **state)
{
	struct quote_scheme any = {0, HASH_SHA256}, pss = {QUOTE_RSAPSS, HASH_SHA256};
	uint8_t handle[4] = {0x40, 0, 0, 0x0b}, qn[QUOTE_NAME_BYTES];
	struct run *r = make("rsassa", NULL, "sha256:0-15");
	struct err e = ERR_INIT;
	enum quote_signer s;
	struct quote q;

	(void)state;
	quote_ak_free(&r->ak);
	assert_refused(quote_ak_load(DATA "ak-rsassa.tpm2b", &pss, &r->ak, &e), &e, EINVAL, "its scheme is rsassa");
	assert_ok(quote_ak_load(DATA "ak-rsassa.tpm2b", &any, &r->ak, &e), &e);
	assert_ok(check_run(r, &q, &s, &e), &e);
	assert_int_equal(s, QUOTE_SIGNER_UNKNOWN); /* tpm2_createak makes it below the EK, not a primary */
	quote_qualified_name(handle, 4, r->ak.name, qn);
	assert_memory_not_equal(qn, q.signer.p, sizeof(qn));
	free_run(r);
}

static void keys_that_fit_no_scheme_refuse(void **state)
{
	struct quote_scheme ecdsa = {QUOTE_ECDSA, HASH_SHA256}, rsassa = {QUOTE_RSASSA, HASH_SHA256};
	struct quote_ak ak = {0};
	struct err e = ERR_INIT;
	EVP_PKEY *weak = EVP_RSA_gen(1024);

	(void)state;
	assert_refused(quote_ak_load(DATA "ak-rsassa.pem", &ecdsa, &ak, &e), &e, EINVAL, "scheme ecdsa is not for");
	assert_refused(quote_ak_load(DATA "ak-ecdsa.pem", &rsassa, &ak, &e), &e, EINVAL, "scheme rsassa is not for");
	assert_refused(quote_ak_from_key(weak, &rsassa, &ak, &e), &e, EINVAL, "has 1024 bits");
	assert_refused(quote_ak_load(DATA "sig-rsassa.bin", &rsassa, &ak, &e), &e, EINVAL, "public area");
	EVP_PKEY_free(weak);
}

/* A key in PEM is DER inside: every cut, every byte behind, and every edited tag of it refuses or is another key. */
static void a_key_in_pem_is_read_strictly(void **state)
{
	const struct quote_scheme any = {0, HASH_SHA256};
	static const char *const kinds[] = {"rsassa", "ecdsa"};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		cleanup_buf struct buf pem = load("ak", kinds[k], ".pem");
		char *name, *header;
		unsigned char *der;
		long n;
		BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
		struct err e = ERR_INIT;
		struct quote_ak ak = {0};

		assert_int_equal(PEM_read_bio(bio, &name, &header, &der, &n), 1);
		assert_ok(quote_ak_from_spki((struct bytes){der, (size_t)n}, &any, &ak, &e), &e);
		quote_ak_free(&ak);
		for (long i = 0; i < n; i++)
			assert_int_equal(quote_ak_from_spki((struct bytes){der, (size_t)i}, &any, &ak, &e), -EINVAL);
		for (long i = 0; i < 24; i++) { /* headers and object identifiers */
			der[i] ^= 0x55;
			assert_int_equal(quote_ak_from_spki((struct bytes){der, (size_t)n}, &any, &ak, &e), -EINVAL);
			der[i] ^= 0x55;
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
		BIO_free(bio);
	}
}

static void selections_are_read_strictly(void **state)
{
	static const char *const no[] = {"",	     "sha256",	      "sha256:",	"sha256:16-15", "sha256:0-24", "sha256:1,1",
					 "md5:0",    "sha256:0+",     "sha256:0,",	"sha256:0 ",	"sha256:-1",   "sha256:0-7+sha256:8",
					 "sha256:x", "sha256:0-7;1", "sha256:0+sha1"};
	struct quote_want w = {.hash = HASH_SHA256};
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(quote_select_parse("sha1:23+sha256:0,2-4", &w, &e), &e);
	assert_int_equal(w.n, 2);
	assert_int_equal(w.select[0].pcrs, 1u << 23);
	assert_int_equal(w.select[1].pcrs, 0x1d);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_int_equal(quote_select_parse(no[i], &w, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_of_every_scheme_hold),
		cmocka_unit_test(whatever_is_not_what_was_asked_for_refuses),
		cmocka_unit_test(a_public_area_tells_its_scheme_and_place),
		cmocka_unit_test(keys_that_fit_no_scheme_refuse),
		cmocka_unit_test(a_key_in_pem_is_read_strictly),
		cmocka_unit_test(selections_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
