/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_attack_flood.c - pitfall "Parser denial of service", at the service: slow, large, many, malformed
 *
 * A sound host is judged beside each attack while it goes on.
 */
#include "tests/attest/fleet_lab.h"

#include "attest/stream.h"

#include <sched.h>
#include <sys/ioctl.h>

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

static bool shake(struct visitor *v, int ms)
{
	struct err e = ERR_INIT;

	assert_ok(attest_stream_prepare(v->fd, &e), &e);
	v->ssl = SSL_new(plain_ctx());
	assert_int_equal(SSL_set_fd(v->ssl, v->fd), 1);
	SSL_set_connect_state(v->ssl);
	return attest_stream_handshake(stream_of(v), ms, &e) == 0;
}

static bool visit_for(struct visitor *v, int ms)
{
	v->fd = lab_connect(atoi(strchr(lab.where, ':') + 1));
	assert_true(v->fd >= 0);
	return shake(v, ms);
}

static bool visit(struct visitor *v)
{
	return visit_for(v, 3000);
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
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		assert_int_equal(say(&v[i], ask, sizeof(ask) - 1), 200); /* however long all that took */
	assert_true(lab_metric(h, "holdfast_verifier_hosts") == 1);
	assert_false(visit_for(&late, 1000)); /* sixteen are inside, and none is silent for long: it waits in the kernel's queue until it gives up */
	leave(&late);
	lab_accepted(h);
	assert_int_equal(say(&v[0], ask, sizeof(ask) - 1), 200);
	/* Who says nothing for ten seconds gives way: nobody can hold all places by doing nothing. */
	for (int i = 0; !visit(&late); i++) {
		assert_true(i < 6);
		leave(&late);
	}
	assert_int_equal(say(&late, ask, sizeof(ask) - 1), 200);
	assert_int_equal(say(&v[1], ask, sizeof(ask) - 1), 0);
	lab_accepted(h);
	leave(&late);
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

/* From 127.0.0.2, so that the rate is its own: request behind request as fast as they go out, each answer taken at once. */
static _Noreturn void pipeline_for_ever(void)
{
	static const char ask[] = "GET /healthz HTTP/1.1\r\nHost: v\r\n\r\n";
	static char many[(sizeof(ask) - 1) * 400], in[16384];
	const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct visitor v = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	to.sin_port = htons((uint16_t)atoi(strchr(lab.where, ':') + 1));
	if (v.fd < 0 || bind(v.fd, (const struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(v.fd, (const struct sockaddr *)&to, sizeof(to)) < 0 || !shake(&v, 3000))
		_exit(1);
	for (size_t i = 0; i < sizeof(many); i += sizeof(ask) - 1)
		memcpy(many + i, ask, sizeof(ask) - 1);
	for (;;) {
		struct pollfd p = {.fd = v.fd, .events = POLLIN | POLLOUT};
		int sent = SSL_write(v.ssl, many, sizeof(many)), got;

		while ((got = SSL_read(v.ssl, in, sizeof(in))) > 0)
			;
		if (SSL_get_error(v.ssl, got) != SSL_ERROR_WANT_READ)
			_exit(2); /* shown the door */
		if (sent <= 0)
			(void)poll(&p, 1, 100);
	}
}

static void a_client_that_never_stops_asking_takes_its_turn(void **state)
{
	struct lab_host *h = &lab.host[0];
	struct timespec a, b;
	pid_t child[2];
	int status;

	(void)state;
	lab_need();
	assert_int_equal(lab_verifier_stop(SIGTERM), 0);
	lab_verifier_start(NULL);
	lab_channel(h);
	for (size_t i = 0; i < ARRAY_SIZE(child); i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (!child[i])
			pipeline_for_ever();
	}
	while (lab_metric(h, "holdfast_verifier_limited_total") < 10) /* it has begun */
		(void)poll(NULL, 0, 20);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	lab_accepted(h);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	print_message("  judged in %lld ms meanwhile\n", (long long)(b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000);
	assert_true(b.tv_sec - a.tv_sec < 5);
	for (size_t i = 0; i < ARRAY_SIZE(child); i++) {
		assert_int_equal(waitpid(child[i], NULL, WNOHANG), 0); /* it was at it all the time */
		assert_int_equal(kill(child[i], SIGKILL), 0);
		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
	}
}

static int waiting(const struct visitor *v)
{
	int n = 0;

	assert_int_equal(ioctl(v->fd, FIONREAD, &n), 0);
	return n;
}

/* What has come when nothing more comes for a second. */
static int settled(const struct visitor *v)
{
	int n = 0, still = 0;

	for (int i = 0; i < 300 && still < 10; i++) {
		int was = n;

		(void)poll(NULL, 0, 100);
		n = waiting(v);
		still = n && n == was ? still + 1 : 0;
	}
	return n;
}

#define ASK  "GET /healthz HTTP/1.1\r\nHost: v\r\n\r\n"
#define MANY 40 /* five turns; less than a socket holds */

/* Enrolments that cost some work and end in a short 403: the keys are sound, and nobody here certified them. */
static void ask_many(struct visitor *v)
{
	static const char *const files[] = {"ek-cert/good-ek-public.bin", "ek-cert/good-ek.der", "quote/good-ak-rsa.bin"};
	struct buf part[ARRAY_SIZE(files)] = {BUF_INIT, BUF_INIT, BUF_INIT};
	cleanup_buf struct buf body = BUF_INIT, text = BUF_INIT;
	struct message m = {.kind = MESSAGE_ENROL};
	struct err e = ERR_INIT;
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "tests/data/%s", files[i]);
		assert_ok(file_read(path, 1 << 16, &part[i], &e), &e);
		m.field[i] = (struct bytes){part[i].data, part[i].len};
	}
	assert_ok(message_encode(&m, &body, &e), &e);
	for (int i = 0; i < MANY; i++) {
		buf_printf(&text, "POST /v1/enrol HTTP/1.1\r\nHost: v\r\nContent-Length: %zu\r\n\r\n", body.len);
		buf_put(&text, body.data, body.len);
	}
	assert_ok(attest_stream_write(stream_of(v), 3000, text.data, text.len, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		buf_free(&part[i]);
}

static void freeze(void)
{
	int status;

	assert_int_equal(kill(lab.verifier, SIGSTOP), 0);
	assert_int_equal(waitpid(lab.verifier, &status, WUNTRACED), lab.verifier); /* none of its threads runs any more */
	assert_true(WIFSTOPPED(status));
}

/*
 * Two with forty requests each, all there before the verifier looks: when one has its last answer, the other has not been
 * waiting. The verifier is stopped before the bytes are counted, so that what it has sent has arrived.
 */
static void two_with_many_requests_are_served_in_turns(void **state)
{
	static const char *const more[] = {"--rate", "0", NULL};
	int all = 0;

	(void)state;
	lab_need();
	assert_int_equal(lab_verifier_stop(SIGTERM), 0);
	lab_verifier_start(more);
	for (int round = 0; round < 4; round++) {
		struct visitor v[2];
		int a = 0, b = 0;

		assert_true(visit(&v[0]) && visit(&v[1]));
		assert_int_equal(say(&v[0], ASK, sizeof(ASK) - 1), 200); /* nothing else is under way on either */
		assert_int_equal(say(&v[1], ASK, sizeof(ASK) - 1), 200);
		freeze();
		ask_many(&v[0]);
		if (round) /* the first round only tells how many bytes the answers have */
			ask_many(&v[1]);
		(void)poll(NULL, 0, 100);
		assert_int_equal(kill(lab.verifier, SIGCONT), 0);
		if (!round)
			all = settled(&v[0]);
		for (time_t end = time(NULL) + 30; round && a < all && b < all && time(NULL) < end; a = waiting(&v[0]), b = waiting(&v[1]))
			(void)sched_yield(); /* bounded: what does not come is told below */
		freeze();
		(void)poll(NULL, 0, 100);
		a = waiting(&v[0]);
		b = waiting(&v[1]);
		assert_int_equal(kill(lab.verifier, SIGCONT), 0);
		assert_true(all > MANY * 60);
		print_message("  one has %d bytes of %d, the other %d\n", a, all, b);
		if (round && (a < all / 2 || b < all / 2))
			fail_msg("%d bytes each are wanted, one has %d, the other %d", all, a, b);
		leave(&v[0]);
		leave(&v[1]);
	}
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
		cmocka_unit_test(two_with_many_requests_are_served_in_turns),
		cmocka_unit_test(a_client_that_never_stops_asking_takes_its_turn),
	};

	return cmocka_run_group_tests_name("attest/attack: flood", tests, set_up, lab_tear_down);
}
