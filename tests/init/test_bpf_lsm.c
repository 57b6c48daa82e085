/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/test_bpf_lsm.c - what is asked of the kernel, in which order, and that each refusal of it is one of ours
 *
 * The kernel's types are written here, by the specification: structures whose members have 8 bytes each.
 */
#include "tests/init/fake_sys.h"

#include "init/log.h"
#include "init/pid1.h"

#include <linux/bpf.h>

#define VMLINUX "/sys/kernel/btf/vmlinux"
#define OVERLAY "/sys/kernel/btf/overlay"

struct described {
	const char *name;
	const char *member[5];
};

static const struct described vmlinux[] = {
	{ "linux_binprm", { "vma", "file" } },       { "vm_area_struct", { "vm_start", "vm_file", "anon_vma" } },
	{ "file", { "f_inode" } },                   { "inode", { "i_mode", "i_sb" } },
	{ "super_block", { "s_dev", "s_magic", "s_fs_info" } }, { "dentry", { "d_inode" } },
	{ "task_struct", { "mm", "cred" } },         { "mm_struct", { "pgd", "exe_file" } },
	{ "cred", { "uid", "suid", "euid", "fsuid", "cap_permitted" } },
	{ "timespec64", { "tv_sec" } },              { 0 },
};
static const char *const functions[] = { "bpf_rdonly_cast",     "bpf_lsm_bprm_check_security", "bpf_lsm_mmap_file",
					 "bpf_lsm_file_mprotect", "bpf_lsm_bpf",                NULL };
static const struct described overlay[] = {
	{ "ovl_inode", { "oe", "__upperdentry", "vfs_inode" } },
	{ "ovl_entry", { "__numlower", "__lowerstack" } },
	{ "ovl_path", { "layer", "dentry" } },
	{ "ovl_fs", { "numlayer", "layers" } },
	{ "ovl_layer", { "mnt" } },
	{ 0 },
};

/* struct writer - BTF on its way: types, and strings that begin at @first */
struct writer {
	struct buf types, strings;
	size_t first;
};

static void put_name(struct writer *w, const char *name)
{
	buf_u32le(&w->types, (uint32_t)(w->first + w->strings.len));
	buf_str(&w->strings, name);
	buf_u8(&w->strings, 0);
}

/* As the file @path; @first: length of the strings it goes on from. Return: the length of its own. */
static size_t describe(const char *path, const struct described *d, const char *const *f, size_t first, const char *without)
{
	struct writer w = { .first = first };
	struct fake_file *file = fake_file(path, "");
	cleanup_buf struct buf all = BUF_INIT;
	size_t strings;

	if (!first)
		buf_u8(&w.strings, 0);
	for (; d->name; d++) {
		size_t n = 0;

		while (n < ARRAY_SIZE(d->member) && d->member[n])
			n++;
		put_name(&w, strcmp(d->name, without) ? d->name : "renamed");
		buf_u32le(&w.types, 4u << 24 | (uint32_t)n);
		buf_u32le(&w.types, (uint32_t)n * 8);
		for (size_t i = 0; i < n; i++) {
			put_name(&w, strcmp(d->member[i], without) ? d->member[i] : "renamed");
			buf_u32le(&w.types, 0);
			buf_u32le(&w.types, (uint32_t)i * 64);
		}
	}
	for (; f && *f; f++) {
		put_name(&w, strcmp(*f, without) ? *f : "renamed");
		buf_u32le(&w.types, 12u << 24);
		buf_u32le(&w.types, 0);
	}
	buf_u32le(&all, 0x0001eb9f);
	buf_u32le(&all, 24);
	buf_u32le(&all, 0);
	buf_u32le(&all, (uint32_t)w.types.len);
	buf_u32le(&all, (uint32_t)w.types.len);
	buf_u32le(&all, (uint32_t)w.strings.len);
	buf_put(&all, w.types.data, w.types.len);
	buf_put(&all, w.strings.data, w.strings.len);
	assert_true(!all.bad && all.len < sizeof(file->data));
	memcpy(file->data, all.data, all.len);
	file->len = all.len;
	strings = w.strings.len;
	buf_free(&w.types);
	buf_free(&w.strings);
	return strings;
}

