/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/agent_channel.c - the agent's TLS identity by a key in the TPM: policy, key, proof and certificate together */
#include "attest/agent_channel.h"

#include "attest/channel.h"

#include <string.h>

static int sign(void *arg, const uint8_t digest[static HASH_SHA256_BYTES], uint8_t ret_r[static TPM_KEY_NUMBER_BYTES],
		uint8_t ret_s[static TPM_KEY_NUMBER_BYTES], struct err *e)
{
	struct agent_channel *c = arg;
	struct attest_tpm *tpm;
	int rc = attest_agent_tpm(c->agent, &tpm, e);

	if (!rc)
		rc = attest_tpm_channel_sign(tpm, &c->policy, digest, ret_r, ret_s, e);
	if (rc == -EIO)
		attest_agent_close(c->agent);
	return rc;
}

static int open_key(struct agent_channel *c, struct buf *ret_proof, struct err *e)
{
	struct channel_proof proof;
	struct attest_tpm *tpm;
	int rc = attest_agent_tpm(c->agent, &tpm, e);

	if (!rc)
		rc = attest_tpm_channel_proof(tpm, &c->policy, ret_proof, e);
	if (rc == -EIO)
		attest_agent_close(c->agent);
	if (!rc)
		rc = channel_parse((struct bytes){ret_proof->data, ret_proof->len}, &proof, e);
	if (rc)
		return rc;
	_Static_assert(sizeof(c->key.point) == sizeof(proof.point), "one form of a point");
	memcpy(c->key.point, proof.point, sizeof(proof.point));
	c->key.sign = sign;
	c->key.arg = c;
	return 0;
}

int agent_channel_open(struct agent_channel *c, struct attest_agent *a, const char *pcr_key, const char *pcr_signature,
		       struct err *e)
{
	cleanup_buf struct buf proof = BUF_INIT;
	EVP_PKEY *key = NULL;
	int rc;

	agent_channel_close(c);
	c->agent = a;
	rc = tpm_channel_policy_load(pcr_key, pcr_signature, &c->policy, e);
	if (!rc)
		rc = open_key(c, &proof, e);
	if (!rc)
		rc = tpm_key_new(&c->key, &key, e);
	if (!rc)
		rc = tls_identity_of(key, &proof, &c->id, e);
	if (rc && c->key.last.code) { /* what the TPM said is the cause of what OpenSSL says */
		*e = c->key.last;
		rc = -e->code;
	}
	if (!rc)
		a->channel_key = c->id.digest;
	return rc;
}

void agent_channel_close(struct agent_channel *c)
{
	if (c->agent && c->agent->channel_key == c->id.digest)
		c->agent->channel_key = NULL;
	tls_identity_free(&c->id);
	tpm_channel_policy_free(&c->policy);
	*c = (struct agent_channel){0};
}
