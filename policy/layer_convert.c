/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/layer_convert.c - a layer tar to a signed dm-verity EROFS: same tar, same bytes */
#include "policy/layer_convert.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/proc.h"
#include "policy/tar_check.h"
#include "verity/format.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_PREFIX_ARGS 16
#define COPY_BYTES      65536

/* struct work - the private folder of one conversion, below the target folder so that rename() works */
struct work {
	char dir[PATH_MAX];
	char tar[PATH_MAX + 16];
	char image[PATH_MAX + 16];
};

static int work_begin(const char *folder, struct work *ret, struct err *e)
{
	if (snprintf(ret->dir, sizeof(ret->dir), "%s/.convert-XXXXXX", folder) >= (int)sizeof(ret->dir))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", folder);
	if (!mkdtemp(ret->dir))
		return err_errno(e, "cannot make a temporary folder in %s", folder);
	(void)snprintf(ret->tar, sizeof(ret->tar), "%s/layer.tar", ret->dir);       /* has room */
	(void)snprintf(ret->image, sizeof(ret->image), "%s/layer.erofs", ret->dir); /* has room */
	return 0;
}

static void work_end(const struct work *w)
{
	(void)unlink(w->tar);   /* gone, or never made */
	(void)unlink(w->image); /* likewise, or renamed */
	(void)rmdir(w->dir);    /* empty now; if not, the first error is the one to tell */
}

/* The missing folders, then the tar itself, as the file that mkfs.erofs reads. */
static int write_tar(const struct work *w, const struct policy_tar_facts *facts, int tar_fd, struct err *e)
{
	cleanup_free uint8_t *block = malloc(COPY_BYTES);
	cleanup_fd int fd = open(w->tar, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	off_t at = 0;
	ssize_t n;
	int r;

	if (fd < 0)
		return err_errno(e, "cannot create %s", w->tar);
	if (!block)
		return err_set(e, ENOMEM, "no memory to copy a layer");
	r = file_write_all(fd, facts->folders.data, facts->folders.len, w->tar, e);
	while (!r && (n = pread(tar_fd, block, COPY_BYTES, at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? err_errno(e, "cannot read the layer") : file_write_all(fd, block, (size_t)n, w->tar, e);
		at += n;
	}
	return r;
}

static int run_mkfs(const struct policy_convert_params *p, const struct work *w, struct err *e)
{
	static const char *const options[] = {"--quiet",
					      "--tar=f",
					      "--aufs",
					      "-b4096",
					      "-T0",
					      "--mkfs-time",
					      "-U00000000-0000-0000-0000-000000000000"};
	const char *argv[MAX_PREFIX_ARGS + ARRAY_SIZE(options) + 3];
	struct buf out = BUF_INIT;
	struct proc_params run = {.argv = argv, .quiet = 1, .out = &out, .out_max = COPY_BYTES};
	size_t n = 0;
	int r;

	while (p->mkfs[n] && n < MAX_PREFIX_ARGS) {
		argv[n] = p->mkfs[n];
		n++;
	}
	if (n == 0 || p->mkfs[n])
		return err_set(e, EINVAL, "the mkfs.erofs command must have 1 to %d words", MAX_PREFIX_ARGS);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		argv[n++] = options[i];
	argv[n++] = w->image;
	argv[n++] = w->tar;
	argv[n] = NULL;
	r = proc_run(&run, e);
	buf_free(&out); /* it is told to be quiet; what it says still is not ours to print */
	return r;
}

/* mkfs.erofs ends on a block; should a version not, the kernel would not see what is cut, so this is checked. */
static int check_size(const char *path, uint64_t *ret_bytes, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(e, "cannot look at %s", path);
	if (st.st_size <= 0 || st.st_size % VERITY_BLOCK_BYTES)
		return err_set(e, EIO, "mkfs.erofs made an image of %lld bytes, wanted a multiple of %d",
			       (long long)st.st_size, VERITY_BLOCK_BYTES);
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

/* The signature first: whoever sees the .erofs finds its .p7s. Both are named by what they hold, so replacing is
 * harmless. */
static int publish(const struct policy_convert_params *p, const struct work *w, const char *hex, struct err *e)
{
	cleanup_buf struct buf sig = BUF_INIT;
	char image[PATH_MAX], p7s[PATH_MAX];
	cleanup_fd int dir = -1;
	int r;

	if (snprintf(image, sizeof(image), "%s/%s.erofs", p->folder, hex) >= (int)sizeof(image) ||
	    snprintf(p7s, sizeof(p7s), "%s/%s.p7s", p->folder, hex) >= (int)sizeof(p7s))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", p->folder);
	r = pki_sign(&p->by, hex, strlen(hex), PKI_DETACHED, &sig, e);
	r = r ? r : file_write(p7s, sig.data, sig.len, 0644, e);
	if (r)
		return r;
	if (chmod(w->image, 0644) < 0 || rename(w->image, image) < 0) {
		r = err_errno(e, "cannot publish %s", image);
		if (access(image, F_OK) < 0)
			(void)unlink(p7s); /* no signature without its layer */
		return r;
	}
	dir = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || (fsync(dir) < 0 && errno != EINVAL))
		return err_errno(e, "cannot sync folder %s", p->folder);
	return 0;
}

static int convert(const struct policy_convert_params *p, const struct work *w, int tar_fd,
		   const struct policy_tar_facts *facts, struct policy_layer *l, struct err *e)
{
	struct verity_format_params format = {.data_path = w->image};
	char hex[2 * HASH_SHA256_BYTES + 1];
	struct verity_format_result tree;
	int r = write_tar(w, facts, tar_fd, e);

	r = r ? r : run_mkfs(p, w, e);
	r = r ? r : check_size(w->image, &l->data_bytes, e);
	verity_sb_init(&format.sb);
	r = r ? r : verity_format(&format, &tree, e); /* appends, and syncs */
	if (r)
		return r;
	memcpy(l->root_hash, tree.root_hash, HASH_SHA256_BYTES);
	hex_encode(l->root_hash, HASH_SHA256_BYTES, hex);
	return publish(p, w, hex, e);
}

int policy_convert_tar(const struct policy_convert_params *p, int tar_fd, const char *name, struct policy_layer *ret,
		       struct err *e)
{
	struct policy_tar_facts facts = {0};
	struct policy_layer l = {0};
	char self[64];
	struct work w;
	int r;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", tar_fd); /* always fits */
	r = hash_sha256_file(self, l.diff_id, e);
	r = r ? r : policy_tar_check(tar_fd, name, &facts, e);
	r = r ? r : work_begin(p->folder, &w, e);
	if (!r) {
		r = convert(p, &w, tar_fd, &facts, &l, e);
		work_end(&w);
		if (r)
			(void)err_context(e, "%s", name);
	}
	buf_free(&facts.folders);
	if (!r)
		*ret = l;
	return r;
}
