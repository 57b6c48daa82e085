/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_superblock.c - veritysetup's superblocks are read and written byte for byte, others refused
 *
 * Good files: first 512 bytes of
 *   veritysetup format DATA HASH --uuid=12345678-9abc-def0-1122-334455667788
 * over 3 blocks of zeros with --salt=- (good-no-salt), --salt=<"ab" 256 times> (good-long-salt), and --salt=0011
 * --hash=sha512 --format=0 --data-block-size=1024 --hash-block-size=1024 (good-sha512-type-0); cryptsetup 2.6.1.
 * good-*-with-data: likewise with --salt=0011 and the options in their names, and the data behind it (seeds of the fuzzer).
 * Bad files: good-no-salt with the one change their name tells.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "verity/superblock.h"

#define DATA "tests/data/verity-superblock/"

static const char uuid_text[] = "12345678-9abc-def0-1122-334455667788";

static void load(const char *name, struct buf *ret)
{
	char path[128];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), DATA "%s.bin", name);
	assert_ok(file_read(path, 8192, ret, &e), &e);
}

static void good_superblocks_are_read_and_encode_to_the_same_bytes(void **state)
{
	static const struct {
		const char *name;
		uint32_t hash_type, data_block_bytes, hash_block_bytes;
		uint64_t data_blocks;
		enum hash_alg alg;
		uint16_t salt_bytes;
	} good[] = {
		{"good-no-salt", 1, 4096, 4096, 3, HASH_SHA256, 0},
		{"good-long-salt", 1, 4096, 4096, 3, HASH_SHA256, 256},
		{"good-sha512-type-0", 0, 1024, 1024, 12, HASH_SHA512, 2},
		{"good-v0-sha1-with-data", 0, 512, 512, 4, HASH_SHA1, 2},
		{"good-v0-sha256-64k-with-data", 0, 512, 65536, 2, HASH_SHA256, 2},
		{"good-v1-sha512-with-data", 1, 1024, 512, 3, HASH_SHA512, 2},
		{"good-v1-sha256-mixed-with-data", 1, 512, 4096, 9, HASH_SHA256, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cleanup_buf struct buf b = BUF_INIT;
		uint8_t again[VERITY_SB_BYTES];
		char uuid[VERITY_UUID_STR_BYTES];
		struct err e = ERR_INIT;
		struct verity_sb sb;

		load(good[i].name, &b);
		assert_ok(verity_sb_parse(b.data, b.len, good[i].name, &sb, &e), &e);
		assert_int_equal(sb.hash_type, good[i].hash_type);
		assert_int_equal(sb.data_block_bytes, good[i].data_block_bytes);
		assert_int_equal(sb.hash_block_bytes, good[i].hash_block_bytes);
		assert_int_equal(sb.data_blocks, good[i].data_blocks);
		assert_int_equal(sb.alg, good[i].alg);
		assert_int_equal(sb.salt_bytes, good[i].salt_bytes);
		verity_uuid_str(sb.uuid, uuid);
		assert_string_equal(uuid, uuid_text);
		verity_sb_encode(&sb, again);
		assert_memory_equal(again, b.data, sizeof(again));
	}
}

static void malformed_superblocks_are_refused(void **state)
{
	static const struct {
		const char *name;
		int code;
		const char *part;
	} bad[] = {
		{"bad-empty", EINVAL, "0 bytes where a superblock"},
		{"bad-short", EINVAL, "511 bytes"},
		{"bad-magic", ENODATA, "no verity superblock"},
		{"bad-magic-tail", ENODATA, "no verity superblock"},
		{"bad-version", EINVAL, "version 2 at offset 8"},
		{"bad-hash-type", EINVAL, "hash type 2 at offset 12"},
		{"bad-algorithm-empty", EINVAL, "algorithm at offset 32"},
		{"bad-algorithm-unterminated", EINVAL, "algorithm at offset 32"},
		{"bad-algorithm-upper", EINVAL, "algorithm at offset 32"},
		{"bad-algorithm-slash", EINVAL, "algorithm at offset 32"},
		{"bad-algorithm-behind-nul", EINVAL, "algorithm at offset 32"},
		{"bad-data-block-zero", EINVAL, "data block size 0 at offset 64"},
		{"bad-data-block-odd", EINVAL, "data block size 4097"},
		{"bad-data-block-huge", EINVAL, "data block size 1048576"},
		{"bad-hash-block-small", EINVAL, "hash block size 256 at offset 68"},
		{"bad-hash-block-odd", EINVAL, "hash block size 6144"},
		{"bad-no-data", EINVAL, "no data blocks"},
		{"bad-data-overflow", EINVAL, "more than a file can have"},
		{"bad-data-wraps", EINVAL, "more than a file can have"},
		{"bad-salt-size", EINVAL, "salt of 257 bytes"},
		{"bad-salt-size-max", EINVAL, "salt of 65535 bytes"},
		{"bad-salt-not-announced", EINVAL, "padding"},
		{"bad-padding-1", EINVAL, "padding"},
		{"bad-padding-2", EINVAL, "padding"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_buf struct buf b = BUF_INIT;
		struct verity_sb sb = {.hash_type = 77};
		struct err e = ERR_INIT;

		load(bad[i].name, &b);
		assert_refused(verity_sb_parse(b.data, b.len, bad[i].name, &sb, &e), &e, bad[i].code, bad[i].part);
		assert_int_equal(sb.hash_type, 77); /* never written on failure */
	}
}


/* Each kind but one is refused by verity_sb_check_chain(), and most of them can be hashed all the same. */
static void the_chain_of_trust_takes_one_kind(void **state)
{
	static const struct {
		uint32_t hash_type, data_block, hash_block;
		const char *alg, *chain_says, *supported_says;
	} kinds[] = {
		{1, 4096, 4096, "sha256", NULL, NULL},
		{0, 4096, 4096, "sha256", "hash type 0", NULL},
		{1, 1024, 4096, "sha256", "block sizes 1024 (data)", NULL},
		{1, 4096, 65536, "sha256", "65536 (hash)", NULL},
		{1, 4096, 4096, "sha512", "algorithm sha512", NULL},
		{1, 4096, 4096, "sha1", "algorithm sha1", NULL},
		{1, 4096, 4096, "sha384", "algorithm sha384", "algorithm sha384 is not supported"},
		{1, 4096, 4096, "crc32", "algorithm crc32", "algorithm crc32 is not supported"},
		{1, 131072, 4096, "sha256", "block sizes 131072", "131072 (data)"},
		{1, 4096, 131072, "sha256", "block sizes 4096", "131072 (hash)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct err e = ERR_INIT;
		struct verity_sb sb;

		verity_sb_init(&sb);
		sb.hash_type = kinds[i].hash_type;
		sb.data_block_bytes = kinds[i].data_block;
		sb.hash_block_bytes = kinds[i].hash_block;
		sb.alg = hash_by_name(kinds[i].alg);
		memset(sb.algorithm, 0, sizeof(sb.algorithm));
		memcpy(sb.algorithm, kinds[i].alg, strlen(kinds[i].alg));
		if (kinds[i].chain_says)
			assert_refused(verity_sb_check_chain(&sb, "x", &e), &e, ENOTSUP, kinds[i].chain_says);
		else
			assert_ok(verity_sb_check_chain(&sb, "x", &e), &e);
		if (kinds[i].supported_says)
			assert_refused(verity_sb_check_supported(&sb, "x", &e), &e, ENOTSUP, kinds[i].supported_says);
		else
			assert_ok(verity_sb_check_supported(&sb, "x", &e), &e);
	}
}

static void uuids_have_one_written_form_and_two_cases_to_read(void **state)
{
	static const char *const bad[] = {"",
					  "12345678-9abc-def0-1122-33445566778",
					  "12345678-9abc-def0-1122-3344556677889",
					  "123456789-abc-def0-1122-334455667788",
					  "12345678_9abc-def0-1122-334455667788",
					  "1234567g-9abc-def0-1122-334455667788"};
	uint8_t a[VERITY_UUID_BYTES], b[VERITY_UUID_BYTES];

	(void)state;
	assert_true(verity_uuid_parse(uuid_text, a));
	assert_true(verity_uuid_parse("12345678-9ABC-DEF0-1122-334455667788", b));
	assert_memory_equal(a, b, sizeof(a));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(verity_uuid_parse(bad[i], b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_superblocks_are_read_and_encode_to_the_same_bytes),
		cmocka_unit_test(malformed_superblocks_are_refused),
		cmocka_unit_test(the_chain_of_trust_takes_one_kind),
		cmocka_unit_test(uuids_have_one_written_form_and_two_cases_to_read),
	};

	return cmocka_run_group_tests_name("verity/superblock", tests, NULL, NULL);
}
