/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/test_fdt.c - the property that the EFI stub left in a device tree
 *
 * good-aavmf-secure-boot-off.dtb is /sys/firmware/fdt of Linux 6.12.117+deb13-cloud-arm64 under AAVMF 2025.02 with ACPI and
 * without keys, as its EFI stub made it. The bad ones are that with one thing changed, the others are made by hand.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "init/fdt.h"

#define DATA "tests/data/fdt/"
#define NAME "linux,uefi-secure-boot"

static int look(const char *file, uint32_t *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char path[256];

	(void)snprintf(path, sizeof(path), DATA "%s", file);
	assert_ok(file_read(path, 4096, &b, e), e);
	return pid1_fdt_chosen_u32(b.data, b.len, NAME, ret, e);
}

static void what_the_stub_found_is_read(void **state)
{
	struct err e = ERR_INIT;
	uint32_t value = 0;

	(void)state;
	assert_ok(look("good-aavmf-secure-boot-off.dtb", &value, &e), &e);
	assert_int_equal(value, 2);
	assert_ok(look("good-secure-boot-on-among-others.dtb", &value, &e), &e);
	assert_int_equal(value, 3);
}

static void the_same_name_in_another_node_is_not_it(void **state)
{
	struct err e = ERR_INIT;
	uint32_t value = 77;

	(void)state;
	assert_refused(look("absent-in-another-node.dtb", &value, &e), &e, ENOENT, "/chosen has no property " NAME);
	assert_int_equal(value, 77);
}

static void a_malformed_tree_is_refused(void **state)
{
	static const struct {
		const char *file, *why;
	} cases[] = {
		{ "bad-magic.dtb", "magic 0xd00dfeee, wanted 0xd00dfeed" },
		{ "bad-header-cut-off.dtb", "36 bytes" },
		{ "bad-version-16.dtb", "version 16, compatible with 16, wanted 17" },
		{ "bad-not-compatible.dtb", "version 17, compatible with 18, wanted 17" },
		{ "bad-structure-outside.dtb", "a block lies outside its 461 bytes" },
		{ "bad-strings-outside.dtb", "a block lies outside its 461 bytes" },
		{ "bad-cut-off.dtb", "a block lies outside its 460 bytes" },
		{ "bad-word.dtb", "a word that begins nothing" },
		{ "bad-property-length.dtb", "a property is cut off" },
		{ "bad-property-name-outside.dtb", "a property is cut off, nameless" },
		{ "bad-property-outside-nodes.dtb", "outside any node" },
		{ "bad-secure-boot-of-eight-bytes.dtb", "has not four bytes, or stands twice" },
		{ "bad-secure-boot-twice.dtb", "has not four bytes, or stands twice" },
		{ "bad-name-without-end.dtb", "a node without end of its name" },
		{ "bad-too-deep.dtb", "too deep" },
		{ "bad-end-of-no-node.dtb", "the end of a node that did not begin" },
		{ "bad-node-does-not-end.dtb", "a node does not end" },
		{ "bad-no-end.dtb", "the structure ends without its end" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		uint32_t value = 77;
		int r = look(cases[i].file, &value, &e);

		if (r != -EBADMSG || !strstr(e.msg, cases[i].why) || value != 77)
			fail_msg("%s: %d \"%s\", value %u; wanted \"%s\"", cases[i].file, r, e.msg, value, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_stub_found_is_read),
		cmocka_unit_test(the_same_name_in_another_node_is_not_it),
		cmocka_unit_test(a_malformed_tree_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
