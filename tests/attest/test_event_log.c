/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_event_log.c - one walk for every format: CEL in its two encodings, decoded events, hostile sizes
 *
 * TCG logs of real machines are test_tcg_log.c's. tests/data/cel-json/good-systemd-257.json is what systemd 257.13 of
 * Debian 13 wrote to tpm2-measure.log, against swtpm with bank sha256: systemd-pcrextend --pcr=11 enter-initrd,
 * --pcr=11 leave-initrd, --pcr=15 --machine-id, each with SYSTEMD_FORCE_MEASURE=1; then tpm2_pcrread sha256:11,13,15.
 */
#include "tests/attest/world.h"

#include "attest/event_decode.h"
#include "attest/event_log.h"
#include "attest/log_check.h"
#include "common/file.h"

#include <time.h>

static struct event_log log_; /* large */
static struct log_check check;

static int walk(struct bytes b, struct err *e)
{
	struct event_log_event ev;
	int rc;

	event_log_close(&log_);
	memset(&check, 0, sizeof(check));
	rc = event_log_open(b, &log_, e);
	while (!rc && (rc = event_log_next(&log_, &ev, e)) == 1) {
		log_check_event(&check, &log_, &ev);
		rc = 0;
	}
	if (!rc)
		log_check_end(&check, &log_);
	return rc;
}

static int walk_text(const char *text, struct err *e)
{
	return walk((struct bytes){(const uint8_t *)text, strlen(text)}, e);
}

/* --- CEL-JSON --- */

#define H_A  "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" /* sha256 of "a" */
#define DIG  "\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"" H_A "\"}]"
#define TAIL "\"content_type\":\"systemd\",\"content\":{\"eventType\":\"phase\",\"string\":\"a\"}}\n"
#define GOOD "\x1e{\"pcr\":11," DIG "," TAIL

static const struct {
	const char *name, *text, *part;
} bad_json[] = {
	{"no record separator", "{\"pcr\":11," DIG "," TAIL, "first event is cut short"},
	{"cut", "\x1e{\"pcr\":11,", "cut short"},
	{"no line feed", "\x1e{}", "cut short"},
	{"bytes behind a record", GOOD "x\n", "JSON"},
	{"unknown member", "\x1e{\"pcr\":11,\"more\":1," DIG "," TAIL, "more"},
	{"member twice", "\x1e{\"pcr\":11,\"pcr\":4," DIG "," TAIL, "pcr"},
	{"pcr 24", "\x1e{\"pcr\":24," DIG "," TAIL, "PCR 24"},
	{"neither pcr nor nv_index", "\x1e{" DIG "," TAIL, "nv_index"},
	{"pcr and nv_index", "\x1e{\"pcr\":11,\"nv_index\":5," DIG "," TAIL, "NV index"},
	{"number out of order", "\x1e{\"recnum\":1,\"pcr\":11," DIG "," TAIL, "has number 1"},
	{"no digests", "\x1e{\"pcr\":11,\"digests\":[]," TAIL, "no digest"},
	{"digest of another size", "\x1e{\"pcr\":11,\"digests\":[{\"hashAlg\":\"sha384\",\"digest\":\"" H_A "\"}]," TAIL, "not its size"},
	{"unknown hash", "\x1e{\"pcr\":11,\"digests\":[{\"hashAlg\":\"md5\",\"digest\":\"00\"}]," TAIL, "unknown"},
	{"bank twice", "\x1e{\"pcr\":11,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"" H_A "\"},{\"hashAlg\":\"sha256\",\"digest\":\"" H_A "\"}]," TAIL, "twice"},
	{"a bank that the first record lacks", GOOD "\x1e{\"pcr\":11,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\"}]," TAIL, "first record does not have"},
	{"an array of what is no record", "[1]", "CEL"},
	{"an object", "[{\"pcr\":11}]", "digests"},
};

static void bad_cel_json_refuses_with_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_json); i++) {
		struct err e = ERR_INIT;
		int rc = walk_text(bad_json[i].text, &e);

		print_message("  %s: %s\n", bad_json[i].name, e.msg);
		assert_int_equal(rc, -EINVAL);
		if (strcmp(bad_json[i].part, "JSON"))
			assert_non_null(strstr(e.msg, bad_json[i].part));
	}
}

static void cel_json_replays_in_both_its_forms(void **state)
{
	static const char array[] = "[{\"recnum\":0,\"pcr\":11," DIG "," "\"content_type\":\"systemd\",\"content\":{}},"
				    "{\"recnum\":1,\"nv_index\":31457281," DIG ",\"content_type\":\"systemd\"}]";
	uint8_t want[32] = {0}, h[32];
	struct err e = ERR_INIT;

	(void)state;
	w_sha256("a", 1, h);
	w_extend(want, h);
	assert_ok(walk_text(GOOD, &e), &e);
	assert_int_equal(log_.format, EVENT_LOG_CEL_JSON);
	assert_memory_equal(log_.replay[0].pcr[11], want, 32);
	assert_int_equal(check.bad.n, 0);
	assert_ok(walk_text(array, &e), &e);
	assert_int_equal(log_.n_events, 2);
	assert_memory_equal(log_.replay[0].pcr[11], want, 32);
	assert_int_equal(log_.replay[0].count[11], 1); /* the NV index is no PCR */
}

