/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_rs_choice.c - a Reed-Solomon path that computes wrong is found out before its first use
 *
 * Includes rs.c: the path with a fault in it is made here, of the portable one.
 */
#include "tests/common/check.h"

#include "verity/rs.c" /* its static parts are what is tested */

static size_t faulty_byte;
static uint8_t fault;

static void divide_faulty(const struct verity_rs *rs, const uint8_t *const *rows, unsigned n, size_t width,
			  uint8_t *state)
{
	divide_table(rs, rows, n, width, state);
	if (n < rs->rows / 2)
		return; /* more rows follow: the fault is in the end */
	state[faulty_byte] ^= fault;
}

static const struct rs_path faulty = {"faulty", has_always, divide_faulty};

static void one_wrong_bit_is_found(void **state)
{
	(void)state;
	rs_tables_init();
	for (unsigned roots = 2; roots <= 7; roots += 5) {
		fault = 0;
		assert_true(path_agrees(&faulty, roots));
		fault = 0x10;
		for (faulty_byte = 0; faulty_byte < roots * RS_STEP; faulty_byte++)
			assert_false(path_agrees(&faulty, roots));
	}
}

static void a_path_that_disagrees_is_not_taken(void **state)
{
	struct err e = ERR_INIT;
	struct verity_rs rs;
	size_t best = 0;

	(void)state;
	assert_int_equal(unsetenv(VERITY_RS_ENV), 0);
	assert_ok(verity_rs_init(&rs, 2, NULL, &e), &e);
	while (&paths[best] != rs.path)
		best++;
	if (best + 1 == PATHS)
		skip(); /* this CPU has the portable one alone, which is what the others are held against */
	verdicts[best] = VERITY_PATH_DISAGREES; /* as ask() would have it */
	assert_refused(verity_rs_init(&rs, 2, paths[best].name, &e), &e, EIO, "does not agree with the portable one");
	assert_ok(verity_rs_init(&rs, 2, NULL, &e), &e);
	assert_true(rs.path > &paths[best]);
	ask();
	assert_ok(verity_rs_init(&rs, 2, NULL, &e), &e);
	assert_true(rs.path == &paths[best]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_wrong_bit_is_found),
		cmocka_unit_test(a_path_that_disagrees_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
