/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/ek_cert.h - endorsement keys: the one public area that is accepted, and the certificate that vouches for it
 *
 * Theory of operation
 *   An EK is believed because its maker's certificate says so or because the operator gave its digest; never because a
 *   host showed it. The public area is held to template L-1 byte for byte, the modulus alone is free: so it is
 *   known to be a restricted decryption key that cannot leave its TPM, provided that somebody vouches for that key.
 *
 *   Certificates in the wild break rules. Exactly these oddities are read, all others refuse: the 7-byte header of TPM
 *   1.2 in front, padding of one value (00 or ff) behind, the key's algorithm given as id-RSAES-OAEP, an RDN
 *   SET in the wrong order, a critical subject alternative name with an empty subject. The chain must end in a
 *   certificate of the operator's file. Each certificate of that file is an anchor, an intermediate too.
 *
 * Input: hostile (public area, certificate); the operator's own (roots). Spec: TCG EK Credential Profile 2.5 sections
 * 3.2 and B.3.3; TCG PC Client Specific Implementation Specification 1.21 section 7.3 (the header); RFC 5280.
 */
#ifndef ATTEST_EK_CERT_H
#define ATTEST_EK_CERT_H

#include "common/err.h"
#include "common/hash.h"
#include "common/pki.h"

#define EK_MODULUS_BYTES        256
#define EK_CERT_MAX_BYTES       8192
#define EK_CERT_MAX_ROOTS       64
#define EK_CERT_MAX_ROOTS_BYTES (1u << 20)

struct bytes;

/**
 * struct ek_public - an endorsement key that was held to template L-1
 * @modulus:  view into the parsed buffer, EK_MODULUS_BYTES, big-endian
 * @identity: SHA-256 of the TPMT_PUBLIC: who the host is
 * @key:      the public key, owned
 */
struct ek_public {
	const uint8_t *modulus;
	uint8_t identity[HASH_SHA256_BYTES];
	EVP_PKEY *key;
};

/** ek_public_parse() - a TPM2B_PUBLIC as an EK of template L-1; -EINVAL with the rule it breaks (ROCA included). */
int ek_public_parse(const struct bytes *tpm2b, struct ek_public *ret, struct err *e) WARN_UNUSED;

/** ek_public_free() - release what @ek owns; accepts a zeroed one. */
void ek_public_free(struct ek_public *ek);
#define cleanup_ek_public __attribute__((cleanup(ek_public_free)))

/** ek_cert_parse() - the bytes of the TPM's NV index as a certificate; -EINVAL. @ret is owned by the caller. */
int ek_cert_parse(const struct bytes *nv, X509 **ret, struct err *e) WARN_UNUSED;

/**
 * ek_cert_verify() - does @cert, with a chain to a certificate of the file @roots, vouch for @ek?
 * @roots: PEM, 1 to EK_CERT_MAX_ROOTS certificates
 *
 * Checks, in this order: the key is @ek's; the certificate is no CA, is for key encipherment and bears the EKU
 * tcg-kp-EKCertificate (2.23.133.8.1); the chain, its dates, its signatures (SHA-256 or better).
 * Return: 0 good, -EBADMSG checked and bad, other -errno could not check (roots missing or malformed).
 */
int ek_cert_verify(X509 *cert, const struct ek_public *ek, const char *roots, struct err *e) WARN_UNUSED;

#endif
