/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/pki.h - keys, certificates and the two shapes of detached and attached signatures the kernel and we use
 *
 * Keys are named by a PEM file or any URI an OpenSSL provider understands (`pkcs11:...`), read through
 * OSSL_STORE. RSA (2048 or more) and ECDSA P-256/384 are accepted. Signing RSA with SHA-256 PKCS#1 v1.5 is
 * deterministic, which reproducible images need.
 *
 * Spec: RFC 2315 (PKCS#7), RFC 5652 (CMS); kernel: Documentation/admin-guide/device-mapper/verity.rst
 * (root hash signature), Documentation/admin-guide/LSM/ipe.rst (policy signature).
 */
#ifndef COMMON_PKI_H
#define COMMON_PKI_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define PKI_MAX_CERT_BYTES 16384
#define PKI_MAX_SIGNATURE_BYTES 16384

CLEANUP_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)
CLEANUP_DEFINE(x509, X509 *, X509_free)
#define cleanup_pkey __attribute__((cleanup(cleanup_pkey_fn)))
#define cleanup_x509 __attribute__((cleanup(cleanup_x509_fn)))

/** pki_key_load() - private key from a PEM path or a provider URI. */
int pki_key_load(const char *uri, EVP_PKEY **ret, struct err *e) WARN_UNUSED;

/** pki_cert_load() - certificate from a PEM or DER file. */
int pki_cert_load(const char *path, X509 **ret, struct err *e) WARN_UNUSED;

/** pki_cert_key_digest() - SHA-256 of a certificate's SubjectPublicKeyInfo: which key it is of, whoever certified it. */
int pki_cert_key_digest(X509 *cert, uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/** pki_cert_fingerprint() - SHA-256 of the DER certificate. */
int pki_cert_fingerprint(X509 *cert, uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

/* How pki_sign() packs. All are without S/MIME capabilities, signed attributes and certificates. */
enum pki_shape {
	PKI_DETACHED, /* dm-verity root hash, layer policy, reference values */
	PKI_ATTACHED, /* IPE policy: content inside */
};

/** struct pki_signer - a private key and the certificate that names it; both borrowed */
struct pki_signer {
	EVP_PKEY *key;
	X509 *cert;
};

/**
 * pki_sign() - PKCS#7 SignedData, DER, SHA-256
 * @ret: appended to
 *
 * -EINVAL if key and certificate do not belong together.
 */
int pki_sign(const struct pki_signer *by, const void *data, size_t len, enum pki_shape shape, struct buf *ret,
	     struct err *e) WARN_UNUSED;

/**
 * pki_verify_detached() - is @sig the signature of exactly these bytes by the key of @cert?
 *
 * One signer, named by @cert's issuer and serial; SHA-256; no attributes; no trailing bytes. The certificate is the anchor:
 * no chain is built and its dates are not looked at (a host's clock is not to be trusted at boot).
 * Return: 0 good, -EBADMSG checked and bad (sentence says why), other -errno could not check.
 */
int pki_verify_detached(X509 *cert, const void *data, size_t len, const void *sig, size_t sig_len,
			struct err *e) WARN_UNUSED;

/** pki_openssl_error() - store "<sentence>: <OpenSSL's last reason>" and empty its queue. Return: -@code. */
int pki_openssl_error(struct err *e, int code, const char *sentence);

#endif