static struct pid1 p;
static struct policy policy;
static struct policy_image image;
static struct policy_layer layer[2];
static uint8_t revoked[1][HASH_SHA256_BYTES];

static void prepare_without(const char *name)
{
	fake_reset();
	memset(&p, 0, sizeof(p));
	fake_file("/dev/console", "");
	fake_file("/dev/kmsg", "");
	fake_file("/proc/sys/kernel/printk_devkmsg", "");
	fake_file("/proc/sys/kernel/printk", "");
	fake_file("/sys/fs/cgroup", "");
	(void)describe(OVERLAY, overlay, NULL, describe(VMLINUX, vmlinux, functions, 0, name), name);
	memset(layer[0].root_hash, 1, HASH_SHA256_BYTES);
	memset(layer[1].root_hash, 2, HASH_SHA256_BYTES);
	image = (struct policy_image){ .layer = layer, .n_layers = 2 };
	policy = (struct policy){ .image = &image, .n_images = 1 };
	p.stage = "bpf-lsm";
	p.cmdline.profile = CMDLINE_DIRECT;
	p.policy = &policy;
}

static int prepare(void)
{
	prepare_without("");
	return 0;
}

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return prepare() || pid1_log_open(&e);
}

static size_t count(const char *what)
{
	size_t n = 0;

	for (const char *t = fake.trace; (t = strstr(t, what)); t++)
		n++;
	return n;
}

static int run(struct err *e)
{
	return pid1_stage_bpf_lsm(&p, e);
}

/* bpf(2) by number: 0 makes a map, 2 fills it, 22 freezes it, 5 loads, 28 attaches. */
static void the_map_is_frozen_before_the_first_program(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(run(&e), &e);
	assert_non_null(strstr(fake.trace, "bpf 0; bpf 2; bpf 2; bpf 2; bpf 22; open /sys/fs/cgroup; bpf 5; bpf 28; "
					   "bpf 5; bpf 28; bpf 5; bpf 28; bpf 5; bpf 28; bpf 5; bpf 28; "));
	assert_int_equal(count("bpf 28; "), PID1_LSM_LINKS);
	assert_non_null(strstr(fake_text("/dev/console"), "execution from 3 volumes only"));
}

static void a_revoked_layer_is_not_among_the_volumes(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	memset(revoked[0], 2, HASH_SHA256_BYTES);
	policy.revoked = revoked;
	policy.n_revoked = 1;
	assert_ok(run(&e), &e);
	assert_int_equal(count("bpf 2; "), 2);
}

