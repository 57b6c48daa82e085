/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_refvalues.c - reference values and enrolment records: signed, complete, and in one shape only */
#include "tests/attest/world.h"

#include "common/file.h"

#include <openssl/x509v3.h>
#include <unistd.h>

/* A good document with @from replaced by @to, once. */
static int parse_edited(const char *from, const char *to, struct err *e)
{
	cleanup_refvalues struct refvalues rv = {0};
	struct world *w = world_sound();
	char text[2 * sizeof(w->refvalues)];
	char *at = strstr(w->refvalues, from);
	int rc;

	if (!at)
		fail_msg("the document does not hold %s", from);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - w->refvalues), w->refvalues, to, at + strlen(from));
	world_free(w);
	rc = refvalues_parse(text, strlen(text), "refvalues.json", &rv, e);
	return rc;
}

/* The very bytes that the builder writes (tests/image-builder/test_spdx.c). */
static void the_builders_sbom_is_read(void **state)
{
	cleanup_refvalues struct refvalues rv = {0};
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read("tests/data/refvalues/good-sbom.json", 1 << 20, &b, &e), &e);
	assert_ok(refvalues_parse(b.data, b.len, "r", &rv, &e), &e);
	assert_true(rv.sbom.known && rv.sbom.digest[0] == 1 && rv.sbom.n == 3);
	assert_string_equal(sbom_version(&rv.sbom, "libc6"), "2.41-12");
	assert_string_equal(sbom_version(&rv.sbom, "libstdc++6"), "14.2.0-19");
	assert_null(sbom_version(&rv.sbom, "telnetd"));
}

static const struct edit {
	const char *from, *to, *part;
} edits[] = {
	{"reference-values/1", "reference-values/2", "wanted \"reference-values/1\""},
	{"\"bank\":\"sha256\"", "\"bank\":\"sha1\"", "bank is \"sha1\""},
	{"\"bank\":\"sha256\",", "", "bank"},
	{"\"bank\":\"sha256\"", "\"bank\":\"sha256\",\"more\":1", "unknown field \"more\""},
	{"\"version\":1", "\"version\":-1", "version"},
	{"\"root_hash\":\"a5", "\"root_hash\":\"A5", "root_hash"},
	{"\"8\":{\"zero\":true}", "\"8\":{\"zero\":false}", "zero is false"},
	{"\"8\":{\"zero\":true}", "\"8\":{}", "PCR 8: has 0 rules"},
	{"\"8\":{\"zero\":true}", "\"8\":{\"zero\":true,\"unjudged\":\"x\"}", "PCR 8: has 2 rules"},
	{"\"8\":{\"zero\":true},", "", "8"},
	{"\"8\":{\"zero\":true}", "\"8\":{\"zero\":true},\"16\":{\"zero\":true}", "pcrs has 17 entries"},
	{"\"8\":{\"zero\":true}", "\"8\":{\"zero\":true,\"then\":[]}", "then stands without sequence"},
	{"\"8\":{\"zero\":true}", "\"8\":{\"zero\":true,\"state_volume\":true}", "state_volume is false or stands without sequence"},
	{"\"8\":{\"zero\":true}", "\"8\":{\"sequence\":{}}", "sequence"},
	{"\"8\":{\"zero\":true}", "\"8\":{\"sequence\":[\"a\"]}", "wanted an object"},
	{"\"8\":{\"zero\":true}", "\"8\":{\"sequence\":[{\"digest\":\"00\",\"what\":\"x\"}]}", "digest"},
	{"\"8\":{\"zero\":true}", "\"8\":{\"ima\":{\"files\":[],\"verity_root_digests\":[]}}", "which is PCR 10's"},
	{"\"verity_root_digests\":[\"a5", "\"verity_root_digests\":[\"5", "is not 64 lower-case hex digits"},
	{"\"ima\":{\"files\"", "\"ima\":{\"x-files\"", "ima lacks files"},
	{"{\"unjudged\":\"machine\"}", "{\"unjudged\":true}", "unjudged"},
	{"\"command_line\":\"command line\"", "\"command_line\":7", "command_line"},
	{"\"layer_policy_version\":3", "\"layer_policy_version\":-3", "layer_policy_version"},
	{"\"layer_policy_version\":3", "\"layer_policy_version\":3,\"more\":1", "unknown field \"more\""},
	{"{\"busybox-static\":\"1:1.37.0-6+b9\",", "{\"zlib1g\":\"1-1\",", "sbom: libssl3t64 stands behind zlib1g"},
	{"\"libssl3t64\":\"3", "\"busybox-static\":\"3", "busybox-static"},
	{"\"libssl3t64\"", "\"libssl 3\"", "sbom: packages[1] is no package's name"},
	{"\"3.5.1-1+deb13u1\"", "\"v3.5.1\"", "sbom: libssl3t64: its version is none"},
	{"\"3.5.1-1+deb13u1\"", "3", "sbom: libssl3t64: its version is none"},
	{"\"sbom\":{\"sha256\":\"a5", "\"sbom\":{\"sha256\":\"5", "sha256"},
	{"\"sbom\":{", "\"sbom\":{\"more\":1,", "unknown field \"more\""},
};

