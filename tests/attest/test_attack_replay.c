/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_replay.c - pitfall "Replay; no nonce": evidence that was good is shown again
 *
 * Each attack stands beside the same message while it is fresh.
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

/* Evidence over a new ticket of the running verifier, as a message that can be sent again. */
struct shown {
	struct buf ticket, evidence;
	uint8_t identity[HASH_SHA256_BYTES];
	struct message m;
};

static void take(struct lab_host *h, struct shown *s)
{
	const struct report_question q = {.method = HTTP_GET, .path = "/v1/ticket"};
	cleanup_buf struct buf ek = BUF_INIT, cert = BUF_INIT, ak = BUF_INIT;
	uint8_t nonce[EVIDENCE_NONCE_BYTES];
	struct attest_tpm *tpm;
	struct http_response r;
	struct bytes body;
	struct message m;
	struct err e = ERR_INIT;

	*s = (struct shown){.ticket = BUF_INIT, .evidence = BUF_INIT, .m = {.kind = MESSAGE_ATTEST}};
	assert_ok(report_ask(&h->report, &q, &r, &body, &e), &e);
	assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, body.p, body.n, &m, &e), &e);
	buf_put(&s->ticket, m.field[0].p, m.field[0].n);
	ticket_nonce((struct bytes){s->ticket.data, s->ticket.len}, nonce);
	assert_ok(attest_agent_evidence(&h->agent, nonce, &s->evidence, &e), &e);
	assert_ok(attest_agent_tpm(&h->agent, &tpm, &e), &e);
	assert_ok(attest_tpm_identity(tpm, &ek, &cert, &ak, &e), &e);
	assert_ok(enrolment_identity(ek.data, ek.len, s->identity, &e), &e);
	s->m.field[0] = (struct bytes){s->ticket.data, s->ticket.len};
	s->m.field[1] = (struct bytes){s->identity, sizeof(s->identity)};
	s->m.field[2] = (struct bytes){s->evidence.data, s->evidence.len};
}

static void drop(struct shown *s)
{
	buf_free(&s->ticket);
	buf_free(&s->evidence);
}

/* The verdict in the answer to @s: "ACCEPT", "REFUSE", or the status as text. */
static const char *verdict(struct lab_host *h, const struct shown *s)
{
	static char text[32];
	cleanup_buf struct buf body = BUF_INIT;
	struct message m;
	struct err e = ERR_INIT;
	unsigned status = lab_post(h, "/v1/attest", &s->m, &body);

	(void)snprintf(text, sizeof(text), "%u", status);
	if (status == 200) {
		assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, body.data, body.len, &m, &e), &e);
		(void)snprintf(text, sizeof(text), "%.*s", (int)m.field[0].n, (const char *)m.field[0].p);
	}
	return text;
}

static void old_evidence_with_a_new_ticket_is_refused(void **state)
{
	struct lab_host *h = &lab.host[0];
	struct shown old, fresh;

	(void)state;
	lab_need();
	lab_channel(h);
	lab_accepted(h); /* enrols */
	take(h, &old);
	take(h, &fresh);
	assert_string_equal(verdict(h, &old), "ACCEPT");
	assert_string_equal(verdict(h, &fresh), "ACCEPT");
	fresh.m.field[2] = old.m.field[2];
	assert_string_equal(verdict(h, &fresh), "REFUSE");
	drop(&old);
	drop(&fresh);
}

static void a_ticket_that_was_changed_or_invented_is_not_taken(void **state)
{
	struct lab_host *h = &lab.host[0];
	struct shown s;

	(void)state;
	lab_need();
	take(h, &s);
	for (size_t i = 0; i < s.ticket.len; i++) {
		s.ticket.data[i] ^= 1;
		assert_string_equal(verdict(h, &s), "409");
		s.ticket.data[i] ^= 1;
	}
	assert_string_equal(verdict(h, &s), "ACCEPT");
	s.m.field[0].n--;
	assert_string_equal(verdict(h, &s), "409");
	s.m.field[0] = (struct bytes){(const uint8_t *)"ticket", 6};
	assert_string_equal(verdict(h, &s), "409");
	drop(&s);
}

