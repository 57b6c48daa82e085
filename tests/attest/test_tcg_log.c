/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_tcg_log.c - firmware logs: those of real machines, and each way to be no log
 *
 * Real logs are read from the folder data/eventlogs of HOLDFAST_SHARED (or ../shared); their .expected.json were
 * checked against every value that the publishing projects' own tests assert. Without the folder that test is skipped,
 * loudly.
 */
#include "tests/attest/world.h"

#include "attest/replay.h"
#include "attest/tcg_log.h"
#include "common/file.h"

#include <dirent.h>
#include <stdlib.h>

/* --- real logs --- */

static json_object *member(json_object *o, const char *key)
{
	json_object *v = NULL;

	(void)json_object_object_get_ex(o, key, &v); /* absent is NULL */
	return v;
}

/* Every bank the file names must replay to exactly the PCRs it names. */
static void check_pcrs(struct bytes log, json_object *pcrs)
{
	struct err e = ERR_INIT;

	json_object_object_foreach (pcrs, name, values) {
		size_t bytes = hash_bytes(hash_by_name(name)), n = 0;
		struct replay r;

		assert_ok(replay_init(hash_by_name(name), &r, &e), &e);
		assert_ok(replay_firmware(&r, log, NULL, NULL, &e), &e);
		for (size_t i = 0; i < REPLAY_PCRS; i++)
			n += r.count[i] > 0;
		assert_int_equal(n, json_object_object_length(values));
		json_object_object_foreach (values, number, hex) {
			char found[2 * HASH_MAX_BYTES + 1];

			hex_encode(r.pcr[atoi(number)], bytes, found);
			assert_string_equal(found, json_object_get_string(hex));
		}
	}
}

static void check_info(struct bytes bytes, json_object *info)
{
	json_object *algs = member(info, "algs");
	struct err e = ERR_INIT;
	struct tcg_event ev;
	struct tcg_log log;
	int rc;

	assert_ok(tcg_log_open(bytes.p, bytes.n, &log, &e), &e);
	while ((rc = tcg_log_next(&log, &ev, &e)) == 1)
		;
	assert_ok(rc, &e);
	assert_int_equal(log.n_events, json_object_get_int(member(info, "events")));
	assert_int_equal(log.startup_locality, json_object_get_int(member(info, "startup_locality")));
	assert_int_equal(log.hcrtm, json_object_get_boolean(member(info, "hcrtm")));
	assert_string_equal(log.agile ? "agile" : "sha1", json_object_get_string(member(info, "fmt")));
	assert_int_equal(log.n_banks, algs ? json_object_array_length(algs) : 1);
	for (size_t i = 0; algs && i < log.n_banks; i++)
		assert_string_equal(hash_name(log.bank[i].alg),
				    json_object_get_string(json_object_array_get_idx(algs, i)));
}

static void check_log(const char *dir, const char *expected)
{
	cleanup_buf struct buf log = BUF_INIT, text = BUF_INIT;
	cleanup_json json_object *o = NULL;
	struct err e = ERR_INIT;
	char path[1024];
	struct replay r;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, expected);
	assert_ok(file_read(path, 1 << 20, &text, &e), &e);
	o = json_tokener_parse((const char *)text.data);
	assert_non_null(o);
	path[strlen(path) - strlen(".expected.json")] = '\0';
	assert_ok(file_read(path, 1 << 20, &log, &e), &e);
	if (!json_object_get_boolean(member(o, "valid"))) {
		assert_ok(replay_init(HASH_SHA1, &r, &e), &e);
		assert_int_equal(replay_firmware(&r, (struct bytes){log.data, log.len}, NULL, NULL, &e), -EINVAL);
		return;
	}
	check_info((struct bytes){log.data, log.len}, member(o, "info"));
	check_pcrs((struct bytes){log.data, log.len}, member(o, "pcrs"));
}

static void real_logs_give_exactly_what_is_known_of_them(void **state)
{
	const char *shared = getenv("HOLDFAST_SHARED");
	struct dirent *entry;
	char dir[512];
	size_t n = 0;
	DIR *d;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/data/eventlogs", shared ? shared : "../shared");
	d = opendir(dir);
	if (!d) {
		print_message("SKIP SKIP SKIP: no folder %s: the logs of real machines were NOT checked\n", dir);
		skip();
	}
	while ((entry = readdir(d)))
		if (strstr(entry->d_name, ".expected.json")) {
			print_message("  %s\n", entry->d_name);
			check_log(dir, entry->d_name);
			n++;
		}
	closedir(d);
	assert_true(n > 0);
}

/* --- logs made here --- */

static const uint16_t two_algs[] = {0x0004, 0x000b}, two_sizes[] = {20, 32};

