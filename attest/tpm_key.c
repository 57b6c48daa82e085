/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/tpm_key.c - an EVP_PKEY whose private half is elsewhere: OpenSSL asks us for each signature */
#include "attest/tpm_key.h"

#include "common/cleanup.h"
#include "common/pki.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <string.h>

#define PROVIDER        "holdfast-tpm"
#define PROPERTY        "provider=" PROVIDER
#define PARAM_KEY       "holdfast-key" /* a struct tpm_key by its address: never leaves the process */
#define GROUP           "prime256v1"
#define MAX_DER_BYTES   72 /* SEQUENCE of two INTEGERs of at most 33 bytes */
#define SECURITY_BITS   128

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* struct holder - what the provider's keys are: a pointer that is set by the import */
struct holder {
	struct tpm_key *key;
};

static void *key_new(void *provctx)
{
	(void)provctx;
	return OPENSSL_zalloc(sizeof(struct holder));
}

static void key_free(void *h)
{
	OPENSSL_free(h);
}

static int key_has(const void *h, int selection)
{
	(void)selection; /* domain parameters, public and private half: a key has all */
	return h && ((const struct holder *)h)->key;
}

static int key_match(const void *a, const void *b, int selection)
{
	const struct holder *x = a, *y = b;

	(void)selection;
	return x->key && y->key && !memcmp(x->key->point, y->key->point, TPM_KEY_POINT_BYTES);
}

static int key_import(void *h, int selection, const OSSL_PARAM params[])
{
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, PARAM_KEY);
	const void *key = NULL;
	size_t n = 0;

	(void)selection;
	if (!p || !OSSL_PARAM_get_octet_ptr(p, &key, &n) || n != sizeof(struct tpm_key))
		return 0; /* somebody else's key: not for us */
	((struct holder *)h)->key = (struct tpm_key *)key;
	return 1;
}

static const OSSL_PARAM *key_import_types(int selection)
{
	static const OSSL_PARAM types[] = {{PARAM_KEY, OSSL_PARAM_OCTET_PTR, NULL, 0, 0}, OSSL_PARAM_END};

	(void)selection;
	return types;
}

static int key_export(void *h, int selection, OSSL_CALLBACK *give, void *arg)
{
	struct tpm_key *key = ((struct holder *)h)->key;
	char group[] = GROUP;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group) - 1),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->point, sizeof(key->point)),
		OSSL_PARAM_END,
	};

	if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)
		return 0; /* see the header */
	return give(params, arg);
}

static const OSSL_PARAM *key_export_types(int selection)
{
	static const OSSL_PARAM types[] = {
		{OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_UTF8_STRING, NULL, 0, 0},
		{OSSL_PKEY_PARAM_PUB_KEY, OSSL_PARAM_OCTET_STRING, NULL, 0, 0},
		OSSL_PARAM_END,
	};

	(void)selection;
	return types;
}

static int key_get_params(void *h, OSSL_PARAM params[])
{
	struct tpm_key *key = ((struct holder *)h)->key;
	const struct {
		const char *name;
		int value;
	} numbers[] = {{OSSL_PKEY_PARAM_BITS, 256},
		       {OSSL_PKEY_PARAM_SECURITY_BITS, SECURITY_BITS},
		       {OSSL_PKEY_PARAM_MAX_SIZE, MAX_DER_BYTES}};
	OSSL_PARAM *p;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if ((p = OSSL_PARAM_locate(params, numbers[i].name)) && !OSSL_PARAM_set_int(p, numbers[i].value))
			return 0;
	if ((p = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_GROUP_NAME)) && !OSSL_PARAM_set_utf8_string(p, GROUP))
		return 0;
	if ((p = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_DEFAULT_DIGEST)) && !OSSL_PARAM_set_utf8_string(p, "SHA256"))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_PUB_KEY);
	return !p || OSSL_PARAM_set_octet_string(p, key->point, sizeof(key->point));
}

