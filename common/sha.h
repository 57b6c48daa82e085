/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/sha.h - SHA-1 and SHA-2 without heap, below common/hash.h; by itself for bytes that come in pieces
 *
 * Theory of operation
 *   Two implementations of one interface; a program is linked with one. sha_openssl.c is everybody's. sha_plain.c is
 *   holdfast-initramfs's on machines with UEFI: it hashes a few KB (a tree's edge, its own events), and OpenSSL for that would be
 *   two thirds of the initramfs, unpacked and hashed before anything runs. Both answer the same vectors (tests/common/test_sha.c).
 *
 * Spec: FIPS 180-4.
 */
#ifndef COMMON_SHA_H
#define COMMON_SHA_H

#include "common/hash.h"

#include <stdint.h>

/** struct sha - a digest on its way; opaque, copied as it is */
struct sha {
	enum hash_alg alg;
	uint64_t room[28];
};

/** sha_begin() - false: @alg is none of SHA-1, SHA-256, SHA-384, SHA-512. sha_put() - the next bytes. sha_end() - hash_bytes() bytes. */
bool sha_begin(struct sha *s, enum hash_alg alg);
void sha_put(struct sha *s, const void *data, size_t len);
void sha_end(struct sha *s, uint8_t *ret_digest);

/** sha_extend_sha256() - @pcr = SHA-256(@pcr || @digest): one block, and a second that is always the same */
void sha_extend_sha256(uint8_t pcr[static HASH_SHA256_BYTES], const uint8_t digest[static HASH_SHA256_BYTES]);

#endif
