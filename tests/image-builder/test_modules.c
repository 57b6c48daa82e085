/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_modules.c - kernel modules in an order that loads; a name nobody knows is an error */
#include "tests/image-builder/make.h"

#include "image-builder/modules.h"

#define RELEASE "6.12.1-test"
#define AT      "usr/lib/modules/" RELEASE "/"

/* A module whose .modinfo says depends=@depends (5 characters at most: it overwrites "a-b,c" of the good file). */
static void put_module(const char *tree, const char *path, const char *depends)
{
	cleanup_buf struct buf b = load("tests/data/elf/good-program.elf");
	char *at = memmem(b.data, b.len, "depends=a-b,c", 13), name[256];

	assert_non_null(at);
	memset(at + 8, 0, 5);
	memcpy(at + 8, depends, strlen(depends));
	(void)snprintf(name, sizeof(name), AT "%s", path); /* short names */
	make_file(tree, name, b.data, b.len);
}

/* top -> a-b, c; a-b -> c; c alone; d <-> e; f -> built-in; g -> nothing known. */
static void make_tree(char tree[static 64])
{
	static const char builtin[] = "kernel/fs/ext4/ext4.ko\nkernel/lib/in-core.ko\n";

	make_folder(tree);
	put_module(tree, "kernel/drivers/md/top.ko", "a-b,c");
	put_module(tree, "kernel/drivers/md/a-b.ko", "c");
	put_module(tree, "kernel/lib/c.ko", "");
	put_module(tree, "kernel/lib/d.ko", "e");
	put_module(tree, "kernel/lib/e.ko", "d");
	put_module(tree, "kernel/lib/f.ko", "ext4");
	put_module(tree, "kernel/lib/g.ko", "gone");
	make_file(tree, AT "kernel/lib/README", "no module", 9);
	make_file(tree, AT "modules.builtin", builtin, strlen(builtin));
}

static void dependencies_come_first_and_each_once(void **state)
{
	static const char *const name[] = {"f", "top", "a_b", "in_core", "c"};
	static const char *const want[] = {"f", "c", "a_b", "top"};
	cleanup_modules struct modules m = {0};
	struct err e = ERR_INIT;
	char tree[64];
	int r;

	(void)state;
	make_tree(tree);
	r = modules_resolve(tree, RELEASE, name, ARRAY_SIZE(name), &m, &e);
	drop_folder(tree);
	assert_ok(r, &e);
	assert_int_equal(m.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < m.n; i++)
		assert_string_equal(m.v[i].name, want[i]);
	assert_string_equal(m.v[2].path, RELEASE "/kernel/drivers/md/a-b.ko");
	assert_memory_equal(m.v[2].data.data, "\177ELF", 4);
}

static void compressed_modules_are_decompressed_whole(void **state)
{
	static const char *const name[] = {"c"};
	cleanup_modules struct modules m = {0};
	cleanup_buf struct buf want = BUF_INIT;
	struct err e = ERR_INIT;
	char tree[64];
	int r;

	(void)state;
	need("xz");
	make_tree(tree);
	want = load(in(tree, AT "kernel/lib/c.ko"));
	buf_str(&want, "~Module signature appended~\n"); /* the appended signature is part of the bytes */
	make_file(tree, AT "kernel/lib/c.ko", want.data, want.len);
	{
		const char *argv[] = {"xz", "--check=crc32", in(tree, AT "kernel/lib/c.ko"), NULL};

		assert_ok(oracle(argv, NULL, &e), &e);
	}
	r = modules_resolve(tree, RELEASE, name, 1, &m, &e);
	assert_ok(r, &e);
	assert_string_equal(m.v[0].path, RELEASE "/kernel/lib/c.ko");
	assert_int_equal(m.v[0].data.len, want.len);
	assert_memory_equal(m.v[0].data.data, want.data, want.len);
	modules_free(&m);
	make_file(tree, AT "kernel/lib/c.ko.xz", "not xz at all", 13);
	assert_refused(modules_resolve(tree, RELEASE, name, 1, &m, &e), &e, ECHILD, "module c: xz failed");
	drop_folder(tree);
}

static void wrong_names_and_trees_are_refused(void **state)
{
	static const struct {
		const char *name;
		int code;
		const char *part;
	} bad[] = {
		{"nosuch", ENOENT, "there is no kernel module nosuch, which the board wants"},
		{"g", ENOENT, "there is no kernel module gone, which g wants"},
		{"d", ELOOP, "module d depends on itself by way of e"},
		{"", EINVAL, "is no module name"},
		{"0123456789012345678901234567890123456789012345678901234567890123", EINVAL, "is no module name"},
		{"plain", EINVAL, "says nothing of what it depends on"},
		{"text", EINVAL, "no ELF header"},
	};
	cleanup_buf struct buf plain = load("tests/data/elf/good-module-no-depends.elf");
	char tree[64];

	(void)state;
	make_tree(tree);
	make_file(tree, AT "kernel/plain.ko", plain.data, plain.len);
	make_file(tree, AT "kernel/text.ko", "text", 4);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_modules struct modules m = {0};
		struct err e = ERR_INIT;

		assert_refused(modules_resolve(tree, RELEASE, &bad[i].name, 1, &m, &e), &e, bad[i].code, bad[i].part);
	}
	{
		static const char *const ok[] = {"c"};
		cleanup_modules struct modules m = {0};
		struct err e = ERR_INIT;

		assert_refused(modules_resolve(tree, "6.99", ok, 1, &m, &e), &e, ENOENT, "6.99/kernel");
		put_module(tree, "kernel/fs/c.ko", "");
		assert_refused(modules_resolve(tree, RELEASE, ok, 1, &m, &e), &e, EINVAL, "module c is there twice");
	}
	drop_folder(tree);
}

static void the_release_is_the_only_one_there(void **state)
{
	struct err e = ERR_INIT;
	char tree[64], *release;

	(void)state;
	make_tree(tree);
	assert_ok(modules_release(tree, &release, &e), &e);
	assert_string_equal(release, RELEASE);
	free(release);
	make_file(tree, "usr/lib/modules/7.0/x", "", 0);
	assert_refused(modules_release(tree, &release, &e), &e, EINVAL, "more than one kernel");
	assert_refused(modules_release("/nonexistent", &release, &e), &e, ENOENT, "/nonexistent/usr/lib/modules");
	drop_folder(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dependencies_come_first_and_each_once),
		cmocka_unit_test(compressed_modules_are_decompressed_whole),
		cmocka_unit_test(wrong_names_and_trees_are_refused),
		cmocka_unit_test(the_release_is_the_only_one_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
