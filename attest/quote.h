/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/quote.h - attestation keys and quotes: parse, hold to one shape, verify
 *
 * Theory of operation
 *   Everything that could be negotiated is pinned. An AK is a restricted signing key that only a TPM can have made and
 * that cannot leave it: its attributes are compared with a mask, both ways. Its type fixes the one signature scheme
 * that is accepted: RSASSA PKCS#1 v1.5 or ECDSA P-256, SHA-256 in both. A restricted key signs a structure that begins
 * with TPM_GENERATED_VALUE only if the TPM itself made it, so magic and type are what turns a signature into a
 * statement of the TPM (CVE-2024-29038). The PCR selection is signed too, and is part of the statement (CVE-2022-0317).
 *   The signature is verified over the very bytes that were parsed.
 *
 * Input: hostile (quote, signature); the enrolment record's (AK). Spec: TPM 2.0 Library part 2, 10.12 (attestation),
 *   11.3 (signatures), 12.2 (public areas), 8.3 (attributes); part 1, 16 (names).
 */
#ifndef ATTEST_QUOTE_H
#define ATTEST_QUOTE_H

#include "attest/evidence.h"
#include "common/pki.h"

#include <stdbool.h>

#define QUOTE_NAME_BYTES       34 /* nameAlg and a SHA-256 digest */
#define QUOTE_MAX_ATTEST_BYTES 1024

/* TPMA_OBJECT: an AK has all of REQUIRED, may have OPTIONAL, has nothing else. */
#define QUOTE_AK_REQUIRED 0x00050072u /* fixedTPM fixedParent sensitiveDataOrigin userWithAuth restricted sign */
#define QUOTE_AK_OPTIONAL 0x00000400u /* noDA */

enum quote_key {
	QUOTE_KEY_UNSET = 0,
	QUOTE_KEY_RSA,  /* RSASSA with SHA-256, 2048 to 4096 bits */
	QUOTE_KEY_P256, /* ECDSA with SHA-256 */
};

/**
 * struct quote_ak - an attestation key that was held to our mask
 * @type: its type, which pins the signature scheme
 * @bits: size of an RSA modulus
 * @name: the TPM's Name of it: 000b then SHA-256 of the TPMT_PUBLIC
 * @key:  the public key, owned
 */
struct quote_ak {
	enum quote_key type;
	unsigned bits;
	uint8_t name[QUOTE_NAME_BYTES];
	EVP_PKEY *key;
};

/** struct quote - what a TPMS_ATTEST of type quote says; views into the parsed buffer */
struct quote {
	struct bytes signer; /* qualified Name, for information */
	uint8_t extra[HASH_SHA256_BYTES];
	uint64_t clock_ms;
	uint32_t reset_count;
	uint32_t restart_count;
	bool safe;
	uint64_t firmware_version;
	uint8_t pcr_digest[HASH_SHA256_BYTES];
};

/**
 * quote_name() - the Name of a public area
 * @tpm2b: TPM2B_PUBLIC whose nameAlg is SHA-256
 *
 * -EINVAL for another nameAlg or a wrong size field. For any object, not only AKs.
 */
int quote_name(struct bytes tpm2b, uint8_t ret[static QUOTE_NAME_BYTES], struct err *e) WARN_UNUSED;

/** quote_ak_parse() - a TPM2B_PUBLIC as an AK; -EINVAL with the rule it breaks. Release with quote_ak_free(). */
int quote_ak_parse(struct bytes tpm2b, struct quote_ak *ret, struct err *e) WARN_UNUSED;

/** quote_ak_free() - release what @ak owns; accepts a zeroed one. */
void quote_ak_free(struct quote_ak *ak);
#define cleanup_quote_ak __attribute__((cleanup(quote_ak_free)))

/** quote_rsa_is_roca() - does a modulus (big-endian) bear the mark of CVE-2017-15361? */
bool quote_rsa_is_roca(const uint8_t *modulus, size_t len);

/** quote_parse() - a TPMS_ATTEST: a quote over exactly sha256:0-15 with 32 bytes of extraData. -EINVAL with the rule.
 */
int quote_parse(struct bytes attest, struct quote *ret, struct err *e) WARN_UNUSED;

/**
 * quote_verify() - is @signature (TPMT_SIGNATURE) @ak's signature of exactly the bytes @attest?
 *
 * Return: 0 good, -EBADMSG checked and bad, other -errno could not check.
 */
int quote_verify(const struct quote_ak *ak, struct bytes attest, struct bytes signature, struct err *e) WARN_UNUSED;

#endif
