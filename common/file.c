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

int file_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	char tmp[PATH_MAX];
	int fd, r;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp-%d", path, (int)getpid()) >= (int)sizeof(tmp))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_errno(e, "cannot create %s", tmp);
	r = file_write_all(fd, data, len, tmp, e);
	if (!r && fsync(fd) < 0)
		r = err_errno(e, "cannot sync %s", tmp);
	if (close(fd) < 0 && !r)
		r = err_errno(e, "cannot close %s", tmp);
	if (!r && rename(tmp, path) < 0)
		r = err_errno(e, "cannot rename %s to %s", tmp, path);
	if (r) {
		(void)unlink(tmp); /* nothing half-written stays; the first error is the one to tell */
		return r;
	}
	return file_sync_folder_of(path, e);
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
