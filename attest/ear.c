/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/ear.c - attestation results: what a verifier says to those who rely on it */
#include "attest/ear.h"

#include "attest/base64.h"
#include "common/hex.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <string.h>

#define COORDINATE_BYTES 32

/* ---- key --------------------------------------------------------------------------------------------------------- */

/* The members of the public JWK that RFC 7638 hashes, in its order. */
static int put_jwk_members(EVP_PKEY *key, struct buf *out, struct err *e)
{
	uint8_t point[1 + 2 * COORDINATE_BYTES];
	size_t n = 0;

	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) != 1 ||
	    n != sizeof(point) || point[0] != 4)
		return pki_openssl_error(e, EINVAL, "cannot read the public key of results");
	buf_str(out, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
	base64_put(out, point + 1, COORDINATE_BYTES);
	buf_str(out, "\",\"y\":\"");
	base64_put(out, point + 1 + COORDINATE_BYTES, COORDINATE_BYTES);
	buf_str(out, "\"");
	return out->bad ? err_set(e, ENOMEM, "no memory for a key") : 0;
}

static int thumbprint(EVP_PKEY *key, char ret[static EAR_MAX_KID_BYTES], struct err *e)
{
	cleanup_buf struct buf jwk = BUF_INIT, text = BUF_INIT;
	uint8_t digest[HASH_SHA256_BYTES];
	int rc = put_jwk_members(key, &jwk, e);

	if (rc)
		return rc;
	buf_str(&jwk, "}");
	hash_sha256(jwk.data, jwk.len, digest);
	base64_put(&text, digest, sizeof(digest));
	if (jwk.bad || text.bad || text.len >= EAR_MAX_KID_BYTES)
		return err_set(e, ENOMEM, "no memory for a key");
	memcpy(ret, text.data, text.len);
	ret[text.len] = '\0';
	return 0;
}

int ear_key_load(const char *uri, struct ear_key *ret, struct err *e)
{
	cleanup_pkey EVP_PKEY *key = NULL;
	struct ear_key k = {0};
	char group[32] = "";
	int rc = pki_key_load(uri, &key, e);

	if (rc)
		return rc;
	if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
	    strcmp(group, "prime256v1"))
		return err_set(e, EINVAL, "%s is no P-256 key, which ES256 needs (RFC 7518 section 3.4)", uri);
	rc = thumbprint(key, k.kid, e);
	if (rc)
		return rc;
	k.begun = EVP_MD_CTX_new();
	if (!k.begun || EVP_DigestSignInit(k.begun, NULL, EVP_sha256(), NULL, key) != 1) {
		EVP_MD_CTX_free(k.begun);
		return pki_openssl_error(e, EIO, "cannot sign results with the key");
	}
	k.key = take_ptr(key);
	*ret = k;
	return 0;
}

void ear_key_free(struct ear_key *k)
{
	EVP_MD_CTX_free(k->begun);
	EVP_PKEY_free(k->key);
	*k = (struct ear_key){0};
}

int ear_key_jwks(const struct ear_key *k, struct buf *ret, struct err *e)
{
	int rc;

	buf_str(ret, "{\"keys\":[");
	rc = put_jwk_members(k->key, ret, e);
	if (rc)
		return rc;
	buf_printf(ret, ",\"use\":\"sig\",\"alg\":\"ES256\",\"kid\":\"%s\"}]}", k->kid);
	return ret->bad ? err_set(e, ENOMEM, "no memory for a key") : 0;
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

/* A JSON string. What is not printable ASCII becomes '?': sentences are ours, but names inside may be anybody's. */
static void put_string(struct buf *b, const char *s)
{
	const char *plain = s;

	buf_str(b, "\"");
	for (; *s; s++) {
		if (*s != '"' && *s != '\\' && *s >= 0x20 && *s < 0x7f)
			continue;
		buf_put(b, plain, (size_t)(s - plain));
		plain = s + 1;
		if (*s == '"' || *s == '\\')
			buf_put(b, (char[2]){'\\', *s}, 2);
		else
			buf_str(b, "?");
	}
	buf_put(b, plain, (size_t)(s - plain));
	buf_str(b, "\"");
}

static void put_hex(struct buf *b, const uint8_t *digest)
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(digest, HASH_SHA256_BYTES, hex);
	buf_printf(b, "\"%s\"", hex);
}

