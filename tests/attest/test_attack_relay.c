/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_relay.c - a host that is not sound shows the evidence of one that is, over its own channel
 *
 * Host 0 is sound and enrolled. Whoever relays has a connection of their own to the verifier, and can make host 0's agent
 * answer any nonce over a plain channel. The twin is host 0 itself over its own channel.
 */
#include "tests/attest/fleet_lab.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evidence_relayed_over_another_channel_is_refused),
		cmocka_unit_test(the_channel_is_what_makes_the_difference),
		cmocka_unit_test(a_relayed_refusal_does_not_change_the_hosts_standing),
		cmocka_unit_test(without_a_client_certificate_there_is_no_verdict),
	};

	return cmocka_run_group_tests_name("attest/attack: relay", tests, set_up, lab_tear_down);
}
