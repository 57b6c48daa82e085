/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_stage_root.c - TPM, disk, signature record, activation, identity, mount, change of root */
#include "tests/init/fake_sys.h"

#include "common/pcr_policy.h"
#include "common/cel.h"
#include "init/log.h"
#include "init/pid1.h"
#include "init/state.h"

static const char block[] = "add@/x\0ACTION=add\0SUBSYSTEM=block";
static const char tpm[] = "add@/y\0ACTION=add\0SUBSYSTEM=tpm";

static struct pid1 p;
static uint64_t disk_at;
static int activate_result;
static struct verity_sigrecord record;

int verity_discover_root(const struct verity_discover_params *params, struct verity_root_devices *ret, struct err *e)
{
	assert_ptr_equal(params->root_hash, p.cmdline.root_hash);
	if (fake_call("discover", ""))
		return err_set(e, fake.fail_errno, "two partitions claim to be the root");
	if (fake.now < disk_at)
		return err_set(e, ENOENT, "no root partition on any disk");
	for (size_t i = 0; i < VERITY_PARTS_; i++)
		(void)snprintf(ret->path[i], sizeof(ret->path[i]), "/dev/vda%zu", i + 1);
	return 0;
}

int verity_sigrecord_load(const char *path, struct verity_sigrecord *ret, struct err *e)
{
	if (fake_call("sigrecord", path))
		return err_set(e, fake.fail_errno, "%s is malformed", path);
	*ret = record;
	return 0;
}

int verity_activate(const struct verity_activate_params *params, struct verity_device *ret, struct err *e)
{
	assert_ptr_equal(params->root_hash, p.cmdline.root_hash);
	assert_non_null(params->signature);
	assert_int_equal(params->on_corruption, p.boot.on_corruption);
	assert_int_equal(params->hash_offset_bytes, 0);
	if (activate_result)
		return err_set(e, -activate_result, "refused");
	strcpy(ret->path, "/dev/dm-0");
	return 0;
}

bool verity_is_signature_error(int r)
{
	return r == -ENOKEY || r == -EKEYREJECTED;
}

static int prepare(void)
{
	fake_reset();
	memset(&p, 0, sizeof(p));
	memset(&record, 0, sizeof(record));
	p.stage = "test";
	p.boot.tpm_required = true;
	p.boot.tpm_ms = 1000;
	p.boot.disk_ms = 2000;
	p.boot.on_corruption = VERITY_CORRUPTION_RESTART;
	p.uevents = FAKE_UEVENT_FD;
	p.log.tpm_fd = -1;
	p.log.banks = (struct tpm_banks){ .n = 1, .alg = { HASH_SHA256 } };
	memset(p.cmdline.root_hash, 0x11, 32);
	memset(p.boot.root_signer, 0x22, 32);
	memset(record.root_hash, 0x11, 32);
	memset(record.fingerprint, 0x22, 32);
	strcpy(p.root.path, "/dev/dm-0");
	disk_at = 0;
	activate_result = 0;
	p.log.fd = sys_open(CEL_PATH, O_CREAT, 0);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return prepare();
}

static void uevent(uint64_t in_ms, const char *text, size_t len)
{
	fake.uevent[fake.n_uevents++] =
		(struct fake_event){ .at = fake.now + in_ms * 1000000, .text = text, .len = len };
}

static void the_tpm_is_found_and_the_phase_measured(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_tpm(&p, &e), &e);
	assert_non_null(strstr(fake.trace, "tpm_open ; "));
	assert_true(strstr(fake.trace, "uevent_open") < strstr(fake.trace, "tpm_open")); /* subscribe, then look */
	assert_non_null(strstr(fake.trace, "write " CEL_PATH "; tpm_extend 11 x2; "));
}

