/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_measure_log.c - the record first, then the extension, and the log goes on across the change of root */
#include "tests/init/fake_sys.h"

#include "common/cel.h"
#include "init/measure_log.h"

static void open_log(struct pid1_measure_log *m, int tpm)
{
	struct err e = ERR_INIT;

	assert_ok(pid1_measure_open(m, tpm, &e), &e);
}

static void the_record_stands_before_the_pcr_is_extended(void **state)
{
	struct measure_event ev = measure_phase(MEASURE_ENTER_INITRD);
	struct pid1_measure_log m;
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	open_log(&m, FAKE_TPM_FD);
	fake.trace[0] = '\0';
	assert_ok(pid1_measure(&m, &ev, &e), &e);
	assert_string_equal(fake.trace, "write " CEL_PATH "; tpm_extend 11 x2; ");
}

static void a_record_that_cannot_be_written_is_not_extended(void **state)
{
	struct measure_event ev = measure_phase(MEASURE_READY);
	struct pid1_measure_log m;
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	open_log(&m, FAKE_TPM_FD);
	fake_will_fail("write", CEL_PATH, ENOSPC);
	assert_refused(pid1_measure(&m, &ev, &e), &e, ENOSPC, CEL_PATH);
	assert_null(strstr(fake.trace, "tpm_extend"));
	assert_int_equal(m.recnum, 0);
}

static void a_tpm_that_refuses_is_told(void **state)
{
	struct measure_event ev = measure_separator();
	struct pid1_measure_log m;
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	fake_will_fail("tpm_extend", "13", EPROTO);
	open_log(&m, FAKE_TPM_FD);
	assert_refused(pid1_measure(&m, &ev, &e), &e, EPROTO, "PCR 13");
	fake_will_fail("tpm_banks", "", ETIMEDOUT);
	assert_refused(pid1_measure_open(&m, FAKE_TPM_FD, &e), &e, ETIMEDOUT, "broken");
}

static void the_log_goes_on_after_the_re_execution(void **state)
{
	struct measure_event a = measure_phase(MEASURE_ENTER_INITRD), b = measure_phase(MEASURE_SYSINIT);
	struct pid1_measure_log m;
	struct cel_record rec;
	struct err e = ERR_INIT;
	struct reader r;

	(void)state;
	fake_reset();
	open_log(&m, FAKE_TPM_FD);
	assert_ok(pid1_measure(&m, &a, &e), &e);
	open_log(&m, FAKE_TPM_FD);
	assert_int_equal(m.recnum, 1);
	assert_ok(pid1_measure(&m, &b, &e), &e);
	r = reader_init(fake_text(CEL_PATH), fake_find(CEL_PATH)->len);
	assert_int_equal(cel_next(&r, 0, &rec, &e), 1);
	assert_int_equal(rec.n_digests, 2);
	assert_memory_equal(rec.data, "enter-initrd", 12);
	assert_int_equal(cel_next(&r, 1, &rec, &e), 1);
	assert_memory_equal(rec.data, "sysinit", 7);
	assert_int_equal(cel_next(&r, 2, &rec, &e), 0);
}

static void a_damaged_log_is_refused(void **state)
{
	struct pid1_measure_log m;
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	fake_file(CEL_PATH, "\1\2\3");
	assert_refused(pid1_measure_open(&m, FAKE_TPM_FD, &e), &e, EINVAL, "offset 0");
}

static void a_full_log_admits_nothing_more(void **state)
{
	struct measure_event ev = measure_violation(61);
	struct pid1_measure_log m;
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	open_log(&m, FAKE_TPM_FD);
	m.bytes = PID1_MAX_EVENT_LOG_BYTES - 10;
	fake.trace[0] = '\0';
	assert_refused(pid1_measure(&m, &ev, &e), &e, ENOSPC, "event log is full");
	assert_string_equal(fake.trace, "");
}

static void without_a_tpm_records_are_kept_and_nothing_is_extended(void **state)
{
	struct measure_event ev = measure_phase(MEASURE_READY), none = measure_container("Bad", (uint8_t[32]){ 0 });
	struct pid1_measure_log m;
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	open_log(&m, -1);
	assert_ok(pid1_measure(&m, &ev, &e), &e);
	assert_int_equal(m.recnum, 1);
	assert_null(strstr(fake.trace, "tpm_"));
	assert_refused(pid1_measure(&m, &none, &e), &e, EINVAL, "does not fit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_record_stands_before_the_pcr_is_extended),
		cmocka_unit_test(a_record_that_cannot_be_written_is_not_extended),
		cmocka_unit_test(a_tpm_that_refuses_is_told),
		cmocka_unit_test(the_log_goes_on_after_the_re_execution),
		cmocka_unit_test(a_damaged_log_is_refused),
		cmocka_unit_test(a_full_log_admits_nothing_more),
		cmocka_unit_test(without_a_tpm_records_are_kept_and_nothing_is_extended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
