/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_stage_boot.c - the first stages: API file systems, console, trust, IMA policy, modules */
#include "tests/init/fake_sys.h"

#include "common/file.h"
#include "init/log.h"
#include "init/pid1.h"

#define HASH        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LOCKDOWN    "/sys/kernel/security/lockdown"
#define FDT         "/sys/firmware/fdt"
#define BOOT_PARAMS "/sys/kernel/boot_params/data"
#define IMA         "/sys/kernel/security/ima/policy"

static struct pid1 p;

static int prepare(void)
{
	struct fake_file *f;

	fake_reset();
	memset(&p, 0, sizeof(p));
	p.stage = "test";
	fake_file("/dev/console", "");
	fake_file("/dev/kmsg", "");
	fake_file("/proc/sys/kernel/printk_devkmsg", "");
	fake_file("/proc/sys/kernel/printk", "");
	fake_file("/proc/cmdline", "roothash=" HASH " holdfast.profile=enforce\n");
	fake_file("/etc/holdfast/boot.conf", "root.signer = " HASH "\n");
	fake_file(LOCKDOWN, "none [integrity] confidentiality\n");
	fake_file(IMA, "");
	f = fake_file(BOOT_PARAMS, "");
	memset(f->data, 0, 4096);
	f->len = 4096;
	f->data[0x1ec] = 3;
	fake_file("/usr/lib/modules/a.ko", "");
	fake_file("/usr/lib/modules/b.ko", "");
	fake_file("/sys/module/dm_verity/parameters/require_signatures", "Y\n");
	p.cmdline.profile = CMDLINE_ENFORCE;
	p.boot.module[0] = (struct pid1_module){ .path = "a.ko", .params = "x=1" };
	p.boot.module[1] = (struct pid1_module){ .path = "b.ko", .params = "", .optional = true };
	p.boot.n_modules = 2;
	return 0;
}

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return prepare() || pid1_log_open(&e);
}

static int run_api(struct err *e)
{
	return pid1_stage_api(&p, e);
}

static int run_console(struct err *e)
{
	return pid1_stage_console(&p, e);
}

static int run_manifest(struct err *e)
{
	return pid1_stage_boot_manifest(&p, e);
}

static int run_cmdline(struct err *e)
{
	return pid1_stage_cmdline(&p, e);
}

static int run_secure_boot(struct err *e)
{
	return pid1_stage_secure_boot(&p, e);
}

static int run_ima(struct err *e)
{
	return pid1_stage_ima(&p, e);
}

static void every_call_that_fails_fails_its_stage(void **state)
{
	static const struct {
		int (*stage)(struct err *e);
		unsigned calls;
	} cases[] = { { run_api, 9 },     { run_console, 6 },     { run_manifest, 3 },
		      { run_cmdline, 3 }, { run_secure_boot, 6 }, { run_ima, 5 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned n = fake_fail_each(prepare, cases[i].stage);

		if (n < cases[i].calls)
			fail_msg("case %zu makes %u calls, at least %u were to be failed", i, n, cases[i].calls);
	}
}

static void the_api_file_systems_are_mounted_in_order(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_api(&p, &e), &e);
	assert_non_null(strstr(fake.trace,
			       "mkdir /proc; mount /proc; mkdir /sys; mount /sys; mount /sys/kernel/security; "
			       "mkdir /dev; mount /dev; mkdir /run; mount /run; "));
}

static void secure_boot_with_lockdown_goes_on(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_secure_boot(&p, &e), &e);
	fake_file(LOCKDOWN, "none integrity [confidentiality]\n");
	assert_ok(pid1_stage_secure_boot(&p, &e), &e);
}

static void without_secure_boot_enforce_refuses(void **state)
{
	static const char values[] = { 0, 1, 2, 4 };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(values); i++) {
		fake_find(BOOT_PARAMS)->data[0x1ec] = values[i];
		assert_refused(pid1_stage_secure_boot(&p, &e), &e, EPERM, "did not find Secure Boot enabled");
	}
	fake_find(BOOT_PARAMS)->len = 0x1ec;
	assert_refused(pid1_stage_secure_boot(&p, &e), &e, EPERM, "did not find Secure Boot enabled");
}

/* A machine that is told by a device tree: what its EFI stub found is @value. */
static void tell_by_device_tree(uint32_t value)
{
	struct fake_file *f = fake_file(FDT, "");
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	uint8_t *at;

	assert_ok(file_read("tests/data/fdt/good-aavmf-secure-boot-off.dtb", sizeof(f->data), &b, &e), &e);
	at = b.data + 0x78; /* the property's four bytes, big-endian */
	assert_int_equal(at[3], 2);
	at[3] = (uint8_t)value;
	memcpy(f->data, b.data, b.len);
	f->len = b.len;
	if (fake_find(BOOT_PARAMS))
		fake_find(BOOT_PARAMS)->path[0] = '\0'; /* gone */
}

