/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_boot_verdict.c - console lines and what they mean */
#include "tests/common/check.h"

#include "image-builder/boot.h"

static void lines_have_their_code(void **state)
{
	static const struct {
		const char *line;
		enum code code;
		bool ends;
	} known[] = {
		{ "holdfast: E19 the root hash's signature was refused: x", CODE_ROOT_SIGNATURE, false },
		{ "\r\033[0mholdfast: E20 y", CODE_ROOT_VERITY, false },
		{ "BdsDxe: failed to load Boot0001 \"UEFI Misc Device\" from PciRoot(0x0): Access Denied", CODE_FIRMWARE_REFUSED, true },
		{ "BdsDxe: No bootable option or device was found.", CODE_FIRMWARE_REFUSED, true },
		{ "[    3.1] Kernel panic - not syncing: dm-verity device corrupted", CODE_CORRUPTION, false },
		{ "[    3.1] Kernel panic - not syncing: Attempted to kill init!", CODE_KERNEL_PANIC, false },
		{ "hello: holdfast: E19 in the middle is not PID 1's", CODE_NONE, false },
		{ "holdfast: Engine", CODE_NONE, false },
		{ "holdfast: last-failure: E51 some text: dm-verity device has I/O error; cleared", CODE_NONE, false },
		{ "[   15.3] reboot: Restarting system with command 'dm-verity device has I/O error'", CODE_IO_ERROR, false },
		{ "holdfast: E5 one digit", CODE_NONE, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct boot_verdict v = { 0 };

		assert_int_equal(boot_verdict_line(&v, known[i].line, NULL), known[i].ends);
		assert_int_equal(v.code, known[i].code);
		assert_false(v.ready);
	}
}

static void a_panic_does_not_hide_its_cause(void **state)
{
	struct boot_verdict v = { 0 };

	(void)state;
	assert_false(boot_verdict_line(&v, "Kernel panic - not syncing: dm-verity device corrupted", NULL));
	assert_false(boot_verdict_line(&v, "---[ end Kernel panic - not syncing: x ]---", NULL));
	assert_int_equal(v.code, CODE_CORRUPTION);
}

static void readiness_and_the_text_waited_for_are_seen(void **state)
{
	struct boot_verdict v = { 0 };

	(void)state;
	assert_false(boot_verdict_line(&v, "holdfast: ready", "exit 0"));
	assert_true(v.ready);
	assert_false(v.done);
	assert_false(boot_verdict_line(&v, "hello: holdfast: shutdown: done", NULL));
	assert_false(v.done);
	assert_false(boot_verdict_line(&v, "holdfast: shutdown: done", NULL));
	assert_true(v.done);
	assert_true(boot_verdict_line(&v, "holdfast: task 1: exit 0", "exit 0"));
	assert_true(v.until);
	assert_int_equal(v.code, CODE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_their_code),
		cmocka_unit_test(a_panic_does_not_hide_its_cause),
		cmocka_unit_test(readiness_and_the_text_waited_for_are_seen),
	};

	return cmocka_run_group_tests_name("image-builder/boot_verdict", tests, NULL, NULL);
}
