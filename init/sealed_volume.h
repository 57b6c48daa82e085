/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sealed_volume.h - the state volume: opened, proved to be ours, activated; or made
 *
 * Theory of operation: init/sealed.h.
 */
#ifndef INIT_SEALED_VOLUME_H
#define INIT_SEALED_VOLUME_H

#include "init/sealed_block.h"

#include <libcryptsetup.h>

enum pid1_sealed_recovery {
	PID1_SEALED_RECOVERY_NONE,
	PID1_SEALED_RECOVERY_PRINT,  /* its text, once */
	PID1_SEALED_RECOVERY_ESCROW, /* CMS EnvelopedData for a certificate, in base64 */
	PID1_SEALED_RECOVERIES_
};

/**
 * struct pid1_sealed_volume - zero it, then set
 * @partition: a device; a file will do where nothing is activated
 * @header:    name of a file in memory, made and removed when the volume is made
 * @pcr_pem:   the PCR key's text
 * @integrity: make it with dm-integrity (aes-xts and hmac(sha256)); what is there says by itself whether it has it
 * @escrow_pem: the certificate for PID1_SEALED_RECOVERY_ESCROW
 * @tell:      descriptor for the recovery key's lines
 * @activate:  create PID1_SEALED_MAPPING, and a file system on a new one; false: the header only
 * @at:        called before each step of making, with its name; for tests, may be NULL
 */
struct pid1_sealed_volume {
	const char *partition, *header;
	struct pid1_sealed_tpm *tpm;
	const char *pcr_pem;
	bool integrity;
	enum pid1_sealed_recovery recovery;
	const char *escrow_pem;
	int tell;
	bool activate;
	void (*at)(const char *step);
};

/**
 * pid1_sealed_volume_open() - open it; on a blank or unfinished partition make it
 * @ret: all of it but code and e: the caller sets them
 * @ret_code: the failure code, CODE_NONE on success
 *
 * Should: leave a volume that it makes either unfinished and marked, or whole. Must not: write to a partition that holds anything
 * else; activate what it has not proved.
 */
int pid1_sealed_volume_open(const struct pid1_sealed_volume *v, struct pid1_sealed_answer *ret, uint32_t *ret_code,
			    struct err *e) WARN_UNUSED;

/** pid1_sealed_volume_make() - the second half of that, the partition at @fd having been looked at: @bytes, @again */
int pid1_sealed_volume_make(const struct pid1_sealed_volume *v, int fd, uint64_t bytes, struct pid1_sealed_answer *ret,
			    struct err *e) WARN_UNUSED;

/* Both halves' own: the passphrase of keyslot 0, and the MAC that the token holds. */
#define PID1_SEALED_PASSPHRASE_BYTES (PID1_SEALED_KEY_BYTES / 3 * 4 + 4) /* base64 of a key, without NUL */
void pid1_sealed_passphrase(const uint8_t key[static PID1_SEALED_KEY_BYTES], char ret[static PID1_SEALED_PASSPHRASE_BYTES + 1]);
int pid1_sealed_volume_mac(const struct pid1_sealed_tpm *t, struct crypt_device *cd, const void *volume_key, size_t n,
			   uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/** pid1_sealed_crypt_error() - libcryptsetup's result @r (negative) as a sentence; its last message is in it */
int pid1_sealed_crypt_error(struct err *e, int r, const char *what);

CLEANUP_DEFINE(crypt, struct crypt_device *, crypt_free)
#define cleanup_crypt __attribute__((cleanup(cleanup_crypt_fn)))

#endif