static void put_lines(struct buf *b, const struct appraisal_lines *l)
{
	buf_str(b, "[");
	for (size_t i = 0; i < l->n && i < EAR_MAX_REASONS; i++) {
		if (i)
			buf_str(b, ",");
		put_string(b, l->line[i]);
	}
	buf_str(b, "]");
}

static bool is_enforcing(const struct judge_result *r)
{
	return !strcmp(r->rv->profile, "enforce");
}

/* What is shown of the firmware is less than the rest counts on. */
static bool is_whole(const struct judge_result *r)
{
	return is_enforcing(r) && !(r->appraisal.platform && r->appraisal.platform->no_firmware_log);
}

static void put_status(struct buf *b, const struct ear_input *in)
{
	const struct judge_result *r = in->result;

	if (r->appraisal.verdict == APPRAISE_ACCEPT) {
		buf_printf(b, "\"ear_status\":\"%s\",\"ear_trustworthiness_vector\":{\"instance-identity\":2,"
			   "\"configuration\":%d,\"executables\":%d,\"file-system\":2",
			   is_whole(r) ? "affirming" : "warning", is_whole(r) ? 2 : 32, is_enforcing(r) ? 2 : 32);
		if (in->enrolment->ek == ENROLMENT_EK_CERTIFICATE)
			buf_str(b, ",\"hardware\":2");
		buf_str(b, "}");
		return;
	}
	buf_printf(b, "\"ear_status\":\"contraindicated\",\"ear_trustworthiness_vector\":{%s}",
		   r->appraisal.quoted ? "\"instance-identity\":2,\"configuration\":96" : "\"instance-identity\":99");
}

/* A host that lacks something, as declared: what the result does not give. */
static void put_platform(struct buf *b, const struct ear_input *in)
{
	const struct platform *p = in->result->appraisal.platform;

	if (!p)
		return;
	buf_str(b, ",\"holdfast_platform\":{\"name\":");
	put_string(b, p->name);
	buf_printf(b, ",\"firmware_log\":\"%s\",\"not_given\":[", p->no_firmware_log ? "absent" : "present");
	if (p->no_firmware_log)
		put_string(b, "what the firmware did: no log shows it, PCRs hold predicted or listed values");
	if (p->no_firmware_log && in->enrolment->ek != ENROLMENT_EK_CERTIFICATE)
		buf_str(b, ",");
	if (in->enrolment->ek != ENROLMENT_EK_CERTIFICATE)
		put_string(b, "a TPM in hardware: no maker of TPMs vouches for the EK");
	buf_str(b, "]}");
}

/* What the quote and the reference values prove. */
static void put_attester_claims(struct buf *b, const struct ear_input *in)
{
	const struct appraisal *a = &in->result->appraisal;
	const struct refvalues *rv = in->result->rv;

	buf_str(b, ",\"ear_attester_claims\":{\"holdfast_ek\":");
	put_string(b, enrolment_ek_str(in->enrolment->ek));
	if (a->quoted)
		buf_printf(b,
			   ",\"holdfast_tpm\":{\"reset_count\":%u,\"restart_count\":%u,\"clock_ms\":%llu,\"safe\":%s,"
			   "\"firmware_version\":\"%016llx\"}",
			   a->quote.reset_count, a->quote.restart_count, (unsigned long long)a->quote.clock_ms,
			   a->quote.safe ? "true" : "false", (unsigned long long)a->quote.firmware_version);
	if (a->verdict == APPRAISE_ACCEPT) {
		buf_str(b, ",\"holdfast_image\":{\"name\":");
		put_string(b, rv->name);
		buf_printf(b, ",\"version\":%llu,\"arch\":", (unsigned long long)rv->version);
		put_string(b, rv->arch);
		buf_str(b, ",\"profile\":");
		put_string(b, rv->profile);
		buf_str(b, ",\"root_hash\":");
		put_hex(b, rv->root_hash);
		if (rv->sbom.known) {
			buf_str(b, ",\"sbom_sha256\":");
			put_hex(b, rv->sbom.digest);
		}
		buf_str(b, "},\"holdfast_pcr_digest\":");
		put_hex(b, a->quote.pcr_digest);
		put_platform(b, in);
	}
	buf_str(b, "}");
}

