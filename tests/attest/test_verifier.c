/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_verifier.c - the verifier's program from enrolment to result, with real TPM emulators
 *
 * Results are checked by José (jose-1 of latchset), an implementation of JOSE that is not ours.
 */
#include "tests/attest/fleet_lab.h"

static int set_up(void **state)
{
	int rc = lab_set_up(1);

	(void)state;
	if (!rc && lab.there)
		lab_verifier_start(NULL);
	return rc;
}

static void get(struct lab_host *h, const char *path, unsigned wanted, struct buf *ret)
{
	const struct report_question q = {.method = HTTP_GET, .path = path};
	struct http_response r;
	struct bytes body;
	struct err e = ERR_INIT;

	assert_ok(report_ask(&h->report, &q, &r, &body, &e), &e);
	assert_int_equal(r.status, wanted);
	ret->len = 0;
	buf_put(ret, body.p, body.n);
	buf_u8(ret, 0);
	ret->len--;
}

/* Exit status of `jose jws ver` over @jwt with the verifier's published keys. */
static int jose(const struct buf *jwt)
{
	const char *const argv[] = {"jose", "jws", "ver", "-i", lab_path("ear.jwt"), "-k", lab_path("jwks.json"),
				    "-O",   lab_path("payload.json"), NULL};
	cleanup_buf struct buf out = BUF_INIT;
	const struct proc_params p = {.argv = argv, .quiet = 1, .out = &out, .out_max = 65536};
	struct err e = ERR_INIT;
	int rc;

	lab_write("ear.jwt", jwt->data, jwt->len);
	rc = proc_run(&p, &e);
	assert_true(rc == 0 || rc == -ECHILD); /* it is installed, and no signal ended it */
	return rc;
}

static void a_host_enrols_and_is_accepted_and_jose_believes_the_result(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf ear = BUF_INIT, keys = BUF_INIT, payload = BUF_INIT, kept = BUF_INIT;
	struct err e = ERR_INIT;
	char path[128];

	(void)state;
	lab_need();
	lab_channel(h);
	assert_int_equal(lab_report(h, &ear, &e), 1);
	get(h, "/v1/keys", 200, &keys);
	lab_write("jwks.json", keys.data, keys.len);
	assert_int_equal(jose(&ear), 0);
	assert_ok(file_read(lab_path("payload.json"), 16384, &payload, &e), &e);
	buf_u8(&payload, 0);
	assert_string_equal((const char *)payload.data, lab_claims(&ear));
	assert_non_null(strstr((const char *)payload.data, "\"eat_profile\":\"tag:ietf.org,2026:rats/ear#04\""));
	assert_non_null(strstr((const char *)payload.data, "\"ear_status\":\"affirming\""));
	assert_non_null(strstr((const char *)payload.data, "\"hardware\":2"));
	/* whoever relies on the host gets the same result */
	(void)snprintf(path, sizeof(path), "/v1/result/%.64s", strstr((const char *)payload.data, "\"sub\":\"") + 7);
	get(h, path, 200, &kept);
	assert_int_equal(kept.len, ear.len);
	assert_memory_equal(kept.data, ear.data, ear.len);
}

static void jose_refuses_a_tampered_result(void **state)
{
	cleanup_buf struct buf ear = BUF_INIT;
	struct err e = ERR_INIT;
	uint8_t *dot;

	(void)state;
	lab_need();
	assert_int_equal(lab_report(&lab.host[0], &ear, &e), 1);
	assert_int_equal(jose(&ear), 0);
	dot = memchr(ear.data, '.', ear.len);
	dot[20] = dot[20] == 'A' ? 'B' : 'A'; /* a claim */
	assert_int_not_equal(jose(&ear), 0);
	dot[20] = dot[20] == 'A' ? 'B' : 'A';
	ear.data[ear.len - 20] ^= 1; /* the signature */
	assert_int_not_equal(jose(&ear), 0);
}

static void a_second_round_takes_the_fast_path_and_says_so(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf ear = BUF_INIT;
	struct err e = ERR_INIT;
	long before;

	(void)state;
	lab_need();
	before = lab_metric(h, "holdfast_verifier_fast_path_total");
	assert_int_equal(lab_report(h, &ear, &e), 1);
	assert_non_null(strstr(lab_claims(&ear), "\"holdfast_fast_path\":true"));
	assert_int_equal(lab_metric(h, "holdfast_verifier_fast_path_total"), before + 1);
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts"), 1);
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts_trusted"), 1);
}

