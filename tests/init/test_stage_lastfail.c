/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_stage_lastfail.c - the last failure is stored, found, told and cleared; and nothing of it can fail a boot */
#include "tests/init/fake_sys.h"

#include "init/lastfail.h"
#include "init/log.h"
#include "init/pid1.h"

#include <sys/reboot.h>

#define VARIABLE "/sys/firmware/efi/efivars/" LASTFAIL_VARIABLE
#define BACKEND  "/sys/module/pstore/parameters/backend"
#define ALWAYS   "/sys/module/printk/parameters/always_kmsg_dump"
#define DUMP     "/sys/fs/pstore/dmesg-efi_pstore-17654321001001"
#define PANIC    "Panic#1 Part1\n<6>[ 1.0] holdfast: mount-root: x\n<0>[ 1.0] Kernel panic - not syncing: dm-verity device corrupted\n"
#define LOG_OF_SLOT  "<6>[ 1.0] holdfast: command-line: root hash 1111111111111111111111111111111111111111111111111111111111111111, profile enforce\n"
#define ENGINE_ENDED "<1>[ 9.0] holdfast: E42 the engine ended too often: it ended 6 times in a row\n"

static struct pid1 p;

static int prepare(void)
{
	fake_reset();
	memset(&p, 0, sizeof(p));
	fake_file("/dev/console", "");
	fake_file("/dev/kmsg", "");
	fake_file("/proc/sys/kernel/printk_devkmsg", "");
	fake_file("/proc/sys/kernel/printk", "");
	fake_file(BACKEND, "efi_pstore\n");
	fake_file(ALWAYS, "N\n");
	fake_file("/usr/lib/modules/efivarfs.ko", "");
	p.boot.module[0] = (struct pid1_module){ .path = "efivarfs.ko", .params = "", .late = true };
	p.boot.n_modules = 1;
	p.stage = "test";
	memset(p.cmdline.root_hash, 0x11, sizeof(p.cmdline.root_hash));
	return 0;
}

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return prepare() || pid1_log_open(&e);
}

static const char *console(void)
{
	return fake_text("/dev/console");
}

/* What is stored now. */
static struct pid1_lastfail stored(void)
{
	struct fake_file *v = fake_find(VARIABLE);
	struct pid1_lastfail f;
	struct err e = ERR_INIT;

	assert_non_null(v);
	assert_ok(pid1_lastfail_parse(v->data, v->len, &f, &e), &e);
	return f;
}

static void store(const struct pid1_lastfail *f)
{
	struct fake_file *v = fake_file(VARIABLE, "");

	pid1_lastfail_encode(f, (uint8_t *)v->data);
	v->len = LASTFAIL_FILE_BYTES;
}

static void look(void)
{
	struct err e = ERR_INIT;

	assert_ok(pid1_stage_last_failure(&p, &e), &e);
}

static void a_boot_after_a_good_one_only_asks_the_kernel_to_keep_its_log(void **state)
{
	(void)state;
	look();
	assert_string_equal(fake_text(ALWAYS), "Y");
	assert_null(strstr(fake.trace, "module "));
	assert_null(strstr(fake.trace, "efivars"));
	assert_null(strstr(console(), "ended with"));
}

static void without_a_pstore_that_is_said(void **state)
{
	(void)state;
	fake_file(BACKEND, "(null)\n");
	look();
	assert_non_null(strstr(console(), "holdfast: test: no pstore"));
	assert_string_equal(fake_text(ALWAYS), "N\n");
	assert_null(strstr(fake.trace, "mount"));
}

static void a_panic_of_the_boot_before_is_found_stored_and_forgotten(void **state)
{
	struct pid1_lastfail f;

	(void)state;
	fake_file(DUMP, PANIC);
	fake_file("/sys/fs/pstore/console-ramoops-0", "others'");
	look();
	f = stored();
	assert_int_equal(f.code, CODE_CORRUPTION);
	assert_int_equal(f.source, LASTFAIL_KERNEL);
	assert_int_equal(f.in_a_row, 1);
	assert_string_equal(f.stage, "mount-root");
	assert_string_equal(f.version, HOLDFAST_VERSION);
	assert_non_null(strstr(console(), "the boot before this one ended with E50 a block of a verified volume is corrupted: dm-verity device corrupted"));
	assert_null(fake_find(DUMP));
	assert_non_null(fake_find("/sys/fs/pstore/console-ramoops-0"));
	/* the module first, then the mount; nothing stays mounted */
	assert_non_null(strstr(fake.trace, "module /usr/lib/modules/efivarfs.ko []; mount /sys/firmware/efi/efivars; "));
	assert_non_null(strstr(fake.trace, "umount /sys/firmware/efi/efivars; "));
	assert_non_null(strstr(fake.trace, "umount /sys/fs/pstore; "));
}

