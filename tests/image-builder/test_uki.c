/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_uki.c - UKIs as ukify makes them, the same bytes each time; wrong inputs are named */
#include "tests/image-builder/make.h"

#include "common/hex.h"
#include "image-builder/uki.h"

#define DATA "tests/data/pe/"

struct inputs {
	struct buf stub, kernel, initrd;
	struct uki_params p;
};

static void set_up(struct inputs *in_)
{
	*in_ = (struct inputs){.stub = load(DATA "good-stub.efi"), .kernel = load(DATA "good-kernel.efi")};
	buf_str(&in_->initrd, "not really an initramfs");
	in_->p = (struct uki_params){
		"x86_64", &in_->stub, &in_->kernel, &in_->initrd, NULL, "console=ttyS0 roothash=00 quiet", "6.12.1-test", NULL};
}

static void tear_down(struct inputs *in_)
{
	buf_free(&in_->stub);
	buf_free(&in_->kernel);
	buf_free(&in_->initrd);
}

static void sections_hold_what_was_given_and_the_initramfs_is_padded(void **state)
{
	cleanup_buf struct buf uki = BUF_INIT, again = BUF_INIT;
	const struct pe_section *s;
	struct err e = ERR_INIT;
	struct inputs i;
	struct pe pe;
	size_t n;

	(void)state;
	set_up(&i);
	assert_ok(uki_build(&i.p, &uki, &e), &e);
	assert_ok(uki_build(&i.p, &again, &e), &e);
	assert_int_equal(uki.len, again.len);
	assert_memory_equal(uki.data, again.data, uki.len);
	assert_ok(pe_parse(uki.data, uki.len, "uki", &pe, &e), &e);
	assert_int_equal(pe.n_sections, 6);
	s = pe_find(&pe, ".cmdline");
	assert_memory_equal(pe_content(&pe, s, &n), i.p.cmdline, strlen(i.p.cmdline));
	assert_int_equal(n, strlen(i.p.cmdline));
	s = pe_find(&pe, ".linux");
	assert_memory_equal(pe_content(&pe, s, &n), i.kernel.data, i.kernel.len);
	s = pe_find(&pe, ".initrd");
	assert_memory_equal(pe_content(&pe, s, &n), "not really an initramfs\0", 24);
	assert_int_equal(n, 24);
	assert_null(pe_find(&pe, ".osrel"));
	assert_int_equal(pe.checksum, pe_checksum(uki.data, uki.len, pe.checksum_offset));
	tear_down(&i);
}

/*
 * The digest below: `ukify build` of systemd 257.13 (Debian 13) on the same three inputs,
 *   ukify build --stub=good-stub.efi --linux=good-kernel.efi --initrd=INITRD --cmdline='console=ttyS0 roothash=00
 * quiet' \
 *     --uname=6.12.1-test --os-release= --output=u.efi
 * ukify leaves CheckSum zero and puts its own line into .sbat; with both undone the files are equal byte for byte.
 */
static void it_is_what_ukify_makes_but_for_checksum_and_sbat(void **state)
{
	cleanup_buf struct buf uki = BUF_INIT;
	uint8_t digest[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];
	struct err e = ERR_INIT;
	struct inputs i;
	struct pe pe;

	(void)state;
	set_up(&i);
	buf_u8(&i.initrd, '\n'); /* 24 bytes: nothing to pad */
	assert_ok(uki_build(&i.p, &uki, &e), &e);
	assert_ok(pe_parse(uki.data, uki.len, "uki", &pe, &e), &e);
	memset(uki.data + pe.checksum_offset, 0, 4);
	hash_sha256(uki.data, uki.len, digest);
	hex_encode(digest, sizeof(digest), hex);
	assert_string_equal(hex, "a912701f33b8860c022581c06f55998506f79fac3bc393b6a50507e1ce6aaed3");
	tear_down(&i);
}

static void the_stub_measures_in_its_own_order(void **state)
{
	static const char *const order[] = {".linux", ".cmdline", ".initrd", ".uname", ".sbat"};
	cleanup_buf struct buf uki = BUF_INIT;
	struct err e = ERR_INIT;
	struct inputs i;
	struct pe pe;

	(void)state;
	set_up(&i);
	assert_ok(uki_build(&i.p, &uki, &e), &e);
	assert_ok(pe_parse(uki.data, uki.len, "uki", &pe, &e), &e);
	for (size_t k = 0; k < ARRAY_SIZE(order); k++)
		assert_string_equal(uki_measured(&pe, k)->name, order[k]);
	assert_null(uki_measured(&pe, ARRAY_SIZE(order)));
	tear_down(&i);
}

static void nx_is_promised_only_if_the_kernel_promises_it(void **state)
{
	cleanup_buf struct buf uki = BUF_INIT, nx = BUF_INIT;
	struct err e = ERR_INIT;
	struct inputs i;
	struct pe pe;

	(void)state;
	set_up(&i);
	assert_ok(uki_build(&i.p, &uki, &e), &e);
	assert_ok(pe_parse(uki.data, uki.len, "uki", &pe, &e), &e);
	assert_false(pe.dll_characteristics & PE_DLL_NX_COMPAT);
	i.p.kernel = &i.stub; /* it has the flag */
	assert_ok(uki_build(&i.p, &nx, &e), &e);
	assert_ok(pe_parse(nx.data, nx.len, "uki", &pe, &e), &e);
	assert_true(pe.dll_characteristics & PE_DLL_NX_COMPAT);
	tear_down(&i);
}

