/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_gate_rootfs.c - layers are opened in order, none that is revoked, and the first that fails ends it
 *
 * Opening a layer needs root and a kernel that checks signatures: the functions of verity/layer.h are played here. What
 * is composed of them is tested by the boots in tests/vm.
 */
#include "tests/common/check.h"

#include "policy/gate.h"
#include "verity/layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static char opened[64];
static char failing;  /* first byte of the root hash that does not open */
static char unproved; /* first byte of the root hash whose mount is not what it should be */

void verity_layer_path(const uint8_t root_hash[static HASH_SHA256_BYTES], char ret[static VERITY_LAYER_PATH_BYTES])
{
	(void)root_hash;
	(void)snprintf(ret, VERITY_LAYER_PATH_BYTES, "/"); /* a folder that is there, of the root's own device */
}

int verity_layer_open(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
		      enum verity_on_corruption on_corruption, char ret_path[static VERITY_LAYER_PATH_BYTES],
		      struct err *e)
{
	size_t n = strlen(opened);

	assert_string_equal(dir, "/layers");
	assert_int_equal(data_bytes, 4096);
	assert_int_equal(on_corruption, VERITY_CORRUPTION_EIO);
	opened[n] = (char)root_hash[0];
	opened[n + 1] = '\0';
	if (root_hash[0] == failing)
		return err_set(e, EKEYREJECTED, "signature does not fit");
	verity_layer_path(root_hash, ret_path);
	return 0;
}

int verity_layer_prove_fd(int fd, const char *name, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
			  struct err *e)
{
	assert_true(fd >= 0);
	assert_string_equal(name, "/");
	assert_int_equal(data_bytes, 4096);
	return root_hash[0] == unproved ? err_set(e, EBADMSG, "not proved") : 0;
}

static const char *bottom = "/";

static int mount_it(uint8_t (*revoked)[HASH_SHA256_BYTES], size_t n_revoked, struct err *e)
{
	struct policy_layer layers[3] = {
		{.root_hash = "a", .data_bytes = 4096},
		{.root_hash = "b", .data_bytes = 4096},
		{.root_hash = "c", .data_bytes = 4096},
	};
	struct policy_image image = {.name = (char *)"hello", .layer = layers, .n_layers = 3};
	struct policy policy = {.image = &image, .n_images = 1, .revoked = revoked, .n_revoked = n_revoked};
	struct gate_host host = {.layer_dir = "/layers", .bottom = bottom};
	char dir[] = "/tmp/holdfast-rootfs-XXXXXX", rootfs[64];
	struct gate_state s = GATE_STATE_INIT;
	int r;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(rootfs, sizeof(rootfs), "%s/rootfs", dir);
	assert_int_equal(mkdir(rootfs, 0700), 0);
	s.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(s.path, sizeof(s.path), "%s", dir);
	opened[0] = '\0';
	r = gate_rootfs_mount(&host, &policy, &image, &s, e);
	gate_state_close(&s);
	assert_int_equal(rmdir(rootfs), 0); /* nothing is mounted on it */
	assert_int_equal(rmdir(dir), 0);
	return r;
}

static void a_revoked_layer_is_not_opened(void **state)
{
	uint8_t revoked[1][HASH_SHA256_BYTES] = {"b"};
	struct err e = ERR_INIT;

	(void)state;
	failing = 0;
	assert_refused(mount_it(revoked, 1, &e), &e, EKEYREVOKED, "layer 1 of image \"hello\" is revoked");
	assert_string_equal(opened, "a");
}

static void a_layer_that_does_not_open_ends_it(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	failing = 'b';
	assert_refused(mount_it(NULL, 0, &e), &e, EKEYREJECTED, "layer 1 of image \"hello\": signature does not fit");
	assert_string_equal(opened, "ab");
}

static void a_layer_that_is_not_proved_ends_it(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	failing = 0;
	unproved = 'c';
	assert_refused(mount_it(NULL, 0, &e), &e, EBADMSG, "layer 2 of image \"hello\": not proved");
	unproved = 0;
	assert_string_equal(opened, "abc");
}

static void a_bottom_folder_of_another_file_system_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	bottom = "/proc";
	assert_refused(mount_it(NULL, 0, &e), &e, EBADMSG, "/proc is not of the host's own root");
	bottom = "/";
	assert_string_equal(opened, "");
}

/*
 * Without root the overlay cannot be made (EPERM); with root the kernel refuses one whose lower folders are all the
 * same (ELOOP or EINVAL). Both come after opening and proving.
 */
static void layers_that_open_come_as_far_as_the_overlay(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	failing = 0;
	assert_true(mount_it(NULL, 0, &e) < 0);
	assert_string_equal(opened, "abc");
	assert_non_null(strstr(e.msg, "overlay"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_revoked_layer_is_not_opened),
		cmocka_unit_test(a_layer_that_does_not_open_ends_it),
		cmocka_unit_test(a_layer_that_is_not_proved_ends_it),
		cmocka_unit_test(a_bottom_folder_of_another_file_system_is_refused),
		cmocka_unit_test(layers_that_open_come_as_far_as_the_overlay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
