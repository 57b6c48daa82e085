/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/tpm_policy.c - policy sessions that satisfy the image owner's signed PCR policies */
#include "init/tpm_policy.h"

#include "common/pki.h"

#include <string.h>

enum {
	TPM_CC_LOAD_EXTERNAL = 0x167,
	TPM_CC_POLICY_AUTHORIZE = 0x16a,
	TPM_CC_VERIFY_SIGNATURE = 0x177,
	TPM_CC_POLICY_PCR = 0x17f,
	TPM_CC_POLICY_GET_DIGEST = 0x189,
	TPM_ALG_RSASSA = 0x14,
	TPM_MAX_TICKET_BYTES = 8 + HASH_MAX_BYTES, /* tag, hierarchy, digest of any algorithm */
	DIGEST = HASH_SHA256_BYTES,
};

int pid1_policy_key_load(const void *pem, size_t len, const char *name, const char *reference, struct pid1_policy_key *ret,
			 struct err *e)
{
	cleanup_pkey EVP_PKEY *key = NULL;
	cleanup_buf struct buf public = BUF_INIT;
	int r = pcr_policy_key_parse(pem, len, name, &key, e);

	r = r ? r : pcr_policy_public(key, &public, e);
	r = r ? r : pcr_policy_authorize(key, reference, ret->authorized, e);
	if (r)
		return r;
	ret->reference = reference;
	ret->public_bytes = public.len - 2; /* without the TPM2B's size */
	if (ret->public_bytes > sizeof(ret->public))
		return err_set(e, E2BIG, "%s: the PCR key has %zu bytes", name, ret->public_bytes);
	memcpy(ret->public, public.data + 2, ret->public_bytes);
	pid1_tpm_name(ret->public, ret->public_bytes, ret->name);
	return 0;
}

static int policy_pcr(struct tpm_io *t, const struct pid1_tpm_entity *session, uint32_t pcrs, uint8_t ret[static DIGEST],
		      struct err *e)
{
	struct pid1_tpm_cmd c = { .code = TPM_CC_POLICY_PCR, .on = { session }, .n_on = 1 };
	struct pid1_tpm_cmd get = { .code = TPM_CC_POLICY_GET_DIGEST, .on = { session }, .n_on = 1 };
	const uint8_t *digest;
	struct reader r;
	size_t n;
	int rc;

	pid1_tpm_put(&c, 0, 2); /* no digest: the PCRs as they are */
	pid1_tpm_put(&c, 1, 4);
	pid1_tpm_put(&c, HASH_SHA256, 2);
	pid1_tpm_put(&c, 3, 1);
	for (int i = 0; i < 3; i++)
		pid1_tpm_put(&c, pcrs >> 8 * i & 0xff, 1);
	rc = pid1_tpm_run(t, &c, &r, e);
	rc = rc ? rc : pid1_tpm_run(t, &get, &r, e);
	if (rc)
		return rc;
	digest = pid1_tpm_2b(&r, DIGEST, &n);
	if (!reader_done(&r) || n != DIGEST)
		return err_set(e, EPROTO, "the TPM's policy digest is malformed");
	memcpy(ret, digest, DIGEST);
	return 0;
}

/* The TPM's ticket (TPMT_TK_VERIFIED, as it came) that @key signed the entry. */
static int verify(struct tpm_io *t, const struct pid1_policy_key *key, const struct pcr_policy *entry,
		  struct pid1_tpm_cmd *append_to, struct err *e)
{
	struct pid1_tpm_cmd load = { .code = TPM_CC_LOAD_EXTERNAL, .gives_handle = true };
	struct pid1_tpm_cmd check = { .code = TPM_CC_VERIFY_SIGNATURE, .n_on = 1 };
	struct pid1_tpm_entity loaded = { 0 };
	cleanup_buf struct buf signed_bytes = BUF_INIT;
	uint8_t digest[DIGEST];
	struct reader r;
	int rc;

	buf_put(&signed_bytes, entry->digest, DIGEST);
	buf_str(&signed_bytes, key->reference);
	if (signed_bytes.bad)
		return err_set(e, ENOMEM, "no memory for a PCR policy");
	hash_sha256(signed_bytes.data, signed_bytes.len, digest);
	pid1_tpm_put(&load, 0, 2); /* no private part */
	pid1_tpm_put_2b(&load, key->public, key->public_bytes);
	pid1_tpm_put(&load, PID1_TPM_RH_OWNER, 4); /* not NULL: its tickets are worth nothing to PolicyAuthorize */
	rc = pid1_tpm_run(t, &load, &r, e);
	if (rc)
		return rc;
	loaded.handle = load.handle;
	memcpy(loaded.name, key->name, sizeof(loaded.name));
	check.on[0] = &loaded;
	pid1_tpm_put_2b(&check, digest, DIGEST);
	pid1_tpm_put(&check, TPM_ALG_RSASSA, 2);
	pid1_tpm_put(&check, HASH_SHA256, 2);
	pid1_tpm_put_2b(&check, entry->signature, entry->signature_bytes);
	rc = pid1_tpm_run(t, &check, &r, e);
	if (rc)
		(void)err_context(e, "the signature of a PCR policy");
	else if (r.left > TPM_MAX_TICKET_BYTES)
		rc = err_set(e, EPROTO, "the TPM's ticket has %zu bytes, wanted at most %d", r.left, TPM_MAX_TICKET_BYTES);
	else
		pid1_tpm_put_bytes(append_to, r.p, r.left);
	pid1_tpm_flush(t, load.handle);
	return rc;
}

static int satisfy(struct tpm_io *t, const struct pid1_tpm_entity *session, const struct pid1_policy_key *key,
		   const struct pcr_policies *states, struct err *e)
{
	const struct pcr_policy *entry = states->v, *end = states->v + states->n;
	struct pid1_tpm_cmd c = { .code = TPM_CC_POLICY_AUTHORIZE, .on = { session }, .n_on = 1 };
	uint8_t now[DIGEST];
	struct reader r;
	int rc = states->n ? policy_pcr(t, session, entry->pcrs, now, e) : 0;

	if (rc)
		return rc;
	while (entry < end && !hash_equal(entry->digest, DIGEST, now, DIGEST))
		entry++;
	if (entry == end)
		return err_set(e, EPERM, "no signed PCR policy is for the PCRs as they are now");
	pid1_tpm_put_2b(&c, entry->digest, DIGEST);
	pid1_tpm_put_2b(&c, key->reference, strlen(key->reference));
	pid1_tpm_put_2b(&c, key->name, sizeof(key->name));
	rc = verify(t, key, entry, &c, e);
	return rc ? rc : pid1_tpm_run(t, &c, &r, e);
}

int pid1_policy_begin(struct tpm_io *t, const struct pid1_tpm_srk *srk, const struct pid1_policy_key *key,
		      const struct pcr_policies *signed_states, struct pid1_tpm_session *ret, struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_entity on;
	int rc = pid1_tpm_begin(t, srk, true, &s, e);

	if (rc)
		return rc;
	on = (struct pid1_tpm_entity){ .handle = s.handle };
	rc = satisfy(t, &on, key, signed_states, e);
	if (rc)
		pid1_tpm_end(t, &s);
	else
		*ret = s;
	return rc;
}
