/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_quote.c - attestation keys and quotes of a real TPM implementation, and each way to be another one
 *
 * The files are by tpm2-tools 5.4 against swtpm (bank sha256; after each line `tpm2_flushcontext -t`), N = 000102..1f,
 * A = 0,1,..,15: tpm2_pcrextend 4:sha256=$(printf a | sha256sum | cut -c1-64); tpm2_pcrextend 11:sha256=$(printf
 * enter-initrd | sha256sum ...) tpm2_createek -c ek.ctx -G rsa -u ek.pub tpm2_createak -C ek.ctx -c ak-rsa.ctx -G rsa
 * -g sha256 -s rsassa -u good-ak-rsa.bin -n name-rsa.bin; the same with ecc and ecdsa tpm2_quote -c ak-rsa.ctx -l
 * sha256:$A -q $N -g sha256 -m good-quote-rsa.bin -s good-sig-rsa.bin; the same with ecc tpm2_quote -c ak-rsa.ctx -l
 * sha256:0,1,..,7 ... -m bad-quote-selection-0-7.bin; -l sha1:$A ... -m bad-quote-bank-sha1.bin tpm2_gettime -c
 * ak-rsa.ctx -q $N -g sha256 --attestation bad-quote-type-time.bin tpm2_createak ... -s rsapss -u bad-ak-rsapss.bin;
 * tpm2_create -G rsa2048:rsassa-sha256:null -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign" -u
 * bad-ak-unrestricted.bin xxd -p name-*.bin and tpm2_pcrread sha256:4,11 for the values below
 */
#include "tests/attest/world.h"

#include "attest/quote.h"
#include "common/file.h"

static struct buf load(const char *name)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char path[128];

	(void)snprintf(path, sizeof(path), "tests/data/quote/%s.bin", name);
	assert_ok(file_read(path, 4096, &b, &e), &e);
	return b;
}

