/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/tpm_cmd.h - the three TPM commands PID 1 needs for ever, without heap and without a library
 *
 * Theory of operation
 *   After its point of no return PID 1 still measures, and may then use no heap; tss2's ESYS allocates for
 *   each command. TPM2_PCR_Extend, PCR_Read and GetCapability(PCRs) are fixed small structures, so they are
 *   marshalled here and written to /dev/tpm0 (or /dev/tpmrm0) in one write(2). Responses go through the
 *   bounded reader: a TPM may sit on a bus that an attacker owns. Anything that wants sessions
 *   (quote, seal, activate) uses tss2-esys.
 *
 * Runs as: PID 1. Spec: TPM 2.0 Library part 3, sections 22.2, 22.4, 30.2.
 */
#ifndef COMMON_TPM_CMD_H
#define COMMON_TPM_CMD_H

#include "common/err.h"
#include "common/hash.h"

#include <stddef.h>
#include <stdint.h>

#define TPM_CMD_MAX_BANKS 5
#define TPM_CMD_PCRS 24

/** struct tpm_banks - the allocated PCR banks, in the TPM's order */
struct tpm_banks {
	size_t n;
	enum hash_alg alg[TPM_CMD_MAX_BANKS];
};

/** struct tpm_digest - one digest for one bank */
struct tpm_digest {
	enum hash_alg alg;
	uint8_t digest[HASH_MAX_BYTES];
};

/** tpm_cmd_open() - open the first of /dev/tpm0 and /dev/tpmrm0 that is there. Return: 0 with *@ret_fd, or -errno. */
int tpm_cmd_open(int *ret_fd, struct err *e) __attribute__((warn_unused_result));

/**
 * tpm_cmd_banks() - which banks the TPM keeps (those with at least one PCR selected)
 * @timeout_ms: for the answer; -ETIMEDOUT past it
 */
int tpm_cmd_banks(int fd, int timeout_ms, struct tpm_banks *ret, struct err *e) __attribute__((warn_unused_result));

/** tpm_cmd_extend() - extend @pcr in @n banks at once. -EPROTO with the TPM's response code if it refuses. */
int tpm_cmd_extend(int fd, int timeout_ms, uint32_t pcr, const struct tpm_digest *d, size_t n,
		   struct err *e) __attribute__((warn_unused_result));

/** tpm_cmd_read() - value of one PCR in one bank; @ret holds hash_bytes(@alg) bytes. -ENOENT if the bank lacks it. */
int tpm_cmd_read(int fd, int timeout_ms, uint32_t pcr, enum hash_alg alg, uint8_t *ret,
		 struct err *e) __attribute__((warn_unused_result));

#endif
