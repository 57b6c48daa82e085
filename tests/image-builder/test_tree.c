/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_tree.c - trees of packages, result folders, and sets of files */
#include "tests/image-builder/make.h"

#include "image-builder/fileset.h"
#include "image-builder/folder.h"
#include "image-builder/tree.h"

static void link_is(const char *path, const char *target)
{
	char text[512];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, target);
}

static void absolute_links_stay_within_the_tree(void **state)
{
	char folder[64];
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	make_folder(folder);
	make_file(folder, "usr/lib/a/b", "x", 1);
	assert_int_equal(symlink("/usr/lib/a/b", in(folder, "usr/lib/link")), 0);
	assert_int_equal(symlink("/", in(folder, "usr/lib/a/top")), 0);
	assert_int_equal(symlink("//etc/x", in(folder, "short")), 0);
	assert_int_equal(symlink("a/b", in(folder, "usr/lib/relative")), 0);
	assert_ok(tree_relative_links(folder, &n, &e), &e);
	assert_int_equal(n, 3);
	link_is(in(folder, "usr/lib/link"), "../../usr/lib/a/b");
	link_is(in(folder, "usr/lib/a/top"), "../../../.");
	link_is(in(folder, "short"), "etc/x");
	link_is(in(folder, "usr/lib/relative"), "a/b");
	drop_folder(folder);
}

/* A package made by dpkg-deb: unpacked below the merged /usr, then damaged. */
static void a_damaged_package_is_named(void **state)
{
	static const char control[] =
		"Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n";
	char folder[64];
	struct err e = ERR_INIT;
	struct buf deb;
	const char *argv[] = { "dpkg-deb", "--root-owner-group", "-b", NULL, NULL, NULL };

	(void)state;
	need("dpkg-deb");
	make_folder(folder);
	make_file(folder, "p/DEBIAN/control", control, strlen(control));
	make_file(folder, "p/usr/bin/x", "x", 1);
	argv[3] = in(folder, "p");
	argv[4] = in(folder, "x_1_all.deb");
	assert_ok(oracle(argv, NULL, &e), &e);
	assert_int_equal(mkdir(in(folder, "good"), 0755), 0);
	assert_ok(tree_begin(in(folder, "good"), &e), &e);
	assert_ok(tree_unpack(in(folder, "good"), in(folder, "x_1_all.deb"), &e), &e);
	assert_int_equal(access(in(folder, "good/bin/x"), X_OK), 0); /* through the link */

	deb = load(in(folder, "x_1_all.deb"));
	make_file(folder, "cut_1_all.deb", deb.data, deb.len - 40);
	assert_int_equal(mkdir(in(folder, "bad"), 0755), 0);
	assert_refused(tree_unpack(in(folder, "bad"), in(folder, "cut_1_all.deb"), &e), &e, EBADMSG, "cut_1_all.deb");
	buf_free(&deb);
	drop_folder(folder);
}

static void a_tool_that_the_tree_lacks_is_named(void **state)
{
	struct tree_program t;
	struct err e = ERR_INIT;
	char folder[64];

	(void)state;
	make_folder(folder);
	assert_refused(tree_program_init(&t, folder, "usr/bin/mkfs.erofs", &e), &e, ENOENT, "usr/bin/mkfs.erofs");
	drop_folder(folder);
}

static void a_result_is_published_whole_or_not_at_all(void **state)
{
	char folder[64], tmp[PATH_MAX];
	struct err e = ERR_INIT;

	(void)state;
	make_folder(folder);
	make_file(folder, "out/marker", "old", 3);
	assert_ok(folder_may_replace(in(folder, "out"), "marker", &e), &e);
	assert_ok(folder_begin(in(folder, "out"), tmp, &e), &e);
	make_file(tmp, "half", "x", 1);
	assert_int_equal(folder_finish(in(folder, "out"), tmp, -ENOSPC, &e), -ENOSPC);
	assert_int_equal(access(in(folder, "out/marker"), F_OK), 0);
	assert_int_not_equal(access(tmp, F_OK), 0);

	assert_ok(folder_begin(in(folder, "out/"), tmp, &e), &e);
	make_file(tmp, "marker", "new", 3);
	assert_ok(folder_finish(in(folder, "out/"), tmp, 0, &e), &e);
	assert_int_not_equal(access(in(folder, "out/half"), F_OK), 0);
	assert_int_equal(unlink(in(folder, "out/marker")), 0);
	assert_int_equal(rmdir(in(folder, "out")), 0);
	assert_int_equal(rmdir(folder), 0); /* nothing else was left */
}

