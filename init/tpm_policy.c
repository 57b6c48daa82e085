/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/tpm_policy.c - policy sessions that satisfy the image owner's signed PCR policies */
#include "init/tpm_policy.h"

#include "common/json.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
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
	MAX_B64_BYTES = (PID1_POLICY_MAX_RSA_BYTES + 2) / 3 * 4,
};

/* TPMT_PUBLIC of an RSA key for signatures, as systemd loads it: SHA-256; decrypt, sign, userWithAuth; no policy; no symmetric algorithm, no scheme. */
static const uint8_t rsa_head[] = { 0, 1, 0, 0x0b, 0, 6, 0, 0x40, 0, 0, 0, 0x10, 0, 0x10 };

int pid1_policy_key_load(const char *pem, struct pid1_policy_key *ret, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	struct pid1_tpm_cmd c = { .n = 0 }; /* only to put bytes in order */
	uint8_t modulus[PID1_POLICY_MAX_RSA_BYTES];
	BIGNUM *n = NULL, *x = NULL;
	int bytes = 0;

	if (key && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &x) == 1 && BN_is_word(x, 65537) &&
	    BN_num_bytes(n) <= PID1_POLICY_MAX_RSA_BYTES && BN_num_bits(n) >= 2048 && BN_num_bits(n) % 1024 == 0)
		bytes = BN_bn2bin(n, modulus);
	BN_free(n);
	BN_free(x);
	EVP_PKEY_free(key);
	BIO_free(bio);
	if (!bytes)
		return err_set(e, EINVAL, "the PCR key is not an RSA key of 2048, 3072 or 4096 bits with exponent 65537");
	pid1_tpm_put_bytes(&c, rsa_head, sizeof(rsa_head));
	pid1_tpm_put(&c, (uint64_t)bytes * 8, 2);
	pid1_tpm_put(&c, 0, 4); /* exponent: the default, 65537 */
	pid1_tpm_put_2b(&c, modulus, (size_t)bytes);
	memcpy(ret->public, c.param, c.n);
	ret->public_bytes = c.n;
	pid1_tpm_name(c.param, c.n, ret->name);
	return 0;
}

void pid1_policy_digest(const struct pid1_policy_key *k, uint8_t ret[static DIGEST])
{
	uint8_t b[DIGEST + 4 + PID1_TPM_NAME_BYTES] = { 0 };

	b[DIGEST + 2] = TPM_CC_POLICY_AUTHORIZE >> 8;
	b[DIGEST + 3] = TPM_CC_POLICY_AUTHORIZE & 0xff;
	memcpy(b + DIGEST + 4, k->name, PID1_TPM_NAME_BYTES);
	hash_sha256(b, sizeof(b), b);
	hash_sha256(b, DIGEST, ret); /* then the policyRef, which is empty */
}

/* --- the document --------------------------------------------------------------------------------------------------- */

static int parse_pcrs(json_object *o, uint32_t *ret, struct err *e)
{
	json_object *list;
	uint32_t mask = 0;
	int r = json_get(o, "PCR policy", "pcrs", json_type_array, &list, e);

	for (size_t i = 0; !r && i < json_object_array_length(list); i++) {
		json_object *v = json_object_array_get_idx(list, i);
		int64_t n = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : -1;

		if (n < 0 || n > 23)
			return err_set(e, EINVAL, "PCR policy: pcrs[%zu] is no number from 0 to 23", i);
		mask |= 1u << n;
	}
	if (!r && !mask)
		r = err_set(e, EINVAL, "PCR policy: pcrs is empty");
	*ret = mask;
	return r;
}

static int parse_entry(json_object *o, struct pid1_policy_entry *ret, struct err *e)
{
	const char *sig;
	int n, r = parse_pcrs(o, &ret->pcrs, e);

	r = r ? r : json_get_hex(o, "PCR policy", "pol", ret->digest, DIGEST, e);
	r = r ? r : json_get_str(o, "PCR policy", "sig", MAX_B64_BYTES, &sig, e);
	if (r)
		return r;
	n = EVP_DecodeBlock(ret->sig, (const unsigned char *)sig, (int)strlen(sig)); /* counts padding as bytes */
	for (size_t i = strlen(sig); n > 0 && i > 0 && sig[i - 1] == '='; i--)
		n--;
	if (n <= 0 || n > PID1_POLICY_MAX_RSA_BYTES)
		return err_set(e, EINVAL, "PCR policy: sig is not base64 of at most %d bytes", PID1_POLICY_MAX_RSA_BYTES);
	ret->sig_bytes = (size_t)n;
	return 0;
}

