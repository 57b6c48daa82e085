/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/scrub.h - read a live dm-verity device through, and tell which blocks are bad and which are repaired as they are read
 *
 * Theory of operation
 *   The device is read from end to end past the page cache (O_DIRECT), so that the kernel checks each block anew. A block
 *   that it will not deliver (EIO) is bad. With error correction the kernel delivers what it has repaired and says so to
 *   nobody (up to Linux 6.18; newer ones count), so each block is also read from the data device below: where the two
 *   differ, or the lower one cannot be read, the kernel has repaired.
 *
 *   What reading cannot tell: damage of the hash tree that the kernel repairs, or has verified and keeps in memory.
 *   (`verify` on the devices below tells.)
 *
 * Runs as: root tool. Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Status".
 */
#ifndef VERITY_SCRUB_H
#define VERITY_SCRUB_H

#include "common/err.h"
#include "common/progress.h"
#include "verity/io.h"

#include <stdbool.h>

/* What is told of a block. */
enum verity_scrub_outcome { VERITY_SCRUB_BAD, VERITY_SCRUB_REPAIRED };

/**
 * struct verity_scrub_params - zero it, then set what is needed
 * @device:      the dm-verity device; @data the data device below it, or fd -1 without error correction
 * @block_bytes: of data blocks; @blocks of them
 * @ignore_zeros: ignore_zero_blocks is set: a block delivered as zeros was not read
 * @rate:        bytes a second at most, both devices together; 0: as fast as it goes
 * @note:        told of each block, in order
 * @say:         NULL, or gets lines of progress
 */
struct verity_scrub_params {
	struct verity_file device;
	struct verity_file data;
	uint32_t block_bytes;
	uint64_t blocks;
	bool ignore_zeros;
	uint64_t rate;
	void (*note)(void *arg, enum verity_scrub_outcome outcome, uint64_t block);
	void *arg;
	progress_fn *say;
};

/** struct verity_scrub_result - how many blocks; what is not in either was good as it stood */
struct verity_scrub_result {
	uint64_t bad;
	uint64_t repaired;
};

/**
 * verity_scrub() - all blocks
 *
 * Bad blocks are a result, not an error. Return: 0 if the whole device was read; -EINTR; -ENODATA if it ends early; any
 * error of reading other than EIO (and its kin for media); -ENOMEM. @ret is written on success only.
 */
int verity_scrub(const struct verity_scrub_params *p, struct verity_scrub_result *ret, struct err *e) WARN_UNUSED;

#endif
