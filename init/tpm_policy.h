/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/tpm_policy.h - policy sessions that satisfy the image owner's signed PCR policies
 *
 * Theory of operation
 *   image-builder/pcrsig.h has the document and the reasons. Here the TPM is asked what PCR policy holds now
 *   (PolicyPCR, PolicyGetDigest); the document's entry with that digest has the signature, which the TPM itself
 *   checks (VerifySignature) and takes for its own (PolicyAuthorize). If no entry has it, this boot is in a state nobody signed for:
 *   another UKI, Secure Boot's keys changed, or `ready` is past.
 *
 * Input: the document is signed entry by entry, and parsed strictly; keys of systemd's that we do not need are let pass.
 * Spec: TPM 2.0 Library part 3, 23.7, 23.16, 20.1; systemd-measure(1).
 */
#ifndef INIT_TPM_POLICY_H
#define INIT_TPM_POLICY_H

#include "init/tpm_session.h"

#define PID1_POLICY_MAX_ENTRIES   32
#define PID1_POLICY_MAX_RSA_BYTES 512
#define PID1_POLICY_PUBLIC_BYTES  (24 + PID1_POLICY_MAX_RSA_BYTES)

/** struct pid1_policy_key - the PCR key as the TPM has it: TPMT_PUBLIC and its name */
struct pid1_policy_key {
	uint8_t public[PID1_POLICY_PUBLIC_BYTES];
	size_t public_bytes;
	uint8_t name[PID1_TPM_NAME_BYTES];
};

/** struct pid1_policy_doc - tpm2-pcr-signature.json, borrowed; @pcrs: only its policies over just these count, 0: all do */
struct pid1_policy_doc {
	const char *text;
	size_t bytes;
	uint32_t pcrs;
};

/** struct pid1_policy_entry - one signed policy: PCRs as a bit mask, digest, signature */
struct pid1_policy_entry {
	uint32_t pcrs;
	uint8_t digest[HASH_SHA256_BYTES];
	uint8_t sig[PID1_POLICY_MAX_RSA_BYTES + 2];
	size_t sig_bytes;
};

/** pid1_policy_key_load() - from PEM. -EINVAL if it is not RSA of 2048 to 4096 bits. */
int pid1_policy_key_load(const char *pem, struct pid1_policy_key *ret, struct err *e) WARN_UNUSED;

/** pid1_policy_digest() - the authPolicy of what obeys that key's signed policies. */
void pid1_policy_digest(const struct pid1_policy_key *k, uint8_t ret[static HASH_SHA256_BYTES]);

/**
 * pid1_policy_find() - the entry of bank sha256 with @digest; with @digest NULL the first (its PCRs are those of all that count,
 * @doc->pcrs or, without them, PCR 11 and perhaps 7)
 *
 * Return: 0; -EPERM if there is none; -EINVAL if the document is malformed.
 */
int pid1_policy_find(const struct pid1_policy_doc *doc, const uint8_t *digest, struct pid1_policy_entry *ret,
		     struct err *e) WARN_UNUSED;

/** pid1_policy_begin() - a salted policy session that satisfies pid1_policy_digest(), for one command. -EPERM: as above. */
int pid1_policy_begin(struct tpm_io *t, const struct pid1_tpm_srk *srk, const struct pid1_policy_key *key,
		      const struct pid1_policy_doc *doc, struct pid1_tpm_session *ret, struct err *e) WARN_UNUSED;

#endif
