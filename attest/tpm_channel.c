/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/tpm_channel.c - the host's TLS key in its TPM: made, certified by the AK, used in signed states only */
#include "attest/tpm_channel.h"

#include "attest/channel.h"
#include "attest/tpm_state.h"
#include "common/file.h"
#include "common/pki.h"

#include <string.h>
#include <tss2/tss2_mu.h>

#define KEY_UNIQUE     "holdfast-attest/tls/1"
#define MAX_KEY_BYTES  4096
#define NUMBER_BYTES   32
#define MAX_TRIES      3 /* PID 1 may extend a PCR between our looking and our signing */

/* ---- who signs states -------------------------------------------------------------------------------------------- */

void tpm_channel_policy_free(struct tpm_channel_policy *p)
{
	buf_free(&p->signer);
}

static int load_signer(const char *path, struct tpm_channel_policy *ret, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_pkey EVP_PKEY *key = NULL;
	int rc = file_read(path, MAX_KEY_BYTES, &text, e);

	if (rc)
		return rc;
	rc = pcr_policy_key_parse(text.data, text.len, path, &key, e);
	rc = rc ? rc : pcr_policy_public(key, &ret->signer, e);
	return rc ? rc : pcr_policy_authorize(key, PCR_POLICY_CHANNEL, ret->authorized, e);
}

int tpm_channel_policy_load(const char *key, const char *states, struct tpm_channel_policy *ret, struct err *e)
{
	cleanup_tpm_channel_policy struct tpm_channel_policy p = {0};
	cleanup_buf struct buf text = BUF_INIT;
	int rc = load_signer(key, &p, e);

	if (!rc)
		rc = file_read(states, PCR_POLICY_MAX_BYTES, &text, e);
	if (!rc)
		rc = pcr_policy_parse(text.data, text.len, states, PCR_POLICY_CHANNEL, &p.states, e);
	if (rc)
		return rc;
	*ret = p;
	p = (struct tpm_channel_policy){0}; /* the caller's now */
	return 0;
}

/* ---- the key ----------------------------------------------------------------------------------------------------- */

static int need_key(struct attest_tpm *t, const struct tpm_channel_policy *p, struct err *e)
{
	TPM2B_PUBLIC template = {
		.publicArea = {
			.type = TPM2_ALG_ECC,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = CHANNEL_KEY_ATTRIBUTES,
			.authPolicy = {.size = HASH_SHA256_BYTES},
			.parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_NULL},
						 .scheme = {.scheme = TPM2_ALG_ECDSA,
							    .details = {.ecdsa = {.hashAlg = TPM2_ALG_SHA256}}},
						 .curveID = TPM2_ECC_NIST_P256,
						 .kdf = {.scheme = TPM2_ALG_NULL}},
			.unique.ecc = {.x = {.size = sizeof(KEY_UNIQUE) - 1, .buffer = KEY_UNIQUE}},
		}};
	const TPM2B_DIGEST *has = &t->channel_public.publicArea.authPolicy;
	int rc;

	if (!hash_equal(has->buffer, has->size, p->authorized, HASH_SHA256_BYTES)) { /* another owner's, or none */
		attest_tpm_flush(t, t->channel);
		t->channel = ESYS_TR_NONE;
		t->has_ticket = false;
	}
	if (t->channel != ESYS_TR_NONE)
		return 0;
	memcpy(template.publicArea.authPolicy.buffer, p->authorized, HASH_SHA256_BYTES);
	rc = attest_tpm_primary(t, &template, ESYS_TR_PASSWORD, &t->channel, &t->channel_public, e);
	return rc ? err_context(e, "cannot make the TLS key") : 0;
}

int attest_tpm_channel_proof(struct attest_tpm *t, const struct tpm_channel_policy *p, struct buf *ret, struct err *e)
{
	const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_RSASSA, .details = {.rsassa = {TPM2_ALG_SHA256}}};
	cleanup_buf struct buf public = BUF_INIT, signature = BUF_INIT;
	TPM2B_DATA extra = {.size = HASH_SHA256_BYTES};
	cleanup_tss TPM2B_ATTEST *certify = NULL;
	cleanup_tss TPMT_SIGNATURE *by_ak = NULL;
	int rc = need_key(t, p, e);
	TSS2_RC r;

	if (rc)
		return rc;
	channel_extra(extra.buffer);
	r = Esys_Certify(t->esys, t->channel, t->ak, ESYS_TR_PASSWORD, ESYS_TR_PASSWORD, ESYS_TR_NONE, &extra, &scheme, &certify,
			 &by_ak);
	if (r != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_Certify", r);
	if ((rc = attest_tpm_put_public(&t->channel_public, &public, e)) ||
	    (rc = attest_tpm_put_signature(by_ak, &signature, e)))
		return rc;
	return channel_encode((struct bytes){public.data, public.len},
			      (struct bytes){certify->attestationData, certify->size},
			      (struct bytes){signature.data, signature.len}, ret, e);
}

