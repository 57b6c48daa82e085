/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_cel_json.c - our event log as CEL-JSON: what is written, that it comes back the same, what is refused
 *
 * tests/data/event-log/good-holdfast-boot is PID 1's log of a boot in QEMU (the VM case chain). Against systemd's own
 * program: tests/attest/interop.
 */
#include "tests/attest/world.h"

#include "attest/cel_json.h"
#include "attest/event_log.h"
#include "common/cel.h"
#include "common/file.h"

#define BOOT "tests/data/event-log/good-holdfast-boot"

static struct event_log tlv, json; /* large */
static uint64_t next_number;

/* One record with @banks of all digests; the algorithms that cannot be computed here have bytes of 5a. */
static void add(struct buf *log, uint32_t pcr, const void *name, size_t name_bytes, const void *data, size_t n, size_t banks)
{
	static const enum hash_alg algs[CEL_MAX_BANKS] = {HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_SM3};
	struct cel_record rec = {.recnum = next_number++,
				 .pcr = pcr,
				 .n_digests = banks,
				 .name = name,
				 .name_bytes = name_bytes,
				 .data = data,
				 .data_bytes = n};
	uint8_t bytes[CEL_MAX_RECORD_BYTES];
	size_t len;

	for (size_t i = 0; i < banks; i++) {
		rec.digest[i].alg = algs[i];
		memset(rec.digest[i].digest, 0x5a, HASH_MAX_BYTES);
		(void)hash_once(algs[i], data, n, rec.digest[i].digest); /* SM3: not here */
	}
	len = cel_encode(&rec, bytes);
	assert_true(len);
	buf_put(log, bytes, len);
}

static struct bytes view(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

static int walk(struct event_log *log, struct bytes b, struct err *e)
{
	struct event_log_event ev;
	int rc;

	event_log_close(log);
	rc = event_log_open(b, log, e);
	while (!rc && (rc = event_log_next(log, &ev, e)) == 1)
		rc = 0;
	return rc;
}

/* Both logs in step: each event is the same, and so is what they replay to. */
static size_t assert_same_events(struct bytes of_tlv, struct bytes of_json)
{
	struct event_log_event a, b;
	struct err e = ERR_INIT;
	int more;

	assert_ok(event_log_open(of_tlv, &tlv, &e), &e);
	assert_ok(event_log_open(of_json, &json, &e), &e);
	assert_int_equal(tlv.format, EVENT_LOG_CEL_TLV);
	assert_int_equal(json.format, EVENT_LOG_CEL_JSON);
	do {
		more = event_log_next(&tlv, &a, &e);
		assert_int_equal(event_log_next(&json, &b, &e), more);
		assert_true(more >= 0);
		if (!more)
			break;
		assert_int_equal(a.pcr, b.pcr);
		assert_string_equal(a.label, b.label);
		assert_int_equal(a.data.n, b.data.n);
		assert_true(!a.data.n || !memcmp(a.data.p, b.data.p, a.data.n));
		assert_int_equal(tlv.n_banks, json.n_banks);
		for (size_t i = 0; i < tlv.n_banks; i++)
			assert_memory_equal(a.digest[i], b.digest[i], tlv.bank[i].bytes);
	} while (more);
	for (size_t i = 0; i < tlv.n_banks; i++) {
		assert_int_equal(tlv.bank[i].alg, json.bank[i].alg);
		assert_memory_equal(tlv.replay[i].pcr, json.replay[i].pcr, sizeof(tlv.replay[i].pcr));
	}
	event_log_close(&json);
	return tlv.n_events;
}

static void the_text_is_this(void **state)
{
	static const char want[] =
		"\x1e{\"pcr\":13,\"recnum\":0,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\"},"
		"{\"hashAlg\":\"sha256\",\"digest\":\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\"}],"
		"\"content_type\":\"holdfast\",\"content\":{\"name\":\"q\\\"b\\\\c?/\",\"data\":\"61\"}}\n";
	cleanup_buf struct buf log = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	next_number = 0;
	add(&log, 13, "q\"b\\c\x1e/", 7, "a", 1, 2); /* sha1sum, sha256sum of "a" */
	assert_ok(cel_json_export(view(&log), &out, &e), &e);
	assert_int_equal(out.len, sizeof(want) - 1);
	assert_memory_equal(out.data, want, out.len);
}

static void a_boot_comes_back_the_same(void **state)
{
	cleanup_buf struct buf log = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read(BOOT, 65536, &log, &e), &e);
	assert_ok(cel_json_export(view(&log), &out, &e), &e);
	assert_int_equal(assert_same_events(view(&log), view(&out)), 13);
}

static void every_bank_and_size_comes_back_the_same(void **state)
{
	cleanup_buf struct buf log = BUF_INIT, out = BUF_INIT;
	uint8_t data[CEL_MAX_DATA_BYTES], name[CEL_MAX_NAME_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	next_number = 0;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i; /* NUL, RS, LF, quotes, what is no UTF-8 */
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = (uint8_t)(i * 4);
	add(&log, 11, name, sizeof(name), data, sizeof(data), CEL_MAX_BANKS);
	add(&log, 0, "", 0, "", 0, CEL_MAX_BANKS);
	add(&log, 23, "x", 1, data, 1, CEL_MAX_BANKS);
	assert_ok(cel_json_export(view(&log), &out, &e), &e);
	assert_int_equal(assert_same_events(view(&log), view(&out)), 3);
}

/* --- refused, and nothing written --- */

static void refused(const struct buf *log, const char *part)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	buf_str(&out, "kept");
	assert_refused(cel_json_export(view(log), &out, &e), &e, EINVAL, part);
	assert_int_equal(out.len, 4);
}

