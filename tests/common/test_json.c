/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/test_json.c - strict JSON refuses what json-c lets through */
#include "tests/common/check.h"

#include "common/json.h"

static void well_formed_documents_are_read(void **state)
{
	static const char *const good[] = {
		"{}", "[]", " { \"a\" : [ 1 , -2 , 0 , true , false , null , \"x\" ] } \n",
		"{\"a\":{\"b\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}", "[\"\\u0041\\n\\\\\\\"\", \"\xc3\xa9\"]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cleanup_json json_object *o = NULL;
		struct err e = ERR_INIT;

		assert_ok(json_parse(good[i], strlen(good[i]), "good", &o, &e), &e);
	}
}

static void malformed_documents_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *text;
		const char *part;
	} bad[] = {
		{ "", "ends at byte 0" },
		{ "{", "ends at byte 1" },
		{ "{}x", "offset 2, wanted the end" },
		{ "{} {}", "offset 3, wanted the end" },
		{ "{\"a\":1,\"a\":2}", "key \"a\" at offset 8 stands twice" },
		{ "{\"x\":{\"a\":1,\"b\":2,\"a\":3}}", "stands twice" },
		{ "{\"a\":1,}", "wanted a key" },
		{ "[1,]", "well-formed value" },
		{ "{'a':1}", "wanted a key" },
		{ "{\"\\u0061\":1}", "without escapes" },
		{ "[01]", "well-formed value" },
		{ "[1.5]", "well-formed value" },
		{ "[1e3]", "well-formed value" },
		{ "[-]", "well-formed value" },
		{ "[nul]", "well-formed value" },
		{ "[NaN]", "well-formed value" },
		{ "/* c */ {}", "well-formed value" },
		{ "[\"\xc0\x80\"]", "well-formed value" },
		{ "[\"\xed\xa0\x80\"]", "well-formed value" },
		{ "[\"\\u0000\"]", "well-formed value" },
		{ "[\"\x01\"]", "well-formed value" },
		{ "[\"a]", "well-formed value" },
		{ "[1 2]", "',' or the closing bracket" },
		{ "{\"a\" 1}", "wanted ':'" },
		{ "[}", "well-formed value" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]", "nested deeper than 24" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_json json_object *o = NULL;
		struct err e = ERR_INIT;

		assert_refused(json_parse(bad[i].text, strlen(bad[i].text), "bad", &o, &e), &e, EINVAL, bad[i].part);
		assert_null(o);
	}
}

static void a_nul_byte_inside_is_refused(void **state)
{
	static const char text[] = "{\"a\":\0 1}";
	cleanup_json json_object *o = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(json_parse(text, sizeof(text) - 1, "bad", &o, &e), &e, EINVAL, "offset 5");
}

static void getters_hold_members_to_type_and_range(void **state)
{
	static const char text[] = "{\"s\":\"abc\",\"n\":7,\"neg\":-1,\"big\":99999999999999999999,\"h\":\"00ff\",\"H\":\"00FF\","
				   "\"x-note\":1}";
	static const char *const keys[] = { "s", "n", "neg", "big", "h", "H", NULL };
	static const char *const fewer[] = { "s", NULL };
	cleanup_json json_object *o = NULL;
	struct err e = ERR_INIT;
	const char *s;
	uint64_t n;
	uint8_t h[2];

	(void)state;
	assert_ok(json_parse(text, sizeof(text) - 1, "doc", &o, &e), &e);
	assert_ok(json_check_keys(o, "doc", keys, &e), &e);
	assert_refused(json_check_keys(o, "doc", fewer, &e), &e, EINVAL, "doc: unknown field \"n\"");
	assert_ok(json_get_str(o, "doc", "s", 3, &s, &e), &e);
	assert_string_equal(s, "abc");
	assert_refused(json_get_str(o, "doc", "s", 2, &s, &e), &e, EINVAL, "longer than 2");
	assert_refused(json_get_str(o, "doc", "n", 2, &s, &e), &e, EINVAL, "type int, wanted string");
	assert_refused(json_get_str(o, "doc", "none", 2, &s, &e), &e, EINVAL, "\"none\" is missing");
	assert_ok(json_get_u64(o, "doc", "n", 7, &n, &e), &e);
	assert_int_equal(n, 7);
	assert_refused(json_get_u64(o, "doc", "n", 6, &n, &e), &e, EINVAL, "wanted 0 to 6");
	assert_refused(json_get_u64(o, "doc", "neg", 6, &n, &e), &e, EINVAL, "is -1");
	assert_refused(json_get_u64(o, "doc", "big", UINT64_MAX, &n, &e), &e, EINVAL, "field \"big\"");
	assert_ok(json_get_hex(o, "doc", "h", h, 2, &e), &e);
	assert_int_equal(h[1], 0xff);
	assert_refused(json_get_hex(o, "doc", "H", h, 2, &e), &e, EINVAL, "lower-case hex");
	assert_refused(json_get_hex(o, "doc", "s", h, 2, &e), &e, EINVAL, "4 lower-case hex");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_documents_are_read),
		cmocka_unit_test(malformed_documents_are_refused_with_their_place),
		cmocka_unit_test(a_nul_byte_inside_is_refused),
		cmocka_unit_test(getters_hold_members_to_type_and_range),
	};

	return cmocka_run_group_tests_name("common/json", tests, NULL, NULL);
}
