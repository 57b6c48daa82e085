/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/tpm.c - the attester's TPM: its endorsement key, its attestation key, activation and quotes */
#include "attest/tpm.h"

#include "attest/evidence.h"
#include "attest/tpm_state.h"
#include "common/cleanup.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tcti.h>

#define EK_CERTIFICATE_NV        0x01c00002u /* TCG EK Credential Profile 2.5 section 2.2.1.4: RSA-2048, low range */
#define EK_CERTIFICATE_MAX_BYTES 8192
#define NV_PIECE_BYTES           512 /* every TPM reads at least that much at once */
#define AK_UNIQUE                "holdfast-attest/ak/1"

int attest_tpm_refused(struct err *e, const char *command, TSS2_RC rc)
{
	return err_set(e, EIO, "%s: %s 0x%08x", command,
		       rc & TSS2_RC_LAYER_MASK ? "the TSS answers with" : "the TPM answers with response code", rc);
}

/* ---- transport -------------------------------------------------------------------------------------------------- */

/*
 * The transport is loaded by name, as libtss2-tctildr does, so that a guest carries libtss2-tcti-device alone. Only
 * names listed here are loaded: @tcti comes from a command line, but no file name is ever made of it.
 */
static int open_library(const char *tcti, void **ret, const char **ret_conf, struct err *e)
{
	static const struct {
		const char *name;
		const char *file;
	} known[] = {{"device", "libtss2-tcti-device.so.0"},
		     {"swtpm", "libtss2-tcti-swtpm.so.0"},
		     {"cmd", "libtss2-tcti-cmd.so.0"}};
	const char *colon = strchr(tcti, ':');
	size_t len = colon ? (size_t)(colon - tcti) : strlen(tcti);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strlen(known[i].name) != len || strncmp(known[i].name, tcti, len) != 0)
			continue;
		*ret = dlopen(known[i].file, RTLD_NOW | RTLD_LOCAL);
		if (!*ret)
			return err_set(e, ENOENT, "TPM transport \"%s\": %s", tcti, dlerror());
		*ret_conf = colon && colon[1] ? colon + 1 : NULL;
		return 0;
	}
	return err_set(e, EINVAL, "TPM transport \"%s\" is not one of device, swtpm, cmd (with :CONFIGURATION)", tcti);
}

static int open_transport(struct attest_tpm *t, const char *tcti, struct err *e)
{
	TSS2_TCTI_INFO_FUNC info;
	const char *conf = NULL;
	size_t size = 0;
	TSS2_RC rc;
	int r = open_library(tcti, &t->library, &conf, e);

	if (r < 0)
		return r;
	*(void **)&info = dlsym(t->library, TSS2_TCTI_INFO_SYMBOL); /* POSIX' way to get a function out of dlsym() */
	if (!info)
		return err_set(e, ENOENT, "TPM transport \"%s\" has no %s", tcti, TSS2_TCTI_INFO_SYMBOL);
	rc = info()->init(NULL, &size, conf);
	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, tcti, rc);
	t->tcti = calloc(1, size);
	if (!t->tcti)
		return err_set(e, ENOMEM, "no memory for the TPM transport");
	rc = info()->init(t->tcti, &size, conf);
	if (rc != TSS2_RC_SUCCESS) {
		free(take_ptr(t->tcti)); /* not initialised: nothing to finalize */
		(void)attest_tpm_refused(e, tcti, rc);
		return err_context(e, "cannot open the TPM");
	}
	rc = Esys_Initialize(&t->esys, t->tcti, NULL);
	return rc == TSS2_RC_SUCCESS ? 0 : attest_tpm_refused(e, "Esys_Initialize", rc);
}

/* ---- sessions --------------------------------------------------------------------------------------------------- */

static const TPMT_SYM_DEF aes_cfb = {.algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};

void attest_tpm_flush(struct attest_tpm *t, ESYS_TR handle)
{
	if (handle != ESYS_TR_NONE)
		(void)Esys_FlushContext(t->esys, handle); /* a transport that is gone took it along */
}

/* An HMAC session salted with the EK that encrypts the first parameter of command and response. */
static int session_begin(struct attest_tpm *t, ESYS_TR *ret, struct err *e)
{
	const TPMA_SESSION attributes = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION;
	ESYS_TR session = ESYS_TR_NONE;
	TSS2_RC rc = Esys_StartAuthSession(t->esys, t->ek, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
					   TPM2_SE_HMAC, &aes_cfb, TPM2_ALG_SHA256, &session);

	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_StartAuthSession (HMAC)", rc);
	rc = Esys_TRSess_SetAttributes(t->esys, session, attributes, 0xff);
	if (rc != TSS2_RC_SUCCESS) {
		attest_tpm_flush(t, session);
		return attest_tpm_refused(e, "session attributes", rc);
	}
	*ret = session;
	return 0;
}

