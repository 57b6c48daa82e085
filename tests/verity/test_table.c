/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/verity/test_table.c - the kernel's table says what a device is: parsing and proving; and what activation
 * refuses at once */
#include "tests/common/check.h"

#include "common/hex.h"
#include "verity/activate.h"
#include "verity/dm_load.h"
#include "verity/table_add.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define ROOT    "0284d8b865f35cbb762e25d90dee927c3741abe663648dba21ff48731d0ee2ed"
#define HEAD    "1 254:1 254:2 4096 4096 129 1 sha256 " ROOT " -"
#define SECTORS (129 * 8)
#define KEY     " root_hash_sig_key_desc cryptsetup:uuid-root"

static void tables_are_read(void **state)
{
	static const struct {
		const char *text;
		bool is_signed, is_weak;
		enum verity_on_corruption on;
	} good[] = {
		{HEAD, false, false, VERITY_CORRUPTION_EIO},
		{HEAD " 0", false, false, VERITY_CORRUPTION_EIO},
		{HEAD " 1 panic_on_corruption", false, false, VERITY_CORRUPTION_PANIC},
		{HEAD " 2" KEY, true, false, VERITY_CORRUPTION_EIO},
		{HEAD " 3 restart_on_corruption" KEY, true, false, VERITY_CORRUPTION_RESTART},
		{HEAD " 3 ignore_corruption" KEY, true, true, VERITY_CORRUPTION_EIO},
		{HEAD " 3 check_at_most_once" KEY, true, true, VERITY_CORRUPTION_EIO},
		{HEAD " 8 use_fec_from_device 254:3 fec_blocks 10 fec_start 0 fec_roots 2", false, false,
		 VERITY_CORRUPTION_EIO},
	};
	uint8_t root_hash[HASH_SHA256_BYTES];

	(void)state;
	assert_true(hex_decode(ROOT, root_hash, sizeof(root_hash)));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct err e = ERR_INIT;
		struct verity_table t;

		assert_ok(verity_table_parse(good[i].text, SECTORS, &t, &e), &e);
		assert_memory_equal(t.root_hash, root_hash, sizeof(root_hash));
		assert_int_equal(t.data_bytes, 129 * 4096);
		assert_int_equal(t.data_dev, makedev(254, 1));
		assert_int_equal(t.hash_dev, makedev(254, 2));
		assert_int_equal(t.is_signed, good[i].is_signed);
		assert_int_equal(t.is_weak, good[i].is_weak);
		assert_int_equal(t.on_corruption, good[i].on);
	}
}

