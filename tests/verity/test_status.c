/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/verity/test_status.c - everything the kernel says of a device: read, or refused with the word that is wrong */
#include "tests/common/check.h"

#include "verity/open.h"
#include "verity/status.h"

#include <stdio.h>
#include <sys/sysmacros.h>

#define ROOT    "0284d8b865f35cbb762e25d90dee927c3741abe663648dba21ff48731d0ee2ed"
#define HEAD    "1 254:1 254:2 4096 4096 129 1 sha256 " ROOT " -"
#define SECTORS (129 * 8)

static int parse(const char *table, const char *status, uint64_t sectors, struct verity_status *s, struct err *e)
{
	struct verity_table_text t = {.name = "n", .dev = makedev(254, 7), .sectors = sectors};

	(void)snprintf(t.table, sizeof(t.table), "%s", table);
	(void)snprintf(t.status, sizeof(t.status), "%s", status);
	return verity_status_parse(&t, s, e);
}

static void what_the_kernel_says_is_read(void **state)
{
	struct err e = ERR_INIT;
	struct verity_status s;

	(void)state;
	assert_ok(parse(HEAD, "V", SECTORS, &s, &e), &e);
	assert_false(s.is_corrupt || s.has_counter || s.fec_roots || s.options || s.signature_key[0]);
	/* as Linux 6.12 prints it for a device made by `open` with error correction */
	assert_ok(parse(HEAD " 9 panic_on_corruption use_fec_from_device 254:3 fec_blocks 133 fec_start 5 fec_roots 24", "C", SECTORS, &s, &e), &e);
	assert_true(s.is_corrupt);
	assert_int_equal(s.options, 1u << VERITY_OPTION_PANIC_ON_CORRUPTION);
	assert_int_equal(s.fec_roots, 24);
	assert_int_equal(s.fec_blocks, 133);
	assert_int_equal(s.fec_start, 5);
	assert_true(s.fec_dev == makedev(254, 3) && s.data_dev == makedev(254, 1) && s.hash_dev == makedev(254, 2));
	/* newer kernels count */
	assert_ok(parse(HEAD, "V 17", SECTORS, &s, &e), &e);
	assert_true(s.has_counter && s.corrected == 17);
	assert_ok(parse(HEAD, "V -", SECTORS, &s, &e), &e);
	assert_false(s.has_counter);
	assert_ok(parse("0 254:1 254:2 512 1024 8 2 sha1 00112233445566778899aabbccddeeff00112233 0a0b 2 root_hash_sig_key_desc k:x", "V",
			8, &s, &e), &e);
	assert_int_equal(s.hash_type, 0);
	assert_int_equal(s.root_hash_bytes, 20);
	assert_int_equal(s.salt_bytes, 2);
	assert_string_equal(s.signature_key, "k:x");
}

static void anything_else_is_refused(void **state)
{
	static const struct {
		const char *table, *status;
		uint64_t sectors;
		const char *part;
	} bad[] = {
		{"", "V", SECTORS, "0 words"},
		{"2 254:1 254:2 4096 4096 129 1 sha256 " ROOT " -", "V", SECTORS, "word 1"},
		{"1 254 254:2 4096 4096 129 1 sha256 " ROOT " -", "V", SECTORS, "device numbers"},
		{"1 254:1 254:2 1000 4096 129 1 sha256 " ROOT " -", "V", SECTORS, "block sizes"},
		{HEAD, "V", SECTORS + 8, "word 6"},
		{"1 254:1 254:2 4096 4096 129 x sha256 " ROOT " -", "V", SECTORS, "word 7"},
		{"1 254:1 254:2 4096 4096 129 1 sha256 028 -", "V", SECTORS, "root digest"},
		{"1 254:1 254:2 4096 4096 129 1 sha256 " ROOT " xy", "V", SECTORS, "salt"},
		{HEAD " 1", "V", SECTORS, "0 optional words"},
		{HEAD " 1 no_such_word", "V", SECTORS, "no_such_word"},
		{HEAD " 1 fec_roots", "V", SECTORS, "fec_roots"},
		{HEAD " 2 fec_roots 25", "V", SECTORS, "fec_roots"},
		{HEAD " 2 fec_roots 1", "V", SECTORS, "fec_roots"},
		{HEAD, "", SECTORS, "verity status"},
		{HEAD, "X", SECTORS, "verity status"},
		{HEAD, "VC", SECTORS, "verity status"},
		{HEAD, "V x", SECTORS, "wanted a number"},
		{HEAD, "V 99999999999999999999", SECTORS, "wanted a number"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct verity_status s = {.corrected = 77};
		struct err e = ERR_INIT;

		assert_refused(parse(bad[i].table, bad[i].status, bad[i].sectors, &s, &e), &e, EMEDIUMTYPE, bad[i].part);
		assert_int_equal(s.corrected, 77);
	}
}

static void open_refuses_before_anything_is_touched(void **state)
{
	static const uint8_t root_hash[32] = {1};
	struct verity_open_params p = {
		.base = {.name = "x", .data_device = "/dev/null", .hash_device = "/dev/null", .root_hash = root_hash}, .root_hash_bytes = 32};
	struct verity_open_result res;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(verity_open(&p, &res, &e), &e, ENOTBLK, "/dev/null is not a block device");
	p.options = 1u << VERITY_OPTION_PANIC_ON_ERROR;
	assert_refused(verity_open(&p, &res, &e), &e, ENOTBLK, "/dev/null is not a block device");
	p.options |= 1u << VERITY_OPTION_RESTART_ON_ERROR;
	assert_refused(verity_open(&p, &res, &e), &e, EINVAL, "restart_on_error and panic_on_error");
	p.options = 1u << VERITY_OPTION_PANIC_ON_CORRUPTION | 1u << VERITY_OPTION_RESTART_ON_CORRUPTION;
	assert_refused(verity_open(&p, &res, &e), &e, EINVAL, "restart_on_corruption and panic_on_corruption");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_says_is_read),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(open_refuses_before_anything_is_touched),
	};

	return cmocka_run_group_tests_name("verity/status", tests, NULL, NULL);
}
