/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_cpio.c - archives that cpio reads, the same whatever the order of adding */
#include "tests/image-builder/make.h"

#include "image-builder/cpio.h"

static void fill(struct cpio *c, int backwards)
{
	struct err e = ERR_INIT;

	for (int k = 0; k < 5; k++) {
		switch (backwards ? 4 - k : k) {
		case 0:
			assert_ok(cpio_add_file(c, "init", 0755, "#!x\n", 4, &e), &e);
			break;
		case 1:
			assert_ok(cpio_add_dir(c, "usr/lib", 0700, &e), &e);
			break;
		case 2:
			assert_ok(cpio_add_link(c, "lib", "usr/lib", &e), &e);
			break;
		case 3:
			assert_ok(cpio_add_char(c, "dev/console", 0600, 5, 1, &e), &e);
			break;
		case 4:
			assert_ok(cpio_add_file(c, "usr/lib/a.so", 0644, "12345", 5, &e), &e);
			break;
		}
	}
}

static void the_order_of_adding_does_not_matter(void **state)
{
	cleanup_cpio struct cpio a = CPIO_INIT, b = CPIO_INIT, later = {.mtime = 1};
	cleanup_buf struct buf x = BUF_INIT, y = BUF_INIT, z = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	fill(&a, 0);
	fill(&b, 1);
	fill(&later, 0);
	assert_ok(cpio_write(&a, &x, &e), &e);
	assert_ok(cpio_write(&b, &y, &e), &e);
	assert_ok(cpio_write(&later, &z, &e), &e);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
	assert_int_equal(x.len % 512, 0);
	assert_memory_not_equal(x.data, z.data, x.len);
}

static void cpio_lists_what_was_put_in(void **state)
{
	cleanup_cpio struct cpio c = CPIO_INIT;
	cleanup_buf struct buf x = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;
	char folder[64];

	(void)state;
	need("cpio");
	make_folder(folder);
	fill(&c, 0);
	assert_ok(cpio_write(&c, &x, &e), &e);
	make_file(folder, "a.cpio", x.data, x.len);
	{
		const char *argv[] = {"cpio", "-itvn", "--quiet", "-F", in(folder, "a.cpio"), NULL};
		int r = oracle(argv, &out, &e);

		drop_folder(folder);
		assert_ok(r, &e);
	}
	assert_string_equal((char *)out.data, "drwxr-xr-x   2 0        0               0 Jan  1  1970 dev\n"
					      "crw-------   1 0        0          5,   1 Jan  1  1970 dev/console\n"
					      "-rwxr-xr-x   1 0        0               4 Jan  1  1970 init\n"
					      "lrwxrwxrwx   1 0        0               7 Jan  1  1970 lib -> usr/lib\n"
					      "drwxr-xr-x   2 0        0               0 Jan  1  1970 usr\n"
					      "drwx------   2 0        0               0 Jan  1  1970 usr/lib\n"
					      "-rw-r--r--   1 0        0               5 Jan  1  1970 usr/lib/a.so\n");
}

static void the_header_is_what_the_kernel_documents(void **state)
{
	cleanup_cpio struct cpio c = {.mtime = 0x12345678};
	cleanup_buf struct buf x = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(cpio_add_file(&c, "ab", 0644, "xyz", 3, &e), &e);
	assert_ok(cpio_write(&c, &x, &e), &e);
	/* buffer-format.rst: magic, ino, mode, uid, gid, nlink, mtime, filesize, maj, min, rmaj, rmin, namesize,
	 * chksum; name; data */
	assert_memory_equal(x.data,
			    "070701"
			    "00000001"
			    "000081A4"
			    "00000000"
			    "00000000"
			    "00000001"
			    "12345678"
			    "00000003"
			    "00000000"
			    "00000000"
			    "00000000"
			    "00000000"
			    "00000003"
			    "00000000"
			    "ab\0\0\0\0"
			    "xyz\0"
			    "070701",
			    110 + 6 + 4 + 6);
}

static void wrong_paths_are_refused(void **state)
{
	static const char *const bad[] = {"/init", "", "a//b", "a/", "./a", "a/.", "../a", "a/../b"};
	cleanup_cpio struct cpio c = CPIO_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_refused(cpio_add_file(&c, bad[i], 0644, "", 0, &e), &e, EINVAL,
			       "is not relative or has an empty");
	assert_ok(cpio_add_file(&c, "..a/.b", 0644, "", 0, &e), &e);
	assert_refused(cpio_add_file(&c, "..a/.b", 0644, "", 0, &e), &e, EEXIST, "is there already");
	assert_refused(cpio_add_file(&c, "..a/.b/c", 0644, "", 0, &e), &e, ENOTDIR, "lies below \"..a/.b\"");
	assert_refused(cpio_add_file(&c, "..a", 0644, "", 0, &e), &e, EEXIST, "is there already");
	assert_refused(cpio_add_link(&c, "l", "", &e), &e, EINVAL, "target of 0 bytes");
	assert_refused(cpio_add_copy(&c, "f", 0644, "/nonexistent", &e), &e, ENOENT, "/nonexistent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_adding_does_not_matter),
		cmocka_unit_test(cpio_lists_what_was_put_in),
		cmocka_unit_test(the_header_is_what_the_kernel_documents),
		cmocka_unit_test(wrong_paths_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