/* A policy session that satisfies template L-1: PolicySecret of the endorsement hierarchy, shown by @hmac. */
static int policy_begin(struct attest_tpm *t, ESYS_TR hmac, ESYS_TR *ret, struct err *e)
{
	ESYS_TR session = ESYS_TR_NONE;
	TSS2_RC rc = Esys_StartAuthSession(t->esys, t->ek, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
					   TPM2_SE_POLICY, &aes_cfb, TPM2_ALG_SHA256, &session);

	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_StartAuthSession (policy)", rc);
	rc = Esys_PolicySecret(t->esys, ESYS_TR_RH_ENDORSEMENT, session, hmac, ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL,
			       NULL, 0, NULL, NULL);
	if (rc != TSS2_RC_SUCCESS) {
		attest_tpm_flush(t, session);
		return attest_tpm_refused(e, "TPM2_PolicySecret (endorsement hierarchy)", rc);
	}
	*ret = session;
	return 0;
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

/* PolicySecret(TPM_RH_ENDORSEMENT), "PolicyA" of the EK Credential Profile, table 6. */
#define EK_POLICY_SHA256                                                                                               \
	{                                                                                                              \
		0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd,  \
			0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa       \
	}

static const TPM2B_PUBLIC ek_template = {
	.publicArea =
		{
			.type = TPM2_ALG_RSA,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = ATTEST_EK_ATTRIBUTES,
			.authPolicy = {.size = 32, .buffer = EK_POLICY_SHA256},
			.parameters.rsaDetail =
				{
					.symmetric = {.algorithm = TPM2_ALG_AES,
						      .keyBits = {.aes = 128},
						      .mode = {.aes = TPM2_ALG_CFB}},
					.scheme = {.scheme = TPM2_ALG_NULL},
					.keyBits = 2048,
				},
			.unique.rsa = {.size = 256}, /* zeros */
		},
};

static const TPM2B_PUBLIC ak_template = {
	.publicArea =
		{
			.type = TPM2_ALG_RSA,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = ATTEST_AK_ATTRIBUTES,
			.parameters.rsaDetail =
				{
					.symmetric = {.algorithm = TPM2_ALG_NULL},
					.scheme = {.scheme = TPM2_ALG_RSASSA,
						   .details = {.rsassa = {.hashAlg = TPM2_ALG_SHA256}}},
					.keyBits = 2048,
				},
			.unique.rsa = {.size = sizeof(AK_UNIQUE) - 1, .buffer = AK_UNIQUE},
		},
};

int attest_tpm_primary(struct attest_tpm *t, const TPM2B_PUBLIC *template, ESYS_TR session, ESYS_TR *ret,
		       TPM2B_PUBLIC *ret_public, struct err *e)
{
	const TPM2B_SENSITIVE_CREATE sensitive = {0};
	const TPM2B_DATA outside = {0};
	const TPML_PCR_SELECTION no_pcrs = {0};
	cleanup_tss TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc = Esys_CreatePrimary(t->esys, ESYS_TR_RH_ENDORSEMENT, session, ESYS_TR_NONE, ESYS_TR_NONE,
					&sensitive, template, &outside, &no_pcrs, ret, &public, NULL, NULL, NULL);

	if (rc != TSS2_RC_SUCCESS) {
		*ret = ESYS_TR_NONE;
		return attest_tpm_refused(e, "TPM2_CreatePrimary", rc);
	}
	*ret_public = *public;
	return 0;
}

static int make_keys(struct attest_tpm *t, struct err *e)
{
	ESYS_TR session;
	int r = attest_tpm_primary(t, &ek_template, ESYS_TR_PASSWORD, &t->ek, &t->ek_public, e);

	if (r < 0)
		return err_context(e, "cannot make the endorsement key");
	r = session_begin(t, &session, e);
	if (r < 0)
		return r;
	r = attest_tpm_primary(t, &ak_template, session, &t->ak, &t->ak_public, e);
	attest_tpm_flush(t, session);
	return r < 0 ? err_context(e, "cannot make the attestation key") : 0;
}

int attest_tpm_open(const char *tcti, struct attest_tpm **ret, struct err *e)
{
	cleanup_attest_tpm struct attest_tpm *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_set(e, ENOMEM, "no memory for the TPM");
	t->ek = ESYS_TR_NONE;
	t->ak = ESYS_TR_NONE;
	t->channel = ESYS_TR_NONE;
	r = open_transport(t, tcti, e);
	if (r < 0)
		return r;
	r = make_keys(t, e);
	if (r < 0)
		return r;
	*ret = take_ptr(t);
	return 0;
}

void attest_tpm_free(struct attest_tpm *t)
{
	if (!t)
		return;
	attest_tpm_flush(t, t->channel);
	attest_tpm_flush(t, t->ak);
	attest_tpm_flush(t, t->ek);
	if (t->esys)
		Esys_Finalize(&t->esys);
	if (t->tcti) {
		TSS2_TCTI_FINALIZE(t->tcti)(t->tcti);
		free(t->tcti);
	}
	if (t->library)
		(void)dlclose(t->library); /* nothing of it is in use */
	free(t);
}

/* ---- identity --------------------------------------------------------------------------------------------------- */

int attest_tpm_put_public(const TPM2B_PUBLIC *public, struct buf *out, struct err *e)
{
	uint8_t bytes[sizeof(*public)];
	size_t n = 0;
	TSS2_RC rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, bytes, sizeof(bytes), &n);

	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2B_PUBLIC", rc);
	buf_put(out, bytes, n);
	return out->bad ? err_set(e, ENOMEM, "no memory for a public area") : 0;
}

