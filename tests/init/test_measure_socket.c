/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_measure_socket.c - what the gate may ask PID 1 to measure, and what is refused */
#include "tests/init/fake_sys.h"

#include "common/cel.h"
#include "init/measure_socket.h"

#define HEX_AB "abababababababababababababababababababababababababababababababab"
#define HEX_CD "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"

static struct policy_image image = { .name = (char *)"hello" };
static struct bpf_code_slot slot;
static const struct pid1_jit jit = { .slot = &slot, .image = { &image }, .n = 1 };
static struct policy policy = { .image = &image, .n_images = 1 };
static struct pid1_measure_log measure_log;
static struct pid1_live live;
static struct pid1_measure_server server = { .policy = &policy, .jit = &jit, .log = &measure_log, .live = &live };

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	memset(policy.digest, 0xab, sizeof(policy.digest));
	slot.use = 0;
	return pid1_measure_open(&measure_log, FAKE_TPM_FD, &e);
}

static void good_requests_are_understood(void **state)
{
	struct pid1_request req;
	struct err e = ERR_INIT;
	char longest[200];

	(void)state;
	assert_ok(pid1_request_parse("container a.b_c-9 " HEX_AB, 18 + 64, &req, &e), &e);
	assert_string_equal(req.name, "a.b_c-9");
	assert_int_equal(req.policy[31], 0xab);
	assert_int_equal(req.violation, 0);
	assert_ok(pid1_request_parse("violation 61", 12, &req, &e), &e);
	assert_int_equal(req.violation, 61);
	assert_string_equal(req.name, "");
	assert_ok(pid1_request_parse("violation 61 web-1.2_X", 22, &req, &e), &e);
	assert_int_equal(req.violation, 61);
	assert_string_equal(req.name, "web-1.2_X");
	(void)snprintf(longest, sizeof(longest), "container %064d " HEX_AB, 1);
	assert_ok(pid1_request_parse(longest, strlen(longest), &req, &e), &e);
	assert_true(strlen(longest) <= PID1_MAX_REQUEST_BYTES);
}

static void malformed_requests_are_refused(void **state)
{
	static const char *const cases[] = {
		"",
		" ",
		"container",
		"container ",
		"container hello",
		"container hello ",
		"container hello " HEX_AB " ",
		"container hello " HEX_AB "\n",
		"container hello " HEX_AB "00",
		"container  hello " HEX_AB,
		" container hello " HEX_AB,
		"container Hello " HEX_AB,
		"container -x " HEX_AB,
		"container a/b " HEX_AB,
		"container hello AB" HEX_AB,
		"container hello abc",
		"violation",
		"violation ",
		"violation 6",
		"violation 061",
		"violation 6x",
		"violation 611",
		"violation 61 ",
		"violation 61 x y",
		"violation 61 ../x",
		"violation 61 x\033[2J",
		"violation 61  x",
		"violation 61 0123456789012345678901234567890123456789012345678901234567890123456789",
		"violation -1",
		"violation 09",
		"CONTAINER x",
		"containers hello " HEX_AB,
		"violationviolationviolation 61",
		"exec sh",
		"container 0123456789012345678901234567890123456789012345678901234567890123x " HEX_AB,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pid1_request req;
		struct err e = ERR_INIT;

		if (pid1_request_parse(cases[i], strlen(cases[i]), &req, &e) != -EINVAL ||
		    !strstr(e.msg, "malformed request"))
			fail_msg("\"%s\" was taken, or for another reason: %s", cases[i], e.msg);
	}
}

static void a_nul_byte_in_a_request_is_refused(void **state)
{
	struct pid1_request req;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(pid1_request_parse("container he\0lo " HEX_AB, 16 + 64, &req, &e), &e, EINVAL, "malformed");
	assert_refused(pid1_request_parse("violation\0 61", 13, &req, &e), &e, EINVAL, "malformed");
}

/* One client with @request, from its connection to its answer. */
static const char *ask(const char *request, uid_t uid)
{
	struct pollfd fds[1 + PID1_MAX_CLIENTS];
	struct pid1_clients c;

	pid1_clients_init(&c, FAKE_LISTEN_FD, pid1_measure_answer, &server);
	fake.client_waits = true;
	fake.peer = uid;
	fake.request = request;
	for (int turn = 0; turn < 2; turn++) {
		pid1_clients_poll(&c, fds);
		(void)!sys_poll(fds, 1 + PID1_MAX_CLIENTS, 1);
		pid1_clients_serve(&c, fds, fake.now);
	}
	return fake.answer;
}

static void a_container_of_the_measured_policy_is_measured_before_the_answer(void **state)
{
	(void)state;
	assert_string_equal(ask("container hello " HEX_AB, 0), "ok");
	assert_non_null(strstr(fake.trace, "write " CEL_PATH "; tpm_extend 13 x2; "));
	assert_int_equal(measure_log.recnum, 1);
}

/* enforce-jit: of what PCR 13 does not show nobody makes code. */
static void executable_memory_is_for_what_was_measured(void **state)
{
	(void)state;
	(void)ask("violation 61 hello", 0);
	(void)ask("container hello " HEX_CD, 0);
	(void)ask("container rogue " HEX_AB, 0);
	(void)ask("container hello " HEX_AB, 1000);
	assert_int_equal(slot.use, 0);
	fake_will_fail("tpm_extend", "13", EPROTO);
	(void)ask("container hello " HEX_AB, 0);
	assert_int_equal(slot.use, 0);
	fake_will_fail("", "", 0);
	assert_string_equal(ask("container hello " HEX_AB, 0), "ok");
	assert_int_equal(slot.use, PID1_JIT_USE(0));
}