int pid1_policy_find(const struct pid1_policy_doc *doc, const uint8_t *digest, struct pid1_policy_entry *ret, struct err *e)
{
	cleanup_json json_object *root = NULL;
	json_object *list;
	size_t n = 0;
	int r = json_parse(doc->text, doc->bytes, "PCR policies", &root, e);

	r = r ? r : json_get(root, "PCR policies", "sha256", json_type_array, &list, e);
	if (!r)
		n = json_object_array_length(list);
	if (n > PID1_POLICY_MAX_ENTRIES)
		return err_set(e, EINVAL, "PCR policies: %zu entries, wanted at most %d", n, PID1_POLICY_MAX_ENTRIES);
	for (size_t i = 0; !r && i < n; i++) {
		r = parse_entry(json_object_array_get_idx(list, i), ret, e);
		if (!r && doc->pcrs && ret->pcrs != doc->pcrs)
			continue;
		if (!r && (!digest || hash_equal(ret->digest, DIGEST, digest, DIGEST)))
			return 0;
	}
	return r ? r : err_set(e, EPERM, "no signed PCR policy is for the PCRs as they are now");
}

/* --- the TPM's part --------------------------------------------------------------------------------------------------- */

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
static int verify(struct tpm_io *t, const struct pid1_policy_key *key, const struct pid1_policy_entry *entry,
		  struct pid1_tpm_cmd *append_to, struct err *e)
{
	struct pid1_tpm_cmd load = { .code = TPM_CC_LOAD_EXTERNAL, .gives_handle = true };
	struct pid1_tpm_cmd check = { .code = TPM_CC_VERIFY_SIGNATURE, .n_on = 1 };
	struct pid1_tpm_entity loaded = { 0 };
	uint8_t digest[DIGEST];
	struct reader r;
	int rc;

	pid1_tpm_put(&load, 0, 2); /* no private part */
	pid1_tpm_put_2b(&load, key->public, key->public_bytes);
	pid1_tpm_put(&load, PID1_TPM_RH_OWNER, 4); /* not NULL: its tickets are worth nothing to PolicyAuthorize */
	rc = pid1_tpm_run(t, &load, &r, e);
	if (rc)
		return rc;
	loaded.handle = load.handle;
	memcpy(loaded.name, key->name, sizeof(loaded.name));
	check.on[0] = &loaded;
	hash_sha256(entry->digest, DIGEST, digest);
	pid1_tpm_put_2b(&check, digest, DIGEST);
	pid1_tpm_put(&check, TPM_ALG_RSASSA, 2);
	pid1_tpm_put(&check, HASH_SHA256, 2);
	pid1_tpm_put_2b(&check, entry->sig, entry->sig_bytes);
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
		   const struct pid1_policy_doc *doc, struct err *e)
{
	struct pid1_tpm_cmd c = { .code = TPM_CC_POLICY_AUTHORIZE, .on = { session }, .n_on = 1 };
	struct pid1_policy_entry entry;
	uint8_t now[DIGEST];
	struct reader r;
	int rc = pid1_policy_find(doc, NULL, &entry, e);

	rc = rc ? rc : policy_pcr(t, session, entry.pcrs, now, e);
	rc = rc ? rc : pid1_policy_find(doc, now, &entry, e);
	if (rc)
		return rc;
	pid1_tpm_put_2b(&c, entry.digest, DIGEST);
	pid1_tpm_put(&c, 0, 2); /* policyRef */
	pid1_tpm_put_2b(&c, key->name, sizeof(key->name));
	rc = verify(t, key, &entry, &c, e);
	return rc ? rc : pid1_tpm_run(t, &c, &r, e);
}

int pid1_policy_begin(struct tpm_io *t, const struct pid1_tpm_srk *srk, const struct pid1_policy_key *key,
		      const struct pid1_policy_doc *doc, struct pid1_tpm_session *ret, struct err *e)
{
	struct pid1_tpm_session s = { 0 };
	struct pid1_tpm_entity on;
	int rc = pid1_tpm_begin(t, srk, true, &s, e);

	if (rc)
		return rc;
	on = (struct pid1_tpm_entity){ .handle = s.handle };
	rc = satisfy(t, &on, key, doc, e);
	if (rc)
		pid1_tpm_end(t, &s);
	else
		*ret = s;
	return rc;
}