/* An agile event with digests of the banks @algs names, all bytes @fill. */
static void put_event(struct buf *b, uint32_t pcr, uint32_t type, const uint16_t *algs, size_t n, uint8_t fill,
		      const char *data, size_t len)
{
	buf_u32le(b, pcr);
	buf_u32le(b, type);
	buf_u32le(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_u16le(b, algs[i]);
		for (size_t j = 0; j < (algs[i] == 4 ? 20u : 32u); j++)
			buf_u8(b, fill);
	}
	buf_u32le(b, (uint32_t)len);
	buf_put(b, data, len);
}

static void measure(struct buf *b)
{
	put_event(b, 0, 8, two_algs, 2, 0x11, "v", 1);
}

static const char loc3[17] = "StartupLocality\0\3", loc4[17] = "StartupLocality\0\4", loc1[17] = "StartupLocality\0\1";

static void locality(struct buf *b, uint32_t pcr, const char *data, size_t n)
{
	put_event(b, pcr, 3, two_algs, 2, 0, data, n);
}

static void good_two_banks(struct buf *b)
{
	static const uint16_t swapped[] = {0x000b, 0x0004};

	w_spec_id(b, two_algs, two_sizes, 2);
	locality(b, 0, loc3, 17);
	measure(b);
	put_event(b, 7, 1, swapped, 2, 0x22, "", 0);
	put_event(b, 0xffffffff, 3, two_algs, 2, 0, "note", 4);
}

static void bad_cut(struct buf *b)
{
	good_two_banks(b);
	b->len--;
}

static void bad_padding(struct buf *b)
{
	good_two_banks(b);
	buf_zero(b, 7);
}

static void bad_one_digest(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	put_event(b, 0, 8, two_algs, 1, 0, "v", 1);
}

static void bad_bank_twice(struct buf *b)
{
	static const uint16_t twice[] = {4, 4};

	w_spec_id(b, two_algs, two_sizes, 2);
	put_event(b, 0, 8, twice, 2, 0, "v", 1);
}

static void bad_bank_unknown(struct buf *b)
{
	static const uint16_t other[] = {4, 0x0c};

	w_spec_id(b, two_algs, two_sizes, 2);
	put_event(b, 0, 8, other, 2, 0, "v", 1);
}

static void bad_count_huge(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	buf_u32le(b, 0);
	buf_u32le(b, 8);
	buf_u32le(b, 0xffffffff);
	buf_zero(b, 64);
}

static void bad_data_huge(struct buf *b)
{
	good_two_banks(b);
	memset(b->data + b->len - 8, 0xff, 4);
}

static void bad_pcr_24(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	put_event(b, 24, 8, two_algs, 2, 0, "v", 1);
}

static void bad_header_bank_twice(struct buf *b)
{
	static const uint16_t twice[] = {4, 4}, sizes[] = {20, 20};

	w_spec_id(b, twice, sizes, 2);
}

static void bad_header_size(struct buf *b)
{
	static const uint16_t sizes[] = {20, 20};

	w_spec_id(b, two_algs, sizes, 2);
}

static void bad_header_no_banks(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 0);
}

static void bad_header_digest(struct buf *b)
{
	good_two_banks(b);
	b->data[8] = 1;
}

static void bad_header_pcr(struct buf *b)
{
	good_two_banks(b);
	b->data[0] = 1;
}

static void bad_header_trailing(struct buf *b)
{
	good_two_banks(b);
	b->data[32 + 16 + 12 + 8] = 0xff; /* size of the vendor's information */
}

static void bad_locality_twice(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	locality(b, 0, loc3, 17);
	locality(b, 0, loc3, 17);
}

static void bad_locality_late(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	measure(b);
	locality(b, 0, loc3, 17);
}

static void bad_locality_other_pcr(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	locality(b, 1, loc3, 17);
}

static void bad_locality_long(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	locality(b, 0, "StartupLocality\0\3\3", 18);
}

static void bad_locality_short(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	locality(b, 0, loc3, 16);
}

static void bad_locality_1(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	locality(b, 0, loc1, 17);
}

static void bad_hcrtm_late(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	measure(b);
	put_event(b, 0, TCG_EV_EFI_HCRTM_EVENT, two_algs, 2, 1, "HCRTM", 5);
}

static void bad_hcrtm_pcr_1(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	put_event(b, 1, TCG_EV_EFI_HCRTM_EVENT, two_algs, 2, 1, "HCRTM", 5);
}

static void bad_hcrtm_locality_3(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	locality(b, 0, loc3, 17);
	put_event(b, 0, TCG_EV_EFI_HCRTM_EVENT, two_algs, 2, 1, "HCRTM", 5);
}

static void bad_empty(struct buf *b)
{
	buf_free(b);
}

static void bad_short_header(struct buf *b)
{
	buf_zero(b, 31);
}

static void bad_many_events(struct buf *b)
{
	w_spec_id(b, two_algs, two_sizes, 2);
	for (size_t i = 0; i < TCG_LOG_MAX_EVENTS; i++)
		measure(b);
}

