/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/sha_plain.c - SHA-1 and SHA-2 as FIPS 180-4 writes them, for few bytes and no library (common/sha.h) */
#include "common/sha.h"

#include "common/cleanup.h"

#include <endian.h>
#include <string.h>

#define MAX_BLOCK_BYTES 128

/* struct plain - @h of 32-bit words holds them in its lower halves; @block: bytes that fill none yet, @bytes % block_bytes of them. It stands in struct sha's room */
struct __attribute__((may_alias)) plain {
	uint64_t h[8];
	uint64_t bytes;
	uint8_t block[MAX_BLOCK_BYTES];
};

_Static_assert(sizeof(struct plain) <= sizeof(((struct sha *)0)->room), "it fits");

/* FIPS 180-4 section 4.2.3; SHA-256's (4.2.2) are the upper halves of the first 64. */
static const uint64_t k512[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b,
	0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1,
	0x9bdc06a725c71235, 0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65, 0x2de92c6f592b0275,
	0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
	0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b, 0xa2bfe8a14cf10364, 0xa81a664bbc423001,
	0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8,
	0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec, 0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915,
	0xc67178f2e372532b, 0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
	0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c, 0x4cc5d4becb3e42b6,
	0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

/* Section 5.3: SHA-384's, SHA-512's; SHA-256's are the upper halves of SHA-512's, SHA-1's five words of their own. */
static const uint64_t h512[8] = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
				  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 };
static const uint64_t h384[8] = { 0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
				  0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4 };
static const uint64_t h1[8] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };

static uint32_t ror32(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint64_t ror64(uint64_t x, unsigned n)
{
	return x >> n | x << (64 - n);
}

static void block_sha1(uint64_t h[static 8], const uint8_t *block)
{
	static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
	uint32_t w[80], a = (uint32_t)h[0], b = (uint32_t)h[1], c = (uint32_t)h[2], d = (uint32_t)h[3], e = (uint32_t)h[4];

	memcpy(w, block, 64);
	for (size_t t = 0; t < 16; t++)
		w[t] = be32toh(w[t]);
	for (size_t t = 16; t < 80; t++)
		w[t] = ror32(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 31);
	for (size_t t = 0; t < 80; t++) {
		uint32_t f = t < 20 ? (b & c) ^ (~b & d) : t >= 40 && t < 60 ? (b & c) ^ (b & d) ^ (c & d) : b ^ c ^ d;
		uint32_t x = ror32(a, 27) + f + e + k[t / 20] + w[t];

		e = d;
		d = c;
		c = ror32(b, 2);
		b = a;
		a = x;
	}
	h[0] = (uint32_t)h[0] + a;
	h[1] = (uint32_t)h[1] + b;
	h[2] = (uint32_t)h[2] + c;
	h[3] = (uint32_t)h[3] + d;
	h[4] = (uint32_t)h[4] + e;
}

static void block_sha256(uint64_t h[static 8], const uint8_t *block)
{
	uint32_t w[64], v[8];

	memcpy(w, block, 64);
	for (size_t i = 0; i < 8; i++)
		v[i] = (uint32_t)h[i];
	for (size_t t = 0; t < 64; t++) {
		uint32_t x, y;

		if (t < 16)
			w[t] = be32toh(w[t]);
		else
			w[t] = (ror32(w[t - 2], 17) ^ ror32(w[t - 2], 19) ^ w[t - 2] >> 10) + w[t - 7] +
			       (ror32(w[t - 15], 7) ^ ror32(w[t - 15], 18) ^ w[t - 15] >> 3) + w[t - 16];
		x = v[7] + (ror32(v[4], 6) ^ ror32(v[4], 11) ^ ror32(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + (uint32_t)(k512[t] >> 32) + w[t];
		y = (ror32(v[0], 2) ^ ror32(v[0], 13) ^ ror32(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += x;
		v[0] = x + y;
	}
	for (size_t i = 0; i < 8; i++)
		h[i] = (uint32_t)h[i] + v[i];
}

static void block_sha512(uint64_t h[static 8], const uint8_t *block)
{
	uint64_t w[80], v[8];

	memcpy(w, block, 128);
	memcpy(v, h, sizeof(v));
	for (size_t t = 0; t < 80; t++) {
		uint64_t x, y;

		if (t < 16)
			w[t] = be64toh(w[t]);
		else
			w[t] = (ror64(w[t - 2], 19) ^ ror64(w[t - 2], 61) ^ w[t - 2] >> 6) + w[t - 7] +
			       (ror64(w[t - 15], 1) ^ ror64(w[t - 15], 8) ^ w[t - 15] >> 7) + w[t - 16];
		x = v[7] + (ror64(v[4], 14) ^ ror64(v[4], 18) ^ ror64(v[4], 41)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k512[t] + w[t];
		y = (ror64(v[0], 28) ^ ror64(v[0], 34) ^ ror64(v[0], 39)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += x;
		v[0] = x + y;
	}
	for (size_t i = 0; i < 8; i++)
		h[i] += v[i];
}

static struct plain *plain(struct sha *s)
{
	return (struct plain *)s->room;
}

static size_t block_bytes(const struct sha *s)
{
	return s->alg == HASH_SHA384 || s->alg == HASH_SHA512 ? 128 : 64;
}

static void one_block(struct sha *s, const uint8_t *block)
{
	if (s->alg == HASH_SHA1)
		block_sha1(plain(s)->h, block);
	else if (s->alg == HASH_SHA256)
		block_sha256(plain(s)->h, block);
	else
		block_sha512(plain(s)->h, block);
}

bool sha_begin(struct sha *s, enum hash_alg alg)
{
	const uint64_t *from = alg == HASH_SHA1 ? h1 : alg == HASH_SHA384 ? h384 : h512;

	if (alg != HASH_SHA1 && alg != HASH_SHA256 && alg != HASH_SHA384 && alg != HASH_SHA512)
		return false;
	*s = (struct sha){ .alg = alg };
	for (size_t i = 0; i < 8; i++)
		plain(s)->h[i] = alg == HASH_SHA256 ? from[i] >> 32 : from[i];
	return true;
}

void sha_put(struct sha *s, const void *data, size_t len)
{
	size_t size = block_bytes(s);
	const uint8_t *from = data;

	while (len) {
		size_t at = (size_t)(plain(s)->bytes % size), n = size - at < len ? size - at : len;

		memcpy(plain(s)->block + at, from, n);
		plain(s)->bytes += n;
		from += n;
		len -= n;
		if (at + n == size)
			one_block(s, plain(s)->block);
	}
}

/* Section 5.1: a bit, zeros, the length in bits at the end of the last block. */
void sha_end(struct sha *s, uint8_t *ret_digest)
{
	static const uint8_t pad[MAX_BLOCK_BYTES] = { 0x80 };
	size_t size = block_bytes(s), tail = size / 8, word = size / 16, at = (size_t)(plain(s)->bytes % size);
	uint64_t bits = htobe64(plain(s)->bytes * 8);

	sha_put(s, pad, at < size - tail ? size - tail - at : 2 * size - tail - at);
	sha_put(s, pad + 1, tail - sizeof(bits)); /* of SHA-512's 128 bits the upper half, which is zero */
	sha_put(s, &bits, sizeof(bits));
	for (size_t i = 0; i < hash_bytes(s->alg) / word; i++) {
		uint64_t v = htobe64(plain(s)->h[i]);

		memcpy(ret_digest + word * i, (const uint8_t *)&v + 8 - word, word);
	}
}

void sha_extend_sha256(uint8_t pcr[static HASH_SHA256_BYTES], const uint8_t digest[static HASH_SHA256_BYTES])
{
	struct sha s;

	(void)sha_begin(&s, HASH_SHA256); /* it is one of the four */
	sha_put(&s, pcr, HASH_SHA256_BYTES);
	sha_put(&s, digest, HASH_SHA256_BYTES);
	sha_end(&s, pcr);
}
