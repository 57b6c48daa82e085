/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/pcr_policy.c - PCR values that the builder signed, as a TPM takes them */
#include "common/pcr_policy.h"

#include "common/hex.h"
#include "common/json.h"
#include "common/pki.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

/* TPM 2.0 Library part 2, tables 6.3, 6.5.2, 8.3. */
enum {
	TPM_ALG_RSA = 0x0001,
	TPM_ALG_NULL = 0x0010,
	TPM_CC_POLICY_AUTHORIZE = 0x16a,
	TPM_CC_POLICY_PCR = 0x17f,
	SIGNER_ATTRIBUTES = 0x00060040, /* userWithAuth, decrypt, sign: systemd's, so that Names agree */
	MAX_PCRS = 24,
	RSA_MIN_BYTES = 256,
	MAX_BASE64_CHARS = (PCR_POLICY_MAX_SIGNATURE_BYTES + 2) / 3 * 4,
};

/* ---- digests ----------------------------------------------------------------------------------------------------- */

static int digest_of(struct buf *b, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	if (b->bad)
		return err_set(e, ENOMEM, "no memory for a PCR policy");
	hash_sha256(b->data, b->len, ret);
	return 0;
}

void pcr_policy_digest(uint32_t pcrs, const uint8_t (*value)[HASH_SHA256_BYTES], uint8_t ret[static HASH_SHA256_BYTES])
{
	uint8_t text[HASH_SHA256_BYTES + 4 + 10 + HASH_SHA256_BYTES] = {0}; /* zeros; command; selection; digest of the values */
	const uint8_t head[] = {0, 0, TPM_CC_POLICY_PCR >> 8, TPM_CC_POLICY_PCR & 0xff, /* command */
				0, 0, 0, 1, HASH_SHA256 >> 8, HASH_SHA256 & 0xff, 3,   /* one selection, 3 bytes */
				pcrs & 0xff, pcrs >> 8 & 0xff, pcrs >> 16 & 0xff};
	size_t n = 0;

	for (unsigned i = 0; i < MAX_PCRS; i++)
		n += pcrs >> i & 1;
	memcpy(text + HASH_SHA256_BYTES, head, sizeof(head));
	hash_sha256(value, n * HASH_SHA256_BYTES, text + HASH_SHA256_BYTES + sizeof(head));
	hash_sha256(text, sizeof(text), ret);
}

int pcr_policy_key_parse(const void *pem, size_t len, const char *name, EVP_PKEY **ret, struct err *e)
{
	BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	int rc;

	BIO_free(bio);
	if (key) {
		*ret = key;
		return 0;
	}
	rc = pki_openssl_error(e, EINVAL, "is no public key in PEM");
	(void)err_context(e, "%s", name); /* its code is kept */
	return rc;
}

int pcr_policy_public(EVP_PKEY *key, struct buf *ret, struct err *e)
{
	BIGNUM *n = NULL, *exponent = NULL;
	uint8_t modulus[PCR_POLICY_MAX_SIGNATURE_BYTES];
	int bytes = 0;
	bool ok = EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
		  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_word(exponent, 65537);

	if (ok)
		bytes = BN_num_bytes(n);
	ok = ok && bytes >= RSA_MIN_BYTES && bytes <= (int)sizeof(modulus) && BN_bn2bin(n, modulus) == bytes;
	BN_free(n);
	BN_free(exponent);
	if (!ok)
		return pki_openssl_error(e, EINVAL, "PCR policies are signed by RSA keys of 2048 to 4096 bits, exponent 65537; this is none");
	buf_u16be(ret, (uint16_t)(22 + bytes));
	buf_u16be(ret, TPM_ALG_RSA);
	buf_u16be(ret, HASH_SHA256);
	buf_u32be(ret, SIGNER_ATTRIBUTES);
	buf_u16be(ret, 0); /* no policy of its own */
	buf_u16be(ret, TPM_ALG_NULL);
	buf_u16be(ret, TPM_ALG_NULL);
	buf_u16be(ret, (uint16_t)(bytes * 8));
	buf_u32be(ret, 0); /* 65537 */
	buf_u16be(ret, (uint16_t)bytes);
	buf_put(ret, modulus, (size_t)bytes);
	return ret->bad ? err_set(e, ENOMEM, "no memory for a public area") : 0;
}