static void a_restart_makes_tickets_worthless_and_an_honest_host_asks_again(void **state)
{
	struct lab_host *h = &lab.host[0];
	struct shown s;

	(void)state;
	lab_need();
	take(h, &s);
	assert_string_equal(verdict(h, &s), "ACCEPT");
	assert_int_equal(lab_verifier_stop(SIGTERM), 0);
	lab_verifier_start(NULL);
	h->report.where = lab.where;
	{
		struct err e = ERR_INIT; /* the same key, a new connection: only the ticket is at fault */

		assert_ok(report_connect(&h->report, NULL, &e), &e);
	}
	assert_string_equal(verdict(h, &s), "409");
	buf_put(&h->report.ticket, s.ticket.data, s.ticket.len); /* an honest host that still holds it */
	h->report.ticket_ms = INT64_MAX / 2;
	lab_accepted(h);
	drop(&s);
}

static void tickets_expire(void **state)
{
	struct ticket_box *b = ticket_box_new(1000);
	cleanup_buf struct buf t = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(b);
	assert_ok(ticket_seal(b, TICKET_CHALLENGE, 5000, (struct bytes){0}, &t, &e), &e);
	assert_ok(ticket_open(b, TICKET_CHALLENGE, 6000, (struct bytes){t.data, t.len}, NULL, &e), &e);
	assert_refused(ticket_open(b, TICKET_CHALLENGE, 6001, (struct bytes){t.data, t.len}, NULL, &e), &e, EBADMSG,
		       "ask for another");
	assert_refused(ticket_open(b, TICKET_CHALLENGE, 4999, (struct bytes){t.data, t.len}, NULL, &e), &e, EBADMSG,
		       "ask for another");
	ticket_box_free(b);
}

static void a_rotation_of_keys_cuts_no_ticket_short_and_two_retire_it(void **state)
{
	struct ticket_box *b = ticket_box_new(1000);
	cleanup_buf struct buf first = BUF_INIT, t = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(b);
	assert_ok(ticket_seal(b, TICKET_CHALLENGE, 0, (struct bytes){0}, &t, &e), &e);
	assert_ok(ticket_seal(b, TICKET_CHALLENGE, 999, (struct bytes){0}, &first, &e), &e);
	assert_ok(ticket_seal(b, TICKET_CHALLENGE, 1000, (struct bytes){0}, &t, &e), &e); /* rotates */
	assert_ok(ticket_open(b, TICKET_CHALLENGE, 1999, (struct bytes){first.data, first.len}, NULL, &e), &e);
	assert_ok(ticket_seal(b, TICKET_CHALLENGE, 2000, (struct bytes){0}, &t, &e), &e);
	assert_refused(ticket_open(b, TICKET_CHALLENGE, 1999, (struct bytes){first.data, first.len}, NULL, &e), &e,
		       EBADMSG, "not one of ours");
	ticket_box_free(b);
}

static void a_ticket_of_one_purpose_or_of_another_verifier_is_good_for_no_other(void **state)
{
	struct ticket_box *b = ticket_box_new(1000), *other = ticket_box_new(1000);
	cleanup_buf struct buf t = BUF_INIT, content = BUF_INIT;
	struct bytes v;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(ticket_seal(b, TICKET_ENROLMENT, 0, (struct bytes){(const uint8_t *)"abc", 3}, &t, &e), &e);
	v = (struct bytes){t.data, t.len};
	assert_ok(ticket_open(b, TICKET_ENROLMENT, 0, v, &content, &e), &e);
	assert_memory_equal(content.data, "abc", 3);
	assert_refused(ticket_open(b, TICKET_CHALLENGE, 0, v, NULL, &e), &e, EBADMSG, "not one of ours");
	t.data[4] = TICKET_CHALLENGE; /* the purpose is authenticated */
	assert_refused(ticket_open(b, TICKET_CHALLENGE, 0, v, NULL, &e), &e, EBADMSG, "not one of ours");
	t.data[4] = TICKET_ENROLMENT;
	assert_refused(ticket_open(other, TICKET_ENROLMENT, 0, v, NULL, &e), &e, EBADMSG, "not one of ours");
	ticket_box_free(b);
	ticket_box_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_evidence_with_a_new_ticket_is_refused),
		cmocka_unit_test(a_ticket_that_was_changed_or_invented_is_not_taken),
		cmocka_unit_test(a_restart_makes_tickets_worthless_and_an_honest_host_asks_again),
		cmocka_unit_test(tickets_expire),
		cmocka_unit_test(a_rotation_of_keys_cuts_no_ticket_short_and_two_retire_it),
		cmocka_unit_test(a_ticket_of_one_purpose_or_of_another_verifier_is_good_for_no_other),
	};

	return cmocka_run_group_tests_name("attest/attack: replay", tests, set_up, lab_tear_down);
}
