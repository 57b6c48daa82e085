/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_relay.c - a host that is not sound shows the evidence of one that is, over its own channel
 *
 * Host 0 is sound and enrolled. Whoever relays has a connection of their own to the verifier, and can make host 0's agent
 * answer any nonce over a plain channel. The twin is host 0 itself over its own channel.
 */
#include "tests/attest/fleet_lab.h"

#include "attest/client.h"
#include "attest/net.h"
#include "attest/stream.h"

static int set_up(void **state)
{
	int rc = lab_set_up(2);

	(void)state;
	if (!rc && lab.there)
		lab_verifier_start(NULL);
	return rc;
}

/*
 * Evidence of @of, over a ticket that @over was given, sent over @over's channel under @of's name.
 * @key: what @of's agent is made to bind it to; NULL: a plain channel
 */
static void relay(struct lab_host *of, struct lab_host *over, const uint8_t *key, struct buf *ret_ear)
{
	const struct report_question q = {.method = HTTP_GET, .path = "/v1/ticket"};
	cleanup_buf struct buf ticket = BUF_INIT, evidence = BUF_INIT, body = BUF_INIT, ek = BUF_INIT, cert = BUF_INIT,
			       ak = BUF_INIT;
	const uint8_t *own = of->agent.channel_key;
	uint8_t nonce[EVIDENCE_NONCE_BYTES], identity[HASH_SHA256_BYTES];
	struct message m = {.kind = MESSAGE_ATTEST}, a;
	struct attest_tpm *tpm;
	struct http_response r;
	struct bytes b;
	struct err e = ERR_INIT;

	assert_ok(report_ask(&over->report, &q, &r, &b, &e), &e);
	assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, b.p, b.n, &a, &e), &e);
	buf_put(&ticket, a.field[0].p, a.field[0].n);
	ticket_nonce((struct bytes){ticket.data, ticket.len}, nonce);
	of->agent.channel_key = key;
	assert_ok(attest_agent_evidence(&of->agent, nonce, &evidence, &e), &e);
	of->agent.channel_key = own;
	assert_ok(attest_agent_tpm(&of->agent, &tpm, &e), &e);
	assert_ok(attest_tpm_identity(tpm, &ek, &cert, &ak, &e), &e);
	assert_ok(enrolment_identity(ek.data, ek.len, identity, &e), &e);
	m.field[0] = (struct bytes){ticket.data, ticket.len};
	m.field[1] = (struct bytes){identity, sizeof(identity)};
	m.field[2] = (struct bytes){evidence.data, evidence.len};
	assert_int_equal(lab_post(over, "/v1/attest", &m, &body), 200);
	assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, body.data, body.len, &a, &e), &e);
	ret_ear->len = 0;
	buf_put(ret_ear, a.field[1].p, a.field[1].n);
}

static void evidence_relayed_over_another_channel_is_refused(void **state)
{
	struct lab_host *good = &lab.host[0], *bad = &lab.host[1];
	cleanup_buf struct buf ear = BUF_INIT;

	(void)state;
	lab_need();
	lab_channel(good);
	lab_channel(bad);
	lab_accepted(good);
	relay(good, bad, good->tls.digest, &ear); /* bound to the good host's own key */
	assert_non_null(strstr(lab_claims(&ear), "this channel's TLS key"));
	assert_non_null(strstr(lab_claims(&ear), "contraindicated"));
	relay(good, bad, NULL, &ear); /* asked for over a plain channel, any nonce */
	assert_non_null(strstr(lab_claims(&ear), "contraindicated"));
	relay(good, good, good->tls.digest, &ear); /* the twin: its own channel */
	assert_non_null(strstr(lab_claims(&ear), "affirming"));
}

/* Only a lie of the TPM's own host could do this: its agent binds to the key of its own channel and to no other. */
static void the_channel_is_what_makes_the_difference(void **state)
{
	struct lab_host *good = &lab.host[0], *bad = &lab.host[1];
	cleanup_buf struct buf ear = BUF_INIT;

	(void)state;
	lab_need();
	relay(good, bad, bad->tls.digest, &ear);
	assert_non_null(strstr(lab_claims(&ear), "affirming"));
}

static void a_relayed_refusal_does_not_change_the_hosts_standing(void **state)
{
	struct lab_host *good = &lab.host[0], *bad = &lab.host[1];
	cleanup_buf struct buf ear = BUF_INIT;

	(void)state;
	lab_need();
	lab_accepted(good);
	assert_int_equal(lab_metric(good, "holdfast_verifier_hosts_trusted"), 1);
	relay(good, bad, NULL, &ear);
	assert_non_null(strstr(lab_claims(&ear), "contraindicated"));
	assert_int_equal(lab_metric(good, "holdfast_verifier_hosts_trusted"), 1);
}

static void without_a_client_certificate_there_is_no_verdict(void **state)
{
	struct lab_host *h = &lab.host[0];
	SSL_CTX *with = h->report.tls, *ctx = NULL;
	struct report_result r = {.ear = BUF_INIT};
	struct err e = ERR_INIT;

	(void)state;
	lab_need();
	assert_ok(tls_asker_ctx(&ctx, &e), &e);
	h->report.tls = ctx;
	assert_ok(report_connect(&h->report, NULL, &e), &e);
	assert_refused(report_once(&h->report, &r, &e), &e, EBADMSG, "show a client certificate");
	h->report.tls = with;
	assert_ok(report_connect(&h->report, NULL, &e), &e);
	lab_accepted(h);
	SSL_CTX_free(ctx);
}

