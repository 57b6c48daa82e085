/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/verity/test_discover.c - the root's partitions are found by the root hash, and ambiguity is refused
 *
 * Disks are sparse files with a GPT by sfdisk; /sys/class/block is a folder of ours that says what a kernel would.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/proc.h"
#include "verity/discover.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define UUID_ROOT "00010203-0405-0607-0809-0a0b0c0d0e0f"
#define UUID_HASH "10111213-1415-1617-1819-1a1b1c1d1e1f"
/* printf holdfast:root-verity-sig:$ROOT_HASH | sha256sum, version and variant set */
#define UUID_SIG "9d8db388-7aff-83c1-97a5-5c53e0726ac4"

static char dir[64];
static uint8_t root_hash[HASH_SHA256_BYTES];

static void put(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	assert_ok(file_write(path, text, strlen(text), 0600, &e), &e);
}

static void put_sys(const char *disk, const char *part, const char *name, unsigned value)
{
	char path[256], text[32];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%s/sys/class/block/%s/%s", dir, disk, part);
	assert_ok(file_mkdirs(path, &e), &e);
	(void)snprintf(path, sizeof(path), "%s/sys/class/block/%s/%s/%s", dir, disk, part, name);
	(void)snprintf(text, sizeof(text), "%u\n", value);
	put(path, text);
}

/* struct part - a line for sfdisk, and where the kernel says it is */
struct part {
	const char *type, *uuid;
	unsigned start, size;
};

/* Return: false if sfdisk is not installed. */
static bool make_disk(const char *disk, const struct part *part, size_t n)
{
	char image[128], script[1024] = "label: gpt\n", script_path[128], path[160];
	const char *const argv[] = {"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", image, NULL};
	const char *const env[] = {"PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL};
	struct proc_params run = {.argv = argv, .env = env, .quiet = 1};
	struct err e = ERR_INIT;
	int fd, r;

	(void)snprintf(image, sizeof(image), "%s/dev/%s", dir, disk);
	(void)snprintf(script_path, sizeof(script_path), "%s/script", dir);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(script + strlen(script), sizeof(script) - strlen(script),
			       "start=%u, size=%u, type=%s, uuid=%s\n", part[i].start, part[i].size, part[i].type,
			       part[i].uuid);
	put(script_path, script);
	fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 8 << 20), 0);
	assert_int_equal(close(fd), 0);
	run.stdin_fd = open(script_path, O_RDONLY | O_CLOEXEC);
	assert_true(run.stdin_fd >= 0);
	r = proc_run(&run, &e);
	assert_int_equal(close(run.stdin_fd), 0);
	if (r == -ENOENT)
		return false;
	assert_ok(r, &e);
	put_sys(disk, "", "size", (8 << 20) / 512);
	(void)snprintf(path, sizeof(path), "device");
	put_sys(disk, "device", "x", 0);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s%zu", disk, i + 1);
		put_sys(disk, path, "partition", (unsigned)i + 1);
		put_sys(disk, path, "start", part[i].start);
		put_sys(disk, path, "size", part[i].size);
	}
	return true;
}

static int discover(struct verity_root_devices *ret, struct err *e)
{
	char sys[80], dev[80];
	struct verity_discover_params p = {.root_hash = root_hash, .arch = "x86_64", .sys_dir = sys, .dev_dir = dev};

	(void)snprintf(sys, sizeof(sys), "%s/sys", dir);
	(void)snprintf(dev, sizeof(dev), "%s/dev", dir);
	return verity_discover_root(&p, ret, e);
}

#define TYPE_ROOT     "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
#define TYPE_HASH     "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5"
#define TYPE_SIG      "41092b05-9fc8-4523-994f-2def0408b176"
#define TYPE_ROOT_ARM "b921b045-1df0-41c3-af44-4c6f280d3fae"

static const struct part whole[] = {
	{TYPE_ROOT, UUID_ROOT, 2048, 2048},
	{TYPE_HASH, UUID_HASH, 4096, 2048},
	{TYPE_SIG, UUID_SIG, 6144, 32},
};

