/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_times.c - when the boot began, and what is carried across the change of root */
#include "tests/init/fake_sys.h"

#include "init/log.h"
#include "init/state.h"

struct records {
	const char *const *text;
	size_t i;
};

static size_t next(void *arg, char *buf, size_t room)
{
	struct records *r = arg;

	if (!r->text[r->i])
		return 0;
	return (size_t)snprintf(buf, room, "%s", r->text[r->i++]);
}

static uint64_t before(const char *const text[])
{
	struct records r = { text, 0 };

	return pid1_times_before_ns(next, &r);
}

/* Records as `cat /dev/kmsg` shows them. */
static void the_boot_begins_when_the_kernel_runs_init(void **state)
{
	static const char *const good[] = {
		"6,1,100,-;Linux version", "6,412,1500250,-;Run /init as init process\n SUBSYSTEM=x",
		"7,413,1500300,-;  with arguments:", "14,414,1520251,-;holdfast: console: x", NULL
	};

	(void)state;
	assert_int_equal(before(good), 20001000);
}

static void without_both_records_there_is_no_answer(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const no_run[] = { "14,414,1520251,-;holdfast: console: x", NULL };
	static const char *const no_ours[] = { "6,412,1500250,-;Run /init as init process", NULL };
	static const char *const order[] = { "14,1,5,-;holdfast: x", "6,2,6,-;Run /init as init process", NULL };
	static const char *const broken[] = { "",  "x", ",,", "6,412;Run /init as init process", "6,4,z;holdfast: x",
					      NULL };

	(void)state;
	assert_true(before(none) == UINT64_MAX);
	assert_true(before(no_run) == UINT64_MAX);
	assert_true(before(no_ours) == UINT64_MAX);
	assert_true(before(order) == UINT64_MAX);
	assert_true(before(broken) == UINT64_MAX);
}

static void the_report_adds_up(void **state)
{
	struct pid1_times t = { .main_ns = 50000000, .n = 2, .mark = { { "api", 53000000 }, { "engine", 60001000 } } };
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	fake_file("/dev/console", "");
	fake_file("/dev/kmsg", "");
	fake_file("/proc/sys/kernel/printk_devkmsg", "");
	fake_file("/proc/sys/kernel/printk", "");
	assert_ok(pid1_log_open(&e), &e);
	pid1_times_report(&t);
	assert_string_equal(
		fake_text("/dev/console"),
		"holdfast: boot: the kernel's log has no \"Run /init as init process\": times begin with main()\n"
		"holdfast: boot: api 3.000 ms\nholdfast: boot: engine 7.001 ms\n"
		"holdfast: boot: total 10.001 ms (10001000 ns; under -icount shift=0 one ns is one instruction)\n");
}

static void the_state_says_what_it_was_told(void **state)
{
	struct pid1_state s = { .tpm_required = false, .times = { .main_ns = 1, .kmsg_ns = 2 } }, back;
	char text[PID1_MAX_STATE_BYTES];
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	for (size_t i = 0; i < PID1_MAX_MARKS; i++) {
		(void)snprintf(s.times.mark[i].name, sizeof(s.times.mark[i].name), "stage-%zu", i);
		s.times.mark[i].ns = UINT64_C(1) << i;
	}
	s.times.n = PID1_MAX_MARKS;
	len = pid1_state_format(&s, text, sizeof(text));
	assert_true(len > 0);
	assert_ok(pid1_state_parse(text, len, &back, &e), &e);
	assert_false(back.tpm_required);
	assert_int_equal(back.times.kmsg_ns, 2);
	assert_int_equal(back.times.n, PID1_MAX_MARKS);
	assert_string_equal(back.times.mark[39].name, "stage-39");
	assert_int_equal(back.times.mark[39].ns, UINT64_C(1) << 39);
	assert_int_equal(pid1_state_format(&s, text, 100), 0);
}

static void a_state_that_is_not_ours_is_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "\"tpm_required\" is missing" },
		{ "tpm_required = 2\n", "whole number from 0 to 1" },
		{ "tpm_required = 1\nshell = 1\n", "unknown setting" },
		{ "tpm_required = 1\nmark.a = 1\nmark.a = 2\n", "was already set" },
		{ "tpm_required = 1\nmark.a-name-that-is-far-too-long = 1\n", "too long" },
		{ "tpm_required = 1\nmain_ns = -1\n", "whole number" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pid1_state s;
		struct err e = ERR_INIT;
		char text[200];

		strcpy(text, cases[i].text);
		assert_refused(pid1_state_parse(text, strlen(text), &s, &e), &e, EINVAL, cases[i].part);
	}
}

static void the_state_is_deleted_when_it_was_read(void **state)
{
	struct pid1_state s = { .tpm_required = true }, back;
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	assert_refused(pid1_state_load(&back, &e), &e, ENOENT, PID1_STATE_PATH);
	assert_ok(pid1_state_save(&s, &e), &e);
	assert_refused(pid1_state_save(&s, &e), &e, EEXIST, PID1_STATE_PATH);
	assert_ok(pid1_state_load(&back, &e), &e);
	assert_true(back.tpm_required);
	assert_non_null(strstr(fake.trace, "unlink " PID1_STATE_PATH));
	assert_ok(pid1_state_save(&s, &e), &e);
	fake_will_fail("unlink", "", EROFS);
	assert_refused(pid1_state_load(&back, &e), &e, EROFS, "cannot delete");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_boot_begins_when_the_kernel_runs_init),
		cmocka_unit_test(without_both_records_there_is_no_answer),
		cmocka_unit_test(the_report_adds_up),
		cmocka_unit_test(the_state_says_what_it_was_told),
		cmocka_unit_test(a_state_that_is_not_ours_is_refused),
		cmocka_unit_test(the_state_is_deleted_when_it_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