/* Whether the index is there: asked for first, since reading a missing one looks like any other failure. */
static int has_certificate(struct attest_tpm *t, bool *ret, struct err *e)
{
	cleanup_tss TPMS_CAPABILITY_DATA *data = NULL;
	TPMI_YES_NO more;
	TSS2_RC rc = Esys_GetCapability(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
					EK_CERTIFICATE_NV, 1, &more, &data);

	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_GetCapability (NV indices)", rc);
	*ret = data->data.handles.count == 1 && data->data.handles.handle[0] == EK_CERTIFICATE_NV;
	return 0;
}

static int read_nv(struct attest_tpm *t, ESYS_TR nv, struct buf *out, struct err *e)
{
	cleanup_tss TPM2B_NV_PUBLIC *public = NULL;
	TSS2_RC rc = Esys_NV_ReadPublic(t->esys, nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public, NULL);
	uint16_t size;

	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_NV_ReadPublic", rc);
	size = public->nvPublic.dataSize;
	if (size > EK_CERTIFICATE_MAX_BYTES)
		return err_set(e, EFBIG, "the EK certificate's NV index has %u bytes, at most %d are accepted", size,
			       EK_CERTIFICATE_MAX_BYTES);
	for (uint16_t at = 0; at < size;) {
		uint16_t want = size - at < NV_PIECE_BYTES ? size - at : NV_PIECE_BYTES;
		cleanup_tss TPM2B_MAX_NV_BUFFER *piece = NULL;

		rc = Esys_NV_Read(t->esys, nv, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, want, at, &piece);
		if (rc != TSS2_RC_SUCCESS)
			return attest_tpm_refused(e, "TPM2_NV_Read", rc);
		if (piece->size != want)
			return err_set(e, EIO, "TPM2_NV_Read gave %u bytes, wanted %u", piece->size, want);
		buf_put(out, piece->buffer, piece->size);
		at += want;
	}
	return out->bad ? err_set(e, ENOMEM, "no memory for the EK certificate") : 0;
}

static int put_certificate(struct attest_tpm *t, struct buf *out, struct err *e)
{
	ESYS_TR nv = ESYS_TR_NONE;
	bool there = false;
	TSS2_RC rc;
	int r = has_certificate(t, &there, e);

	if (r < 0 || !there)
		return r;
	rc = Esys_TR_FromTPMPublic(t->esys, EK_CERTIFICATE_NV, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv);
	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "EK certificate's NV index", rc);
	r = read_nv(t, nv, out, e);
	(void)Esys_TR_Close(t->esys, &nv); /* frees our note of it, nothing in the TPM */
	return r < 0 ? err_context(e, "cannot read the EK certificate") : 0;
}

int attest_tpm_identity(struct attest_tpm *t, struct buf *ret_ek_public, struct buf *ret_ek_certificate,
			struct buf *ret_ak_public, struct err *e)
{
	int r = attest_tpm_put_public(&t->ek_public, ret_ek_public, e);