static void a_violation_is_measured(void **state)
{
	(void)state;
	assert_string_equal(ask("violation 61", 0), "ok");
	assert_non_null(strstr(fake.trace, "tpm_extend 13 x2"));
}

static void another_policy_or_image_is_refused_and_not_measured(void **state)
{
	(void)state;
	assert_non_null(strstr(ask("container hello " HEX_CD, 0), "refused the layer policy is not the one"));
	assert_non_null(strstr(ask("container rogue " HEX_AB, 0), "refused the layer policy names no image rogue"));
	assert_non_null(strstr(ask("shell", 0), "refused malformed request"));
	assert_null(strstr(fake.trace, "tpm_extend"));
}

static void a_measurement_that_fails_is_no_ok(void **state)
{
	(void)state;
	fake_will_fail("tpm_extend", "13", EPROTO);
	assert_non_null(strstr(ask("container hello " HEX_AB, 0), "refused PCR 13"));
}

static void another_user_gets_no_answer(void **state)
{
	(void)state;
	assert_string_equal(ask("container hello " HEX_AB, 1000), "");
	assert_non_null(strstr(fake.trace, "close client"));
	assert_null(strstr(fake.trace, "tpm_extend"));
}

static void a_silent_client_is_dropped_after_a_second(void **state)
{
	struct pollfd fds[1 + PID1_MAX_CLIENTS];
	struct pid1_clients c;

	(void)state;
	pid1_clients_init(&c, FAKE_LISTEN_FD, pid1_measure_answer, &server);
	assert_true(pid1_clients_deadline_ns(&c) == UINT64_MAX);
	fake.client_waits = true;
	pid1_clients_poll(&c, fds);
	fds[0].revents = POLLIN;
	pid1_clients_serve(&c, fds, fake.now);
	assert_true(pid1_clients_deadline_ns(&c) == fake.now + PID1_CLIENT_NS);
	memset(fds, 0, sizeof(fds));
	pid1_clients_serve(&c, fds, fake.now + PID1_CLIENT_NS - 1);
	assert_null(strstr(fake.trace, "close client"));
	pid1_clients_serve(&c, fds, fake.now + PID1_CLIENT_NS);
	assert_non_null(strstr(fake.trace, "close client"));
	assert_true(pid1_clients_deadline_ns(&c) == UINT64_MAX);
}

static void while_all_places_are_taken_nobody_is_accepted(void **state)
{
	struct pollfd fds[1 + PID1_MAX_CLIENTS];
	struct pid1_clients c;

	(void)state;
	pid1_clients_init(&c, FAKE_LISTEN_FD, pid1_measure_answer, &server);
	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++)
		c.client[i].fd = FAKE_CLIENT_FD;
	pid1_clients_poll(&c, fds);
	assert_int_equal(fds[0].fd, -1);
	c.client[3].fd = -1;
	pid1_clients_poll(&c, fds);
	assert_int_equal(fds[0].fd, FAKE_LISTEN_FD);
}

static void a_connection_that_cannot_be_taken_is_left_alone_for_a_second(void **state)
{
	struct pollfd fds[PID1_CLIENT_FDS];
	struct pid1_clients c;

	(void)state;
	pid1_clients_init(&c, FAKE_LISTEN_FD, pid1_measure_answer, &server);
	fake.client_waits = true;
	fake_will_fail("accept", "", EMFILE);
	pid1_clients_poll(&c, fds);
	fds[0].revents = POLLIN;
	pid1_clients_serve(&c, fds, fake.now);
	pid1_clients_poll(&c, fds);
	assert_int_equal(fds[0].fd, -1);
	assert_true(pid1_clients_deadline_ns(&c) == fake.now + PID1_CLIENT_NS);
	pid1_clients_serve(&c, fds, fake.now + PID1_CLIENT_NS);
	pid1_clients_poll(&c, fds);
	assert_int_equal(fds[0].fd, FAKE_LISTEN_FD);
	assert_true(pid1_clients_deadline_ns(&c) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_requests_are_understood),
		cmocka_unit_test(malformed_requests_are_refused),
		cmocka_unit_test(a_nul_byte_in_a_request_is_refused),
		cmocka_unit_test_setup(a_container_of_the_measured_policy_is_measured_before_the_answer, setup),
		cmocka_unit_test_setup(executable_memory_is_for_what_was_measured, setup),
		cmocka_unit_test_setup(a_violation_is_measured, setup),
		cmocka_unit_test_setup(another_policy_or_image_is_refused_and_not_measured, setup),
		cmocka_unit_test_setup(a_measurement_that_fails_is_no_ok, setup),
		cmocka_unit_test_setup(another_user_gets_no_answer, setup),
		cmocka_unit_test_setup(a_silent_client_is_dropped_after_a_second, setup),
		cmocka_unit_test_setup(a_connection_that_cannot_be_taken_is_left_alone_for_a_second, setup),
		cmocka_unit_test_setup(while_all_places_are_taken_nobody_is_accepted, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
