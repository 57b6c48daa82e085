/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/image-builder/test_firmware.c - firmware files are read as they are laid out, and lies are refused
 *
 * tests/data/firmware was made by a script from the PI specification's tables, with Python's lzma: volumes as OVMF and AAVMF
 * lay them out, some hundred bytes each. The digests below are sha256sum of the volumes that the script put in. What the real files
 * give is compared with real boots by tests/vm/cases/chain (every PCR judged).
 */
#include "tests/image-builder/make.h"

#include "common/hex.h"
#include "image-builder/firmware.h"

#define DATA "tests/data/firmware/"

static void is_digest(const struct fv *fv, const char *wanted)
{
	char hex[2 * HASH_SHA256_BYTES + 1];
	uint8_t digest[HASH_SHA256_BYTES];

	hash_sha256(fv->data, fv->len, digest);
	hex_encode(digest, sizeof(digest), hex);
	assert_string_equal(hex, wanted);
}

static void both_shapes_of_file_are_read(void **state)
{
	cleanup_buf struct buf x86 = load(DATA "good-x86_64.fd"), arm64 = load(DATA "good-arm64.fd");
	cleanup_firmware struct firmware f = { 0 }, g = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(firmware_parse(x86.data, x86.len, &f, &e), &e);
	assert_string_equal(f.version, "1.2-test");
	assert_true(f.pei_in_memory);
	assert_int_equal(f.pei_address, 0x820000);
	assert_int_equal(f.dxe.name[0], 0x20);
	is_digest(&f.pei, "a661736d4c4717f60ec01be4368d0bd4f0132fda5d7deff5a1ac6b39c3bd6271");
	is_digest(&f.dxe, "974c55e798a9b0d5c1a6d1e124f29dc014fe5ef80cce437d19e4a33451d8b912");
	assert_ok(firmware_parse(arm64.data, arm64.len, &g, &e), &e);
	assert_string_equal(g.version, "1.2-test");
	assert_false(g.pei_in_memory);
	is_digest(&g.pei, "edf3cc103a379e603f4abf511ca01a5157987e7f3e85ec28f38778007aba15d4");
	is_digest(&g.dxe, "974c55e798a9b0d5c1a6d1e124f29dc014fe5ef80cce437d19e4a33451d8b912");
}

static void malformed_files_are_refused_with_the_rule(void **state)
{
	static const struct {
		const char *file, *part;
	} bad[] = {
		{ "no-volume", "no firmware volume in 300 bytes" },
		{ "signature", "no firmware volume in" },
		{ "cut-in-header", "no \"_FVH\" at its offset 40" },
		{ "volume-outside", "a volume of 0x100000 bytes" },
		{ "volume-length-wraps", "a volume of 0xfffffffffffffff8 bytes" },
		{ "header-checksum", "the checksum of the volume's header" },
		{ "extended-outside", "extended header at 0xfff0 does not fit" },
		{ "extended-in-header", "extended header at 0x10 does not fit" },
		{ "file-outside", "file at 0x48 has 0xfffff0 bytes" },
		{ "file-size-zero", "file at 0x48 has 0x0 bytes" },
		{ "file-checksum", "file at 0x48: its header's checksum" },
		{ "section-outside", "section at 0x0 has 0xfffff0 bytes" },
		{ "section-size-zero", "section at 0x0 has 0x0 bytes" },
		{ "guided-offset", "data at 0xfff0 of" },
		{ "guided-offset-in-header", "data at 0x8 of" },
		{ "not-lzma", "no LZMA-compressed volume" },
		{ "lzma-broken", "the firmware's compressed section: xz failed" },
		{ "no-compressed-volume", "no LZMA-compressed volume" },
		{ "no-pei-core", "no volume with a PEI core" },
		{ "no-dxe-core", "no volume with a DXE core" },
		{ "two-pei-cores", "2 files of type 0x4 in one volume" },
		{ "two-pei-volumes", "a second volume with a PEI core" },
		{ "inner-volume", "unpacked firmware: the checksum" },
		{ "inner-section", "has 0x1000 bytes, where 0x4 are left" },
		{ "address-no-page", "no place for a volume" },
		{ "address-below-zero", "no place for a volume" },
		{ "pei-core-no-pe", "no PE32 section" },
		{ "no-tcg2pei", "no Tcg2Pei" },
		{ "no-version", "holds no text" },
		{ "two-versions", "more than one text" },
		{ "version-too-long", "one of 65 characters" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_firmware struct firmware f = { 0 };
		struct err e = ERR_INIT;
		char path[128];

		(void)snprintf(path, sizeof(path), DATA "bad-%s.fd", bad[i].file);
		{
			cleanup_buf struct buf b = load(path);

			assert_true(firmware_parse(b.data, b.len, &f, &e) < 0);
			if (!strstr(e.msg, bad[i].part))
				fail_msg("%s: \"%s\" lacks \"%s\"", bad[i].file, e.msg, bad[i].part);
		}
	}
}

/* A file cut anywhere, or with any one byte changed, is read within its bytes (sanitizers watch) or refused. */
static void no_cut_and_no_changed_byte_leaves_the_file(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-arm64.fd");
	const uint8_t *volume = b.data + 4096;
	size_t len = b.len - 4096, whole = 0;

	(void)state;
	for (size_t n = 0; n < len; n++) {
		cleanup_free uint8_t *cut = malloc(n ? n : 1);
		struct err e = ERR_INIT;
		struct fv fv;

		assert_non_null(cut);
		memcpy(cut, volume, n);
		assert_int_equal(fv_parse(cut, n, "cut", &fv, &e), -EINVAL);
	}
	for (size_t i = 0; i < len; i++) {
		cleanup_free uint8_t *bent = malloc(len);
		cleanup_firmware struct firmware f = { 0 };
		struct err e = ERR_INIT;
		struct fv fv;

		assert_non_null(bent);
		memcpy(bent, volume, len);
		bent[i] ^= 0xff;
		if (fv_parse(bent, len, "bent", &fv, &e))
			continue;
		whole++;
		assert_true(firmware_find(&fv, &f, &e) < 0); /* nothing was unpacked: no DXE core */
	}
	assert_true(whole > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_shapes_of_file_are_read),
		cmocka_unit_test(malformed_files_are_refused_with_the_rule),
		cmocka_unit_test(no_cut_and_no_changed_byte_leaves_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
