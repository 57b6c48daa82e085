/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sealed_key.c - the state volume's key in the TPM: sealed once, unsealed in each boot */
#include "init/sealed_key.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
	TPM_CC_CREATE = 0x153,
	TPM_CC_LOAD = 0x157,
	TPM_CC_UNSEAL = 0x15e,
	TPM_CC_POLICY_AUTH_VALUE = 0x16b,
	TPM_ALG_KEYEDHASH = 8,
	TPM_ALG_NULL = 0x10,
	TPM_RC_HANDLE = 0x8b, /* these are of format one, as in init/floor.c */
	TPM_RC_INTEGRITY = 0x9f,
	TPM_RC_BAD_AUTH = 0xa2,
	TPM_RC_AUTH_FAIL = 0x8e,
	TPM_RC_POLICY_FAIL = 0x9d,
	/* fixedTPM, fixedParent, adminWithPolicy, noDA: no authorisation but the policy's */
	SEALED_ATTRIBUTES = 1 << 1 | 1 << 4 | 1 << 7 | 1 << 10,
	DIGEST = HASH_SHA256_BYTES,
	PUBLIC_BYTES = 2 + 2 + 4 + 2 + DIGEST + 2, /* TPMT_PUBLIC up to its unique */
	MAX_MAC_BYTES = 512,
};

#define SECRET_LABEL "holdfast state"
#define AUTH_LABEL   "authValue"

static bool code_is(const struct tpm_io *t, uint32_t code)
{
	return t->code & 0x80 && (t->code & 0xbf) == code;
}

int pid1_sealed_mac(const struct pid1_sealed_tpm *t, const char *label, const void *data, size_t n, uint8_t ret[static DIGEST],
		    struct err *e)
{
	uint8_t b[MAX_MAC_BYTES];
	size_t at = strlen(label) + 1;
	bool ok = at <= sizeof(b) && n <= sizeof(b) - at;

	if (ok) {
		memcpy(b, label, at);
		memcpy(b + at, data, n);
		ok = HMAC(EVP_sha256(), t->secret, DIGEST, b, at + n, ret, NULL);
	}
	explicit_bzero(b, sizeof(b));
	return ok ? 0 : err_set(e, EIO, "HMAC cannot be computed over %zu bytes", n);
}

int pid1_sealed_tpm_open(struct pid1_sealed_tpm *t, struct err *e)
{
	int r = pid1_tpm_srk_read(t->floor.tpm, &t->srk, e);

	if (r == -EPROTO && code_is(t->floor.tpm, TPM_RC_HANDLE))
		r = err_set(e, ENOENT, "the TPM has no key 0x%x, so no secret of this machine: it was never used, or was cleared", PID1_TPM_SRK);
	return r ? r : pid1_floor_derive(&t->floor, SECRET_LABEL, t->secret, e);
}

/* authValue for @uuid. The TPM drops zeros at its end: there must be none. */
static int auth_value(const struct pid1_sealed_tpm *t, const char *uuid, uint8_t ret[static DIGEST], struct err *e)
{
	int r = pid1_sealed_mac(t, AUTH_LABEL, uuid, strlen(uuid), ret, e);

	ret[DIGEST - 1] |= 1;
	return r;
}

/* PolicyAuthorize by the owner's key, then PolicyAuthValue. */
static void sealed_policy(const struct pid1_sealed_tpm *t, uint8_t ret[static DIGEST])
{
	uint8_t b[DIGEST + 4] = { [DIGEST + 2] = TPM_CC_POLICY_AUTH_VALUE >> 8, [DIGEST + 3] = TPM_CC_POLICY_AUTH_VALUE & 0xff };

	memcpy(b, t->key->authorized, DIGEST);
	hash_sha256(b, sizeof(b), ret);
}

/* TPMT_PUBLIC of a sealed object, up to its unique. */
static void put_public(struct pid1_tpm_cmd *c, const uint8_t policy[static DIGEST])
{
	pid1_tpm_put(c, TPM_ALG_KEYEDHASH, 2);
	pid1_tpm_put(c, HASH_SHA256, 2);
	pid1_tpm_put(c, SEALED_ATTRIBUTES, 4);
	pid1_tpm_put_2b(c, policy, DIGEST);
	pid1_tpm_put(c, TPM_ALG_NULL, 2);
}

static int take_blob(struct reader *r, struct pid1_sealed_token *ret, struct err *e)
{
	const uint8_t *start = r->p;
	size_t n, i;

	for (i = 0; i < 2; i++)
		(void)pid1_tpm_2b(r, r->left, &n); /* private, public; @r remembers */
	n = r->bad ? 0 : (size_t)(r->p - start);
	if (!n || n > sizeof(ret->blob))
		return err_set(e, EPROTO, "the TPM's sealed object has %zu bytes, wanted 1 to %zu", n, sizeof(ret->blob));
	memcpy(ret->blob, start, n);
	ret->blob_bytes = n;
	return 0;
}

int pid1_sealed_seal(struct pid1_sealed_tpm *t, const char *uuid, const uint8_t key[static PID1_SEALED_KEY_BYTES],
		     struct pid1_sealed_token *ret, struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_cmd c = { .code = TPM_CC_CREATE, .on = { &t->srk.key }, .n_on = 1, .authorised = true, .session = &s, .hide = true };
	uint8_t value[DIGEST];
	struct reader r;
	int rc = auth_value(t, uuid, value, e);

	ret->pcrs = t->states->v[0].pcrs;
	sealed_policy(t, ret->policy);
	pid1_tpm_put(&c, 2 + DIGEST + 2 + PID1_SEALED_KEY_BYTES, 2);
	pid1_tpm_put_2b(&c, value, DIGEST);
	pid1_tpm_put_2b(&c, key, PID1_SEALED_KEY_BYTES);
	pid1_tpm_put(&c, PUBLIC_BYTES + 2, 2);
	put_public(&c, ret->policy);
	pid1_tpm_put(&c, 0, 2); /* unique */
	pid1_tpm_put(&c, 0, 2); /* outside info */
	pid1_tpm_put(&c, 0, 4); /* creation PCRs */
	rc = rc ? rc : pid1_tpm_begin(t->floor.tpm, &t->srk, false, &s, e);
	rc = rc ? rc : pid1_tpm_run(t->floor.tpm, &c, &r, e);
	rc = rc ? rc : take_blob(&r, ret, e);
	pid1_tpm_end(t->floor.tpm, &s);
	explicit_bzero(&c, sizeof(c));
	explicit_bzero(value, sizeof(value));
	return rc;
}

