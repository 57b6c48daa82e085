/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_ek_certificate.c - pitfall "EK certificates in the wild": what is off in real ones, and what is forged
 *
 * Whoever has a certificate believed that no maker of TPMs signed for an EK can pass a program off as a TPM. So what real
 * certificates have wrong is read, and exactly that, and each forgery stands beside the sound one it was made from.
 */
#include "tests/common/check.h"

#include "attest/ek_cert.h"
#include "attest/evidence.h"
#include "common/file.h"

#include <openssl/pem.h>

/* Made by tests/data/ek-cert/make-ek.py, which is no OpenSSL. */
#define DATA "tests/data/ek-cert/"

static void load(const char *name, struct buf *ret)
{
	char path[256];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), DATA "%s", name);
	assert_ok(file_read(path, 1 << 20, ret, &e), &e);
}

static struct bytes view(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

/* What the client does with a certificate out of NV. */
static int judge_by(const char *file, const char *roots_path, struct err *e)
{
	cleanup_buf struct buf area = BUF_INIT, nv = BUF_INIT;
	cleanup_ek_public struct ek_public ek = {0};
	cleanup_x509 X509 *cert = NULL;
	struct bytes b;
	int rc;

	load("good-ek-public.bin", &area);
	load(file, &nv);
	b = view(&area);
	assert_ok(ek_public_parse(&b, &ek, e), e);
	b = view(&nv);
	rc = ek_cert_parse(&b, &cert, e);
	return rc < 0 ? rc : ek_cert_verify(cert, &ek, roots_path, e);
}

static int judge(const char *file, const char *roots, struct err *e)
{
	char path[256];

	(void)snprintf(path, sizeof(path), DATA "%s", roots);
	return judge_by(file, path, e);
}

static void certificates_with_the_known_oddities_are_believed(void **state)
{
	static const struct {
		const char *file;
		const char *roots;
	} cases[] = {
		{"good-ek.der", "roots.pem"},
		{"good-ek-subject.der", "roots.pem"},
		{"good-ek-nv-header.der", "roots.pem"},
		{"good-ek-padding-ff.der", "roots.pem"},
		{"good-ek-padding-00.der", "roots.pem"},
		{"good-ek-oaep.der", "roots.pem"},
		{"good-ek-rdn-order.der", "roots.pem"},
		{"good-ek-intermediate.der", "roots-with-intermediate.pem"},
		{"bad-ek-other-root.der", "other-roots.pem"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		assert_ok(judge(cases[i].file, cases[i].roots, &e), &e);
	}
}

static void all_other_certificates_are_refused_with_the_reason(void **state)
{
	static const struct {
		const char *file;
		const char *roots;
		int code;
		const char *part;
	} cases[] = {
		{"bad-ek-no-eku.der", "roots.pem", EBADMSG, "2.23.133.8.1 (tcg-kp-EKCertificate) is missing"},
		{"bad-ek-tls-eku.der", "roots.pem", EBADMSG, "2.23.133.8.1 (tcg-kp-EKCertificate) is missing"},
		{"bad-ek-ca.der", "roots.pem", EBADMSG, "it is a CA certificate"},
		{"bad-ek-signing-key.der", "roots.pem", EBADMSG, "key usage does not name key encipherment"},
		{"bad-ek-no-usage.der", "roots.pem", EBADMSG, "key usage does not name key encipherment"},
		{"bad-ek-other-key.der", "roots.pem", EBADMSG, "its key is not the TPM's EK"},
		{"bad-ek-other-root.der", "roots.pem", EBADMSG, "no chain to a certificate of"},
		{"good-ek.der", "other-roots.pem", EBADMSG, "no chain to a certificate of"},
		{"good-ek-intermediate.der", "roots.pem", EBADMSG, "no chain to a certificate of"},
		{"bad-ek-forged-issuer.der", "roots.pem", EBADMSG, "certificate signature failure"},
		{"bad-ek-signature-flipped.der", "roots.pem", EBADMSG, "certificate signature failure"},
		{"bad-ek-oaep-forged-issuer.der", "roots.pem", EBADMSG, "certificate signature failure"},
		{"bad-ek-oaep-other-root.der", "roots.pem", EBADMSG, "no chain to a certificate of"},
		{"bad-ek-oaep-other-key.der", "roots.pem", EBADMSG, "its key is not the TPM's EK"},
		{"bad-ek-oaep-expired.der", "roots.pem", EBADMSG, "certificate has expired"},
		{"bad-ek-ecdh-key.der", "roots.pem", EBADMSG, "its key is no RSA key"},
		{"bad-ek-expired.der", "roots.pem", EBADMSG, "certificate has expired"},
		{"bad-ek-sha1.der", "roots.pem", EBADMSG, "weaker than SHA-256"},
		{"bad-ek-unknown-critical.der", "roots.pem", EBADMSG, "unhandled critical extension"},
		{"bad-ek-twice.der", "roots.pem", EBADMSG, "malformed or stands twice"},
		{"bad-ek-garbage-behind.der", "roots.pem", EINVAL, "byte 9 behind its end"},
		{"bad-ek-mixed-padding.der", "roots.pem", EINVAL, "byte 1 behind its end"},
		{"bad-ek-cut.der", "roots.pem", EINVAL, "no whole DER SEQUENCE"},
		{"bad-ek-not-a-certificate.der", "roots.pem", EINVAL, "no X.509 certificate"},
		{"good-ek.der", "no-such-file.pem", ENOENT, "no-such-file.pem"},
		{"good-ek.der", "good-ek.der", EINVAL, "has no PEM certificates"},
		{"good-ek.der", "bad-roots-malformed.pem", EINVAL, "behind number 1 is malformed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		assert_refused(judge(cases[i].file, cases[i].roots, &e), &e, cases[i].code, cases[i].part);
	}
}

static void a_tpm_without_certificate_is_said_so(void **state)
{
	const struct bytes none = {0};
	struct err e = ERR_INIT;
	X509 *cert;

	(void)state;
	assert_refused(ek_cert_parse(&none, &cert, &e), &e, EINVAL, "the TPM has no EK certificate");
}

static void a_public_area_is_held_to_the_template(void **state)
{
	static const struct {
		size_t at;
		uint8_t flip;
		const char *part;
	} cases[] = {
		{0, 0x01, "2 + 314"},
		{3, 0x22, "byte 1 of the public area is 23, wanted 01"},   /* type */
		{5, 0x07, "byte 3 of the public area is 0c, wanted 0b"},   /* nameAlg */
		{7, 0x04, "byte 5 of the public area is 07, wanted 03"},   /* sign */
		{9, 0x02, "byte 7 of the public area is b0, wanted b2"},   /* not fixedTPM */
		{9, 0x40, "byte 7 of the public area is f2, wanted b2"},   /* userWithAuth */
		{12, 0xff, "byte 10 of the public area is 7c, wanted 83"}, /* policy */
		{57, 0x01, "byte 55 of the public area is 01, wanted 00"}, /* exponent */
		{60, 0x80, "not an odd number of 2048 bits"},              /* top bit of the modulus */
		{315, 0x01, "not an odd number of 2048 bits"},
	};
	cleanup_buf struct buf area = BUF_INIT, roca = BUF_INIT;
	struct ek_public ek;
	struct err e = ERR_INIT;
	struct bytes b;

	(void)state;
	load("good-ek-public.bin", &area);
	assert_int_equal(area.len, 316);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		area.data[cases[i].at] ^= cases[i].flip;
		b = view(&area);
		assert_refused(ek_public_parse(&b, &ek, &e), &e, EINVAL, cases[i].part);
		area.data[cases[i].at] ^= cases[i].flip;
	}
	b.n--;
	assert_refused(ek_public_parse(&b, &ek, &e), &e, EINVAL, "has 315 bytes");
	load("bad-ek-public-roca.bin", &roca);
	b = view(&roca);
	assert_refused(ek_public_parse(&b, &ek, &e), &e, EINVAL, "ROCA");
}

static void a_certificate_over_the_bound_is_not_read(void **state)
{
	static uint8_t nv[EK_CERT_MAX_BYTES + 1];
	const struct bytes most = {nv, EK_CERT_MAX_BYTES}, more = {nv, sizeof(nv)};
	struct err e = ERR_INIT;
	X509 *cert = NULL;

	(void)state;
	assert_refused(ek_cert_parse(&most, &cert, &e), &e, EINVAL, "no whole DER SEQUENCE");
	assert_refused(ek_cert_parse(&more, &cert, &e), &e, EINVAL, "at most 8192 are accepted");
}

static void padding_is_00_or_ff_and_a_certificate_is_no_root_of_its_own(void **state)
{
	cleanup_buf struct buf area = BUF_INIT, nv = BUF_INIT;
	cleanup_ek_public struct ek_public ek = {0};
	cleanup_x509 X509 *cert = NULL;
	char path[] = "/tmp/test_attack_ek_certificate.XXXXXX";
	struct err e = ERR_INIT;
	struct bytes b;
	FILE *f;

	(void)state;
	load("good-ek-public.bin", &area);
	load("good-ek.der", &nv);
	b = view(&area);
	assert_ok(ek_public_parse(&b, &ek, &e), &e);
	b = view(&nv);
	assert_ok(ek_cert_parse(&b, &cert, &e), &e);
	f = fdopen(mkstemp(path), "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	assert_int_equal(fclose(f), 0);
	assert_refused(ek_cert_verify(cert, &ek, path, &e), &e, EBADMSG, "its issuer must");
	assert_int_equal(unlink(path), 0);
	X509_free(cert);
	cert = NULL;
	buf_u8(&nv, 1); /* the same byte throughout, and neither of the two */
	b = view(&nv);
	assert_refused(ek_cert_parse(&b, &cert, &e), &e, EINVAL, "neither 00 nor ff");
}

static void roots_are_bounded_and_that_is_said(void **state)
{
	cleanup_buf struct buf one = BUF_INIT;
	char path[] = "/tmp/test_attack_ek_certificate.XXXXXX";

	(void)state;
	load("roots.pem", &one);
	for (int n = EK_CERT_MAX_ROOTS; n <= EK_CERT_MAX_ROOTS + 1; n++) {
		struct err e = ERR_INIT;
		FILE *f;

		(void)strcpy(path + strlen(path) - 6, "XXXXXX");
		f = fdopen(mkstemp(path), "w");
		assert_non_null(f);
		for (int i = 0; i < n; i++)
			assert_int_equal(fwrite(one.data, 1, one.len, f), one.len);
		assert_int_equal(fclose(f), 0);
		if (n == EK_CERT_MAX_ROOTS)
			assert_ok(judge_by("good-ek.der", path, &e), &e);
		else
			assert_refused(judge_by("good-ek.der", path, &e), &e, EINVAL, "has too many PEM certificates, wanted 1 to 64");
		assert_int_equal(unlink(path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_with_the_known_oddities_are_believed),
		cmocka_unit_test(all_other_certificates_are_refused_with_the_reason),
		cmocka_unit_test(a_tpm_without_certificate_is_said_so),
		cmocka_unit_test(a_public_area_is_held_to_the_template),
		cmocka_unit_test(a_certificate_over_the_bound_is_not_read),
		cmocka_unit_test(padding_is_00_or_ff_and_a_certificate_is_no_root_of_its_own),
		cmocka_unit_test(roots_are_bounded_and_that_is_said),
	};

	return cmocka_run_group_tests_name("attest/ek_cert", tests, NULL, NULL);
}
