/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/tls.h - TLS 1.3 as hosts and verifiers speak it
 *
 * Theory of operation
 *   A host's key of a channel is believed for one reason: evidence that came over the channel is bound to it by the AK's
 *   signature (evidence_channel_binding()). So its certificate is self-signed and nobody looks at more of it than the
 *   public key; TLS itself proves that the peer holds the private one. The verifier's certificate is an ordinary one, of
 *   an authority that the host was given.
 *
 *   TLS 1.3 only, P-256 or X25519, AEAD suites; no resumption, no tickets, no early data: each connection shows its key
 *   anew. A peer's certificate is read to at most 8 KiB, and its signature must be ECDSA P-256 with SHA-256.
 *
 * Spec: RFC 8446; docs/formats/verifier.md "Channel".
 */
#ifndef ATTEST_TLS_H
#define ATTEST_TLS_H

#include "common/buf.h"
#include "common/hash.h"
#include "common/pki.h"

#include <openssl/ssl.h>

struct channel_shown;

/** struct tls_identity - a host's key of its channels, with the certificate that carries it; owned */
struct tls_identity {
	EVP_PKEY *key;
	X509 *cert;
	uint8_t digest[HASH_SHA256_BYTES];
};

/**
 * tls_identity_new() - a fresh P-256 key, in memory only: for hosts that no builder has made. tls_identity_of() - the same around
 * @key, which it takes, with @proof in its certificate (attest/channel.h) or NULL
 */
int tls_identity_new(struct tls_identity *ret, struct err *e) WARN_UNUSED;
int tls_identity_of(EVP_PKEY *key, const struct buf *proof, struct tls_identity *ret, struct err *e) WARN_UNUSED;
void tls_identity_free(struct tls_identity *id);
#define cleanup_tls_identity __attribute__((cleanup(tls_identity_free)))

/** tls_peer_digest() - pki_cert_key_digest() of the peer of a finished handshake. -ENOENT if it showed no certificate. */
int tls_peer_digest(SSL *tls, uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/** tls_peer_shown() - the same with what else the certificate shows; @ret is released with channel_shown_free(). */
int tls_peer_shown(SSL *tls, struct channel_shown *ret, struct err *e) WARN_UNUSED;

/** tls_verifier_ctx() - a server with that certificate and key, which asks for a host's and takes any P-256 one. */
int tls_verifier_ctx(const char *cert, const char *key, SSL_CTX **ret, struct err *e) WARN_UNUSED;

/** tls_host_ctx() - a host's end: a client that believes verifiers by @roots (PEM), or, without them, a server. */
int tls_host_ctx(const struct tls_identity *id, const char *roots, SSL_CTX **ret, struct err *e) WARN_UNUSED;

/** tls_asker_ctx() - a client that takes any P-256 certificate, for `fetch`: evidence must be bound to its key. */
int tls_asker_ctx(SSL_CTX **ret, struct err *e) WARN_UNUSED;

CLEANUP_DEFINE(ssl_ctx, SSL_CTX *, SSL_CTX_free)
CLEANUP_DEFINE(ssl, SSL *, SSL_free)
#define cleanup_ssl_ctx __attribute__((cleanup(cleanup_ssl_ctx_fn)))
#define cleanup_ssl __attribute__((cleanup(cleanup_ssl_fn)))

#endif
