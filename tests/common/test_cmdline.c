/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/test_cmdline.c - the kernel command line: two words, each exactly once, strictly */
#include "tests/common/check.h"

#include "common/cmdline.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void the_two_words_are_found_among_others(void **state)
{
	static const struct {
		const char *text;
		enum cmdline_profile profile;
	} cases[] = {
		{ "roothash=" HASH " holdfast.profile=enforce\n", CMDLINE_ENFORCE },
		{ "holdfast.profile=audit roothash=" HASH, CMDLINE_AUDIT },
		{ "roothash=" HASH " holdfast.profile=direct", CMDLINE_DIRECT },
		{ "roothash=" HASH " holdfast.profile=enforce-jit", CMDLINE_ENFORCE_JIT },
		{ "  quiet\tconsole=ttyS0  roothash=" HASH
		  " dyndbg=\"file x.c +p; roothash=0\" holdfast.profile=enforce panic=-1",
		  CMDLINE_ENFORCE },
		{ "xroothash=1 roothashes=2 roothash=" HASH " holdfast.profile=enforce", CMDLINE_ENFORCE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cmdline c = { 0 };
		struct err e = ERR_INIT;

		assert_ok(cmdline_parse(cases[i].text, strlen(cases[i].text), &c, &e), &e);
		assert_int_equal(c.profile, cases[i].profile);
		assert_int_equal(c.root_hash[1], 0x11);
		assert_int_equal(c.root_hash[31], 0xff);
	}
}

static void anything_else_is_refused_and_named(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "\"roothash=\" is missing" },
		{ "quiet", "\"roothash=\" is missing" },
		{ "roothash=" HASH, "\"holdfast.profile=\" is missing" },
		{ "holdfast.profile=enforce", "\"roothash=\" is missing" },
		{ "roothash=" HASH " roothash=" HASH " holdfast.profile=enforce", "\"roothash=\" stands there twice" },
		{ "roothash=" HASH " holdfast.profile=enforce holdfast.profile=audit",
		  "\"holdfast.profile=\" stands there twice" },
		{ "roothash= holdfast.profile=enforce", "has 0 characters" },
		{ "roothash=" HASH "0 holdfast.profile=enforce", "has 65 characters" },
		{ "roothash=00 holdfast.profile=enforce", "wanted 64 lower-case hex digits" },
		{ "roothash=A0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff holdfast.profile=enforce",
		  "wanted 64 lower-case hex digits" },
		{ "roothash=" HASH " holdfast.profile=off", "wanted enforce, enforce-jit, audit or direct" },
		{ "roothash=" HASH " holdfast.profile=\"enforce\"", "wanted enforce, enforce-jit, audit or direct" },
		{ "roothash=" HASH " holdfast.profile=enforced", "wanted enforce, enforce-jit, audit or direct" },
		{ "roothash=" HASH " holdfast.profile=unset", "wanted enforce, enforce-jit, audit or direct" },
		{ "x=\"roothash=" HASH " holdfast.profile=enforce\"", "is missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cmdline c = { 0 };
		struct err e = ERR_INIT;

		assert_refused(cmdline_parse(cases[i].text, strlen(cases[i].text), &c, &e), &e, EINVAL,
			       cases[i].part);
		assert_int_equal(c.profile, CMDLINE_UNSET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_two_words_are_found_among_others),
		cmocka_unit_test(anything_else_is_refused_and_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
