/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_oneshot.c - `verify` and `explain`, as programs, are given what the service is given: policy sets, revoked EKs
 *
 * One sound host in software (tests/attest/world.h), its files in a folder, CRLs made with OpenSSL. Each case runs both programs
 * with the same options: what one refuses the other must explain, with the same words, and what one accepts has nothing to explain.
 */
#include "tests/attest/fleet_lab.h"

#include "attest/ek_revoked.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

enum { HOUR = 3600, MAX_OUTPUT = 65536, EK_SERIAL = 7, OTHER_SERIAL = 8 };

static struct {
	struct world *world;
	EVP_PKEY *maker, *stranger;
	char nonce[65];
	struct buf said;
} host;

/* ---- who certifies EKs --------------------------------------------------------------------------------------------- */

static X509 *make_cert(long serial, const char *subject)
{
	X509 *c = X509_new();
	X509V3_CTX ctx;
	X509_EXTENSION *usage;

	assert_non_null(c);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), serial), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1, 0);
	X509_NAME_add_entry_by_txt(X509_get_issuer_name(c), "CN", MBSTRING_ASC, (const unsigned char *)"maker", -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(c), -HOUR);
	X509_gmtime_adj(X509_getm_notAfter(c), HOUR);
	assert_int_equal(X509_set_pubkey(c, host.maker), 1);
	X509V3_set_ctx(&ctx, c, c, NULL, NULL, 0);
	usage = X509V3_EXT_conf_nid(NULL, &ctx, NID_key_usage, "keyCertSign,cRLSign");
	assert_int_equal(X509_add_ext(c, usage, -1), 1);
	X509_EXTENSION_free(usage);
	assert_true(X509_sign(c, host.maker, EVP_sha256()) > 0);
	return c;
}

