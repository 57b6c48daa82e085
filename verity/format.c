/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/format.c - make a superblock and hash tree for a file or device */
#include "verity/format.h"

#include "common/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/*
 * struct job - one format under way
 * @data:  the data, @st as fstat() gave it, @bytes its size (st_size is 0 for a device) 
 * @same: the hash area goes into the file of the data
 */
struct job {
	const struct verity_format_params *p;
	struct verity_file data;
	struct stat st;
	uint64_t bytes;
	bool same;
	struct verity_format_result res;
};

static int open_sized(const char *path, int flags, struct stat *ret_st, uint64_t *ret_bytes, struct err *e)
{
	bool exclusive = (flags & O_ACCMODE) == O_RDWR && stat(path, ret_st) == 0 && S_ISBLK(ret_st->st_mode);
	cleanup_fd int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | (exclusive ? O_EXCL : 0)); /* not mounted */
	off_t end;

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	if (fstat(fd, ret_st) < 0)
		return err_errno(e, "cannot stat %s", path);
	if (!S_ISREG(ret_st->st_mode) && !S_ISBLK(ret_st->st_mode))
		return err_set(e, EINVAL, "%s is not a regular file or block device", path);
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return err_errno(e, "cannot find the size of %s", path);
	*ret_bytes = (uint64_t)end;
	return take_fd(&fd);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino) ||
	       (S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode) && a->st_rdev == b->st_rdev);
}

/* Open the data; learn where the hash area goes and how many blocks there are. */
static int open_data(struct job *j, struct err *e)
{
	const struct verity_format_params *p = j->p;
	struct stat st;
	int fd;

	j->same = !p->hash_path || (stat(p->hash_path, &st) == 0 && stat(p->data_path, &j->st) == 0 &&
				    is_same_file(&st, &j->st));
	fd = open_sized(p->data_path, j->same ? O_RDWR : O_RDONLY, &j->st, &j->bytes, e);
	if (fd < 0)
		return fd;
	j->data = (struct verity_file){.fd = fd, .name = p->data_path, .io = p->io};
	if (!p->hash_path && !S_ISREG(j->st.st_mode))
		return err_set(e, EINVAL, "%s is not a regular file, so nothing can be appended", p->data_path);
	j->res.hash_offset_bytes = p->hash_path ? p->hash_offset_bytes : j->bytes;
	if (j->same && p->hash_path && !p->hash_offset_bytes)
		return err_set(e, EINVAL, "%s is the data itself; append to it, give an offset, or name another file",
			       p->hash_path);
	return 0;
}

static int count_blocks(struct job *j, struct err *e)
{
	uint64_t block = j->p->sb.data_block_bytes, bytes = j->bytes;

	if (j->res.sb.data_blocks) {
		if (j->res.sb.data_blocks > bytes / block)
			return err_set(e, EINVAL, "%s has %llu bytes, that is less than the %llu blocks of %llu that are wanted",
				       j->p->data_path, (unsigned long long)bytes,
				       (unsigned long long)j->res.sb.data_blocks, (unsigned long long)block);
		return 0;
	}
	if (j->same && j->res.hash_offset_bytes < bytes)
		bytes = j->res.hash_offset_bytes; /* what is before the hash area is the data */
	if (bytes == 0 || bytes % block)
		return err_set(e, EINVAL,
			       "%s has %llu bytes, wanted a multiple of %llu and not 0 (or the number of blocks given)",
			       j->p->data_path, (unsigned long long)bytes, (unsigned long long)block);
	j->res.sb.data_blocks = bytes / block;
	return 0;
}

