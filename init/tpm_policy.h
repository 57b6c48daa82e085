/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/tpm_policy.h - policy sessions that satisfy the image owner's signed PCR policies
 *
 * Theory of operation
 *   image-builder/pcrsig.h has the reasons, common/pcr_policy.h the document. Here the TPM is asked what PCR policy holds now
 *   (PolicyPCR, PolicyGetDigest); the entry with that digest has the signature, which the TPM itself
 *   checks (VerifySignature) and takes for its own (PolicyAuthorize). If no entry has it, this boot is in a state nobody signed for:
 *   another UKI, Secure Boot's keys changed, or `ready` is past.
 *
 * Spec: TPM 2.0 Library part 3, 23.7, 23.16, 20.1.
 */
#ifndef INIT_TPM_POLICY_H
#define INIT_TPM_POLICY_H

#include "common/pcr_policy.h"
#include "init/tpm_session.h"

#define PID1_POLICY_PUBLIC_BYTES (24 + PCR_POLICY_MAX_SIGNATURE_BYTES)

/**
 * struct pid1_policy_key - the PCR key as the TPM has it: TPMT_PUBLIC, its name, and the authPolicy of what obeys its
 * signed policies under @reference (common/pcr_policy.h)
 */
struct pid1_policy_key {
	const char *reference;
	uint8_t public[PID1_POLICY_PUBLIC_BYTES];
	size_t public_bytes;
	uint8_t name[PID1_TPM_NAME_BYTES];
	uint8_t authorized[HASH_SHA256_BYTES];
};

/** pid1_policy_key_load() - from PEM. -EINVAL: see pcr_policy_public(). @name: for messages */
int pid1_policy_key_load(const void *pem, size_t len, const char *name, const char *reference, struct pid1_policy_key *ret,
			 struct err *e) WARN_UNUSED;

/**
 * pid1_policy_begin() - a salted policy session that satisfies @key->authorized, for one command
 * @signed_states: under its reference, at least one; all of the first one's PCRs
 *
 * Return: 0; -EPERM: none of them is the TPM's state now; other -errno.
 */
int pid1_policy_begin(struct tpm_io *t, const struct pid1_tpm_srk *srk, const struct pid1_policy_key *key,
		      const struct pcr_policies *signed_states, struct pid1_tpm_session *ret, struct err *e) WARN_UNUSED;

#endif