static struct bytes view(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

static const struct real {
	const char *kind;
	enum quote_key type;
	const char *name;
} reals[] = {
	{"rsa", QUOTE_KEY_RSA, "000b22a7706cbde3080387b1d4842281c289e668c999c5485aae87ec447e80ada02b"},
	{"ecc", QUOTE_KEY_P256, "000b97a34b29ea73376e606e137b4be75241d7292c6867aa1c533b822d2fe8389fd1"},
};

struct loaded {
	struct buf ak, quote, sig;
};

static struct loaded load_real(const char *kind)
{
	char name[64];
	struct loaded l;

	(void)snprintf(name, sizeof(name), "good-ak-%s", kind);
	l.ak = load(name);
	(void)snprintf(name, sizeof(name), "good-quote-%s", kind);
	l.quote = load(name);
	(void)snprintf(name, sizeof(name), "good-sig-%s", kind);
	l.sig = load(name);
	return l;
}

static void unload(struct loaded *l)
{
	buf_free(&l->ak);
	buf_free(&l->quote);
	buf_free(&l->sig);
}

static void a_quote_of_swtpm_is_read_and_verified(void **state)
{
	const struct real *real = *state;
	struct loaded l = load_real(real->kind);
	cleanup_quote_ak struct quote_ak ak = {0};
	uint8_t pcrs[16][32] = {{0}}, digest[32], h[32];
	char name[2 * QUOTE_NAME_BYTES + 1];
	struct err e = ERR_INIT;
	struct quote q;

	assert_ok(quote_ak_parse(view(&l.ak), &ak, &e), &e);
	assert_int_equal(ak.type, real->type);
	hex_encode(ak.name, sizeof(ak.name), name);
	assert_string_equal(name, real->name);
	assert_ok(quote_parse(view(&l.quote), &q, &e), &e);
	assert_ok(quote_verify(&ak, view(&l.quote), view(&l.sig), &e), &e);
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(q.extra[i], i);
	assert_true(q.safe);
	assert_int_equal(q.reset_count, 1);
	w_sha256("a", 1, h);
	w_extend(pcrs[4], h);
	w_sha256("enter-initrd", 12, h);
	w_extend(pcrs[11], h);
	w_sha256(pcrs, sizeof(pcrs), digest);
	assert_memory_equal(q.pcr_digest, digest, 32);
	unload(&l);
}

static void every_changed_bit_of_quote_or_signature_refuses(void **state)
{
	const struct real *real = *state;
	struct loaded l = load_real(real->kind);
	cleanup_quote_ak struct quote_ak ak = {0};
	struct err e = ERR_INIT;

	assert_ok(quote_ak_parse(view(&l.ak), &ak, &e), &e);
	for (size_t i = 0; i < l.quote.len; i += 3) {
		l.quote.data[i] ^= 1;
		assert_int_equal(quote_verify(&ak, view(&l.quote), view(&l.sig), &e), -EBADMSG);
		l.quote.data[i] ^= 1;
	}
	for (size_t i = 0; i < l.sig.len; i += 3) {
		l.sig.data[i] ^= 1;
		assert_int_equal(quote_verify(&ak, view(&l.quote), view(&l.sig), &e), -EBADMSG);
		l.sig.data[i] ^= 1;
	}
	assert_ok(quote_verify(&ak, view(&l.quote), view(&l.sig), &e), &e);
	unload(&l);
}

static void every_cut_of_quote_key_and_signature_refuses(void **state)
{
	const struct real *real = *state;
	struct loaded l = load_real(real->kind);
	cleanup_quote_ak struct quote_ak ak = {0}, none = {0};
	struct err e = ERR_INIT;
	struct quote q;

	assert_ok(quote_ak_parse(view(&l.ak), &ak, &e), &e);
	for (size_t n = 0; n < l.quote.len; n++)
		assert_int_equal(quote_parse((struct bytes){l.quote.data, n}, &q, &e), -EINVAL);
	for (size_t n = 0; n < l.ak.len; n++)
		assert_int_equal(quote_ak_parse((struct bytes){l.ak.data, n}, &none, &e), -EINVAL);
	for (size_t n = 0; n < l.sig.len; n++)
		assert_int_equal(quote_verify(&ak, view(&l.quote), (struct bytes){l.sig.data, n}, &e), -EBADMSG);
	buf_u8(&l.sig, 0);
	assert_int_equal(quote_verify(&ak, view(&l.quote), view(&l.sig), &e), -EBADMSG);
	buf_u8(&l.ak, 0);
	assert_refused(quote_ak_parse(view(&l.ak), &none, &e), &e, EINVAL, "follow its size");
	unload(&l);
}

static void the_signature_scheme_is_the_one_of_the_key(void **state)
{
	struct loaded rsa = load_real("rsa"), ecc = load_real("ecc");
	cleanup_quote_ak struct quote_ak ak = {0}, unset = {0};
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(quote_ak_parse(view(&rsa.ak), &ak, &e), &e);
	assert_refused(quote_verify(&ak, view(&ecc.quote), view(&ecc.sig), &e), &e, EBADMSG, "scheme 0x18");
	rsa.sig.data[1] = 0x16; /* RSAPSS */
	assert_refused(quote_verify(&ak, view(&rsa.quote), view(&rsa.sig), &e), &e, EBADMSG, "scheme 0x16");
	rsa.sig.data[1] = 0x14;
	rsa.sig.data[3] = 0x04; /* SHA-1 */
	assert_refused(quote_verify(&ak, view(&rsa.quote), view(&rsa.sig), &e), &e, EBADMSG, "hash 0x4");
	rsa.sig.data[3] = 0x0b;
	assert_ok(quote_verify(&ak, view(&rsa.quote), view(&rsa.sig), &e), &e);
	assert_refused(quote_verify(&unset, view(&rsa.quote), view(&rsa.sig), &e), &e, EINVAL, "no AK");
	unload(&rsa);
	unload(&ecc);
}

static const struct bad_file {
	const char *name, *part;
	bool ak;
} bad_files[] = {
	{"bad-quote-selection-0-7", "mask ff0000", false},
	{"bad-quote-bank-sha1", "0x4, mask ffff00", false},
	{"bad-quote-type-time", "type is 0x8019", false},
	{"bad-ak-unrestricted", "attributes 0x00040072", true},
	{"bad-ak-rsapss", "scheme 0x16", true},
};

static void a_real_structure_of_another_kind_refuses(void **state)
{
	cleanup_quote_ak struct quote_ak ak = {0};
	struct err e = ERR_INIT;
	struct quote q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_files); i++) {
		struct buf b = load(bad_files[i].name);

		if (bad_files[i].ak)
			assert_refused(quote_ak_parse(view(&b), &ak, &e), &e, EINVAL, bad_files[i].part);
		else
			assert_refused(quote_parse(view(&b), &q, &e), &e, EINVAL, bad_files[i].part);
		buf_free(&b);
	}
}

