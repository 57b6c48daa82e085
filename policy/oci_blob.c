/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/oci_blob.c - the files of an OCI layout: small ones into memory, layers unpacked into a file */
#include "policy/oci_blob.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/interrupt.h"
#include "common/proc.h"
#include "policy/oci_layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define COPY_BYTES (1 << 18)

int policy_oci_path(const char *folder, const char *name, char ret[static PATH_MAX], struct err *e)
{
	if (snprintf(ret, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s/%s", folder, name);
	return 0;
}

/* "<folder>/blobs/sha256/<hex>" */
static int blob_path(const char *folder, const uint8_t digest[static HASH_SHA256_BYTES], char ret[static PATH_MAX], struct err *e)
{
	char name[16 + 2 * HASH_SHA256_BYTES] = "blobs/sha256/";

	hex_encode(digest, HASH_SHA256_BYTES, name + strlen(name));
	return policy_oci_path(folder, name, ret, e);
}

int policy_oci_blob_size(const char *folder, const uint8_t digest[static HASH_SHA256_BYTES], uint64_t *ret_bytes, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;
	int r = blob_path(folder, digest, path, e);

	if (!r && stat(path, &st) < 0)
		r = err_errno(e, "cannot look at blob %s", path);
	if (!r)
		*ret_bytes = (uint64_t)st.st_size;
	return r;
}

/* Open a blob by its digest: a regular file of exactly @bytes. @ret_path names it in messages. */
static int open_blob(const char *folder, const uint8_t digest[static HASH_SHA256_BYTES], uint64_t bytes,
		     char ret_path[static PATH_MAX], int *ret_fd, struct err *e)
{
	cleanup_fd int fd = -1;
	struct stat st;
	int r = blob_path(folder, digest, ret_path, e);

	if (r)
		return r;
	fd = open(ret_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO must not keep us */
	if (fd < 0)
		return err_errno(e, "cannot open blob %s", ret_path);
	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot look at %s", ret_path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "blob %s is no regular file", ret_path);
	if ((uint64_t)st.st_size != bytes)
		return err_set(e, EINVAL, "blob %s has %lld bytes, its descriptor says %llu", ret_path,
			       (long long)st.st_size, (unsigned long long)bytes);
	*ret_fd = take_fd(&fd);
	return 0;
}

static int check_digest(const uint8_t want[static HASH_SHA256_BYTES], const uint8_t have[static HASH_SHA256_BYTES],
			const char *what, struct err *e)
{
	char want_hex[2 * HASH_SHA256_BYTES + 1], have_hex[2 * HASH_SHA256_BYTES + 1];

	if (hash_equal(want, HASH_SHA256_BYTES, have, HASH_SHA256_BYTES))
		return 0;
	hex_encode(want, HASH_SHA256_BYTES, want_hex);
	hex_encode(have, HASH_SHA256_BYTES, have_hex);
	return err_set(e, EINVAL, "%s: digest is %.16s..., wanted %.16s...", what, have_hex, want_hex);
}

int policy_oci_blob_read(const char *folder, const uint8_t digest[static HASH_SHA256_BYTES], uint64_t bytes,
			 struct buf *ret, struct err *e)
{
	cleanup_fd int fd = -1;
	uint8_t have[HASH_SHA256_BYTES];
	char path[PATH_MAX];
	int r = open_blob(folder, digest, bytes, path, &fd, e);

	r = r ? r : file_read_fd(fd, path, (size_t)bytes, ret, e);
	if (r)
		return r;
	hash_sha256(ret->data, ret->len, have);
	return check_digest(digest, have, "blob", e);
}

/* --- layers --------------------------------------------------------------------------------------------------- */

/* struct flow - an unpacked layer on its way: at most @left bytes more, all of them hashed */
struct flow {
	const struct policy_oci_sink *to;
	struct hash_stream *hash;
	uint64_t left;
};

static int flow_put(void *arg, const uint8_t *data, size_t n, struct err *e)
{
	struct flow *f = arg;

	if (n > f->left)
		return err_set(e, EFBIG, "it unpacks to more bytes than are accepted");
	f->left -= n;
	hash_stream_put(f->hash, data, n);
	return f->to->put(f->to->arg, data, n, e);
}

static int copy(int fd, struct flow *f, const char *path, struct err *e)
{
	cleanup_free uint8_t *block = malloc(COPY_BYTES);
	ssize_t n;
	int r = block ? 0 : err_set(e, ENOMEM, "no memory to read %s", path);

	while (!r && (n = read(fd, block, COPY_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? err_errno(e, "cannot read %s", path) : flow_put(f, block, (size_t)n, e);
		r = r ? r : interrupt_check(e);
	}
	return r;
}

static int unpack(int fd, enum policy_oci_packing packing, struct flow *f, const char *path, struct err *e)
{
	static const char *const gzip[] = {"gzip", "-dc", NULL};
	static const char *const zstd[] = {"zstd", "-dcq", NULL};
	struct proc_params p = {.stdin_fd = fd, .sink = flow_put, .sink_arg = f, .quiet = 1};

	switch (packing) {
	case POLICY_OCI_TAR:
		return copy(fd, f, path, e);
	case POLICY_OCI_GZIP:
		p.argv = gzip;
		return proc_run(&p, e);
	case POLICY_OCI_ZSTD:
		p.argv = zstd;
		return proc_run(&p, e);
	}
	return err_set(e, EINVAL, "%s: packing %d is not known", path, (int)packing);
}

/* A blob that is the tar itself is hashed once, as it is pushed. */
static bool is_tar_itself(const struct policy_oci_layer *l)
{
	return l->packing == POLICY_OCI_TAR && hash_equal(l->digest, sizeof(l->digest), l->diff_id, sizeof(l->diff_id));
}

/* SHA-256 of an open blob from its start; its position stays. @again: also of one that is hashed as it is pushed. */
static int check_blob(const struct policy_oci_layer *l, int fd, bool again, struct err *e)
{
	uint8_t have[HASH_SHA256_BYTES];
	char path[64];
	int r;

	if (is_tar_itself(l) && !again)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* always fits */
	r = hash_sha256_file(path, have, e);
	return r ? r : check_digest(l->digest, have, "blob", e);
}

int policy_oci_unpack(const struct policy_oci_image *i, size_t index, const struct policy_oci_sink *to,
		      uint64_t max_bytes, struct err *e)
{
	const struct policy_oci_layer *l = &i->layer[index];
	struct flow f = {.to = to, .left = max_bytes};
	uint8_t have[HASH_SHA256_BYTES];
	struct err wrong = ERR_INIT;
	cleanup_fd int blob = -1;
	char path[PATH_MAX];
	int r = open_blob(i->folder, l->digest, l->bytes, path, &blob, e);

	r = r ? r : check_blob(l, blob, false, e);
	if (r)
		return err_context(e, "layer %zu", index);
	f.hash = hash_stream_begin();
	if (!f.hash)
		return err_set(e, ENOMEM, "no memory to unpack a layer");
	r = unpack(blob, l->packing, &f, path, e);
	hash_stream_end(f.hash, have);
	if (r == -EINVAL && is_tar_itself(l) && check_blob(l, blob, true, &wrong) == -EINVAL)
		*e = wrong; /* not the bytes that were meant: why they are no tar says nothing */
	r = r ? r : check_digest(l->diff_id, have, is_tar_itself(l) ? "blob" : "uncompressed tar (diff_id)", e);
	return r ? err_context(e, "layer %zu", index) : 0;
}