/* ---- its use ----------------------------------------------------------------------------------------------------- */

/* Show the session the PCRs of @one; *@ret: do they give its policy? */
static int show_pcrs(struct attest_tpm *t, ESYS_TR session, const struct pcr_policy *one, bool *ret, struct err *e)
{
	const TPML_PCR_SELECTION pcrs = {
		.count = 1,
		.pcrSelections = {{.hash = TPM2_ALG_SHA256,
				   .sizeofSelect = 3,
				   .pcrSelect = {one->pcrs & 0xff, one->pcrs >> 8 & 0xff, one->pcrs >> 16 & 0xff}}}};
	const TPM2B_DIGEST as_they_are = {0};
	cleanup_tss TPM2B_DIGEST *digest = NULL;
	TSS2_RC r = Esys_PolicyRestart(t->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE);

	if (r == TSS2_RC_SUCCESS)
		r = Esys_PolicyPCR(t->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &as_they_are, &pcrs);
	if (r == TSS2_RC_SUCCESS)
		r = Esys_PolicyGetDigest(t->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest);
	if (r != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_PolicyPCR", r);
	*ret = hash_equal(digest->buffer, digest->size, one->digest, sizeof(one->digest));
	return 0;
}

/*
 * Let the TPM check the owner's signature over the policy of @one: the ticket says that it did, the Name by whom. A TPM holds three
 * transient objects and the kernel's resource manager no more: EK, AK, and the TLS key, which makes room here and is made again.
 * So a ticket is kept, as long as the TPM's state is the same.
 */
static int check_signature(struct attest_tpm *t, const struct tpm_channel_policy *p, const struct pcr_policy *one, struct err *e)
{
	TPMT_SIGNATURE signature = {.sigAlg = TPM2_ALG_RSASSA,
				    .signature.rsassa = {.hash = TPM2_ALG_SHA256,
							 .sig.size = (uint16_t)one->signature_bytes}};
	uint8_t text[HASH_SHA256_BYTES + sizeof(PCR_POLICY_CHANNEL) - 1];
	TPM2B_DIGEST digest = {.size = HASH_SHA256_BYTES};
	cleanup_tss TPMT_TK_VERIFIED *ticket = NULL;
	cleanup_tss TPM2B_NAME *signer = NULL;
	TPM2B_PUBLIC public = {0};
	ESYS_TR key = ESYS_TR_NONE;
	size_t at = 0;
	TSS2_RC r = Tss2_MU_TPM2B_PUBLIC_Unmarshal(p->signer.data, p->signer.len, &at, &public);

	attest_tpm_flush(t, t->channel);
	t->channel = ESYS_TR_NONE;
	memcpy(text, one->digest, HASH_SHA256_BYTES);
	memcpy(text + HASH_SHA256_BYTES, PCR_POLICY_CHANNEL, sizeof(PCR_POLICY_CHANNEL) - 1);
	hash_sha256(text, sizeof(text), digest.buffer);
	memcpy(signature.signature.rsassa.sig.buffer, one->signature, one->signature_bytes);
	/* In the owner's hierarchy: a ticket of the null hierarchy is good for nothing. */
	if (r == TSS2_RC_SUCCESS)
		r = Esys_LoadExternal(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, &public, ESYS_TR_RH_OWNER, &key);
	if (r != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_LoadExternal (PCR key)", r);
	r = Esys_VerifySignature(t->esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &signature, &ticket);
	if (r == TSS2_RC_SUCCESS)
		r = Esys_TR_GetName(t->esys, key, &signer);
	attest_tpm_flush(t, key);
	if (r != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_VerifySignature (by the PCR key, over a state)", r);
	t->ticket = *ticket;
	t->ticket_signer = *signer;
	memcpy(t->ticket_policy, one->digest, HASH_SHA256_BYTES);
	t->has_ticket = true;
	return 0;
}

/* Bring @session to where the key opens. -EACCES: no signed state is this one. */
static int authorize(struct attest_tpm *t, const struct tpm_channel_policy *p, ESYS_TR session, struct err *e)
{
	TPM2B_NONCE reference = {.size = sizeof(PCR_POLICY_CHANNEL) - 1, .buffer = PCR_POLICY_CHANNEL};
	TPM2B_DIGEST approved = {.size = HASH_SHA256_BYTES};
	const struct pcr_policy *one = NULL;
	bool found = false;
	TSS2_RC r;
	int rc;

	for (size_t i = 0; !found && i < p->states.n; i++) {
		one = &p->states.v[i];
		rc = show_pcrs(t, session, one, &found, e);
		if (rc)
			return rc;
	}
	if (!found)
		return err_set(e, EACCES, "the TLS key stays closed: the TPM's PCRs are in none of the %zu states that the owner signed",
			       p->states.n);
	if (!t->has_ticket || memcmp(t->ticket_policy, one->digest, HASH_SHA256_BYTES) != 0) {
		rc = check_signature(t, p, one, e);
		if (rc)
			return rc;
	}
	memcpy(approved.buffer, one->digest, HASH_SHA256_BYTES);
	r = Esys_PolicyAuthorize(t->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &approved, &reference,
				 &t->ticket_signer, &t->ticket);
	return r == TSS2_RC_SUCCESS ? 0 : attest_tpm_refused(e, "TPM2_PolicyAuthorize", r);
}

static int put_number(const TPM2B_ECC_PARAMETER *n, uint8_t ret[static NUMBER_BYTES], struct err *e)
{
	if (n->size > NUMBER_BYTES)
		return err_set(e, EIO, "the TPM's signature has a number of %u bytes, wanted at most %d", n->size, NUMBER_BYTES);
	memset(ret, 0, NUMBER_BYTES);
	memcpy(ret + NUMBER_BYTES - n->size, n->buffer, n->size);
	return 0;
}

/* One try. *@ret_changed: a PCR was extended meanwhile. */
static int sign_once(struct attest_tpm *t, const struct tpm_channel_policy *p, const TPM2B_DIGEST *digest,
		     TPMT_SIGNATURE **ret, bool *ret_changed, struct err *e)
{
	static const TPMT_SYM_DEF no_cipher = {.algorithm = TPM2_ALG_NULL};
	const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_ECDSA, .details = {.ecdsa = {TPM2_ALG_SHA256}}};
	const TPMT_TK_HASHCHECK from_outside = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
	ESYS_TR session = ESYS_TR_NONE;
	TSS2_RC r = Esys_StartAuthSession(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
					  TPM2_SE_POLICY, &no_cipher, TPM2_ALG_SHA256, &session);
	int rc;

	*ret_changed = false;
	if (r != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_StartAuthSession (policy)", r);
	rc = authorize(t, p, session, e);
	if (!rc)
		rc = need_key(t, p, e);
	if (!rc) {
		r = Esys_Sign(t->esys, t->channel, session, ESYS_TR_NONE, ESYS_TR_NONE, digest, &scheme, &from_outside, ret);
		*ret_changed = r == TPM2_RC_PCR_CHANGED;
		rc = r == TSS2_RC_SUCCESS ? 0 : attest_tpm_refused(e, "TPM2_Sign (TLS key)", r);
	}
	attest_tpm_flush(t, session);
	return rc;
}

int attest_tpm_channel_sign(struct attest_tpm *t, const struct tpm_channel_policy *p,
			    const uint8_t digest[static HASH_SHA256_BYTES], uint8_t ret_r[static 32], uint8_t ret_s[static 32],
			    struct err *e)
{
	TPM2B_DIGEST in = {.size = HASH_SHA256_BYTES};
	cleanup_tss TPMT_SIGNATURE *signature = NULL;
	bool changed = true;
	int rc = need_key(t, p, e); /* first: it knows whose ticket is at hand */

	if (rc)
		return rc;
	memcpy(in.buffer, digest, HASH_SHA256_BYTES);
	for (int i = 0; changed && i < MAX_TRIES; i++)
		rc = sign_once(t, p, &in, &signature, &changed, e);
	if (rc)
		return rc;
	if (!signature || signature->sigAlg != TPM2_ALG_ECDSA)
		return err_set(e, EIO, "the TPM made no ECDSA signature with the TLS key");
	rc = put_number(&signature->signature.ecdsa.signatureR, ret_r, e);
	return rc ? rc : put_number(&signature->signature.ecdsa.signatureS, ret_s, e);
}