/* Each attribute bit of a good AK flipped: only noDA may differ. */
static void the_attribute_mask_is_exact(void **state)
{
	struct loaded l = load_real("ecc");
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned bit = 0; bit < 32; bit++) {
		cleanup_quote_ak struct quote_ak ak = {0};
		uint8_t *byte = &l.ak.data[2 + 4 + 3 - bit / 8];

		*byte ^= (uint8_t)(1 << bit % 8);
		if (bit == 10)
			assert_ok(quote_ak_parse(view(&l.ak), &ak, &e), &e);
		else
			assert_refused(quote_ak_parse(view(&l.ak), &ak, &e), &e, EINVAL, "attributes");
		*byte ^= (uint8_t)(1 << bit % 8);
	}
	unload(&l);
}

static const struct edit {
	const char *kind;
	size_t at;
	uint8_t value;
	const char *part;
} edits[] = {
	{"rsa", 5, 0x04, "nameAlg 0x4"},
	{"rsa", 3, 0x08, "key type 0x8"},
	{"rsa", 13, 0x06, "symmetric algorithm 0x6"},
	{"rsa", 17, 0x04, "hash 0x4"},
	{"rsa", 18, 0x04, "of 1024 bits"},
	{"rsa", 23, 3, "exponent 3"},
	{"rsa", 26, 0x46, "wanted 2048 to"},
	{"ecc", 15, 0x1a, "scheme 0x1a"},
	{"ecc", 17, 0x0c, "hash 0xc"},
	{"ecc", 19, 4, "curve 0x4"},
	{"ecc", 21, 0x20, "wanted ECDSA, SHA-256, P-256"},
	{"ecc", 60, 0xee, "cannot be used"},
};

static void an_edited_public_area_refuses(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		struct loaded l = load_real(edits[i].kind);
		cleanup_quote_ak struct quote_ak ak = {0};

		l.ak.data[edits[i].at] = edits[i].value;
		assert_refused(quote_ak_parse(view(&l.ak), &ak, &e), &e, EINVAL, edits[i].part);
		unload(&l);
	}
}

static void a_modulus_of_the_weak_generator_is_seen(void **state)
{
	/* 65537^5 is a power of the generator, whatever the prime; so is a product of two weak primes. */
	uint8_t weak[11] = {0}, sound[256];
	struct loaded l = load_real("rsa");
	BIGNUM *n = BN_new(), *g = BN_new(), *five = BN_new();
	BN_CTX *ctx = BN_CTX_new();

	(void)state;
	assert_true(BN_set_word(g, 65537) && BN_set_word(five, 5) && BN_exp(n, g, five, ctx));
	assert_int_equal(BN_bn2binpad(n, weak, sizeof(weak)), sizeof(weak));
	assert_true(quote_rsa_is_roca(weak, sizeof(weak)));
	memcpy(sound, l.ak.data + l.ak.len - 256, 256);
	assert_false(quote_rsa_is_roca(sound, sizeof(sound)));
	BN_free(n);
	BN_free(g);
	BN_free(five);
	BN_CTX_free(ctx);
	unload(&l);
}

/* 65537^5 modulo the product of the primes that the weak generator leaves its mark in, and a large multiple of that product: 2048 bits. */
static void put_weak_modulus(uint8_t ret[static 256])
{
	static const BN_ULONG primes[] = {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157};
	BIGNUM *product = BN_new(), *n = BN_new(), *e = BN_new();
	BN_CTX *ctx = BN_CTX_new();

	assert_true(BN_one(product) && BN_set_word(n, 65537) && BN_set_word(e, 5));
	for (size_t i = 0; i < ARRAY_SIZE(primes); i++)
		assert_true(BN_mul_word(product, primes[i]));
	assert_true(BN_mod_exp(n, n, e, product, ctx));
	assert_true(BN_lshift(product, product, 2048 - BN_num_bits(product)) && BN_add(n, n, product));
	assert_int_equal(BN_num_bits(n), 2048);
	assert_int_equal(BN_bn2binpad(n, ret, 256), 256);
	BN_free(product);
	BN_free(n);
	BN_free(e);
	BN_CTX_free(ctx);
}

