/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_authenticode.c - signatures that firmware's checker takes, and none after any change */
#include "tests/image-builder/make.h"

#include "common/hex.h"
#include "image-builder/authenticode.h"
#include "image-builder/pe.h"

#define DATA "tests/data/pe/"

/* Shared by the tests: generating RSA keys is the slow part. */
static EVP_PKEY *key, *other_key, *ec_key;
static X509 *cert, *other_cert, *ec_cert;
static char folder[64];

static struct buf signed_stub(void)
{
	cleanup_buf struct buf b = load(DATA "good-stub.efi");
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	assert_ok(authenticode_sign(key, cert, b.data, b.len, &out, &e), &e);
	return out;
}

static int sbverify(const struct buf *image, X509 *by, struct err *e)
{
	const char *argv[] = {"sbverify", "--cert", in(folder, "cert.pem"), in(folder, "x.efi"), NULL};

	make_pem(argv[2], by);
	make_file(folder, "x.efi", image->data, image->len);
	return oracle(argv, NULL, e);
}

static void the_digest_is_the_one_of_another_implementation(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-stub.efi");
	uint8_t digest[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(authenticode_digest(b.data, b.len, digest, &e), &e);
	hex_encode(digest, sizeof(digest), hex);
	/* virt-firmware of Debian 13: python3 -c "import pefile; from virt.peutils import pesign;
	 *   print(pesign.pe_authenticode_hash(pefile.PE('good-stub.efi')).hex())" */
	assert_string_equal(hex, "f2fb34dd89f201ee0d2380e86e67e89173161a84d352bd7866a63596122c950b");
}

static void a_signature_is_reproducible_and_does_not_change_the_digest(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-stub.efi"), one = signed_stub(), two = signed_stub();
	uint8_t before[HASH_SHA256_BYTES], after[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;
	struct pe pe;

	(void)state;
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	assert_ok(authenticode_digest(b.data, b.len, before, &e), &e);
	assert_ok(authenticode_digest(one.data, one.len, after, &e), &e);
	assert_memory_equal(before, after, sizeof(before));
	assert_ok(pe_parse(one.data, one.len, "signed", &pe, &e), &e);
	assert_int_equal(pe.checksum, pe_checksum(one.data, one.len, pe.checksum_offset));
	assert_int_equal(one.len % 8, 0);
}

static void an_image_of_odd_length_is_padded_before_it_is_hashed(void **state)
{
	cleanup_buf struct buf b = BUF_INIT, s = BUF_INIT;
	uint8_t before[HASH_SHA256_BYTES], after[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	need("sbverify");
	b = load(DATA "good-stub.efi");
	buf_str(&b, "abc"); /* trailing data, which is hashed as well */
	assert_ok(authenticode_digest(b.data, b.len, before, &e), &e);
	assert_ok(authenticode_sign(key, cert, b.data, b.len, &s, &e), &e);
	assert_ok(authenticode_digest(s.data, s.len, after, &e), &e);
	assert_memory_equal(before, after, sizeof(before));
	assert_ok(authenticode_verify(cert, s.data, s.len, &e), &e);
	assert_ok(sbverify(&s, cert, &e), &e);
}

static void sbverify_takes_it_by_the_right_certificate_only(void **state)
{
	cleanup_buf struct buf s = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	need("sbverify");
	s = signed_stub();
	assert_ok(sbverify(&s, cert, &e), &e);
	assert_int_equal(sbverify(&s, other_cert, &e), -ECHILD);
}

static void sbverify_refuses_it_after_one_changed_byte(void **state)
{
	static const size_t at[] = {0x410, 0x605, 0x58 + 16};

	(void)state;
	need("sbverify");
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		cleanup_buf struct buf s = signed_stub();
		struct err e = ERR_INIT;

		assert_ok(sbverify(&s, cert, &e), &e);
		s.data[at[i]] ^= 1;
		assert_int_equal(sbverify(&s, cert, &e), -ECHILD);
		assert_refused(authenticode_verify(cert, s.data, s.len, &e), &e, EBADMSG, "another digest");
	}
}

static void what_sbsign_signed_is_verified(void **state)
{
	cleanup_buf struct buf b = BUF_INIT, s = BUF_INIT;
	const char *argv[] = {"sbsign",
			      "--key",
			      in(folder, "key.pem"),
			      "--cert",
			      in(folder, "cert.pem"),
			      "--output",
			      in(folder, "sbsign.efi"),
			      in(folder, "plain.efi"),
			      NULL};
	struct err e = ERR_INIT;

	(void)state;
	need("sbsign");
	b = load(DATA "good-stub.efi");
	make_key_pem(argv[2], key);
	make_pem(argv[4], cert);
	make_file(folder, "plain.efi", b.data, b.len);
	assert_ok(oracle(argv, NULL, &e), &e);
	s = load(argv[6]);
	assert_ok(authenticode_verify(cert, s.data, s.len, &e), &e);
	assert_refused(authenticode_verify(other_cert, s.data, s.len, &e), &e, EBADMSG, "not by this certificate");
	s.data[0x410] ^= 1;
	assert_refused(authenticode_verify(cert, s.data, s.len, &e), &e, EBADMSG, "another digest");
}

static void what_is_not_a_good_signature_is_refused(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-stub.efi"), s = signed_stub();
	struct err e = ERR_INIT;
	struct pe pe;

	(void)state;
	assert_refused(authenticode_verify(cert, b.data, b.len, &e), &e, EBADMSG, "not signed");
	assert_ok(authenticode_verify(cert, s.data, s.len, &e), &e);
	assert_refused(authenticode_verify(other_cert, s.data, s.len, &e), &e, EBADMSG, "not by this certificate");
	assert_ok(pe_parse(s.data, s.len, "signed", &pe, &e), &e);
	s.data[pe.cert_offset + 6] ^= 1; /* wCertificateType */
	assert_refused(authenticode_verify(cert, s.data, s.len, &e), &e, EBADMSG, "wanted one PKCS#7 entry");
	s.data[pe.cert_offset + 6] ^= 1;
	s.data[pe.cert_offset] ^= 0x10; /* dwLength: not the table's */
	assert_refused(authenticode_verify(cert, s.data, s.len, &e), &e, EBADMSG, "wanted one PKCS#7 entry");
	s.data[pe.cert_offset] ^= 0x10;
	s.data[pe.cert_offset + 8] ^= 1; /* the DER's first byte */
	assert_refused(authenticode_verify(cert, s.data, s.len, &e), &e, EBADMSG, "not PKCS#7");
}

static void bytes_that_firmware_would_not_hash_are_refused(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-stub.efi"), out = BUF_INIT;
	uint8_t digest[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	b.data[0x58 + 240 + 17] = 0; /* .text: no raw data now, so that 0x400 to 0x600 belong to nobody */
	assert_refused(authenticode_digest(b.data, b.len, digest, &e), &e, EINVAL, "bytes between would not be signed");
	assert_refused(authenticode_sign(key, cert, b.data, b.len, &out, &e), &e, EINVAL, "bytes between");
}

static void what_firmware_would_not_take_is_not_signed(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-stub.efi"), s = signed_stub(), out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(authenticode_sign(ec_key, ec_cert, b.data, b.len, &out, &e), &e, EINVAL, "no RSA key");
	assert_refused(authenticode_sign(key, other_cert, b.data, b.len, &out, &e), &e, EINVAL,
		       "not the one of the certificate");
	assert_refused(authenticode_sign(key, cert, s.data, s.len, &out, &e), &e, EEXIST,
		       "carries a signature already");
	assert_refused(authenticode_sign(key, cert, "text", 4, &out, &e), &e, EINVAL, "does not begin with MZ");
	assert_null(out.data);
}

static int set_up(void **state)
{
	(void)state;
	make_key("test db", 0, &key, &cert);
	make_key("other", 0, &other_key, &other_cert);
	make_key("curve", 1, &ec_key, &ec_cert);
	make_folder(folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	drop_folder(folder);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(ec_key);
	X509_free(cert);
	X509_free(other_cert);
	X509_free(ec_cert);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_is_the_one_of_another_implementation),
		cmocka_unit_test(a_signature_is_reproducible_and_does_not_change_the_digest),
		cmocka_unit_test(an_image_of_odd_length_is_padded_before_it_is_hashed),
		cmocka_unit_test(sbverify_takes_it_by_the_right_certificate_only),
		cmocka_unit_test(sbverify_refuses_it_after_one_changed_byte),
		cmocka_unit_test(what_sbsign_signed_is_verified),
		cmocka_unit_test(what_is_not_a_good_signature_is_refused),
		cmocka_unit_test(bytes_that_firmware_would_not_hash_are_refused),
		cmocka_unit_test(what_firmware_would_not_take_is_not_signed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