/* The blob is two TPM2Bs, and its public area is that of an object that we would make here and now. */
static int check_blob(const struct pid1_sealed_tpm *t, const struct pid1_sealed_token *token, uint8_t ret_name[static PID1_TPM_NAME_BYTES],
		      struct err *e)
{
	struct reader r = reader_init(token->blob, token->blob_bytes);
	struct pid1_tpm_cmd want = { .n = 0 }; /* only to put bytes in order */
	uint8_t policy[DIGEST];
	const uint8_t *public;
	size_t n;

	(void)pid1_tpm_2b(&r, r.left, &n); /* the private part is the TPM's to judge; @r remembers */
	public = pid1_tpm_2b(&r, r.left, &n);
	if (!reader_done(&r))
		return err_set(e, EBADMSG, "the sealed key is not a private and a public part of an object");
	sealed_policy(t, policy);
	if (!hash_equal(policy, DIGEST, token->policy, DIGEST))
		return err_set(e, EPERM, "the key is sealed for another owner's images: its policy is not that of our PCR key");
	put_public(&want, policy);
	if (n != PUBLIC_BYTES + 2 + DIGEST || memcmp(public, want.param, PUBLIC_BYTES))
		return err_set(e, EBADMSG, "the sealed key's public part is not as we make it");
	pid1_tpm_name(public, n, ret_name);
	return 0;
}

static int load(struct pid1_sealed_tpm *t, const struct pid1_sealed_token *token, struct pid1_tpm_entity *object, struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_cmd c = { .code = TPM_CC_LOAD, .on = { &t->srk.key }, .n_on = 1, .authorised = true, .session = &s,
				  .gives_handle = true };
	struct reader r;
	int rc = pid1_tpm_begin(t->floor.tpm, &t->srk, false, &s, e);

	pid1_tpm_put_bytes(&c, token->blob, token->blob_bytes);
	rc = rc ? rc : pid1_tpm_run(t->floor.tpm, &c, &r, e);
	if (rc == -EPROTO && code_is(t->floor.tpm, TPM_RC_INTEGRITY))
		rc = err_set(e, EPERM, "the key is sealed to another TPM, or its blob was changed");
	pid1_tpm_end(t->floor.tpm, &s);
	object->handle = c.handle;
	return rc;
}

static int unseal(struct pid1_sealed_tpm *t, const struct pid1_tpm_entity *object, const uint8_t *value,
		  uint8_t ret[static PID1_SEALED_KEY_BYTES], struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_entity session;
	struct pid1_tpm_cmd show = { .code = TPM_CC_POLICY_AUTH_VALUE, .on = { &session }, .n_on = 1 };
	struct pid1_tpm_cmd c = { .code = TPM_CC_UNSEAL, .on = { object }, .n_on = 1, .authorised = true, .session = &s, .value = value,
				  .hidden = true };
	struct tpm_io *tpm = t->floor.tpm;
	const uint8_t *data;
	struct reader r;
	size_t n;
	int rc = pid1_policy_begin(tpm, &t->srk, t->key, t->states, &s, e);

	session = (struct pid1_tpm_entity){ .handle = s.handle };
	rc = rc ? rc : pid1_tpm_run(tpm, &show, &r, e);
	rc = rc ? rc : pid1_tpm_run(tpm, &c, &r, e);
	if (rc == -EPROTO && (code_is(tpm, TPM_RC_BAD_AUTH) || code_is(tpm, TPM_RC_AUTH_FAIL)))
		rc = err_set(e, EBADMSG, "the sealed key was not made by this machine for this volume: the TPM refuses its authValue");
	else if (rc == -EPROTO && code_is(tpm, TPM_RC_POLICY_FAIL))
		rc = err_set(e, EPERM, "the TPM refuses the policy");
	pid1_tpm_end(tpm, &s);
	if (rc)
		return rc;
	data = pid1_tpm_2b(&r, PID1_SEALED_KEY_BYTES, &n);
	if (!reader_done(&r) || n != PID1_SEALED_KEY_BYTES)
		return err_set(e, EPROTO, "the TPM gave a key of %zu bytes, wanted %d", n, PID1_SEALED_KEY_BYTES);
	memcpy(ret, data, n);
	explicit_bzero(tpm->resp, sizeof(tpm->resp));
	return 0;
}

int pid1_sealed_unseal(struct pid1_sealed_tpm *t, const char *uuid, const struct pid1_sealed_token *token,
		       uint8_t ret[static PID1_SEALED_KEY_BYTES], struct err *e)
{
	struct pid1_tpm_entity object;
	uint8_t value[DIGEST];
	int r = check_blob(t, token, object.name, e);

	r = r ? r : auth_value(t, uuid, value, e);
	r = r ? r : load(t, token, &object, e);
	if (r)
		return r;
	r = unseal(t, &object, value, ret, e);
	pid1_tpm_flush(t->floor.tpm, object.handle);
	explicit_bzero(value, sizeof(value));
	return r;
}
