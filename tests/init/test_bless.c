/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/test_bless.c - a UKI's counter on an ESP that mkfs.vfat and mtools made, and that they and fsck.vfat read afterwards
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "common/proc.h"
#include "init/bless.h"
#include "init/fat.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char folder[] = "/tmp/holdfast-test-XXXXXX";
static char image[64];
static char home[256]; /* of the sources */

static int shell(const char *command)
{
	return system(command); /* in the folder of this test */
}

/* An ESP of @mib MiB with the given files of EFI/Linux, separated by blanks. */
static void make_esp(unsigned mib, const char *fat, const char *files)
{
	char line[1024];

	(void)snprintf(line, sizeof(line),
		       "rm -f esp && truncate -s %uM esp && mkfs.vfat --invariant -F %s esp >/dev/null && mmd -i esp ::EFI ::EFI/Linux && "
		       "for f in %s; do echo \"content of $f\" >x && mcopy -i esp x \"::EFI/Linux/$f\" || exit 1; done",
		       mib, fat, files);
	assert_int_equal(shell(line), 0);
}

static int bless(const char *base, struct pid1_bless *ret, struct err *e)
{
	int fd = open(image, O_RDWR | O_CLOEXEC), r;

	assert_true(fd >= 0);
	r = pid1_bless(fd, base, ret, e);
	(void)close(fd);
	return r;
}

/* What mtools lists there, sorted, one after the other; and fsck.vfat finds nothing to say. */
static void assert_listed(const char *want)
{
	char got[2048] = "";
	FILE *f;

	assert_int_equal(shell("mdir -b -i esp ::EFI/Linux | sort | tr '\\n' ' ' >list && fsck.vfat -n esp >fsck 2>&1"), 0);
	(void)snprintf(got, sizeof(got), "%s/list", folder);
	f = fopen(got, "r");
	assert_non_null(f);
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	(void)fclose(f);
	assert_string_equal(got, want);
}

static void every_counter_of_the_running_uki_is_put_back(void **state)
{
	static const struct {
		const char *from;
	} names[] = { { "demo_1+1-1.efi" }, { "demo_1+0-2.efi" }, { "demo_1+0-9999.efi" }, { "demo_1+3.efi" }, { "DEMO_1+0-2.EFI" } };
	static const struct {
		unsigned mib;
		const char *fat;
	} esp[] = { { 16, "16" }, { 64, "32" }, { 96, "32" } };

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(esp); k++)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			char files[128], line[256];
			struct pid1_bless b;
			struct err e = ERR_INIT;

			(void)snprintf(files, sizeof(files), "%s other_7+2.efi", names[i].from);
			make_esp(esp[k].mib, esp[k].fat, files);
			assert_ok(bless("demo_1", &b, &e), &e);
			assert_string_equal(b.from, names[i].from);
			assert_string_equal(b.spent, "");
			(void)snprintf(line, sizeof(line), "::/EFI/Linux/%s ::/EFI/Linux/other_7+2.efi ", b.to);
			assert_string_equal(b.to + strlen(b.to) - 6, "+2.efi");
			assert_listed(line);
			(void)snprintf(line, sizeof(line), "mcopy -n -i esp '::EFI/Linux/%s' out && grep -qx 'content of %s' out && rm out", b.to, names[i].from);
			assert_int_equal(shell(line), 0);
		}
}

static void long_names_lose_entries_and_cross_sectors(void **state)
{
	/* 58 characters are 5 entries, 58 - 2 as many; behind "." and ".." and 9 to 13 other files they cross from the first sector into the second */
	static const char *const stem = "a-name-of-an-image-that-is-quite-long-for-one-x_1234";
	char files[512], want[256], before[16];

	(void)state;
	for (unsigned n = 0; n < 14; n++) {
		struct pid1_bless b;
		struct err e = ERR_INIT;

		files[0] = '\0';
		for (unsigned i = 0; i < n; i++) {
			(void)snprintf(before, sizeof(before), "f%u ", i);
			strcat(files, before);
		}
		(void)snprintf(files + strlen(files), 200, "%s+1-1.efi", stem);
		make_esp(16, "16", files);
		assert_ok(bless(stem, &b, &e), &e);
		assert_int_equal(shell("mdel -i esp '::EFI/Linux/f*' 2>/dev/null; true"), 0);
		(void)snprintf(want, sizeof(want), "::/EFI/Linux/%s+2.efi ", stem);
		assert_listed(want);
		assert_ok(bless(stem, &b, &e), &e);
		assert_string_equal(b.from, b.to);
	}
}

