/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_lanes_choice.c - a SHA-256 path that computes wrong is found out before its first use, and left alone
 *
 * Includes lanes.c: the paths with a fault in them are made here, of a good one.
 */
#include "tests/common/check.h"

#include "verity/lanes.c" /* its static parts are what is tested */

#define FAULTY_LANES 8

static unsigned faulty_lane;  /* which lane goes wrong */
static size_t faulty_chunks;  /* in calls of how many chunks; 0: never */

/* Eight good lanes, one after the other, one of them with a bit turned. */
static void faulty_8(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	for (unsigned i = 0; i < FAULTY_LANES; i++)
		openssl_1(state + i, p + i, chunks, ahead);
	if (chunks == faulty_chunks)
		state[faulty_lane][5] ^= 0x00010000;
}

static const struct lanes_path faulty = {"faulty", has_always, {{FAULTY_LANES, 3, faulty_8}, {1, 1, openssl_1}}};

static void one_wrong_bit_in_any_lane_is_found(void **state)
{
	/* a head or a tail of one chunk, the body of 512 bytes less the head's, a tail of two */
	static const size_t chunks[] = {1, VERITY_LANES_MIN_BLOCK_BYTES / LANES_CHUNK - 1, 2};

	(void)state;
	faulty_chunks = 0;
	assert_true(path_agrees(&faulty));
	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
		faulty_chunks = chunks[i];
		for (faulty_lane = 0; faulty_lane < FAULTY_LANES; faulty_lane++)
			assert_false(path_agrees(&faulty));
	}
}

static void every_path_of_this_cpu_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < PATHS; i++)
		if (paths[i].has())
			assert_true(path_agrees(&paths[i]));
}

static void a_path_that_disagrees_is_not_taken(void **state)
{
	struct verity_lanes_params p = {.alg = HASH_SHA256, .version = 1, .block_bytes = 4096};
	struct verity_lanes l;
	struct err e = ERR_INIT;
	size_t best = 0;

	(void)state;
	assert_int_equal(unsetenv(VERITY_LANES_ENV), 0);
	assert_ok(verity_lanes_init(&l, &p, &e), &e);
	while (&paths[best] != l.path)
		best++;
	verdicts[best] = VERITY_PATH_DISAGREES; /* as ask() would have it */
	p.path = paths[best].name;
	assert_refused(verity_lanes_init(&l, &p, &e), &e, EIO, "does not agree with OpenSSL");
	p.path = NULL;
	if (best + 1 < PATHS) {
		assert_ok(verity_lanes_init(&l, &p, &e), &e);
		assert_true(l.path > &paths[best]);
	}
	for (size_t i = 0; i < PATHS; i++)
		verdicts[i] = VERITY_PATH_DISAGREES;
	assert_refused(verity_lanes_init(&l, &p, &e), &e, EIO, "no SHA-256 path agrees");
	ask();
	assert_ok(verity_lanes_init(&l, &p, &e), &e);
	assert_true(l.path == &paths[best]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_of_this_cpu_agrees),
		cmocka_unit_test(one_wrong_bit_in_any_lane_is_found),
		cmocka_unit_test(a_path_that_disagrees_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
