/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_verifier_death.c - pitfall "The verifier dies and hosts stay trusted"; and: it forgets
 *
 * The verifier is killed as nothing can prepare for. What it answered before is there afterwards; results expire by
 * themselves; a host without a result in force is not trusted.
 */
#include "tests/attest/fleet_lab.h"

static int set_up(void **state)
{
	static const char text[] = "{\"holdfast\":\"policy-set/1\",\"name\":\"short\",\"version\":1,\"result_seconds\":10,"
				   "\"rules\":[{\"name\":\"any\",\"require\":[{\"field\":\"image.name\",\"one_of\":"
				   "[\"demo\"]}]}]}";
	static char path[128];
	static const char *argv[3];
	int rc = lab_set_up(1);

	(void)state;
	if (rc || !lab.there)
		return rc;
	lab_write("set.json", text, strlen(text));
	(void)snprintf(path, sizeof(path), "%s/set.json", lab.dir);
	argv[0] = "--policy-set";
	argv[1] = path;
	lab_verifier_start(argv);
	return 0;
}

static void restart(int sig)
{
	char path[128];
	const char *argv[] = {"--policy-set", path, NULL};

	(void)snprintf(path, sizeof(path), "%s/set.json", lab.dir);
	(void)lab_verifier_stop(sig);
	lab_verifier_start(argv);
}

static unsigned result(struct lab_host *h, struct buf *ret)
{
	static char path[128];
	cleanup_buf struct buf ek = BUF_INIT, cert = BUF_INIT, ak = BUF_INIT;
	struct report_question q = {.method = HTTP_GET, .path = path};
	uint8_t identity[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];
	struct attest_tpm *tpm;
	struct http_response r;
	struct bytes body;
	struct err e = ERR_INIT;

	assert_ok(attest_agent_tpm(&h->agent, &tpm, &e), &e);
	assert_ok(attest_tpm_identity(tpm, &ek, &cert, &ak, &e), &e);
	assert_ok(enrolment_identity(ek.data, ek.len, identity, &e), &e);
	hex_encode(identity, sizeof(identity), hex);
	(void)snprintf(path, sizeof(path), "/v1/result/%s", hex);
	assert_ok(report_ask(&h->report, &q, &r, &body, &e), &e);
	ret->len = 0;
	buf_put(ret, body.p, body.n);
	return r.status;
}

static void absence_is_not_trust(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf b = BUF_INIT;

	(void)state;
	lab_need();
	lab_channel(h);
	assert_int_equal(result(h, &b), 404);
	lab_accepted(h);
	assert_int_equal(result(h, &b), 200);
}

static void a_killed_verifier_knows_what_it_had_answered(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf before = BUF_INIT, after = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	assert_int_equal(lab_report(h, &before, &e), 1);
	restart(SIGKILL);
	lab_channel(h);
	assert_int_equal(result(h, &after), 200);
	assert_int_equal(after.len, before.len);
	assert_memory_equal(after.data, before.data, after.len);
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts"), 1);
	lab_accepted(h); /* and without enrolling again */
	assert_int_equal(lab_metric(h, "holdfast_verifier_enrolments_total{result=\"enrolled\"}"), 0);
}

static void an_expired_result_is_no_result(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf b = BUF_INIT;

	(void)state;
	lab_need();
	lab_accepted(h);
	assert_int_equal(result(h, &b), 200);
	restart(SIGKILL);
	(void)poll(NULL, 0, 11000); /* the set's results live for ten seconds */
	lab_channel(h);
	assert_int_equal(result(h, &b), 404);
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts_trusted"), 0);
	lab_accepted(h);
	assert_int_equal(result(h, &b), 200);
}

static void a_second_verifier_on_the_same_state_is_refused(void **state)
{
	struct lab_host *h = &lab.host[0];
	pid_t first = lab.verifier;
	cleanup_buf struct buf out = BUF_INIT;
	const char *const argv[] = {lab.program, "verifier", "--listen", "127.0.0.1:0", "--tls-cert", lab_path("tls.pem"),
				    "--tls-key", lab_path("tls.key"), "--state", lab_path("state.db"), "--refvalues",
				    NULL, "--policy-cert", NULL, "--ear-key", NULL, "--ek-roots", NULL, NULL};
	char path[4][128];
	const char *args[ARRAY_SIZE(argv)];
	const char *all[32];
	const struct proc_params p = {.argv = all, .quiet = 1, .out = &out, .out_max = 4096};
	struct err e = ERR_INIT;
	static const char *const names[] = {"refvalues.json", "policy.pem", "ear.key", "ca/roots.pem"};

	(void)state;
	lab_need();
	for (size_t i = 0, n = 0; i < ARRAY_SIZE(argv); i++) {
		args[i] = argv[i];
		if (!argv[i] && n < ARRAY_SIZE(names)) {
			(void)snprintf(path[n], sizeof(path[0]), "%s/%s", lab.dir, names[n]);
			args[i] = path[n++];
		}
	}
	args[ARRAY_SIZE(argv) - 1] = NULL;
	lab_argv(args, all, ARRAY_SIZE(all));
	assert_refused(proc_run(&p, &e), &e, ECHILD, "is another verifier running?");
	assert_int_equal(lab.verifier, first);
	lab_accepted(h); /* the first goes on */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absence_is_not_trust),
		cmocka_unit_test(a_killed_verifier_knows_what_it_had_answered),
		cmocka_unit_test(an_expired_result_is_no_result),
		cmocka_unit_test(a_second_verifier_on_the_same_state_is_refused),
	};

	return cmocka_run_group_tests_name("attest/attack: verifier dies", tests, set_up, lab_tear_down);
}
