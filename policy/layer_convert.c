/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/layer_convert.c - a layer tar to a signed dm-verity EROFS, as it streams by: same tar, same bytes */
#include "policy/layer_convert.h"

#include "common/file.h"
#include "common/hex.h"
#include "policy/erofs_write.h"
#include "policy/tar_read.h"
#include "verity/format.h"
#include "verity/layer.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert(POLICY_EROFS_BLOCK == VERITY_BLOCK_BYTES, "the tree begins where the image ends");

/* A key may be a provider's (a smart card's), which need not stand two threads. */
static pthread_mutex_t signing = PTHREAD_MUTEX_INITIALIZER;

/* struct policy_convert - @path: of the image while it has no name; "" once it has */
struct policy_convert {
	const struct policy_convert_params *p;
	const char *name;
	char path[PATH_MAX];
	int fd;
	struct policy_erofs *erofs;
	struct policy_tar *tar;
};

void policy_convert_free(struct policy_convert *c)
{
	if (!c)
		return;
	policy_tar_free(c->tar);
	policy_erofs_free(c->erofs);
	if (c->fd >= 0)
		(void)close(c->fd); /* what was published was synced before */
	if (c->path[0])
		(void)unlink(c->path); /* a file that means nothing; the first error is the one to tell */
	free(c);
}

static int open_image(struct policy_convert *c, struct err *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/" POLICY_CONVERT_TEMPORARY "XXXXXX", c->p->folder) >= (int)sizeof(path))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", c->p->folder);
	c->fd = mkostemp(path, O_CLOEXEC);
	if (c->fd < 0)
		return err_errno(e, "cannot create a temporary file in %s", c->p->folder);
	memcpy(c->path, path, sizeof(path));
	return 0;
}

int policy_convert_begin(const struct policy_convert_params *p, const char *name, struct policy_convert **ret,
			 struct err *e)
{
	struct policy_tar_params tar = {.name = name, .devices = p->devices};
	cleanup_policy_convert struct policy_convert *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(e, ENOMEM, "no memory to convert %s", name);
	c->p = p;
	c->name = name;
	c->fd = -1;
	tar.max_bytes = p->max_bytes ? p->max_bytes : POLICY_CONVERT_MAX_BYTES;
	r = open_image(c, e);
	r = r ? r : policy_erofs_begin(c->fd, c->path, &c->erofs, e);
	if (!r)
		tar.sink = policy_erofs_sink(c->erofs);
	r = r ? r : policy_tar_begin(&tar, &c->tar, e);
	if (!r)
		*ret = take_ptr(c);
	return r;
}

int policy_convert_push(void *arg, const uint8_t *data, size_t n, struct err *e)
{
	return policy_tar_push(((struct policy_convert *)arg)->tar, data, n, e);
}

static int sign(const struct policy_convert_params *p, const char *hex, struct buf *ret, struct err *e)
{
	char path[PATH_MAX];
	int r;

	if (p->wanted) {
		if (snprintf(path, sizeof(path), "%s/%s.p7s", p->signed_in, hex) >= (int)sizeof(path))
			return err_set(e, ENAMETOOLONG, "path is too long: %.100s", p->signed_in);
		return file_read(path, VERITY_LAYER_MAX_SIGNATURE_BYTES, ret, e);
	}
	(void)pthread_mutex_lock(&signing); /* a plain mutex, never held by its own thread: cannot fail */
	r = pki_sign(&p->by, hex, strlen(hex), PKI_DETACHED, ret, e);
	(void)pthread_mutex_unlock(&signing); /* held */
	return r;
}

/* The signature first: whoever sees the .erofs finds its .p7s. Both are named by what they hold, so replacing is
 * harmless. */
static int publish(struct policy_convert *c, const char *hex, struct err *e)
{
	cleanup_buf struct buf sig = BUF_INIT;
	char image[PATH_MAX], p7s[PATH_MAX];
	int r;

	if (snprintf(image, sizeof(image), "%s/%s.erofs", c->p->folder, hex) >= (int)sizeof(image) ||
	    snprintf(p7s, sizeof(p7s), "%s/%s.p7s", c->p->folder, hex) >= (int)sizeof(p7s))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", c->p->folder);
	r = sign(c->p, hex, &sig, e);
	r = r ? r : file_write(p7s, sig.data, sig.len, 0644, e);
	if (r)
		return r;
	if (fchmod(c->fd, 0644) < 0 || rename(c->path, image) < 0) {
		r = err_errno(e, "cannot publish %s", image);
		if (access(image, F_OK) < 0)
			(void)unlink(p7s); /* no signature without its layer */
		return r;
	}
	c->path[0] = '\0';
	return file_sync_folder_of(image, e);
}

int policy_convert_end(struct policy_convert *c, struct policy_layer *ret, struct err *e)
{
	struct verity_format_params format = {.data_path = c->path};
	char hex[2 * HASH_SHA256_BYTES + 1];
	struct verity_format_result tree;
	uint64_t bytes = 0;
	int r = policy_tar_end(c->tar, NULL, e);

	r = r ? r : policy_erofs_end(c->erofs, &bytes, e);
	verity_sb_init(&format.sb);
	r = r ? r : verity_format(&format, &tree, e); /* appends, and syncs */
	if (r)
		return r;
	hex_encode(tree.root_hash, HASH_SHA256_BYTES, hex);
	if (c->p->wanted && !hash_equal(tree.root_hash, HASH_SHA256_BYTES, c->p->wanted, HASH_SHA256_BYTES))
		return err_set(e, EBADMSG, "%s: the root hash is %.16s..., not the one that was signed", c->name, hex);
	r = publish(c, hex, e);
	if (r)
		return err_context(e, "%s", c->name);
	memcpy(ret->root_hash, tree.root_hash, HASH_SHA256_BYTES);
	ret->data_bytes = bytes;
	return 0;
}