/* enforce-jit: the slots are made beside the map, PID 1 keeps them, and each image's layers have its bit. */
static void images_that_may_make_code_have_a_group_and_a_slot(void **state)
{
	struct policy_image images[3] = { { .name = (char *)"a", .layer = layer, .n_layers = 1 },
					  { .name = (char *)"b", .layer = layer, .n_layers = 2 },
					  { .name = (char *)"c", .layer = layer, .n_layers = 1 } };
	char *caps[] = { (char *)"CAP_NET_RAW", (char *)"CAP_CHOWN" };
	struct err e = ERR_INIT;

	(void)state;
	images[1].run = (struct policy_run){ .jit = true, .uid = 1000, .gid = 1001, .caps = caps, .n_caps = 2 };
	images[2].run = (struct policy_run){ .jit = true };
	policy = (struct policy){ .image = images, .n_images = 3 };
	p.cmdline.profile = CMDLINE_ENFORCE_JIT;
	assert_ok(run(&e), &e);
	assert_int_equal(p.jit.n, 2);
	assert_non_null(strstr(fake.trace, "bpf 22; bpf 0; map_shared 512; mkdir /sys/fs/cgroup/jit; mkdir /sys/fs/cgroup/jit/b; inode /sys/fs/cgroup/jit/b; "
					   "mkdir /sys/fs/cgroup/jit; mkdir /sys/fs/cgroup/jit/c; inode /sys/fs/cgroup/jit/c; open /sys/fs/cgroup; bpf 5; "));
	assert_int_equal(p.jit.slot[0].ids, 1001ull << 32 | 1000);
	assert_int_equal(p.jit.slot[0].no_caps, ~(1ull << 13 | 1));
	assert_int_equal(p.jit.slot[1].ids, 0);
	assert_int_equal(p.jit.slot[1].no_caps, ~0ull);
	assert_true(p.jit.slot[0].cgroup && p.jit.slot[1].cgroup && p.jit.slot[0].cgroup != p.jit.slot[1].cgroup);
	/* root; a: layer 1 (b's and c's too); b: layers 1 and 2; c: layer 1 */
	assert_int_equal(fake.n_map_values, 5);
	assert_int_equal(fake.map_value[0], 1);
	assert_int_equal(fake.map_value[1], 1 | 2 | 4);
	assert_int_equal(fake.map_value[3], 1 | 2);
	assert_non_null(strstr(fake_text("/dev/console"), "images that may make code: 2"));

	/* Nothing until a container of theirs was measured. */
	assert_int_equal(p.jit.slot[0].use | p.jit.slot[1].use, 0);
	pid1_jit_open(&p.jit, &images[0]);
	assert_int_equal(p.jit.slot[0].use | p.jit.slot[1].use, 0);
	pid1_jit_open(&p.jit, &images[2]);
	assert_int_equal(p.jit.slot[0].use, 0);
	assert_int_equal(p.jit.slot[1].use, 4);
}

static void in_direct_nobody_makes_code(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	image.run.jit = true;
	assert_ok(run(&e), &e);
	assert_int_equal(p.jit.n, 0);
	assert_int_equal(count("map_shared"), 0);
}

static int prepare_jit(void)
{
	prepare_without("");
	image.name = (char *)"x";
	image.run.jit = true;
	p.cmdline.profile = CMDLINE_ENFORCE_JIT;
	return 0;
}

static void every_call_that_fails_fails_the_stage_with_slots_too(void **state)
{
	(void)state;
	assert_true(fake_fail_each(prepare_jit, run) >= 28);
}

static void other_profiles_have_none_of_it(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	p.cmdline.profile = CMDLINE_ENFORCE;
	assert_ok(run(&e), &e);
	assert_int_equal(count("bpf "), 0);
}

static void every_call_that_fails_fails_the_stage(void **state)
{
	(void)state;
	assert_true(fake_fail_each(prepare, run) >= 23); /* three volumes, two descriptions, the map, five programs */
}

static void whatever_the_kernel_does_not_describe_is_named(void **state)
{
	static const char *const names[] = { "file", "i_sb", "s_magic", "timespec64", "anon_vma", "cred", "fsuid", "exe_file", "__lowerstack", "ovl_layer",
					     "bpf_rdonly_cast", "bpf_lsm_mmap_file", "bpf_lsm_bpf" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct err e = ERR_INIT;

		prepare_without(names[i]);
		assert_refused(run(&e), &e, ENOENT, names[i]);
		assert_int_equal(count("bpf "), 0);
	}
}

static void a_kernel_that_only_says_it_enforces_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake.exec_memory = 0;
	assert_refused(run(&e), &e, EPERM, "anonymous executable memory was given");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_map_is_frozen_before_the_first_program, setup),
		cmocka_unit_test_setup(a_revoked_layer_is_not_among_the_volumes, setup),
		cmocka_unit_test_setup(images_that_may_make_code_have_a_group_and_a_slot, setup),
		cmocka_unit_test_setup(in_direct_nobody_makes_code, setup),
		cmocka_unit_test_setup(every_call_that_fails_fails_the_stage_with_slots_too, setup),
		cmocka_unit_test_setup(other_profiles_have_none_of_it, setup),
		cmocka_unit_test_setup(every_call_that_fails_fails_the_stage, setup),
		cmocka_unit_test_setup(whatever_the_kernel_does_not_describe_is_named, setup),
		cmocka_unit_test_setup(a_kernel_that_only_says_it_enforces_is_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
