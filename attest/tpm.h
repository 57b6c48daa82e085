/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/tpm.h - the attester's TPM: its endorsement key, its attestation key, activation and quotes
 *
 * Theory of operation
 *   Nothing is stored: the endorsement key (EK) is the TCG's default RSA-2048 template, the attestation key (AK) our
 *   own template, and both are primaries of the endorsement hierarchy, so a TPM makes the same two keys for ever
 *   (until TPM2_ChangeEPS). An AK made so can be told apart from every other key by its public area alone:
 *   restricted, so it signs nothing that the TPM did not make.
 *
 *   The AK has noDA set. Its authorization is the empty string, so there is nothing to guess; but without noDA every
 *   loss of power after a quote counts as a failed guess, and the third one locks the TPM (seen with swtpm: the lockout
 *   counter grows by one for each kill after a quote, maximum 3).
 *
 *   Sessions are salted with the EK and encrypt their first parameter both ways, so that what passes on the bus
 *   between processor and TPM can be neither read nor exchanged unseen.
 *
 * Runs as: root in the guest (/dev/tpmrm0). Spec: TCG EK Credential Profile 2.5, appendix B.3.3 (template L-1);
 * TPM 2.0 Library part 3 sections 12.5 (ActivateCredential), 18.4 (Quote), 24.1 (CreatePrimary).
 */
#ifndef ATTEST_TPM_H
#define ATTEST_TPM_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

struct attest_tpm;
struct bytes;

/* fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, sign: exactly these, no others. */
#define ATTEST_AK_ATTRIBUTES 0x00050472u

/* fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt: template L-1. */
#define ATTEST_EK_ATTRIBUTES 0x000300b2u

/* PCR 0 to 15 of the SHA-256 bank: what every quote covers. */
#define ATTEST_QUOTED_PCRS 0xffffu

#define ATTEST_TPM_DEFAULT "device:/dev/tpmrm0"

/**
 * attest_tpm_open() - load the transport and make both keys
 * @tcti: "NAME" or "NAME:CONFIGURATION" where NAME is device, swtpm or cmd, as tpm2-tools take it
 *
 * Making two RSA keys takes a good part of a second in swtpm and up to a minute in a slow chip.
 * Return: 0; -EIO with the TSS's response code in the sentence, -EINVAL for a bad @tcti, -ENOENT for a missing library.
 */
int attest_tpm_open(const char *tcti, struct attest_tpm **ret, struct err *e) WARN_UNUSED;

/** attest_tpm_free() - flush the keys and close; accepts NULL. */
void attest_tpm_free(struct attest_tpm *t);

CLEANUP_DEFINE(attest_tpm, struct attest_tpm *, attest_tpm_free)
#define cleanup_attest_tpm __attribute__((cleanup(cleanup_attest_tpm_fn)))

/**
 * attest_tpm_identity() - the two public areas (TPM2B_PUBLIC) and the EK certificate as it stands in NV 0x01c00002
 * @ret_ek_certificate: stays empty when the TPM has none
 *
 * All three are appended to. Return: 0 or -EIO.
 */
int attest_tpm_identity(struct attest_tpm *t, struct buf *ret_ek_public, struct buf *ret_ek_certificate,
			struct buf *ret_ak_public, struct err *e) WARN_UNUSED;

/**
 * attest_tpm_activate() - TPM2_ActivateCredential: prove that our AK lives beside our EK
 * @blob:   TPM2B_ID_OBJECT
 * @secret: TPM2B_ENCRYPTED_SECRET
 * @ret_credential: appended: the credential without its length
 *
 * Return: 0, -EINVAL if the two are not of those types, -EIO if the TPM refuses (they were made for another AK or EK).
 */
int attest_tpm_activate(struct attest_tpm *t, const struct bytes *blob, const struct bytes *secret,
			struct buf *ret_credential, struct err *e) WARN_UNUSED;

/**
 * attest_tpm_quote() - TPM2_Quote of PCR 0 to 15, SHA-256 bank, RSASSA with SHA-256
 * @extra: the quote's extraData
 * @ret_attest: appended: TPMS_ATTEST; @ret_signature: appended: TPMT_SIGNATURE
 */
int attest_tpm_quote(struct attest_tpm *t, const uint8_t extra[static HASH_SHA256_BYTES], struct buf *ret_attest,
		     struct buf *ret_signature, struct err *e) WARN_UNUSED;

#endif