static void a_document_of_another_shape_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		struct err e = ERR_INIT;

		print_message("  %s -> %s\n", edits[i].from, edits[i].to);
		assert_refused(parse_edited(edits[i].from, edits[i].to, &e), &e, EINVAL, edits[i].part);
	}
}

static void its_sound_twin_is_read(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse_edited("demo", "demo", &e), &e);
	assert_ok(parse_edited(",\"describe\":{\"command_line\":\"command line\",\"layer_policy_version\":3}", "", &e), &e);
	assert_ok(parse_edited("\"command_line\":\"command line\",", "", &e), &e);
	assert_ok(parse_edited("\"bank\":\"sha256\"", "\"bank\":\"sha256\",\"x-more\":1", &e), &e);
	assert_ok(parse_edited("\"8\":{\"zero\":true}", "\"8\":{\"sequence\":[]}", &e), &e);
}

/* --- the signature --- */

static char dir[] = "/tmp/holdfast-refvalues-XXXXXX";
static EVP_PKEY *keys[2];
static X509 *certs[2];

static X509 *self_signed(EVP_PKEY *key, long serial)
{
	X509 *x = X509_new();

	assert_non_null(x);
	assert_true(X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), serial) &&
		    X509_gmtime_adj(X509_getm_notBefore(x), 0) && X509_gmtime_adj(X509_getm_notAfter(x), 3600) &&
		    X509_set_pubkey(x, key) &&
		    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
					       (const unsigned char *)"policy", -1, -1, 0) &&
		    X509_set_issuer_name(x, X509_get_subject_name(x)) && X509_sign(x, key, EVP_sha256()));
	return x;
}

static int make_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		keys[i] = EVP_EC_gen("P-256");
		certs[i] = self_signed(keys[i], 7);
	}
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_keys(void **state)
{
	char path[128];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY_free(keys[i]);
		X509_free(certs[i]);
	}
	(void)snprintf(path, sizeof(path), "%s/r.json", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/r.json.p7s", dir);
	(void)unlink(path);
	return rmdir(dir);
}

/* Publish @text, signed over @signed_text by key @by, and load it trusting certificate 0. */
static int publish_and_load(const char *text, const char *signed_text, size_t by, struct err *e)
{
	cleanup_refvalues struct refvalues rv = {0};
	cleanup_buf struct buf sig = BUF_INIT;
	struct pki_signer signer = {keys[by], certs[by]};
	char path[128], sig_path[160];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/r.json", dir);
	(void)snprintf(sig_path, sizeof(sig_path), "%s.p7s", path);
	assert_ok(pki_sign(&signer, signed_text, strlen(signed_text), PKI_DETACHED, &sig, e), e);
	assert_ok(file_write(path, text, strlen(text), 0644, e), e);
	assert_ok(file_write(sig_path, sig.data, sig.len, 0644, e), e);
	rc = refvalues_load(path, certs[0], &rv, e);
	return rc;
}

