/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/bless.h - this boot came well: the running UKI gets all its tries back
 *
 * Theory of operation
 *   PID 1 starts holdfast-bless once the host was healthy for the board's time (init/serve.c). It finds the ESP on the disk that the root
 *   stands on, and in it the UKI of the running image, whose name the verified root knows (os-release), and gives it the file name with
 *   the full counter (common/boot_count.h) by init/fat.h: nothing is mounted, no module is needed. Whatever it finds on the ESP, it can
 *   do no more than rename one file there.
 *
 * Input: hostile (the ESP); os-release from the verified root. Runs as: root without capabilities, a child of PID 1.
 */
#ifndef INIT_BLESS_H
#define INIT_BLESS_H

#include "common/boot_count.h"
#include "common/cleanup.h"
#include "common/err.h"

/**
 * struct pid1_bless - what was found and done
 * @from: the UKI's file name; @to: its name now, the same if it had all its tries
 * @spent: another UKI that has no try left, "" if none
 */
struct pid1_bless {
	char from[BOOT_COUNT_NAME_BYTES], to[BOOT_COUNT_NAME_BYTES], spent[BOOT_COUNT_NAME_BYTES];
};

/**
 * pid1_bless() - give the UKI "<base>..." of the ESP at @fd all its tries
 *
 * Return: 0; -ENOENT if it is not there; -ENOTUNIQ if there are two; -EBADMSG if the ESP is none; -ENOSPC (fat.h); -errno.
 */
int pid1_bless(int fd, const char *base, struct pid1_bless *ret, struct err *e) WARN_UNUSED;

/** pid1_bless_base() - "<IMAGE_ID>_<IMAGE_VERSION>" of an os-release's text. -EINVAL: one of them is missing or malformed. */
int pid1_bless_base(const char *text, char ret[static BOOT_COUNT_NAME_BYTES], struct err *e) WARN_UNUSED;

/**
 * pid1_bless_find_esp() - name in /dev of the partition labelled "esp" on the disk that the file system at @root_dev stands on
 * @sys_dir: "/sys"
 *
 * Return: 0; -ENOENT; -errno.
 */
int pid1_bless_find_esp(const char *sys_dir, dev_t root_dev, char ret[static 64], struct err *e) WARN_UNUSED;

#endif
