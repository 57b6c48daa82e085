/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_stage_floor.c - what PID 1 makes of the floor that holdfast-floor reports: refuse, go on, raise (test_floor.c has the TPM) */
#include "tests/init/fake_sys.h"

#include "common/cel.h"
#include "init/log.h"
#include "init/pid1.h"

#define EFIVARS "/sys/firmware/efi/efivars"
#define ASKED   "ask /usr/lib/holdfast/holdfast-floor "

static struct pid1 p;
static struct policy policy;
static struct pid1_floor_answer answer;

static int prepare(void)
{
	struct err e = ERR_INIT;

	fake_reset();
	memset(&p, 0, sizeof(p));
	memset(&answer, 0, sizeof(answer));
	fake_file("/dev/console", "");
	fake_file("/dev/kmsg", "");
	fake_file("/proc/sys/kernel/printk_devkmsg", "");
	fake_file("/proc/sys/kernel/printk", "");
	p.stage = "floor";
	p.code = CODE_FLOOR_UNREAD;
	p.cmdline.profile = CMDLINE_ENFORCE;
	p.boot.tpm_required = true;
	p.host.version = 4;
	policy.version = 3;
	p.policy = &policy;
	strcpy(answer.floor, "root image 4");
	strcpy(answer.to, "root image 5");
	fake.asked = &answer;
	fake.asked_bytes = sizeof(answer);
	return pid1_log_open(&e) || pid1_measure_open(&p.log, FAKE_TPM_FD, &e);
}

static int setup(void **state)
{
	(void)state;
	return prepare();
}

static void refuses(enum code code, int number, const char *text)
{
	answer.code = code;
	answer.floor[0] = '\0';
	(void)err_set(&answer.e, number, "%s", text);
}

static const char *console(void)
{
	return fake_text("/dev/console");
}

static const char *status(void)
{
	static char text[6144];

	assert_true(pid1_status_format(&p, text, sizeof(text)) > 0);
	return text;
}

static void a_floor_that_is_reached_goes_on(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(fake.trace, "mount " EFIVARS "; " ASKED "uefi tpm 4 3; umount " EFIVARS "; "));
	assert_non_null(strstr(console(), "floor: root image 4\n"));
	assert_non_null(strstr(status(), "\"floor\":\"root image 4\""));
	assert_int_equal(p.floor_armed.n, 0);
	pid1_floor_host_is_healthy(&p);
	assert_null(strstr(console(), "raised"));
}

static void a_new_machine_is_told(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	answer.made = true;
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(console(), "floor: made, for a TPM that had none"));
}

static void what_is_below_is_refused_whatever_the_board_says(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct err e = ERR_INIT;

		assert_int_equal(prepare(), 0);
		refuses(CODE_FLOOR, EPERM, "root image version 4 is below the floor, 5");
		p.boot.tpm_required = i & 1;
		p.cmdline.profile = i & 2 ? CMDLINE_ENFORCE : CMDLINE_AUDIT;
		assert_refused(pid1_stage_floor(&p, &e), &e, EPERM, "version 4 is below the floor, 5");
		assert_int_equal(p.code, CODE_FLOOR);
	}
}

static void what_cannot_be_checked_is_refused_or_if_optional_told_shown_and_measured(void **state)
{
	static const struct {
		enum code code;
		const char *text, *fact;
	} cases[] = {
		{ CODE_FLOOR_LOST, "its TPM was cleared or is another one", "unchecked, E54" },
		{ CODE_FLOOR_UNREAD, "the TPM did not answer within 20000 ms", "unchecked, E55" },
		{ CODE_NONE, "", "unchecked, E55" }, /* neither a floor nor a failure */
	};

	(void)state;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(prepare(), 0);
		refuses(cases[i / 3].code, EPERM, cases[i / 3].text);
		if (i % 3 == 0) {
			assert_refused(pid1_stage_floor(&p, &e), &e, EPERM, cases[i / 3].text);
			assert_int_equal(p.code, cases[i / 3].code ? cases[i / 3].code : CODE_FLOOR_UNREAD);
			assert_null(strstr(fake.trace, "tpm_extend"));
			continue;
		}
		if (i % 3 == 1)
			p.boot.tpm_required = false;
		else
			p.cmdline.profile = CMDLINE_AUDIT;
		assert_ok(pid1_stage_floor(&p, &e), &e);
		assert_non_null(strstr(console(), cases[i / 3].fact));
		assert_non_null(strstr(console(), cases[i / 3].text));
		assert_non_null(strstr(console(), i % 3 == 1 ? "; the manifest allows that" : "; profile audit goes on"));
		assert_non_null(strstr(status(), cases[i / 3].fact));
		assert_non_null(strstr(fake.trace, "write " CEL_PATH "; tpm_extend 15 x2; "));
		assert_int_equal(p.floor_armed.n, 0);
	}
}

