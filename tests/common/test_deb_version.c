/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/test_deb_version.c - versions of packages against what dpkg says of them */
#include "tests/common/check.h"

#include "common/cleanup.h"
#include "common/deb_version.h"

#include <stdio.h>

#define TABLE "tests/data/deb-version/by-dpkg.txt" /* its first line says how it was made */

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void every_pair_compares_as_dpkg_says(void **state)
{
	char line[256], a[100], b[100];
	FILE *f = fopen(TABLE, "re");
	size_t n = 0;
	int want;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (*line == '#')
			continue;
		assert_int_equal(sscanf(line, "%99s %99s %d", a, b, &want), 3);
		if (!deb_version_is_valid(a) || !deb_version_is_valid(b))
			fail_msg("%s or %s is not taken for a version", a, b);
		if (sign(deb_version_compare(a, b)) != want || sign(deb_version_compare(b, a)) != -want)
			fail_msg("%s and %s: %d, dpkg says %d", a, b, sign(deb_version_compare(a, b)), want);
		n++;
	}
	(void)fclose(f);
	assert_true(n > 500);
}

static void what_is_no_version_is_told(void **state)
{
	static const char *const bad[] = {"",   "a1",	"1-",	  ":1",	 "1_2",	      "-1",   "1:",
					  "x:1", "1 2", "1-1_", "1\n", "1\x80", "1234567890:1", "~1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (deb_version_is_valid(bad[i]))
			fail_msg("\"%s\" is taken for a version", bad[i]);
	assert_true(deb_version_is_valid("1:2.3~rc1+ds-4+b1"));
}

static void names_are_those_of_policy(void **state)
{
	static const char *const bad[] = {"", "a", "-a", "Ab", "a_b", "a b", "a/b", ".a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (deb_name_is_valid(bad[i]))
			fail_msg("\"%s\" is taken for a name", bad[i]);
	assert_true(deb_name_is_valid("libstdc++6") && deb_name_is_valid("7zip") && deb_name_is_valid("libtss2-esys-3.0.2-0t64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_compares_as_dpkg_says),
		cmocka_unit_test(what_is_no_version_is_told),
		cmocka_unit_test(names_are_those_of_policy),
	};

	return cmocka_run_group_tests_name("common/deb_version", tests, NULL, NULL);
}
