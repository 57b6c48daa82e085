/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/tpm_channel.h - the host's TLS key in its TPM: made, certified by the AK, used in signed states only
 *
 * Theory of operation
 *   The key is a primary of the endorsement hierarchy by a template of ours, whose policy is PolicyAuthorize of the owner's PCR
 *   key: the same TPM makes the same key for ever, for all images of one owner, and nothing is stored. To sign, a policy
 *   session is shown that PCR 7 and 11 have values now which the owner signed: PolicyPCR, then the signature over the
 *   resulting policy, which the TPM checks, then PolicyAuthorize. Of the signed states in the file the one is taken that
 *   gives the digest which the TPM computes; if there is none the key stays closed, and so it does after `shutdown` was extended,
 *   in an image that the owner did not sign, with Secure Boot off.
 *
 *   Certify needs no policy (adminWithPolicy is not set): it shows that the key is there, and uses it for nothing.
 *
 * Input: hostile (the file of signatures). Spec: TPM 2.0 Library part 3, 18.2 (Certify), 20.1, 20.2 (VerifySignature, Sign),
 *   23.7 (PolicyPCR), 23.16 (PolicyAuthorize); common/pcr_policy.h; attest/channel.h.
 */
#ifndef ATTEST_TPM_CHANNEL_H
#define ATTEST_TPM_CHANNEL_H

#include "attest/tpm.h"
#include "common/pcr_policy.h"

/** struct tpm_channel_policy - who signs states, and which are signed; by tpm_channel_policy_load() */
struct tpm_channel_policy {
	struct buf signer; /* TPM2B_PUBLIC */
	uint8_t authorized[HASH_SHA256_BYTES];
	struct pcr_policies states;
};

/**
 * tpm_channel_policy_load() - read the signer's public key (PEM) and the file of signed states
 *
 * -ENOENT: one of them is not there: this host was not built for such a key. Released with tpm_channel_policy_free().
 */
int tpm_channel_policy_load(const char *key, const char *states, struct tpm_channel_policy *ret, struct err *e) WARN_UNUSED;
void tpm_channel_policy_free(struct tpm_channel_policy *p);
#define cleanup_tpm_channel_policy __attribute__((cleanup(tpm_channel_policy_free)))

/** attest_tpm_channel_proof() - make the key if it is not there, and append its proof (channel_encode()). */
int attest_tpm_channel_proof(struct attest_tpm *t, const struct tpm_channel_policy *p, struct buf *ret,
			     struct err *e) WARN_UNUSED;

/**
 * attest_tpm_channel_sign() - ECDSA over @digest
 *
 * Return: 0; -EACCES: the TPM's state is none that the owner signed; -EIO.
 */
int attest_tpm_channel_sign(struct attest_tpm *t, const struct tpm_channel_policy *p,
			    const uint8_t digest[static HASH_SHA256_BYTES], uint8_t ret_r[static 32], uint8_t ret_s[static 32],
			    struct err *e) WARN_UNUSED;

#endif
