/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/tar_write.h - deterministic tar archives of folders (POSIX ustar, pax records for long names)
 *
 * Spec: POSIX.1-2017 pax, "ustar Interchange Format", "pax Header Block".
 */
#ifndef IMAGE_BUILDER_TAR_WRITE_H
#define IMAGE_BUILDER_TAR_WRITE_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdint.h>

/** tar_write_folder() - everything below @folder, sorted by path, owner 0:0, time @epoch, to @fd; @name is for messages. */
int tar_write_folder(int fd, const char *name, const char *folder, uint64_t epoch, struct err *e) WARN_UNUSED;

#endif