static void what_is_not_a_sound_log_of_ours_is_not_exported(void **state)
{
	cleanup_buf struct buf log = BUF_INIT, firmware = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read(BOOT, 65536, &log, &e), &e);
	log.len--;
	refused(&log, "cut short");
	log.len++;
	log.data[log.len - 1] ^= 1; /* of the last record's data */
	refused(&log, "not that of its data");
	log.data[log.len - 1] ^= 1;
	log.data[12]++; /* the first record's number */
	refused(&log, "has number 1, wanted 0");
	assert_ok(file_read("tests/data/predict/ovmf-2025.02-disk.eventlog", 1 << 20, &firmware, &e), &e);
	refused(&firmware, "offset 0");
}

static void a_log_that_could_not_be_read_back_is_not_exported(void **state)
{
	cleanup_buf struct buf log = BUF_INIT, out = BUF_INIT;
	uint8_t data[CEL_MAX_DATA_BYTES] = {0};
	struct err e = ERR_INIT;

	(void)state;
	next_number = 0;
	while (next_number < 100)
		add(&log, 13, "x", 1, data, sizeof(data), 1);
	assert_ok(cel_json_export(view(&log), &out, &e), &e); /* sound, and of a size that is read */
	assert_ok(walk(&json, view(&out), &e), &e);
	while (next_number < 120)
		add(&log, 13, "x", 1, data, sizeof(data), 1);
	refused(&log, "more than a log has");
}

/* --- what the reader wants of such content --- */

#define H_A  "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" /* sha256 of "a" */
#define OURS(content) "\x1e{\"pcr\":13,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"" H_A "\"}],\"content_type\":\"holdfast\"" content "}\n"

static const struct {
	const char *name, *text, *part;
} bad[] = {
	{"data of another digest", OURS(",\"content\":{\"name\":\"x\",\"data\":\"62\"}"), "not that of its data"},
	{"no content", OURS(""), "content"},
	{"content that is no object", OURS(",\"content\":\"a\""), "content"},
	{"no name", OURS(",\"content\":{\"data\":\"61\"}"), "name"},
	{"no data", OURS(",\"content\":{\"name\":\"x\"}"), "data"},
	{"a member more", OURS(",\"content\":{\"name\":\"x\",\"data\":\"61\",\"string\":\"a\"}"), "string"},
	{"half a byte", OURS(",\"content\":{\"name\":\"x\",\"data\":\"616\"}"), "lower-case hex"},
	{"upper-case hex", OURS(",\"content\":{\"name\":\"x\",\"data\":\"6A\"}"), "lower-case hex"},
	{"text for data", OURS(",\"content\":{\"name\":\"x\",\"data\":\"a?\"}"), "lower-case hex"},
	{"a name of 65 bytes",
	 OURS(",\"content\":{\"name\":\"0123456789012345678901234567890123456789012345678901234567890123x\",\"data\":\"61\"}"),
	 "name"},
};

static void bad_content_refuses_with_its_rule(void **state)
{
	static const char good[] = OURS(",\"content\":{\"name\":\"x\",\"data\":\"61\"}");
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(walk(&json, (struct bytes){(const uint8_t *)good, sizeof(good) - 1}, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int rc = walk(&json, (struct bytes){(const uint8_t *)bad[i].text, strlen(bad[i].text)}, &e);

		print_message("  %s: %s\n", bad[i].name, e.msg);
		assert_refused(rc, &e, EINVAL, bad[i].part);
	}
}

static void data_of_513_bytes_is_refused(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	buf_str(&b, "\x1e{\"pcr\":13,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"" H_A
		    "\"}],\"content_type\":\"holdfast\",\"content\":{\"name\":\"x\",\"data\":\"");
	for (size_t i = 0; i < CEL_MAX_DATA_BYTES + 1; i++)
		buf_str(&b, "61");
	buf_str(&b, "\"}}\n");
	assert_refused(walk(&json, view(&b), &e), &e, EINVAL, "data");
}

/* A record that was taken out, and one that was changed: found without a TPM. */
static void an_exported_log_that_was_edited_is_refused(void **state)
{
	static const char head[] = "\x1e{\"pcr\":11,\"recnum\":0,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"";
	cleanup_buf struct buf log = BUF_INIT, out = BUF_INIT, less = BUF_INIT;
	const uint8_t *second, *third;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read(BOOT, 65536, &log, &e), &e);
	assert_ok(cel_json_export(view(&log), &out, &e), &e);
	assert_ok(walk(&json, view(&out), &e), &e);
	second = memchr(out.data + 1, EVENT_LOG_RS, out.len - 1);
	third = memchr(second + 1, EVENT_LOG_RS, out.len - 1 - (size_t)(second - out.data));
	buf_put(&less, out.data, (size_t)(second - out.data));
	buf_put(&less, third, out.len - (size_t)(third - out.data));
	assert_refused(walk(&json, view(&less), &e), &e, EINVAL, "has number 2");
	out.data[sizeof(head)] ^= 1; /* a digit of the first record's digest */
	assert_refused(walk(&json, view(&out), &e), &e, EINVAL, "record 0: sha256 digest is not that of its data");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_this),
		cmocka_unit_test(a_boot_comes_back_the_same),
		cmocka_unit_test(every_bank_and_size_comes_back_the_same),
		cmocka_unit_test(what_is_not_a_sound_log_of_ours_is_not_exported),
		cmocka_unit_test(a_log_that_could_not_be_read_back_is_not_exported),
		cmocka_unit_test(bad_content_refuses_with_its_rule),
		cmocka_unit_test(data_of_513_bytes_is_refused),
		cmocka_unit_test(an_exported_log_that_was_edited_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
