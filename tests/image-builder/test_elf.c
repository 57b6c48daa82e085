/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_elf.c - what loaders read is read, lies are refused, and a closure stays in its tree */
#include "tests/image-builder/make.h"

#include "image-builder/elf.h"

#define DATA "tests/data/elf/"

static void a_program_is_read_as_readelf_shows_it(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-program.elf"), l = load(DATA "good-library.elf");
	struct err e = ERR_INIT;
	struct elf elf;

	(void)state;
	/* readelf -ld: interpreter /lib64/ld-test.so.2, NEEDED libone.so.1 */
	assert_ok(elf_parse(b.data, b.len, "program", &elf, &e), &e);
	assert_int_equal(elf.machine, ELF_MACHINE_X86_64);
	assert_string_equal(elf.interp, "/lib64/ld-test.so.2");
	assert_int_equal(elf.n_needed, 1);
	assert_string_equal(elf.needed[0], "libone.so.1");
	assert_null(elf.runpath);
	assert_ok(elf_parse(l.data, l.len, "library", &elf, &e), &e);
	assert_string_equal(elf.soname, "libone.so.1");
	assert_null(elf.interp);
	assert_int_equal(elf.n_needed, 0);
}

static void sections_are_found_by_name(void **state)
{
	cleanup_buf struct buf b = load(DATA "good-program.elf"), cut = load(DATA "bad-cut-in-sections.elf");
	struct err e = ERR_INIT;
	struct reader r;

	(void)state;
	assert_ok(elf_section(b.data, b.len, "program", ".modinfo", &r, &e), &e);
	assert_memory_equal(r.p, "license=GPL", 12);
	assert_refused(elf_section(b.data, b.len, "program", ".none", &r, &e), &e, ENOENT, "no section .none");
	assert_refused(elf_section(b.data, b.len, "program", ".bss", &r, &e), &e, EINVAL, "section .bss lies outside");
	assert_refused(elf_section(cut.data, cut.len, "cut", ".modinfo", &r, &e), &e, EINVAL,
		       "section header 1 lies outside");
}