static void a_helper_that_fails_is_a_floor_that_was_not_read(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake.asked_bytes = 7;
	assert_refused(pid1_stage_floor(&p, &e), &e, EPROTO, "answered 7 bytes");
	fake.asked_bytes = -ECHILD;
	assert_refused(pid1_stage_floor(&p, &e), &e, ECHILD, "holdfast-floor (step)");
	fake.asked_bytes = -ETIMEDOUT;
	assert_refused(pid1_stage_floor(&p, &e), &e, ETIMEDOUT, "holdfast-floor");
	assert_int_equal(p.code, CODE_FLOOR_UNREAD);
	assert_null(strstr(fake.trace, "tpm_extend"));
}

static void without_a_tpm_or_without_uefi_the_helper_is_told(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.log.tpm_fd = -1;
	p.boot.tpm_required = false;
	refuses(CODE_FLOOR_UNREAD, ENODEV, "there is no TPM");
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(fake.trace, ASKED "uefi none 4 3; "));
	assert_non_null(strstr(console(), "unchecked, E55: there is no TPM; the manifest allows that"));
	assert_null(strstr(fake.trace, "tpm_extend"));
	assert_int_equal(prepare(), 0);
	p.cmdline.profile = CMDLINE_DIRECT;
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(fake.trace, ASKED "direct tpm 4 3; "));
	assert_null(strstr(fake.trace, EFIVARS));
}

static void a_newer_host_is_raised_once_after_its_time(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(prepare(), 0);
		answer.armed.n = 12;
		assert_ok(pid1_stage_floor(&p, &e), &e);
		assert_non_null(strstr(console(), "root image 4; what runs is newer"));
		assert_int_equal(p.floor_armed.n, 12);
		if (i == 1)
			fake_will_fail("tpm_io", "", EIO);
		fake.tpm_code = i == 2 ? 0x9a2 : 0;
		pid1_floor_host_is_healthy(&p);
		assert_int_equal(p.floor_armed.n, 0);
		assert_non_null(strstr(console(), i ? "floor: not raised, the next boot tries again: " : "floor: raised to what runs: root image 5"));
		assert_non_null(strstr(status(), i ? "\"floor\":\"root image 4\"" : "\"floor\":\"root image 5\""));
	}
}

static int run(struct err *e)
{
	return pid1_stage_floor(&p, e);
}

static void every_call_that_fails_fails_the_stage(void **state)
{
	struct err e = ERR_INIT;
	unsigned n = 0;

	(void)state;
	/* the one exception: to unmount what nobody has open */
	for (;;) {
		int r;

		assert_int_equal(prepare(), 0);
		fake.calls = 0;
		fake.fail_nth = ++n;
		fake.fail_errno = EIO;
		r = run(&e);
		if (fake.calls < n)
			break;
		if (r == 0 && !(fake.calls == n && strstr(fake.trace, "umount")))
			fail_msg("call %u failed and the stage went on: %s", n, fake.trace);
	}
	assert_true(n > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_floor_that_is_reached_goes_on, setup),
		cmocka_unit_test_setup(a_new_machine_is_told, setup),
		cmocka_unit_test_setup(what_is_below_is_refused_whatever_the_board_says, setup),
		cmocka_unit_test_setup(what_cannot_be_checked_is_refused_or_if_optional_told_shown_and_measured, setup),
		cmocka_unit_test_setup(a_helper_that_fails_is_a_floor_that_was_not_read, setup),
		cmocka_unit_test_setup(without_a_tpm_or_without_uefi_the_helper_is_told, setup),
		cmocka_unit_test_setup(a_newer_host_is_raised_once_after_its_time, setup),
		cmocka_unit_test_setup(every_call_that_fails_fails_the_stage, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
