/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/pki.c - keys, certificates and the signatures the kernel and we use */
#include "common/pki.h"

#include "common/file.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/store.h>
#include <openssl/storeerr.h>
#include <string.h>

CLEANUP_DEFINE(p7, PKCS7 *, PKCS7_free)
CLEANUP_DEFINE(bio, BIO *, BIO_free_all)
#define cleanup_p7 __attribute__((cleanup(cleanup_p7_fn)))
#define cleanup_bio __attribute__((cleanup(cleanup_bio_fn)))

int pki_openssl_error(struct err *e, int code, const char *sentence)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return err_set(e, code, "%s: %s", sentence, why ? why : "no reason given by OpenSSL");
}

/* Why a store could not be opened: nobody knows the scheme of the URI, or what OpenSSL says. */
static int store_error(const char *uri, const char *sentence, struct err *e)
{
	unsigned long code, last = 0;
	bool unknown = false;

	while ((code = ERR_get_error())) {
		last = code;
		if (ERR_GET_LIB(code) == ERR_LIB_OSSL_STORE &&
		    (ERR_GET_REASON(code) == OSSL_STORE_R_UNREGISTERED_SCHEME || ERR_GET_REASON(code) == ERR_R_UNSUPPORTED))
			unknown = true;
	}
	if (unknown && strchr(uri, ':'))
		return err_set(e, EINVAL, "no OpenSSL provider that is loaded knows keys of the scheme \"%.*s\" (openssl.cnf(5) loads them)",
			       (int)strcspn(uri, ":"), uri);
	return err_set(e, EINVAL, "%s: %s", sentence, last ? ERR_reason_error_string(last) : "no reason given by OpenSSL");
}

int pki_key_load(const char *uri, EVP_PKEY **ret, struct err *e)
{
	OSSL_STORE_CTX *ctx;
	EVP_PKEY *key = NULL;
	const char *path = !strncmp(uri, "file:/", 6) && uri[6] != '/' ? uri + 5 : uri;
	bool is_path = path != uri || !strchr(uri, ':');
	char sentence[200];

	/*
	 * Some providers (pkcs11 with SoftHSM 2.6) crash when OpenSSL unloads them at exit, after the work is done. Nothing needs
	 * that; it can be asked for only if this is the first use of OpenSSL, else it is ignored.
	 */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); /* without it the exit is as ever */
	/* A plain path is checked first: OSSL_STORE says nothing useful about a missing file. */
	if (is_path && access(path, R_OK) < 0)
		return err_errno(e, "cannot read key %s", uri);
	/* What follows a "?" may be a PIN (RFC 7512, section 2.4), which is not for logs. Cut is fine. */
	(void)snprintf(sentence, sizeof(sentence), "%.*s does not hold a private key that can be used",
		       (int)(is_path ? strlen(uri) : strcspn(uri, "?")), uri);
	ctx = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
	if (!ctx)
		return store_error(uri, sentence, e);
	(void)OSSL_STORE_expect(ctx, OSSL_STORE_INFO_PKEY); /* a hint; the type is checked below */
	while (!key && !OSSL_STORE_eof(ctx)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(ctx);

		if (!info)
			break;
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	(void)OSSL_STORE_close(ctx); /* nothing was written */
	if (!key)
		return pki_openssl_error(e, EINVAL, sentence);
	*ret = key;
	return 0;
}

int pki_cert_load(const char *path, X509 **ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	cleanup_bio BIO *bio = NULL;
	const unsigned char *p;
	char sentence[200];
	X509 *cert;
	int r = file_read(path, PKI_MAX_CERT_BYTES, &b, e);

	if (r)
		return r;
	p = b.data;
	cert = d2i_X509(NULL, &p, (long)b.len);
	if (!cert) {
		bio = BIO_new_mem_buf(b.data, (int)b.len);
		cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	}
	(void)snprintf(sentence, sizeof(sentence), "%s is neither a PEM nor a DER certificate", path); /* cut is fine */
	if (!cert)
		return pki_openssl_error(e, EINVAL, sentence);
	ERR_clear_error();
	*ret = cert;
	return 0;
}

/* What i2d_...() made:  bytes, or nothing. */
static int digest_of(unsigned char *der, int n, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	if (n <= 0)
		return pki_openssl_error(e, EINVAL, "cannot encode the certificate or its key");
	hash_sha256(der, (size_t)n, ret);
	OPENSSL_free(der);
	return 0;
}

int pki_cert_key_digest(X509 *cert, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	return digest_of(der, n, ret, e);
}

int pki_cert_fingerprint(X509 *cert, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);

	return digest_of(der, n, ret, e);
}

int pki_sign(const struct pki_signer *by, const void *data, size_t len, enum pki_shape shape, struct buf *ret, struct err *e)
{
	int flags = PKCS7_BINARY | PKCS7_NOATTR | PKCS7_NOCERTS | PKCS7_NOSMIMECAP | PKCS7_PARTIAL;
	cleanup_p7 PKCS7 *p7 = NULL;
	cleanup_bio BIO *bio = NULL;
	unsigned char *der = NULL;
	int n;

	if (shape == PKI_DETACHED)
		flags |= PKCS7_DETACHED;
	if (len > INT_MAX)
		return err_set(e, EFBIG, "more than 2 GiB to sign");
	if (X509_check_private_key(by->cert, by->key) != 1)
		return pki_openssl_error(e, EINVAL, "the signing key is not the one of the certificate");
	bio = BIO_new_mem_buf(data, (int)len);
	p7 = bio ? PKCS7_sign(NULL, NULL, NULL, bio, flags) : NULL;
	if (!p7 || !PKCS7_sign_add_signer(p7, by->cert, by->key, EVP_sha256(), flags) || !PKCS7_final(p7, bio, flags))
		return pki_openssl_error(e, EIO, "cannot sign");
	n = i2d_PKCS7(p7, &der);
	if (n <= 0)
		return pki_openssl_error(e, EIO, "cannot encode the signature");
	buf_put(ret, der, (size_t)n);
	OPENSSL_free(der);
	return ret->bad ? err_set(e, ENOMEM, "no memory for the signature") : 0;
}

