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
	QUOTE_KEY_P256, /* ECDSA with SHA-256; another curve only by quote_ak_from_key() */
};

struct reader;
struct rsassa;

/** quote_take_2b() - a TPM2B of at most @max bytes, without its size; a view. A longer one leaves @r bad. */
struct bytes quote_take_2b(struct reader *r, size_t max);

/* TPM_ALG_ID of the three signature schemes that we verify (TPM 2.0 part 2, 6.3). */
#define QUOTE_RSASSA 0x0014
#define QUOTE_RSAPSS 0x0016
#define QUOTE_ECDSA  0x0018

/** struct quote_scheme - the one scheme that is wanted of a key; @alg 0: RSASSA for RSA, ECDSA for ECC */
struct quote_scheme {
	uint16_t alg;
	enum hash_alg hash;
};

/**
 * struct quote_ak - an attestation key that was held to our mask
 * @type: its type, which pins the signature scheme
 * @scheme, @hash: the one that a signature must have
 * @bits: size of an RSA modulus, or of the curve
 * @name: the TPM's Name of it: 000b then SHA-256 of the TPMT_PUBLIC; zero from quote_ak_from_key()
 * @key:  the public key, owned
 * @rsassa: the key made ready for RSASSA, owned; NULL for another scheme
 * @verify: made ready to verify with another @scheme and @hash, owned; copied for each use
 */
struct quote_ak {
	enum quote_key type;
	uint16_t scheme;
	enum hash_alg hash;
	unsigned bits;
	uint8_t name[QUOTE_NAME_BYTES];
	EVP_PKEY *key;
	struct rsassa *rsassa;
	EVP_PKEY_CTX *verify;
};

/**
 * struct quote - what a TPMS_ATTEST of type quote says
 * @signer: qualified Name of the key; @nonce: extraData; @digest: of the PCRs: views into the parsed buffer
 * @extra, @pcr_digest: the same two by quote_parse(), which wants 32 bytes each
 */
struct quote {
	struct bytes signer;
	struct bytes nonce;
	struct bytes digest;
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

/** quote_ak_dup() - @ret = a copy of @ak that owns its own references; false without memory (@ret then owns nothing). */
bool quote_ak_dup(const struct quote_ak *ak, struct quote_ak *ret);

/** quote_ak_free() - release what @ak owns; accepts a zeroed one. */
void quote_ak_free(struct quote_ak *ak);
#define cleanup_quote_ak __attribute__((cleanup(quote_ak_free)))

/** quote_rsa_is_roca() - does a modulus (big-endian) bear the mark of CVE-2017-15361? */
bool quote_rsa_is_roca(const uint8_t *modulus, size_t len);

/** quote_parse() - a TPMS_ATTEST: a quote over exactly sha256:0-15 with 32 bytes of extraData. -EINVAL with the rule.
 */
int quote_parse(struct bytes attest, struct quote *ret, struct err *e) WARN_UNUSED;

/** struct quote_want - the selection that must have been signed, in its order; @hash: of the PCR digest */
#define QUOTE_MAX_SELECTIONS 5
struct quote_want {
	size_t n;
	struct quote_select {
		enum hash_alg alg;
		uint32_t pcrs; /* bit i is PCR i */
	} select[QUOTE_MAX_SELECTIONS];
	enum hash_alg hash;
};

/** quote_parse_as() - a TPMS_ATTEST: a quote over exactly @want; extraData of any size. -EINVAL with the rule. */
int quote_parse_as(struct bytes attest, const struct quote_want *want, struct quote *ret, struct err *e) WARN_UNUSED;

/**
 * quote_qualified_name() - Name of a key below its parents: H(@parent || @name), nameAlg SHA-256
 * @parent: the parent's qualified Name, or the handle of the hierarchy (4 bytes) for a primary key
 */
void quote_qualified_name(const uint8_t *parent, size_t parent_bytes, const uint8_t name[static QUOTE_NAME_BYTES],
			  uint8_t ret[static QUOTE_NAME_BYTES]);

/**
 * quote_signer_is_endorsed() - does @q name @ak as a primary of the endorsement hierarchy, or as the EK's child?
 * @ek_name: Name of the EK, or NULL
 *
 * The qualified signer is signed: a quote that names another place was made with another key of the same public area,
 * in a hierarchy for which nobody vouched. Spec: TPM 2.0 Library part 1, 16.
 */
bool quote_signer_is_endorsed(const struct quote *q, const struct quote_ak *ak, const uint8_t *ek_name);

/**
 * quote_ak_from_key() - a public key of which no public area is known, held to one scheme
 *
 * Nothing says then that a TPM holds it, or that it is restricted: whoever gives the key vouches for it.
 */
int quote_ak_from_key(EVP_PKEY *key, const struct quote_scheme *scheme, struct quote_ak *ret, struct err *e) WARN_UNUSED;

/**
 * quote_ak_from_spki() - quote_ak_from_key() of a DER SubjectPublicKeyInfo
 *
 * Read by our own bounded reader: OpenSSL's decoders cost more than all else that checking one quote does.
 */
int quote_ak_from_spki(struct bytes der, const struct quote_scheme *scheme, struct quote_ak *ret, struct err *e) WARN_UNUSED;

/** quote_scheme_parse() - "rsassa", "rsapss", "ecdsa", each with ":sha384" or ":sha512" behind it if not SHA-256. */
bool quote_scheme_parse(const char *text, struct quote_scheme *ret);

/** quote_scheme_str() - the name of a scheme; "unknown" else. */
const char *quote_scheme_str(uint16_t alg);

/**
 * quote_verify() - is @signature (TPMT_SIGNATURE) @ak's signature of exactly the bytes @attest?
 *
 * Return: 0 good, -EBADMSG checked and bad, other -errno could not check.
 */
int quote_verify(const struct quote_ak *ak, struct bytes attest, struct bytes signature, struct err *e) WARN_UNUSED;

#endif
