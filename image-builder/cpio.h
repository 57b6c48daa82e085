/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/cpio.h - deterministic cpio archives (newc) for the initramfs
 *
 * Theory of operation
 *   Entries are collected, then written sorted by path, so a folder stands before what is in it; parents that
 *   nobody added are made (0755). Owner 0:0, one mtime for all, inode numbers counted from 1, one link each.
 *   The order of adding does not matter: the same set gives the same bytes.
 *
 * Spec: Linux Documentation/driver-api/early-userspace/buffer-format.rst (newc, 070701).
 */
#ifndef IMAGE_BUILDER_CPIO_H
#define IMAGE_BUILDER_CPIO_H

#include "common/buf.h"
#include "common/err.h"

#include <stdint.h>
#include <sys/types.h>

#define CPIO_MAX_PATH_BYTES 1024

/** struct cpio - an archive in the making; zero it, set @mtime */
struct cpio {
	uint32_t mtime;
	struct cpio_entry *entry;
	size_t n, cap;
};

#define CPIO_INIT                                                                                                      \
	{                                                                                                              \
		0                                                                                                      \
	}

/** cpio_free() - release; accepts an empty one. */
void cpio_free(struct cpio *c);

#define cleanup_cpio __attribute__((cleanup(cpio_free)))

/*
 * Paths are relative ("usr/bin/x"), without empty, "." and ".." parts; @mode holds permission bits only. Data is
 * copied. A path that was added before is -EEXIST, one below a file -ENOTDIR.
 */

/** cpio_add_dir() - a folder; one that was only implied so far gets @mode. */
int cpio_add_dir(struct cpio *c, const char *path, mode_t mode, struct err *e) WARN_UNUSED;

/** cpio_add_file() - a regular file with these bytes. */
int cpio_add_file(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len,
		  struct err *e) WARN_UNUSED;

/** cpio_add_copy() - a regular file with the bytes of @source. */
int cpio_add_copy(struct cpio *c, const char *path, mode_t mode, const char *source, struct err *e) WARN_UNUSED;

/** cpio_add_link() - a symbolic link to @target. */
int cpio_add_link(struct cpio *c, const char *path, const char *target, struct err *e) WARN_UNUSED;

/** cpio_add_char() - a character device (the kernel wants /dev/console: 5, 1). */
int cpio_add_char(struct cpio *c, const char *path, mode_t mode, uint32_t major, uint32_t minor,
		  struct err *e) WARN_UNUSED;

/** cpio_write() - append the archive, padded to 512 bytes, to @ret. */
int cpio_write(struct cpio *c, struct buf *ret, struct err *e) WARN_UNUSED;

#endif