static void tables_that_say_anything_else_are_refused(void **state)
{
	static const struct {
		const char *text;
		uint64_t sectors;
		const char *part;
	} bad[] = {
		{"", SECTORS, "0 words"},
		{"1 254:1 254:2 4096 4096 129 1 sha256 " ROOT, SECTORS, "9 words"},
		{"0 254:1 254:2 4096 4096 129 1 sha256 " ROOT " -", SECTORS, "version 0"},
		{"1 254:1 254:2 4096 4096 129 1 sha512 " ROOT " -", SECTORS, "sha512"},
		{"1 2541 254:2 4096 4096 129 1 sha256 " ROOT " -", SECTORS, "device numbers"},
		{"1 254:1 254:x 4096 4096 129 1 sha256 " ROOT " -", SECTORS, "device numbers"},
		{"1 254:1 254:2 0 4096 129 1 sha256 " ROOT " -", SECTORS, "blocks of 0 bytes"},
		{"1 254:1 254:2 4096 4096 130 1 sha256 " ROOT " -", SECTORS, "130 blocks"},
		{"1 254:1 254:2 4096 4096 99999999999999999999999 1 sha256 " ROOT " -", SECTORS, "blocks of 4096"},
		{HEAD, SECTORS - 8, "1024 sectors"},
		{"1 254:1 254:2 4096 4096 129 1 sha256 0284 -", SECTORS, "root digest"},
		{HEAD " 1" KEY, SECTORS, "2 optional words where \"1\""},
		{HEAD " x", SECTORS, "where \"x\""},
		{HEAD " 1 root_hash_sig_key_desc", SECTORS, "lacks its value"},
		{HEAD " 2 no_such_option root_hash_sig_key_desc", SECTORS, "\"no_such_option\" is not known"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;
		struct verity_table t = {.data_bytes = 77};

		assert_refused(verity_table_parse(bad[i].text, bad[i].sectors, &t, &e), &e, EMEDIUMTYPE, bad[i].part);
		assert_int_equal(t.data_bytes, 77);
	}
}

static void the_word_of_the_key_hidden_as_a_value_is_no_signature(void **state)
{
	struct err e = ERR_INIT;
	struct verity_table t;

	(void)state;
	assert_ok(verity_table_parse(HEAD " 2 fec_start root_hash_sig_key_desc", SECTORS, &t, &e), &e);
	assert_false(t.is_signed);
}

static void only_exactly_the_wanted_device_proves(void **state)
{
	uint8_t root_hash[HASH_SHA256_BYTES], other[HASH_SHA256_BYTES] = {0};
	struct verity_table good, t;
	struct err e = ERR_INIT;

	(void)state;
	assert_true(hex_decode(ROOT, root_hash, sizeof(root_hash)));
	assert_ok(verity_table_parse(HEAD " 2" KEY, SECTORS, &good, &e), &e);
	assert_ok(verity_table_prove(&good, root_hash, 129 * 4096, &e), &e);
	assert_ok(verity_table_prove(&good, root_hash, 0, &e), &e);
	assert_refused(verity_table_prove(&good, other, 129 * 4096, &e), &e, EBADMSG, "has root digest " ROOT);
	assert_refused(verity_table_prove(&good, root_hash, 128 * 4096, &e), &e, EBADMSG,
		       "528384 bytes, wanted 524288");
	t = good;
	t.is_signed = false;
	assert_refused(verity_table_prove(&t, root_hash, 0, &e), &e, EBADMSG, "without a root hash signature");
	t = good;
	t.is_weak = true;
	assert_refused(verity_table_prove(&t, root_hash, 0, &e), &e, EBADMSG, "does not check every read");
	t = good;
	t.is_corrupt = true;
	assert_refused(verity_table_prove(&t, root_hash, 0, &e), &e, EBADMSG, "corrupted block");
}

static void activation_wants_a_signature_and_block_devices(void **state)
{
	uint8_t root_hash[HASH_SHA256_BYTES] = {0};
	struct verity_activate_params p = {.name = "holdfast-test",
					   .data_device = "/dev/null",
					   .hash_device = "/dev/null",
					   .root_hash = root_hash};
	struct verity_device d;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(verity_activate(&p, &d, &e), &e, EINVAL, "no root hash signature");
	p.signature = root_hash;
	assert_refused(verity_activate(&p, &d, &e), &e, EINVAL, "no root hash signature");
	p.signature_bytes = 1;
	assert_refused(verity_activate_unsigned(&p, &d, &e), &e, EINVAL, "to be opened without");
	assert_refused(verity_activate(&p, &d, &e), &e, ENOTBLK, "/dev/null is not a block device");
	p.data_device = "/nonexistent/data";
	assert_refused(verity_activate(&p, &d, &e), &e, ENOENT, "/nonexistent/data");
}

/* What we load is what the kernel would print: so our own parser of that must agree. */
static void the_table_we_load_says_what_was_asked_for(void **state)
{
	static const struct {
		enum verity_on_corruption on;
		const char *key, *want;
	} cases[] = {
		{ VERITY_CORRUPTION_EIO, NULL, HEAD },
		{ VERITY_CORRUPTION_EIO, "k:1", HEAD " 2 root_hash_sig_key_desc k:1" },
		{ VERITY_CORRUPTION_PANIC, NULL, HEAD " 2 panic_on_corruption panic_on_error" },
		{ VERITY_CORRUPTION_RESTART, "k:1", HEAD " 4 restart_on_corruption restart_on_error root_hash_sig_key_desc k:1" },
	};
	const dev_t dev[2] = { makedev(254, 1), makedev(254, 2) };
	uint8_t root_hash[HASH_SHA256_BYTES];
	struct verity_sb sb;

	(void)state;
	assert_true(hex_decode(ROOT, root_hash, sizeof(root_hash)));
	verity_sb_init(&sb);
	sb.data_blocks = 129;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verity_activate_params p = { .name = "x", .hash_device = "hash", .root_hash = root_hash, .on_corruption = cases[i].on };
		char text[VERITY_DM_TABLE_BYTES];
		struct verity_table t;
		struct err e = ERR_INIT;

		assert_ok(verity_dm_table(&p, &sb, dev, cases[i].key, text, &e), &e);
		assert_string_equal(text, cases[i].want);
		assert_ok(verity_table_parse(text, SECTORS, &t, &e), &e);
		assert_int_equal(t.on_corruption, cases[i].on);
		assert_int_equal(t.on_error, cases[i].on);
		assert_int_equal(t.is_signed, cases[i].key != NULL);
	}
}

