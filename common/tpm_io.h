/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/tpm_io.h - one command to the TPM and its answer, with a deadline
 *
 * No heap. The answer's header is checked here: its length is what it says, and the response code is told apart.
 *
 * Runs as: PID 1. Input: hostile (a TPM may sit on a bus that an attacker owns).
 * Spec: TPM 2.0 Library part 1, sections 18.2 to 18.5.
 */
#ifndef COMMON_TPM_IO_H
#define COMMON_TPM_IO_H

#include "common/err.h"
#include "common/reader.h"

#include <stddef.h>
#include <stdint.h>

#define TPM_IO_MAX_BYTES    1024
#define TPM_IO_HEADER_BYTES 10

/**
 * struct tpm_io - an open TPM; set @fd and @timeout_ms, which is for each answer
 * @code: response code of the last answer, 0: it succeeded
 * @resp: the last answer
 */
struct tpm_io {
	int fd;
	int timeout_ms;
	uint32_t code;
	uint8_t resp[TPM_IO_MAX_BYTES];
};

/**
 * tpm_io_transact() - send @n bytes, whose size field is set here, and receive
 * @ret: the answer behind its header
 *
 * Return: 0 if the TPM answered, whatever it said: look at @t->code; -ETIMEDOUT; -EPROTO if the answer is malformed;
 * other -errno.
 */
int tpm_io_transact(struct tpm_io *t, uint8_t *cmd, size_t n, struct reader *ret,
		    struct err *e) __attribute__((warn_unused_result));

#endif