static void write_crl(const char *file, X509 *root, long serial, EVP_PKEY *by)
{
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *t = X509_gmtime_adj(NULL, -HOUR);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	BIO *bio = BIO_new_file(lab_path(file), "w");

	assert_non_null(bio);
	assert_int_equal(ASN1_INTEGER_set(number, serial), 1);
	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(root)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, t), 1);
	assert_int_equal(X509_REVOKED_set_serialNumber(r, number), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(r, t), 1);
	X509_gmtime_adj(t, HOUR);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, t), 1);
	assert_int_equal(X509_CRL_add0_revoked(crl, r), 1);
	assert_true(X509_CRL_sign(crl, by, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
	BIO_free(bio);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(t);
	X509_CRL_free(crl);
}

static void write_certificates(struct enrolment *rec)
{
	X509 *root = make_cert(1, "maker"), *ek = make_cert(EK_SERIAL, "ek");
	BIO *bio = BIO_new_file(lab_path("roots.pem"), "w");
	uint8_t issuer[32];
	struct err e = ERR_INIT;

	assert_int_equal(PEM_write_bio_X509(bio, root), 1);
	BIO_free(bio);
	assert_ok(ek_revoked_origin(ek, lab_path("roots.pem"), issuer, rec->certificate_id, &e), &e);
	rec->has_certificate_id = true;
	rec->ek = ENROLMENT_EK_CERTIFICATE;
	write_crl("this.crl", root, EK_SERIAL, host.maker);
	write_crl("other.crl", root, OTHER_SERIAL, host.maker);
	write_crl("forged.crl", root, OTHER_SERIAL, host.stranger);
	X509_free(root);
	X509_free(ek);
}

/* ---- the host's files ---------------------------------------------------------------------------------------------- */

static void write_text(const char *name, const char *text)
{
	lab_write(name, text, strlen(text));
}

static void write_lists(const struct enrolment *rec)
{
	static const char set[] = "{\"holdfast\":\"policy-set/1\",\"name\":\"fleet\",\"version\":7,\"rules\":[{\"name\":\"current\","
				  "\"require\":[{\"field\":\"image.version\",\"at_least\":%d}]}]}";
	char text[512], hex[65];

	hex_encode(rec->identity, 32, hex);
	(void)snprintf(text, sizeof(text), "%s\n", hex);
	write_text("deny-this", text);
	text[0] = text[0] == '0' ? '1' : '0';
	write_text("deny-other", text);
	write_text("deny-malformed", "12\n");
	(void)snprintf(text, sizeof(text), set, 1);
	write_text("set-old-enough", text);
	(void)snprintf(text, sizeof(text), set, 2);
	write_text("set-newer", text);
	write_text("set-malformed", "{\"holdfast\":\"policy-set/1\"}");
}

static int set_up(void **state)
{
	struct enrolment *rec;
	struct err e = ERR_INIT;

	assert_int_equal(lab_set_up(0), 0);
	(void)state;
	host.maker = EVP_EC_gen("P-256");
	host.stranger = EVP_EC_gen("P-256");
	host.world = world_sound();
	world_seal(host.world);
	rec = &host.world->enrolment;
	if (rec->ek_public_bytes < 3) { /* an EK of nobody: nothing looks at it after enrolment but its digest */
		memcpy(rec->ek_public, "\0\1\7", 3);
		rec->ek_public_bytes = 3;
	}
	assert_ok(enrolment_identity(rec->ek_public, rec->ek_public_bytes, rec->identity, &e), &e);
	write_certificates(rec);
	assert_ok(enrolment_write(lab_path("host.json"), rec, &e), &e);
	lab_write("evidence", host.world->evidence.data, host.world->evidence.len);
	lab_refvalues(host.world->refvalues);
	write_lists(rec);
	hex_encode(host.world->nonce, 32, host.nonce);
	return 0;
}

static int tear_down(void **state)
{
	world_free(host.world);
	EVP_PKEY_free(host.maker);
	EVP_PKEY_free(host.stranger);
	buf_free(&host.said);
	return lab_tear_down(state);
}

/* ---- the programs -------------------------------------------------------------------------------------------------- */

#define MAX_OPTIONS 8

/* Pairs of an option and a file of the folder; NULL-terminated. */
static int run(const char *verb, bool judged, const char *const *option)
{
	const char *argv[40] = {lab.program, verb};
	const char *const files[] = {"--evidence", "evidence", "--refvalues", "refvalues.json", "--policy-cert", "policy.pem",
				     "--enrolment", "host.json"};
	char path[ARRAY_SIZE(files) / 2 + MAX_OPTIONS][128];
	size_t n = 2, k = 0;
	int out[2], status;
	char part[4096];
	ssize_t got;

	for (size_t i = 0; i < (judged ? ARRAY_SIZE(files) : ARRAY_SIZE(files) - 2); i += 2, k++) {
		(void)snprintf(path[k], sizeof(path[k]), "%s/%s", lab.dir, files[i + 1]);
		argv[n++] = files[i];
		argv[n++] = path[k];
	}
	for (size_t i = 0; option[i]; i += 2, k++) {
		(void)snprintf(path[k], sizeof(path[k]), "%s/%s", lab.dir, option[i + 1]);
		argv[n++] = option[i];
		argv[n++] = path[k];
	}
	if (judged) {
		argv[n++] = "--nonce";
		argv[n++] = host.nonce;
	}
	host.said.len = 0;
	assert_int_equal(pipe(out), 0);
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)dup2(out[1], 1);
		(void)dup2(out[1], 2);
		(void)close(out[0]);
		(void)close(out[1]);
		lab_exec(argv);
	}
	(void)close(out[1]);
	while ((got = read(out[0], part, sizeof(part))) > 0 && host.said.len < MAX_OUTPUT)
		buf_put(&host.said, part, (size_t)got);
	(void)close(out[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	buf_u8(&host.said, 0);
	assert_false(host.said.bad);
	return WEXITSTATUS(status);
}

static void assert_said(const char *verb, int wanted, const char *const *option, const char *words)
{
	int got = run(verb, true, option);

	if (got != wanted || !strstr((const char *)host.said.data, words))
		fail_msg("%s %s %s: exit %d, wanted %d and \"%s\": %s", verb, option[0] ? option[0] : "", option[0] ? option[1] : "", got,
			 wanted, words, host.said.data);
}

/* ---- the cases ----------------------------------------------------------------------------------------------------- */

struct oneshot {
	const char *name;
	int exit;
	const char *words; /* of a refusal, in both programs; of what could not be checked */
	const char *option[MAX_OPTIONS];
};

static const struct oneshot cases[] = {
	{"nothing asked beyond the reference values", 0, "", {NULL}},
	{"a deny list without this EK", 0, "", {"--ek-deny", "deny-other"}},
	{"a deny list with it", 1, "EK: it is on the operator's deny list", {"--ek-deny", "deny-this"}},
	{"a CRL that lists another certificate", 0, "", {"--ek-crl", "other.crl", "--ek-roots", "roots.pem"}},
	{"a CRL that lists this EK's", 1, "EK: its certificate is revoked", {"--ek-crl", "this.crl", "--ek-roots", "roots.pem"}},
	{"two CRLs, the second of them lists it", 1, "EK: its certificate is revoked",
	 {"--ek-crl", "other.crl", "--ek-crl", "this.crl", "--provider-roots", "roots.pem"}},
	{"a policy set that wants this version", 0, "", {"--policy-set", "set-old-enough"}},
	{"one that wants a newer", 1, "policy set, rule \"current\": image.version is 1, wanted at_least 2", {"--policy-set", "set-newer"}},
	{"a malformed deny list", 3, "line 1 is not 64", {"--ek-deny", "deny-malformed"}},
	{"a CRL by a stranger is no verdict", 3, "no certificate of the roots", {"--ek-crl", "forged.crl", "--ek-roots", "roots.pem"}},
	{"a CRL that is none", 3, "neither PEM nor DER", {"--ek-crl", "evidence", "--ek-roots", "roots.pem"}},
	{"a malformed policy set", 3, "set-malformed", {"--policy-set", "set-malformed"}},
	{"a missing policy set", 3, "nowhere", {"--policy-set", "nowhere"}},
	{"a CRL without roots", 2, "--ek-crl without the roots", {"--ek-crl", "other.crl"}},
};

static void one_case(void **state)
{
	const struct oneshot *c = *state;
	const bool judged = c->exit < 2;

	assert_said("verify", c->exit, c->option, c->exit == 0 ? "ACCEPT\n" : c->words);
	if (c->exit == 1)
		assert_non_null(strstr((const char *)host.said.data, "REFUSE\n"));
	assert_said("explain", c->exit, c->option, c->exit == 0 ? "ACCEPT: 0 differences" : c->words);
	if (c->exit == 1) /* one fact, proven, and nothing of the logs is put in doubt by it */
		assert_non_null(strstr((const char *)host.said.data, "REFUSE: 1 difference "));
	if (judged) {
		assert_null(strstr((const char *)host.said.data, "nothing below is proven"));
		assert_non_null(strstr((const char *)host.said.data, "ok  The event logs"));
	}
}

/* The link of the chain that is bad is the one it is about. */
static void what_refuses_colours_its_own_link(void **state)
{
	static const char *const deny[] = {"--ek-deny", "deny-this", NULL}, *const set[] = {"--policy-set", "set-newer", NULL},
				 *const good[] = {"--policy-set", "set-old-enough", NULL}, *const none[] = {NULL};

	(void)state;
	assert_said("explain", 1, deny, "BAD The host's keys: its TPM's EK, its TLS key");
	assert_said("explain", 1, deny, "?   Wanted by the fleet's policy set");
	assert_said("explain", 1, set, "BAD Wanted by the fleet's policy set");
	assert_said("explain", 1, set, "ok  The host's keys: its TPM's EK, its TLS key");
	assert_said("explain", 0, good, "ok  Wanted by the fleet's policy set");
	assert_said("explain", 0, none, "?   Wanted by the fleet's policy set");
}

/* A wish that nobody can look at is refused, not passed over. */
static void without_a_proven_host_explain_takes_no_wishes(void **state)
{
	static const char *const wish[][3] = {{"--ek-deny", "deny-other"}, {"--policy-set", "set-old-enough"}};
	static const char *const none[] = {NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wish); i++) {
		assert_int_equal(run("explain", false, wish[i]), 2);
		assert_non_null(strstr((const char *)host.said.data, "wanted --nonce and --enrolment"));
	}
	assert_int_equal(run("explain", false, none), 0);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(cases) + 2] = {
		cmocka_unit_test(what_refuses_colours_its_own_link),
		cmocka_unit_test(without_a_proven_host_explain_takes_no_wishes),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tests[i + 2] = (struct CMUnitTest){.name = cases[i].name, .test_func = one_case, .initial_state = (void *)&cases[i]};
	return cmocka_run_group_tests_name("attest/oneshot", tests, set_up, tear_down);
}
