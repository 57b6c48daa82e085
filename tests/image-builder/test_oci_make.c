/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_oci_make.c - container images from folders: readable by others, the same bytes every time */
#include "tests/image-builder/make.h"

#include "image-builder/epoch.h"
#include "image-builder/oci_make.h"
#include "policy/oci_layout.h"

#include <fcntl.h>

#define LONG_NAME                                                                                                      \
	"a-name-of-more-than-one-hundred-characters-which-does-not-fit-the-name-field-of-a-posix-ustar-header-at-all-" \
	"no"

static const char *const entrypoint[] = { "/bin/x", "-v" };
static const char *const env[] = { "PATH=/bin" };

static struct oci_make_params params(const char *const *tree, const char *out)
{
	return (struct oci_make_params){ .tree = tree,
					 .n_trees = 1,
					 .out = out,
					 .tag = "1",
					 .arch = "amd64",
					 .entrypoint = entrypoint,
					 .n_entrypoint = 2,
					 .env = env,
					 .n_env = 1,
					 .user = "0:0",
					 .cwd = "/",
					 .epoch = EPOCH_DEFAULT };
}

static void fill(const char *tree, bool other_way_round)
{
	for (int i = 0; i < 3; i++) {
		int what = other_way_round ? 2 - i : i;

		if (what == 0)
			make_file(tree, "bin/x", "program", 7);
		else if (what == 1)
			make_file(tree, "etc/" LONG_NAME, "long", 4);
		else
			assert_int_equal(symlink("bin/x", in(tree, "link")), 0);
	}
}

static int put_in_file(void *arg, const uint8_t *data, size_t n, struct err *e)
{
	return file_write_all(*(int *)arg, data, n, "layer.tar", e);
}

