/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/test_boot_count.c - file names of UKIs, with and without a counter */
#include "tests/common/check.h"

#include "common/boot_count.h"

static void names_are_taken_apart_as_the_loader_does_it(void **state)
{
	static const struct {
		const char *file, *base;
		bool counted;
		unsigned left, done;
	} good[] = {
		{ "demo_1.efi", "demo_1", false, 0, 0 },     { "demo_1+2.efi", "demo_1", true, 2, 0 },
		{ "demo_1+1-1.efi", "demo_1", true, 1, 1 },  { "demo_1+0-2.EFI", "demo_1", true, 0, 2 },
		{ "a+b_1+9999.efi", "a+b_1", true, 9999, 0 }, { "demo_1+.efi", "demo_1+", false, 0, 0 },
		{ "demo_1+2-.efi", "demo_1+2-", false, 0, 0 }, { "demo_1+x.efi", "demo_1+x", false, 0, 0 },
		{ "demo_1+12345.efi", "demo_1+12345", false, 0, 0 }, { "demo_1+2-1-1.efi", "demo_1+2-1-1", false, 0, 0 },
	};
	static const char *const bad[] = { "", ".efi", "+2.efi", "demo_1", "demo_1.efi.bak", "efi" };
	struct boot_count c;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(boot_count_parse(good[i].file, &c));
		assert_string_equal(c.base, good[i].base);
		assert_int_equal(c.counted, good[i].counted);
		assert_int_equal(c.left, good[i].left);
		assert_int_equal(c.done, good[i].done);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(boot_count_parse(bad[i], &c));
}

static void what_does_not_fit_is_refused(void **state)
{
	char name[BOOT_COUNT_NAME_BYTES + 8], ret[BOOT_COUNT_NAME_BYTES];
	struct boot_count c;

	(void)state;
	memset(name, 'a', sizeof(name));
	memcpy(name + sizeof(name) - 5, ".efi", 5);
	assert_false(boot_count_parse(name, &c));
	assert_false(boot_count_base(name, 1, ret));
	assert_false(boot_count_file(name, ret));
	assert_true(boot_count_base("demo", 12, ret));
	assert_string_equal(ret, "demo_12");
	assert_true(boot_count_file("demo_12", ret));
	assert_string_equal(ret, "demo_12+2.efi");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_taken_apart_as_the_loader_does_it),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