#define need_disk(disk, parts, n)                                                                                      \
	do {                                                                                                           \
		if (!make_disk(disk, parts, n)) {                                                                      \
			print_message("SKIP: sfdisk is not installed (fdisk)\n");                                      \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

static void a_whole_set_is_found(void **state)
{
	struct verity_root_devices found;
	struct err e = ERR_INIT;
	char want[128];

	(void)state;
	need_disk("vda", whole, 3);
	assert_ok(discover(&found, &e), &e);
	for (unsigned i = 0; i < VERITY_PARTS_; i++) {
		(void)snprintf(want, sizeof(want), "%s/dev/vda%u", dir, i + 1);
		assert_string_equal(found.path[i], want);
	}
}

static void a_set_may_be_spread_over_disks_and_strangers_are_passed_over(void **state)
{
	static const struct part a[] = {{TYPE_ROOT_ARM, UUID_ROOT, 2048, 2048}, {TYPE_ROOT, UUID_ROOT, 4096, 2048}};
	static const struct part b[] = {{TYPE_ROOT, "99999999-0405-0607-0809-0a0b0c0d0e0f", 2048, 2048},
					{TYPE_HASH, UUID_HASH, 4096, 2048},
					{TYPE_SIG, UUID_SIG, 6144, 32}};
	struct verity_root_devices found;
	struct err e = ERR_INIT;

	(void)state;
	need_disk("vda", a, 2);
	need_disk("vdb", b, 3);
	put_sys("loop0", "", "size", 100); /* no "device": stands on something else */
	put_sys("vdc", "", "size", 0);
	put_sys("vdc", "device", "x", 0);
	put_sys("vdd", "", "size", 9); /* no node */
	put_sys("vdd", "device", "x", 0);
	assert_ok(discover(&found, &e), &e);
	assert_non_null(strstr(found.path[VERITY_PART_ROOT], "/dev/vda2"));
	assert_non_null(strstr(found.path[VERITY_PART_HASH], "/dev/vdb2"));
	assert_non_null(strstr(found.path[VERITY_PART_SIG], "/dev/vdb3"));
}

static void what_is_missing_is_named(void **state)
{
	static const struct {
		size_t n;
		const char *part;
	} cases[] = {{1, "no root-verity partition with PARTUUID " UUID_HASH}, {2, "no root-verity-sig partition"}};
	struct verity_root_devices found;
	struct err e = ERR_INIT;

	(void)state;
	put_sys("sda", "", "size", 9);
	put_sys("sda", "device", "x", 0);
	assert_refused(discover(&found, &e), &e, ENOENT, "no root partition with PARTUUID " UUID_ROOT);
	assert_non_null(strstr(e.msg, "cannot read"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		need_disk("vda", whole, cases[i].n);
		assert_refused(discover(&found, &e), &e, ENOENT, cases[i].part);
	}
}

static void a_partition_the_kernel_has_not_got_yet_is_absent(void **state)
{
	struct verity_root_devices found;
	struct err e = ERR_INIT;
	char path[160];

	(void)state;
	need_disk("vda", whole, 3);
	(void)snprintf(path, sizeof(path), "%s/sys/class/block/vda/vda3/partition", dir);
	assert_int_equal(unlink(path), 0);
	assert_refused(discover(&found, &e), &e, ENOENT, "no root-verity-sig");
}

static void two_partitions_of_one_name_are_refused(void **state)
{
	static const struct part twice[] = {{TYPE_ROOT, UUID_ROOT, 2048, 2048}};
	struct verity_root_devices found;
	struct err e = ERR_INIT;

	(void)state;
	need_disk("vda", whole, 3);
	need_disk("vdb", twice, 1);
	assert_refused(discover(&found, &e), &e, ENOTUNIQ, "both claim to be the root partition");
}

static void a_place_that_differs_from_the_kernels_is_refused(void **state)
{
	struct verity_root_devices found;
	struct err e = ERR_INIT;

	(void)state;
	need_disk("vda", whole, 3);
	put_sys("vda", "vda2", "start", 4104);
	assert_refused(discover(&found, &e), &e, EINVAL, "vda2: the kernel has it at sector 4104");
}

static void derived_uuids_are_those_of_the_format(void **state)
{
	uint8_t uuid[VERITY_UUID_BYTES];
	char text[VERITY_UUID_STR_BYTES];

	(void)state;
	verity_part_uuid(VERITY_PART_SIG, root_hash, uuid);
	verity_uuid_str(uuid, text);
	assert_string_equal(text, UUID_SIG);
	verity_part_uuid(VERITY_PART_HASH, root_hash, uuid);
	verity_uuid_str(uuid, text);
	assert_string_equal(text, UUID_HASH);
	assert_null(verity_part_type(VERITY_PART_ROOT, "riscv64"));
	assert_string_equal(verity_part_type(VERITY_PART_ROOT, "arm64"), TYPE_ROOT_ARM);
}

static int make_dir(void **state)
{
	struct err e = ERR_INIT;
	char path[128];

	(void)state;
	strcpy(dir, "/tmp/holdfast-discover-XXXXXX");
	if (!mkdtemp(dir) || !hex_decode(ROOT_HASH, root_hash, sizeof(root_hash)))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/dev", dir);
	if (file_mkdirs(path, &e))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/sys/class/block", dir);
	return file_mkdirs(path, &e);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_dir(a_whole_set_is_found),
		with_dir(a_set_may_be_spread_over_disks_and_strangers_are_passed_over),
		with_dir(what_is_missing_is_named),
		with_dir(a_partition_the_kernel_has_not_got_yet_is_absent),
		with_dir(two_partitions_of_one_name_are_refused),
		with_dir(a_place_that_differs_from_the_kernels_is_refused),
		with_dir(derived_uuids_are_those_of_the_format),
	};

	return cmocka_run_group_tests_name("verity/discover", tests, NULL, NULL);
}