static void nothing_is_written_if_there_is_nothing_to_do(void **state)
{
	struct pid1_bless b;
	struct err e = ERR_INIT;

	(void)state;
	make_esp(64, "32", "demo_1+2.efi demo_2+0-2.efi");
	assert_int_equal(shell("cp esp before"), 0);
	assert_ok(bless("demo_1", &b, &e), &e);
	assert_string_equal(b.from, "demo_1+2.efi");
	assert_string_equal(b.to, "demo_1+2.efi");
	assert_string_equal(b.spent, "demo_2+0-2.efi"); /* and the other slot's last failure is seen */
	assert_int_equal(shell("cmp esp before"), 0);
}

static void an_esp_without_that_uki_is_refused_and_not_written(void **state)
{
	static const struct {
		const char *files, *part;
		int code;
	} bad[] = {
		{ "demo_2+1-1.efi demo_10+1.efi demo_1.efi.bak", "has no UKI of demo_1", ENOENT },
		{ "demo_1+1-1.efi demo_1+2.efi", "two UKIs of demo_1", ENOTUNIQ },
		{ "demo_1.efi", "needs 1 entries of its folder, and there are 0", ENOSPC }, /* fits 8.3 in lower case, as mtools writes it */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pid1_bless b;
		struct err e = ERR_INIT;

		make_esp(16, "16", bad[i].files);
		assert_int_equal(shell("cp esp before"), 0);
		assert_refused(bless("demo_1", &b, &e), &e, bad[i].code, bad[i].part);
		assert_int_equal(shell("cmp esp before"), 0);
	}
}

