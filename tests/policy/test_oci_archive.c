/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/test_oci_archive.c - archives in the form of `docker save`: good ones become layouts, bad ones nothing */
#include "tests/policy/archive_make.h"
#include "tests/policy/owner.h"

#include "policy/oci_archive.h"
#include "policy/oci_layout.h"

#include <dirent.h>
#include <sys/stat.h>

#define DATA "tests/data/oci-archive/"

static char dir[] = "/tmp/holdfast-archive-XXXXXX";

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owner_remove_folder(dir);
	return 0;
}

/* The archive of data file @name, through unpacking and the reader of layouts. */
static int load(const char *name, struct policy_oci_image **ret, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_buf struct buf tar = BUF_INIT;
	char path[PATH_MAX], folder[PATH_MAX] = "";
	bool tagged = false;
	int r;

	(void)snprintf(path, sizeof(path), DATA "%s", name);
	assert_ok(file_read(path, 1 << 20, &text, e), e);
	buf_u8(&text, '\0');
	assert_true(archive_make((char *)text.data, &tar));
	(void)snprintf(path, sizeof(path), "%s/a.tar", dir);
	assert_ok(file_write(path, tar.data, tar.len, 0600, e), e);
	r = policy_oci_archive_unpack(path, dir, NULL, folder, &tagged, e);
	r = r ? r : policy_oci_load(folder, NULL, "amd64", ret, e);
	policy_oci_archive_remove(folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0); /* nothing is left */
	assert_int_equal(mkdir(dir, 0700), 0);
	return r;
}

static void good_ones_become_layouts(void **state)
{
	static const struct {
		const char *name;
		size_t layers;
	} good[] = {{"good-save", 1}, {"good-save-linked", 2}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cleanup_policy_oci struct policy_oci_image *image = NULL;
		struct err e = ERR_INIT;

		assert_ok(load(good[i].name, &image, &e), &e);
		assert_int_equal(image->n_layers, good[i].layers);
	}
}

static void bad_ones_are_refused(void **state)
{
	static const struct {
		const char *name;
		int code;
		const char *part;
	} bad[] = {
		{"bad-layers-and-diff-ids-differ", EINVAL, "manifest.json has 1 layers, the configuration 2 diff_ids"},
		{"bad-layer-outside", EINVAL, "has no file \"../../l\", which manifest.json names"},
		{"bad-layer-link-out", EINVAL, "has no file \"l\", which manifest.json names"},
		{"bad-config-outside", ENOENT, "has no file \"/etc/passwd\""},
		{"bad-config-missing", ENOENT, "has no file \"c.json\""},
		{"bad-two-images", EINVAL, "more than one image fits"},
		{"bad-no-list", EINVAL, "manifest.json: wanted a list"},
		{"bad-diff-id-path", EINVAL, "diff_ids[0] is not \"sha256:\" and 64"},
		{"bad-layout-dotdot", EINVAL, "\"blobs/sha256/../x\" has a part"},
		{"bad-layout-link", ENOENT, "no image"},
	};
	DIR *d = opendir(DATA);
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct policy_oci_image *image = NULL;
		struct err e = ERR_INIT;

		assert_refused(load(bad[i].name, &image, &e), &e, bad[i].code, bad[i].part);
		assert_null(image);
	}
	assert_non_null(d);
	for (struct dirent *f; (f = readdir(d));)
		found += !strncmp(f->d_name, "bad-", 4) && strncmp(f->d_name, "bad-fuzz-", 9);
	(void)closedir(d);
	assert_int_equal(found, ARRAY_SIZE(bad)); /* each file has its row */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_become_layouts),
		cmocka_unit_test(bad_ones_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