/* The exit status of `verify` over files of this folder, with @channel; the result in @ret. */
static int verify_files(const char *nonce, const char *channel, struct buf *ret)
{
	const char *names[] = {"evidence", "host.json", "refvalues.json", "policy.pem", "ear.key", "offline.jwt"};
	char p[ARRAY_SIZE(names)][128];
	struct err e = ERR_INIT;
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)snprintf(p[i], sizeof(p[i]), "%s/%s", lab.dir, names[i]);
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)dup2(open("/dev/null", O_WRONLY), 1);
		lab_exec((const char *const[]){lab.program, "verify", "--evidence", p[0], "--nonce", nonce, "--channel", channel,
					       "--enrolment", p[1], "--refvalues", p[2], "--policy-cert", p[3], "--ear-key", p[4],
					       "--ear", p[5], NULL});
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	buf_free(ret);
	assert_ok(file_read(p[5], 16384, ret, &e), &e);
	return WEXITSTATUS(status);
}

static void verify_says_the_same_from_files_and_jose_believes_it_too(void **state)
{
	static const uint8_t nonce[EVIDENCE_NONCE_BYTES] = {3};
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf evidence = BUF_INIT, ek = BUF_INIT, cert = BUF_INIT, ak = BUF_INIT, ear = BUF_INIT;
	struct enrolment rec = {.ek = ENROLMENT_EK_CERTIFICATE};
	char hex[65], channel[65];
	struct attest_tpm *tpm;
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	assert_ok(attest_agent_evidence(&h->agent, nonce, &evidence, &e), &e);
	lab_write("evidence", evidence.data, evidence.len);
	assert_ok(attest_agent_tpm(&h->agent, &tpm, &e), &e);
	assert_ok(attest_tpm_identity(tpm, &ek, &cert, &ak, &e), &e);
	memcpy(rec.ek_public, ek.data, rec.ek_public_bytes = ek.len);
	memcpy(rec.ak_public, ak.data, rec.ak_public_bytes = ak.len);
	assert_ok(enrolment_identity(ek.data, ek.len, rec.identity, &e), &e);
	assert_ok(enrolment_write(lab_path("host.json"), &rec, &e), &e);
	hex_encode(nonce, sizeof(nonce), hex);
	hex_encode(h->tls.digest, sizeof(h->tls.digest), channel);
	assert_int_equal(verify_files(hex, channel, &ear), 0);
	assert_int_equal(jose(&ear), 0);
	assert_non_null(strstr(lab_claims(&ear), "\"ear_status\":\"affirming\""));
	channel[0] = channel[0] == '0' ? '1' : '0';
	assert_int_equal(verify_files(hex, channel, &ear), 1);
	assert_int_equal(jose(&ear), 0); /* a refusal is signed, too */
	assert_non_null(strstr(lab_claims(&ear), "\"ear_status\":\"contraindicated\""));
}

static void sighup_takes_new_values_and_a_bad_file_leaves_the_old_ones(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_free char *changed = strdup(h->world->refvalues);
	char *uki;

	(void)state;
	lab_need();
	/* another UKI's digest: our host is then no longer what is wanted */
	uki = strstr(strstr(changed, "\"4\":"), "\"what\":\"UKI\"") - 3;
	*uki = *uki == '0' ? '1' : '0';
	lab_refvalues(changed);
	assert_int_equal(kill(lab.verifier, SIGHUP), 0);
	assert_true(lab_log_has("\"reloaded\""));
	lab_refused(h, "PCR 4");
	lab_refvalues(h->world->refvalues);
	lab_write("refvalues.json.p7s", "junk", 4);
	assert_int_equal(kill(lab.verifier, SIGHUP), 0);
	assert_true(lab_log_has("reload failed"));
	lab_refused(h, "PCR 4");
	lab_refvalues(h->world->refvalues);
	assert_int_equal(kill(lab.verifier, SIGHUP), 0);
	for (int i = 0; i < 100 && lab_metric(h, "holdfast_verifier_reloads_total{result=\"done\"}") < 2; i++)
		(void)poll(NULL, 0, 50);
	lab_accepted(h);
}

static void a_policy_set_refuses_a_sound_host_that_is_not_wanted(void **state)
{
	static const char wanted[] = "{\"holdfast\":\"policy-set/1\",\"name\":\"fleet\",\"version\":7,\"result_seconds\":60,"
				     "\"rules\":[{\"name\":\"current\",\"require\":["
				     "{\"field\":\"image.version\",\"at_least\":%d}]}]}";
	const char *more[] = {"--policy-set", NULL, NULL};
	struct lab_host *h = &lab.host[0];
	char text[512], path[128];

	(void)state;
	lab_need();
	(void)snprintf(path, sizeof(path), "%s/set.json", lab.dir);
	more[1] = path;
	(void)snprintf(text, sizeof(text), wanted, 1);
	lab_write("set.json", text, strlen(text));
	assert_int_equal(lab_verifier_stop(SIGTERM), 0);
	lab_verifier_start(more);
	lab_channel(h);
	lab_accepted(h);
	(void)snprintf(text, sizeof(text), wanted, 2);
	lab_write("set.json", text, strlen(text));
	assert_int_equal(kill(lab.verifier, SIGHUP), 0);
	assert_true(lab_log_has("\"reloaded\""));
	lab_refused(h, "image.version is 1, wanted at_least 2");
}

