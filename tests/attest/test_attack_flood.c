/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_flood.c - pitfall "Parser denial of service", at the service: slow, large, many, malformed
 *
 * A sound host is judged beside each attack while it goes on.
 */
#include "tests/attest/fleet_lab.h"

#include "attest/stream.h"

static int set_up(void **state)
{
	static const char *const more[] = {"--max-connections", "16", NULL};
	int rc = lab_set_up(1);

	(void)state;
	if (!rc && lab.there)
		lab_verifier_start(more);
	return rc;
}

/* A TLS connection without a client certificate; @ctx is shared. */
struct visitor {
	int fd;
	SSL *ssl;
};

static SSL_CTX *plain_ctx(void)
{
	static SSL_CTX *ctx;
	struct err e = ERR_INIT;

	if (!ctx)
		assert_ok(tls_asker_ctx(&ctx, &e), &e);
	return ctx;
}

static struct stream stream_of(const struct visitor *v)
{
	return (struct stream){v->fd, v->ssl};
}

static bool visit(struct visitor *v)
{
	struct err e = ERR_INIT;

	v->fd = lab_connect(atoi(strchr(lab.where, ':') + 1));
	assert_true(v->fd >= 0);
	assert_ok(attest_stream_prepare(v->fd, &e), &e);
	v->ssl = SSL_new(plain_ctx());
	assert_int_equal(SSL_set_fd(v->ssl, v->fd), 1);
	SSL_set_connect_state(v->ssl);
	return attest_stream_handshake(stream_of(v), 3000, &e) == 0;
}

static void leave(struct visitor *v)
{
	SSL_free(v->ssl);
	close(v->fd);
}

/* Send @text and read one answer: its status, 0 if the connection was closed or nothing came. */
static unsigned say(struct visitor *v, const void *text, size_t n)
{
	struct http_response r = {0};
	uint8_t in[8192];
	size_t have = 0;
	struct err e = ERR_INIT;

	(void)!attest_stream_write(stream_of(v), 3000, text, n, &e); /* it may be cut off in the middle */
	while (have < sizeof(in)) {
		size_t got = 0;

		if (attest_stream_read(stream_of(v), 3000, in + have, sizeof(in) - have, &got, &e))
			return 0;
		have += got;
		if (http_response_parse(in, have, 65536, &r, &e) > 0)
			return r.status;
	}
	return 0;
}

#define EIGHT "a: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\n"

