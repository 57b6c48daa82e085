/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_floor_mark.c - the mark and the IPE policy's version as holdfast-floor reads them; what becomes of a boot */
#include "tests/common/check.h"

#include "common/file.h"
#include "init/floor_mark.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *file(const char *name, const void *data, size_t n)
{
	struct err e = ERR_INIT;

	assert_ok(file_write(path_of(name), data, n, 0644, &e), &e);
	return path_of(name);
}

static void a_mark_that_is_written_is_read_and_never_written_over(void **state)
{
	uint8_t mark[PID1_TPM_NAME_BYTES], back[PID1_TPM_NAME_BYTES] = { 0 };
	cleanup_buf struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	bool marked = true;

	(void)state;
	memset(mark, 'm', sizeof(mark));
	assert_ok(pid1_floor_mark_read(path_of("mark"), back, &marked, &e), &e);
	assert_false(marked);
	assert_ok(pid1_floor_mark_write(path_of("mark"), mark, &e), &e);
	assert_ok(file_read(path_of("mark"), 100, &text, &e), &e);
	assert_int_equal(text.len, 38);
	assert_memory_equal(text.data, "\7\0\0\0mmmm", 8); /* non-volatile, boot services, run time */
	assert_ok(pid1_floor_mark_read(path_of("mark"), back, &marked, &e), &e);
	assert_true(marked);
	assert_memory_equal(back, mark, sizeof(mark));
	assert_refused(pid1_floor_mark_write(path_of("mark"), mark, &e), &e, EEXIST, "cannot create");
	assert_refused(pid1_floor_mark_write("/dev/null/mark", mark, &e), &e, ENOTDIR, "cannot create /dev/null/mark");
}

static void a_mark_of_another_length_or_that_cannot_be_read_is_told(void **state)
{
	static const uint8_t bytes[39] = { 7 };
	uint8_t mark[PID1_TPM_NAME_BYTES];
	bool marked;

	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n += n == 4 ? 33 : n ? 2 : 4) { /* 0, 4, 37, 39 */
		struct err e = ERR_INIT;

		assert_refused(pid1_floor_mark_read(file("odd", bytes, n), mark, &marked, &e), &e, EBADMSG, "bytes, wanted 38");
		assert_false(marked);
	}
	{
		struct err e = ERR_INIT;

		assert_refused(pid1_floor_mark_read(folder, mark, &marked, &e), &e, EISDIR, "cannot read");
	}
}

static void an_ipe_version_is_three_numbers_below_65536(void **state)
{
	static const struct {
		const char *text;
		uint64_t version;
		const char *part;
	} cases[] = {
		{ "0.1.2\n", 1 << 16 | 2, NULL },
		{ "65535.65535.65535\n", 0xffffffffffff, NULL },
		{ "70000.1.2\n", 0, "70000.1.2" },
		{ "1.2\n", 0, "three numbers" },
		{ "", 0, "three numbers" },
		{ "x", 0, "three numbers" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t version = 0;
		struct err e = ERR_INIT;
		int r = pid1_floor_ipe_version(file("version", cases[i].text, strlen(cases[i].text)), &version, &e);

		if (cases[i].part)
			assert_refused(r, &e, EINVAL, cases[i].part);
		else
			assert_ok(r, &e);
		assert_int_equal(version, cases[i].version);
	}
	{
		struct err e = ERR_INIT;
		uint64_t version;

		assert_refused(pid1_floor_ipe_version(path_of("absent"), &version, &e), &e, ENOENT, "cannot open");
	}
}

static void every_verdict_has_its_code_and_its_sentence(void **state)
{
	static const struct {
		enum pid1_floor_verdict verdict;
		bool marked;
		struct pid1_floor floor;
		enum code code;
		const char *part;
	} cases[] = {
		{ PID1_FLOOR_UNSET, true, { { 0 } }, CODE_FLOOR_LOST, "somebody else's" },
		{ PID1_FLOOR_DELETED, true, { { 0 } }, CODE_FLOOR_LOST, "the same, has no index 0x180f10b now" },
		{ PID1_FLOOR_CLEARED, true, { { 0 } }, CODE_FLOOR_LOST, "was cleared or is another one" },
		{ PID1_FLOOR_FOREIGN, false, { { 0 } }, CODE_FLOOR_LOST, "somebody else's" },
		{ PID1_FLOOR_NO_TPM, true, { { 0 } }, CODE_FLOOR_LOST, "there is no TPM now" },
		{ PID1_FLOOR_NO_TPM, false, { { 0 } }, CODE_FLOOR_UNREAD, "there is no TPM" },
		{ 77, true, { { 0 } }, CODE_FLOOR_LOST, "somebody else's" },
		{ PID1_FLOOR_READ, true, { { 5, 0, 0 } }, CODE_FLOOR, "root image version 4 is below the floor, 5" },
		{ PID1_FLOOR_READ, true, { { 4, 4, 0 } }, CODE_FLOOR, "layer policy version 3 is below the floor, 4" },
		{ PID1_FLOOR_READ, true, { { 4, 3, 1 << 16 | 3 } }, CODE_FLOOR, "IPE policy version 65538 is below the floor, 65539" },
		{ PID1_FLOOR_READ, true, { { 4, 3, 1 << 16 | 2 } }, CODE_NONE, NULL },
		{ PID1_FLOOR_NEW, false, { { 0 } }, CODE_NONE, NULL },
	};
	const struct pid1_floor running = { { 4, 3, 1 << 16 | 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct pid1_floor_found found = { .verdict = cases[i].verdict, .floor = cases[i].floor };
		struct pid1_floor_answer a = { .code = CODE_FLOOR_UNREAD };
		int r = pid1_floor_judge(&found, &running, cases[i].marked, &a);

		assert_int_equal(r != 0, cases[i].code != CODE_NONE);
		if (r)
			assert_int_equal(a.code, cases[i].code);
		assert_true(!cases[i].part || strstr(a.e.msg, cases[i].part));
	}
}

static void a_floor_in_words(void **state)
{
	char text[PID1_FLOOR_STR_BYTES];

	(void)state;
	pid1_floor_str(&(struct pid1_floor){ { 4, 3, 7ull << 32 | 1 << 16 | 2 } }, text);
	assert_string_equal(text, "root image 4, layer policy 3, IPE policy 7.1.2");
	pid1_floor_str(&(struct pid1_floor){ { UINT64_MAX, UINT64_MAX, UINT64_MAX } }, text);
	assert_true(strlen(text) < sizeof(text));
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/holdfast-mark-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "mark", "odd", "version" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlink(path_of(names[i])); /* rmdir tells */
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_that_is_written_is_read_and_never_written_over),
		cmocka_unit_test(a_mark_of_another_length_or_that_cannot_be_read_is_told),
		cmocka_unit_test(an_ipe_version_is_three_numbers_below_65536),
		cmocka_unit_test(every_verdict_has_its_code_and_its_sentence),
		cmocka_unit_test(a_floor_in_words),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
