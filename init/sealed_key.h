/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sealed_key.h - the state volume's key in the TPM: sealed once, unsealed in each boot
 *
 * Theory of operation: init/sealed.h. Create, Load and Unseal go through salted sessions; the key is encrypted on its way
 * in both directions.
 *
 * Runs as: holdfast-state. Input: the blob, hostile; the TPM's answers, hostile.
 */
#ifndef INIT_SEALED_KEY_H
#define INIT_SEALED_KEY_H

#include "init/floor.h"
#include "init/sealed.h"
#include "init/sealed_token.h"

/**
 * struct pid1_sealed_tpm - the TPM, and who may unseal; wipe @secret when done
 * @floor:  TPM, and what opens the machine's secret (@floor.mark is not looked at)
 * @key, @states: PCR key and signed policies under PCR_POLICY_STATE
 * @secret: what follows from the machine's secret for the state volume
 */
struct pid1_sealed_tpm {
	struct pid1_floor_params floor;
	const struct pid1_policy_key *key;
	const struct pcr_policies *states;
	struct pid1_tpm_srk srk;
	uint8_t secret[HASH_SHA256_BYTES];
};

/**
 * pid1_sealed_tpm_open() - read SRK and secret
 * @t: floor, key and states set
 *
 * Return: 0; -EPERM: no signed policy is for the PCRs as they are; -ENOENT: no secret in this TPM; other -errno.
 */
int pid1_sealed_tpm_open(struct pid1_sealed_tpm *t, struct err *e) WARN_UNUSED;

/** pid1_sealed_mac() - HMAC-SHA256 of @n bytes under what follows from the machine's secret for @label */
int pid1_sealed_mac(const struct pid1_sealed_tpm *t, const char *label, const void *data, size_t n,
		    uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/** pid1_sealed_seal() - @key for the volume @uuid; fills blob, policy and PCRs of @ret */
int pid1_sealed_seal(struct pid1_sealed_tpm *t, const char *uuid, const uint8_t key[static PID1_SEALED_KEY_BYTES],
		     struct pid1_sealed_token *ret, struct err *e) WARN_UNUSED;

/**
 * pid1_sealed_unseal() - the key of the volume @uuid
 *
 * Return: 0; -EPERM: the TPM does not obey this boot, or never did (another TPM, another owner's policy); -EBADMSG: the object is not one
 * that this machine made for @uuid; -EPROTO and other -errno: the TPM could not be asked.
 */
int pid1_sealed_unseal(struct pid1_sealed_tpm *t, const char *uuid, const struct pid1_sealed_token *token,
		       uint8_t ret[static PID1_SEALED_KEY_BYTES], struct err *e) WARN_UNUSED;

#endif
