/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/pcr_policy.h - PCR values that the builder signed, as a TPM takes them: the policy of a key that only they open
 *
 * Theory of operation
 *   A TPM key whose policy is PolicyAuthorize(signer, reference) is usable in whatever state the signer allows by a
 *   signature, so it outlives updates of the image. The builder knows PCR 7 and PCR 11 of its image before it ever boots; it
 *   signs the policy "PCR 7 and 11 have these values" once for each phase in which the key is wanted. The signatures go
 *   beside the measured parts of the UKI, in its section .pcrsig, which the stub hands to the initramfs and measures nowhere:
 *   nobody has to believe them, the TPM checks them.
 *
 *   PolicyPCR(0000.., selection, values)  -> P            signed: RSASSA, SHA-256, over P || reference
 *   PolicyAuthorize(0000.., signer's Name, reference)     -> the key's authPolicy, the same for all images of one signer
 *
 *   The reference tells what the state is good for. Signatures under an empty one stand in the file's member "sha256", as systemd
 *   has it (systemd-measure, LUKS2 tokens): the phases before `ready`, for what PID 1 keeps in the TPM (init/floor.h). Those under
 *   "holdfast-channel" are for the agent's TLS key (attest/tpm_channel.h), the one under "holdfast-state" for the state volume's key
 *   (init/sealed.h), and none opens what another is for.
 *
 * Input of the parser: hostile. Spec: TPM 2.0 Library part 3, 23.7 (PolicyPCR), 23.16 (PolicyAuthorize); part 1, 16 (Names);
 *   systemd-measure(1) for the file; docs/formats/pcr-signature.md.
 */
#ifndef COMMON_PCR_POLICY_H
#define COMMON_PCR_POLICY_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

#include <openssl/evp.h>

#define PCR_POLICY_PATH                "/run/holdfast/tpm2-pcr-signature.json" /* where PID 1 leaves it */
#define PCR_POLICY_EXTRA               "/.extra/tpm2-pcr-signature.json"       /* where the stub leaves it in the initramfs */
#define PCR_POLICY_KEY                 "/etc/holdfast/pcr-key.pem"             /* the signer's public half, in the root */
#define PCR_POLICY_BOOT                ""                                      /* reference; its member of the file is "sha256" */
#define PCR_POLICY_CHANNEL             "holdfast-channel"                      /* reference, and member of the file */
#define PCR_POLICY_STATE                "holdfast-state"                        /* likewise */
#define PCR_POLICY_MAX_BYTES           8192
#define PCR_POLICY_MAX_ENTRIES         8
#define PCR_POLICY_MAX_SIGNATURE_BYTES 512 /* RSA of up to 4096 bits */

/**
 * struct pcr_policy - one signed state
 * @pcrs:   bit i is PCR i of the SHA-256 bank; 0 to 23
 * @digest: the policy P
 */
struct pcr_policy {
	uint32_t pcrs;
	uint8_t digest[HASH_SHA256_BYTES];
	size_t signature_bytes;
	uint8_t signature[PCR_POLICY_MAX_SIGNATURE_BYTES];
};

/** struct pcr_policies - all states that a file names for one reference */
struct pcr_policies {
	size_t n;
	struct pcr_policy v[PCR_POLICY_MAX_ENTRIES];
};

/**
 * pcr_policy_digest() - the policy P: the PCRs of @pcrs have these values
 * @value: one for each bit of @pcrs, in ascending order; at most 24
 */
void pcr_policy_digest(uint32_t pcrs, const uint8_t (*value)[HASH_SHA256_BYTES], uint8_t ret[static HASH_SHA256_BYTES]);

/** pcr_policy_key_parse() - the signer's public key in PEM; released with EVP_PKEY_free(). -EINVAL: it is none. @name: for messages */
int pcr_policy_key_parse(const void *pem, size_t len, const char *name, EVP_PKEY **ret, struct err *e) WARN_UNUSED;

/** pcr_policy_public() - append the signer's key as the TPM loads it (TPM2B_PUBLIC, systemd's template). -EINVAL: not RSA. */
int pcr_policy_public(EVP_PKEY *key, struct buf *ret, struct err *e) WARN_UNUSED;

/** pcr_policy_authorize() - the authPolicy that @key's signatures under @reference satisfy. */
int pcr_policy_authorize(EVP_PKEY *key, const char *reference, uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/** pcr_policy_sign() - sign @ret->digest under @reference. Deterministic. */
int pcr_policy_sign(EVP_PKEY *key, const char *reference, struct pcr_policy *ret, struct err *e) WARN_UNUSED;

/** pcr_policy_add() - add @p, signed under @reference, to the JSON object @doc as that reference's member; @key is named in each entry. */
int pcr_policy_add(const struct pcr_policies *p, EVP_PKEY *key, const char *reference, struct buf *doc, struct err *e) WARN_UNUSED;

/**
 * pcr_policy_parse() - the entries under @reference; -EINVAL with the rule, or if there are none
 * @name: the file's, for messages
 */
int pcr_policy_parse(const void *text, size_t len, const char *name, const char *reference, struct pcr_policies *ret,
		     struct err *e) WARN_UNUSED;

#endif