/* The one signer of @p7, which must name issuer and serial of @cert. */
static int find_signer(PKCS7 *p7, X509 *cert, PKCS7_SIGNER_INFO **ret, struct err *e)
{
	STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info(p7);
	PKCS7_SIGNER_INFO *si;

	if (!signers || sk_PKCS7_SIGNER_INFO_num(signers) != 1)
		return err_set(e, EBADMSG, "signature has %d signers, wanted 1",
			       signers ? sk_PKCS7_SIGNER_INFO_num(signers) : 0);
	si = sk_PKCS7_SIGNER_INFO_value(signers, 0);
	if (X509_NAME_cmp(si->issuer_and_serial->issuer, X509_get_issuer_name(cert)) ||
	    ASN1_INTEGER_cmp(si->issuer_and_serial->serial, X509_get0_serialNumber(cert)))
		return err_set(e, EBADMSG, "signature is by another certificate than the one trusted here");
	if (sk_X509_ATTRIBUTE_num(si->auth_attr) > 0)
		return err_set(e, EBADMSG, "signature carries signed attributes, wanted none (RFC 2315 9.2)");
	*ret = si;
	return 0;
}

/*
 * The only encoding a signature of our shape by @cert can have, given its signature octets. Comparing with it leaves
 * nothing in the file that could be changed unseen: no second version, algorithm, attribute or spelling.
 */
static int encode_shape(X509 *cert, const ASN1_OCTET_STRING *octets, unsigned char **ret_der, struct err *e)
{
	PKCS7_SIGNER_INFO *si = PKCS7_SIGNER_INFO_new();
	cleanup_p7 PKCS7 *p7 = PKCS7_new();
	int n;

	if (!si || !p7 || !PKCS7_SIGNER_INFO_set(si, cert, X509_get0_pubkey(cert), EVP_sha256()) ||
	    !ASN1_OCTET_STRING_set(si->enc_digest, ASN1_STRING_get0_data(octets), ASN1_STRING_length(octets)) ||
	    !PKCS7_set_type(p7, NID_pkcs7_signed) || !PKCS7_content_new(p7, NID_pkcs7_data) ||
	    !PKCS7_set_detached(p7, 1) || !PKCS7_add_signer(p7, si)) {
		PKCS7_SIGNER_INFO_free(si);
		return pki_openssl_error(e, ENOMEM, "cannot rebuild the signature");
	}
	n = i2d_PKCS7(p7, ret_der);
	return n > 0 ? n : pki_openssl_error(e, ENOMEM, "cannot rebuild the signature");
}

static int check_shape(PKCS7 *p7, X509 *cert, const void *sig, size_t sig_len, struct err *e)
{
	PKCS7_SIGNER_INFO *si = NULL;
	unsigned char *der = NULL;
	int n = find_signer(p7, cert, &si, e);
	bool same;

	if (n)
		return n;
	n = encode_shape(cert, si->enc_digest, &der, e);
	if (n < 0)
		return n;
	same = hash_equal(der, (size_t)n, sig, sig_len);
	OPENSSL_free(der);
	return same ? 0 : err_set(e, EBADMSG, "signature is not encoded as wanted: SHA-256, version 1, no attributes, no certificates");
}

int pki_verify_detached(X509 *cert, const void *data, size_t len, const void *sig, size_t sig_len, struct err *e)
{
	const unsigned char *p = sig;
	cleanup_p7 PKCS7 *p7 = NULL;
	cleanup_bio BIO *bio = NULL;
	STACK_OF(X509) *certs;
	int r, ok;

	if (len > INT_MAX || sig_len > PKI_MAX_SIGNATURE_BYTES)
		return err_set(e, EBADMSG, "signature has %zu bytes, wanted at most %d", sig_len, PKI_MAX_SIGNATURE_BYTES);
	p7 = d2i_PKCS7(NULL, &p, (long)sig_len);
	if (!p7 || !PKCS7_type_is_signed(p7))
		return pki_openssl_error(e, EBADMSG, "signature is not PKCS#7 SignedData in DER");
	if (p != (const unsigned char *)sig + sig_len)
		return err_set(e, EBADMSG, "signature has %zu bytes behind its end",
			       (size_t)((const unsigned char *)sig + sig_len - p));
	if (!PKCS7_get_detached(p7))
		return err_set(e, EBADMSG, "signature carries its own content, wanted a detached one");
	r = check_shape(p7, cert, sig, sig_len, e);
	if (r)
		return r;
	certs = sk_X509_new_null();
	bio = BIO_new_mem_buf(data, (int)len);
	if (!certs || !bio || !sk_X509_push(certs, cert)) {
		sk_X509_free(certs);
		return err_set(e, ENOMEM, "no memory to check the signature");
	}
	ok = PKCS7_verify(p7, certs, NULL, bio, NULL, PKCS7_NOVERIFY | PKCS7_NOINTERN | PKCS7_BINARY);
	sk_X509_free(certs);
	return ok == 1 ? 0 : pki_openssl_error(e, EBADMSG, "signature is not over these bytes by this certificate");
}