static const OSSL_PARAM *key_gettable(void *provctx)
{
	static const OSSL_PARAM types[] = {
		{OSSL_PKEY_PARAM_BITS, OSSL_PARAM_INTEGER, NULL, sizeof(int), 0},
		{OSSL_PKEY_PARAM_SECURITY_BITS, OSSL_PARAM_INTEGER, NULL, sizeof(int), 0},
		{OSSL_PKEY_PARAM_MAX_SIZE, OSSL_PARAM_INTEGER, NULL, sizeof(int), 0},
		{OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_UTF8_STRING, NULL, 0, 0},
		{OSSL_PKEY_PARAM_DEFAULT_DIGEST, OSSL_PARAM_UTF8_STRING, NULL, 0, 0},
		{OSSL_PKEY_PARAM_PUB_KEY, OSSL_PARAM_OCTET_STRING, NULL, 0, 0},
		OSSL_PARAM_END,
	};

	(void)provctx;
	return types;
}

static const char *key_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

#define FUNCTION(id, f) {id, (void (*)(void))(f)}

static const OSSL_DISPATCH key_functions[] = {
	FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new),
	FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),
	FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),
	FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),
	FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import),
	FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types),
	FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),
	FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_export_types),
	FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),
	FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
	FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, key_operation),
	{0, NULL},
};

/* ---- signatures -------------------------------------------------------------------------------------------------- */

/* struct signing - one signature in the making */
struct signing {
	struct tpm_key *key;
	EVP_MD_CTX *md;
};

static void *sign_new(void *provctx, const char *propq)
{
	struct signing *s = OPENSSL_zalloc(sizeof(*s));

	(void)provctx;
	(void)propq;
	if (s)
		s->md = EVP_MD_CTX_new();
	if (s && s->md)
		return s;
	OPENSSL_free(s);
	return NULL;
}

static void sign_free(void *ctx)
{
	struct signing *s = ctx;

	if (s)
		EVP_MD_CTX_free(s->md);
	OPENSSL_free(s);
}

static int sign_init(void *ctx, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct signing *s = ctx;

	(void)params;
	if (digest && OPENSSL_strcasecmp(digest, "SHA256") != 0 && OPENSSL_strcasecmp(digest, "SHA2-256") != 0)
		return 0; /* the key's scheme in the TPM names the hash */
	if (key)
		s->key = ((struct holder *)key)->key;
	return s->key && EVP_DigestInit_ex(s->md, EVP_sha256(), NULL) == 1;
}

static int sign_update(void *ctx, const unsigned char *data, size_t n)
{
	return EVP_DigestUpdate(((struct signing *)ctx)->md, data, n);
}

/* r and s as DER into @sig. */
static int encode(const uint8_t *r, const uint8_t *s, unsigned char *sig, size_t *ret_len)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *rn = BN_bin2bn(r, TPM_KEY_NUMBER_BYTES, NULL), *sn = BN_bin2bn(s, TPM_KEY_NUMBER_BYTES, NULL);
	int n = -1;

	if (pair && rn && sn && ECDSA_SIG_set0(pair, rn, sn) == 1) {
		rn = sn = NULL; /* the pair's */
		n = i2d_ECDSA_SIG(pair, NULL);
		if (n > 0 && n <= MAX_DER_BYTES)
			n = i2d_ECDSA_SIG(pair, &sig);
	}
	BN_free(rn);
	BN_free(sn);
	ECDSA_SIG_free(pair);
	if (n <= 0)
		return 0;
	*ret_len = (size_t)n;
	return 1;
}

static int sign_final(void *ctx, unsigned char *sig, size_t *ret_len, size_t room)
{
	struct signing *s = ctx;
	uint8_t digest[HASH_SHA256_BYTES], rn[TPM_KEY_NUMBER_BYTES], sn[TPM_KEY_NUMBER_BYTES];

	if (!sig) {
		*ret_len = MAX_DER_BYTES;
		return 1;
	}
	if (room < MAX_DER_BYTES || EVP_DigestFinal_ex(s->md, digest, NULL) != 1)
		return 0;
	s->key->last = (struct err)ERR_INIT;
	return !s->key->sign(s->key->arg, digest, rn, sn, &s->key->last) && encode(rn, sn, sig, ret_len);
}