static void an_ak_of_the_weak_generator_is_refused(void **state)
{
	struct loaded l = load_real("rsa");
	struct quote_ak ak = {0};
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(quote_ak_parse(view(&l.ak), &ak, &e), &e); /* the sound twin */
	quote_ak_free(&ak);
	put_weak_modulus(l.ak.data + l.ak.len - 256);
	assert_refused(quote_ak_parse(view(&l.ak), &ak, &e), &e, EINVAL, "CVE-2017-15361");
	unload(&l);
}

/* Quotes of the software key, one field each made wrong. */
static void extra_data_must_be_32_bytes_and_safe_a_flag(void **state)
{
	struct world *w = world_sound();
	uint8_t extra[33] = {0};
	struct err e = ERR_INIT;
	struct quote q;

	(void)state;
	w_attest(w, extra, 32);
	assert_ok(quote_parse(view(&w->attest), &q, &e), &e);
	w->attest.data[4 + 2 + 2 + 34 + 2 + 32 + 8 + 4 + 4] = 2;
	assert_refused(quote_parse(view(&w->attest), &q, &e), &e, EINVAL, "safe flag");
	w_attest(w, extra, 33);
	assert_refused(quote_parse(view(&w->attest), &q, &e), &e, EINVAL, "extraData has 33 bytes");
	w_attest(w, extra, 0);
	assert_refused(quote_parse(view(&w->attest), &q, &e), &e, EINVAL, "extraData has 0 bytes");
	world_free(w);
}

/* The bound comes first: one byte less is read, and refused for what stands behind the quote. */
static void the_size_of_a_quote_is_bounded(void **state)
{
	struct loaded l = load_real("rsa");
	uint8_t long_quote[QUOTE_MAX_ATTEST_BYTES + 1] = {0};
	struct err e = ERR_INIT;
	struct quote q;

	(void)state;
	assert_ok(quote_parse(view(&l.quote), &q, &e), &e);
	memcpy(long_quote, l.quote.data, l.quote.len);
	assert_refused(quote_parse((struct bytes){long_quote, QUOTE_MAX_ATTEST_BYTES}, &q, &e), &e, EINVAL, "bytes behind it");
	assert_refused(quote_parse((struct bytes){long_quote, QUOTE_MAX_ATTEST_BYTES + 1}, &q, &e), &e, EINVAL,
		       "has 1025 bytes, wanted at most 1024");
	unload(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a quote of swtpm's RSA key is read and verified", a_quote_of_swtpm_is_read_and_verified, NULL, NULL,
		 (void *)&reals[0]},
		{"a quote of swtpm's ECC key is read and verified", a_quote_of_swtpm_is_read_and_verified, NULL, NULL,
		 (void *)&reals[1]},
		{"changed bits refuse (RSA)", every_changed_bit_of_quote_or_signature_refuses, NULL, NULL,
		 (void *)&reals[0]},
		{"changed bits refuse (ECC)", every_changed_bit_of_quote_or_signature_refuses, NULL, NULL,
		 (void *)&reals[1]},
		{"cuts refuse (RSA)", every_cut_of_quote_key_and_signature_refuses, NULL, NULL, (void *)&reals[0]},
		{"cuts refuse (ECC)", every_cut_of_quote_key_and_signature_refuses, NULL, NULL, (void *)&reals[1]},
		cmocka_unit_test(the_signature_scheme_is_the_one_of_the_key),
		cmocka_unit_test(a_real_structure_of_another_kind_refuses),
		cmocka_unit_test(the_attribute_mask_is_exact),
		cmocka_unit_test(an_edited_public_area_refuses),
		cmocka_unit_test(a_modulus_of_the_weak_generator_is_seen),
		cmocka_unit_test(an_ak_of_the_weak_generator_is_refused),
		cmocka_unit_test(extra_data_must_be_32_bytes_and_safe_a_flag),
		cmocka_unit_test(the_size_of_a_quote_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
