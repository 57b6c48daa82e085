/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_replay.c - PCR values out of logs: against values a TPM had, and each bound of what a log may name
 *
 * The value of PCR 11 is by swtpm: tpm2_pcrextend 11:sha256=$(printf enter-initrd | sha256sum | cut -c1-64);
 * tpm2_pcrread sha256:11. The replay of real firmware logs, all banks, is in test_tcg_log.c.
 */
#include "tests/attest/world.h"

#include "attest/replay.h"

static const char pcr_11[] = "d15b0e8e244e65c40f024e95773f2347ce4ef3ffe6b597c9a14b50bbab6df319";

static void put_record(struct buf *b, uint64_t recnum, uint32_t pcr, enum hash_alg alg, const char *text)
{
	struct cel_record rec = {.recnum = recnum,
				 .pcr = pcr,
				 .n_digests = 1,
				 .name = "n",
				 .name_bytes = 1,
				 .data = (const uint8_t *)text,
				 .data_bytes = strlen(text)};
	uint8_t bytes[CEL_MAX_RECORD_BYTES];

	rec.digest[0].alg = alg;
	(void)hash_once(alg, text, strlen(text), rec.digest[0].digest); /* both are computed */
	buf_put(b, bytes, cel_encode(&rec, bytes));
}

static int replay_one(uint32_t pcr, enum hash_alg alg, struct replay *r, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	put_record(&b, 0, pcr, alg, "enter-initrd");
	assert_ok(replay_init(HASH_SHA256, r, e), e);
	return replay_os(r, (struct bytes){b.data, b.len}, NULL, NULL, e);
}

static void an_os_record_replays_to_the_value_a_tpm_had(void **state)
{
	struct err e = ERR_INIT;
	struct replay r;
	char hex[65];

	(void)state;
	assert_ok(replay_one(11, HASH_SHA256, &r, &e), &e);
	hex_encode(r.pcr[11], 32, hex);
	assert_string_equal(hex, pcr_11);
	assert_int_equal(r.count[11], 1);
}

static void os_records_may_name_pcr_11_to_15_only(void **state)
{
	struct err e = ERR_INIT;
	struct replay r;

	(void)state;
	for (uint32_t pcr = 0; pcr <= CEL_MAX_PCR; pcr++) {
		if (pcr >= 11 && pcr <= 15)
			assert_ok(replay_one(pcr, HASH_SHA256, &r, &e), &e);
		else
			assert_refused(replay_one(pcr, HASH_SHA256, &r, &e), &e, EINVAL, "wanted 11 to 15");
	}
}

static void an_os_record_without_the_bank_refuses(void **state)
{
	struct err e = ERR_INIT;
	struct replay r;

	(void)state;
	assert_refused(replay_one(11, HASH_SHA1, &r, &e), &e, EINVAL, "record 0 lacks bank sha256");
}

static void a_bank_without_a_hash_cannot_be_replayed(void **state)
{
	struct err e = ERR_INIT;
	struct replay r;

	(void)state;
	assert_refused(replay_init(HASH_SM3, &r, &e), &e, ENOTSUP, "sm3_256");
	assert_refused(replay_init(HASH_NONE, &r, &e), &e, ENOTSUP, "unknown");
}

static int count_then_stop(void *ctx, const struct replay_event *ev, struct err *e)
{
	size_t *left = ctx;

	(void)ev;
	return (*left)-- ? 0 : err_set(e, EINTR, "enough");
}

static void no_action_events_are_never_shown_and_never_extended(void **state)
{
	struct world *w = world_sound();
	size_t left = 1000;
	struct err e = ERR_INIT;
	struct replay r;

	(void)state;
	w_add(&w->firmware, 4, 3, "UKI", 3, "look-alike");
	w->locality = 3;
	world_seal(w);
	assert_ok(replay_init(HASH_SHA256, &r, &e), &e);
	assert_ok(replay_firmware(&r, (struct bytes){w->firmware_log.data, w->firmware_log.len}, count_then_stop, &left,
				  &e),
		  &e);
	assert_int_equal(1000 - left, w->firmware.n - 1);
	assert_int_equal(r.n_events, w->firmware.n + 2); /* header and locality */
	assert_int_equal(r.odd_no_action, 1);
	for (size_t i = 0; i < 10; i++)
		assert_memory_equal(r.pcr[i], w->pcr[i], 32);
	world_free(w);
}

static void more_records_than_the_bound_refuse(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	uint8_t bytes[CEL_MAX_RECORD_BYTES];
	struct cel_record rec = {.pcr = 11, .n_digests = 1, .digest = {{.alg = HASH_SHA256}}, .name = "x", .name_bytes = 1,
				 .data = (const uint8_t *)"x", .data_bytes = 1};
	struct err e = ERR_INIT;
	size_t sound = 0;
	struct replay r;

	(void)state;
	w_sha256("x", 1, rec.digest[0].digest);
	for (rec.recnum = 0; rec.recnum <= REPLAY_MAX_OS_RECORDS; rec.recnum++) {
		size_t n = cel_encode(&rec, bytes);

		sound = b.len;
		buf_put(&b, bytes, n);
	}
	assert_ok(replay_init(HASH_SHA256, &r, &e), &e);
	assert_ok(replay_os(&r, (struct bytes){b.data, sound}, NULL, NULL, &e), &e);
	assert_refused(replay_os(&r, (struct bytes){b.data, b.len}, NULL, NULL, &e), &e, EINVAL, "more than 8192 records");
}

static void a_callback_that_fails_ends_the_walk(void **state)
{
	struct world *w = world_sound();
	size_t left = 3;
	struct err e = ERR_INIT;
	struct replay r;

	(void)state;
	world_seal(w);
	assert_ok(replay_init(HASH_SHA256, &r, &e), &e);
	assert_refused(replay_firmware(&r, (struct bytes){w->firmware_log.data, w->firmware_log.len}, count_then_stop,
				       &left, &e),
		       &e, EINTR, "enough");
	left = 0;
	assert_refused(replay_os(&r, (struct bytes){w->os_log.data, w->os_log.len}, count_then_stop, &left, &e), &e,
		       EINTR, "enough");
	world_free(w);
}

static void the_digest_of_pcr_0_to_15_is_the_quoted_one(void **state)
{
	struct world *w = world_sound();
	uint8_t want[32], found[32];
	struct err e = ERR_INIT;
	struct replay r;

	(void)state;
	world_seal(w);
	assert_ok(replay_init(HASH_SHA256, &r, &e), &e);
	memcpy(r.pcr[16], "not quoted", 10);
	for (size_t i = 0; i < 16; i++)
		memcpy(r.pcr[i], w->pcr[i], 32);
	replay_pcr_digest(&r, found);
	w_sha256(w->pcr, 16 * 32, want);
	assert_memory_equal(found, want, 32);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_os_record_replays_to_the_value_a_tpm_had),
		cmocka_unit_test(os_records_may_name_pcr_11_to_15_only),
		cmocka_unit_test(an_os_record_without_the_bank_refuses),
		cmocka_unit_test(a_bank_without_a_hash_cannot_be_replayed),
		cmocka_unit_test(no_action_events_are_never_shown_and_never_extended),
		cmocka_unit_test(more_records_than_the_bound_refuse),
		cmocka_unit_test(a_callback_that_fails_ends_the_walk),
		cmocka_unit_test(the_digest_of_pcr_0_to_15_is_the_quoted_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
