/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/table_add.h - add words to the live table of a dm-verity device that was just made (`holdfast-verity open`)
 *
 * Theory of operation
 *   libcryptsetup before 2.8 cannot ask for restart_on_error and panic_on_error, 2.8 only together with the same for corruption.
 *   So the kernel's own table is read, the words are added, and it is loaded in place of the first: everything else stays as
 *   libcryptsetup made it. A table with a root hash signature is checked again by the kernel, so the signature has to be in
 *   this thread's keyring once more, under the name that the table says.
 *
 * Must not: be called by PID 1. The kernel would measure a second table (IMA, PCR 10), which no reference value knows.
 * Runs as: root tool. Spec: include/uapi/linux/dm-ioctl.h, version 4; verity.rst, "Construction Parameters".
 */
#ifndef VERITY_TABLE_ADD_H
#define VERITY_TABLE_ADD_H

#include "common/cleanup.h"
#include "common/err.h"
#include "verity/table.h"

/**
 * struct verity_table_add - what to add, and to what
 * @word:      @n words without values
 * @signature: that the device was opened with, @signature_bytes; NULL: without
 */
struct verity_table_add {
	const char *name;
	const char *const *word;
	size_t n;
	const void *signature;
	size_t signature_bytes;
};

/**
 * verity_table_add() - load the table with the words added, and make it the live one
 *
 * Should: leave a device whose table was read by nobody yet but the caller. If it fails the device has its first table.
 * Return: 0; -ENOTSUP: this kernel does not know a word; -errno.
 */
int verity_table_add(const struct verity_table_add *a, struct err *e) WARN_UNUSED;

/** verity_table_remove() - remove a device whose table libcryptsetup cannot read. -EBUSY while in use. */
int verity_table_remove(const char *name, struct err *e) WARN_UNUSED;

/** verity_table_add_words() - the text of a table with @n words more; exposed for tests. -EMEDIUMTYPE, -E2BIG. */
int verity_table_add_words(const char *text, const char *const *word, size_t n,
			   char ret[static VERITY_TABLE_TEXT_BYTES], struct err *e) WARN_UNUSED;

#endif