static void wrong_inputs_are_refused_by_name(void **state)
{
	cleanup_buf struct buf arm = load(DATA "good-stub-arm64.efi"), text = BUF_INIT, empty = BUF_INIT,
			       full = BUF_INIT;
	cleanup_free char *longest = malloc(UKI_MAX_CMDLINE_BYTES + 2);
	struct inputs i;

	(void)state;
	set_up(&i);
	buf_str(&text, "#!/bin/sh\n");
	memset(longest, 'x', UKI_MAX_CMDLINE_BYTES + 1);
	longest[UKI_MAX_CMDLINE_BYTES + 1] = '\0';
	buf_put(&full, i.stub.data, i.stub.len);
	full.data[0x58 + 240 + 80 + 3] = 1; /* where the first new row must go */
	{
		const struct {
			struct uki_params p;
			const char *part;
		} bad[] = {
			{{"x86_64", &arm, &i.kernel, &i.initrd, NULL, "a", "u", NULL},
			 "the systemd stub is for machine 0xaa64, wanted 0x8664"},
			{{"x86_64", &i.stub, &arm, &i.initrd, NULL, "a", "u", NULL}, "the kernel is for machine 0xaa64"},
			{{"x86_64", &i.stub, &text, &i.initrd, NULL, "a", "u", NULL}, "the kernel: does not begin with MZ"},
			{{"mips", &i.stub, &i.kernel, &i.initrd, NULL, "a", "u", NULL}, "architecture mips is not known"},
			{{"x86_64", &i.stub, &i.kernel, &empty, NULL, "a", "u", NULL}, "the initramfs is empty"},
			{{"x86_64", &full, &i.kernel, &i.initrd, NULL, "a", "u", NULL}, "the stub has data at offset 411"},
			{{"x86_64", &i.stub, &i.kernel, &i.initrd, NULL, "", "u", NULL}, "command line has 0 bytes"},
			{{"x86_64", &i.stub, &i.kernel, &i.initrd, NULL, longest, "u", NULL}, "command line has 2048 bytes"},
			{{"x86_64", &i.stub, &i.kernel, &i.initrd, NULL, "a\nb", "u", NULL}, "byte 0x0a at 1"},
			{{"x86_64", &i.stub, &i.kernel, &i.initrd, NULL, "a ", "u", NULL}, "begins or ends with a blank"},
			{{"x86_64", &i.stub, &i.kernel, &i.initrd, NULL, "a", "", NULL}, "kernel release has 0 bytes"},
		};

		for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
			struct buf uki = BUF_INIT;
			struct err e = ERR_INIT;

			assert_refused(uki_build(&bad[k].p, &uki, &e), &e, EINVAL, bad[k].part);
			assert_null(uki.data);
		}
	}
	tear_down(&i);
}

static void signed_policies_come_last_and_are_not_measured(void **state)
{
	cleanup_buf struct buf uki = BUF_INIT, json = BUF_INIT;
	const struct pe_section *s;
	struct err e = ERR_INIT;
	struct inputs i;
	struct pe pe;
	size_t n;

	(void)state;
	set_up(&i);
	buf_str(&json, "{\"sha256\":[]}\n");
	i.p.pcrsig = &json;
	assert_ok(uki_build(&i.p, &uki, &e), &e);
	assert_ok(pe_parse(uki.data, uki.len, "uki", &pe, &e), &e);
	assert_int_equal(pe.n_sections, 7);
	s = pe_find(&pe, ".pcrsig");
	assert_ptr_equal(s, &pe.section[6]);
	assert_memory_equal(pe_content(&pe, s, &n), json.data, json.len);
	assert_int_equal(n, json.len);
	for (size_t k = 0; (s = uki_measured(&pe, k)); k++)
		assert_string_not_equal(s->name, ".pcrsig");
	tear_down(&i);
}

static void an_os_release_comes_first_and_is_measured_after_the_kernel(void **state)
{
	static const char text[] = "NAME=holdfast\nIMAGE_ID=demo\nIMAGE_VERSION=7\n";
	static const char *const bad[] = { "", "IMAGE_ID=demo\nIMAGE_VERSION=7\n", "NAME=x\nIMAGE_ID=demo\n", "NAME=x\nIMAGE_ID=demo\nIMAGE_VERSION=7" };
	cleanup_buf struct buf uki = BUF_INIT;
	struct err e = ERR_INIT;
	struct inputs i;
	struct pe pe;
	size_t n;

	(void)state;
	set_up(&i);
	i.p.osrel = text;
	assert_ok(uki_build(&i.p, &uki, &e), &e);
	assert_ok(pe_parse(uki.data, uki.len, "uki", &pe, &e), &e);
	assert_int_equal(pe.n_sections, 7);
	assert_ptr_equal(pe_find(&pe, ".osrel"), &pe.section[2]);
	assert_memory_equal(pe_content(&pe, &pe.section[2], &n), text, sizeof(text) - 1);
	assert_int_equal(n, sizeof(text) - 1);
	assert_string_equal(uki_measured(&pe, 0)->name, ".linux");
	assert_string_equal(uki_measured(&pe, 1)->name, ".osrel");
	for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
		struct buf none = BUF_INIT;

		i.p.osrel = bad[k];
		assert_refused(uki_build(&i.p, &none, &e), &e, EINVAL, "IMAGE_ID and IMAGE_VERSION");
		assert_null(none.data);
	}
	tear_down(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_os_release_comes_first_and_is_measured_after_the_kernel),
		cmocka_unit_test(signed_policies_come_last_and_are_not_measured),
		cmocka_unit_test(sections_hold_what_was_given_and_the_initramfs_is_padded),
		cmocka_unit_test(it_is_what_ukify_makes_but_for_checksum_and_sbat),
		cmocka_unit_test(the_stub_measures_in_its_own_order),
		cmocka_unit_test(nx_is_promised_only_if_the_kernel_promises_it),
		cmocka_unit_test(wrong_inputs_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
