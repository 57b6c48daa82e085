/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/common/test_pki.c - signatures: what is accepted, and beside it each way to be refused
 *
 * Our signature is also checked by `openssl smime`, and one made by it the way lab notes say is accepted by us.
 */
#include "tests/common/scratch.h"

#include "common/file.h"
#include "common/pki.h"
#include "common/proc.h"

#include <openssl/pem.h>
#include <stdio.h>

/* Two owners in a temporary folder, made by the openssl command: key.pem/cert.pem and other.pem/othercert.pem. */
static char dir[] = "/tmp/holdfast-pki-XXXXXX";
static EVP_PKEY *key, *other_key;
static X509 *cert, *other_cert;

static char *at(const char *name)
{
	return scratch_path(dir, name);
}

static void run(const char *command)
{
	scratch_run(dir, command);
}

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < 2; i++) {
		char cmd[256];

		(void)snprintf(cmd, sizeof(cmd), "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=t%d -keyout %s -out %s", i,
			       i ? "other.pem" : "key.pem", i ? "othercert.pem" : "cert.pem");
		run(cmd);
	}
	assert_ok(pki_key_load(at("key.pem"), &key, &e), &e);
	assert_ok(pki_key_load(at("other.pem"), &other_key, &e), &e);
	assert_ok(pki_cert_load(at("cert.pem"), &cert, &e), &e);
	assert_ok(pki_cert_load(at("othercert.pem"), &other_cert, &e), &e);
	return 0;
}

static int teardown(void **state)
{
	char cmd[64];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	X509_free(cert);
	X509_free(other_cert);
	return 0;
}

static void sign(struct buf *sig, enum pki_shape shape)
{
	struct err e = ERR_INIT;

	assert_ok(pki_sign(&(struct pki_signer){ key, cert }, "payload", 7, shape, sig, &e), &e);
}

static void a_good_signature_is_accepted_and_repeatable(void **state)
{
	cleanup_buf struct buf a = BUF_INIT, b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	sign(&a, PKI_DETACHED);
	sign(&b, PKI_DETACHED);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	assert_ok(pki_verify_detached(cert, "payload", 7, a.data, a.len, &e), &e);
}

static void other_bytes_are_refused(void **state)
{
	cleanup_buf struct buf a = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	sign(&a, PKI_DETACHED);
	assert_refused(pki_verify_detached(cert, "payloae", 7, a.data, a.len, &e), &e, EBADMSG, "not over these bytes");
	assert_refused(pki_verify_detached(cert, "payload", 6, a.data, a.len, &e), &e, EBADMSG, "not over these bytes");
	assert_refused(pki_verify_detached(cert, "", 0, a.data, a.len, &e), &e, EBADMSG, "not over these bytes");
}

static void another_certificate_is_refused(void **state)
{
	cleanup_buf struct buf a = BUF_INIT, b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	sign(&a, PKI_DETACHED);
	assert_refused(pki_verify_detached(other_cert, "payload", 7, a.data, a.len, &e), &e, EBADMSG, "another certificate");
	assert_refused(pki_sign(&(struct pki_signer){ other_key, cert }, "payload", 7, PKI_DETACHED, &b, &e), &e, EINVAL, "not the one of the certificate");
	assert_int_equal(b.len, 0);
}

static void trailing_and_attached_bytes_are_refused(void **state)
{
	cleanup_buf struct buf a = BUF_INIT, b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	sign(&a, PKI_DETACHED);
	buf_u8(&a, 0);
	assert_refused(pki_verify_detached(cert, "payload", 7, a.data, a.len, &e), &e, EBADMSG, "1 bytes behind its end");
	sign(&b, PKI_ATTACHED);
	assert_refused(pki_verify_detached(cert, "payload", 7, b.data, b.len, &e), &e, EBADMSG, "carries its own content");
	assert_refused(pki_verify_detached(cert, "payload", 7, "junk", 4, &e), &e, EBADMSG, "not PKCS#7");
}

static void no_flipped_bit_of_a_signature_passes_unnoticed(void **state)
{
	cleanup_buf struct buf a = BUF_INIT;
	size_t accepted = 0;

	(void)state;
	sign(&a, PKI_DETACHED);
	for (size_t bit = 0; bit < 8 * a.len; bit++) {
		struct err e = ERR_INIT;

		a.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (pki_verify_detached(cert, "payload", 7, a.data, a.len, &e) == 0)
			accepted++;
		a.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(accepted, 0);
}

static void attributes_and_embedded_certificates_of_openssl(void **state)
{
	cleanup_buf struct buf good = BUF_INIT, attr = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	run("printf payload > p; openssl smime -sign -binary -noattr -nocerts -in p -signer cert.pem -inkey key.pem -outform der -out good.p7s");
	run("openssl smime -sign -binary -nocerts -in p -signer cert.pem -inkey key.pem -outform der -out attr.p7s");
	assert_ok(file_read(at("good.p7s"), PKI_MAX_SIGNATURE_BYTES, &good, &e), &e);
	assert_ok(file_read(at("attr.p7s"), PKI_MAX_SIGNATURE_BYTES, &attr, &e), &e);
	assert_ok(pki_verify_detached(cert, "payload", 7, good.data, good.len, &e), &e);
	assert_refused(pki_verify_detached(cert, "payload", 7, attr.data, attr.len, &e), &e, EBADMSG, "signed attributes");
}

static void openssl_accepts_ours_and_the_bytes_are_the_same(void **state)
{
	cleanup_buf struct buf a = BUF_INIT, theirs = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	sign(&a, PKI_DETACHED);
	assert_ok(file_write(at("ours.p7s"), a.data, a.len, 0644, &e), &e);
	run("printf payload > p; openssl smime -verify -binary -inform der -in ours.p7s -content p -certfile cert.pem -nointern -noverify -out /dev/null");
	run("openssl smime -sign -binary -noattr -nocerts -in p -signer cert.pem -inkey key.pem -outform der -out theirs.p7s");
	assert_ok(file_read(at("theirs.p7s"), PKI_MAX_SIGNATURE_BYTES, &theirs, &e), &e);
	assert_int_equal(a.len, theirs.len);
	assert_memory_equal(a.data, theirs.data, a.len);
}

static void missing_and_wrong_files_are_named(void **state)
{
	cleanup_pkey EVP_PKEY *k = NULL;
	cleanup_x509 X509 *c = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(pki_key_load(at("none.pem"), &k, &e), &e, ENOENT, "none.pem");
	assert_refused(pki_key_load(at("cert.pem"), &k, &e), &e, EINVAL, "does not hold a private key");
	assert_refused(pki_cert_load(at("key.pem"), &c, &e), &e, EINVAL, "neither a PEM nor a DER certificate");
	assert_refused(pki_cert_load(at("none.pem"), &c, &e), &e, ENOENT, "none.pem");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_signature_is_accepted_and_repeatable),
		cmocka_unit_test(other_bytes_are_refused),
		cmocka_unit_test(another_certificate_is_refused),
		cmocka_unit_test(trailing_and_attached_bytes_are_refused),
		cmocka_unit_test(no_flipped_bit_of_a_signature_passes_unnoticed),
		cmocka_unit_test(attributes_and_embedded_certificates_of_openssl),
		cmocka_unit_test(openssl_accepts_ours_and_the_bytes_are_the_same),
		cmocka_unit_test(missing_and_wrong_files_are_named),
	};

	return cmocka_run_group_tests_name("common/pki", tests, setup, teardown);
}