/* Build into @fd, and sync it. @room_bytes: how large the hash device is; UINT64_MAX: it can grow. */
static int format_into(struct job *j, int fd, const char *name, bool is_new, uint64_t room_bytes, struct err *e)
{
	const struct verity_format_params *p = j->p;
	struct verity_build_params b = {.sb = &j->res.sb,
					.data = j->data,
					.hash = {.fd = fd, .name = name, .io = p->io},
					.hash_offset_bytes = j->res.hash_offset_bytes,
					.no_superblock = p->no_superblock,
					.is_new = is_new,
					.threads = p->threads,
					.mode = p->mode,
					.say = p->say};
	struct verity_format_done done = {.sb = b.sb, .data = b.data, .hash = b.hash};
	uint64_t end = 0;
	int r = verity_build_area(&b, &done.tree_at_bytes, &end, e);

	if (r)
		return r;
	if (end > room_bytes)
		return err_set(e, ENOSPC, "%s has %llu bytes, the hash area ends at %llu", name,
			       (unsigned long long)room_bytes, (unsigned long long)end);
	r = verity_build(&b, j->res.root_hash, e);
	if (r || !p->then)
		return r;
	r = p->then(p->then_arg, &done, e);
	if (r && !is_new && !p->no_superblock)
		verity_build_clear(&b); /* not all of it is there: it must not look good */
	return r;
}

/* In a file or device that is there. On failure a file gets its old size back; nothing else can be undone. */
static int format_in_place(struct job *j, int fd, const char *name, const struct stat *st, uint64_t bytes, struct err *e)
{
	bool is_file = S_ISREG(st->st_mode);
	int r = format_into(j, fd, name, false, is_file ? UINT64_MAX : bytes, e);

	if (r && is_file && lseek(fd, 0, SEEK_END) > (off_t)bytes && ftruncate(fd, (off_t)bytes) < 0)
		return err_context(e, "%s could not be cut back to %llu bytes", name, (unsigned long long)bytes);
	return r;
}

/* A file of its own: under a temporary name first. */
static int format_new_file(struct job *j, const char *path, struct err *e)
{
	struct file_new f = FILE_NEW_NONE;
	int r = file_new_open(&f, path, 0644, e);

	if (!r)
		r = format_into(j, f.fd, path, true, UINT64_MAX, e);
	if (!r)
		r = file_new_publish(&f, true, e);
	file_new_drop(&f);
	return r;
}

/* A place of its own: a device, an existing file from an offset on, or a file that is new as a whole. */
static int format_separate(struct job *j, struct err *e)
{
	const char *path = j->p->hash_path;
	uint64_t bytes = 0;
	struct stat st;
	int fd, r;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return err_errno(e, "cannot stat %s", path);
		return format_new_file(j, path, e);
	}
	if (S_ISREG(st.st_mode) && !j->p->hash_offset_bytes)
		return format_new_file(j, path, e);
	fd = open_sized(path, O_RDWR, &st, &bytes, e);
	if (fd < 0)
		return fd;
	r = format_in_place(j, fd, path, &st, bytes, e);
	if (close(fd) < 0 && !r)
		r = err_errno(e, "cannot close %s", path);
	return r;
}

int verity_format(const struct verity_format_params *p, struct verity_format_result *ret, struct err *e)
{
	struct job j = {.p = p, .data = {.fd = -1}, .res = {.sb = p->sb}};
	int r = verity_sb_check_supported(&p->sb, p->data_path, e);

	if (!r && p->sb.salt_bytes > VERITY_MAX_SALT_BYTES)
		r = err_set(e, EINVAL, "a salt has at most %d bytes, not %u", VERITY_MAX_SALT_BYTES, p->sb.salt_bytes);
	if (r)
		return r;
	r = open_data(&j, e);
	r = r ? r : count_blocks(&j, e);
	if (!r)
		r = j.same ? format_in_place(&j, j.data.fd, p->data_path, &j.st, j.bytes, e) : format_separate(&j, e);
	if (j.data.fd >= 0 && close(j.data.fd) < 0 && !r)
		r = err_errno(e, "cannot close %s", p->data_path);
	if (!r)
		*ret = j.res;
	return r;
}
