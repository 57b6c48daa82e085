/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_agent.c - agent and client each survive a hostile other side (no TPM here; test_agent_swtpm.c has
 * one) */
#include "tests/common/check.h"

#include "attest/agent.h"
#include "attest/client.h"
#include "attest/message.h"
#include "attest/stream.h"
#include "common/file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define DATA "tests/data/agent-message/"

static void load(const char *name, struct buf *ret)
{
	char path[256];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), DATA "%s", name);
	assert_ok(file_read(path, 1 << 20, ret, &e), &e);
}

static void pair(int ret[static 2])
{
	struct err e = ERR_INIT;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret), 0);
	assert_ok(attest_stream_prepare(ret[0], &e), &e);
	assert_ok(attest_stream_prepare(ret[1], &e), &e);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- stream ----------------------------------------------------------------------------------------------------- */

static void messages_pass_whole_and_in_order(void **state)
{
	static uint8_t big[100000];
	cleanup_buf struct buf got = BUF_INIT;
	struct err e = ERR_INIT;
	int fd[2];

	(void)state;
	pair(fd);
	assert_ok(attest_stream_send(STREAM_FD(fd[0]), 1000, "one", 3, &e), &e);
	memset(big, 'b', sizeof(big));
	assert_ok(attest_stream_send(STREAM_FD(fd[0]), 1000, big, sizeof(big), &e), &e);
	close(fd[0]);
	assert_ok(attest_stream_recv(STREAM_FD(fd[1]), 1000, 1000, &got, &e), &e);
	assert_int_equal(got.len, 3);
	assert_ok(attest_stream_recv(STREAM_FD(fd[1]), 1000, 1000, &got, &e), &e);
	assert_int_equal(got.len, sizeof(big));
	assert_memory_equal(got.data, big, sizeof(big));
	assert_refused(attest_stream_recv(STREAM_FD(fd[1]), 1000, 1000, &got, &e), &e, EPIPE, "the peer is gone");
	close(fd[1]);
}

static void broken_streams_are_refused_within_their_deadline(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool leave;
		int code;
		const char *part;
	} cases[] = {
		{"", 0, true, EPIPE, "the peer is gone"},
		{"", 0, false, ETIMEDOUT, "timed out"},
		{"\0\0", 2, true, EPROTO, "left in the middle"},
		{"\0\0", 2, false, ETIMEDOUT, "timed out"},
		{"\0\0\0\0", 4, false, EPROTO, "0 bytes was announced"},
		{"\0\2\0\1", 4, false, EPROTO, "131073 bytes was announced"},
		{"\xff\xff\xff\xff", 4, false, EPROTO, "4294967295 bytes was announced"},
		{"\0\0\0\5abcd", 8, true, EPROTO, "left in the middle"},
		{"\0\2\0\0abcd", 8, false, ETIMEDOUT, "timed out"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf got = BUF_INIT;
		struct err e = ERR_INIT;
		int64_t start = now_ms();
		int fd[2];

		pair(fd);
		assert_int_equal(write(fd[0], cases[i].bytes, cases[i].n), cases[i].n);
		if (cases[i].leave)
			close(fd[0]);
		assert_refused(attest_stream_recv(STREAM_FD(fd[1]), 50, 50, &got, &e), &e, cases[i].code, cases[i].part);
		assert_true(now_ms() - start < 1000);
		assert_true(got.cap < 8192);
		if (!cases[i].leave)
			close(fd[0]);
		close(fd[1]);
	}
}

static void a_peer_that_does_not_read_cannot_hold_a_sender(void **state)
{
	static uint8_t big[STREAM_MAX_BYTES + 1];
	struct err e = ERR_INIT;
	int fd[2], rc;

	(void)state;
	pair(fd);
	assert_refused(attest_stream_send(STREAM_FD(fd[0]), 50, big, sizeof(big), &e), &e, EMSGSIZE, "131073 bytes");
	assert_refused(attest_stream_send(STREAM_FD(fd[0]), 50, big, 0, &e), &e, EMSGSIZE, "0 bytes");
	do
		rc = attest_stream_send(STREAM_FD(fd[0]), 50, big, STREAM_MAX_BYTES, &e);
	while (rc == 0);
	assert_refused(rc, &e, ETIMEDOUT, "timed out");
	close(fd[1]);
	assert_refused(attest_stream_send(STREAM_FD(fd[0]), 50, big, 1, &e), &e, EPIPE, "send");
	close(fd[0]);
}

