/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/floor_mark.h - what holdfast-floor reads besides the TPM: the mark in an EFI variable, the IPE policy's version
 *
 * Input: hostile (variables: whoever holds the firmware's store). Spec: Linux, Documentation/filesystems/efivarfs.rst,
 * Documentation/admin-guide/LSM/ipe.rst.
 */
#ifndef INIT_FLOOR_MARK_H
#define INIT_FLOOR_MARK_H

#include "init/floor.h"

#define PID1_FLOOR_MARK "/sys/firmware/efi/efivars/HoldfastFloor-9158ed57-6df6-4ddb-926e-46d7650470b9"

/** pid1_floor_mark_read() - *@ret_marked: there is one. -EBADMSG: it has another length. */
int pid1_floor_mark_read(const char *path, uint8_t ret[static PID1_TPM_NAME_BYTES], bool *ret_marked, struct err *e) WARN_UNUSED;

/** pid1_floor_mark_write() - make it; one that is there is an error. */
int pid1_floor_mark_write(const char *path, const uint8_t mark[static PID1_TPM_NAME_BYTES], struct err *e) WARN_UNUSED;

/** pid1_floor_ipe_version() - "a.b.c" of a policy as the kernel writes it, as one number: a * 2^32 + b * 2^16 + c */
int pid1_floor_ipe_version(const char *path, uint64_t *ret, struct err *e) WARN_UNUSED;

#endif