static void a_folder_of_something_else_is_not_replaced(void **state)
{
	char folder[64];
	struct err e = ERR_INIT;

	(void)state;
	make_folder(folder);
	make_file(folder, "home/letters", "x", 1);
	assert_refused(folder_may_replace(in(folder, "home"), "refvalues.json", &e), &e, EEXIST, "refvalues.json");
	assert_ok(folder_may_replace(in(folder, "none"), "refvalues.json", &e), &e);
	assert_refused(folder_may_replace(in(folder, "home/letters"), "refvalues.json", &e), &e, ENOTDIR, "letters");
	drop_folder(folder);
}

static void one_path_holds_one_thing(void **state)
{
	struct fileset f = { .tree = "/nowhere", .arch = "x86_64" };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fileset_text(&f, "etc/x", "1", &e), &e);
	assert_ok(fileset_text(&f, "etc/x", "1", &e), &e);
	assert_refused(fileset_text(&f, "etc/x", "2", &e), &e, EEXIST, "/etc/x");
	assert_refused(fileset_link(&f, "etc/x", "y", &e), &e, EEXIST, "/etc/x");
	assert_refused(fileset_text(&f, "../x", "2", &e), &e, EINVAL, "../x");
	assert_refused(fileset_text(&f, "/x", "2", &e), &e, EINVAL, "/x");
	assert_int_equal(f.n, 1);
	fileset_free(&f);
}

static void a_set_becomes_that_folder(void **state)
{
	struct fileset f = { .tree = "/nowhere", .arch = "x86_64" };
	struct err e = ERR_INIT;
	char folder[64];
	struct stat st;
	uint64_t bytes;

	(void)state;
	make_folder(folder);
	make_file(folder, "source", "12345", 5);
	assert_ok(fileset_merged_usr(&f, &e), &e);
	assert_ok(fileset_copy(&f, "usr/bin/x", 0755, in(folder, "source"), &e), &e);
	assert_ok(fileset_folder(&f, "tmp", 01777, &e), &e);
	assert_ok(fileset_text(&f, "etc/deep/er", "abc", &e), &e);
	assert_ok(fileset_bytes(&f, &bytes, &e), &e);
	assert_int_equal(bytes, 8);
	assert_int_equal(mkdir(in(folder, "out"), 0755), 0);
	assert_ok(fileset_to_folder(&f, in(folder, "out"), &e), &e);
	assert_int_equal(access(in(folder, "out/bin/x"), X_OK), 0);
	assert_int_equal(stat(in(folder, "out/tmp"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(stat(in(folder, "out/etc/deep/er"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	fileset_free(&f);
	drop_folder(folder);
}

/* This test is a program of this machine, and the tree of its libraries is empty. */
static void programs_of_another_architecture_and_missing_libraries_are_named(void **state)
{
	bool arm64 = !strcmp(tree_machine_arch(), "arm64");
	struct fileset f = { .arch = arm64 ? "x86_64" : "arm64" };
	struct err e = ERR_INIT;
	char folder[64];

	(void)state;
	make_folder(folder);
	f.tree = folder;
	assert_refused(fileset_program(&f, "usr/bin/x", "/proc/self/exe", &e), &e, EINVAL, "another architecture");
	f.arch = arm64 ? "arm64" : "x86_64";
	assert_refused(fileset_program(&f, "usr/bin/x", "/proc/self/exe", &e), &e, ENOENT, "is not in the tree");
	make_file(folder, "script", "#!/bin/sh\n", 10);
	assert_refused(fileset_program(&f, "usr/bin/x", in(folder, "script"), &e), &e, EINVAL, "script");
	assert_int_equal(f.n, 0);
	fileset_free(&f);
	drop_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absolute_links_stay_within_the_tree),
		cmocka_unit_test(a_damaged_package_is_named),
		cmocka_unit_test(a_tool_that_the_tree_lacks_is_named),
		cmocka_unit_test(a_result_is_published_whole_or_not_at_all),
		cmocka_unit_test(a_folder_of_something_else_is_not_replaced),
		cmocka_unit_test(one_path_holds_one_thing),
		cmocka_unit_test(a_set_becomes_that_folder),
		cmocka_unit_test(programs_of_another_architecture_and_missing_libraries_are_named),
	};

	return cmocka_run_group_tests_name("image-builder/tree", tests, NULL, NULL);
}
