/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_esp.c - FAT images that fsck.vfat finds sound, the same bytes each time */
#include "tests/image-builder/make.h"

#include "image-builder/esp.h"

static char folder[64];

static void need_tools(void)
{
	need("mkfs.vfat");
	need("mmd");
	need("mcopy");
}

static struct esp_params params(const char *name, uint64_t mib, const struct esp_file *file, size_t n)
{
	return (struct esp_params){.path = in(folder, name),
				   .size_bytes = mib << 20,
				   .volume_id = 0xcafef00d,
				   .epoch = 1700000000,
				   .file = file,
				   .n_files = n};
}

static void two_runs_in_two_time_zones_give_the_same_bytes(void **state)
{
	struct esp_file file[] = {{esp_boot_path("x86_64"), in(folder, "uki.efi")},
				  {"EFI/BOOT/second.bin", in(folder, "other")},
				  {"loader/entry.conf", in(folder, "other")}};
	struct esp_params a = params("a.img", 48, file, 3), b = params("b.img", 48, file, 3);
	cleanup_buf struct buf x = BUF_INIT, y = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	need_tools();
	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	assert_ok(esp_write(&a, &e), &e);
	sleep(2); /* FAT counts in twos of seconds */
	assert_int_equal(setenv("TZ", "America/Lima", 1), 0);
	assert_ok(esp_write(&b, &e), &e);
	x = load(a.path);
	y = load(b.path);
	assert_int_equal(x.len, 48 << 20);
	assert_int_equal(y.len, x.len);
	assert_memory_equal(x.data, y.data, x.len);
	assert_memory_equal(x.data + 67, "\x0d\xf0\xfe\xca", 4); /* BS_VolID of FAT32 */
	assert_memory_equal(x.data + 82, "FAT32   ", 8);
}

static void fsck_finds_it_sound_and_mtools_reads_it_back(void **state)
{
	static const uint64_t mib[] = {16, 32, 33, 64};
	struct esp_file file = {esp_boot_path("arm64"), in(folder, "uki.efi")};
	cleanup_buf struct buf want = BUF_INIT;

	(void)state;
	need_tools();
	need("mtype");
	need("fsck.vfat");
	want = load(in(folder, "uki.efi"));
	for (size_t i = 0; i < ARRAY_SIZE(mib); i++) {
		struct esp_params p = params("c.img", mib[i], &file, 1);
		const char *fsck[] = {"fsck.vfat", "-n", p.path, NULL};
		const char *mtype[] = {"mtype", "-i", p.path, "::EFI/BOOT/BOOTAA64.EFI", NULL};
		cleanup_buf struct buf out = BUF_INIT;
		struct err e = ERR_INIT;

		assert_ok(esp_write(&p, &e), &e);
		assert_ok(oracle(fsck, NULL, &e), &e);
		assert_ok(oracle(mtype, &out, &e), &e);
		assert_int_equal(out.len - 1, want.len);
		assert_memory_equal(out.data, want.data, want.len);
	}
}

static void what_cannot_be_is_refused_and_leaves_nothing(void **state)
{
	struct esp_file absent = {"EFI/x", in(folder, "absent")}, absolute = {"/EFI/x", in(folder, "other")},
			big = {"EFI/x", in(folder, "big")};
	struct esp_params p = params("none.img", 16, &absent, 1);
	struct err e = ERR_INIT;

	(void)state;
	need_tools();
	assert_refused(esp_write(&p, &e), &e, ECHILD, "ESP file EFI/x");
	p.file = &big;
	assert_refused(esp_write(&p, &e), &e, ECHILD, "ESP file EFI/x");
	p.file = &absolute;
	assert_refused(esp_write(&p, &e), &e, EINVAL, "is not relative");
	p.volume_id = 0;
	assert_refused(esp_write(&p, &e), &e, EINVAL, "volume ID is 0");
	p.volume_id = 1;
	p.epoch = 0;
	assert_refused(esp_write(&p, &e), &e, EINVAL, "1980 or later");
	p.size_bytes = (16 << 20) + 512;
	assert_refused(esp_write(&p, &e), &e, EINVAL, "whole MiB");
	assert_int_equal(access(p.path, F_OK), -1);
	assert_null(esp_boot_path("mips"));
}

static int set_up(void **state)
{
	cleanup_free uint8_t *big = calloc(1, 17 << 20);

	(void)state;
	make_folder(folder);
	make_file(folder, "uki.efi", big, 70001);
	make_file(folder, "other", "text\n", 5);
	make_file(folder, "big", big, 17 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	drop_folder(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_runs_in_two_time_zones_give_the_same_bytes),
		cmocka_unit_test(fsck_finds_it_sound_and_mtools_reads_it_back),
		cmocka_unit_test(what_cannot_be_is_refused_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
