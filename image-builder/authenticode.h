/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/authenticode.h - digest and signature of EFI programs, as firmware checks them
 *
 * Theory of operation
 *   The digest covers the file but for the CheckSum, the certificate table's directory entry and the
 *   certificate table. Firmware wants the table at a multiple of 8 bytes, so the image is padded with zeros first;
 *   otherwise the signed file's digest (PCR 4!) would differ from the unsigned one's. The signature is PKCS#7
 * SignedData over an SpcIndirectDataContent, with the signed attributes content type and message digest only: no
 * signing time, so the same key signs to the same bytes (RSA PKCS#1 v1.5).
 *
 * Spec: Microsoft "Windows Authenticode Portable Executable Signature Format" 1.0; UEFI 2.10 section 32.2.4;
 * PKCS#7: RFC 2315.
 */
#ifndef IMAGE_BUILDER_AUTHENTICODE_H
#define IMAGE_BUILDER_AUTHENTICODE_H

#include "common/pki.h"

/** authenticode_digest() - SHA-256 of an image, signed or not (an unsigned one as if padded to 8 bytes). */
int authenticode_digest(const void *image, size_t len, uint8_t ret[static HASH_SHA256_BYTES],
			struct err *e) WARN_UNUSED;

/**
 * authenticode_sign() - the image with a certificate table
 * @key:   RSA; anything else is -EINVAL (firmware takes no other)
 * @cert:  of that key; embedded; its owner must be in db
 * @image: unsigned; an image that carries a signature is -EEXIST
 * @ret:   an empty buf
 */
int authenticode_sign(EVP_PKEY *key, X509 *cert, const void *image, size_t len, struct buf *ret,
		      struct err *e) WARN_UNUSED;

/**
 * authenticode_verify() - is the image's only signature over its digest, by @cert?
 *
 * Return: 0 good; -EBADMSG unsigned, changed, or by another; other -errno could not check.
 */
int authenticode_verify(X509 *cert, const void *image, size_t len, struct err *e) WARN_UNUSED;

#endif
