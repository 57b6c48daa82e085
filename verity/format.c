/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/format.c - make a superblock and hash tree for a file or device */
#include "verity/format.h"

#include "common/interrupt.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define READ_BYTES (256 * 1024)

/* struct source - the data: @st as fstat() gave it, @bytes its size (st_size is 0 for a device) */
struct source {
	int fd;
	struct stat st;
	uint64_t bytes;
};

static int write_superblock(const struct verity_tree_params *p, struct err *e)
{
	uint8_t block[VERITY_BLOCK_BYTES] = {0};
	uint64_t at = p->tree_offset_bytes - VERITY_BLOCK_BYTES;
	size_t done = 0;

	verity_sb_encode(p->sb, block);
	while (done < sizeof(block)) {
		ssize_t n = pwrite(p->fd, block + done, sizeof(block) - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot write the superblock to %s", p->name);
		done += (size_t)n;
	}
	return 0;
}

/* Feed all of the data to @t. */
static int hash_data(struct verity_tree *t, int data_fd, uint64_t bytes, struct err *e)
{
	cleanup_free uint8_t *buffer = malloc(READ_BYTES);
	uint64_t at = 0;

	if (!buffer)
		return err_set(e, ENOMEM, "no memory to read the data");
	while (at < bytes) {
		size_t want = bytes - at < READ_BYTES ? (size_t)(bytes - at) : READ_BYTES;
		ssize_t n = pread(data_fd, buffer, want, (off_t)at);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot read the data at offset %llu", (unsigned long long)at);
		if (n == 0)
			return err_set(e, ENODATA, "the data ends at offset %llu, wanted %llu bytes",
				       (unsigned long long)at, (unsigned long long)bytes);
		r = interrupt_check(e);
		r = r ? r : verity_tree_update(t, buffer, (size_t)n, e);
		if (r)
			return r;
		at += (uint64_t)n;
	}
	return 0;
}

int verity_format_fd(const struct verity_tree_params *p, int data_fd, uint8_t ret_root_hash[static HASH_SHA256_BYTES],
		     struct err *e)
{
	cleanup_verity_tree struct verity_tree *t = NULL;
	uint8_t root_hash[HASH_SHA256_BYTES];
	int r;

	if (p->tree_offset_bytes < VERITY_BLOCK_BYTES || p->tree_offset_bytes % VERITY_BLOCK_BYTES ||
	    p->tree_offset_bytes > VERITY_MAX_DATA_BYTES / 2)
		return err_set(e, EINVAL, "%s: a hash tree cannot begin at offset %llu", p->name,
			       (unsigned long long)p->tree_offset_bytes);
	r = verity_tree_begin(p, &t, e);
	if (!r)
		r = hash_data(t, data_fd, verity_sb_data_bytes(p->sb), e);
	if (!r)
		r = verity_tree_finish(t, root_hash, e);
	if (!r && p->fd >= 0)
		r = write_superblock(p, e);
	if (!r)
		memcpy(ret_root_hash, root_hash, sizeof(root_hash));
	return r;
}

/* Open the data and learn its size; @append needs it writable. */
static int open_source(const char *path, bool append, struct source *ret, struct err *e)
{
	cleanup_fd int fd = open(path, (append ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	off_t end;

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode) && (append || !S_ISBLK(st.st_mode)))
		return err_set(e, EINVAL, "%s is not a regular file%s", path,
			       append ? ", so nothing can be appended" : " or block device");
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return err_errno(e, "cannot find the size of %s", path);
	if (end == 0 || end % VERITY_BLOCK_BYTES)
		return err_set(e, EINVAL, "%s has %lld bytes, wanted a multiple of %d and not 0", path, (long long)end,
			       VERITY_BLOCK_BYTES);
	*ret = (struct source){.fd = take_fd(&fd), .st = st, .bytes = (uint64_t)end};
	return 0;
}

/* Behind the data of the same file. On failure the file gets its old size back. */
static int format_append(const struct verity_format_params *p, const struct source *src,
			 struct verity_format_result *res, struct err *e)
{
	struct verity_tree_params tree = {.sb = &res->sb,
					  .fd = src->fd,
					  .name = p->data_path,
					  .tree_offset_bytes = src->bytes + VERITY_BLOCK_BYTES};
	int r = verity_format_fd(&tree, src->fd, res->root_hash, e);

	if (!r && fsync(src->fd) < 0)
		r = err_errno(e, "cannot sync %s", p->data_path);
	if (r && ftruncate(src->fd, (off_t)src->bytes) < 0)
		return err_context(e, "%s could not be cut back to %llu bytes", p->data_path,
				   (unsigned long long)src->bytes);
	res->hash_offset_bytes = src->bytes;
	return r;
}

/* Write superblock and tree to @fd from its start, and sync. */
static int format_to(int fd, const char *name, const struct source *src, struct verity_format_result *res,
		     struct err *e)
{
	struct verity_tree_params tree = {
		.sb = &res->sb, .fd = fd, .name = name, .tree_offset_bytes = VERITY_BLOCK_BYTES};
	int r = verity_format_fd(&tree, src->fd, res->root_hash, e);

	if (!r && fsync(fd) < 0)
		r = err_errno(e, "cannot sync %s", name);
	return r;
}

static int format_device(const char *path, const struct source *src, struct verity_format_result *res, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	off_t end;

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return err_errno(e, "cannot find the size of %s", path);
	if ((uint64_t)end < verity_hash_bytes(&res->sb))
		return err_set(e, ENOSPC, "%s has %lld bytes, the hash tree needs %llu", path, (long long)end,
			       (unsigned long long)verity_hash_bytes(&res->sb));
	return format_to(fd, path, src, res, e);
}

static int sync_folder_of(const char *path, struct err *e)
{
	char copy[PATH_MAX];
	cleanup_fd int fd = -1;

	(void)snprintf(copy, sizeof(copy), "%s", path); /* the caller checked the length */
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_errno(e, "cannot sync the folder of %s", path);
	return 0;
}

/* A new file under a temporary name, then renamed. */
static int format_file(const char *path, const struct source *src, struct verity_format_result *res, struct err *e)
{
	char tmp[PATH_MAX];
	int fd, r;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp-%d", path, (int)getpid()) >= (int)sizeof(tmp))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", path);
	fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(e, "cannot create %s", tmp);
	r = format_to(fd, path, src, res, e);
	if (close(fd) < 0 && !r)
		r = err_errno(e, "cannot close %s", tmp);
	if (!r && rename(tmp, path) < 0)
		r = err_errno(e, "cannot rename %s to %s", tmp, path);
	if (r) {
		(void)unlink(tmp); /* nothing half-written stays; the first error is the one to tell */
		return r;
	}
	return sync_folder_of(path, e);
}

