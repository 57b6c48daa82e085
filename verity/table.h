/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/table.h - what a device-mapper device really is, from the kernel's live table
 *
 * Theory of operation
 *   What a device is, is never concluded from its name: the device-mapper is asked (DM_TABLE_STATUS on
 *   /dev/mapper/control) for the live table of a device number, and its text is parsed. Root digest, size and the
 *   presence of a signature are then facts of the kernel. No heap and no library: PID 1 may ask at any time.
 *
 *   The parameters of a verity target, as the kernel prints them:
 *     1 <data dev> <hash dev> <data block size> <hash block size> <data blocks> <hash start block> <algorithm>
 *     <root digest> <salt or -> [<number of optional words> <word>...]
 *   `root_hash_sig_key_desc <key>` stands among the optional words only if the kernel checked a signature when it
 *   loaded the table (without one it refuses the word, with a bad one the table).
 *
 * Runs as: PID 1, the gate, root tools. Needs CAP_SYS_ADMIN.
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst; drivers/md/dm-verity-target.c, verity_status();
 * include/uapi/linux/dm-ioctl.h, version 4.
 */
#ifndef VERITY_TABLE_H
#define VERITY_TABLE_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VERITY_NAME_BYTES 128 /* of a device-mapper name, with NUL (DM_NAME_LEN) */
#define VERITY_TABLE_TEXT_BYTES 4096
#define VERITY_STATUS_TEXT_BYTES 64

/* What the kernel does when a block does not fit its digest; reading it always fails with EIO as well. */
enum verity_on_corruption {
	VERITY_CORRUPTION_EIO, /* only EIO */
	VERITY_CORRUPTION_PANIC,
	VERITY_CORRUPTION_RESTART,
};

/**
 * struct verity_table - a live dm-verity table, as the kernel tells it
 * @name:       device-mapper name (a label; proves nothing)
 * @is_signed:  root_hash_sig_key_desc is in the table, so the kernel checked a signature when it was loaded
 * @is_corrupt: the kernel has met a bad block since (not part of the table; verity_table_read() asks for it too)
 * @is_weak:    ignore_corruption or check_at_most_once is set, so what is read is not always what was checked
 * @on_error:   what it does when a block, or the hashes it needs, cannot be read
 * @data_dev:   number of the device below; @hash_dev likewise
 */
struct verity_table {
	char name[VERITY_NAME_BYTES];
	dev_t dev;
	uint8_t root_hash[HASH_SHA256_BYTES];
	uint64_t data_bytes;
	bool is_signed;
	bool is_corrupt;
	bool is_weak;
	enum verity_on_corruption on_corruption;
	enum verity_on_corruption on_error;
	dev_t data_dev;
	dev_t hash_dev;
};

/**
 * verity_table_read() - the live table of block device @dev
 * verity_table_find() - the same by device-mapper name
 *
 * Return: 0; -ENODEV if there is no such device-mapper device; -EMEDIUMTYPE if its live table is not exactly one
 * verity target with sha256; other -errno.
 */
int verity_table_read(dev_t dev, struct verity_table *ret, struct err *e) WARN_UNUSED;
int verity_table_find(const char *name, struct verity_table *ret, struct err *e) WARN_UNUSED;

/** struct verity_table_text - what the kernel says of a verity target, in its own words, and whose it is */
struct verity_table_text {
	char name[VERITY_NAME_BYTES];
	dev_t dev;
	uint64_t sectors;
	char table[VERITY_TABLE_TEXT_BYTES];
	char status[VERITY_STATUS_TEXT_BYTES];
};

/** verity_table_text() - parameters and status of the one verity target of device @name. Errors as verity_table_find(). */
int verity_table_text(const char *name, struct verity_table_text *ret, struct err *e) WARN_UNUSED;

/**
 * verity_table_prove() - is @t exactly this root hash, this size (0: any), with a signature, not weak and not corrupt?
 * The signature is not asked for where the kernel checks none (verity/trust.h).
 *
 * Return: 0, or -EBADMSG with what was found and what was wanted.
 */
int verity_table_prove(const struct verity_table *t, const uint8_t root_hash[static HASH_SHA256_BYTES],
		       uint64_t data_bytes, struct err *e) WARN_UNUSED;

/**
 * verity_table_parse() - parse the parameters of a verity target ("1 254:1 254:2 4096 4096 ...")
 * @text: as the kernel prints them; @sectors: length of the target in 512-byte sectors
 *
 * Exposed for tests. Leaves name, dev and is_corrupt zero. Return: 0 or -EMEDIUMTYPE with what was found.
 */
int verity_table_parse(const char *text, uint64_t sectors, struct verity_table *ret, struct err *e) WARN_UNUSED;

/** verity_prove_mount() - is the file system mounted at @path on a dm-verity device with this root hash, size,
 * signature? */
int verity_prove_mount(const char *path, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
		       struct err *e) WARN_UNUSED;

#endif