/* A number of the boot sector, of the table or of the folder that says what cannot be. */
static void hostile_file_systems_are_refused_by_name(void **state)
{
	static const struct {
		const char *damage, *part;
		int code;
	} bad[] = {
		{ "printf '\\0' | dd of=esp bs=1 seek=510 conv=notrunc status=none", "none of a FAT", EBADMSG },
		{ "printf '\\0\\10' | dd of=esp bs=1 seek=11 conv=notrunc status=none", "none of a FAT", EBADMSG },
		{ "printf '\\3' | dd of=esp bs=1 seek=13 conv=notrunc status=none", "none of a FAT", EBADMSG },
		{ "printf '\\0' | dd of=esp bs=1 seek=16 conv=notrunc status=none", "none of a FAT", EBADMSG },
		{ "printf '\\1\\0' | dd of=esp bs=1 seek=17 conv=notrunc status=none", "none of a FAT", EBADMSG },
		{ "printf '\\377\\377' | dd of=esp bs=1 seek=22 conv=notrunc status=none", "leave no room for data", EBADMSG },
		{ "printf '\\1\\0' | dd of=esp bs=1 seek=22 conv=notrunc status=none", "do not fit its tables", EBADMSG },
		{ "truncate -s 512 esp", "the ESP ends before", EBADMSG },
		{ "truncate -s 100 esp", "the ESP ends before", EBADMSG },
		{ "mmd -i esp ::X && mdeltree -i esp ::EFI", "no folder EFI", ENOENT },
		/* EFI's own cluster: its entry's low half at byte 26 of the root's first entry */
		{ "printf '\\377\\357' | dd of=esp bs=1 seek=$(($(od -An -tu2 -j 14 -N 2 esp) * 512 + 2 * $(od -An -tu2 -j 22 -N 2 esp) * 512 + 26)) conv=notrunc status=none",
		  "goes on at cluster", EBADMSG },
		/* a loop in the table: cluster 2 (EFI) is followed by itself */
		{ "printf '\\2\\0' | dd of=esp bs=1 seek=$(($(od -An -tu2 -j 14 -N 2 esp) * 512 + 4)) conv=notrunc status=none", "more than 256 sectors",
		  EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pid1_bless b;
		struct err e = ERR_INIT;

		make_esp(16, "16", "demo_1+1-1.efi");
		assert_int_equal(shell(bad[i].damage), 0);
		assert_refused(bless("demo_1", &b, &e), &e, bad[i].code, bad[i].part);
	}
}

/* The files that the fuzz target begins with; a good one ends where only zeros follow. */
static void each_file_of_the_corpus_is_what_its_name_says(void **state)
{
	static const char *const files[] = { "good-two-ukis.bin", "bad-chain-loop.bin", "bad-cluster-outside.bin", "bad-cluster-zero-of-folder.bin",
					     "bad-table-too-small.bin", "bad-sector-1024.bin" };
	static const char *const parts[] = { "", "more than 256 sectors", "goes on at cluster 61439", "goes on at cluster 1", "do not fit its tables", "none of a FAT" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct pid1_bless b;
		struct err e = ERR_INIT;
		char line[512];

		(void)snprintf(line, sizeof(line), "cp \"%.300s/tests/data/fat/%s\" esp && truncate -s 5M esp", home, files[i]);
		assert_int_equal(shell(line), 0);
		if (*parts[i]) {
			assert_refused(bless("demo_1", &b, &e), &e, EBADMSG, parts[i]);
			continue;
		}
		assert_ok(bless("demo_1", &b, &e), &e);
		assert_string_equal(b.to, "demo_1+2.efi");
		assert_string_equal(b.spent, "demo_2+0-2.efi");
	}
}

static void the_running_image_is_known_by_its_os_release(void **state)
{
	static const char *const bad[] = { "", "IMAGE_ID=demo\n", "IMAGE_VERSION=1\n", "IMAGE_ID=\nIMAGE_VERSION=1\n",
					   "IMAGE_ID=demo\nIMAGE_VERSION=1x\n", "IMAGE_ID=demo\nIMAGE_VERSION=12345678901234567890\n",
					   "XIMAGE_ID=demo\nIMAGE_VERSION=1\n" };
	char base[BOOT_COUNT_NAME_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(pid1_bless_base("NAME=holdfast\nIMAGE_ID=demo\nIMAGE_VERSION=12\n", base, &e), &e);
	assert_string_equal(base, "demo_12");
	assert_ok(pid1_bless_base("IMAGE_VERSION=3\nIMAGE_ID=a.b-c", base, &e), &e);
	assert_string_equal(base, "a.b-c_3");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_refused(pid1_bless_base(bad[i], base, &e), &e, EINVAL, "os-release has no IMAGE_ID");
}

static void the_esp_is_looked_for_on_the_disk_of_the_root_alone(void **state)
{
	char sys_dir[80], name[64];
	struct err e = ERR_INIT;

	(void)state;
	(void)snprintf(sys_dir, sizeof(sys_dir), "%s/sys", folder);
	assert_int_equal(shell("for d in vda vdb; do for n in 1 2 3; do mkdir -p sys/devices/$d/$d$n; printf 'DEVNAME=%s\\nPARTNAME=x\\n' $d$n "
			       ">sys/devices/$d/$d$n/uevent; done; done; printf 'PARTN=1\\nPARTNAME=esp\\n' >sys/devices/vda/vda1/uevent; "
			       "printf 'PARTNAME=esp\\n' >sys/devices/vdb/vdb3/uevent; mkdir -p sys/dev/block/254:0/slaves sys/dev/block/254:1/slaves; "
			       "ln -s ../../../../devices/vdb/vdb2 sys/dev/block/254:0/slaves/vdb2"),
			 0);
	assert_ok(pid1_bless_find_esp(sys_dir, makedev(254, 0), name, &e), &e);
	assert_string_equal(name, "vdb3");
	assert_refused(pid1_bless_find_esp(sys_dir, makedev(254, 1), name, &e), &e, ENOENT, "names no partition");
	assert_refused(pid1_bless_find_esp(sys_dir, makedev(254, 2), name, &e), &e, ENOENT, "254:2/slaves");
	assert_int_equal(shell("printf 'PARTNAME=esp-not\\n' >sys/devices/vdb/vdb3/uevent"), 0);
	assert_refused(pid1_bless_find_esp(sys_dir, makedev(254, 0), name, &e), &e, ENOENT, "no partition labelled esp");
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(getcwd(home, sizeof(home)));
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(setenv("MTOOLSRC", "/dev/null", 1), 0);
	(void)snprintf(image, sizeof(image), "%s/esp", folder);
	return 0;
}

static int tear_down(void **state)
{
	char line[64];

	(void)state;
	(void)snprintf(line, sizeof(line), "rm -rf %s", folder);
	return system(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_of_the_running_uki_is_put_back),
		cmocka_unit_test(long_names_lose_entries_and_cross_sectors),
		cmocka_unit_test(nothing_is_written_if_there_is_nothing_to_do),
		cmocka_unit_test(an_esp_without_that_uki_is_refused_and_not_written),
		cmocka_unit_test(hostile_file_systems_are_refused_by_name),
		cmocka_unit_test(each_file_of_the_corpus_is_what_its_name_says),
		cmocka_unit_test(the_running_image_is_known_by_its_os_release),
		cmocka_unit_test(the_esp_is_looked_for_on_the_disk_of_the_root_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
