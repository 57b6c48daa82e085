/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/sha_openssl.c - SHA-1 and SHA-2 by OpenSSL's low-level functions, which take no memory from the heap */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/sha.h"

#include <endian.h>
#include <openssl/sha.h>
#include <string.h>

union ctx {
	SHA_CTX s1;
	SHA256_CTX s256;
	SHA512_CTX s512;
};

_Static_assert(sizeof(union ctx) <= sizeof(((struct sha *)0)->room), "OpenSSL's contexts fit");

static union ctx *ctx(struct sha *s)
{
	return (union ctx *)s->room;
}

bool sha_begin(struct sha *s, enum hash_alg alg)
{
	s->alg = alg;
	switch (alg) {
	case HASH_SHA1:
		return SHA1_Init(&ctx(s)->s1) == 1;
	case HASH_SHA256:
		return SHA256_Init(&ctx(s)->s256) == 1;
	case HASH_SHA384:
		return SHA384_Init(&ctx(s)->s512) == 1;
	case HASH_SHA512:
		return SHA512_Init(&ctx(s)->s512) == 1;
	case HASH_NONE:
	case HASH_SM3:
		break;
	}
	return false;
}

void sha_put(struct sha *s, const void *data, size_t len)
{
	if (s->alg == HASH_SHA256)
		SHA256_Update(&ctx(s)->s256, data, len);
	else if (s->alg == HASH_SHA1)
		SHA1_Update(&ctx(s)->s1, data, len);
	else
		SHA512_Update(&ctx(s)->s512, data, len);
}

void sha_end(struct sha *s, uint8_t *ret_digest)
{
	if (s->alg == HASH_SHA256)
		SHA256_Final(ret_digest, &ctx(s)->s256);
	else if (s->alg == HASH_SHA1)
		SHA1_Final(ret_digest, &ctx(s)->s1);
	else
		SHA512_Final(ret_digest, &ctx(s)->s512); /* the context knows which of the two it is */
}

/* The commonest hash there is. Without the context's buffering, counting and wiping it costs half. */
void sha_extend_sha256(uint8_t pcr[static HASH_SHA256_BYTES], const uint8_t digest[static HASH_SHA256_BYTES])
{
	static const uint8_t last[SHA256_CBLOCK] = { [0] = 0x80, [SHA256_CBLOCK - 2] = 2 }; /* 512 bits, FIPS 180-4 section 5.1.1 */
	uint8_t both[SHA256_CBLOCK];
	SHA256_CTX c;

	memcpy(both, pcr, HASH_SHA256_BYTES);
	memcpy(both + HASH_SHA256_BYTES, digest, HASH_SHA256_BYTES);
	SHA256_Init(&c);
	SHA256_Transform(&c, both);
	SHA256_Transform(&c, last);
	for (size_t i = 0; i < 8; i++) {
		uint32_t word = htobe32(c.h[i]);

		memcpy(pcr + 4 * i, &word, 4);
	}
}