/* A verifier that knows the host already: its EK goes on the deny list, and is trusted no more from the reload on. */
static void a_revoked_ek_is_refused_and_its_result_withheld_from_the_reload_on(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf ear = BUF_INIT, kept = BUF_INIT;
	char path[128], result[128], identity[66];
	const char *more[] = {"--ek-deny", path, NULL};
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	(void)snprintf(path, sizeof(path), "%s/deny", lab.dir);
	lab_write("deny", "", 0);
	assert_int_equal(lab_verifier_stop(SIGTERM), 0);
	lab_verifier_start(more);
	lab_channel(h);
	assert_int_equal(lab_report(h, &ear, &e), 1);
	(void)snprintf(identity, sizeof(identity), "%.64s\n", strstr(lab_claims(&ear), "\"sub\":\"") + 7);
	(void)snprintf(result, sizeof(result), "/v1/result/%.64s", identity);
	get(h, result, 200, &kept);
	lab_write("deny", identity, strlen(identity));
	assert_int_equal(kill(lab.verifier, SIGHUP), 0);
	assert_true(lab_log_has("\"reloaded\""));
	get(h, result, 404, &kept); /* it lives for minutes, and counts no more */
	lab_refused(h, "deny list");
	lab_channel(h);
	lab_refused(h, "deny list");
}

static size_t lines_with(const char *path, const char *part)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n = 0;

	if (file_read(path, 1 << 16, &b, &e))
		return 0;
	buf_u8(&b, 0);
	for (const char *p = (const char *)b.data; (p = strstr(p, part)); p++)
		n++;
	return n;
}

static pid_t report_for_ever(struct lab_host *h)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(open(lab_path("every.out"), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
	(void)dup2(open(lab_path("every.err"), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
	const char *const argv[] = {lab.program, "report", "--verifier", lab.where, "--roots", lab_path("tls.pem"), "--every", "12",
				    "--tls-key", "memory", "--tcti", h->tcti, "--firmware-log", h->firmware_log, "--os-log",
				    h->os_log, "--ima-log", h->ima_log, "--ear", lab_path("every.jwt"), "--count",
				    lab_path("every.count"), NULL};
	lab_exec(argv);
}

/* The verifier has one place, so that it closes what is silent for ten seconds: no round may be lost by that. */
static void a_host_that_reports_for_ever_is_judged_each_time(void **state)
{
	static const char *const one[] = {"--max-connections", "1", NULL};
	struct lab_host *h = &lab.host[0];
	struct timespec a, b;
	pid_t child;

	(void)state;
	lab_need();
	report_close(&h->report);
	attest_agent_close(&h->agent); /* the emulator serves one program at a time */
	assert_int_equal(lab_verifier_stop(SIGTERM), 0);
	lab_verifier_start(one);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	child = report_for_ever(h);
	for (int i = 0; i < 1200 && lines_with(lab_path("every.out"), "ACCEPT") < 2; i++)
		(void)poll(NULL, 0, 50);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(lines_with(lab_path("every.out"), "ACCEPT"), 2);
	assert_int_equal(lines_with(lab_path("every.err"), "trying again"), 0);
	assert_true(b.tv_sec - a.tv_sec >= 11);
	assert_int_equal(lines_with(lab_path("every.count"), "\n"), 1);
	assert_int_equal(lines_with(lab_path("every.jwt"), "."), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_enrols_and_is_accepted_and_jose_believes_the_result),
		cmocka_unit_test(jose_refuses_a_tampered_result),
		cmocka_unit_test(a_second_round_takes_the_fast_path_and_says_so),
		cmocka_unit_test(verify_says_the_same_from_files_and_jose_believes_it_too),
		cmocka_unit_test(sighup_takes_new_values_and_a_bad_file_leaves_the_old_ones),
		cmocka_unit_test(a_policy_set_refuses_a_sound_host_that_is_not_wanted),
		cmocka_unit_test(a_revoked_ek_is_refused_and_its_result_withheld_from_the_reload_on),
		cmocka_unit_test(a_host_that_reports_for_ever_is_judged_each_time),
	};

	return cmocka_run_group_tests_name("attest/verifier", tests, set_up, lab_tear_down);
}
