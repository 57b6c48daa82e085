/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/tpm_key.h - an EVP_PKEY whose private half is elsewhere: OpenSSL asks us for each signature
 *
 * Theory of operation
 *   OpenSSL 3 has one door for that: a provider. Ours is built in, has one type of key (EC, P-256) and one operation (ECDSA
 *   with SHA-256), and keeps of a key its point and a function to call. Being asked to export a private key it refuses,
 *   which is how OpenSSL learns that signatures are to be made here and not by its own provider; the point it gives away, so
 *   that everything else (comparison with a certificate, encoding) is done by OpenSSL's own code.
 *
 *   The provider "default" is loaded beside it and preferred for everything that does not name ours: a key is ours only by
 *   being made here.
 *
 * Runs as: the agent, one thread. Spec: provider-keymgmt(7), provider-signature(7).
 */
#ifndef ATTEST_TPM_KEY_H
#define ATTEST_TPM_KEY_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <openssl/evp.h>

#define TPM_KEY_POINT_BYTES 65 /* 04, X, Y */
#define TPM_KEY_NUMBER_BYTES 32

/**
 * struct tpm_key - who signs; must outlive the EVP_PKEY
 * @sign: r and s over @digest. -errno with its sentence in @e, which tpm_key_error() gives to whoever sees the handshake fail
 */
struct tpm_key {
	uint8_t point[TPM_KEY_POINT_BYTES];
	int (*sign)(void *arg, const uint8_t digest[static HASH_SHA256_BYTES], uint8_t ret_r[static TPM_KEY_NUMBER_BYTES],
		    uint8_t ret_s[static TPM_KEY_NUMBER_BYTES], struct err *e);
	void *arg;
	struct err last;
};

/** tpm_key_new() - the EVP_PKEY of @key; the first call loads the providers for this process. */
int tpm_key_new(struct tpm_key *key, EVP_PKEY **ret, struct err *e) WARN_UNUSED;

#endif