static void put_policy(struct buf *b, const struct fleet *f)
{
	buf_str(b, ",\"ear_appraisal_policy_ids\":[\"tag:holdfast,2026:appraisal/1\"");
	if (f && f->n_rules) {
		char id[FLEET_MAX_TEXT_BYTES + 64];

		(void)snprintf(id, sizeof(id), "tag:holdfast,2026:policy-set/%s/%llu", f->name,
			       (unsigned long long)f->version); /* fits */
		buf_str(b, ",");
		put_string(b, id);
	}
	buf_str(b, "]");
}

int ear_claims(const struct ear_input *in, struct buf *ret, struct err *e)
{
	const struct appraisal *a = &in->result->appraisal;

	if (a->verdict != APPRAISE_ACCEPT && a->verdict != APPRAISE_REFUSE)
		return err_set(e, EINVAL, "there is no verdict to tell");
	buf_printf(ret, "{\"eat_profile\":\"" EAR_PROFILE "\",\"iat\":%lld,\"exp\":%lld,\"sub\":", (long long)in->issued_s,
		   (long long)in->expires_s);
	put_hex(ret, in->enrolment->identity);
	buf_str(ret, ",\"eat_nonce\":\"");
	base64_put(ret, in->nonce, EVIDENCE_NONCE_BYTES);
	buf_str(ret, "\",\"ear_verifier_id\":{\"developer\":\"holdfast\",\"build\":\"holdfast-attest " HOLDFAST_VERSION
		     "\"},\"submods\":{\"holdfast\":{");
	put_status(ret, in);
	put_policy(ret, in->fleet);
	put_attester_claims(ret, in);
	buf_printf(ret, ",\"ear_verifier_claims\":{\"holdfast_fast_path\":%s,\"holdfast_reasons\":",
		   a->fast ? "true" : "false");
	put_lines(ret, &a->reasons);
	buf_str(ret, "}}}}");
	return ret->bad ? err_set(e, ENOMEM, "no memory for a result") : 0;
}

/* ---- signature --------------------------------------------------------------------------------------------------- */

CLEANUP_DEFINE(mctx, EVP_MD_CTX *, EVP_MD_CTX_free)
CLEANUP_DEFINE(esig, ECDSA_SIG *, ECDSA_SIG_free)

/* r and s, each in 32 bytes (RFC 7518 section 3.4). Copying what was begun is cheaper than beginning anew. */
static int es256(const struct ear_key *k, const void *text, size_t n, uint8_t ret[static 2 * COORDINATE_BYTES], struct err *e)
{
	EVP_MD_CTX *ctx __attribute__((cleanup(cleanup_mctx_fn))) = EVP_MD_CTX_new();
	ECDSA_SIG *sig __attribute__((cleanup(cleanup_esig_fn))) = NULL;
	uint8_t der[128];
	const uint8_t *p = der;
	size_t len = sizeof(der);

	if (!ctx || EVP_MD_CTX_copy_ex(ctx, k->begun) != 1)
		return pki_openssl_error(e, EIO, "cannot sign a result");
	EVP_MD_CTX_set_flags(ctx, EVP_MD_CTX_FLAG_FINALISE); /* nothing follows: no copy of the copy */
	if (EVP_DigestSign(ctx, der, &len, text, n) != 1)
		return pki_openssl_error(e, EIO, "cannot sign a result");
	sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
	if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, COORDINATE_BYTES) != COORDINATE_BYTES ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + COORDINATE_BYTES, COORDINATE_BYTES) != COORDINATE_BYTES)
		return pki_openssl_error(e, EIO, "cannot sign a result");
	return 0;
}

int ear_sign(const struct ear_key *k, struct bytes claims, struct buf *ret, struct err *e)
{
	uint8_t signature[2 * COORDINATE_BYTES];
	cleanup_buf struct buf jwt = BUF_INIT, head = BUF_INIT;
	int rc;

	buf_printf(&head, "{\"alg\":\"ES256\",\"typ\":\"eat+jwt\",\"kid\":\"%s\"}", k->kid);
	base64_put(&jwt, head.data, head.len);
	buf_str(&jwt, ".");
	base64_put(&jwt, claims.p, claims.n);
	if (head.bad || jwt.bad)
		return err_set(e, ENOMEM, "no memory for a result");
	rc = es256(k, jwt.data, jwt.len, signature, e);
	if (rc)
		return rc;
	buf_str(&jwt, ".");
	base64_put(&jwt, signature, sizeof(signature));
	buf_put(ret, jwt.data, jwt.len);
	return jwt.bad || ret->bad ? err_set(e, ENOMEM, "no memory for a result") : 0;
}
