/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/test_cbor.c - one value has one encoding, and everything else is refused with its place */
#include "tests/common/check.h"

#include "attest/cbor.h"
#include "attest/evidence.h"
#include "common/hex.h"

#define MAX_N 1000

enum item { ITEM_MAP, ITEM_UINT, ITEM_BYTES, ITEM_TEXT, ITEM_KEY };

static int read_item(enum item item, struct reader *r, struct err *e)
{
	struct bytes b;
	uint64_t v;

	switch (item) {
	case ITEM_MAP:
		return cbor_map(r, 2, e);
	case ITEM_UINT:
		return cbor_uint(r, "number", UINT32_MAX, &v, e);
	case ITEM_BYTES:
		return cbor_bytes(r, "bytes", MAX_N, &b, e);
	case ITEM_TEXT:
		return cbor_text(r, "text", MAX_N, &b, e);
	case ITEM_KEY:
		return cbor_key(r, "v", e);
	}
	return -EINVAL;
}

/* Encodings of RFC 8949 appendix A, and of its rules' edges. */
static void numbers_are_written_in_their_shortest_form_and_read_back(void **state)
{
	static const struct {
		uint64_t v;
		const char *hex;
	} cases[] = {
		{0, "00"},
		{23, "17"},
		{24, "1818"},
		{255, "18ff"},
		{256, "190100"},
		{1000, "1903e8"},
		{65535, "19ffff"},
		{65536, "1a00010000"},
		{1000000, "1a000f4240"},
		{4294967295, "1affffffff"},
		{4294967296, "1b0000000100000000"},
		{UINT64_MAX, "1bffffffffffffffff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf b = BUF_INIT;
		char hex[32];
		struct err e = ERR_INIT;
		struct reader r;
		uint64_t v;

		cbor_put_uint(&b, cases[i].v);
		hex_encode(b.data, b.len, hex);
		assert_string_equal(hex, cases[i].hex);
		r = reader_init(b.data, b.len);
		assert_ok(cbor_uint(&r, "number", UINT64_MAX, &v, &e), &e);
		assert_true(v == cases[i].v);
		assert_ok(cbor_end(&r, &e), &e);
	}
}

static void strings_and_maps_are_read_in_place(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct reader r;
	struct bytes v;

	(void)state;
	cbor_put_map(&b, 2);
	cbor_put_text(&b, "v");
	cbor_put_bytes(&b, "\0\1\2", 3);
	cbor_put_text(&b, "IETF");
	cbor_put_text(&b, "~ ");
	r = reader_init(b.data, b.len);
	assert_ok(cbor_map(&r, 2, &e), &e);
	assert_ok(cbor_key(&r, "v", &e), &e);
	assert_ok(cbor_bytes(&r, "v", 3, &v, &e), &e);
	assert_int_equal(v.n, 3);
	assert_memory_equal(v.p, "\0\1\2", 3);
	assert_ok(cbor_key(&r, "IETF", &e), &e);
	assert_ok(cbor_text(&r, "IETF", 2, &v, &e), &e);
	assert_memory_equal(v.p, "~ ", 2);
	assert_ok(cbor_end(&r, &e), &e);
}

static void everything_but_the_one_encoding_is_refused(void **state)
{
	static const struct {
		enum item item;
		const char *hex;
		const char *part;
	} cases[] = {
		{ITEM_UINT, "", "number at byte 0: the input ends here"},
		{ITEM_UINT, "18", "ends inside its head"},
		{ITEM_UINT, "1b00000001", "ends inside its head"},
		{ITEM_UINT, "1817", "not in its shortest form"},
		{ITEM_UINT, "1900ff", "not in its shortest form"},
		{ITEM_UINT, "1a0000ffff", "not in its shortest form"},
		{ITEM_UINT, "1b00000000ffffffff", "not in its shortest form"},
		{ITEM_UINT, "1b0000000100000000", "is 4294967296, at most 4294967295"},
		{ITEM_UINT, "1c", "reserved"},
		{ITEM_UINT, "1f", "indefinite"},
		{ITEM_UINT, "20", "another type"},
		{ITEM_UINT, "c100", "another type"},
		{ITEM_UINT, "f5", "another type"},
		{ITEM_UINT, "f90000", "another type"},
		{ITEM_BYTES, "5f4101ff", "indefinite"},
		{ITEM_BYTES, "4201", "the input ends inside it"},
		{ITEM_BYTES, "580101", "not in its shortest form"},
		{ITEM_BYTES, "5903e9", "has 1001 bytes, at most 1000"},
		{ITEM_BYTES, "5bffffffffffffffff", "at most 1000"},
		{ITEM_BYTES, "6161", "another type"},
		{ITEM_TEXT, "7f6161ff", "indefinite"},
		{ITEM_TEXT, "4161", "another type"},
		{ITEM_TEXT, "6100", "printable ASCII"},
		{ITEM_TEXT, "611b", "printable ASCII"},
		{ITEM_TEXT, "62c3a9", "printable ASCII"},
		{ITEM_TEXT, "617f", "printable ASCII"},
		{ITEM_TEXT, "780161", "not in its shortest form"},
		{ITEM_MAP, "a1", "has 1 members, wanted exactly 2"},
		{ITEM_MAP, "a3", "has 3 members, wanted exactly 2"},
		{ITEM_MAP, "bf", "indefinite"},
		{ITEM_MAP, "b802", "not in its shortest form"},
		{ITEM_MAP, "82", "another type"},
		{ITEM_KEY, "6177", "not \"v\""},
		{ITEM_KEY, "627676", "not \"v\""},
		{ITEM_KEY, "60", "not \"v\""},
		{ITEM_KEY, "4176", "wanted key \"v\""},
		{ITEM_KEY, "01", "wanted key \"v\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[32];
		size_t n = strlen(cases[i].hex) / 2;
		struct err e = ERR_INIT;
		struct reader r;

		assert_true(hex_decode(cases[i].hex, bytes, n));
		r = reader_init(bytes, n);
		assert_refused(read_item(cases[i].item, &r, &e), &e, EINVAL, cases[i].part);
		assert_true(r.bad);
	}
}

static void trailing_bytes_are_refused(void **state)
{
	struct reader r = reader_init("\x01\x02", 2);
	struct err e = ERR_INIT;
	uint64_t v;

	(void)state;
	assert_ok(cbor_uint(&r, "number", 9, &v, &e), &e);
	assert_refused(cbor_end(&r, &e), &e, EINVAL, "1 bytes stand behind the end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_in_their_shortest_form_and_read_back),
		cmocka_unit_test(strings_and_maps_are_read_in_place),
		cmocka_unit_test(everything_but_the_one_encoding_is_refused),
		cmocka_unit_test(trailing_bytes_are_refused),
	};

	return cmocka_run_group_tests_name("attest/cbor", tests, NULL, NULL);
}
