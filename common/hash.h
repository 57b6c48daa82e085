/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/hash.h - digests by their TPM algorithm number, and the one comparison
 *
 * Theory of operation
 *   Nothing here takes memory from the heap but hash_stream, so PID 1 may measure after its point of no return (common/sha.h). SM3 (which only firmware logs carry)
 *   is known by size and never computed.
 *
 * Spec: TCG Algorithm Registry 1.34, section 6.10 (hash algorithm identifiers and sizes).
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_MAX_BYTES 64
#define HASH_SHA256_BYTES 32

/* Values are TPM_ALG_ID. */
enum hash_alg {
	HASH_NONE = 0,
	HASH_SHA1 = 0x0004,
	HASH_SHA256 = 0x000b,
	HASH_SHA384 = 0x000c,
	HASH_SHA512 = 0x000d,
	HASH_SM3 = 0x0012,
};

/** hash_bytes() - size of one digest; 0 for an algorithm we do not know. */
size_t hash_bytes(enum hash_alg alg);

/** hash_name() - "sha256" and so on; "unknown" else. hash_by_name() is its inverse; HASH_NONE if unknown. */
const char *hash_name(enum hash_alg alg);
enum hash_alg hash_by_name(const char *name);

/** hash_can_compute() - true for SHA-1 and SHA-2; no for SM3 and unknown ones. */
bool hash_can_compute(enum hash_alg alg);

/**
 * hash_once() - digest of one buffer
 * @ret_digest: hash_bytes(@alg) bytes
 *
 * No heap. Return: true; false if @alg cannot be computed (@ret_digest untouched).
 */
bool hash_once(enum hash_alg alg, const void *data, size_t len, uint8_t *ret_digest);

/** hash_extend() - PCR extension in place: @pcr = H(@pcr || @digest), both hash_bytes(@alg). As hash_once(). */
bool hash_extend(enum hash_alg alg, uint8_t *pcr, const uint8_t *digest);

/** hash_sha256() - SHA-256 of one buffer; cannot fail, no heap. */
void hash_sha256(const void *data, size_t len, uint8_t ret_digest[static HASH_SHA256_BYTES]);

/** hash_sha256_file() - SHA-256 of a file's bytes, read in pieces from its start. Return: 0 or -errno. */
int hash_sha256_file(const char *path, uint8_t ret_digest[static HASH_SHA256_BYTES], struct err *e);

/** struct hash_stream - SHA-256 of bytes that come in pieces; on the heap */
struct hash_stream;

/** hash_stream_begin() - NULL: no memory. hash_stream_put() - the next bytes. hash_stream_end() - the digest; releases it. */
struct hash_stream *hash_stream_begin(void);
void hash_stream_put(struct hash_stream *s, const void *data, size_t len);
void hash_stream_end(struct hash_stream *s, uint8_t ret_digest[static HASH_SHA256_BYTES]);

/** hash_equal() - constant-time comparison; lengths are compared first and are not secret. */
bool hash_equal(const void *a, size_t a_len, const void *b, size_t b_len);

/** hash_is_zero() - true when all @len bytes are zero. */
bool hash_is_zero(const void *a, size_t len);

#endif
