/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_keys.c - the owner's keys: complete, private, never overwritten */
#include "tests/image-builder/make.h"

#include "image-builder/keys.h"

#include <signal.h>
#include <sys/resource.h>

static void each_key_fits_its_certificate_and_is_private(void **state)
{
	char folder[64];
	struct err e = ERR_INIT;
	struct keys k = { 0 };
	char dir[80];

	(void)state;
	make_folder(folder);
	(void)snprintf(dir, sizeof(dir), "%s/keys", folder); /* fits */
	assert_ok(keys_make(dir, NULL, &e), &e);
	for (int i = 0; i < KEYS_NAMES_; i++) {
		char file[32];
		struct stat st;

		(void)snprintf(file, sizeof(file), "%s.key", keys_name_str(i)); /* short */
		assert_int_equal(stat(in(dir, file), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_ok(keys_load(dir, &k, &e), &e);
	assert_int_equal(X509_check_private_key(k.cert[KEYS_DB], k.key[KEYS_DB]), 1);
	assert_int_equal(X509_check_private_key(k.cert[KEYS_POLICY], k.key[KEYS_POLICY]), 1);
	assert_null(k.key[KEYS_PK]);
	keys_free(&k);
	drop_folder(folder);
}

/* What firmware and kernel want of a certificate, as openssl(1) reads it. */
static void certificates_have_the_extensions_that_the_kernel_wants(void **state)
{
	char folder[64];
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	char dir[80];
	const char *argv[] = { "openssl", "x509", "-in", NULL, "-inform", "der", "-noout", "-text", NULL };

	(void)state;
	need("openssl");
	make_folder(folder);
	(void)snprintf(dir, sizeof(dir), "%s/keys", folder); /* fits */
	assert_ok(keys_make(dir, NULL, &e), &e);
	argv[3] = in(dir, "db.der");
	assert_ok(oracle(argv, &out, &e), &e);
	assert_non_null(strstr((char *)out.data, "Public-Key: (2048 bit)"));
	assert_non_null(strstr((char *)out.data, "X509v3 Basic Constraints: critical\n                CA:FALSE"));
	assert_non_null(strstr((char *)out.data, "X509v3 Key Usage: \n                Digital Signature\n"));
	assert_non_null(strstr((char *)out.data, "X509v3 Subject Key Identifier:"));
	buf_free(&out);
	drop_folder(folder);
}

static void keys_are_never_overwritten(void **state)
{
	char folder[64];
	struct err e = ERR_INIT;
	struct buf before, after;
	char dir[80];

	(void)state;
	make_folder(folder);
	(void)snprintf(dir, sizeof(dir), "%s/keys", folder); /* fits */
	assert_ok(keys_make(dir, NULL, &e), &e);
	before = load(in(dir, "db.key"));
	assert_refused(keys_make(dir, NULL, &e), &e, EEXIST, "never overwritten");
	after = load(in(dir, "db.key"));
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	buf_free(&before);
	buf_free(&after);
	drop_folder(folder);
}

static void a_full_disk_leaves_nothing_behind(void **state)
{
	const struct rlimit none = { 1000, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	char folder[64];
	struct err e = ERR_INIT;
	int r;

	(void)state;
	make_folder(folder);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0); /* a key has some 1700 bytes */
	r = keys_make(in(folder, "keys"), NULL, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_refused(r, &e, EFBIG, "PK.key");
	assert_int_equal(rmdir(folder), 0); /* only works on an empty folder */
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(keys_make("/dev/null/keys", NULL, &e), &e, ENOTDIR, "/dev/null/keys");
	assert_refused(keys_make("/proc/holdfast-keys", NULL, &e), &e, ENOENT, "/proc/holdfast-keys");
}

static void a_missing_key_is_named(void **state)
{
	static const char *const files[] = { "PK.pem", "KEK.pem", "db.pem", "db.key", "policy.pem", "policy.key", "pcr.pem", "pcr.key" };
	char dir[80];
	char folder[64];
	struct keys k = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	make_folder(folder);
	(void)snprintf(dir, sizeof(dir), "%s/keys", folder); /* fits */
	assert_ok(keys_make(dir, NULL, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const char *path = in(dir, files[i]), *aside = in(folder, "aside");

		assert_int_equal(rename(path, aside), 0);
		assert_refused(keys_load(dir, &k, &e), &e, ENOENT, files[i]);
		assert_int_equal(rename(aside, path), 0);
	}
	assert_ok(keys_load(dir, &k, &e), &e);
	keys_free(&k);
	drop_folder(folder);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
	char folder[64];
	struct keys k = { 0 };
	struct err e = ERR_INIT;
	char dir[80];

	(void)state;
	make_folder(folder);
	(void)snprintf(dir, sizeof(dir), "%s/keys", folder); /* fits */
	assert_ok(keys_make(dir, NULL, &e), &e);
	assert_int_equal(rename(in(dir, "policy.key"), in(dir, "db.key")), 0);
	assert_refused(keys_load(dir, &k, &e), &e, EINVAL, "db.key");
	drop_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_fits_its_certificate_and_is_private),
		cmocka_unit_test(certificates_have_the_extensions_that_the_kernel_wants),
		cmocka_unit_test(keys_are_never_overwritten),
		cmocka_unit_test(a_full_disk_leaves_nothing_behind),
		cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
		cmocka_unit_test(a_missing_key_is_named),
		cmocka_unit_test(a_key_of_another_certificate_is_refused),
	};

	return cmocka_run_group_tests_name("image-builder/keys", tests, NULL, NULL);
}
