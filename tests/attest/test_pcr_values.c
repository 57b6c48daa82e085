/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_pcr_values.c - PCR values in every form that people have them in, and each way to be none
 *
 * tests/data/pcr-values is by tpm2-tools 5.4 against swtpm (banks sha1, sha256, sha384; PCR 4 and 11 extended):
 * tpm2_quote -l sha256:0,1,...,15 -o good-one-bank.serialized; -l sha1:0,1,2+sha256:0,1,2 -o good-two-banks.serialized;
 * tpm2_pcrread sha256:0,...,15 >good-pcrread.txt; tpm2_pcrread sha1:0,1+sha256:0,...,15 -F serialized -o good-pcrread.serialized.
 */
#include "tests/attest/world.h"

#include "attest/pcr_values.h"
#include "common/file.h"

static struct pcr_values v; /* large */

static int parse(const char *text, struct err *e)
{
	return pcr_values_parse((struct bytes){(const uint8_t *)text, strlen(text)}, "values", &v, e);
}

#define H "8c374a53782642f7514d087d26a3e733f1b806009a03e04a43b288ef2fa9f9c0"

static void real_files_of_every_form_say_the_same(void **state)
{
	static const struct {
		const char *name;
		size_t n;
	} files[] = {{"good-one-bank.serialized", 16},
		     {"good-pcrread.txt", 16},
		     {"good-pcrread.serialized", 18},
		     {"good-two-banks.serialized", 6}};
	uint8_t four[32] = {0};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const struct pcr_value *p;
		char path[96];

		(void)snprintf(path, sizeof(path), "tests/data/pcr-values/%s", files[i].name);
		assert_ok(pcr_values_load(path, &v, &e), &e);
		assert_int_equal(v.n, files[i].n);
		assert_non_null(pcr_values_find(&v, HASH_SHA256, 2));
		assert_null(pcr_values_find(&v, HASH_SHA256, 16));
		p = pcr_values_find(&v, HASH_SHA256, 4);
		if (i == 3) {
			assert_null(p);
			assert_non_null(pcr_values_find(&v, HASH_SHA1, 1));
			continue;
		}
		assert_non_null(p);
		if (!i)
			memcpy(four, p->digest, 32);
		assert_memory_equal(p->digest, four, 32);
		assert_false(hash_is_zero(p->digest, 32));
	}
}

static void lines_are_read_with_comments_and_either_case(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("# of the TPM\n\nsha256 4 " H "\n  sha1 0 0000000000000000000000000000000000000003", &e), &e);
	assert_int_equal(v.n, 2);
	assert_int_equal(pcr_values_find(&v, HASH_SHA1, 0)->digest[19], 3);
	assert_ok(parse("  sha256:\n    4 : 0x8C374A53782642F7514D087D26A3E733F1B806009A03E04A43B288EF2FA9F9C0\n", &e), &e);
	assert_int_equal(pcr_values_find(&v, HASH_SHA256, 4)->digest[0], 0x8c);
}

static const struct {
	const char *text, *part;
} bad[] = {
	{"", "names no PCR"},
	{"# nothing\n", "names no PCR"},
	{"sha256 4 " H "\nsha256 4 " H "\n", "line 2: sha256:4 stands there twice"},
	{"sha256 24 " H "\n", "wanted 0 to 23"},
	{"sha256 4 8c37\n", "has 4 digits"},
	{"sha256 4 " H "00\n", "has 66 digits"},
	{"sha256 4 " H " more\n", "wanted \"ALG INDEX HEX\""},
	{"md5 4 " H "\n", "no bank is called \"md5\""},
	{"    4 : 0x" H "\n", "before the name of its bank"},
	{"what:\n", "no bank is called"},
	{"{\"pcrs\":{}}\n", "wanted \"ALG INDEX HEX\""},
};

static void bad_text_refuses_with_its_line(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_refused(parse(bad[i].text, &e), &e, EINVAL, bad[i].part);
}

static void a_serialized_file_is_taken_whole_or_not(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read("tests/data/pcr-values/good-two-banks.serialized", 65536, &b, &e), &e);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(pcr_values_parse((struct bytes){b.data, n}, "f", &v, &e), -EINVAL);
	buf_u8(&b, 0);
	assert_refused(pcr_values_parse((struct bytes){b.data, b.len}, "f", &v, &e), &e, EINVAL, "more bytes");
	b.len--;
	b.data[0] = 17;
	assert_refused(pcr_values_parse((struct bytes){b.data, b.len}, "f", &v, &e), &e, EINVAL, "selection 2 is of bank 0x0");
	b.data[0] = 1; /* sha1 only: three digests are left over */
	assert_refused(pcr_values_parse((struct bytes){b.data, b.len}, "f", &v, &e), &e, EINVAL, "more digests");
	b.data[0] = 2;
	b.data[4 + 3] |= 0x80; /* one PCR more than there are digests for its bank */
	assert_refused(pcr_values_parse((struct bytes){b.data, b.len}, "f", &v, &e), &e, EINVAL, "sha1:7 has 32 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_files_of_every_form_say_the_same),
		cmocka_unit_test(lines_are_read_with_comments_and_either_case),
		cmocka_unit_test(bad_text_refuses_with_its_line),
		cmocka_unit_test(a_serialized_file_is_taken_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
