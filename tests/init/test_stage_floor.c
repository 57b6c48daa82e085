/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_stage_floor.c - what PID 1 makes of the floor that holdfast-floor reports: refuse, go on, mark, raise (test_floor.c has the TPM) */
#include "tests/init/fake_sys.h"

#include "common/cel.h"
#include "init/log.h"
#include "init/pid1.h"

#define EFIVARS "/sys/firmware/efi/efivars"
#define MARK    EFIVARS "/HoldfastFloor-9158ed57-6df6-4ddb-926e-46d7650470b9"
#define IPE     "/sys/kernel/security/ipe/policies/holdfast/version"

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
	fake_file(IPE, "0.1.2\n");
	p.stage = "floor";
	p.code = CODE_FLOOR_UNREAD;
	p.cmdline.profile = CMDLINE_ENFORCE;
	p.boot.tpm_required = true;
	p.host.version = 4;
	p.host.healthy_ms = 1000;
	policy.version = 3;
	p.policy = &policy;
	answer.found.verdict = PID1_FLOOR_READ;
	answer.found.floor = (struct pid1_floor){ { 4, 3, 1 << 16 | 2 } };
	memset(answer.found.mark, 'm', sizeof(answer.found.mark));
	fake.asked = &answer;
	fake.asked_bytes = sizeof(answer);
	return pid1_log_open(&e) || pid1_measure_open(&p.log, FAKE_TPM_FD, &e);
}

static int setup(void **state)
{
	(void)state;
	return prepare();
}

static void marked(void)
{
	struct fake_file *f = fake_file(MARK, "");

	memset(f->data, 'm', 38);
	memcpy(f->data, "\7\0\0\0", 4);
	f->len = 38;
}

static const char *console(void)
{
	return fake_text("/dev/console");
}

static void a_floor_that_is_reached_goes_on_and_a_mark_is_written_if_there_is_none(void **state)
{
	struct fake_file *f;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(fake.trace, "mount " EFIVARS "; "));
	assert_non_null(strstr(fake.trace, "ask /usr/lib/holdfast/holdfast-floor - 4 3 65538; "));
	assert_non_null(strstr(fake.trace, "umount " EFIVARS "; "));
	f = fake_find(MARK);
	assert_non_null(f);
	assert_int_equal(f->len, 38);
	assert_memory_equal(f->data, "\7\0\0\0mmmm", 8);
	assert_non_null(strstr(console(), "floor: root image 4, layer policy 3, IPE policy 0x10002"));
	assert_int_equal(pid1_floor_due_ns(&p, 5), UINT64_MAX);
	/* the next boot: the mark is given to the helper, and stays */
	fake.trace[0] = '\0';
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(fake.trace, "holdfast-floor 6d6d6d6d"));
	assert_null(strstr(fake.trace, "write " MARK));
}

static void a_new_machine_is_told_and_marked(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	answer.found.verdict = PID1_FLOOR_NEW;
	answer.found.floor = (struct pid1_floor){ { 0 } };
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(console(), "floor: made, for a TPM that had none"));
	assert_non_null(fake_find(MARK));
}

