/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/test_cel.c - the OS event log reads back what was written and refuses what was changed */
#include "tests/common/check.h"

#include "common/cel.h"
#include "common/measure.h"

static size_t one_record(uint64_t recnum, const char *data, uint8_t *out)
{
	struct cel_record rec = { .recnum = recnum, .pcr = 13, .n_digests = 2, .name = "engine", .name_bytes = 6 };

	rec.data = (const uint8_t *)data;
	rec.data_bytes = strlen(data);
	rec.digest[0].alg = HASH_SHA256;
	assert_true(hash_once(HASH_SHA256, data, strlen(data), rec.digest[0].digest));
	rec.digest[1].alg = HASH_SHA384;
	assert_true(hash_once(HASH_SHA384, data, strlen(data), rec.digest[1].digest));
	return cel_encode(&rec, out);
}

static void records_read_back_as_written(void **state)
{
	uint8_t log[2 * CEL_MAX_RECORD_BYTES];
	struct cel_record rec;
	struct err e = ERR_INIT;
	struct reader r;
	size_t n;

	(void)state;
	n = one_record(0, "engine:sha256:00", log);
	n += one_record(1, "ready", log + n);
	r = reader_init(log, n);
	assert_int_equal(cel_next(&r, 0, &rec, &e), 1);
	assert_int_equal(rec.pcr, 13);
	assert_int_equal(rec.n_digests, 2);
	assert_memory_equal(rec.data, "engine:sha256:00", rec.data_bytes);
	assert_int_equal(cel_next(&r, 1, &rec, &e), 1);
	assert_memory_equal(rec.name, "engine", rec.name_bytes);
	assert_int_equal(cel_next(&r, 2, &rec, &e), 0);
}

static void the_encoding_is_the_one_of_the_specification(void **state)
{
	/* By hand from CEL 1.0 r0.41 section 5.1 (TLV, big-endian); the digest by `printf ready | sha256sum`. */
	static const uint8_t want[] = { 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0, 0, 0, 4, 0, 0, 0, 11, 3, 0, 0, 0, 37, 11, 0, 0, 0, 32,
					0x23, 0x0b, 0x34, 0x5c };
	struct cel_record rec = { .recnum = 7, .pcr = 11, .n_digests = 1, .name = "phase", .name_bytes = 5,
				  .data = (const uint8_t *)"ready", .data_bytes = 5 };
	uint8_t out[CEL_MAX_RECORD_BYTES], h[32];
	size_t n;

	(void)state;
	rec.digest[0].alg = HASH_SHA256;
	hash_sha256("ready", 5, rec.digest[0].digest);
	memcpy(h, rec.digest[0].digest, 32);
	n = cel_encode(&rec, out);
	assert_int_equal(n, 13 + 9 + 5 + 37 + 5 + 10 + 5 + 5);
	assert_memory_equal(out, want, 32);
	assert_memory_equal(out + 32, h, 32);
	assert_int_equal(out[64], 240);
}

static void any_flipped_bit_is_noticed_or_harmless(void **state)
{
	uint8_t log[CEL_MAX_RECORD_BYTES], bad[CEL_MAX_RECORD_BYTES];
	size_t n = one_record(0, "engine:sha256:00", log);

	(void)state;
	for (size_t bit = 0; bit < 8 * n; bit++) {
		struct cel_record rec;
		struct err e = ERR_INIT;
		struct reader r;
		int rc;

		memcpy(bad, log, n);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		r = reader_init(bad, n);
		rc = cel_next(&r, 0, &rec, &e);
		/* What may change unseen here is the PCR's number (replay sees it) and the label nobody believes. */
		if (rc == 1)
			assert_true(rec.pcr != 13 || memcmp(rec.name, "engine", 6));
		else
			assert_int_equal(rc, -EINVAL);
	}
}

static void a_cut_log_is_refused_at_every_length(void **state)
{
	uint8_t log[CEL_MAX_RECORD_BYTES];
	size_t n = one_record(0, "ready", log);

	(void)state;
	for (size_t cut = 1; cut < n; cut++) {
		struct cel_record rec;
		struct err e = ERR_INIT;
		struct reader r = reader_init(log, cut);

		assert_refused(cel_next(&r, 0, &rec, &e), &e, EINVAL, "OS event log");
	}
}

static void a_gap_in_the_numbers_is_refused(void **state)
{
	uint8_t log[CEL_MAX_RECORD_BYTES];
	size_t n = one_record(5, "ready", log);
	struct reader r = reader_init(log, n);
	struct cel_record rec;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(cel_next(&r, 4, &rec, &e), &e, EINVAL, "number 5, wanted 4");
}

static void fields_over_their_bound_are_not_encoded(void **state)
{
	static uint8_t big[CEL_MAX_DATA_BYTES + 1];
	struct cel_record rec = { .data = big, .data_bytes = sizeof(big), .name = "x", .name_bytes = 1 };
	uint8_t out[CEL_MAX_RECORD_BYTES];

	(void)state;
	assert_int_equal(cel_encode(&rec, out), 0);
}

static void measured_bytes_are_what_the_header_says(void **state)
{
	static const uint8_t digest[32] = { 0xab };
	static const char *const argv[] = { "/usr/bin/containerd", "--config", "x", NULL };
	struct measure_event ev;

	(void)state;
	ev = measure_phase(MEASURE_ENTER_INITRD);
	assert_int_equal(ev.pcr, 11);
	assert_string_equal(ev.data, "enter-initrd");
	ev = measure_layer_policy(digest, 42);
	assert_int_equal(ev.pcr, 13);
	assert_string_equal(ev.data, "layer-policy:sha256:ab00000000000000000000000000000000000000000000000000000000000000:version:42");
	ev = measure_root_hash(digest);
	assert_int_equal(ev.pcr, 15);
	ev = measure_container("hello", digest);
	assert_string_equal(ev.data, "container:hello:policy:sha256:ab00000000000000000000000000000000000000000000000000000000000000");
	assert_int_equal(ev.data_bytes, strlen(ev.data));
	assert_int_equal(measure_container("he:llo", digest).data_bytes, 0);
	assert_string_equal(measure_violation(61).data, "violation:61");
	/* printf '/usr/bin/containerd\0--config\0x\0' | sha256sum */
	ev = measure_argv(argv);
	assert_string_equal(ev.data, "engine-argv:sha256:86d41da7535e08c18ca685c2d04334535a256f50b2b0083efd031da469946fe2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_read_back_as_written),
		cmocka_unit_test(the_encoding_is_the_one_of_the_specification),
		cmocka_unit_test(any_flipped_bit_is_noticed_or_harmless),
		cmocka_unit_test(a_cut_log_is_refused_at_every_length),
		cmocka_unit_test(a_gap_in_the_numbers_is_refused),
		cmocka_unit_test(fields_over_their_bound_are_not_encoded),
		cmocka_unit_test(measured_bytes_are_what_the_header_says),
	};

	return cmocka_run_group_tests_name("common/cel", tests, NULL, NULL);
}
