/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_sealed_token.c - the state volume's token: what we write we read; each other form is refused, with its reason */
#include "tests/common/check.h"

#include "common/file.h"
#include "init/sealed_token.h"

#define DATA "tests/data/sealed-token/"

static int parse_file(const char *name, struct pid1_sealed_token *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char path[200];

	(void)snprintf(path, sizeof(path), DATA "%s.json", name);
	assert_ok(file_read(path, 65536, &b, e), e);
	return pid1_sealed_token_parse((const char *)b.data, b.len, ret, e);
}

static void the_good_file_is_read_and_written_again_byte_by_byte(void **state)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n";
	cleanup_buf struct buf file = BUF_INIT, text = BUF_INIT;
	struct pid1_sealed_token t;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse_file("good-holdfast", &t, &e), &e);
	assert_int_equal(t.blob_bytes, 220);
	assert_int_equal(t.blob[219], (uint8_t)(219 * 37 + 5));
	assert_int_equal(t.pcrs, 1u << 7 | 1u << 11 | 1u << 15);
	assert_int_equal(t.policy[31], 0xab);
	assert_int_equal(t.mac[31], 0xcd);
	assert_ok(pid1_sealed_token_write(&t, pem, &text, &e), &e);
	assert_ok(file_read(DATA "good-holdfast.json", 65536, &file, &e), &e);
	assert_int_equal(text.len, file.len);
	assert_memory_equal(text.data, file.data, text.len);
}

static void each_bad_file_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *name, *part;
	} bad[] = {
		{ "bad-type", "type is \"systemd-fido2\"" },
		{ "bad-two-keyslots", "keyslots is not [\"0\"]" },
		{ "bad-literal-pcrs", "tpm2-pcrs is not empty" },
		{ "bad-no-pin", "tpm2-pin is false" },
		{ "bad-blob-not-base64", "tpm2-blob is not base64" },
		{ "bad-blob-empty", "tpm2-blob is not base64" },
		{ "bad-no-such-pcr", "tpm2_pubkey_pcrs[2] is no number" },
		{ "bad-no-pcrs", "tpm2_pubkey_pcrs is empty" },
		{ "bad-short-mac", "holdfast-mac" },
		{ "bad-no-mac", "holdfast-mac" },
		{ "bad-key-twice", "tpm2-pin" },
		{ "bad-unknown-key", "tpm2_pcrlock_nv" },
		{ "bad-bank", "tpm2-pcr-bank is \"sha1\"" },
		{ "bad-cut", "offset" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pid1_sealed_token t = { .blob_bytes = 4711 };
		struct err e = ERR_INIT;

		assert_refused(parse_file(bad[i].name, &t, &e), &e, EINVAL, bad[i].part);
		assert_int_equal(t.blob_bytes, 4711);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_good_file_is_read_and_written_again_byte_by_byte),
		cmocka_unit_test(each_bad_file_is_refused_with_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
