/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/status.h - everything the kernel says of a live dm-verity device (`status`, `scrub`, and the proof of `open`)
 *
 * verity/table.h answers PID 1's question, whether a device is the one that was asked for, and knows SHA-256 only. This
 * is the whole of the table and of the status line, for people and for tools. Both read the same two answers.
 *
 *   table:  see verity/table.h
 *   status: V or C (a check has failed since activation) [<blocks corrected by FEC, or ->]  (the number: newer kernels)
 *
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Construction Parameters" and "Status".
 */
#ifndef VERITY_STATUS_H
#define VERITY_STATUS_H

#include "common/err.h"
#include "verity/superblock.h"
#include "verity/table.h"

#define VERITY_MAX_DIGEST_BYTES 64
#define VERITY_KEY_BYTES        256

/* Optional words without a value; bits of verity_status.options. Names: verity_option_str(). */
enum verity_option {
	VERITY_OPTION_IGNORE_CORRUPTION,
	VERITY_OPTION_RESTART_ON_CORRUPTION,
	VERITY_OPTION_PANIC_ON_CORRUPTION,
	VERITY_OPTION_RESTART_ON_ERROR,
	VERITY_OPTION_PANIC_ON_ERROR,
	VERITY_OPTION_IGNORE_ZERO_BLOCKS,
	VERITY_OPTION_CHECK_AT_MOST_ONCE,
	VERITY_OPTION_TRY_VERIFY_IN_TASKLET,
	VERITY_OPTIONS_,
};

/**
 * struct verity_status - a live device
 * @is_corrupt:   a check has failed since activation
 * @has_counter:  this kernel counts what FEC corrected: @corrected blocks
 * @options:      1 << enum verity_option each
 * @fec_roots:    0: no error correction; else @fec_dev, @fec_blocks covered, parity from block @fec_start
 * @signature_key: description of the key that held the signature; "" if the table was loaded without
 */
struct verity_status {
	char name[VERITY_NAME_BYTES];
	dev_t dev;
	bool is_corrupt;
	bool has_counter;
	uint64_t corrected;
	unsigned hash_type;
	dev_t data_dev;
	dev_t hash_dev;
	uint32_t data_block_bytes;
	uint32_t hash_block_bytes;
	uint64_t data_blocks;
	uint64_t hash_start_block;
	char algorithm[VERITY_MAX_ALGORITHM_BYTES + 1];
	uint8_t root_hash[VERITY_MAX_DIGEST_BYTES];
	size_t root_hash_bytes;
	uint8_t salt[VERITY_MAX_SALT_BYTES];
	size_t salt_bytes;
	unsigned options;
	dev_t fec_dev;
	unsigned fec_roots;
	uint64_t fec_blocks;
	uint64_t fec_start;
	char signature_key[VERITY_KEY_BYTES];
};

/** verity_option_str() - the kernel's word for it. */
const char *verity_option_str(enum verity_option option);

/** verity_status_get() - of the device-mapper device @name. Return: 0; -ENODEV; -EMEDIUMTYPE if it is not one verity target. */
int verity_status_get(const char *name, struct verity_status *ret, struct err *e) WARN_UNUSED;

/** verity_status_parse() - the kernel's words. Return: 0 or -EMEDIUMTYPE with what was found. Exposed for tests. */
int verity_status_parse(const struct verity_table_text *text, struct verity_status *ret, struct err *e) WARN_UNUSED;

#endif
