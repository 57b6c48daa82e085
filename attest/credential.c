/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/credential.c - the verifier's half of credential activation */
#include "attest/credential.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#define AES_KEY_BYTES    16
#define MAX_SECRET_BYTES 512

static const char oaep_label[] = "IDENTITY"; /* with its NUL: part 1, B.10.4 */

static bool hmac_sha256(const uint8_t key[static HASH_SHA256_BYTES], const struct buf *data,
			uint8_t ret[static HASH_SHA256_BYTES])
{
	unsigned n = HASH_SHA256_BYTES;

	return !data->bad && HMAC(EVP_sha256(), key, HASH_SHA256_BYTES, data->data, data->len, ret, &n) &&
	       n == HASH_SHA256_BYTES;
}

/*
 * KDFa with SHA-256 for up to 256 bits, which is one round (part 1, 11.4.10.2):
 *   HMAC(key, counter 1 || label with NUL || context || bits)
 */
static bool kdfa(const uint8_t key[static CREDENTIAL_SEED_BYTES], const char *label, const void *context, size_t len,
		 uint32_t bits, uint8_t ret[static HASH_SHA256_BYTES])
{
	cleanup_buf struct buf text = BUF_INIT;

	buf_u32be(&text, 1);
	buf_put(&text, label, strlen(label) + 1);
	buf_put(&text, context, len);
	buf_u32be(&text, bits);
	return hmac_sha256(key, &text, ret);
}

static bool aes_cfb(const uint8_t key[static AES_KEY_BYTES], uint8_t *data, size_t len)
{
	static const uint8_t iv[16];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_128_cfb128(), NULL, key, iv) == 1 &&
		  EVP_EncryptUpdate(ctx, data, &n, data, (int)len) == 1 && (size_t)n == len;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

int credential_wrap(const uint8_t seed[static CREDENTIAL_SEED_BYTES], const uint8_t name[static QUOTE_NAME_BYTES],
		    struct bytes credential, struct buf *ret_blob, struct err *e)
{
	uint8_t storage[HASH_SHA256_BYTES], integrity[HASH_SHA256_BYTES], mac[HASH_SHA256_BYTES];
	cleanup_buf struct buf text = BUF_INIT;
	size_t identity_bytes;
	bool ok;

	if (credential.n < 1 || credential.n > CREDENTIAL_MAX_BYTES)
		return err_set(e, EINVAL, "a credential has 1 to %d bytes, not %zu", CREDENTIAL_MAX_BYTES,
			       credential.n);
	buf_u16be(&text, (uint16_t)credential.n);
	buf_put(&text, credential.p, credential.n);
	identity_bytes = text.len;
	ok = !text.bad && kdfa(seed, "STORAGE", name, QUOTE_NAME_BYTES, 128, storage) &&
	     aes_cfb(storage, text.data, text.len) && kdfa(seed, "INTEGRITY", NULL, 0, 256, integrity);
	if (ok) {
		buf_put(&text, name, QUOTE_NAME_BYTES);
		ok = hmac_sha256(integrity, &text, mac);
	}
	OPENSSL_cleanse(storage, sizeof(storage));
	OPENSSL_cleanse(integrity, sizeof(integrity));
	if (!ok)
		return pki_openssl_error(e, ENOMEM, "cannot protect the credential");
	buf_u16be(ret_blob, (uint16_t)(2 + sizeof(mac) + identity_bytes));
	buf_u16be(ret_blob, sizeof(mac));
	buf_put(ret_blob, mac, sizeof(mac));
	buf_put(ret_blob, text.data, identity_bytes);
	return ret_blob->bad ? err_set(e, ENOMEM, "no memory for the credential") : 0;
}

/* RSA-OAEP of @seed to @ek as a TPM2B_ENCRYPTED_SECRET. */
static int share_seed(EVP_PKEY *ek, const uint8_t seed[static CREDENTIAL_SEED_BYTES], struct buf *ret, struct err *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ek, NULL);
	char *label = OPENSSL_memdup(oaep_label, sizeof(oaep_label));
	uint8_t out[MAX_SECRET_BYTES];
	size_t n = sizeof(out);
	bool ok = ctx && label && EVP_PKEY_encrypt_init(ctx) == 1 &&
		  EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
		  EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
		  EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
		  EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, sizeof(oaep_label)) == 1;

	if (ok)
		label = NULL; /* the context owns it now */
	ok = ok && EVP_PKEY_encrypt(ctx, out, &n, seed, CREDENTIAL_SEED_BYTES) == 1;
	OPENSSL_free(label);
	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		return pki_openssl_error(e, EINVAL, "cannot encrypt to the EK");
	buf_u16be(ret, (uint16_t)n);
	buf_put(ret, out, n);
	return ret->bad ? err_set(e, ENOMEM, "no memory for the secret") : 0;
}

int credential_make(EVP_PKEY *ek, const uint8_t name[static QUOTE_NAME_BYTES], struct bytes credential,
		    struct buf *ret_blob, struct buf *ret_secret, struct err *e)
{
	uint8_t seed[CREDENTIAL_SEED_BYTES];
	int rc;

	if (RAND_bytes(seed, sizeof(seed)) != 1)
		return pki_openssl_error(e, EIO, "no random numbers");
	rc = credential_wrap(seed, name, credential, ret_blob, e);
	if (rc == 0)
		rc = share_seed(ek, seed, ret_secret, e);
	OPENSSL_cleanse(seed, sizeof(seed));
	return rc;
}
