/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_identity.c - pitfalls "Identity chosen by the client" and "AK outside a TPM, or in another TPM"
 *
 * Enrolment with the service, by hand: each lie beside the honest run that differs from it in that one thing.
 */
#include "tests/attest/fleet_lab.h"

#define EK_DATA "tests/data/ek-cert/"

static int set_up(void **state)
{
	int rc = lab_set_up(2);

	(void)state;
	if (!rc && lab.there)
		lab_verifier_start(NULL);
	return rc;
}

/* What a host shows of itself, in buffers that a test may change. */
struct keys {
	struct buf ek, cert, ak;
};

static void keys_of(struct lab_host *h, struct keys *k)
{
	struct attest_tpm *tpm;
	struct err e = ERR_INIT;

	*k = (struct keys){BUF_INIT, BUF_INIT, BUF_INIT};
	assert_ok(attest_agent_tpm(&h->agent, &tpm, &e), &e);
	assert_ok(attest_tpm_identity(tpm, &k->ek, &k->cert, &k->ak, &e), &e);
}

static void keys_free(struct keys *k)
{
	buf_free(&k->ek);
	buf_free(&k->cert);
	buf_free(&k->ak);
}

/* POST /v1/enrol; the body is the challenge if the status is 200. */
static unsigned enrol(struct lab_host *over, const struct keys *k, struct buf *body)
{
	struct message m = {.kind = MESSAGE_ENROL,
			    .field = {{k->ek.data, k->ek.len}, {k->cert.data, k->cert.len}, {k->ak.data, k->ak.len}}};
	unsigned status = lab_post(over, "/v1/enrol", &m, body);

	buf_u8(body, 0);
	body->len--;
	return status;
}

/* Show @credential for the challenge in @body, with evidence of @h under @identity. The status; the body in @ret. */
static unsigned finish(struct lab_host *h, const struct buf *body, struct bytes credential, const uint8_t *identity,
		       struct buf *ret)
{
	cleanup_buf struct buf evidence = BUF_INIT;
	struct message c, m = {.kind = MESSAGE_ATTEST};
	uint8_t nonce[EVIDENCE_NONCE_BYTES];
	struct err e = ERR_INIT;
	unsigned status;

	assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, body->data, body->len, &c, &e), &e);
	ticket_nonce(c.field[3], nonce);
	assert_ok(attest_agent_evidence(&h->agent, nonce, &evidence, &e), &e);
	m.field[0] = c.field[3];
	m.field[1] = (struct bytes){identity, HASH_SHA256_BYTES};
	m.field[2] = (struct bytes){evidence.data, evidence.len};
	m.field[3] = c.field[2];
	m.field[4] = credential;
	status = lab_post(h, "/v1/attest", &m, ret);
	buf_u8(ret, 0);
	ret->len--;
	return status;
}

/* The challenge in @body, opened by @h's TPM. */
static int open_challenge(struct lab_host *h, const struct buf *body, struct buf *ret)
{
	struct attest_tpm *tpm;
	struct message c;
	struct err e = ERR_INIT;

	assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, body->data, body->len, &c, &e), &e);
	assert_ok(attest_agent_tpm(&h->agent, &tpm, &e), &e);
	return attest_tpm_activate(tpm, &c.field[0], &c.field[1], ret, &e);
}

static void each_lie_about_keys_is_refused_before_any_challenge(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	struct keys k, other;

	(void)state;
	lab_need();
	lab_channel(h);
	keys_of(h, &k);
	keys_of(&lab.host[1], &other);
	assert_int_equal(enrol(h, &k, &body), 200);
	k.ak.data[7] ^= 1; /* restricted off */
	assert_int_equal(enrol(h, &k, &body), 403);
	assert_non_null(strstr((const char *)body.data, "attributes"));
	k.ak.data[7] ^= 1;
	struct keys lie = {k.ek, other.cert, k.ak};
	assert_int_equal(enrol(h, &lie, &body), 403);
	assert_non_null(strstr((const char *)body.data, "not the TPM's EK"));
	lie = (struct keys){k.ek, BUF_INIT, k.ak};
	assert_int_equal(enrol(h, &lie, &body), 403);
	assert_non_null(strstr((const char *)body.data, "no EK certificate"));
	lie.ek = (struct buf)BUF_INIT;
	assert_ok(file_read(EK_DATA "good-ek-public.bin", 4096, &lie.ek, &e), &e); /* genuine, by a CA that is not pinned */
	lie.cert = (struct buf)BUF_INIT;
	assert_ok(file_read(EK_DATA "good-ek.der", 8192, &lie.cert, &e), &e);
	assert_int_equal(enrol(h, &lie, &body), 403);
	assert_non_null(strstr((const char *)body.data, "no chain to a certificate of"));
	buf_free(&lie.ek);
	buf_free(&lie.cert);
	assert_int_equal(enrol(h, &k, &body), 200);
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts"), 0); /* a challenge is no enrolment */
	keys_free(&k);
	keys_free(&other);
}

