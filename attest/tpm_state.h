/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/tpm_state.h - one open TPM, for the files of attest/tpm*.c alone
 */
#ifndef ATTEST_TPM_STATE_H
#define ATTEST_TPM_STATE_H

#include "attest/tpm.h"

#include <stdbool.h>
#include <tss2/tss2_esys.h>

/**
 * struct attest_tpm - one open TPM
 * @library: the transport's shared object
 * @ek, @ak, @channel: transient primaries; ESYS_TR_NONE until made
 * @ticket: of @ticket_signer's signature over @ticket_policy, for attest/tpm_channel.c
 */
struct attest_tpm {
	void *library;
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR ek;
	ESYS_TR ak;
	ESYS_TR channel;
	TPM2B_PUBLIC ek_public;
	TPM2B_PUBLIC ak_public;
	TPM2B_PUBLIC channel_public;
	bool has_ticket;
	TPMT_TK_VERIFIED ticket;
	TPM2B_NAME ticket_signer;
	uint8_t ticket_policy[HASH_SHA256_BYTES];
};

static inline void cleanup_tss_fn(void *p)
{
	Esys_Free(*(void **)p);
}
#define cleanup_tss __attribute__((cleanup(cleanup_tss_fn)))

/** attest_tpm_refused() - "<command>: the TPM answers with ...". Return: -EIO. */
int attest_tpm_refused(struct err *e, const char *command, TSS2_RC rc);

/** attest_tpm_primary() - a primary of the endorsement hierarchy by a template. */
int attest_tpm_primary(struct attest_tpm *t, const TPM2B_PUBLIC *template, ESYS_TR session, ESYS_TR *ret,
		       TPM2B_PUBLIC *ret_public, struct err *e) WARN_UNUSED;

/** attest_tpm_flush() - forget a session or a transient key; ESYS_TR_NONE is none. */
void attest_tpm_flush(struct attest_tpm *t, ESYS_TR handle);

/** attest_tpm_put_public(), attest_tpm_put_signature() - append as bytes. */
int attest_tpm_put_public(const TPM2B_PUBLIC *public, struct buf *out, struct err *e) WARN_UNUSED;
int attest_tpm_put_signature(const TPMT_SIGNATURE *signature, struct buf *out, struct err *e) WARN_UNUSED;

#endif
