/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/test_btf.c - the kernel's types: offsets as a compiler has them, malformed files refused
 *
 * good-gcc.btf was made by another implementation, of the structures below (the names are in the file):
 * *   gcc -gbtf -O0 -c -o x.o -x c - <x.c; objcopy -O binary --only-section=.BTF --set-section-flags .BTF=alloc x.o good-gcc.btf
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "init/btf.h"

#include <stddef.h>
#include <stdio.h>

#define ROOM 64

struct inner {
	int a;
	long b;
};

struct good {
	char first;
	union {
		struct {
			short x, y;
		};
		long both;
	};
	struct inner named;
	unsigned low : 3, high : 5;
	void *last;
};

static uint32_t at[ROOM];

static int load(const char *name, struct buf *bytes, struct pid1_btf *ret, struct err *e)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "tests/data/btf/%s.btf", name);
	assert_ok(file_read(path, 65536, bytes, e), e);
	*ret = (struct pid1_btf){ .name = name, .at = at, .room = ROOM };
	return pid1_btf_parse(ret, bytes->data, bytes->len, e);
}

static void offsets_are_those_of_the_compiler(void **state)
{
	static const struct {
		const char *type, *member;
		size_t offset;
	} cases[] = {
		{ "good", "first", offsetof(struct good, first) }, { "good", "x", offsetof(struct good, x) },
		{ "good", "y", offsetof(struct good, y) },         { "good", "both", offsetof(struct good, both) },
		{ "good", "named", offsetof(struct good, named) }, { "good", "last", offsetof(struct good, last) },
		{ "inner", "b", offsetof(struct inner, b) },
	};
	cleanup_buf struct buf bytes = BUF_INIT;
	struct err e = ERR_INIT;
	struct pid1_btf b;

	(void)state;
	assert_ok(load("good-gcc", &bytes, &b, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t off = 0;

		assert_ok(pid1_btf_offset(&b, cases[i].type, cases[i].member, &off, &e), &e);
		assert_int_equal(off, cases[i].offset);
	}
}

static void what_is_not_there_is_said(void **state)
{
	cleanup_buf struct buf bytes = BUF_INIT;
	struct err e = ERR_INIT;
	struct pid1_btf b;
	uint32_t off = 77;

	(void)state;
	assert_ok(load("good-gcc", &bytes, &b, &e), &e);
	assert_refused(pid1_btf_offset(&b, "good", "a", &off, &e), &e, ENOENT, "has no a"); /* of a named member */
	assert_refused(pid1_btf_offset(&b, "better", "x", &off, &e), &e, ENOENT, "struct better has no x");
	assert_refused(pid1_btf_offset(&b, "good", "low", &off, &e), &e, EBADMSG, "low is a bit field");
	assert_int_equal(off, 77);
	assert_true(pid1_btf_find(&b, "answer", PID1_BTF_FUNC) > 0);
	assert_int_equal(pid1_btf_find(&b, "answer", PID1_BTF_STRUCT), 0);
	assert_int_equal(pid1_btf_find(&b, "good", PID1_BTF_FUNC), 0);
}

static void malformed_files_are_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "bad-magic", "no BTF of version 1" },
		{ "bad-header-cut", "no BTF of version 1" },
		{ "bad-types-outside", "lie outside" },
		{ "bad-cut", "lie outside" },
		{ "bad-strings-open", "not ended by NUL" },
		{ "bad-kind", "the type at offset 0 is malformed" },
		{ "bad-name", "the type at offset 0 is malformed" },
		{ "bad-vlen", "the type at offset 0 is malformed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf bytes = BUF_INIT;
		struct err e = ERR_INIT;
		struct pid1_btf b;

		assert_refused(load(cases[i][0], &bytes, &b, &e), &e, EBADMSG, cases[i][1]);
	}
}

/* A module's description goes on from the kernel's: its ids and its strings. */
static void a_modules_types_go_on_from_the_kernels(void **state)
{
	/* struct "m" { member "n" of type 1 at bit 64 }; names behind the base's strings */
	uint8_t module[] = { 0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 24, 0, 0, 0, 4, 0, 0, 0,
			     0, 0, 0, 0, 1, 0, 0, 4, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 64, 0, 0, 0,
			     'm', 0, 'n', 0 };
	cleanup_buf struct buf bytes = BUF_INIT;
	static uint32_t module_at[4];
	struct err e = ERR_INIT;
	struct pid1_btf base, b;
	uint32_t off = 0;

	(void)state;
	assert_ok(load("good-gcc", &bytes, &base, &e), &e);
	assert_true(base.strings_len < 255);
	module[24] = (uint8_t)base.strings_len;
	module[36] = (uint8_t)(base.strings_len + 2);
	b = (struct pid1_btf){ .name = "m", .base = &base, .at = module_at, .room = 4 };
	assert_ok(pid1_btf_parse(&b, module, sizeof(module), &e), &e);
	assert_int_equal(pid1_btf_find(&b, "m", PID1_BTF_STRUCT), base.n + 1);
	assert_ok(pid1_btf_offset(&b, "m", "n", &off, &e), &e);
	assert_int_equal(off, 8);
	module[36] = (uint8_t)(base.strings_len + 4);
	assert_ok(pid1_btf_parse(&b, module, sizeof(module), &e), &e);
	assert_refused(pid1_btf_offset(&b, "m", "n", &off, &e), &e, ENOENT, "has no n");
}

static void too_many_types_are_refused(void **state)
{
	cleanup_buf struct buf bytes = BUF_INIT;
	struct err e = ERR_INIT;
	struct pid1_btf b;

	(void)state;
	assert_ok(load("good-gcc", &bytes, &b, &e), &e);
	b.room = b.n - 1;
	assert_refused(pid1_btf_parse(&b, bytes.data, bytes.len, &e), &e, E2BIG, "more than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_are_those_of_the_compiler), cmocka_unit_test(what_is_not_there_is_said),
		cmocka_unit_test(malformed_files_are_refused),       cmocka_unit_test(a_modules_types_go_on_from_the_kernels),
		cmocka_unit_test(too_many_types_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
