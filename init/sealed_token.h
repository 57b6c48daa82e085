/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sealed_token.h - the LUKS2 token of the state volume: systemd-tpm2's keys, and one of our own
 *
 * Written so that `systemd-cryptenroll`, `cryptsetup luksDump` and systemd's token library list it. On reading only the blob and the
 * MAC count, and both prove themselves (the TPM's integrity, the machine's secret); all other keys must be
 * there as we write them, so that no tool is told something else than what holds.
 *
 * Input: hostile. Spec: systemd v252 to v257, tpm2_make_luks2_json() in src/shared/tpm2-util.c.
 */
#ifndef INIT_SEALED_TOKEN_H
#define INIT_SEALED_TOKEN_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

#define PID1_SEALED_MAX_BLOB_BYTES  1024
#define PID1_SEALED_MAX_TOKEN_BYTES 8192

/**
 * struct pid1_sealed_token - @blob: TPM2B_PRIVATE, TPM2B_PUBLIC; @policy: the object's authPolicy
 * @pcrs: of the signed policy, a bit mask; @mac: init/sealed_volume.h
 */
struct pid1_sealed_token {
	uint8_t blob[PID1_SEALED_MAX_BLOB_BYTES];
	size_t blob_bytes;
	uint8_t policy[HASH_SHA256_BYTES];
	uint32_t pcrs;
	uint8_t mac[HASH_SHA256_BYTES];
};

/** pid1_sealed_token_parse() - 0 or -EINVAL */
int pid1_sealed_token_parse(const char *text, size_t bytes, struct pid1_sealed_token *ret, struct err *e) WARN_UNUSED;

/** pid1_sealed_token_write() - @pem: the PCR key's text, for the tools that show it */
int pid1_sealed_token_write(const struct pid1_sealed_token *t, const char *pem, struct buf *ret, struct err *e) WARN_UNUSED;

#endif
