/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/oci_make.h - OCI layouts written by the test, from texts with %s where digests belong */
#ifndef TESTS_POLICY_OCI_MAKE_H
#define TESTS_POLICY_OCI_MAKE_H

#include "tests/policy/owner.h"

#include "common/hash.h"

/* struct oci_blob - where a blob's digest and size end up, as the JSON texts want them */
struct oci_blob {
	char digest[7 + 2 * HASH_SHA256_BYTES + 1]; /* "sha256:..." */
	size_t bytes;
};

static inline void oci_write(const char *folder, const char *name, const void *data, size_t len)
{
	char path[PATH_MAX];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_ok(file_write(path, data, len, 0644, &e), &e);
}

static inline struct oci_blob oci_put(const char *folder, const void *data, size_t len)
{
	uint8_t digest[HASH_SHA256_BYTES];
	struct oci_blob b = {.digest = "sha256:", .bytes = len};
	char name[100];

	hash_sha256(data, len, digest);
	hex_encode(digest, sizeof(digest), b.digest + 7);
	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", b.digest + 7);
	oci_write(folder, name, data, len);
	return b;
}

static inline struct oci_blob oci_put_text(const char *folder, const char *text)
{
	return oci_put(folder, text, strlen(text));
}

static inline void oci_begin(const char *folder)
{
	static const char marker[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	char path[PATH_MAX];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%s/blobs/sha256", folder);
	assert_ok(file_mkdirs(path, &e), &e);
	oci_write(folder, "oci-layout", marker, sizeof(marker) - 1);
}

/* Through gzip(1) or zstd(1). */
static inline void oci_pack(const char *command, const struct buf *in, struct buf *out)
{
	const char *const argv[] = {"sh", "-c", command, NULL};
	FILE *f = tmpfile();
	struct proc_params p = {.argv = argv, .out = out, .out_max = 64 << 20, .quiet = 1};
	struct err e = ERR_INIT;

	assert_non_null(f);
	p.stdin_fd = fileno(f);
	assert_ok(file_write_all(p.stdin_fd, in->data, in->len, "tmpfile", &e), &e);
	assert_int_equal(lseek(p.stdin_fd, 0, SEEK_SET), 0);
	assert_ok(proc_run(&p, &e), &e);
	(void)fclose(f);
}

#endif