static void a_device_tree_may_say_it_instead(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	tell_by_device_tree(3);
	assert_ok(pid1_stage_secure_boot(&p, &e), &e);
	for (uint32_t value = 0; value < 3; value++) {
		tell_by_device_tree(value); /* lockdown is on: the command line can have asked for it */
		assert_refused(pid1_stage_secure_boot(&p, &e), &e, EPERM, "did not find Secure Boot enabled (" FDT);
	}
	fake_find(FDT)->data[3] ^= 1;
	assert_refused(pid1_stage_secure_boot(&p, &e), &e, EBADMSG, "magic");
	fake_find(FDT)->path[0] = '\0';
	assert_refused(pid1_stage_secure_boot(&p, &e), &e, ENOENT, FDT); /* nobody says anything */
}

static int run_direct_cmdline(struct err *e)
{
	int r;

	fake_file("/proc/cmdline", "roothash=" HASH " holdfast.profile=direct\n");
	r = pid1_stage_cmdline(&p, e);
	fake_file("/proc/cmdline", "roothash=" HASH " holdfast.profile=enforce\n");
	return r;
}

static void direct_is_refused_where_there_is_uefi(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	/* The twin goes on to the certificate, which this machine has not. */
	assert_refused(run_direct_cmdline(&e), &e, ENOENT, PID1_SIGNER);
	fake_file("/sys/firmware/efi", "");
	assert_refused(run_direct_cmdline(&e), &e, EPERM, "profile direct on a machine with UEFI");
	fake_will_fail("open", "/sys/firmware/efi", EACCES);
	assert_refused(run_direct_cmdline(&e), &e, EACCES, "cannot look for /sys/firmware/efi");
}

static void direct_asks_for_no_secure_boot_and_says_so(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.cmdline.profile = CMDLINE_DIRECT;
	fake_find(BOOT_PARAMS)->data[0x1ec] = 0;
	fake_file(LOCKDOWN, "[none] integrity confidentiality\n");
	assert_ok(pid1_stage_secure_boot(&p, &e), &e);
	assert_non_null(strstr(fake_text("/dev/console"), "nothing vouches for kernel, initramfs and command line"));
	fake_file("/sys/module/dm_verity/parameters/require_signatures", "N\n");
	assert_ok(pid1_stage_boot_modules(&p, &e), &e); /* PID 1 judges in the kernel's place */
}

static void without_lockdown_enforce_refuses(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_file(LOCKDOWN, "[none] integrity confidentiality\n");
	assert_refused(pid1_stage_secure_boot(&p, &e), &e, EPERM, "wanted integrity or confidentiality");
	assert_int_equal(p.code, CODE_LOCKDOWN);
	fake_will_fail("open", LOCKDOWN, ENOENT);
	assert_refused(pid1_stage_secure_boot(&p, &e), &e, ENOENT, LOCKDOWN);
}

static void without_secure_boot_audit_goes_on_and_says_so(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.cmdline.profile = CMDLINE_AUDIT;
	fake_find(BOOT_PARAMS)->data[0x1ec] = 2;
	assert_ok(pid1_stage_secure_boot(&p, &e), &e);
	assert_non_null(strstr(fake_text("/dev/console"), "holdfast: test: not in force, profile audit goes on: "));
}

static void the_ima_policy_has_a_rule_for_device_mapper(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_ima(&p, &e), &e);
	assert_non_null(strstr(fake_text(IMA), "measure func=POLICY_CHECK\n"));
	assert_true(strstr(fake.trace, "open " IMA) &&
		    !strstr(strstr(fake.trace, "open " IMA) + 5, "open " IMA)); /* write-once */
}

static void modules_are_loaded_in_order_with_their_parameters(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_stage_boot_modules(&p, &e), &e);
	assert_non_null(strstr(
		fake.trace,
		"module /usr/lib/modules/a.ko [x=1]; open /usr/lib/modules/b.ko; module /usr/lib/modules/b.ko []; "));
}

static void a_refused_module_is_a_failure_unless_it_is_optional(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_will_fail("module", "a.ko", ENOKEY);
	assert_refused(pid1_stage_boot_modules(&p, &e), &e, ENOKEY, "a.ko: Required key not available");
	fake_will_fail("open", "/usr/lib/modules/a.ko", ENOENT);
	assert_refused(pid1_stage_boot_modules(&p, &e), &e, ENOENT, "a.ko");
	fake_will_fail("module", "b.ko", ENODEV);
	assert_ok(pid1_stage_boot_modules(&p, &e), &e);
	assert_non_null(strstr(fake_text("/dev/console"), "1 loaded, 1 optional ones not"));
	fake_will_fail("module", "a.ko", EEXIST);
	assert_ok(pid1_stage_boot_modules(&p, &e), &e);
}