static void a_log_that_says_nothing_is_a_failure_still(void **state)
{
	(void)state;
	fake_file(DUMP, "Oops#1 Part1\n<4>[ 1.0] RIP: 0010:f+0x1\n");
	look();
	assert_int_equal(stored().code, CODE_KERNEL_PANIC);
	assert_string_equal(stored().text, "the kernel left its log without saying why");
}

static void a_refusal_that_was_stored_is_not_counted_again_from_its_log(void **state)
{
	(void)state;
	p.code = CODE_ROOT_VERITY;
	p.stage = "activate";
	pid1_lastfail_write(&p, "it is not the tree");
	assert_int_equal(stored().in_a_row, 1);
	assert_string_equal(stored().stage, "activate");
	assert_int_equal(stored().slot[0], 0x11);
	fake_file(DUMP, "<1>[ 1.0] holdfast: E20 some text: it is not the tree\n");
	look();
	assert_int_equal(stored().in_a_row, 1);
	assert_int_equal(stored().source, LASTFAIL_PID1);
	assert_non_null(strstr(console(), "ended with E20 "));
	pid1_lastfail_write(&p, "again"); /* a second one is */
	assert_int_equal(stored().in_a_row, 2);
}

/* As far as the host has come when it locks modules. */
static void next_host(void)
{
	p.efivars_gone = false;
	pid1_lastfail_take(&p);
}

static void the_next_good_boot_tells_it_once_and_clears_it(void **state)
{
	struct pid1_lastfail f = { .code = CODE_CORRUPTION, .source = LASTFAIL_KERNEL, .in_a_row = 3, .text = "block 7" };

	(void)state;
	memset(f.slot, 0x11, sizeof(f.slot));
	strcpy(f.stage, "engine");
	store(&f);
	next_host();
	assert_int_equal(stored().code, 0);
	assert_int_equal(stored().in_a_row, 3); /* how it goes on is not known yet */
	assert_int_equal(stored().slot[0], 0x11);
	assert_null(strstr(console(), "last-failure")); /* nor whether the host will be ready */
	pid1_lastfail_report(&p);
	assert_non_null(strstr(console(), "holdfast: last-failure: E50 a block of a verified volume is corrupted (stage engine, slot 1111111111111111, "
					  "3 in a row, said by the kernel's log): block 7\nholdfast: last-failure: told and cleared\n"));
	assert_int_equal(p.lastfail.code, CODE_CORRUPTION);
	assert_string_equal(p.live.fact[0].key, "last_failure");
	assert_string_equal(p.live.fact[0].value, "E50 block 7");
	next_host(); /* the boot after that: nothing to tell; it was a good one, so the count begins anew */
	pid1_lastfail_report(&p);
	assert_int_equal(p.lastfail.code, 0);
	assert_int_equal(stored().in_a_row, 0);
	fake.trace[0] = '\0';
	next_host(); /* and then nothing to write */
	assert_null(strstr(fake.trace, "write " VARIABLE));
	p.cmdline.root_hash[0] = 0x22; /* another slot */
	next_host();
	assert_int_equal(stored().slot[0], 0x22);
}

/* What is told is told; whether it was the last of a row is for the log of the boot that told it. */
static void a_count_goes_on_until_a_host_was_ready(void **state)
{
	struct pid1_lastfail f = { .code = CODE_CORRUPTION, .source = LASTFAIL_KERNEL, .in_a_row = 3 };

	(void)state;
	memset(f.slot, 0x11, sizeof(f.slot));
	for (int ready = 0; ready < 2; ready++) {
		store(&f);
		next_host();
		fake_file(DUMP, ready ? LOG_OF_SLOT "<6>[ 2.0] holdfast: ready\n" ENGINE_ENDED : LOG_OF_SLOT ENGINE_ENDED);
		p.efivars_gone = false; /* the next initramfs */
		look();
		assert_int_equal(stored().code, CODE_ENGINE_RESTARTS);
		assert_int_equal(stored().in_a_row, ready ? 1 : 4);
	}
	store(&f);
	next_host();
	fake_file(DUMP, ENGINE_ENDED); /* a log that has forgotten how that boot began: it ran long */
	p.efivars_gone = false;
	look();
	assert_int_equal(stored().in_a_row, 1);
	assert_int_equal(stored().slot[0], 0x11);
}

static void a_variable_that_is_not_ours_is_told_and_replaced(void **state)
{
	static const char *const bad[] = { "", "\7", "\7\0\0\0HFLF and so on" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fake_file("/dev/console", "");
		fake_file(VARIABLE, bad[i]);
		next_host();
		assert_non_null(strstr(console(), "is not ours as it stands, and is not believed: "));
		assert_int_equal(p.lastfail.code, 0);
		assert_int_equal(stored().code, 0);
	}
	fake_file("/dev/console", "");
	fake_file(VARIABLE, "")->len = 5000; /* more than is read */
	next_host();
	assert_non_null(strstr(console(), "bytes or more"));
	fake_find(VARIABLE)->len = LASTFAIL_FILE_BYTES; /* the fake does not cut a longer file off */
	assert_int_equal(stored().code, 0);
}

