/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/dm_load.h - load a dm-verity table into the kernel, by its ioctls alone
 *
 * Theory of operation
 *   Four steps, as libdevmapper takes them: create the device, load the table, resume, and, if one fails, remove the
 *   device again. The root hash signature is handed over as a "user" key of this thread's keyring, whose name stands in
 *   the table; the kernel reads it while it loads the table, then it goes.
 *
 *   Not by libcryptsetup, for two reasons. Debian 13's (2.7) cannot ask for panic_on_error or restart_on_error: a root whose
 *   blocks cannot be read would leave a host half alive, and whoever can make a disk's sectors unreadable chooses which
 *   half. And the kernel's own answer to a signature is the ioctl's errno here, where the library makes three of it.
 *   The name, UUID and key description are libcryptsetup's, so `veritysetup status` and `dmsetup` show what they always do.
 *
 * Runs as: PID 1 before its point of no return, the gate, root tools. Needs CAP_SYS_ADMIN. No heap.
 * Spec: Linux, include/uapi/linux/dm-ioctl.h, version 4; Documentation/admin-guide/device-mapper/verity.rst
 * (panic_on_error since 6.12); keyrings(7).
 */
#ifndef VERITY_DM_LOAD_H
#define VERITY_DM_LOAD_H

#include "common/cleanup.h"
#include "common/err.h"
#include "verity/activate.h"
#include "verity/superblock.h"

#include <stddef.h>
#include <sys/types.h>

#define VERITY_DM_TABLE_BYTES 1024 /* 256 bytes of salt in hex, and the words around it */

/**
 * verity_dm_table() - the parameters of a verity target, as the kernel reads them
 * @p:         root_hash, hash_offset_bytes and on_corruption are used
 * @sb:        sha256, checked by verity_sb_check_chain()
 * @data_hash: numbers of the two devices
 * @key:       description of the signature's key; NULL: no signature is given to the kernel
 *
 * PANIC and RESTART are asked for on I/O errors as well as on corruption. Exposed for tests.
 * Return: 0, or -EINVAL if the text does not fit.
 */
int verity_dm_table(const struct verity_activate_params *p, const struct verity_sb *sb, const dev_t data_hash[static 2],
		    const char *key, char ret[static VERITY_DM_TABLE_BYTES], struct err *e) WARN_UNUSED;

/**
 * verity_dm_load() - create device @p->name with that table
 * @signature_for_kernel: give @p's signature to the kernel
 *
 * Should: leave nothing behind if it fails, and no key in any case.
 * Return: 0; -EEXIST: the name is taken; with a signature -ENOKEY, -EKEYREJECTED, -EKEYREVOKED, -EKEYEXPIRED as the
 * kernel refuses it; -EINVAL: it refuses the table; other -errno.
 */
int verity_dm_load(const struct verity_activate_params *p, const struct verity_sb *sb, const dev_t data_hash[static 2],
		   bool signature_for_kernel, struct err *e) WARN_UNUSED;

#endif