static void sockets_are_private_and_only_a_stale_socket_is_replaced(void **state)
{
	char dir[] = "/tmp/holdfast-test-XXXXXX", path[64], where[80], long_path[200];
	struct err e = ERR_INIT;
	struct stat st;
	cleanup_client_connection struct client_connection c = {.fd = -1};
	int listener;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	(void)snprintf(where, sizeof(where), "unix:%s", path);
	assert_refused(attest_client_connect(where, 100, &c, &e), &e, ENOENT, path);
	assert_refused(attest_client_connect("tcp:1.2.3.4", 100, &c, &e), &e, EINVAL, "wanted unix:PATH");
	assert_ok(attest_stream_listen(path, &listener, &e), &e);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(attest_client_connect(where, 100, &c, &e), &e);
	client_connection_close(&c);
	close(listener);
	assert_refused(attest_client_connect(where, 100, &c, &e), &e, ECONNREFUSED, path);
	assert_ok(attest_stream_listen(path, &listener, &e), &e);
	close(listener);
	assert_int_equal(unlink(path), 0);
	assert_ok(file_write(path, "x", 1, 0644, &e), &e);
	assert_refused(attest_stream_listen(path, &listener, &e), &e, EADDRINUSE, "cannot listen");
	memset(long_path, 'x', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	assert_refused(attest_stream_listen(long_path, &listener, &e), &e, ENAMETOOLONG, "longer than");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- agent ------------------------------------------------------------------------------------------------------ */

static struct attest_agent without_tpm(void)
{
	return (struct attest_agent){.tcti = "device:/nonexistent/tpm",
				     .firmware_log = "/nonexistent",
				     .os_log = "/nonexistent",
				     .ima_log = "/nonexistent"};
}

static void expect_error(struct attest_agent *a, const void *request, size_t n, const char *part)
{
	cleanup_buf struct buf reply = BUF_INIT;
	struct err e = ERR_INIT, why = ERR_INIT;
	struct message m;
	char text[MESSAGE_MAX_TEXT_BYTES + 1];

	assert_ok(attest_agent_answer(a, request, n, &reply, &why), &why);
	assert_ok(message_parse(MESSAGE_ANSWER, reply.data, reply.len, &m, &e), &e);
	assert_int_equal(m.kind, MESSAGE_ERROR);
	(void)snprintf(text, sizeof(text), "%.*s", (int)m.field[0].n, (const char *)m.field[0].p);
	if (!strstr(text, part))
		fail_msg("error answer \"%s\", wanted \"%s\"", text, part);
}

static void every_bad_request_gets_an_error_answer(void **state)
{
	static const struct {
		const char *file;
		const char *part;
	} cases[] = {
		{"bad-request-unknown-op.cbor", "not one we know"},
		{"bad-request-answer-as-request.cbor", "not one we know"},
		{"bad-request-short-nonce.cbor", "nonce has 31 bytes"},
		{"bad-request-not-cbor.cbor", "another type"},
		{"bad-request-trailing.cbor", "behind the end"},
		{"good-identify.cbor", "TPM"},
		{"good-activate.cbor", "TPM"},
		{"good-ask-evidence.cbor", "TPM"},
	};
	struct attest_agent a = without_tpm();

	(void)state;
	(void)setenv("TSS2_LOG", "all+none", 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf request = BUF_INIT;

		load(cases[i].file, &request);
		expect_error(&a, request.data, request.len, cases[i].part);
	}
	expect_error(&a, "", 0, "the input ends here");
	a.tcti = "evil:../../lib";
	expect_error(&a, "\xa1\x62op\x68identify", 13, "not one of device, swtpm, cmd");
	a.tcti = "device.so:x";
	expect_error(&a, "\xa1\x62op\x68identify", 13, "not one of device, swtpm, cmd");
}

static void an_agent_answers_message_after_message_until_the_peer_breaks_the_protocol(void **state)
{
	struct attest_agent a = without_tpm();
	cleanup_buf struct buf reply = BUF_INIT;
	struct err e = ERR_INIT;
	int fd[2];

	(void)state;
	pair(fd);
	assert_ok(attest_stream_send(STREAM_FD(fd[0]), 100, "garbage", 7, &e), &e);
	assert_ok(attest_stream_send(STREAM_FD(fd[0]), 100, "\xa1\x62op\x61x", 6, &e), &e);
	assert_int_equal(write(fd[0], "\xff\xff\xff\xff", 4), 4);
	assert_refused(attest_agent_talk(&a, STREAM_FD(fd[1]), STREAM_FOREVER, &e), &e, EPROTO, "4294967295 bytes was announced");
	assert_ok(attest_stream_recv(STREAM_FD(fd[0]), 100, 100, &reply, &e), &e);
	assert_ok(attest_stream_recv(STREAM_FD(fd[0]), 100, 100, &reply, &e), &e);
	assert_refused(attest_agent_talk(&a, STREAM_FD(fd[1]), 20, &e), &e, ETIMEDOUT, "timed out");
	close(fd[0]);
	assert_refused(attest_agent_talk(&a, STREAM_FD(fd[1]), STREAM_FOREVER, &e), &e, EPIPE, "the peer is gone");
	close(fd[1]);
}

static void a_port_is_found_by_its_name_alone(void **state)
{
	char dir[] = "/tmp/holdfast-test-XXXXXX", path[128], sysfs[64], dev[64];
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(sysfs, sizeof(sysfs), "%s/sys", dir);
	(void)snprintf(dev, sizeof(dev), "%s/dev", dir);
	assert_refused(attest_agent_port(sysfs, dev, "org.holdfast.attest", &fd, &e), &e, ENOENT, sysfs);
	assert_int_equal(mkdir(dev, 0700), 0);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/vport0p%d", sysfs, i);
		assert_ok(file_mkdirs(path, &e), &e);
		(void)snprintf(path, sizeof(path), "%s/vport0p%d/name", sysfs, i);
		assert_ok(file_write(path, i ? "org.holdfast.attest\n" : "org.holdfast.attest.x\n", i ? 20 : 22, 0600,
				     &e),
			  &e);
	}
	assert_refused(attest_agent_port(sysfs, dev, "org.holdfast", &fd, &e), &e, ENOENT, "has the name org.holdfast");
	assert_refused(attest_agent_port(sysfs, dev, "org.holdfast.attest", &fd, &e), &e, ENOENT, "dev/vport0p1");
	(void)snprintf(path, sizeof(path), "%s/vport0p1", dev);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_ok(attest_agent_port(sysfs, dev, "org.holdfast.attest", &fd, &e), &e);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	(void)snprintf(path, sizeof(path), "rm -rf %s", dir);
	assert_int_equal(system(path), 0);
}

/* ---- client against a canned agent ------------------------------------------------------------------------------ */

/* A child that answers the first question with @answer, or says nothing. Return: our end. */
static int canned(const void *answer, size_t n, pid_t *ret)
{
	int fd[2];

	pair(fd);
	*ret = fork();
	assert_true(*ret >= 0);
	if (*ret == 0) {
		cleanup_buf struct buf request = BUF_INIT;
		struct err e = ERR_INIT;

		close(fd[0]);
		if (attest_stream_recv(STREAM_FD(fd[1]), 2000, 2000, &request, &e) == 0 && n &&
		    attest_stream_send(STREAM_FD(fd[1]), 2000, answer, n, &e) < 0)
			_exit(1);
		(void)poll(NULL, 0, 5000); /* finish() ends it */
		_exit(0);
	}
	close(fd[1]);
	return fd[0];
}

static void finish(int fd, pid_t child)
{
	close(fd);
	(void)kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_client_believes_no_bad_answer(void **state)
{
	static const struct {
		const char *file;
		int code;
		const char *part;
	} cases[] = {
		{"good-error.cbor", EREMOTEIO, "evidence: the agent says: no TPM"},
		{"good-identity.cbor", ETIMEDOUT, "after 1 answers to questions that we did not ask"},
		{"bad-answer-escape-in-error.cbor", EINVAL, "printable ASCII"},
		{"good-identify.cbor", EINVAL, "not one we know"},
		{NULL, ETIMEDOUT, "evidence: receive: timed out"},
	};
	static const uint8_t nonce[EVIDENCE_NONCE_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf answer = BUF_INIT, evidence = BUF_INIT;
		struct err e = ERR_INIT;
		pid_t child;
		int fd;

		if (cases[i].file)
			load(cases[i].file, &answer);
		fd = canned(answer.data, answer.len, &child);
		assert_refused(attest_client_evidence(&(struct client_connection){.stream = STREAM_FD(fd)}, 150, nonce, &evidence, &e), &e, cases[i].code, cases[i].part);
		assert_int_equal(evidence.len, 0);
		finish(fd, child);
	}
}

static void a_client_gets_the_evidence_of_a_good_answer(void **state)
{
	static const uint8_t nonce[EVIDENCE_NONCE_BYTES];
	cleanup_buf struct buf answer = BUF_INIT, evidence = BUF_INIT, want = BUF_INIT;
	struct err e = ERR_INIT;
	pid_t child;
	int fd;

	(void)state;
	load("good-evidence-answer.cbor", &answer);
	load("../evidence/good-evidence.cbor", &want);
	fd = canned(answer.data, answer.len, &child);
	assert_ok(attest_client_evidence(&(struct client_connection){.stream = STREAM_FD(fd)}, 2000, nonce, &evidence, &e), &e);
	assert_int_equal(evidence.len, want.len);
	assert_memory_equal(evidence.data, want.data, want.len);
	finish(fd, child);
}

static void enrolment_needs_a_reason_to_believe_and_a_well_formed_ek(void **state)
{
	static const uint8_t digest[HASH_SHA256_BYTES];
	struct client_params p = {.timeout_ms = 2000};
	cleanup_buf struct buf answer = BUF_INIT;
	struct err e = ERR_INIT;
	struct enrolment rec;
	pid_t child;
	int fd;

	(void)state;
	load("good-identity.cbor", &answer); /* well-formed as a message, no keys inside */
	fd = canned(answer.data, answer.len, &child);
	assert_refused(attest_client_enrol(STREAM_FD(fd), &p, &rec, &e), &e, EINVAL, "one of the two must be given");
	p.ek_sha256 = digest;
	p.ek_roots = "tests/data/ek-cert/roots.pem";
	assert_refused(attest_client_enrol(STREAM_FD(fd), &p, &rec, &e), &e, EINVAL, "one of the two must be given");
	p.ek_roots = NULL;
	assert_refused(attest_client_enrol(STREAM_FD(fd), &p, &rec, &e), &e, EBADMSG, "template L-1");
	finish(fd, child);
}

/* A peer that asks for @ms without a pause, and takes each answer. */
static pid_t ask_for(int fd[static 2], int ms)
{
	cleanup_buf struct buf question = BUF_INIT, reply = BUF_INIT;
	const struct message m = {.kind = MESSAGE_IDENTIFY};
	struct err e = ERR_INIT;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child)
		return child;
	close(fd[1]);
	for (int64_t start = now_ms(); !message_encode(&m, &question, &e) && now_ms() - start < ms; question.len = 0)
		if (attest_stream_send(STREAM_FD(fd[0]), 1000, question.data, question.len, &e) ||
		    attest_stream_recv(STREAM_FD(fd[0]), 1000, 1000, &reply, &e))
			break;
	_exit(0);
}

static void a_peer_that_never_stops_asking_has_its_turn_and_no_more(void **state)
{
	static const struct {
		int talk_ms, code;
		const char *part;
	} cases[] = {{200, ETIMEDOUT, "which is its turn"}, {0, EPIPE, "the peer is gone"}, {20000, EPIPE, "the peer is gone"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct attest_agent a = {.tcti = "no-such-tcti", .talk_ms = cases[i].talk_ms};
		struct err e = ERR_INIT;
		int64_t start;
		pid_t child;
		int fd[2];

		pair(fd);
		child = ask_for(fd, i ? 400 : 5000);
		close(fd[0]);
		start = now_ms();
		assert_refused(attest_agent_talk(&a, STREAM_FD(fd[1]), STREAM_FOREVER, &e), &e, cases[i].code, cases[i].part);
		assert_true(now_ms() - start < 4000);
		close(fd[1]);
		assert_int_equal(waitpid(child, NULL, 0), child);
		attest_agent_close(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_pass_whole_and_in_order),
		cmocka_unit_test(broken_streams_are_refused_within_their_deadline),
		cmocka_unit_test(a_peer_that_never_stops_asking_has_its_turn_and_no_more),
		cmocka_unit_test(a_peer_that_does_not_read_cannot_hold_a_sender),
		cmocka_unit_test(sockets_are_private_and_only_a_stale_socket_is_replaced),
		cmocka_unit_test(every_bad_request_gets_an_error_answer),
		cmocka_unit_test(an_agent_answers_message_after_message_until_the_peer_breaks_the_protocol),
		cmocka_unit_test(a_port_is_found_by_its_name_alone),
		cmocka_unit_test(a_client_believes_no_bad_answer),
		cmocka_unit_test(a_client_gets_the_evidence_of_a_good_answer),
		cmocka_unit_test(enrolment_needs_a_reason_to_believe_and_a_well_formed_ek),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("attest/agent", tests, NULL, NULL);
}
