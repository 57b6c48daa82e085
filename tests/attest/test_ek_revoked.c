/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_ek_revoked.c - which EKs are revoked: deny lists, CRLs that count, and CRLs that do not */
#include "tests/common/check.h"

#include "attest/ek_revoked.h"
#include "common/file.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { NOW = 1800000000, HOUR = 3600 };

static struct {
	char dir[64];
	EVP_PKEY *key, *other;
	X509 *root, *leaf[2];
} lab;

static const char *path_of(const char *name)
{
	static char path[4][128];
	static int i;

	i = (i + 1) % 4;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", lab.dir, name);
	return path[i];
}

static X509 *make_cert(EVP_PKEY *key, EVP_PKEY *by, const char *subject, long serial, const char *usage)
{
	X509 *c = X509_new();
	X509V3_CTX ctx;

	assert_non_null(c);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), serial), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1, 0);
	X509_NAME_add_entry_by_txt(X509_get_issuer_name(c), "CN", MBSTRING_ASC, (const unsigned char *)"maker", -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(c), 0);
	X509_gmtime_adj(X509_getm_notAfter(c), HOUR);
	assert_int_equal(X509_set_pubkey(c, key), 1);
	X509V3_set_ctx(&ctx, c, c, NULL, NULL, 0);
	if (usage) {
		X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_key_usage, usage);

		assert_int_equal(X509_add_ext(c, ext, -1), 1);
		X509_EXTENSION_free(ext);
	}
	assert_true(X509_sign(c, by, EVP_sha256()) > 0);
	return c;
}

/* What a CRL may have beside the sound. */
struct crl_params {
	const char *name;
	EVP_PKEY *by; /* NULL: the root's key */
	const EVP_MD *md;
	int64_t since_s, until_s; /* 0: an hour ago, in an hour */
	int critical, delta, entry_critical, pem;
	const char *part; /* of the refusal; NULL: it counts */
	int code;
};

static void add_critical(X509_CRL *crl, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(ext);
	assert_int_equal(X509_CRL_add_ext(crl, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void write_crl(const char *file, const struct crl_params *p)
{
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)(p->since_s ? p->since_s : NOW - HOUR));
	BIO *bio = BIO_new_file(path_of(file), "w");

	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(lab.root)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, t), 1);
	ASN1_TIME_set(t, (time_t)(p->until_s ? p->until_s : NOW + HOUR));
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, t), 1);
	assert_int_equal(X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(lab.leaf[0])), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(r, t), 1);
	if (p->entry_critical) {
		ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

		ASN1_ENUMERATED_set(reason, 1);
		assert_int_equal(X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, reason, 1, 0), 1);
		ASN1_ENUMERATED_free(reason);
	}
	assert_int_equal(X509_CRL_add0_revoked(crl, r), 1);
	if (p->critical)
		add_critical(crl, NID_issuing_distribution_point, "critical,onlyuser:TRUE");
	if (p->delta) {
		ASN1_INTEGER *base = ASN1_INTEGER_new();

		ASN1_INTEGER_set(base, 1);
		assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, base, 0, 0), 1);
		ASN1_INTEGER_free(base);
	}
	assert_true(X509_CRL_sign(crl, p->by ? p->by : lab.key, p->md ? p->md : EVP_sha256()) > 0);
	assert_int_equal(p->pem ? PEM_write_bio_X509_CRL(bio, crl) : i2d_X509_CRL_bio(bio, crl), 1);
	BIO_free(bio);
	ASN1_TIME_free(t);
	X509_CRL_free(crl);
}

static int load(const char *file, const char *roots, struct ek_revoked *ret, struct err *e)
{
	char crl[128];
	const char *one = crl;
	const struct ek_revoked_files f = {.crl = &one, .n_crls = 1, .roots = {roots ? path_of(roots) : NULL}};

	(void)snprintf(crl, sizeof(crl), "%s", path_of(file));
	return ek_revoked_load(&f, NOW, ret, e);
}

static struct enrolment record(int leaf, uint8_t issuer[static HASH_SHA256_BYTES])
{
	struct enrolment rec = {.ek = ENROLMENT_EK_CERTIFICATE, .has_certificate_id = true};
	struct err e = ERR_INIT;

	assert_ok(ek_revoked_origin(lab.leaf[leaf], path_of("root.pem"), issuer, rec.certificate_id, &e), &e);
	return rec;
}

static void a_crl_revokes_what_it_lists_and_nothing_else(void **state)
{
	static const struct crl_params sound[] = {{.name = "DER"}, {.name = "PEM", .pem = 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sound); i++) {
		cleanup_ek_revoked struct ek_revoked r = {0};
		uint8_t issuer[32];
		struct enrolment revoked = record(0, issuer), good = record(1, issuer), old = good, pinned = {.ek = ENROLMENT_EK_PINNED};
		struct err e = ERR_INIT;

		write_crl("list.crl", &sound[i]);
		assert_ok(load("list.crl", "root.pem", &r, &e), &e);
		assert_non_null(strstr(ek_revoked_why(&r, &revoked), "its certificate is revoked"));
		assert_null(ek_revoked_why(&r, &good));
		assert_null(ek_revoked_why(&r, &pinned));
		old.has_certificate_id = false; /* enrolled before certificates were kept */
		assert_non_null(strstr(ek_revoked_why(&r, &old), "enrol it again"));
		assert_ok(ek_revoked_may_enrol(&r, issuer, NOW, &e), &e);
		assert_refused(ek_revoked_may_enrol(&r, issuer, NOW + 2 * HOUR, &e), &e, EBADMSG, "CRL ended 3600 s ago");
		issuer[0] ^= 1;
		e = (struct err)ERR_INIT;
		assert_refused(ek_revoked_may_enrol(&r, issuer, NOW, &e), &e, EBADMSG, "there is none of its issuer");
	}
}