static void malformed_files_are_refused_with_the_rule(void **state)
{
	static const struct {
		const char *file, *part;
	} bad[] = {
		{"cut-in-header", "no ELF header in 60 bytes"},
		{"magic", "no ELF header"},
		{"class32", "ELF class 1"},
		{"big-endian", "byte order 2"},
		{"program-header-size", "program headers of 32 bytes"},
		{"too-many-program-headers", "129 program headers"},
		{"program-headers-outside", "program header 0 lies outside"},
		{"segment-outside", "segment 1 has 64 bytes at offset 1072, file has 1088"},
		{"segment-wraps", "segment 1 has 64 bytes at offset 18446744073709551600"},
		{"cut-in-sections", "segment 0 has 1088 bytes"},
		{"dynamic-without-end", "dynamic section has no end"},
		{"dynamic-cut-in-entry", "dynamic section has no end"},
		{"string-outside", "names a string at 65536"},
		{"string-without-nul", "names a string at 1"},
		{"string-table-outside", "no segment holds the 13 bytes of the string table"},
		{"string-table-wraps", "no segment holds the 18446744073709551360 bytes"},
		{"interpreter-empty", "names a string at 0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct elf elf = {.n_needed = 77};
		struct err e = ERR_INIT;
		char path[128];

		(void)snprintf(path, sizeof(path), DATA "bad-%s.elf", bad[i].file);
		cleanup_buf struct buf b = load(path);
		assert_refused(elf_parse(b.data, b.len, bad[i].file, &elf, &e), &e, EINVAL, bad[i].part);
		assert_int_equal(elf.n_needed, 77);
	}
}

static void put(const char *tree, const char *path, const char *data)
{
	cleanup_buf struct buf b = load(data);

	make_file(tree, path, b.data, b.len);
}

static void make_link(const char *tree, const char *path, const char *to)
{
	assert_int_equal(symlink(to, in(tree, path)), 0);
}

/* A merged-usr tree: program -> libone (a link) -> libtwo in usr/lib; loader by way of /lib64, an absolute link. */
static void make_tree(char tree[static 64])
{
	make_folder(tree);
	put(tree, "usr/bin/program", DATA "good-program.elf");
	put(tree, "usr/lib/x86_64-linux-gnu/libone.so.1.2", DATA "good-library-needs-two.elf");
	make_link(tree, "usr/lib/x86_64-linux-gnu/libone.so.1", "libone.so.1.2");
	put(tree, "usr/lib/libtwo.so.2", DATA "good-library.elf");
	put(tree, "usr/lib/x86_64-linux-gnu/ld-test.so.2", DATA "good-library.elf");
	make_file(tree, "usr/lib64/empty", "", 0);
	make_link(tree, "lib64", "usr/lib64");
	make_link(tree, "usr/lib64/ld-test.so.2", "/usr/lib/x86_64-linux-gnu/ld-test.so.2");
	make_file(tree, "usr/bin/script", "#!/bin/sh\n", 10);
}

static void a_closure_has_libraries_links_and_loader(void **state)
{
	static const char *const want[] = {"usr/lib/libtwo.so.2", "usr/lib/x86_64-linux-gnu/ld-test.so.2",
					   "usr/lib/x86_64-linux-gnu/libone.so.1",
					   "usr/lib/x86_64-linux-gnu/libone.so.1.2", "usr/lib64/ld-test.so.2"};
	static const char *const from[] = {"usr/bin/program", "usr/bin/script", "/usr/bin/program"};
	cleanup_elf_files struct elf_files f = {0};
	struct err e = ERR_INIT;
	char tree[64];
	int r;

	(void)state;
	make_tree(tree);
	r = elf_closure(tree, "x86_64", from, 3, &f, &e);
	drop_folder(tree);
	assert_ok(r, &e);
	assert_int_equal(f.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < f.n; i++)
		assert_string_equal(f.path[i], want[i]);
}

static void what_is_missing_or_foreign_names_who_needs_it(void **state)
{
	static const struct {
		const char *path, *data; /* put over the tree; without data: removed */
		const char *arch;
		int code;
		const char *part;
	} bad[] = {
		{"usr/lib/libtwo.so.2", NULL, "x86_64", ENOENT,
		 "libone.so.1.2 needs libtwo.so.2, which is not in the tree"},
		{"usr/lib/x86_64-linux-gnu/ld-test.so.2", NULL, "x86_64", ENOENT, "loader of usr/bin/program"},
		{"usr/lib/libtwo.so.2", DATA "good-library-arm64.elf", "x86_64", EINVAL,
		 "libtwo.so.2 is for ELF machine 183"},
		{"usr/lib/x", DATA "good-library.elf", "arm64", EINVAL,
		 "usr/bin/program is for ELF machine 62, wanted 183"},
		{"usr/lib/x", DATA "good-library.elf", "vax", EINVAL, "architecture vax"},
		{"usr/bin/program", NULL, "x86_64", ENOENT, "usr/bin/program is not in the tree"},
		{"usr/bin/program", DATA "good-program-runpath.elf", "x86_64", EINVAL, "\"/opt/lib\" (RUNPATH)"},
		{"usr/bin/program", DATA "good-program-path-needed.elf", "x86_64", EINVAL, "\"../evil.so\": a path"},
		{"usr/lib/libtwo.so.2", DATA "bad-segment-wraps.elf", "x86_64", EINVAL, "segment 1 has 64 bytes"},
	};
	static const char *const from[] = {"usr/bin/program"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct elf_files f = {0};
		struct err e = ERR_INIT;
		char tree[64];
		int r;

		make_tree(tree);
		if (bad[i].data)
			put(tree, bad[i].path, bad[i].data);
		else
			assert_int_equal(unlink(in(tree, bad[i].path)), 0);
		r = elf_closure(tree, bad[i].arch, from, 1, &f, &e);
		drop_folder(tree);
		assert_refused(r, &e, bad[i].code, bad[i].part);
		assert_null(f.path);
	}
}

static void links_never_leave_the_tree(void **state)
{
	char tree[64], real[ELF_MAX_PATH_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	make_tree(tree);
	make_link(tree, "usr/up", "../../../../../../usr/bin/script");
	make_link(tree, "usr/passwd", "/etc/passwd");
	make_link(tree, "usr/loop", "loop");
	assert_ok(elf_resolve(tree, "/usr/./up", real, &e), &e);
	assert_string_equal(real, "usr/bin/script");
	assert_ok(elf_resolve(tree, "lib64/ld-test.so.2", real, &e), &e);
	assert_string_equal(real, "usr/lib/x86_64-linux-gnu/ld-test.so.2");
	assert_refused(elf_resolve(tree, "usr/passwd", real, &e), &e, ENOENT, "usr/passwd is not in the tree");
	assert_refused(elf_resolve(tree, "usr/loop", real, &e), &e, ELOOP, "more than 40 links");
	drop_folder(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_read_as_readelf_shows_it),
		cmocka_unit_test(sections_are_found_by_name),
		cmocka_unit_test(malformed_files_are_refused_with_the_rule),
		cmocka_unit_test(a_closure_has_libraries_links_and_loader),
		cmocka_unit_test(what_is_missing_or_foreign_names_who_needs_it),
		cmocka_unit_test(links_never_leave_the_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
