/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/tls.c - TLS 1.3 as hosts and verifiers speak it */
#include "attest/tls.h"

#include "attest/channel.h"

#include <openssl/err.h>
#include <string.h>

#define SUITES              "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define PEER_SIGNATURE      "ECDSA+SHA256"
#define MAX_PEER_CERT_BYTES 8192
#define LIFE_S              (20L * 365 * 24 * 3600) /* of a host's own certificate: nobody looks at it */

/* ---- a host's key ------------------------------------------------------------------------------------------------ */

static bool fill_cert(X509 *cert, EVP_PKEY *key, const struct buf *proof)
{
	struct err ignored = ERR_INIT; /* whoever calls says that there is no certificate */
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_set_version(cert, X509_VERSION_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -LIFE_S) && X509_gmtime_adj(X509_getm_notAfter(cert), LIFE_S) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"holdfast host", -1, -1, 0) ==
		       1 &&
	       X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
	       (!proof || !channel_add_proof(cert, (struct bytes){proof->data, proof->len}, &ignored)) &&
	       X509_sign(cert, key, EVP_sha256()) > 0;
}

int tls_identity_of(EVP_PKEY *key, const struct buf *proof, struct tls_identity *ret, struct err *e)
{
	struct tls_identity id = {.key = key, .cert = X509_new()};
	int rc;

	if (!id.key || !id.cert || !fill_cert(id.cert, id.key, proof))
		rc = pki_openssl_error(e, EIO, "cannot make a certificate for the TLS key");
	else
		rc = pki_cert_key_digest(id.cert, id.digest, e);
	if (rc) {
		tls_identity_free(&id);
		return rc;
	}
	*ret = id;
	return 0;
}

int tls_identity_new(struct tls_identity *ret, struct err *e)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	return key ? tls_identity_of(key, NULL, ret, e) : pki_openssl_error(e, EIO, "cannot make a TLS key");
}

void tls_identity_free(struct tls_identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
	*id = (struct tls_identity){0};
}

int tls_peer_digest(SSL *tls, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	X509 *cert = SSL_get0_peer_certificate(tls);

	return cert ? pki_cert_key_digest(cert, ret, e) : err_set(e, ENOENT, "the peer showed no certificate");
}

int tls_peer_shown(SSL *tls, struct channel_shown *ret, struct err *e)
{
	X509 *cert = SSL_get0_peer_certificate(tls);

	return cert ? channel_shown_load(cert, ret, e) : err_set(e, ENOENT, "the peer showed no certificate");
}

/* ---- contexts ---------------------------------------------------------------------------------------------------- */

static int common(SSL_CTX *ctx, struct err *e)
{
	if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 || SSL_CTX_set_ciphersuites(ctx, SUITES) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256") != 1 || SSL_CTX_set_num_tickets(ctx, 0) != 1)
		return pki_openssl_error(e, EIO, "cannot set TLS up");
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* returns the old mode, as do the next three */
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					    SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_max_cert_list(ctx, MAX_PEER_CERT_BYTES);
	return 0;
}

/* The peer's key is believed by its evidence or not at all; TLS has proven that it holds it. */
static int take_any(X509_STORE_CTX *ctx, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static int use(SSL_CTX *ctx, X509 *cert, EVP_PKEY *key, struct err *e)
{
	if (SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return pki_openssl_error(e, EINVAL, "the TLS certificate and key do not fit");
	return 0;
}

int tls_verifier_ctx(const char *cert, const char *key, SSL_CTX **ret, struct err *e)
{
	cleanup_ssl_ctx SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	cleanup_pkey EVP_PKEY *k = NULL;
	int rc = common(ctx, e);

	if (!rc && SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
		(void)pki_openssl_error(e, EINVAL, "cannot read the TLS certificate"); /* its code is kept */
		rc = err_context(e, "%s", cert);
	}
	if (!rc)
		rc = pki_key_load(key, &k, e);
	if (!rc && (SSL_CTX_use_PrivateKey(ctx, k) != 1 || SSL_CTX_check_private_key(ctx) != 1))
		rc = pki_openssl_error(e, EINVAL, "the TLS certificate and key do not fit");
	if (!rc && SSL_CTX_set1_client_sigalgs_list(ctx, PEER_SIGNATURE) != 1)
		rc = pki_openssl_error(e, EIO, "cannot set TLS up");
	if (rc)
		return rc;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL); /* asked for; relying parties have none */
	SSL_CTX_set_read_ahead(ctx, 1); /* a record by one read(2), not two: server.c asks SSL_has_pending() */
	SSL_CTX_set_cert_verify_callback(ctx, take_any, NULL);
	*ret = take_ptr(ctx);
	return 0;
}

int tls_host_ctx(const struct tls_identity *id, const char *roots, SSL_CTX **ret, struct err *e)
{
	cleanup_ssl_ctx SSL_CTX *ctx = SSL_CTX_new(roots ? TLS_client_method() : TLS_server_method());
	int rc = common(ctx, e);

	if (!rc)
		rc = use(ctx, id->cert, id->key, e);
	if (!rc && roots && SSL_CTX_load_verify_file(ctx, roots) != 1) {
		(void)pki_openssl_error(e, EINVAL, "cannot read the roots that verifiers are believed by"); /* the same */
		rc = err_context(e, "%s", roots);
	}
	if (rc)
		return rc;
	if (roots)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	*ret = take_ptr(ctx);
	return 0;
}

int tls_asker_ctx(SSL_CTX **ret, struct err *e)
{
	cleanup_ssl_ctx SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int rc = common(ctx, e);

	if (!rc && SSL_CTX_set1_sigalgs_list(ctx, PEER_SIGNATURE) != 1)
		rc = pki_openssl_error(e, EIO, "cannot set TLS up");
	if (rc)
		return rc;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, take_any, NULL);
	*ret = take_ptr(ctx);
	return 0;
}