static void other_lists_do_not_count(void **state)
{
	const struct crl_params cases[] = {
		{.name = "another key", .by = lab.other, .part = "no certificate of the roots", .code = EBADMSG},
		{.name = "SHA-1", .md = EVP_sha1(), .part = "hash is not SHA-256", .code = EBADMSG},
		{.name = "of the future", .since_s = NOW + HOUR, .until_s = NOW + 2 * HOUR, .part = "of the future", .code = EINVAL},
		{.name = "a part", .critical = 1, .part = "critical extension", .code = EINVAL},
		{.name = "a delta", .delta = 1, .part = "delta CRL", .code = EINVAL},
		{.name = "an entry of somebody else", .entry_critical = 1, .part = "entry 0 has a critical extension", .code = EINVAL},
	};
	struct ek_revoked r = {0};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].name);
		e = (struct err)ERR_INIT;
		write_crl("list.crl", &cases[i]);
		assert_refused(load("list.crl", "root.pem", &r, &e), &e, cases[i].code, cases[i].part);
	}
	write_crl("list.crl", &(struct crl_params){.name = "sound"});
	e = (struct err)ERR_INIT;
	assert_refused(load("list.crl", "no-crl-sign.pem", &r, &e), &e, EBADMSG, "may sign CRLs");
	e = (struct err)ERR_INIT;
	assert_refused(load("list.crl", NULL, &r, &e), &e, EBADMSG, "no certificate of the roots");
	assert_ok(file_write(path_of("junk"), "junk", 4, 0600, &e), &e);
	e = (struct err)ERR_INIT;
	assert_refused(load("junk", "root.pem", &r, &e), &e, EINVAL, "junk");
}

static void deny_lists_are_digests_line_by_line(void **state)
{
	static const char good[] = "0202020202020202020202020202020202020202020202020202020202020202\n"
				   "0101010101010101010101010101010101010101010101010101010101010101";
	cleanup_ek_revoked struct ek_revoked r = {0};
	struct ek_revoked none = {0};
	struct ek_revoked_files f = {.deny = path_of("deny")};
	struct enrolment rec = {.ek = ENROLMENT_EK_PINNED};
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_write(path_of("deny"), good, strlen(good), 0600, &e), &e);
	f.deny = path_of("deny");
	assert_ok(ek_revoked_load(&f, NOW, &r, &e), &e);
	assert_null(ek_revoked_why(&r, &rec));
	memset(rec.identity, 1, sizeof(rec.identity));
	assert_non_null(strstr(ek_revoked_why(&r, &rec), "deny list"));
	assert_null(ek_revoked_why(&none, &rec));
	assert_ok(file_write(path_of("deny"), "0202\n", 5, 0600, &e), &e);
	f.deny = path_of("deny");
	assert_refused(ek_revoked_load(&f, NOW, &none, &e), &e, EINVAL, "line 1 is not 64");
}

static void write_pem(const char *file, X509 *c)
{
	BIO *bio = BIO_new_file(path_of(file), "w");

	assert_int_equal(PEM_write_bio_X509(bio, c), 1);
	BIO_free(bio);
}

static int set_up(void **state)
{
	X509 *weak;

	(void)state;
	(void)snprintf(lab.dir, sizeof(lab.dir), "/tmp/holdfast-revoked-XXXXXX");
	assert_non_null(mkdtemp(lab.dir));
	lab.key = EVP_EC_gen("P-256");
	lab.other = EVP_EC_gen("P-256");
	lab.root = make_cert(lab.key, lab.key, "maker", 1, "keyCertSign,cRLSign");
	lab.leaf[0] = make_cert(lab.other, lab.key, "ek", 7, NULL);
	lab.leaf[1] = make_cert(lab.other, lab.key, "ek", 8, NULL);
	weak = make_cert(lab.key, lab.key, "maker", 1, "keyCertSign");
	write_pem("root.pem", lab.root);
	write_pem("no-crl-sign.pem", weak);
	X509_free(weak);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"root.pem", "no-crl-sign.pem", "list.crl", "junk", "deny"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlink(path_of(names[i]));
	X509_free(lab.root);
	X509_free(lab.leaf[0]);
	X509_free(lab.leaf[1]);
	EVP_PKEY_free(lab.key);
	EVP_PKEY_free(lab.other);
	return rmdir(lab.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crl_revokes_what_it_lists_and_nothing_else),
		cmocka_unit_test(other_lists_do_not_count),
		cmocka_unit_test(deny_lists_are_digests_line_by_line),
	};

	return cmocka_run_group_tests_name("attest/ek_revoked", tests, set_up, tear_down);
}