static void dm_verity_without_require_signatures_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_file("/sys/module/dm_verity/parameters/require_signatures", "N\n");
	assert_refused(pid1_stage_boot_modules(&p, &e), &e, EPERM, "require_signatures=1");
	assert_int_equal(p.code, CODE_VERITY_UNGUARDED);
}

/* What writes a failure down is not loaded before there is one. */
static void late_modules_are_loaded_when_they_are_asked_for(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.boot.module[0].late = true;
	assert_ok(pid1_stage_boot_modules(&p, &e), &e);
	assert_null(strstr(fake.trace, "module /usr/lib/modules/a.ko"));
	assert_non_null(strstr(fake.trace, "module /usr/lib/modules/b.ko"));
	assert_non_null(strstr(fake_text("/dev/console"), ": 1 loaded, 0 optional ones not"));
	pid1_modules_load_late(&p);
	assert_non_null(strstr(fake.trace, "module /usr/lib/modules/a.ko [x=1]"));
	fake_will_fail("module", "a.ko", ENOKEY);
	pid1_modules_load_late(&p);
	assert_non_null(strstr(fake_text("/dev/console"), "module a.ko: Required key not available"));
}

static void host_modules_are_the_last_ones(void **state)
{
	struct err e = ERR_INIT;
	struct fake_file *f = fake_file("/proc/sys/kernel/modules_disabled", "0\n");

	(void)state;
	p.host.module[0] = p.boot.module[0];
	p.host.n_modules = 1;
	assert_ok(pid1_stage_host_modules(&p, &e), &e);
	assert_string_equal(f->data, "0\n");
	p.cmdline.profile = CMDLINE_ENFORCE;
	assert_ok(pid1_stage_lock_modules(&p, &e), &e);
	assert_string_equal(f->data, "1");
	assert_non_null(strstr(fake.trace, "unload efivarfs; open /proc/sys/kernel/modules_disabled"));
	fake_will_fail("unload", "efivarfs", EWOULDBLOCK);
	assert_refused(pid1_stage_lock_modules(&p, &e), &e, EWOULDBLOCK, "cannot unload efivarfs");
	fake_will_fail("unload", "efivarfs", ENOENT); /* no board loads it where there is no UEFI */
	assert_ok(pid1_stage_lock_modules(&p, &e), &e);
	fake_file("/proc/sys/kernel/modules_disabled", "0\n")->stubborn = true;
	assert_refused(pid1_stage_lock_modules(&p, &e), &e, EIO, "is \"0\" after writing \"1\"");
}

static void a_refusal_is_one_line_whatever_it_quotes(void **state)
{
	(void)state;
	pid1_log_refusal(CODE_MODULE, "bad\nname\x1b[0m");
	assert_string_equal(fake_text("/dev/console"), "holdfast: E13 a kernel module was refused: bad?name?[0m\n");
	assert_string_equal(fake_text("/dev/kmsg"), "<1>holdfast: E13 a kernel module was refused: bad?name?[0m");
	assert_string_equal(fake_text("/proc/sys/kernel/printk"), "1");
	assert_non_null(strstr(fake.trace, "write /dev/kmsg; drain ; "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_call_that_fails_fails_its_stage, setup),
		cmocka_unit_test_setup(the_api_file_systems_are_mounted_in_order, setup),
		cmocka_unit_test_setup(secure_boot_with_lockdown_goes_on, setup),
		cmocka_unit_test_setup(without_secure_boot_enforce_refuses, setup),
		cmocka_unit_test_setup(a_device_tree_may_say_it_instead, setup),
		cmocka_unit_test_setup(direct_is_refused_where_there_is_uefi, setup),
		cmocka_unit_test_setup(direct_asks_for_no_secure_boot_and_says_so, setup),
		cmocka_unit_test_setup(without_lockdown_enforce_refuses, setup),
		cmocka_unit_test_setup(without_secure_boot_audit_goes_on_and_says_so, setup),
		cmocka_unit_test_setup(the_ima_policy_has_a_rule_for_device_mapper, setup),
		cmocka_unit_test_setup(modules_are_loaded_in_order_with_their_parameters, setup),
		cmocka_unit_test_setup(a_refused_module_is_a_failure_unless_it_is_optional, setup),
		cmocka_unit_test_setup(dm_verity_without_require_signatures_is_refused, setup),
		cmocka_unit_test_setup(late_modules_are_loaded_when_they_are_asked_for, setup),
		cmocka_unit_test_setup(host_modules_are_the_last_ones, setup),
		cmocka_unit_test_setup(a_refusal_is_one_line_whatever_it_quotes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