static void a_table_that_does_not_fit_is_refused(void **state)
{
	const dev_t dev[2] = { makedev(254, 1), makedev(254, 2) };
	uint8_t root_hash[HASH_SHA256_BYTES] = { 0 };
	struct verity_activate_params p = { .name = "x", .hash_device = "hash", .root_hash = root_hash };
	char text[VERITY_DM_TABLE_BYTES], key[VERITY_DM_TABLE_BYTES] = "";
	struct verity_sb sb;
	struct err e = ERR_INIT;

	(void)state;
	verity_sb_init(&sb);
	memset(sb.salt, 0xff, sb.salt_bytes = VERITY_MAX_SALT_BYTES);
	sb.data_blocks = UINT64_MAX / 4096;
	assert_ok(verity_dm_table(&p, &sb, dev, "k", text, &e), &e); /* the longest salt fits */
	memset(key, 'k', sizeof(key) - 1);
	assert_refused(verity_dm_table(&p, &sb, dev, key, text, &e), &e, EINVAL, "does not fit");
}

static void words_are_added_to_a_table(void **state)
{
	static const char *const words[] = {"restart_on_error", "panic_on_corruption"};
	static const struct {
		const char *text, *with;
		size_t n;
	} good[] = {
		{HEAD, HEAD " 1 restart_on_error", 1},
		{HEAD " 0", HEAD " 2 restart_on_error panic_on_corruption", 2},
		{HEAD " 1 panic_on_corruption", HEAD " 2 panic_on_corruption restart_on_error", 1},
		{HEAD " 2" KEY, HEAD " 4" KEY " restart_on_error panic_on_corruption", 2},
	};
	char long_word[VERITY_TABLE_TEXT_BYTES], with[VERITY_TABLE_TEXT_BYTES];
	const char *too_long = long_word;
	struct verity_table t;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_ok(verity_table_add_words(good[i].text, words, good[i].n, with, &e), &e);
		assert_string_equal(with, good[i].with);
		assert_ok(verity_table_parse(with, SECTORS, &t, &e), &e);
	}
	assert_refused(verity_table_add_words(HEAD " many", words, 1, with, &e), &e, EMEDIUMTYPE, "\"many\"");
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = 0;
	assert_refused(verity_table_add_words(HEAD, &too_long, 1, with, &e), &e, E2BIG, "4096 fit");
}

static void signature_errors_are_told_from_others(void **state)
{
	(void)state;
	assert_true(verity_is_signature_error(-ENOKEY) && verity_is_signature_error(-EKEYREJECTED));
	assert_true(verity_is_signature_error(-EKEYREVOKED) && verity_is_signature_error(-EKEYEXPIRED));
	assert_false(verity_is_signature_error(0) || verity_is_signature_error(-EBADMSG) ||
		     verity_is_signature_error(-EINVAL));
	assert_false(verity_is_signature_error(ENOKEY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_read),
		cmocka_unit_test(tables_that_say_anything_else_are_refused),
		cmocka_unit_test(the_word_of_the_key_hidden_as_a_value_is_no_signature),
		cmocka_unit_test(only_exactly_the_wanted_device_proves),
		cmocka_unit_test(activation_wants_a_signature_and_block_devices),
		cmocka_unit_test(the_table_we_load_says_what_was_asked_for),
		cmocka_unit_test(a_table_that_does_not_fit_is_refused),
		cmocka_unit_test(words_are_added_to_a_table),
		cmocka_unit_test(signature_errors_are_told_from_others),
	};

	return cmocka_run_group_tests_name("verity/table", tests, NULL, NULL);
}