static void a_phase_that_is_not_what_was_hashed_is_found(void **state)
{
	static const char lie[] = "\x1e{\"pcr\":11," DIG ",\"content_type\":\"systemd\",\"content\":{\"eventType\":\"phase\","
				  "\"string\":\"ready\"}}\n";
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(walk_text(GOOD, &e), &e);
	assert_int_equal(check.bad.n, 0);
	assert_ok(walk_text(lie, &e), &e);
	assert_int_equal(check.bad.n, 1);
	assert_non_null(strstr(check.bad.line[0], "not that of the phase"));
}

static void what_systemd_wrote_replays_to_what_the_tpm_held(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	static struct pcr_values v;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read("tests/data/cel-json/good-systemd-257.json", 65536, &b, &e), &e);
	assert_ok(pcr_values_load("tests/data/pcr-values/systemd-257.pcrread", &v, &e), &e);
	assert_ok(walk((struct bytes){b.data, b.len}, &e), &e);
	assert_true(log_.n_events >= 3);
	log_check_pcrs(&check, &log_, &v, HASH_NONE);
	for (size_t i = 0; i < check.bad.n; i++)
		print_message("  %s\n", check.bad.line[i]);
	assert_int_equal(check.bad.n, 0);
	v.v[0].digest[0] ^= 1;
	log_check_pcrs(&check, &log_, &v, HASH_NONE);
	assert_int_equal(check.bad.n, 1);
}

/* --- CEL-TLV --- */

static void put_tlv(struct buf *b, uint8_t type, const void *data, size_t n)
{
	buf_u8(b, type);
	buf_u32be(b, (uint32_t)n);
	buf_put(b, data, n);
}

/* One record; @pcr_bytes as other implementations write the PCR, @content any type. */
static void put_record(struct buf *b, uint8_t number, uint8_t pcr, size_t pcr_bytes, uint8_t content)
{
	uint8_t num[8] = {[7] = number}, index[4] = {0}, h[32];
	struct buf d = BUF_INIT;

	index[pcr_bytes - 1] = pcr;
	w_sha256("a", 1, h);
	put_tlv(&d, 0x0b, h, 32);
	put_tlv(b, 0, num, sizeof(num));
	put_tlv(b, 1, index, pcr_bytes);
	put_tlv(b, 3, d.data, d.len);
	put_tlv(b, content, "whatever", 8);
	buf_free(&d);
}

static void cel_tlv_of_others_replays(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	uint8_t want[32] = {0}, h[32];
	struct err e = ERR_INIT;

	(void)state;
	w_sha256("a", 1, h);
	w_extend(want, h);
	put_record(&b, 0, 13, 1, 80); /* go-tpm-tools: one byte of PCR, content type 80 */
	put_record(&b, 1, 14, 4, 5);
	assert_ok(walk((struct bytes){b.data, b.len}, &e), &e);
	assert_int_equal(log_.format, EVENT_LOG_CEL_TLV);
	assert_memory_equal(log_.replay[0].pcr[13], want, 32);
	assert_memory_equal(log_.replay[0].pcr[14], want, 32);
	for (size_t n = 1; n < b.len; n++) { /* a cut between two records is a shorter log */
		int rc = walk((struct bytes){b.data, n}, &e);

		assert_true(rc == -EINVAL || n == b.len / 2 - 1 || log_.n_events == 1);
	}
	put_record(&b, 3, 14, 4, 5);
	assert_refused(walk((struct bytes){b.data, b.len}, &e), &e, EINVAL, "has number 3, wanted 2");
}

static void our_own_record_must_hash_to_its_digest(void **state)
{
	struct world *w = world_sound();
	struct err e = ERR_INIT;

	(void)state;
	world_seal(w);
	assert_ok(walk((struct bytes){w->os_log.data, w->os_log.len}, &e), &e);
	assert_memory_equal(log_.replay[0].pcr[13], w->pcr[13], 32);
	w->os_log.data[w->os_log.len - 1] ^= 1;
	assert_refused(walk((struct bytes){w->os_log.data, w->os_log.len}, &e), &e, EINVAL, "not that of its data");
	world_free(w);
}

/* --- banks --- */