static void malformed_requests_get_their_status_and_the_door(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {
		{"GET /healthz HTTP/1.1\r\nHost: v\r\n\r\n", 200},
		{"GET /nowhere HTTP/1.1\r\nHost: v\r\n\r\n", 404},
		{"POST /healthz HTTP/1.1\r\nHost: v\r\nContent-Length: 0\r\n\r\n", 405},
		{"GET /v1/attest HTTP/1.1\r\nHost: v\r\n\r\n", 405},
		{"GET /healthz HTTP/1.0\r\nHost: v\r\n\r\n", 505},
		{"GET /healthz HTTP/1.1\r\n\r\n", 400},
		{"GET /healthz HTTP/1.1\r\nHost: v\r\nHost: v\r\n\r\n", 400},
		{"GET /healthz HTTP/1.1\nHost: v\n\r\n\r\n", 400},
		{"GET /healthz HTTP/1.1\r\nHost : v\r\n\r\n", 400},
		{"GET /healthz HTTP/1.1\r\nHost: v\r\n folded\r\n\r\n", 400},
		{"DELETE /healthz HTTP/1.1\r\nHost: v\r\n\r\n", 405},
		{"POST /v1/attest HTTP/1.1\r\nHost: v\r\n\r\n", 411},
		{"POST /v1/attest HTTP/1.1\r\nHost: v\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400},
		{"POST /v1/attest HTTP/1.1\r\nHost: v\r\nContent-Length: +4\r\n\r\nabcd", 400},
		{"POST /v1/attest HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
		{"POST /v1/attest HTTP/1.1\r\nHost: v\r\nContent-Length: 81921\r\n\r\n", 413},
		{"POST /v1/attest HTTP/1.1\r\nHost: v\r\nContent-Length: 99999999999999999999\r\n\r\n", 413},
		{"POST /v1/attest HTTP/1.1\r\nHost: v\r\nContent-Length: 4\r\n\r\nabcd", 400},
		{"POST /v1/enrol HTTP/1.1\r\nHost: v\r\nContent-Length: 4\r\n\r\nabcd", 400},
		{"GET /healthz HTTP/1.1\r\nHost: v\r\n" EIGHT EIGHT EIGHT "a: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\n\r\n", 200}, /* 32 fields */
		{"GET /healthz HTTP/1.1\r\nHost: v\r\n" EIGHT EIGHT EIGHT EIGHT "\r\n", 431},
		{"POST /v1/attest HTTP/1.1\r\nHost: v\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", 417},
	};

	(void)state;
	lab_need();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct visitor v;
		unsigned status;

		assert_true(visit(&v));
		status = say(&v, cases[i].text, strlen(cases[i].text));
		if (status != cases[i].status)
			fail_msg("case %zu: status %u, wanted %u", i, status, cases[i].status);
		leave(&v);
	}
}

static void a_head_without_end_is_refused_at_its_bound(void **state)
{
	static char text[8192];
	struct visitor v;

	(void)state;
	lab_need();
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /healthz HTTP/1.1\r\nHost: ", 29);
	assert_true(visit(&v));
	assert_int_equal(say(&v, text, sizeof(text)), 431);
	leave(&v);
}

static void pipelined_requests_are_answered_one_by_one(void **state)
{
	static const char two[] = "GET /healthz HTTP/1.1\r\nHost: v\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: v\r\n\r\n";
	struct http_response r;
	struct visitor v;
	uint8_t in[4096];
	size_t have = 0, got;
	struct err e = ERR_INIT;
	int first = 0, second = 0;

	(void)state;
	lab_need();
	assert_true(visit(&v));
	assert_ok(attest_stream_write(stream_of(&v), 3000, two, sizeof(two) - 1, &e), &e);
	while (second <= 0) {
		assert_ok(attest_stream_read(stream_of(&v), 3000, in + have, sizeof(in) - have, &got, &e), &e);
		have += got;
		if (!first && (first = http_response_parse(in, have, 4096, &r, &e)) > 0) {
			assert_int_equal(r.status, 200);
			first += (int)r.body_bytes;
		}
		if (first > 0 && have > (size_t)first)
			second = http_response_parse(in + first, have - (size_t)first, 4096, &r, &e);
	}
	assert_int_equal(r.status, 404);
	leave(&v);
}

static void one_byte_at_a_time_buys_no_more_time(void **state)
{
	struct lab_host *h = &lab.host[0];
	struct visitor silent, slow;
	uint8_t b;
	size_t got;
	struct err e = ERR_INIT;
	int sent = 0;

	(void)state;
	lab_need();
	lab_channel(h);
	lab_accepted(h);
	silent.fd = lab_connect(atoi(strchr(lab.where, ':') + 1)); /* never shakes hands */
	assert_true(silent.fd >= 0);
	assert_true(visit(&slow));
	for (; sent < 200; sent++) {
		if (attest_stream_write(stream_of(&slow), 100, "G", 1, &e))
			break;
		if (attest_stream_read(stream_of(&slow), 90, &b, 1, &got, &e) != -ETIMEDOUT)
			break;
	}
	assert_true(sent > 20 && sent < 190); /* ended by the verifier, some ten seconds in */
	lab_accepted(h);
	assert_int_equal(recv(silent.fd, &b, 1, MSG_DONTWAIT), 0);
	close(silent.fd);
	leave(&slow);
	assert_true(lab_metric(h, "holdfast_verifier_timeouts_total") >= 2);
}

static void with_all_places_taken_others_wait_and_those_inside_are_served(void **state)
{
	struct lab_host *h = &lab.host[0];
	struct visitor v[15], late;
	static const char ask[] = "GET /healthz HTTP/1.1\r\nHost: v\r\n\r\n";

	(void)state;
	lab_need();
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		assert_true(visit(&v[i]));
	assert_false(visit(&late)); /* sixteen are inside: it waits in the kernel's queue until it gives up */
	leave(&late);
	lab_accepted(h);
	assert_int_equal(say(&v[0], ask, sizeof(ask) - 1), 200);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		leave(&v[i]);
	assert_true(visit(&late));
	assert_int_equal(say(&late, ask, sizeof(ask) - 1), 200);
	leave(&late);
}

static void whoever_asks_too_often_is_told_so(void **state)
{
	static const char *const more[] = {"--rate", "5", NULL};
	static const char ask[] = "GET /healthz HTTP/1.1\r\nHost: v\r\n\r\n";
	unsigned ok = 0, limited = 0;
	struct visitor v;

	(void)state;
	lab_need();
	assert_int_equal(lab_verifier_stop(SIGTERM), 0);
	lab_verifier_start(more); /* a burst of 1000 */
	assert_true(visit(&v));
	for (int i = 0; i < 1100; i++) {
		unsigned status = say(&v, ask, sizeof(ask) - 1);

		ok += status == 200;
		limited += status == 429;
	}
	assert_true(ok >= 999 && ok <= 1060);
	assert_int_equal(ok + limited, 1100);
	(void)poll(NULL, 0, 500);
	assert_int_equal(say(&v, ask, sizeof(ask) - 1), 200); /* after a while again */
	leave(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_requests_get_their_status_and_the_door),
		cmocka_unit_test(a_head_without_end_is_refused_at_its_bound),
		cmocka_unit_test(pipelined_requests_are_answered_one_by_one),
		cmocka_unit_test(one_byte_at_a_time_buys_no_more_time),
		cmocka_unit_test(with_all_places_taken_others_wait_and_those_inside_are_served),
		cmocka_unit_test(whoever_asks_too_often_is_told_so),
	};

	return cmocka_run_group_tests_name("attest/attack: flood", tests, set_up, lab_tear_down);
}
