/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_weak_tpm.c - pitfall "Weak TPMs": ROCA (CVE-2017-15361), vulnerable firmware (CVE-2023-1017, -1018)
 *
 * Whoever can compute a TPM's private key, or write into its memory, is that TPM. So such a key is not enrolled, whoever
 * certified it, and a firmware version, which the TPM signs with each quote, can be denied by the policy set.
 */
#include "tests/attest/world.h"

#include "attest/believe.h"
#include "attest/judge.h"
#include "common/file.h"

static struct judge_result judged; /* large */

static void load(const char *path, struct buf *ret)
{
	struct err e = ERR_INIT;

	assert_ok(file_read(path, 1 << 16, ret, &e), &e);
}

static void a_key_of_the_weak_generator_is_not_enrolled(void **state)
{
	static const struct {
		const char *ek, *ak, *part; /* NULL: believed */
	} cases[] = {
		{"ek-cert/good-ek-public.bin", "quote/good-ak-rsa.bin", NULL},
		{"ek-cert/bad-ek-public-roca.bin", "quote/good-ak-rsa.bin", "the mark of ROCA (CVE-2017-15361)"},
		{"ek-cert/good-ek-public.bin", "quote/bad-ak-roca.bin", "the mark of a weak generator (ROCA, CVE-2017-15361)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf ek = BUF_INIT, ak = BUF_INIT, cert = BUF_INIT;
		cleanup_believed struct believed b = {0};
		struct err e = ERR_INIT;
		char path[128];
		struct believe_input in = {.roots = "tests/data/ek-cert/roots.pem"};

		(void)snprintf(path, sizeof(path), "tests/data/%s", cases[i].ek);
		load(path, &ek);
		(void)snprintf(path, sizeof(path), "tests/data/%s", cases[i].ak);
		load(path, &ak);
		load("tests/data/ek-cert/good-ek.der", &cert);
		in.ek_public = (struct bytes){ek.data, ek.len};
		in.ak_public = (struct bytes){ak.data, ak.len};
		in.ek_certificate = (struct bytes){cert.data, cert.len};
		if (cases[i].part)
			assert_refused(believe_keys(&in, &b, &e), &e, EBADMSG, cases[i].part);
		else
			assert_ok(believe_keys(&in, &b, &e), &e);
	}
}

/* The same sound host under a policy set that denies some firmware version. */
static enum appraise_verdict judge_under(const struct world *w, const char *denied)
{
	struct judge_set set = {.n = 1, .rv = calloc(1, sizeof(struct refvalues))};
	const struct judge_input in = {
		.evidence = {w->evidence.data, w->evidence.len}, .nonce = w->nonce, .enrolment = &w->enrolment};
	struct err e = ERR_INIT;
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "{\"holdfast\":\"policy-set/1\",\"name\":\"fleet\",\"version\":1,\"rules\":[{\"name\":\"sound TPMs\",\"require\":"
		       "[{\"field\":\"tpm.firmware_version\",\"none_of\":[\"%s\"]}]}]}\n", denied);
	assert_non_null(set.rv);
	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "refvalues.json", set.rv, &e), &e);
	assert_ok(fleet_parse(text, strlen(text), "policy set", &set.fleet, &e), &e);
	assert_ok(judge(&set, &in, &judged, &e), &e);
	judge_set_free(&set);
	return judged.appraisal.verdict;
}

static void a_firmware_that_is_denied_refuses_by_what_the_tpm_signed(void **state)
{
	struct world *w = world_sound();

	(void)state;
	world_seal(w);
	assert_int_equal(judge_under(w, "2019102300163637"), APPRAISE_ACCEPT);
	assert_int_equal(judge_under(w, "2019102300163636"), APPRAISE_REFUSE);
	assert_non_null(strstr(judged.appraisal.reasons.line[0], "tpm.firmware_version is \"2019102300163636\""));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_of_the_weak_generator_is_not_enrolled),
		cmocka_unit_test(a_firmware_that_is_denied_refuses_by_what_the_tpm_signed),
	};

	return cmocka_run_group_tests_name("attest/attack: weak TPM", tests, NULL, NULL);
}