static int sign_once(void *ctx, unsigned char *sig, size_t *ret_len, size_t room, const unsigned char *data, size_t n)
{
	return (!sig || sign_update(ctx, data, n)) && sign_final(ctx, sig, ret_len, room);
}

/* ecdsa-with-SHA256, for certificates: SEQUENCE { OID 1.2.840.10045.4.3.2 }. */
static int sign_get_params(void *ctx, OSSL_PARAM params[])
{
	static const uint8_t algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
	OSSL_PARAM *p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);

	(void)ctx;
	return !p || OSSL_PARAM_set_octet_string(p, algorithm, sizeof(algorithm));
}

static const OSSL_PARAM *sign_gettable(void *ctx, void *provctx)
{
	static const OSSL_PARAM types[] = {{OSSL_SIGNATURE_PARAM_ALGORITHM_ID, OSSL_PARAM_OCTET_STRING, NULL, 0, 0},
					   OSSL_PARAM_END};

	(void)ctx;
	(void)provctx;
	return types;
}

static const OSSL_DISPATCH sign_functions[] = {
	FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, sign_new),
	FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, sign_free),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, sign_init),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, sign_update),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, sign_final),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_once),
	FUNCTION(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, sign_get_params),
	FUNCTION(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, sign_gettable),
	{0, NULL},
};

/* ---- the provider ------------------------------------------------------------------------------------------------ */

static const OSSL_ALGORITHM *query(void *provctx, int operation, int *no_cache)
{
	static const OSSL_ALGORITHM keys[] = {{"EC:id-ecPublicKey:1.2.840.10045.2.1", PROPERTY, key_functions, NULL},
					      {NULL, NULL, NULL, NULL}};
	static const OSSL_ALGORITHM signatures[] = {{"ECDSA", PROPERTY, sign_functions, NULL}, {NULL, NULL, NULL, NULL}};

	(void)provctx;
	*no_cache = 0;
	return operation == OSSL_OP_KEYMGMT ? keys : operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **provctx)
{
	static const OSSL_DISPATCH functions[] = {FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), {0, NULL}};

	(void)handle;
	(void)in;
	*out = functions;
	*provctx = NULL;
	return 1;
}

static OSSL_PROVIDER *providers[2];

static void unload_providers(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(providers); i++)
		if (providers[i])
			(void)OSSL_PROVIDER_unload(providers[i]); /* at the end of the process: nobody is left to be told */
}

/* Once a process; both stay until it ends. */
static bool load_providers(void)
{
	if (providers[1])
		return true;
	if (OPENSSL_atexit(unload_providers) != 1 || OSSL_PROVIDER_add_builtin(NULL, PROVIDER, provider_init) != 1)
		return false;
	providers[0] = OSSL_PROVIDER_load(NULL, "default");
	if (providers[0] && EVP_set_default_properties(NULL, "?provider=default") == 1)
		providers[1] = OSSL_PROVIDER_load(NULL, PROVIDER);
	return providers[1];
}

int tpm_key_new(struct tpm_key *key, EVP_PKEY **ret, struct err *e)
{
	OSSL_PARAM params[] = {OSSL_PARAM_octet_ptr(PARAM_KEY, &key, sizeof(*key)), OSSL_PARAM_END};
	EVP_PKEY_CTX *ctx = load_providers() ? EVP_PKEY_CTX_new_from_name(NULL, "EC", PROPERTY) : NULL;
	EVP_PKEY *made = NULL;
	bool ok = ctx && EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_KEYPAIR, params) == 1;

	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		return pki_openssl_error(e, EIO, "cannot make OpenSSL's handle of a key in the TPM");
	*ret = made;
	return 0;
}