static void the_layout_is_what_other_readers_expect(void **state)
{
	char folder[64];
	const char *tree[1], *tar[] = { "tar", "-tvf", "/dev/stdin", "--full-time", "--utc", NULL };
	struct policy_oci_image *image;
	struct oci_make_params p;
	struct buf out = BUF_INIT;
	struct proc_params run = { .argv = tar, .out = &out, .out_max = 65536, .quiet = 1 };
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	need("tar");
	make_folder(folder);
	tree[0] = in(folder, "tree");
	make_file(folder, "tree/bin/x", "program", 7);
	fill(tree[0], false);
	p = params(tree, in(folder, "oci"));
	assert_ok(oci_make(&p, &e), &e);
	assert_ok(policy_oci_load(p.out, "1", "amd64", &image, &e), &e);
	assert_string_equal(image->entrypoint[1], "-v");
	assert_string_equal(image->env[0], "PATH=/bin");
	assert_string_equal(image->user, "0:0");
	assert_int_equal(image->n_layers, 1);
	fd = open(in(folder, "layer.tar"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd > 0);
	assert_ok(policy_oci_unpack(image, 0, &(struct policy_oci_sink){put_in_file, &fd}, 1 << 20, &e), &e);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	run.stdin_fd = fd;
	assert_ok(proc_run(&run, &e), &e);
	buf_u8(&out, 0);
	assert_string_equal((char *)out.data, "drwxr-xr-x 0/0               0 2025-01-01 00:00:00 bin/\n"
					      "-rwxr-xr-x 0/0               7 2025-01-01 00:00:00 bin/x\n"
					      "drwxr-xr-x 0/0               0 2025-01-01 00:00:00 etc/\n"
					      "-rwxr-xr-x 0/0               4 2025-01-01 00:00:00 etc/" LONG_NAME "\n"
					      "lrwxrwxrwx 0/0               0 2025-01-01 00:00:00 link -> bin/x\n");
	buf_free(&out);
	policy_oci_free(image);
	(void)close(fd); /* scratch */
	drop_folder(folder);
}

static void equal_folders_give_equal_images(void **state)
{
	char folder[64];
	const char *a[1], *b[1];
	struct oci_make_params pa, pb;
	struct buf one, two;
	struct err e = ERR_INIT;

	(void)state;
	make_folder(folder);
	a[0] = in(folder, "a");
	b[0] = in(folder, "b/c");
	make_file(folder, "a/bin/x", "program", 7);
	make_file(folder, "b/c/etc/" LONG_NAME, "long", 4);
	fill(a[0], false);
	fill(b[0], true);
	pa = params(a, in(folder, "one"));
	pb = params(b, in(folder, "two"));
	assert_ok(oci_make(&pa, &e), &e);
	assert_ok(oci_make(&pb, &e), &e);
	one = load(in(folder, "one/index.json")); /* names everything else by digest */
	two = load(in(folder, "two/index.json"));
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	buf_free(&one);
	buf_free(&two);
	drop_folder(folder);
}

static void what_cannot_be_in_a_layer_is_named_and_nothing_is_left(void **state)
{
	char folder[64];
	const char *tree[1];
	struct oci_make_params p;
	struct err e = ERR_INIT;

	(void)state;
	make_folder(folder);
	tree[0] = in(folder, "tree");
	make_file(folder, "tree/bin/x", "program", 7);
	assert_int_equal(mkfifo(in(tree[0], "pipe"), 0600), 0);
	p = params(tree, in(folder, "oci"));
	assert_refused(oci_make(&p, &e), &e, EINVAL, "pipe");
	assert_int_not_equal(access(p.out, F_OK), 0);
	assert_int_equal(unlink(in(tree[0], "pipe")), 0);
	p.arch = "i386";
	assert_refused(oci_make(&p, &e), &e, EINVAL, "i386");
	p.arch = "amd64";
	p.out = tree[0];
	assert_refused(oci_make(&p, &e), &e, EEXIST, "oci-layout");
	p.out = in(folder, "oci");
	assert_ok(oci_make(&p, &e), &e);
	drop_folder(folder);
}

/* The archive is the layout again, under the name that an engine will know it by. */
static void the_archive_holds_the_same_image(void **state)
{
	char folder[64];
	const char *tree[1], *tar[] = { "tar", "-xf", NULL, "-C", NULL, NULL };
	struct oci_make_params p;
	struct oci_archive_params a = { .tag = "1", .arch = "amd64", .name = "holdfast.local/x:latest" };
	struct policy_oci_image *one, *two;
	struct err e = ERR_INIT;

	(void)state;
	need("tar");
	make_folder(folder);
	tree[0] = in(folder, "tree");
	make_file(folder, "tree/bin/x", "program", 7);
	p = params(tree, in(folder, "oci"));
	assert_ok(oci_make(&p, &e), &e);
	a.layout = p.out;
	a.path = in(folder, "x.tar");
	assert_ok(oci_archive(&a, &e), &e);
	assert_int_not_equal(access(in(folder, "x.tar.d"), F_OK), 0);
	tar[2] = a.path;
	tar[4] = in(folder, "again");
	assert_int_equal(mkdir(tar[4], 0755), 0);
	assert_ok(oracle(tar, NULL, &e), &e);
	assert_ok(policy_oci_load(p.out, "1", "amd64", &one, &e), &e);
	assert_ok(policy_oci_load(tar[4], "holdfast.local/x:latest", "amd64", &two, &e), &e);
	assert_memory_equal(one->manifest, two->manifest, sizeof(one->manifest));
	policy_oci_free(one);
	policy_oci_free(two);
	a.tag = "2";
	assert_refused(oci_archive(&a, &e), &e, ENOENT, "2");
	drop_folder(folder);
}

static void the_epoch_is_checked(void **state)
{
	uint64_t n;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
	assert_ok(epoch_get(&n, &e), &e);
	assert_int_equal(n, EPOCH_DEFAULT);
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "1700000000", 1), 0);
	assert_ok(epoch_get(&n, &e), &e);
	assert_int_equal(n, 1700000000);
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "0", 1), 0);
	assert_refused(epoch_get(&n, &e), &e, EINVAL, "SOURCE_DATE_EPOCH");
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "today", 1), 0);
	assert_refused(epoch_get(&n, &e), &e, EINVAL, "today");
	assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_is_what_other_readers_expect),
		cmocka_unit_test(equal_folders_give_equal_images),
		cmocka_unit_test(what_cannot_be_in_a_layer_is_named_and_nothing_is_left),
		cmocka_unit_test(the_archive_holds_the_same_image),
		cmocka_unit_test(the_epoch_is_checked),
	};

	return cmocka_run_group_tests_name("image-builder/oci_make", tests, NULL, NULL);
}
