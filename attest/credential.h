/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/credential.h - the verifier's half of credential activation
 *
 * Theory of operation
 *   A secret is encrypted so that only the TPM with the given EK can read it, and that TPM gives it out only if an
 *   object with the given Name lives in it. The Name is the digest of a public area, so a host that returns the
 *   secret holds, in that one TPM, the very AK whose attributes the verifier has checked. The Name must be
 *   computed by the verifier from that public area and from nothing the host says.
 *
 *      seed (32 random bytes)  -- RSA-OAEP, SHA-256, label "IDENTITY\0", to the EK -->  secret
 *      KDFa(seed, "STORAGE", Name)    -->  AES-128-CFB over the sized credential  -->  encIdentity
 *      KDFa(seed, "INTEGRITY")        -->  HMAC-SHA-256 over encIdentity, Name    -->  blob = HMAC, encIdentity
 *
 *   No TPM is needed here: OpenSSL does it all.
 *
 * Spec: TPM 2.0 Library part 1, sections 11.4.10.2 (KDFa), 24 (credential protection), B.10 (secret sharing).
 */
#ifndef ATTEST_CREDENTIAL_H
#define ATTEST_CREDENTIAL_H

#include "attest/quote.h"
#include "common/buf.h"

#define CREDENTIAL_SEED_BYTES 32
#define CREDENTIAL_MAX_BYTES  32 /* a TPM takes at most a digest of the EK's nameAlg */

/**
 * credential_make() - protect @credential for the TPM that holds @ek beside the object of @name
 * @ek:   RSA public key
 * @credential: 1 to CREDENTIAL_MAX_BYTES
 * @ret_blob:   appended: TPM2B_ID_OBJECT
 * @ret_secret: appended: TPM2B_ENCRYPTED_SECRET
 *
 * Two calls never give equal bytes. Return: 0 or -errno.
 */
int credential_make(EVP_PKEY *ek, const uint8_t name[static QUOTE_NAME_BYTES], struct bytes credential,
		    struct buf *ret_blob, struct buf *ret_secret, struct err *e) WARN_UNUSED;

/** credential_wrap() - the deterministic part, with a given seed: known-answer tests need it. */
int credential_wrap(const uint8_t seed[static CREDENTIAL_SEED_BYTES], const uint8_t name[static QUOTE_NAME_BYTES],
		    struct bytes credential, struct buf *ret_blob, struct err *e) WARN_UNUSED;

#endif
