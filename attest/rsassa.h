/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/rsassa.h - RSASSA-PKCS1-v1_5 signatures verified by a key that was made ready once
 *
 * Theory of operation
 *   A verifier of a fleet does little but this. OpenSSL's EVP takes a fifth longer than the multiplications that it
 * consists of: it multiplies by one first, leaves Montgomery's form by a reduction of its own, and parses the padding.
 * Here the signature is raised to the public exponent by OpenSSL's own modular multiplication, with what depends on the
 * modulus kept (RFC 8017, 8.2.2: RSAVP1), and the result is compared, whole, with the one encoding that this digest has
 * (EMSA-PKCS1-v1_5, 9.2, DigestInfo with NULL parameters). Nothing of what came out is parsed: that is where verifiers
 * of this scheme were forged (CVE-2006-4339, CVE-2014-1568). All numbers are public, so time tells nothing.
 *   A ready key is never changed, and may be used by several threads at once.
 *
 * Input: hostile (signature). Spec: RFC 8017.
 */
#ifndef ATTEST_RSASSA_H
#define ATTEST_RSASSA_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <openssl/bn.h>

#define RSASSA_MAX_BYTES 512 /* of a modulus */

struct rsassa;

/**
 * rsassa_new() - a public key made ready
 * @n: modulus, odd, of at most RSASSA_MAX_BYTES and at least what the encoding of a SHA-512 needs; copied
 * @exp: public exponent, an odd number from 3 to 2^32 - 1
 *
 * Return: 0; -EINVAL for another key; -ENOMEM. Release with rsassa_free().
 */
int rsassa_new(const BIGNUM *n, const BIGNUM *exp, struct rsassa **ret, struct err *e) WARN_UNUSED;

/** rsassa_share() - one more owner of @k. rsassa_free() - one less; accepts NULL. */
struct rsassa *rsassa_share(struct rsassa *k);
void rsassa_free(struct rsassa *k);

/**
 * rsassa_verify() - is @sig the key's signature of @digest?
 * @digest: hash_bytes(@alg) bytes; @alg: SHA-256, SHA-384 or SHA-512
 *
 * Return: 0 good, -EBADMSG checked and bad, other -errno could not check.
 */
int rsassa_verify(const struct rsassa *k, enum hash_alg alg, const uint8_t *digest, const uint8_t *sig, size_t len,
		  struct err *e) WARN_UNUSED;

#endif
