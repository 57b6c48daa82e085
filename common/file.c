/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/file.c - whole files in, whole files out */
#include "common/file.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

int file_read_fd(int fd, const char *name, size_t max, struct buf *ret_buf, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	uint8_t block[16384];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot read %s", name);
		if ((size_t)n > max - b.len)
			return err_set(e, EFBIG, "%s is larger than %zu bytes, the most that is accepted", name, max);
		buf_put(&b, block, (size_t)n);
	}
	buf_u8(&b, 0);
	if (b.bad)
		return err_set(e, ENOMEM, "no memory to read %s", name);
	b.len--;
	*ret_buf = b;
	b = (struct buf)BUF_INIT;
	return 0;
}

int file_read(const char *path, size_t max, struct buf *ret_buf, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	return file_read_fd(fd, path, max, ret_buf, e);
}

int file_write_all(int fd, const void *data, size_t len, const char *name, struct err *e)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot write %s", name);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_sync_folder_of(const char *path, struct err *e)
{
	char copy[PATH_MAX];
	const char *dir;
	cleanup_fd int fd = -1;

	(void)snprintf(copy, sizeof(copy), "%s", path); /* length was checked by the caller */
	dir = dirname(copy);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "cannot open folder %s", dir);
	if (fsync(fd) < 0 && errno != EINVAL)
		return err_errno(e, "cannot sync folder %s", dir);
	return 0;
}

int file_new_open(struct file_new *ret, const char *path, mode_t mode, struct err *e)
{
	ret->path = path;
	if (snprintf(ret->tmp, sizeof(ret->tmp), "%s.tmp-%d", path, (int)getpid()) >= (int)sizeof(ret->tmp))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", path);
	ret->fd = open(ret->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return ret->fd < 0 ? err_errno(e, "cannot create %s", ret->tmp) : 0;
}

/* A file system without RENAME_NOREPLACE has the last word by rename() alone. */
static bool give_name(const struct file_new *f, bool replace)
{
	if (!replace && renameat2(AT_FDCWD, f->tmp, AT_FDCWD, f->path, RENAME_NOREPLACE) == 0)
		return true;
	return (replace || errno == EINVAL) && rename(f->tmp, f->path) == 0;
}

int file_new_publish(struct file_new *f, bool replace, struct err *e)
{
	int r = 0;

	if (fsync(f->fd) < 0)
		r = err_errno(e, "cannot sync %s", f->tmp);
	if (close(take_fd(&f->fd)) < 0 && !r)
		r = err_errno(e, "cannot close %s", f->tmp);
	if (!r && !give_name(f, replace))
		r = err_errno(e, "cannot rename %s to %s", f->tmp, f->path);
	if (r) {
		(void)unlink(f->tmp); /* nothing half-written stays; the first error is the one to tell */
		return r;
	}
	return file_sync_folder_of(f->path, e);
}

void file_new_drop(struct file_new *f)
{
	if (f->fd < 0)
		return;
	(void)close(take_fd(&f->fd)); /* it goes away, whatever was written */
	(void)unlink(f->tmp);
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	struct file_new f = FILE_NEW_NONE;
	int r = file_new_open(&f, path, mode, e);

	if (!r)
		r = file_write_all(f.fd, data, len, f.tmp, e);
	if (!r)
		r = file_new_publish(&f, true, e);
	file_new_drop(&f);
	return r;
}

int file_mkdirs(const char *path, struct err *e)
{
	char p[PATH_MAX];

	if (snprintf(p, sizeof(p), "%s", path) >= (int)sizeof(p))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", path);
	for (char *s = p + 1; *p; s++) {
		char c = *s;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		if (mkdir(p, 0755) < 0 && errno != EEXIST)
			return err_errno(e, "cannot make folder %s", p);
		*s = c;
		if (!c)
			break;
	}
	return 0;
}