/* The fake's TPM is there from the second look on. */
static void a_tpm_that_comes_late_is_waited_for(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	uevent(300, tpm, sizeof(tpm));
	fake.fail_nth = fake.calls + 2; /* uevent_open, then the first tpm_open */
	fake.fail_errno = ENOENT;
	assert_ok(pid1_stage_tpm(&p, &e), &e);
	assert_int_equal(fake.now, 1300000000);
}

static void events_that_cannot_be_heard_have_their_own_code(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_will_fail("uevent_open", "", EPERM);
	assert_refused(pid1_stage_tpm(&p, &e), &e, EPERM, "cannot listen to uevents");
	assert_int_equal(p.code, CODE_UEVENTS);
}

static void a_required_tpm_that_never_comes_is_a_failure(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.code = CODE_TPM_ABSENT;
	fake_will_fail("tpm_open", "", ENOENT);
	assert_refused(pid1_stage_tpm(&p, &e), &e, ETIMEDOUT, "subsystem tpm");
	assert_int_equal(fake.now, 2000000000);
	assert_int_equal(p.code, CODE_TPM_ABSENT);
}

static void an_optional_tpm_may_be_absent_but_not_broken(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.boot.tpm_required = false;
	fake_will_fail("tpm_open", "", ENOENT);
	assert_ok(pid1_stage_tpm(&p, &e), &e);
	assert_int_equal(p.log.tpm_fd, -1);
	fake_will_fail("tpm_open", "", EBUSY);
	assert_refused(pid1_stage_tpm(&p, &e), &e, EBUSY, "no TPM");
	fake_will_fail("tpm_banks", "", EPROTO);
	assert_refused(pid1_stage_tpm(&p, &e), &e, EPROTO, "broken");
	assert_int_equal(p.code, CODE_MEASURE);
}

static void a_disk_that_comes_late_is_waited_for(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	disk_at = fake.now + 500000000;
	uevent(100, block, sizeof(block)); /* another disk */
	uevent(200, tpm, sizeof(tpm));
	uevent(500, block, sizeof(block));
	assert_ok(pid1_stage_disk(&p, &e), &e);
	assert_int_equal(fake.now, 1500000000);
	assert_string_equal(p.root_devices.path[VERITY_PART_SIG], "/dev/vda3");
}

static void a_disk_that_never_comes_is_a_failure_that_names_what_is_missing(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	disk_at = UINT64_MAX;
	assert_refused(pid1_stage_disk(&p, &e), &e, ENOENT, "no root partition on any disk");
	assert_int_equal(fake.now, 3000000000);
}

static void two_roots_are_refused_at_once(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_will_fail("discover", "", ENOTUNIQ);
	assert_refused(pid1_stage_disk(&p, &e), &e, ENOTUNIQ, "two partitions");
	assert_int_equal(fake.now, 1000000000);
}

static void a_record_of_this_root_and_signer_goes_on(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_signature(&p, &e), &e);
}

static void a_record_of_another_root_or_signer_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	record.root_hash[31] ^= 1;
	assert_refused(pid1_stage_signature(&p, &e), &e, EBADMSG, "not for that of the command line");
	assert_int_equal(p.code, CODE_ROOT_RECORD_HASH);
	record.root_hash[31] ^= 1;
	record.fingerprint[0] ^= 0x80;
	assert_refused(pid1_stage_signature(&p, &e), &e, EBADMSG, "not the boot manifest's root.signer");
	assert_int_equal(p.code, CODE_ROOT_RECORD_SIGNER);
	fake_will_fail("sigrecord", "", EINVAL);
	assert_refused(pid1_stage_signature(&p, &e), &e, EINVAL, "malformed");
}

static void a_refused_signature_has_its_own_code(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.code = CODE_ROOT_VERITY;
	assert_ok(pid1_stage_activate(&p, &e), &e);
	activate_result = -EBADMSG;
	assert_refused(pid1_stage_activate(&p, &e), &e, EBADMSG, "refused");
	assert_int_equal(p.code, CODE_ROOT_VERITY);
	activate_result = -ENOKEY;
	assert_refused(pid1_stage_activate(&p, &e), &e, ENOKEY, "refused");
	assert_int_equal(p.code, CODE_ROOT_SIGNATURE);
}