/* Separate: a device is written in place, anything else must be a regular file, or not there yet. */
static int format_separate(const char *path, const struct source *src, struct verity_format_result *res, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return err_errno(e, "cannot stat %s", path);
		return format_file(path, src, res, e);
	}
	if ((st.st_dev == src->st.st_dev && st.st_ino == src->st.st_ino) ||
	    (S_ISBLK(st.st_mode) && S_ISBLK(src->st.st_mode) && st.st_rdev == src->st.st_rdev))
		return err_set(e, EINVAL, "%s is the data itself; append to it, or name another file", path);
	if (S_ISBLK(st.st_mode))
		return format_device(path, src, res, e);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is not a regular file or block device", path);
	return format_file(path, src, res, e);
}

int verity_format(const struct verity_format_params *p, struct verity_format_result *ret, struct err *e)
{
	struct verity_format_result res = {0};
	struct source src = {.fd = -1};
	int r;

	if (p->salt_bytes > VERITY_MAX_SALT_BYTES)
		return err_set(e, EINVAL, "a salt has at most %d bytes, not %zu", VERITY_MAX_SALT_BYTES, p->salt_bytes);
	r = open_source(p->data_path, !p->hash_path, &src, e);
	if (r)
		return r;
	verity_sb_init(&res.sb);
	memcpy(res.sb.uuid, p->uuid, sizeof(res.sb.uuid));
	res.sb.salt_bytes = (uint16_t)p->salt_bytes;
	if (p->salt_bytes)
		memcpy(res.sb.salt, p->salt, p->salt_bytes);
	res.sb.data_blocks = src.bytes / VERITY_BLOCK_BYTES;
	r = p->hash_path ? format_separate(p->hash_path, &src, &res, e) : format_append(p, &src, &res, e);
	if (close(src.fd) < 0 && !r)
		r = err_errno(e, "cannot close %s", p->data_path);
	if (!r)
		*ret = res;
	return r;
}
