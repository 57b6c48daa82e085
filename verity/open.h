/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/open.h - activate any dm-verity volume with any of the kernel's options (`holdfast-verity open`)
 *
 * verity/activate.h is what PID 1 and the gate need: one kind of volume, always signed. This is for people: all kinds of
 * tree, error correction, every option. Both go the same way through libcryptsetup; what that cannot ask for is added by
 * verity/table_add.h. After it the kernel's table is read
 * back and must hold exactly the options asked for: an option that is not there closes the
 * device again. So nothing that was asked for is missing silently.
 *
 * Runs as: root. Without udev the caller must have set DM_DISABLE_UDEV=1.
 */
#ifndef VERITY_OPEN_H
#define VERITY_OPEN_H

#include "verity/activate.h"
#include "verity/status.h"

/**
 * struct verity_open_params - zero it, then set what is needed
 * @base:              names, root hash, hash_offset_bytes; signature or none; on_corruption and data_bytes are not used
 * @root_hash_bytes:   of base.root_hash
 * @no_superblock:     NULL: there is one; else what it would say, and hash_offset_bytes is the tree's
 * @options:           1 << enum verity_option each
 * @fec_device:        NULL: no error correction; else @fec_roots, and parity from @fec_offset_bytes on
 */
struct verity_open_params {
	struct verity_activate_params base;
	size_t root_hash_bytes;
	const struct verity_sb *no_superblock;
	unsigned options;
	const char *fec_device;
	unsigned fec_roots;
	uint64_t fec_offset_bytes;
};

/**
 * struct verity_open_result - what there is now
 * @fec_doubtful: error correction was asked for, and its parity does not look like that of this volume
 */
struct verity_open_result {
	struct verity_device device;
	bool fec_doubtful;
};

/**
 * verity_open() - activate, read back, prove
 *
 * Should: return only when the kernel's table has this root hash, this size, these options and no others, and a signature
 *         if one was given. Must not: leave a device behind if it fails.
 * Return: as verity_activate(); -ENOTSUP: libcryptsetup or the kernel does not know an option.
 */
int verity_open(const struct verity_open_params *p, struct verity_open_result *ret, struct err *e) WARN_UNUSED;

#endif
