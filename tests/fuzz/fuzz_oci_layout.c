/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_oci_layout.c - the reader of OCI layouts
 *
 * The input is cut at 0xff bytes (which no JSON holds) into index.json, manifest and configuration. Digests and sizes
 * of the last two are put in where the text before them says @D and @S, so that the fuzzer need not break SHA-256.
 */
#include "common/buf.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/hex.h"
#include "policy/oci_layout.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/holdfast-fuzz-oci-XXXXXX";

static void put(const char *name, const void *data, size_t len)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		abort();
}

static void end(void)
{
	static const char *const names[] = {"/oci-layout", "/index.json", "/blobs/sha256", "/blobs", ""};
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", dir, names[i]);
		(void)remove(path); /* what stays is in /tmp */
	}
}

static void begin(void)
{
	static const char marker[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct err e = ERR_INIT;
	char path[256];

	if (!mkdtemp(dir) || atexit(end))
		abort();
	(void)snprintf(path, sizeof(path), "%s/blobs/sha256", dir);
	if (file_mkdirs(path, &e))
		abort();
	put("oci-layout", marker, sizeof(marker) - 1);
}

/* Copy @text with digest and size of @blob in place of @D and @S. */
static void expand(const uint8_t *text, size_t n, const struct buf *blob, struct buf *out)
{
	uint8_t digest[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];

	hash_sha256(blob->data, blob->len, digest);
	hex_encode(digest, sizeof(digest), hex);
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '@' && i + 1 < n && text[i + 1] == 'D')
			buf_printf(out, "sha256:%s", hex);
		else if (text[i] == '@' && i + 1 < n && text[i + 1] == 'S')
			buf_printf(out, "%zu", blob->len);
		else {
			buf_u8(out, text[i]);
			continue;
		}
		i++;
	}
}

static void put_blob(const struct buf *b, char path[static 128])
{
	uint8_t digest[HASH_SHA256_BYTES];

	hash_sha256(b->data, b->len, digest);
	(void)strcpy(path, "blobs/sha256/");
	hex_encode(digest, sizeof(digest), path + strlen(path));
	put(path, b->data, b->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int begun;
	const uint8_t *one = memchr(data, 0xff, size);
	const uint8_t *two = one ? memchr(one + 1, 0xff, size - (size_t)(one + 1 - data)) : NULL;
	cleanup_policy_oci struct policy_oci_image *image = NULL;
	cleanup_buf struct buf index = BUF_INIT;
	cleanup_buf struct buf manifest = BUF_INIT;
	cleanup_buf struct buf config = BUF_INIT;
	char paths[2][128], path[256];
	struct err e = ERR_INIT;

	if (!two)
		return 0;
	if (!begun++)
		begin();
	buf_put(&config, two + 1, size - (size_t)(two + 1 - data));
	expand(one + 1, (size_t)(two - one - 1), &config, &manifest);
	expand(data, (size_t)(one - data), &manifest, &index);
	put_blob(&config, paths[0]);
	put_blob(&manifest, paths[1]);
	put("index.json", index.data, index.len);
	(void)policy_oci_load(dir, NULL, "amd64", &image, &e); /* any verdict will do; the sanitizers judge */
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, paths[i]);
		(void)unlink(path); /* the same blob twice: the second is gone already */
	}
	return 0;
}
