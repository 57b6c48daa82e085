/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/keys.h - the owner's keys: PK, KEK and db for the firmware, the policy key, and the PCR key
 *
 * Theory of operation
 *   A key folder holds, for each of the five, NAME.key (PEM, 0600), NAME.pem and NAME.der (its self-signed certificate).
 *   db signs the UKI, the root hashes and the IPE policy, because firmware and kernel trust it; the policy key
 *   signs the layer policy and the reference values, because only our own programs judge those. The PCR key signs
 *   which states of a boot the TPM obeys (image-builder/pcrsig.h); it is another one, for whoever has it can have any state
 *   obeyed, and no program of ours judges it but the TPM. PK and KEK are only enrolled. The certificates are what firmware and kernel accept alike: RSA-2048, no CA, digitalSignature, with a
 *   subject key identifier. Their dates are wide and fixed: nobody in the chain has a clock to be trusted.
 *
 * Runs as: the builder's user.
 */
#ifndef IMAGE_BUILDER_KEYS_H
#define IMAGE_BUILDER_KEYS_H

#include "common/pki.h"
#include "common/progress.h"

/* Owner GUID of the entries in PK, KEK and db. Firmware gives it no meaning; one for all keeps PCR 7 predictable. */
#define KEYS_OWNER_GUID "6d0f8c1e-3f0a-4c8e-9b1c-7a52d1b0e4a9"

enum keys_name { KEYS_PK, KEYS_KEK, KEYS_DB, KEYS_POLICY, KEYS_PCR, KEYS_NAMES_ };

/** struct keys - all certificates, and the three private keys that sign; zero it; keys_free() */
struct keys {
	X509 *cert[KEYS_NAMES_];
	EVP_PKEY *key[KEYS_NAMES_]; /* KEYS_DB, KEYS_POLICY and KEYS_PCR only */
};

/** keys_name_str() - "PK", "KEK", "db", "policy", "pcr". */
const char *keys_name_str(enum keys_name name);

/** keys_free() - release what it holds; accepts a zeroed one. */
void keys_free(struct keys *k);

#define cleanup_keys __attribute__((cleanup(keys_free)))

/**
 * keys_make() - new keys in @folder
 *
 * Should: leave a complete folder (made if it is not there). Must not: change a folder that holds anything, or leave
 * a part of one. Return: 0; -EEXIST if @folder is not empty; -errno.
 */
int keys_make(const char *folder, progress_fn *say, struct err *e) WARN_UNUSED;

/** keys_load() - certificates and the three signing keys. -ENOENT names the missing file; -EINVAL a pair that does not fit. */
int keys_load(const char *folder, struct keys *ret, struct err *e) WARN_UNUSED;

#endif
