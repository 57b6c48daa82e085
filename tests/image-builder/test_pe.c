/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_pe.c - EFI programs are read, and what lies about its layout is refused */
#include "tests/image-builder/make.h"

#include "image-builder/pe.h"

#define DATA "tests/data/pe/"

static void a_stub_is_read_as_objdump_shows_it(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-stub.efi");
	struct err e = ERR_INIT;
	const uint8_t *text;
	struct pe pe;
	size_t n;

	(void)state;
	assert_ok(pe_parse(b.data, b.len, "stub", &pe, &e), &e);
	/* objdump -h tests/data/pe/good-stub.efi: .text 00000123 vma 14df91000 at 00000400; .sbat 00000020 vma
	 * 14df92000 at 00000600 */
	assert_int_equal(pe.machine, PE_MACHINE_X86_64);
	assert_int_equal(pe.n_sections, 2);
	assert_string_equal(pe.section[0].name, ".text");
	assert_int_equal(pe.section[0].virtual_bytes, 0x123);
	assert_int_equal(pe.section[0].virtual_address, 0x1000);
	assert_int_equal(pe.section[0].raw_offset, 0x400);
	assert_int_equal(pe.image_bytes, 0x3000);
	assert_int_equal(pe.cert_bytes, 0);
	assert_null(pe_find(&pe, ".initrd"));
	text = pe_content(&pe, pe_find(&pe, ".sbat"), &n);
	assert_int_equal(n, 0x20);
	assert_memory_equal(text, "sbat,1,SBAT", 11);
}

static void the_machine_is_told_apart(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-stub-arm64.efi");
	struct err e = ERR_INIT;
	struct pe pe;

	(void)state;
	assert_ok(pe_parse(b.data, b.len, "stub", &pe, &e), &e);
	assert_int_equal(pe.machine, pe_machine("arm64"));
	assert_int_not_equal(pe.machine, pe_machine("x86_64"));
	assert_int_equal(pe_machine("riscv64"), 0);
}

static void malformed_programs_are_refused_with_the_rule(void **state)
{
	static const struct {
		const char *file, *part;
	} bad[] = {
		{"empty", "does not begin with MZ"},
		{"no-mz", "does not begin with MZ"},
		{"lfanew-outside", "PE header at offset 4294967280"},
		{"no-pe-signature", "no PE signature at offset 64"},
		{"no-sections", "0 sections"},
		{"too-many-sections", "65 sections, wanted 1 to 64"},
		{"optional-header-short", "optional header of 100 bytes"},
		{"cut-in-optional-header", "optional header of 240 bytes"},
		{"pe32", "magic 0x10b"},
		{"alignment-zero", "alignments 0 and 512"},
		{"alignment-odd", "alignments 4096 and 513"},
		{"few-directories", "4 data directories"},
		{"headers-outside", "SizeOfHeaders is 65536"},
		{"headers-end-in-section-table", "section table ends at 408"},
		{"image-too-small", "SizeOfImage is 0x2000"},
		{"certificate-outside", "certificate table of 16 bytes at offset 2048"},
		{"certificate-not-at-end", "wanted the end of 2048 bytes"},
		{"certificate-over-section", "overlaps a section that ends at 2048"},
		{"section-raw-outside", "512 bytes at offset 1792, file has 2048"},
		{"cut-in-section", "512 bytes at offset 1536, file has 1792"},
		{"section-raw-wraps", "4294966784 bytes at offset 1024"},
		{"section-raw-overlap", "section .sbat at offset 1024 overlaps"},
		{"section-address-overlap", "section .sbat at address 0x1000 overlaps"},
		{"section-address-unaligned", "address 0x2010"},
		{"section-address-wraps", "ends beyond 4 GiB"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;
		struct pe pe = {.n_sections = 77};
		char path[128];

		(void)snprintf(path, sizeof(path), DATA "bad-%s.efi", bad[i].file);
		cleanup_buf struct buf b = load(path);
		assert_refused(pe_parse(b.data, b.len, bad[i].file, &pe, &e), &e, EINVAL, bad[i].part);
		assert_int_equal(pe.n_sections, 77);
	}
}

static void the_checksum_is_the_one_of_another_implementation(void **state)
{
	static const uint8_t odd[] = {1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 5};

	(void)state;
	/* python3-pefile's generate_checksum() on good-stub.efi; see also test_uki.c, where it checks a whole UKI */
	assert_int_equal(pe_checksum(odd, sizeof(odd), 4), 0x0201 + 0x0403 + 5 + 9);
	cleanup_buf struct buf b = load(DATA "good-stub.efi");
	assert_int_equal(pe_checksum(b.data, b.len, 0x58 + 64), 0x1ca0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stub_is_read_as_objdump_shows_it),
		cmocka_unit_test(the_machine_is_told_apart),
		cmocka_unit_test(malformed_programs_are_refused_with_the_rule),
		cmocka_unit_test(the_checksum_is_the_one_of_another_implementation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
