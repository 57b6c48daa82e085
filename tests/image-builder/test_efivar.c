/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_efivar.c - the bytes of Secure Boot variables and the digests firmware logs for them */
#include "tests/image-builder/make.h"

#include "common/hex.h"
#include "image-builder/efivar.h"

static void digests_are_those_of_ovmf(void **state)
{
	char hex[2 * HASH_SHA256_BYTES + 1];
	uint8_t digest[HASH_SHA256_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	/* OVMF 2025.02's log, tpm2_eventlog: EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot with data 01, and (another
	 * machine) 00 */
	assert_ok(efivar_event_digest(EFIVAR_GLOBAL, "SecureBoot", "\x01", 1, digest, &e), &e);
	hex_encode(digest, sizeof(digest), hex);
	assert_string_equal(hex, "ccfc4bb32888a345bc8aeadaba552b627d99348c767681ab3141f5b01e40a40e");
	assert_ok(efivar_event_digest(EFIVAR_GLOBAL, "SecureBoot", "\x00", 1, digest, &e), &e);
	hex_encode(digest, sizeof(digest), hex);
	assert_string_equal(hex, "115aa827dbccfb44d216ad9ecfda56bdea620b860a94bed5b7a27bba1c4d02d8");
}

static void a_list_is_laid_out_as_the_specification_draws_it(void **state)
{
	cleanup_buf struct buf list = BUF_INIT, data = BUF_INIT;
	cleanup_x509 X509 *cert = NULL;
	struct gpt_uuid owner;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pki_cert_load("tests/data/predict/db.pem", &cert, &e), &e);
	assert_ok(efivar_uuid_parse("11111111-2222-3333-4444-555555555555", &owner, &e), &e);
	assert_ok(efivar_signature_data(cert, &owner, &data, &e), &e);
	assert_ok(efivar_signature_list(cert, &owner, &list, &e), &e);
	/* virt-fw-dump shows of the store that was booted: type x509, one certificate of 772 DER bytes; 28 + 16 + 772 =
	 * 0x330 */
	assert_memory_equal(list.data, "\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72", 16);
	assert_int_equal(list.len, 0x330);
	assert_memory_equal(list.data + 16, "\x30\x03\x00\x00\x00\x00\x00\x00\x14\x03\x00\x00", 12);
	assert_memory_equal(list.data + 28, "\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44\x55\x55\x55\x55\x55\x55", 16);
	assert_int_equal(data.len, 0x314);
	assert_memory_equal(list.data + 28, data.data, data.len);
}

static void guids_are_read_strictly(void **state)
{
	static const char *const bad[] = {"",
					  "11111111-2222-3333-4444-55555555555",
					  "11111111-2222-3333-4444-5555555555550",
					  "11111111222233334444555555555555",
					  "11111111-2222-3333-4444-55555555555G",
					  "A1111111-2222-3333-4444-555555555555",
					  "1111111-12222-3333-4444-555555555555"};
	struct gpt_uuid u;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(efivar_uuid_parse("a1111111-2222-3333-4444-555555555555", &u, &e), &e);
	assert_int_equal(u.b[0], 0xa1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_refused(efivar_uuid_parse(bad[i], &u, &e), &e, EINVAL, "is no GUID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_ovmf),
		cmocka_unit_test(a_list_is_laid_out_as_the_specification_draws_it),
		cmocka_unit_test(guids_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