static void every_bank_is_walked_and_those_that_can_be_are_replayed(void **state)
{
	static const uint16_t algs[] = {4, 0x0b, 0x0c, 0x0d, 0x12}, sizes[] = {20, 32, 48, 64, 32};
	cleanup_buf struct buf b = BUF_INIT;
	uint8_t h[HASH_MAX_BYTES], want[HASH_MAX_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	w_spec_id(&b, algs, sizes, 5);
	buf_u32le(&b, 4);
	buf_u32le(&b, ACTION);
	buf_u32le(&b, 5);
	for (size_t i = 0; i < 5; i++) {
		buf_u16le(&b, algs[i]);
		memset(h, 0x5a, sizeof(h)); /* SM3 cannot be computed here */
		(void)hash_once(algs[i], "x", 1, h);
		buf_put(&b, h, sizes[i]);
	}
	buf_u32le(&b, 1);
	buf_u8(&b, 'x');
	assert_ok(walk((struct bytes){b.data, b.len}, &e), &e);
	assert_int_equal(log_.n_banks, 5);
	for (size_t i = 0; i < 4; i++) {
		memset(want, 0, sizeof(want));
		(void)hash_once(algs[i], "x", 1, h);
		assert_true(hash_extend(algs[i], want, h));
		assert_true(log_.can_replay[i]);
		assert_memory_equal(log_.replay[i].pcr[4], want, sizes[i]);
	}
	assert_false(log_.can_replay[4]);
	for (size_t i = 0; i < check.bad.n; i++) /* data fits its digest in each bank; only separators are missing */
		assert_non_null(strstr(check.bad.line[i], "separators"));
}

/* --- decoding --- */

static void signature_lists_and_paths_are_decoded(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct event_budget budget = EVENT_BUDGET_INIT;
	struct err e = ERR_INIT;
	struct event_log_event ev;
	unsigned seen = 0;

	(void)state;
	assert_ok(file_read("tests/data/predict/ovmf-2025.02-disk.eventlog", 1 << 20, &b, &e), &e);
	assert_ok(event_log_open((struct bytes){b.data, b.len}, &log_, &e), &e);
	while (event_log_next(&log_, &ev, &e) == 1) {
		cleanup_json json_object *o = event_decode(ev.type, ev.data, &budget);
		const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

		assert_null(strstr(text, "malformed"));
		seen |= strstr(text, "\"variable\":\"SecureBoot\"") && strstr(text, "\"value\":\"on\"") ? 1 : 0;
		seen |= strstr(text, "\"variable\":\"db\"") && strstr(text, "\"certificate_sha256\"") ? 2 : 0;
		seen |= strstr(text, "\\\\EFI\\\\BOOT\\\\BOOTX64.EFI") ? 4 : 0;
		seen |= strstr(text, "\"partitions\"") ? 8 : 0;
		seen |= strstr(text, "\"text\":\"Exit Boot Services Invocation\"") ? 16 : 0;
		seen |= strstr(text, "\"separator\":\"00000000\"") ? 32 : 0;
		seen |= strstr(text, "\"order\":[\"Boot") ? 64 : 0;
		seen |= strstr(text, "load options") ? 128 : 0;
		seen |= strstr(text, "\"description\"") && strstr(text, "\"path\"") ? 256 : 0;
	}
	event_log_close(&log_);
	assert_int_equal(seen, 511);
}

/* --- hostile sizes --- */

static double cpu_ms(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static const uint16_t all_algs[] = {4, 0x0b, 0x0c, 0x0d}, all_sizes[] = {20, 32, 48, 64};

static void big_event(struct buf *b, uint32_t pcr, uint32_t type, size_t bytes)
{
	buf_u32le(b, pcr);
	buf_u32le(b, type);
	buf_u32le(b, 4);
	for (size_t i = 0; i < 4; i++) {
		buf_u16le(b, all_algs[i]);
		buf_zero(b, all_sizes[i]);
	}
	buf_u32le(b, (uint32_t)bytes);
	buf_zero(b, bytes);
}

/* As many small events as are allowed, each with every bank, of a type whose data is hashed. */
static void many_events(struct buf *b)
{
	w_spec_id(b, all_algs, all_sizes, 4);
	for (size_t i = 0; i < TCG_LOG_MAX_EVENTS - 1; i++)
		big_event(b, (uint32_t)i % 8, TCG_EV_EFI_VARIABLE_BOOT, 800);
}

static void one_event(struct buf *b)
{
	w_spec_id(b, all_algs, all_sizes, 4);
	big_event(b, 7, TCG_EV_EFI_VARIABLE_DRIVER_CONFIG, EVENT_LOG_MAX_BYTES - b->len - 192);
}

/* A dbx of nothing but short signatures. */
static void many_signatures(struct buf *b)
{
	static const uint8_t dbx[] = {'d', 0, 'b', 0, 'x', 0};
	size_t head, n = EVENT_LOG_MAX_BYTES - 400;

	w_spec_id(b, all_algs, all_sizes, 4);
	big_event(b, 7, TCG_EV_EFI_VARIABLE_DRIVER_CONFIG, n);
	head = b->len - n;
	b->data[head + 16] = 3;
	n -= 16 + 16 + sizeof(dbx);
	memcpy(b->data + head + 24, &(uint64_t){n}, 8);
	memcpy(b->data + head + 32, dbx, sizeof(dbx));
	memcpy(b->data + head + 38 + 16, &(uint32_t){(uint32_t)n}, 4);
	memcpy(b->data + head + 38 + 24, &(uint32_t){17}, 4);
}

static void json_numbers(struct buf *b)
{
	buf_str(b, "\x1e{\"pcr\":11," DIG ",\"content_type\":\"x\",\"content\":[0");
	while (b->len < EVENT_LOG_MAX_JSON_BYTES - 8)
		buf_str(b, ",0");
	buf_str(b, "]}\n");
}

static void json_keys(struct buf *b)
{
	buf_str(b, "\x1e{\"pcr\":11," DIG ",\"content_type\":\"x\",\"content\":[0");
	for (unsigned i = 0; b->len < EVENT_LOG_MAX_JSON_BYTES - 8000; i++) {
		buf_str(b, ",{\"k\":0");
		for (unsigned k = 0; k < 500; k++)
			buf_printf(b, ",\"k%u\":0", k);
		buf_str(b, "}");
	}
	buf_str(b, "]}\n");
}

/*
 * Wanted of a quiet machine: 50 ms for 4 MB, walked, checked and decoded. The bound here is four times that, since tests run beside
 * others and under sanitizers (ten times); what was needed is printed. A quadratic parser would need minutes.
 */
static void hostile_logs_cost_little(void **state)
{
	static const struct {
		const char *name;
		void (*make)(struct buf *b);
	} cases[] = {{"4095 events of 800 bytes, four banks", many_events},
		     {"one event of 4 MiB", one_event},
		     {"a dbx of 246,000 signatures", many_signatures},
		     {"128 KiB of JSON numbers", json_numbers},
		     {"128 KiB of JSON keys", json_keys}};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf b = BUF_INIT;
		struct event_budget budget = EVENT_BUDGET_INIT;
		struct event_log_event ev;
		double best = 1e9;

		cases[i].make(&b);
		for (int round = 0; round < 3; round++) {
			double start = cpu_ms();

			budget = (struct event_budget)EVENT_BUDGET_INIT;
			assert_ok(walk((struct bytes){b.data, b.len}, &e), &e);
			event_log_close(&log_);
			assert_ok(event_log_open((struct bytes){b.data, b.len}, &log_, &e), &e);
			log_.no_replay = true;
			while (event_log_next(&log_, &ev, &e) == 1) {
				cleanup_json json_object *o = event_decode(ev.type, ev.data, &budget);

				assert_non_null(o);
			}
			if (cpu_ms() - start < best)
				best = cpu_ms() - start;
		}
		print_message("  %s (%zu bytes): %.1f ms CPU\n", cases[i].name, b.len, best);
#ifdef HOLDFAST_SANITIZED
		assert_true(best < 2000);
#else
		assert_true(best < (*check_runner() ? 2000 : 200)); /* an emulator's time is its own */
#endif
	}
	event_log_close(&log_);
}

static void a_log_over_the_bound_is_refused_unread(void **state)
{
	uint8_t *big = test_calloc(1, EVENT_LOG_MAX_BYTES + 1);
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(walk((struct bytes){big, EVENT_LOG_MAX_BYTES + 1}, &e), &e, EINVAL, "wanted 1 to");
	assert_refused(walk((struct bytes){big, 0}, &e), &e, EINVAL, "has 0 bytes");
	memset(big, ' ', EVENT_LOG_MAX_BYTES);
	big[0] = '[';
	assert_refused(walk((struct bytes){big, EVENT_LOG_MAX_JSON_BYTES + 1}, &e), &e, EINVAL, "bytes of JSON");
	test_free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_cel_json_refuses_with_its_rule),
		cmocka_unit_test(cel_json_replays_in_both_its_forms),
		cmocka_unit_test(a_phase_that_is_not_what_was_hashed_is_found),
		cmocka_unit_test(what_systemd_wrote_replays_to_what_the_tpm_held),
		cmocka_unit_test(cel_tlv_of_others_replays),
		cmocka_unit_test(our_own_record_must_hash_to_its_digest),
		cmocka_unit_test(every_bank_is_walked_and_those_that_can_be_are_replayed),
		cmocka_unit_test(signature_lists_and_paths_are_decoded),
		cmocka_unit_test(hostile_logs_cost_little),
		cmocka_unit_test(a_log_over_the_bound_is_refused_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