static void an_ak_of_another_tpm_cannot_open_the_challenge(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf body = BUF_INIT, credential = BUF_INIT, answer = BUF_INIT;
	uint8_t identity[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;
	struct keys k, other;

	(void)state;
	lab_need();
	keys_of(h, &k);
	keys_of(&lab.host[1], &other);
	assert_ok(enrolment_identity(k.ek.data, k.ek.len, identity, &e), &e);
	struct keys lie = {k.ek, k.cert, other.ak};

	assert_int_equal(enrol(h, &lie, &body), 200); /* nothing to see yet: both areas are sound */
	assert_int_equal(open_challenge(h, &body, &credential), -EIO);
	assert_int_equal(finish(h, &body, (struct bytes){(const uint8_t *)"guessed credential of 32 bytes!!", 32}, identity,
				&answer), 403);
	assert_non_null(strstr((const char *)answer.data, "did not prove that its AK lives in the TPM"));
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts"), 0);
	keys_free(&k);
	keys_free(&other);
}

static void an_identity_is_computed_and_never_claimed(void **state)
{
	struct lab_host *h = &lab.host[0];
	cleanup_buf struct buf body = BUF_INIT, credential = BUF_INIT, answer = BUF_INIT;
	uint8_t identity[HASH_SHA256_BYTES], claimed[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;
	struct keys k;

	(void)state;
	lab_need();
	keys_of(h, &k);
	assert_ok(enrolment_identity(k.ek.data, k.ek.len, identity, &e), &e);
	memcpy(claimed, identity, sizeof(claimed));
	claimed[0] ^= 1;
	assert_int_equal(enrol(h, &k, &body), 200);
	assert_int_equal(open_challenge(h, &body, &credential), 0);
	assert_int_equal(finish(h, &body, (struct bytes){credential.data, credential.len}, claimed, &answer), 403);
	assert_non_null(strstr((const char *)answer.data, "the identity is not that of the keys"));
	credential.data[0] ^= 1;
	assert_int_equal(finish(h, &body, (struct bytes){credential.data, credential.len}, identity, &answer), 403);
	credential.data[0] ^= 1;
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts"), 0);
	assert_int_equal(finish(h, &body, (struct bytes){credential.data, credential.len}, identity, &answer), 200);
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts"), 1);
	keys_free(&k);
}

/* Host 1 is sound, too, but under host 0's name its quote is by another AK. */
static void a_host_cannot_speak_under_anothers_name_nor_take_its_standing_away(void **state)
{
	struct lab_host *h = &lab.host[0], *other = &lab.host[1];
	cleanup_buf struct buf evidence = BUF_INIT, body = BUF_INIT, ear = BUF_INIT;
	const struct report_question q = {.method = HTTP_GET, .path = "/v1/ticket"};
	struct message m = {.kind = MESSAGE_ATTEST}, a;
	uint8_t identity[HASH_SHA256_BYTES], nonce[EVIDENCE_NONCE_BYTES];
	cleanup_buf struct buf ticket = BUF_INIT;
	struct http_response r;
	struct bytes b;
	struct err e = ERR_INIT;
	struct keys k;

	(void)state;
	lab_need();
	lab_accepted(h);
	lab_channel(other);
	keys_of(h, &k);
	assert_ok(enrolment_identity(k.ek.data, k.ek.len, identity, &e), &e);
	assert_ok(report_ask(&other->report, &q, &r, &b, &e), &e);
	assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, b.p, b.n, &a, &e), &e);
	buf_put(&ticket, a.field[0].p, a.field[0].n);
	ticket_nonce((struct bytes){ticket.data, ticket.len}, nonce);
	assert_ok(attest_agent_evidence(&other->agent, nonce, &evidence, &e), &e);
	m.field[0] = (struct bytes){ticket.data, ticket.len};
	m.field[1] = (struct bytes){identity, sizeof(identity)};
	m.field[2] = (struct bytes){evidence.data, evidence.len};
	assert_int_equal(lab_post(other, "/v1/attest", &m, &body), 200);
	assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, body.data, body.len, &a, &e), &e);
	buf_put(&ear, a.field[1].p, a.field[1].n);
	assert_non_null(strstr(lab_claims(&ear), "is not that of the enrolled AK"));
	assert_non_null(strstr(lab_claims(&ear), "\"instance-identity\":99"));
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts_trusted"), 1);
	lab_accepted(other); /* under its own name */
	assert_int_equal(lab_metric(h, "holdfast_verifier_hosts_trusted"), 2);
	keys_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lie_about_keys_is_refused_before_any_challenge),
		cmocka_unit_test(an_ak_of_another_tpm_cannot_open_the_challenge),
		cmocka_unit_test(an_identity_is_computed_and_never_claimed),
		cmocka_unit_test(a_host_cannot_speak_under_anothers_name_nor_take_its_standing_away),
	};

	return cmocka_run_group_tests_name("attest/attack: identity and AK", tests, set_up, lab_tear_down);
}