static void a_document_counts_only_with_its_signature(void **state)
{
	struct world *w = world_sound();
	struct err e = ERR_INIT;
	char edited[sizeof(w->refvalues)], path[128];
	struct refvalues rv;

	(void)state;
	assert_ok(publish_and_load(w->refvalues, w->refvalues, 0, &e), &e);
	assert_int_equal(publish_and_load(w->refvalues, w->refvalues, 1, &e), -EBADMSG);
	memcpy(edited, w->refvalues, sizeof(edited));
	strstr(edited, "enforce")[0] = 'E';
	assert_int_equal(publish_and_load(edited, w->refvalues, 0, &e), -EBADMSG);
	/* Checked before it is parsed: what is signed by nobody is not read as a document. */
	assert_int_equal(publish_and_load("no json at all", w->refvalues, 0, &e), -EBADMSG);
	assert_int_equal(publish_and_load("no json at all", "no json at all", 0, &e), -EINVAL);
	(void)snprintf(path, sizeof(path), "%s/r.json.p7s", dir);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/r.json", dir);
	assert_refused(refvalues_load(path, certs[0], &rv, &e), &e, ENOENT, "r.json.p7s");
	world_free(w);
}

/* --- enrolment records --- */

static void an_enrolment_record_is_read_as_it_was_written(void **state)
{
	struct world *w = world_sound();
	struct enrolment back;
	struct err e = ERR_INIT;
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/e.json", dir);
	memcpy(w->enrolment.ek_public, w->enrolment.ak_public, w->enrolment.ak_public_bytes);
	w->enrolment.ek_public_bytes = w->enrolment.ak_public_bytes;
	assert_ok(enrolment_identity(w->enrolment.ek_public, w->enrolment.ek_public_bytes, w->enrolment.identity, &e),
		  &e);
	assert_ok(enrolment_write(path, &w->enrolment, &e), &e);
	assert_ok(enrolment_load(path, &back, &e), &e);
	assert_int_equal(back.ek, ENROLMENT_EK_CERTIFICATE);
	assert_memory_equal(back.identity, w->enrolment.identity, 32);
	assert_int_equal(back.ak_public_bytes, w->enrolment.ak_public_bytes);
	assert_memory_equal(back.ak_public, w->enrolment.ak_public, back.ak_public_bytes);
	/* CVE-2025-13609: the identity is the EK's digest, not what a record says. */
	w->enrolment.identity[0] ^= 1;
	assert_ok(enrolment_write(path, &w->enrolment, &e), &e);
	assert_refused(enrolment_load(path, &back, &e), &e, EINVAL, "identity is not the SHA-256 of the EK");
	w->enrolment.ek = ENROLMENT_EK_UNSET;
	assert_refused(enrolment_write(path, &w->enrolment, &e), &e, EINVAL, "not complete");
	assert_int_equal(unlink(path), 0);
	world_free(w);
}

static const struct edit records[] = {
	{"{}", NULL, "holdfast"},
	{"{\"holdfast\":\"enrolment/2\"}", NULL, "wanted \"enrolment/1\""},
	{"{\"holdfast\":\"enrolment/1\",\"more\":1}", NULL, "unknown field"},
	{"{\"holdfast\":\"enrolment/1\",\"identity\":\"00\"}", NULL, "identity"},
};

static void a_record_of_another_shape_refuses(void **state)
{
	struct enrolment rec;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		struct err e = ERR_INIT;

		assert_refused(enrolment_parse(records[i].from, strlen(records[i].from), "e.json", &rec, &e), &e,
			       EINVAL, records[i].part);
	}
}

static void a_document_over_the_bound_is_not_read(void **state)
{
	/* Spaces are no document either, which is said of as many as the bound. */
	static char text[REFVALUES_MAX_BYTES + 1];
	struct refvalues rv = {0};
	struct err e = ERR_INIT;

	(void)state;
	memset(text, 32, sizeof(text));
	assert_int_equal(refvalues_parse(text, sizeof(text) - 1, "r", &rv, &e), -EINVAL);
	assert_refused(refvalues_parse(text, sizeof(text), "r", &rv, &e), &e, E2BIG, "wanted at most");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_of_another_shape_refuses),
		cmocka_unit_test(the_builders_sbom_is_read),
		cmocka_unit_test(its_sound_twin_is_read),
		cmocka_unit_test(a_document_counts_only_with_its_signature),
		cmocka_unit_test(an_enrolment_record_is_read_as_it_was_written),
		cmocka_unit_test(a_record_of_another_shape_refuses),
		cmocka_unit_test(a_document_over_the_bound_is_not_read),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
