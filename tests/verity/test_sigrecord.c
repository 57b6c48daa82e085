/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_sigrecord.c - signature records are written as systemd reads them, and read strictly
 *
 * The files in tests/data/verity-sigrecord were made with Python's json and base64 modules: root hash 00 01 .. 1f,
 * fingerprint 20 .. 3f, signature 300 bytes i * 7 mod 256; bad files with the one change their name tells.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "verity/sigrecord.h"

#define DATA "tests/data/verity-sigrecord/"

static void expect_fields(const struct verity_sigrecord *rec)
{
	for (size_t i = 0; i < 32; i++) {
		assert_int_equal(rec->root_hash[i], i);
		assert_int_equal(rec->fingerprint[i], 32 + i);
	}
	assert_int_equal(rec->signature_bytes, 300);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(rec->signature[i], (i * 7) & 255);
}

static void good_records_are_read(void **state)
{
	static const char *const good[] = {"good-partition", "good-no-padding", "good-extra-x-field"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct verity_sigrecord rec;
		struct err e = ERR_INIT;
		char path[128];

		(void)snprintf(path, sizeof(path), DATA "%s.json", good[i]);
		assert_ok(verity_sigrecord_load(path, &rec, &e), &e);
		expect_fields(&rec);
	}
}

static void a_record_encodes_to_the_bytes_of_another_encoder(void **state)
{
	cleanup_buf struct buf want = BUF_INIT, have = BUF_INIT;
	struct verity_sigrecord rec;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read(DATA "good-partition.json", 1 << 20, &want, &e), &e);
	assert_ok(verity_sigrecord_parse(want.data, want.len, "record", &rec, &e), &e);
	assert_ok(verity_sigrecord_encode(&rec, VERITY_SIGRECORD_PARTITION_BYTES, &have, &e), &e);
	assert_int_equal(have.len, want.len);
	assert_memory_equal(have.data, want.data, want.len);
}

static void malformed_records_are_refused(void **state)
{
	static const struct {
		const char *name;
		const char *part;
	} bad[] = {
		{"bad-empty", "ends at byte 0"},
		{"bad-all-nul", "ends at byte 0"},
		{"bad-behind-padding", "other than NUL"},
		{"bad-behind-json", "wanted the end"},
		{"bad-cut", "well-formed value"},
		{"bad-no-root-hash", "\"rootHash\" is missing"},
		{"bad-no-fingerprint", "\"certificateFingerprint\" is missing"},
		{"bad-no-signature", "\"signature\" is missing"},
		{"bad-root-hash-upper", "\"rootHash\" is not 64 lower-case"},
		{"bad-root-hash-short", "\"rootHash\" is not 64 lower-case"},
		{"bad-root-hash-number", "wanted string"},
		{"bad-fingerprint-not-hex", "\"certificateFingerprint\" is not 64"},
		{"bad-signature-empty", "not canonical base64"},
		{"bad-signature-length", "not canonical base64"},
		{"bad-signature-digit", "not canonical base64"},
		{"bad-signature-spare-bits", "not canonical base64"},
		{"bad-signature-spare-bits-2", "not canonical base64"},
		{"bad-signature-padding-inside", "not canonical base64"},
		{"bad-signature-padding-alone", "not canonical base64"},
		{"bad-signature-newline", "not canonical base64"},
		{"bad-signature-too-long", "not canonical base64 of 1 to 8192"},
		{"bad-twice", "stands twice"},
		{"bad-unknown-field", "unknown field \"signer\""},
		{"bad-array", "wanted an object"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct verity_sigrecord rec = {.signature_bytes = 77};
		struct err e = ERR_INIT;
		char path[128];

		(void)snprintf(path, sizeof(path), DATA "%s.json", bad[i].name);
		assert_refused(verity_sigrecord_load(path, &rec, &e), &e, EINVAL, bad[i].part);
		assert_int_equal(rec.signature_bytes, 77);
	}
}

static void a_record_that_does_not_fit_its_partition_is_refused(void **state)
{
	struct verity_sigrecord rec = {.signature_bytes = VERITY_SIGRECORD_MAX_SIGNATURE_BYTES};
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(verity_sigrecord_encode(&rec, VERITY_SIGRECORD_PARTITION_BYTES, &b, &e), &e);
	assert_ok(verity_sigrecord_parse(b.data, b.len, "largest", &rec, &e), &e);
	assert_int_equal(rec.signature_bytes, VERITY_SIGRECORD_MAX_SIGNATURE_BYTES);
	assert_refused(verity_sigrecord_encode(&rec, 4096, &b, &e), &e, EFBIG, "its partition 4096");
	rec.signature_bytes++;
	assert_refused(verity_sigrecord_encode(&rec, 1 << 20, &b, &e), &e, EINVAL, "8193 bytes");
	rec.signature_bytes = 0;
	assert_refused(verity_sigrecord_encode(&rec, 1 << 20, &b, &e), &e, EINVAL, "0 bytes");
}

static void a_missing_file_names_the_path(void **state)
{
	struct verity_sigrecord rec;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(verity_sigrecord_load("/nonexistent/sig", &rec, &e), &e, ENOENT, "/nonexistent/sig");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_records_are_read),
		cmocka_unit_test(a_record_encodes_to_the_bytes_of_another_encoder),
		cmocka_unit_test(malformed_records_are_refused),
		cmocka_unit_test(a_record_that_does_not_fit_its_partition_is_refused),
		cmocka_unit_test(a_missing_file_names_the_path),
	};

	return cmocka_run_group_tests_name("verity/sigrecord", tests, NULL, NULL);
}