	if (r < 0)
		return r;
	r = attest_tpm_put_public(&t->ak_public, ret_ak_public, e);
	if (r < 0)
		return r;
	return put_certificate(t, ret_ek_certificate, e);
}

/* ---- activation and quote --------------------------------------------------------------------------------------- */

static int parse_challenge(const struct bytes *blob, const struct bytes *secret, TPM2B_ID_OBJECT *ret_blob,
			   TPM2B_ENCRYPTED_SECRET *ret_secret, struct err *e)
{
	size_t at = 0;

	if (Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(blob->p, blob->n, &at, ret_blob) != TSS2_RC_SUCCESS || at != blob->n)
		return err_set(e, EINVAL, "the blob is not one TPM2B_ID_OBJECT");
	at = 0;
	if (Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(secret->p, secret->n, &at, ret_secret) != TSS2_RC_SUCCESS ||
	    at != secret->n)
		return err_set(e, EINVAL, "the secret is not one TPM2B_ENCRYPTED_SECRET");
	return 0;
}

int attest_tpm_activate(struct attest_tpm *t, const struct bytes *blob, const struct bytes *secret,
			struct buf *ret_credential, struct err *e)
{
	TPM2B_ID_OBJECT id = {0};
	TPM2B_ENCRYPTED_SECRET seed = {0};
	cleanup_tss TPM2B_DIGEST *credential = NULL;
	ESYS_TR hmac = ESYS_TR_NONE, policy = ESYS_TR_NONE;
	TSS2_RC rc;
	int r = parse_challenge(blob, secret, &id, &seed, e);

	if (r < 0)
		return r;
	r = session_begin(t, &hmac, e);
	if (r < 0)
		return r;
	r = policy_begin(t, hmac, &policy, e);
	if (r < 0) {
		attest_tpm_flush(t, hmac);
		return r;
	}
	rc = Esys_ActivateCredential(t->esys, t->ak, t->ek, hmac, policy, ESYS_TR_NONE, &id, &seed, &credential);
	attest_tpm_flush(t, policy); /* ESYS lets sessions go on after a command, policy sessions too */
	attest_tpm_flush(t, hmac);
	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_ActivateCredential", rc);
	buf_put(ret_credential, credential->buffer, credential->size);
	return ret_credential->bad ? err_set(e, ENOMEM, "no memory for the credential") : 0;
}

int attest_tpm_put_signature(const TPMT_SIGNATURE *signature, struct buf *out, struct err *e)
{
	uint8_t bytes[sizeof(*signature)];
	size_t n = 0;
	TSS2_RC rc = Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof(bytes), &n);

	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPMT_SIGNATURE", rc);
	buf_put(out, bytes, n);
	return 0;
}

int attest_tpm_quote(struct attest_tpm *t, const uint8_t extra[static HASH_SHA256_BYTES], struct buf *ret_attest,
		     struct buf *ret_signature, struct err *e)
{
	const TPML_PCR_SELECTION pcrs = {
		.count = 1,
		.pcrSelections = {{.hash = TPM2_ALG_SHA256,
				   .sizeofSelect = 3,
				   .pcrSelect = {ATTEST_QUOTED_PCRS & 0xff, ATTEST_QUOTED_PCRS >> 8, 0}}}};
	const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_RSASSA, .details = {.rsassa = {TPM2_ALG_SHA256}}};
	TPM2B_DATA data = {.size = HASH_SHA256_BYTES};
	cleanup_tss TPM2B_ATTEST *quoted = NULL;
	cleanup_tss TPMT_SIGNATURE *signature = NULL;
	ESYS_TR session;
	TSS2_RC rc;
	int r = session_begin(t, &session, e);

	if (r < 0)
		return r;
	memcpy(data.buffer, extra, HASH_SHA256_BYTES);
	rc = Esys_Quote(t->esys, t->ak, session, ESYS_TR_NONE, ESYS_TR_NONE, &data, &scheme, &pcrs, &quoted,
			&signature);
	attest_tpm_flush(t, session);
	if (rc != TSS2_RC_SUCCESS)
		return attest_tpm_refused(e, "TPM2_Quote", rc);
	buf_put(ret_attest, quoted->attestationData, quoted->size);
	r = attest_tpm_put_signature(signature, ret_signature, e);
	if (r < 0)
		return r;
	return ret_attest->bad || ret_signature->bad ? err_set(e, ENOMEM, "no memory for the quote") : 0;
}
