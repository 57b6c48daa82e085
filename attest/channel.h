/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/channel.h - the proof that a TLS key lives in the TPM of a known AK and is good in signed states only
 *
 * Theory of operation
 *   Evidence is bound to the key of the channel it came over (evidence_channel_binding()). That says who speaks now; whether
 *   the channel still ends in the same machine, in a state that somebody wants, when the next bytes come, it does not say. So
 *   the key itself is held to it: it was made in the TPM, cannot leave it, and its policy is PolicyAuthorize of the owner's PCR
 *   key: the TPM signs a handshake with it only while PCR 7 and 11 have values which the builder has signed
 *   (common/pcr_policy.h). Its certificate carries the proof, in an extension of its own:
 *
 *     {"v":1, "public": TPM2B_PUBLIC, "certify": TPMS_ATTEST of TPM2_Certify, "signature": TPMT_SIGNATURE by the AK}
 *
 *   The verifier takes the proof for what the AK of this very host signed, the public area for what the proof names, and the
 *   TLS key for the point in the public area: whoever shows the proof of another host, or another key beside it, is refused.
 *   The proof has no nonce: what it says of a key stays true, and holding the key is what the handshake proves.
 *
 * Input: hostile. Spec: TPM 2.0 Library part 2, 10.12.3 (TPMS_CERTIFY_INFO), 12.2.4 (public areas), 8.3 (attributes);
 *   part 3, 18.2 (Certify); docs/formats/evidence.md "TLS key".
 */
#ifndef ATTEST_CHANNEL_H
#define ATTEST_CHANNEL_H

#include "attest/quote.h"

#include <openssl/x509.h>

#define CHANNEL_MAX_PROOF_BYTES 2048
#define CHANNEL_POINT_BYTES     65 /* 04, X, Y */

/* fixedTPM, fixedParent, sensitiveDataOrigin, noDA, sign: exactly these. Not userWithAuth: the policy alone opens it. */
#define CHANNEL_KEY_ATTRIBUTES 0x00040432u

/**
 * struct channel_shown - what a peer's certificate shows; zero it, release with channel_shown_free()
 * @key:   SHA-256 of its SubjectPublicKeyInfo, as the handshake proved it
 * @proof: the extension's bytes; empty if there is none
 * @proven_ak, @proven_policy: what the proof was found good for, so that a kept connection is checked once
 */
struct channel_shown {
	uint8_t key[HASH_SHA256_BYTES];
	struct buf proof;
	bool proven;
	uint8_t proven_ak[QUOTE_NAME_BYTES];
	uint8_t proven_policy[HASH_SHA256_BYTES];
};

void channel_shown_free(struct channel_shown *c);
#define cleanup_channel_shown __attribute__((cleanup(channel_shown_free)))

/** channel_shown_load() - from a certificate. -EINVAL: its extension is not one octet string within the bound. */
int channel_shown_load(X509 *cert, struct channel_shown *ret, struct err *e) WARN_UNUSED;

/** channel_shown_read() - from the file of a certificate, as `fetch --channel-cert` keeps it. */
int channel_shown_read(const char *path, struct channel_shown *ret, struct err *e) WARN_UNUSED;

/** struct channel_proof - a parsed proof; views */
struct channel_proof {
	struct bytes certify, signature;
	uint8_t name[QUOTE_NAME_BYTES];
	uint8_t policy[HASH_SHA256_BYTES];
	uint8_t point[CHANNEL_POINT_BYTES];
	struct quote signer; /* only what all attestations have */
};

/** channel_encode() - append a proof. channel_parse() - strict, structure and template; -EINVAL with the rule. */
int channel_encode(struct bytes public, struct bytes certify, struct bytes signature, struct buf *ret, struct err *e) WARN_UNUSED;
int channel_parse(struct bytes proof, struct channel_proof *ret, struct err *e) WARN_UNUSED;

/** channel_key_digest() - SHA-256 of the SubjectPublicKeyInfo of a point, as certificates carry it. */
void channel_key_digest(const uint8_t point[static CHANNEL_POINT_BYTES], uint8_t ret[static HASH_SHA256_BYTES]);

/** channel_extra() - the extraData of a proof's TPM2_Certify: a constant, so that no other use of the AK looks like one. */
void channel_extra(uint8_t ret[static HASH_SHA256_BYTES]);

/** channel_add_proof() - put the extension into a certificate in the making. */
int channel_add_proof(X509 *cert, struct bytes proof, struct err *e) WARN_UNUSED;

/** struct channel_want - @ek_public: TPM2B_PUBLIC, for hosts whose AK is a child of their EK; empty else */
struct channel_want {
	const struct quote_ak *ak;
	struct bytes ek_public;
	const uint8_t *policy; /* HASH_SHA256_BYTES */
};

/**
 * channel_check() - is @shown a key in the TPM of @want->ak, with that policy?
 *
 * Return: 0 (and kept in @shown); -EBADMSG or -EINVAL checked and bad; another -errno could not check.
 */
int channel_check(struct channel_shown *shown, const struct channel_want *want, struct err *e) WARN_UNUSED;

#endif
