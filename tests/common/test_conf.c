/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/test_conf.c - `key = value` files: what they are, and what is refused with file and line */
#include "tests/common/check.h"

#include "common/conf.h"

static int parse(const char *text, char *copy, struct conf *c, struct err *e)
{
	strcpy(copy, text);
	return conf_parse(copy, strlen(text), "a.conf", c, e);
}

static void settings_are_read_in_order(void **state)
{
	static const char *const keys[] = { "a", "list", "engine.*", "n", NULL };
	static struct conf c;
	struct err e = ERR_INIT;
	char copy[512];
	const char *v;
	uint64_t n;
	size_t pos = 0;

	(void)state;
	assert_ok(parse("# comment\n\n a = x y = z \nlist = 1\nlist=2\r\nengine.argv = /bin/x --a=b\nn = 18\n", copy, &c, &e), &e);
	assert_ok(conf_check(&c, keys, &e), &e);
	assert_ok(conf_need(&c, "a", &v, &e), &e);
	assert_string_equal(v, "x y = z");
	assert_string_equal(conf_next(&c, "list", &pos), "1");
	assert_string_equal(conf_next(&c, "list", &pos), "2");
	assert_null(conf_next(&c, "list", &pos));
	assert_ok(conf_u64(&c, "n", 1, 18, &n, &e), &e);
	assert_int_equal(n, 18);
	assert_ok(conf_u64(&c, "absent", 5, 18, &n, &e), &e);
	assert_int_equal(n, 5);
}

static void malformed_files_are_refused_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{ "a = 1\nnonsense\n", "a.conf:2: found \"nonsense\"" },
		{ "A = 1\n", "a.conf:1: \"A\" is not a key" },
		{ " = 1\n", "is not a key" },
		{ "a b = 1\n", "\"a b\" is not a key" },
	};
	static struct conf c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;
		char copy[256];

		assert_refused(parse(bad[i].text, copy, &c, &e), &e, EINVAL, bad[i].part);
	}
}

static void wrong_uses_are_refused_by_name(void **state)
{
	static const char *const keys[] = { "a", NULL };
	static struct conf c;
	struct err e = ERR_INIT;
	char copy[256];
	const char *v;
	uint64_t n;

	(void)state;
	assert_ok(parse("a = 1\nb = 2\na = 3\ne =\nhuge = 18446744073709551616\nneg = -1\n", copy, &c, &e), &e);
	assert_refused(conf_check(&c, keys, &e), &e, EINVAL, "a.conf:2: unknown setting \"b\"");
	assert_refused(conf_get(&c, "a", NULL, &v, &e), &e, EINVAL, "a.conf:3: \"a\" was already set in line 1");
	assert_refused(conf_need(&c, "e", &v, &e), &e, EINVAL, "\"e\" is missing or empty");
	assert_refused(conf_need(&c, "zz", &v, &e), &e, EINVAL, "\"zz\" is missing or empty");
	assert_refused(conf_u64(&c, "huge", 0, UINT64_MAX, &n, &e), &e, EINVAL, "whole number");
	assert_refused(conf_u64(&c, "neg", 0, UINT64_MAX, &n, &e), &e, EINVAL, "whole number");
	assert_refused(conf_u64(&c, "e", 0, UINT64_MAX, &n, &e), &e, EINVAL, "empty");
	assert_refused(conf_u64(&c, "b", 0, 1, &n, &e), &e, EINVAL, "0 to 1");
}

static void a_nul_and_too_many_lines_are_refused(void **state)
{
	static char text[8 * CONF_MAX_LINES], nul[] = "a = 1\0b = 2\n";
	static struct conf c;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(conf_parse(nul, sizeof(nul) - 1, "a.conf", &c, &e), &e, EINVAL, "NUL byte at offset 5");
	for (int i = 0; i <= CONF_MAX_LINES; i++)
		strcat(text, "a = 1\n");
	assert_refused(conf_parse(text, strlen(text), "a.conf", &c, &e), &e, E2BIG, "more than 256");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_read_in_order),
		cmocka_unit_test(malformed_files_are_refused_with_file_and_line),
		cmocka_unit_test(wrong_uses_are_refused_by_name),
		cmocka_unit_test(a_nul_and_too_many_lines_are_refused),
	};

	return cmocka_run_group_tests_name("common/conf", tests, NULL, NULL);
}