static void what_is_below_is_refused_whatever_the_board_says(void **state)
{
	static const struct {
		struct pid1_floor floor;
		const char *part;
	} cases[] = {
		{ { { 5, 0, 0 } }, "root image version 4 is below the floor, 5" },
		{ { { 4, 4, 0 } }, "layer policy version 3 is below the floor, 4" },
		{ { { 4, 3, 1 << 16 | 3 } }, "IPE policy version 65538 is below the floor, 65539" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(prepare(), 0);
		answer.found.floor = cases[i / 2].floor;
		p.boot.tpm_required = i % 2;
		p.cmdline.profile = i % 2 ? CMDLINE_ENFORCE : CMDLINE_AUDIT;
		assert_refused(pid1_stage_floor(&p, &e), &e, EPERM, cases[i / 2].part);
		assert_int_equal(p.code, CODE_FLOOR);
	}
}

static void a_floor_that_was_taken_away_is_refused_or_if_optional_measured(void **state)
{
	static const struct {
		enum pid1_floor_verdict verdict;
		const char *part;
	} cases[] = {
		{ PID1_FLOOR_DELETED, "the same, has no index 0x180f10b now" },
		{ PID1_FLOOR_CLEARED, "was cleared or is another one" },
		{ PID1_FLOOR_FOREIGN, "somebody else's" },
		{ PID1_FLOOR_UNSET, "somebody else's" },
		{ 77, "somebody else's" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(prepare(), 0);
		marked();
		answer.found.verdict = cases[i].verdict;
		assert_refused(pid1_stage_floor(&p, &e), &e, EPERM, cases[i].part);
		assert_int_equal(p.code, CODE_FLOOR_LOST);
		assert_null(strstr(fake.trace, "tpm_extend"));
		p.boot.tpm_required = false;
		assert_ok(pid1_stage_floor(&p, &e), &e);
		assert_non_null(strstr(console(), "floor: not checked, the manifest allows that: "));
		assert_non_null(strstr(console(), cases[i].part));
		assert_non_null(strstr(fake.trace, "write " CEL_PATH "; tpm_extend 15 x2; "));
		assert_int_equal(p.floor_armed.n, 0);
	}
}

static void a_tpm_that_did_not_answer_is_a_failure_of_its_own_code(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	answer.e = (struct err){ ETIMEDOUT, "the TPM did not answer within 20000 ms" };
	assert_refused(pid1_stage_floor(&p, &e), &e, ETIMEDOUT, "did not answer within 20000 ms");
	assert_int_equal(p.code, CODE_FLOOR_UNREAD);
	fake.asked_bytes = 7;
	assert_refused(pid1_stage_floor(&p, &e), &e, EPROTO, "answered 7 bytes");
	fake.asked_bytes = -ECHILD;
	assert_refused(pid1_stage_floor(&p, &e), &e, ECHILD, "holdfast-floor");
}

static void a_mark_of_another_length_and_an_odd_version_are_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_file(MARK, "short");
	assert_refused(pid1_stage_floor(&p, &e), &e, EBADMSG, "has 5 bytes, wanted 38");
	fake_file(IPE, "70000.1.2\n");
	assert_refused(pid1_stage_floor(&p, &e), &e, EINVAL, "70000.1.2");
	fake_file(IPE, "1.2\n");
	assert_refused(pid1_stage_floor(&p, &e), &e, EINVAL, "three numbers");
}

static void without_a_tpm_or_without_uefi_it_says_so(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.log.tpm_fd = -1;
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(console(), "there is no TPM"));
	assert_null(strstr(fake.trace, "ask "));
	assert_int_equal(prepare(), 0);
	p.cmdline.profile = CMDLINE_DIRECT;
	answer.found.verdict = PID1_FLOOR_NEW;
	answer.found.floor = (struct pid1_floor){ { 0 } };
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(fake.trace, "holdfast-floor - 4 3 0; "));
	assert_null(strstr(fake.trace, EFIVARS));
}

static void a_newer_host_is_raised_after_its_time(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	answer.armed.n = 12;
	assert_ok(pid1_stage_floor(&p, &e), &e);
	assert_non_null(strstr(console(), "what runs is newer"));
	assert_int_equal(p.floor_armed.n, 12);
	assert_int_equal(pid1_floor_due_ns(&p, 5), 5 + 1000000000ull);
	pid1_floor_host_is_healthy(&p); /* no TPM behind this descriptor */
	assert_non_null(strstr(console(), "floor: not raised, the next boot tries again: "));
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
	assert_true(n > 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_floor_that_is_reached_goes_on_and_a_mark_is_written_if_there_is_none, setup),
		cmocka_unit_test_setup(a_new_machine_is_told_and_marked, setup),
		cmocka_unit_test_setup(what_is_below_is_refused_whatever_the_board_says, setup),
		cmocka_unit_test_setup(a_floor_that_was_taken_away_is_refused_or_if_optional_measured, setup),
		cmocka_unit_test_setup(a_tpm_that_did_not_answer_is_a_failure_of_its_own_code, setup),
		cmocka_unit_test_setup(a_mark_of_another_length_and_an_odd_version_are_refused, setup),
		cmocka_unit_test_setup(without_a_tpm_or_without_uefi_it_says_so, setup),
		cmocka_unit_test_setup(a_newer_host_is_raised_after_its_time, setup),
		cmocka_unit_test_setup(every_call_that_fails_fails_the_stage, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
