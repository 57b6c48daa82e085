/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_stage_state.c - what PID 1 makes of holdfast-state's answer: measure, then mount; or refuse with its code (test_sealed.c has the volume) */
#include "tests/init/fake_sys.h"

#include "common/cel.h"
#include "init/log.h"
#include "init/pid1.h"
#include "init/sealed.h"

#define UUID "31d11df4-f785-4691-8cef-9731c35abc47"

static struct pid1 p;
static struct pid1_sealed_answer answer;

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
	p.stage = "state";
	p.code = CODE_STATE;
	p.boot.tpm_required = true;
	p.host.state.arg[0] = "/usr/lib/holdfast/holdfast-state";
	p.host.state.arg[1] = "plain";
	p.host.state.arg[2] = "print";
	strcpy(answer.uuid, UUID);
	strcpy(answer.found, "opened: it was closed in order");
	fake.asked = &answer;
	fake.asked_bytes = sizeof(answer);
	return pid1_log_open(&e) || pid1_measure_open(&p.log, FAKE_TPM_FD, &e);
}

static int setup(void **state)
{
	(void)state;
	return prepare();
}

static void a_volume_is_measured_and_then_mounted(void **state)
{
	const char *log, *mount, *asked;
	struct err e = ERR_INIT;

	(void)state;
	fake.trace[0] = '\0';
	assert_ok(pid1_stage_state(&p, &e), &e);
	asked = strstr(fake.trace, "ask /usr/lib/holdfast/holdfast-state plain print; ");
	log = asked ? strstr(asked, "write /run/holdfast/eventlog.cel") : NULL;
	mount = log ? strstr(log, "mount /var/lib/holdfast; ") : NULL;
	if (!mount || !strstr(log, "tpm_extend") || strstr(log, "tpm_extend") > mount)
		fail_msg("%s", fake.trace);
	assert_non_null(memmem(fake_find("/run/holdfast/eventlog.cel")->data, fake_find("/run/holdfast/eventlog.cel")->len, "state-volume:" UUID, 49));
	assert_non_null(strstr(fake_text("/dev/console"), "state: volume " UUID " opened: it was closed in order\n"));
}

static void each_refusal_keeps_its_code_and_measures_and_mounts_nothing(void **state)
{
	static const uint32_t codes[] = { CODE_STATE, CODE_STATE_FOREIGN, CODE_STATE_SEALED, CODE_STATE_SWAPPED };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(codes); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(prepare(), 0);
		p.cmdline.profile = i % 2 ? CMDLINE_AUDIT : CMDLINE_ENFORCE;
		answer.code = codes[i / 2];
		(void)err_set(&answer.e, EPERM, "the reason");
		assert_refused(pid1_stage_state(&p, &e), &e, EPERM, "the reason");
		assert_int_equal(p.code, codes[i / 2]);
		assert_null(strstr(fake.trace, "tpm_extend"));
		assert_null(strstr(fake.trace, "mount"));
	}
}

static void an_answer_that_is_cut_or_names_no_volume_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake.asked_bytes = sizeof(answer) - 1;
	assert_refused(pid1_stage_state(&p, &e), &e, EPROTO, "answered");
	assert_int_equal(prepare(), 0);
	fake.asked_bytes = -ECHILD;
	assert_refused(pid1_stage_state(&p, &e), &e, ECHILD, "holdfast-state");
	assert_int_equal(prepare(), 0);
	strcpy(answer.uuid, "31D11DF4-f785-4691-8cef-9731c35abc47");
	assert_refused(pid1_stage_state(&p, &e), &e, EPROTO, "UUID is none");
	assert_null(strstr(fake.trace, "mount"));
}

static void without_a_wish_or_a_tpm_there_is_no_state(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.host.state.arg[0] = NULL;
	assert_ok(pid1_stage_state(&p, &e), &e);
	assert_null(strstr(fake.trace, "ask "));
	assert_int_equal(prepare(), 0);
	p.log.tpm_fd = -1;
	assert_ok(pid1_stage_state(&p, &e), &e);
	assert_null(strstr(fake.trace, "ask "));
	assert_non_null(strstr(fake_text("/dev/console"), "state: none, there is no TPM"));
}

static void every_call_that_fails_fails_the_stage(void **state)
{
	struct err e = ERR_INIT;
	unsigned n = 0;

	(void)state;
	for (;;) {
		int r;

		assert_int_equal(prepare(), 0);
		fake.calls = 0;
		fake.fail_nth = ++n;
		fake.fail_errno = EIO;
		r = pid1_stage_state(&p, &e);
		if (fake.calls < n)
			break;
		if (r == 0)
			fail_msg("call %u failed and the stage went on: %s", n, fake.trace);
	}
	assert_true(n > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_volume_is_measured_and_then_mounted, setup),
		cmocka_unit_test_setup(each_refusal_keeps_its_code_and_measures_and_mounts_nothing, setup),
		cmocka_unit_test_setup(an_answer_that_is_cut_or_names_no_volume_is_refused, setup),
		cmocka_unit_test_setup(without_a_wish_or_a_tpm_there_is_no_state, setup),
		cmocka_unit_test_setup(every_call_that_fails_fails_the_stage, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
