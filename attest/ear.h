/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/ear.h - attestation results: what a verifier says to those who rely on it
 *
 * Theory of operation
 *   One JSON claims set, signed as a JWT with ES256 (or shown as it is to people). It says who the host is, what state
 *   it was in when, why, by which policy set, and until when that counts: results live for minutes, and a host without
 *   one that is in force is not trusted. Every claim is about what was proven: of a host whose quote was not, there is
 *   nothing but the reasons.
 *
 *   status      affirming: accepted. warning: accepted, but the image's profile is not enforce.
 *               contraindicated: refused.
 *   vector      AR4SI numbers: 2 affirming, 32 warning, 96 contraindicated, 99 the evidence's cryptography failed.
 *               A claim that we did not look at is left out: hardware of an EK without its maker's certificate.
 *
 * Spec: draft-ietf-rats-ear-04 (JSON serialization), draft-ietf-rats-ar4si section 2.3, RFC 9711 (EAT), RFC 7515 and
 * 7518 section 3.4 (ES256), RFC 7638 (thumbprint as kid), RFC 9782 (application/eat+jwt).
 */
#ifndef ATTEST_EAR_H
#define ATTEST_EAR_H

#include "attest/judge.h"

#define EAR_PROFILE       "tag:ietf.org,2026:rats/ear#04"
#define EAR_MAX_REASONS   16
#define EAR_MAX_KID_BYTES 48

/** struct ear_key - a P-256 key and its thumbprint; @key is owned, and @begun, a signature that was only begun */
struct ear_key {
	EVP_PKEY *key;
	EVP_MD_CTX *begun;
	char kid[EAR_MAX_KID_BYTES];
};

/** ear_key_load() - private key from a PEM path or a provider URI. -EINVAL if it is not P-256. */
int ear_key_load(const char *uri, struct ear_key *ret, struct err *e) WARN_UNUSED;

/** ear_key_free() - accepts a zeroed one. */
void ear_key_free(struct ear_key *k);
#define cleanup_ear_key __attribute__((cleanup(ear_key_free)))

/** ear_key_jwks() - append the public key as a JWK set (RFC 7517). */
int ear_key_jwks(const struct ear_key *k, struct buf *ret, struct err *e) WARN_UNUSED;

/** struct ear_input - @nonce: the evidence's; @issued_s, @expires_s: seconds since 1970; all borrowed */
struct ear_input {
	const struct judge_result *result;
	const struct enrolment *enrolment;
	const uint8_t *nonce;
	const struct fleet *fleet;
	int64_t issued_s;
	int64_t expires_s;
};

/** ear_claims() - append the claims set, one line of JSON without newline. -EINVAL without a verdict. */
int ear_claims(const struct ear_input *in, struct buf *ret, struct err *e) WARN_UNUSED;

/** ear_sign() - append the JWT of @claims. */
int ear_sign(const struct ear_key *k, struct bytes claims, struct buf *ret, struct err *e) WARN_UNUSED;

#endif
