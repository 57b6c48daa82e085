/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sealed_recovery.h - a recovery key for the state volume: made, and told once
 *
 * 256 random bits in systemd's notation (modhex, eight groups of eight, dashes between), which `cryptsetup open` and systemd take as
 * a passphrase. Told as text to the console, or as CMS EnvelopedData (AES-256-CBC; RSA-OAEP or ECDH) for a certificate whose
 * private key is elsewhere, in PEM.
 *
 * Spec: systemd, src/shared/recovery-key.c; RFC 5652, section 6.
 */
#ifndef INIT_SEALED_RECOVERY_H
#define INIT_SEALED_RECOVERY_H

#include "common/cleanup.h"
#include "common/err.h"

#define PID1_SEALED_RECOVERY_BYTES 72 /* with its NUL */

/** pid1_sealed_recovery_make() - a new one */
int pid1_sealed_recovery_make(char ret[static PID1_SEALED_RECOVERY_BYTES], struct err *e) WARN_UNUSED;

/**
 * pid1_sealed_recovery_tell() - write @key for the volume @uuid to @fd
 * @escrow_pem: certificate to encrypt it for; NULL: as it is
 */
int pid1_sealed_recovery_tell(const char *key, const char *escrow_pem, const char *uuid, int fd, struct err *e) WARN_UNUSED;

#endif