int pcr_policy_authorize(EVP_PKEY *key, const char *reference, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	static const uint8_t zeros[HASH_SHA256_BYTES];
	cleanup_buf struct buf public = BUF_INIT, first = BUF_INIT, second = BUF_INIT;
	uint8_t digest[HASH_SHA256_BYTES];
	int rc = pcr_policy_public(key, &public, e);

	if (rc)
		return rc;
	hash_sha256(public.data + 2, public.len - 2, digest);
	buf_put(&first, zeros, sizeof(zeros));
	buf_u32be(&first, TPM_CC_POLICY_AUTHORIZE);
	buf_u16be(&first, HASH_SHA256); /* the Name */
	buf_put(&first, digest, sizeof(digest));
	rc = digest_of(&first, digest, e);
	buf_put(&second, digest, sizeof(digest));
	buf_str(&second, reference);
	return rc ? rc : digest_of(&second, ret, e);
}

int pcr_policy_sign(EVP_PKEY *key, const char *reference, struct pcr_policy *ret, struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	cleanup_buf struct buf text = BUF_INIT;
	size_t n = sizeof(ret->signature);
	bool ok;

	buf_put(&text, ret->digest, sizeof(ret->digest));
	buf_str(&text, reference);
	ok = ctx && !text.bad && EVP_PKEY_is_a(key, "RSA") && (size_t)EVP_PKEY_get_size(key) <= n &&
	     EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	     EVP_DigestSign(ctx, ret->signature, &n, text.data, text.len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return pki_openssl_error(e, EINVAL, "cannot sign a PCR policy (an RSA key is wanted)");
	ret->signature_bytes = n;
	return 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static const char *member(const char *reference)
{
	return *reference ? reference : "sha256";
}

/* SHA-256 of the PKCS#1 RSAPublicKey, as systemd names keys. */
static int fingerprint(EVP_PKEY *key, char ret[static 2 * HASH_SHA256_BYTES + 1], struct err *e)
{
	unsigned char *der = NULL;
	uint8_t digest[HASH_SHA256_BYTES];
	int n = i2d_PublicKey(key, &der);

	if (n <= 0)
		return pki_openssl_error(e, EINVAL, "cannot name the key of a PCR policy");
	hash_sha256(der, (size_t)n, digest);
	OPENSSL_free(der);
	hex_encode(digest, sizeof(digest), ret);
	return 0;
}

/* One entry; NULL without memory. */
static json_object *entry(const struct pcr_policy *p, const char *key)
{
	cleanup_json json_object *o = json_object_new_object();
	char digest[2 * HASH_SHA256_BYTES + 1], signature[MAX_BASE64_CHARS + 1];
	json_object *pcrs = json_object_new_array();
	bool ok = o && pcrs;

	for (int i = 0; ok && i < MAX_PCRS; i++)
		if (p->pcrs >> i & 1)
			ok = json_object_array_add(pcrs, json_object_new_int(i)) == 0;
	hex_encode(p->digest, HASH_SHA256_BYTES, digest);
	(void)EVP_EncodeBlock((unsigned char *)signature, p->signature, (int)p->signature_bytes); /* its length */
	ok = ok && json_object_object_add(o, "pcrs", json_object_get(pcrs)) == 0 &&
	     json_object_object_add(o, "pkfp", json_object_new_string(key)) == 0 &&
	     json_object_object_add(o, "pol", json_object_new_string(digest)) == 0 &&
	     json_object_object_add(o, "sig", json_object_new_string(signature)) == 0;
	(void)json_object_put(pcrs); /* drops our reference; accepts NULL */
	return ok ? take_ptr(o) : NULL;
}

int pcr_policy_add(const struct pcr_policies *p, EVP_PKEY *key, const char *reference, struct buf *doc, struct err *e)
{
	cleanup_json json_object *o = NULL;
	char name[2 * HASH_SHA256_BYTES + 1];
	json_object *list = json_object_new_array();
	int rc = fingerprint(key, name, e);

	if (!rc)
		rc = json_parse(doc->data, doc->len, "signed PCR policies", &o, e);
	for (size_t i = 0; !rc && i < p->n; i++)
		if (!list || json_object_array_add(list, entry(&p->v[i], name)) != 0)
			rc = err_set(e, ENOMEM, "no memory for signed PCR policies");
	if (!rc && json_object_object_add(o, member(reference), json_object_get(list)) != 0)
		rc = err_set(e, ENOMEM, "no memory for signed PCR policies");
	(void)json_object_put(list); /* drops our reference; accepts NULL */
	doc->len = 0;
	return rc ? rc : json_write(doc, o, e);
}

static int parse_pcrs(json_object *o, const char *where, uint32_t *ret, struct err *e)
{
	json_object *array;
	int rc = json_get(o, where, "pcrs", json_type_array, &array, e);

	if (rc)
		return rc;
	*ret = 0;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		json_object *v = json_object_array_get_idx(array, i);
		int64_t pcr = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : -1;

		if (pcr < 0 || pcr >= MAX_PCRS || *ret >> pcr)
			return err_set(e, EINVAL, "%s: pcrs[%zu] is no PCR from 0 to 23 in ascending order", where, i);
		*ret |= 1u << pcr;
	}
	return *ret ? 0 : err_set(e, EINVAL, "%s: pcrs names no PCR", where);
}

static int parse_signature(json_object *o, const char *where, struct pcr_policy *ret, struct err *e)
{
	unsigned char bytes[MAX_BASE64_CHARS / 4 * 3];
	const char *text;
	int n, rc = json_get_str(o, where, "sig", MAX_BASE64_CHARS, &text, e);
	size_t len, pad = 0;

	if (rc)
		return rc;
	len = strlen(text);
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	n = len % 4 ? -1 : EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
	if (n <= 0 || strcspn(text, "= \t\r\n") < len - pad || (size_t)n - pad > sizeof(ret->signature))
		return err_set(e, EINVAL, "%s: sig is not the base64 of a signature of at most %d bytes", where,
			       PCR_POLICY_MAX_SIGNATURE_BYTES);
	ret->signature_bytes = (size_t)n - pad;
	memcpy(ret->signature, bytes, ret->signature_bytes);
	return 0;
}

int pcr_policy_parse(const void *text, size_t len, const char *name, const char *reference, struct pcr_policies *ret,
		     struct err *e)
{
	static const char *const keys[] = {"pcrs", "pkfp", "pol", "sig", NULL};
	cleanup_json json_object *doc = NULL;
	struct pcr_policies p = {0};
	json_object *list;
	int rc;

	if (len > PCR_POLICY_MAX_BYTES)
		return err_set(e, EINVAL, "%s: has %zu bytes, at most %d are accepted", name, len, PCR_POLICY_MAX_BYTES);
	rc = json_parse(text, len, name, &doc, e);
	if (!rc && !json_object_is_type(doc, json_type_object))
		rc = err_set(e, EINVAL, "%s: is no JSON object", name);
	if (!rc)
		rc = json_get(doc, name, member(reference), json_type_array, &list, e);
	if (!rc && (json_object_array_length(list) < 1 || json_object_array_length(list) > PCR_POLICY_MAX_ENTRIES))
		rc = err_set(e, EINVAL, "%s: %zu signed states, wanted 1 to %d", name, json_object_array_length(list),
			     PCR_POLICY_MAX_ENTRIES);
	for (; !rc && p.n < json_object_array_length(list); p.n++) {
		json_object *o = json_object_array_get_idx(list, p.n);
		uint8_t key[HASH_SHA256_BYTES];

		if ((rc = json_check_keys(o, name, keys, e)) || (rc = parse_pcrs(o, name, &p.v[p.n].pcrs, e)) ||
		    (rc = json_get_hex(o, name, "pkfp", key, sizeof(key), e)) ||
		    (rc = json_get_hex(o, name, "pol", p.v[p.n].digest, HASH_SHA256_BYTES, e)) ||
		    (rc = parse_signature(o, name, &p.v[p.n], e)))
			break;
	}
	if (rc)
		return rc;
	*ret = p;
	return 0;
}