static int run_identity(struct err *e)
{
	return pid1_stage_identity(&p, e);
}

static int run_mount(struct err *e)
{
	return pid1_stage_mount_root(&p, e);
}

static void every_call_that_fails_fails_its_stage(void **state)
{
	(void)state;
	assert_int_equal(fake_fail_each(prepare, run_identity), 2);
	assert_int_equal(fake_fail_each(prepare, run_mount), 2);
}

static int run_switch(struct err *e)
{
	return pid1_stage_switch_root(&p, e);
}

static void signed_pcr_policies_are_taken_along_and_missing_ones_hold_nothing_up(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_file("/", "");
	assert_int_equal(pid1_stage_switch_root(&p, &e), -ENOENT);
	assert_non_null(strstr(fake.trace, "exec " PID1_SELF "; "));
	assert_string_equal(fake_text(PCR_POLICY_PATH), "");
	assert_int_equal(setup(state), 0);
	fake_file("/", "");
	fake_file(PCR_POLICY_EXTRA, "{\"signed\":1}\n");
	assert_int_equal(pid1_stage_switch_root(&p, &e), -ENOENT);
	assert_string_equal(fake_text(PCR_POLICY_PATH), "{\"signed\":1}\n");
}

static void the_root_is_entered_with_the_api_file_systems_and_a_state(void **state)
{
	struct err e = ERR_INIT;
	unsigned n;

	(void)state;
	fake_file("/", "");
	fake_file("/.extra/tpm2-pcr-signature.json", "{\"sha256\":[]}");
	assert_int_equal(pid1_stage_switch_root(&p, &e), -ENOENT); /* the fake's execve() returns */
	assert_string_equal(fake_text("/run/holdfast/tpm2-pcr-signature.json"), "{\"sha256\":[]}");
	assert_non_null(strstr(fake.trace,
			       "mount /sysroot/dev; mount /sysroot/proc; mount /sysroot/sys; mount /sysroot/run; "
			       "chdir /sysroot; enter_root ; delete_tree ; open " PID1_STATE_PATH));
	assert_non_null(strstr(fake.trace, "exec " PID1_SELF "; "));
	assert_true(strstr(fake.trace, "write " CEL_PATH) < strstr(fake.trace, "mount /sysroot/dev"));
	assert_non_null(strstr(fake_text(PID1_STATE_PATH), "tpm_required = 1\n"));
	n = fake_fail_each(prepare, run_switch);
	assert_true(n >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_tpm_is_found_and_the_phase_measured, setup),
		cmocka_unit_test_setup(a_tpm_that_comes_late_is_waited_for, setup),
		cmocka_unit_test_setup(events_that_cannot_be_heard_have_their_own_code, setup),
		cmocka_unit_test_setup(a_required_tpm_that_never_comes_is_a_failure, setup),
		cmocka_unit_test_setup(an_optional_tpm_may_be_absent_but_not_broken, setup),
		cmocka_unit_test_setup(a_disk_that_comes_late_is_waited_for, setup),
		cmocka_unit_test_setup(a_disk_that_never_comes_is_a_failure_that_names_what_is_missing, setup),
		cmocka_unit_test_setup(two_roots_are_refused_at_once, setup),
		cmocka_unit_test_setup(a_record_of_this_root_and_signer_goes_on, setup),
		cmocka_unit_test_setup(a_record_of_another_root_or_signer_is_refused, setup),
		cmocka_unit_test_setup(a_refused_signature_has_its_own_code, setup),
		cmocka_unit_test_setup(every_call_that_fails_fails_its_stage, setup),
		cmocka_unit_test_setup(the_root_is_entered_with_the_api_file_systems_and_a_state, setup),
		cmocka_unit_test_setup(signed_pcr_policies_are_taken_along_and_missing_ones_hold_nothing_up, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
