/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/io.c - exactly so many bytes in or out, or a sentence that says what was missing */
#include "verity/io.h"

#include <unistd.h>

int verity_io_read(const struct verity_file *f, void *dst, size_t n, uint64_t at, struct err *e)
{
	uint8_t *p = dst;

	while (n) {
		ssize_t got = f->io && f->io->pread ? f->io->pread(f->fd, p, n, (off_t)at) :
						      pread(f->fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "cannot read %s at offset %llu", f->name, (unsigned long long)at);
		if (got == 0)
			return err_set(e, ENODATA, "%s ends at offset %llu, too early: wanted %zu bytes more", f->name,
				       (unsigned long long)at, n);
		p += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int verity_io_write(const struct verity_file *f, const void *src, size_t n, uint64_t at, struct err *e)
{
	const uint8_t *p = src;

	while (n) {
		ssize_t put = f->io && f->io->pwrite ? f->io->pwrite(f->fd, p, n, (off_t)at) :
						       pwrite(f->fd, p, n, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(e, "cannot write to %s at offset %llu", f->name, (unsigned long long)at);
		if (put == 0)
			return err_set(e, EIO, "%s takes no more bytes at offset %llu", f->name,
				       (unsigned long long)at);
		p += put;
		at += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

int verity_io_sync(const struct verity_file *f, struct err *e)
{
	int r = f->io && f->io->fsync ? f->io->fsync(f->fd) : fsync(f->fd);

	return r < 0 ? err_errno(e, "cannot sync %s", f->name) : 0;
}