/* ---- the other direction: a verifier that asks agents ------------------------------------------------------------ */

/* Host 0's agent, as its own program does it: TLS at a free port. The port. */
static int start_agent(struct lab_host *h, pid_t *ret)
{
	char log[128];
	const char *text, *at;

	(void)snprintf(log, sizeof(log), "%s/agent.log", lab.dir);
	attest_agent_close(&h->agent); /* one at a time */
	*ret = fork();
	assert_true(*ret >= 0);
	if (*ret == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		lab_exec((const char *const[]){lab.program, "serve", "--tls", "127.0.0.1:0", "--tls-key", "memory", "--tcti", h->tcti, "--firmware-log",
					       h->firmware_log, "--os-log", h->os_log, "--ima-log", h->ima_log, NULL});
	}
	(void)snprintf(lab.log, sizeof(lab.log), "%s/agent.log", lab.dir);
	assert_true(lab_log_has("port "));
	text = lab_log();
	at = strstr(text, "port ");
	return atoi(at + 5);
}

/* A host with a channel key of its own that passes everything on to the agent at @port and back. */
static pid_t start_relay(int port, int *ret_port)
{
	struct err e = ERR_INIT;
	int listener = -1;
	pid_t child;

	assert_ok(net_listen("127.0.0.1:0", &listener, &e), &e);
	*ret_port = (int)net_port(listener);
	child = fork();
	assert_true(child >= 0);
	if (child) {
		close(listener);
		return child;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct client_connection to = {.fd = -1};
	struct pollfd p = {.fd = listener, .events = POLLIN};
	cleanup_buf struct buf message = BUF_INIT;
	struct tls_identity id = {0};
	SSL_CTX *ctx = NULL;
	char where[64];

	(void)snprintf(where, sizeof(where), "tls:127.0.0.1:%d", port);
	if (attest_client_connect(where, LAB_MS, &to, &e) || tls_identity_new(&id, &e) ||
	    tls_host_ctx(&id, NULL, &ctx, &e) || poll(&p, 1, LAB_MS) != 1)
		_exit(1);
	struct stream from = {accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), SSL_new(ctx)};

	if (SSL_set_fd(from.tls, from.fd) != 1)
		_exit(1);
	SSL_set_accept_state(from.tls);
	if (attest_stream_handshake(from, LAB_MS, &e))
		_exit(1);
	while (!attest_stream_recv(from, LAB_MS, LAB_MS, &message, &e) &&
	       !attest_stream_send(to.stream, LAB_MS, message.data, message.len, &e) &&
	       !attest_stream_recv(to.stream, LAB_MS, LAB_MS, &message, &e) &&
	       !attest_stream_send(from, LAB_MS, message.data, message.len, &e))
		;
	_exit(0);
}

/* Evidence from the agent at @port, and whether it is bound to the connection's key. */
static int fetch(int port, int ms, bool *ret_bound, struct err *e)
{
	static const uint8_t nonce[EVIDENCE_NONCE_BYTES] = {5};
	cleanup_client_connection struct client_connection c = {.fd = -1};
	cleanup_buf struct buf bytes = BUF_INIT;
	uint8_t binding[HASH_SHA256_BYTES];
	struct evidence ev;
	struct quote q;
	char where[64];
	int rc;

	(void)snprintf(where, sizeof(where), "tls:127.0.0.1:%d", port);
	assert_ok(attest_client_connect(where, LAB_MS, &c, e), e);
	rc = attest_client_evidence(&c, ms, nonce, &bytes, e);
	if (rc)
		return rc;
	assert_ok(evidence_parse(bytes.data, bytes.len, &ev, e), e);
	assert_ok(quote_parse(ev.attest, &q, e), e);
	evidence_channel_binding(nonce, c.channel_key, &ev, binding);
	*ret_bound = hash_equal(q.extra, sizeof(q.extra), binding, sizeof(binding));
	return 0;
}

static void an_agent_behind_a_relay_gives_no_evidence_for_the_relays_key(void **state)
{
	struct lab_host *h = &lab.host[0];
	struct err e = ERR_INIT;
	pid_t agent, relay_pid;
	bool bound = false;
	int port, relay_port;

	(void)state;
	lab_need();
	port = start_agent(h, &agent);
	assert_ok(fetch(port, LAB_MS, &bound, &e), &e);
	assert_true(bound);
	relay_pid = start_relay(port, &relay_port);
	assert_refused(fetch(relay_port, 3000, &bound, &e), &e, ETIMEDOUT, "after 1 answers to questions that we did not ask");
	assert_int_equal(kill(relay_pid, SIGKILL), 0);
	assert_int_equal(waitpid(relay_pid, NULL, 0), relay_pid);
	assert_ok(fetch(port, LAB_MS, &bound, &e), &e);
	assert_true(bound);
	assert_int_equal(kill(agent, SIGKILL), 0);
	assert_int_equal(waitpid(agent, NULL, 0), agent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evidence_relayed_over_another_channel_is_refused),
		cmocka_unit_test(the_channel_is_what_makes_the_difference),
		cmocka_unit_test(a_relayed_refusal_does_not_change_the_hosts_standing),
		cmocka_unit_test(without_a_client_certificate_there_is_no_verdict),
		cmocka_unit_test(an_agent_behind_a_relay_gives_no_evidence_for_the_relays_key),
	};

	return cmocka_run_group_tests_name("attest/attack: relay", tests, set_up, lab_tear_down);
}
