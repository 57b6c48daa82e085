/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/trust.h - who judges root hash signatures on this machine: the kernel, or, where it has no key of ours, PID 1
 *
 * Theory of operation
 *   The kernel judges, unless this process was told otherwise: that is the profile `direct`, of a machine without UEFI,
 *   whose kernel knows no owner's key. There PID 1 checks each signature against a certificate before it opens the
 *   volume, and nobody else can open one (init/sys.c's system call filter). A table then says nothing of a signature, and
 *   what there is to prove of it is the rest: root hash, size, strict mode.
 *
 *   One setting a process, made before it opens or proves anything and never taken back: it is a fact about the
 *   machine, not about a volume.
 */
#ifndef VERITY_TRUST_H
#define VERITY_TRUST_H

#include "common/err.h"
#include "common/hash.h"
#include "common/pki.h"

#include <stdbool.h>

/**
 * verity_trust_direct() - the kernel has no key of ours: profile `direct`
 * @signer: certificate that root hash signatures are checked with before a volume is opened; NULL: this process opens
 *          none, it only proves those that are there (the gate). Kept, not owned.
 */
void verity_trust_direct(X509 *signer);

/** verity_trust_is_direct() - was that said? */
bool verity_trust_is_direct(void);

/**
 * verity_trust_check() - in `direct`: is @signature that of @root_hash by the signer?
 *
 * Return: 0; -EKEYREJECTED checked and bad; -EPERM without a signer; other -errno could not check.
 */
int verity_trust_check(const uint8_t root_hash[static HASH_SHA256_BYTES], const void *signature, size_t signature_bytes,
		       struct err *e) WARN_UNUSED;

#endif