static void one_that_cannot_be_written_over_is_deleted_first(void **state)
{
	struct pid1_lastfail f = { .code = CODE_MODULE, .source = LASTFAIL_PID1, .in_a_row = 1 };

	(void)state;
	store(&f);
	fake_find(VARIABLE)->data[0] = 0x27; /* authenticated, say: UEFI takes no write with other attributes */
	fake.fail_errno = EINVAL;
	fake.calls = 0;
	fake.fail_nth = 7; /* mount, open, read, read, make_mutable, open, write */
	next_host();
	assert_non_null(strstr(fake.trace, "unlink " VARIABLE "; open " VARIABLE));
	assert_int_equal(stored().code, 0);
}

static void an_orderly_end_leaves_no_log(void **state)
{
	(void)state;
	look();
	pid1_lastfail_orderly();
	assert_string_equal(fake_text(ALWAYS), "N");
}

static void fail_with(const char *sentence)
{
	struct err e = ERR_INIT;

	(void)err_set(&e, EIO, "%s", sentence);
	if (setjmp(fake.end) == 0)
		pid1_fail(&p, &e);
}

/* Every call of it made to fail once: the stage goes on, the end comes, the host stays. */
static void nothing_of_it_can_fail_a_boot(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned nth = 1;; nth++) {
		struct pid1_lastfail f = { .code = CODE_MODULE, .source = LASTFAIL_PID1, .in_a_row = 1 };

		assert_int_equal(prepare(), 0);
		assert_ok(pid1_log_open(&e), &e);
		store(&f);
		fake_file(DUMP, PANIC);
		fake.calls = 0;
		fake.fail_nth = nth;
		fake.fail_errno = EIO;
		assert_ok(pid1_stage_last_failure(&p, &e), &e);
		pid1_lastfail_take(&p);
		pid1_lastfail_report(&p);
		p.efivars_gone = nth % 2; /* the end comes in the initramfs, or on the host */
		pid1_lastfail_orderly();
		p.code = CODE_HOST_MOUNT;
		fail_with("a sentence");
		assert_int_equal(fake.reboot_cmd, fake.reboots_failed ? RB_AUTOBOOT : RB_POWER_OFF);
		assert_non_null(strstr(console(), "holdfast: E31 "));
		if (fake.calls < nth) {
			assert_true(nth > 30);
			return;
		}
	}
}

/* Root on the host must not reach EFI variables; and PID 1, once sealed, could not mount. The kernel's log has its word. */
static void the_host_uses_no_variable_after_it_has_locked_modules(void **state)
{
	struct pid1_lastfail f = { .code = CODE_MODULE, .source = LASTFAIL_PID1, .in_a_row = 1 };

	(void)state;
	store(&f);
	next_host();
	assert_non_null(strstr(fake.trace, "umount /sys/firmware/efi/efivars; "));
	fake.trace[0] = '\0';
	pid1_lastfail_report(&p);
	p.boot.n_modules = 0; /* the host knows the other manifest */
	p.code = CODE_ENGINE_RESTARTS;
	fail_with("it ended 6 times in a row");
	assert_non_null(strstr(fake_text("/dev/kmsg"), "E42 "));
	assert_null(strstr(fake.trace, "efivars"));
	assert_null(strstr(fake.trace, "mount"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_boot_after_a_good_one_only_asks_the_kernel_to_keep_its_log, setup),
		cmocka_unit_test_setup(without_a_pstore_that_is_said, setup),
		cmocka_unit_test_setup(a_panic_of_the_boot_before_is_found_stored_and_forgotten, setup),
		cmocka_unit_test_setup(a_log_that_says_nothing_is_a_failure_still, setup),
		cmocka_unit_test_setup(a_refusal_that_was_stored_is_not_counted_again_from_its_log, setup),
		cmocka_unit_test_setup(the_next_good_boot_tells_it_once_and_clears_it, setup),
		cmocka_unit_test_setup(a_variable_that_is_not_ours_is_told_and_replaced, setup),
		cmocka_unit_test_setup(one_that_cannot_be_written_over_is_deleted_first, setup),
		cmocka_unit_test_setup(an_orderly_end_leaves_no_log, setup),
		cmocka_unit_test_setup(nothing_of_it_can_fail_a_boot, setup),
		cmocka_unit_test_setup(a_count_goes_on_until_a_host_was_ready, setup),
		cmocka_unit_test_setup(the_host_uses_no_variable_after_it_has_locked_modules, setup),
	};

	return cmocka_run_group_tests_name("init/stage_lastfail", tests, NULL, NULL);
}
