/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/io.h - exactly so many bytes in or out, or a sentence that says what was missing
 *
 * The calls go through struct verity_io, so that tests can make any of them fail; NULL stands for the system's.
 */
#ifndef VERITY_IO_H
#define VERITY_IO_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** struct verity_io - the system calls; a NULL member is the system's own */
struct verity_io {
	ssize_t (*pread)(int fd, void *buf, size_t n, off_t at);
	ssize_t (*pwrite)(int fd, const void *buf, size_t n, off_t at);
	int (*fsync)(int fd);
};

/**
 * struct verity_file - an open file or device
 * @fd:   owned by the caller
 * @name: for messages: a path, or "data"
 * @io:   NULL: the system's calls
 */
struct verity_file {
	int fd;
	const char *name;
	const struct verity_io *io;
};

/** verity_io_read() - exactly @n bytes at @at. Return: 0; -ENODATA if the file ends before; -errno. */
int verity_io_read(const struct verity_file *f, void *dst, size_t n, uint64_t at, struct err *e) WARN_UNUSED;

/** verity_io_write() - all of @n bytes at @at. Return: 0 or -errno. */
int verity_io_write(const struct verity_file *f, const void *src, size_t n, uint64_t at, struct err *e) WARN_UNUSED;

/** verity_io_sync() - fsync(). Return: 0 or -errno. */
int verity_io_sync(const struct verity_file *f, struct err *e) WARN_UNUSED;

#endif
