/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/file.h - whole files in, whole files out
 *
 * Reading is bounded by the caller. Publishing is all or nothing: temporary name, fsync, rename,
 * fsync of the folder; on failure nothing is left behind.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include "common/buf.h"
#include "common/err.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/**
 * file_read() - the whole of a file, which may be a pseudo file without a size
 * @path:    file to read
 * @max:     most bytes accepted; one more is EFBIG
 * @ret_buf: an empty buf; owned by the caller; a NUL stands behind the last byte (not counted)
 *
 * Return: 0 or -errno.
 */
int file_read(const char *path, size_t max, struct buf *ret_buf, struct err *e) WARN_UNUSED;

/** file_read_fd() - the same from an open descriptor's position; @name is used in messages. */
int file_read_fd(int fd, const char *name, size_t max, struct buf *ret_buf, struct err *e) WARN_UNUSED;

/** file_write() - publish @len bytes as @path with @mode: all of it, synced, or nothing. Return: 0 or -errno. */
int file_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e) WARN_UNUSED;

/**
 * struct file_new - a file under a temporary name, until it is published
 * @fd: open for reading and writing, -1 when there is none; @path: its name to be, borrowed
 */
struct file_new {
	int fd;
	const char *path;
	char tmp[PATH_MAX];
};
#define FILE_NEW_NONE {.fd = -1}

/**
 * file_new_open() - begin a file that will be @path; @ret is FILE_NEW_NONE before
 * file_new_publish() - sync it, close it, give it its name, sync the folder
 * @replace: what has the name already may go; else that is -EEXIST
 * file_new_drop() - close and remove what is not published; after file_new_publish() that came to an end: nothing
 *
 * Return: 0 or -errno.
 */
int file_new_open(struct file_new *ret, const char *path, mode_t mode, struct err *e) WARN_UNUSED;
int file_new_publish(struct file_new *f, bool replace, struct err *e) WARN_UNUSED;
void file_new_drop(struct file_new *f);

/** file_sync_folder_of() - make a rename to @path lasting: sync the folder it is in. Return: 0 or -errno. */
int file_sync_folder_of(const char *path, struct err *e) WARN_UNUSED;

/** file_write_all() - write @len bytes to @fd, going on after short writes and EINTR. Return: 0 or -errno. */
int file_write_all(int fd, const void *data, size_t len, const char *name, struct err *e) WARN_UNUSED;

/** file_mkdirs() - make @path and its parents (mode 0755); existing folders are fine. Return: 0 or -errno. */
int file_mkdirs(const char *path, struct err *e) WARN_UNUSED;

#endif