static const struct bad_case {
	const char *name;
	void (*make)(struct buf *b);
	const char *part;
} bad[] = {
	{"empty", bad_empty, "has 0 bytes"},
	{"short header", bad_short_header, "no event log"},
	{"cut", bad_cut, "event 4 at offset"},
	{"padding", bad_padding, "event 5 at offset"},
	{"one digest", bad_one_digest, "has 1 digests, wanted 2"},
	{"bank twice", bad_bank_twice, "bank 0x4 twice"},
	{"bank unknown", bad_bank_unknown, "bank 0xc that the header does not name"},
	{"count huge", bad_count_huge, "4294967295 digests"},
	{"data huge", bad_data_huge, "cut short"},
	{"pcr 24", bad_pcr_24, "PCR 24"},
	{"header bank twice", bad_header_bank_twice, "names bank sha1 twice"},
	{"header size", bad_header_size, "bank 0xb digests of 20 bytes"},
	{"header without banks", bad_header_no_banks, "0 banks"},
	{"header digest", bad_header_digest, "digest zero"},
	{"header pcr", bad_header_pcr, "the header is PCR 1"},
	{"header trailing", bad_header_trailing, "cut short or has bytes behind"},
	{"locality twice", bad_locality_twice, "StartupLocality must be"},
	{"locality late", bad_locality_late, "StartupLocality must be"},
	{"locality other pcr", bad_locality_other_pcr, "StartupLocality must be"},
	{"locality long", bad_locality_long, "StartupLocality must be"},
	{"locality short", bad_locality_short, "StartupLocality must be"},
	{"locality 1", bad_locality_1, "locality is 1"},
	{"hcrtm late", bad_hcrtm_late, "H-CRTM event must be"},
	{"hcrtm in PCR 1", bad_hcrtm_pcr_1, "H-CRTM event must be"},
	{"hcrtm with locality 3", bad_hcrtm_locality_3, "H-CRTM event must be"},
	{"too many events", bad_many_events, "more than 4096 events"},
};

static int walk(const struct buf *b, struct tcg_log *log, struct err *e)
{
	struct tcg_event ev;
	int rc = tcg_log_open(b->data, b->len, log, e);

	while (!rc && (rc = tcg_log_next(log, &ev, e)) == 1)
		rc = 0;
	return rc;
}

static void a_bad_log_refuses_with_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		struct tcg_log log;

		bad[i].make(&b);
		print_message("  %s\n", bad[i].name);
		assert_refused(walk(&b, &log, &e), &e, EINVAL, bad[i].part);
	}
}

static void the_sound_twin_of_all_these_is_read(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct tcg_log log;

	(void)state;
	good_two_banks(&b);
	assert_ok(walk(&b, &log, &e), &e);
	assert_int_equal(log.n_events, 5);
	assert_int_equal(log.startup_locality, 3);
	assert_int_equal(log.odd_no_action, 0);
	for (size_t n = 0; n < b.len; n++) { /* a cut between two events is a shorter log; elsewhere it refuses */
		struct buf cut = {b.data, n, 0, false};
		int rc = walk(&cut, &log, &e);

		assert_true(rc == -EINVAL || reader_done(&log.r));
	}
}

static void an_hcrtm_event_starts_pcr_0_at_locality_4(void **state)
{
	uint8_t want[32] = {0}, digest[32];
	struct err e = ERR_INIT;
	struct replay r;

	(void)state;
	memset(digest, 1, sizeof(digest));
	want[31] = 4;
	w_extend(want, digest);
	for (int with_locality = 0; with_locality < 2; with_locality++) {
		cleanup_buf struct buf b = BUF_INIT;

		w_spec_id(&b, two_algs, two_sizes, 2);
		if (with_locality)
			locality(&b, 0, loc4, 17);
		put_event(&b, 0, TCG_EV_EFI_HCRTM_EVENT, two_algs, 2, 1, "HCRTM", 5);
		assert_ok(replay_init(HASH_SHA256, &r, &e), &e);
		assert_ok(replay_firmware(&r, (struct bytes){b.data, b.len}, NULL, NULL, &e), &e);
		assert_memory_equal(r.pcr[0], want, 32);
		assert_true(r.hcrtm);
	}
}

static void the_size_of_a_log_is_bounded(void **state)
{
	uint8_t *zeros = test_calloc(1, TCG_LOG_MAX_BYTES + 1); /* events of the SHA-1 format */
	struct err e = ERR_INIT;
	struct tcg_log log;

	(void)state;
	assert_ok(tcg_log_open(zeros, TCG_LOG_MAX_BYTES, &log, &e), &e);
	assert_refused(tcg_log_open(zeros, TCG_LOG_MAX_BYTES + 1, &log, &e), &e, EINVAL, "has 4194305 bytes, wanted 1 to 4194304");
	test_free(zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_logs_give_exactly_what_is_known_of_them),
		cmocka_unit_test(a_bad_log_refuses_with_its_rule),
		cmocka_unit_test(the_sound_twin_of_all_these_is_read),
		cmocka_unit_test(an_hcrtm_event_starts_pcr_0_at_locality_4),
		cmocka_unit_test(the_size_of_a_log_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
