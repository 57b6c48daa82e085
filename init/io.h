/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/io.h - small files, whole: the pseudo files through which PID 1 speaks with the kernel
 *
 * No heap; through the seam (init/sys.h).
 */
#ifndef INIT_IO_H
#define INIT_IO_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/** pid1_read() - a whole file into @buf, NUL-terminated. -EFBIG if it has @room bytes or more. */
int pid1_read(const char *path, char *buf, size_t room, size_t *ret_len, struct err *e) WARN_UNUSED;

/** pid1_write() - @len bytes to an existing (pseudo) file in exactly one write. */
int pid1_write(const char *path, const void *data, size_t len, struct err *e) WARN_UNUSED;

/**
 * pid1_hurry() - have the kernel not wait for RCU grace periods (some 10 ms each) but ask every processor at once: while booting, when there
 * is nothing yet that would be disturbed. A kernel that cannot boots slower, and that is all
 */
void pid1_hurry(bool on);

/** pid1_set() - write @value, read the file back, and refuse if it does not say @value now (blanks behind it ignored). */
int pid1_set(const char *path, const char *value, struct err *e) WARN_UNUSED;

/** pid1_err() - as err_errno(), for a -errno that the seam returned: "<sentence>: <strerror>". Return: @r. */
int pid1_err(struct err *e, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
