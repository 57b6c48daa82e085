/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/hash.c - digests by their TPM algorithm number, and the one comparison */
#define OPENSSL_SUPPRESS_DEPRECATED /* low-level SHA: no heap, see the header */
#include "common/hash.h"

#include "common/cleanup.h"

#include <endian.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <string.h>

static const struct hash_info {
	enum hash_alg alg;
	const char *name;
	size_t bytes;
} hash_table[] = {
	{ HASH_SHA1, "sha1", 20 },	{ HASH_SHA256, "sha256", 32 }, { HASH_SHA384, "sha384", 48 },
	{ HASH_SHA512, "sha512", 64 }, { HASH_SM3, "sm3_256", 32 },
};

static const struct hash_info *hash_find(enum hash_alg alg)
{
	for (size_t i = 0; i < ARRAY_SIZE(hash_table); i++)
		if (hash_table[i].alg == alg)
			return &hash_table[i];
	return NULL;
}

size_t hash_bytes(enum hash_alg alg)
{
	const struct hash_info *h = hash_find(alg);

	return h ? h->bytes : 0;
}

const char *hash_name(enum hash_alg alg)
{
	const struct hash_info *h = hash_find(alg);

	return h ? h->name : "unknown";
}

enum hash_alg hash_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(hash_table); i++)
		if (!strcmp(hash_table[i].name, name))
			return hash_table[i].alg;
	return HASH_NONE;
}

bool hash_can_compute(enum hash_alg alg)
{
	return hash_find(alg) && alg != HASH_SM3;
}

/* The digest of @a then @b, so that an extension needs no joined copy. */
static bool hash_two(enum hash_alg alg, const void *a, size_t a_len, const void *b, size_t b_len, uint8_t *ret)
{
	union {
		SHA_CTX s1;
		SHA256_CTX s256;
		SHA512_CTX s512;
	} c;

	switch (alg) {
	case HASH_SHA1:
		SHA1_Init(&c.s1);
		SHA1_Update(&c.s1, a, a_len);
		SHA1_Update(&c.s1, b, b_len);
		SHA1_Final(ret, &c.s1);
		return true;
	case HASH_SHA256:
		SHA256_Init(&c.s256);
		SHA256_Update(&c.s256, a, a_len);
		SHA256_Update(&c.s256, b, b_len);
		SHA256_Final(ret, &c.s256);
		return true;
	case HASH_SHA384:
		SHA384_Init(&c.s512);
		SHA384_Update(&c.s512, a, a_len);
		SHA384_Update(&c.s512, b, b_len);
		SHA384_Final(ret, &c.s512);
		return true;
	case HASH_SHA512:
		SHA512_Init(&c.s512);
		SHA512_Update(&c.s512, a, a_len);
		SHA512_Update(&c.s512, b, b_len);
		SHA512_Final(ret, &c.s512);
		return true;
	case HASH_NONE:
	case HASH_SM3:
		break;
	}
	return false;
}

/*
 * Extending a PCR of SHA-256 is the commonest hash there is: of 64 bytes, which are one block, and a second
 * block that is always the same. Without the context's buffering, counting and wiping they cost half.
 */
static void extend_sha256(uint8_t *pcr, const uint8_t *digest)
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

bool hash_once(enum hash_alg alg, const void *data, size_t len, uint8_t *ret_digest)
{
	return hash_two(alg, data, len, "", 0, ret_digest);
}

static bool extend_any(enum hash_alg alg, uint8_t *pcr, const uint8_t *digest)
{
	uint8_t both[2 * HASH_MAX_BYTES]; /* in one piece: whole blocks are hashed where they lie */
	size_t n = hash_bytes(alg);

	memcpy(both, pcr, n);
	memcpy(both + n, digest, n);
	return hash_two(alg, both, 2 * n, "", 0, pcr);
}

bool hash_extend(enum hash_alg alg, uint8_t *pcr, const uint8_t *digest)
{
	if (alg != HASH_SHA256)
		return extend_any(alg, pcr, digest);
	extend_sha256(pcr, digest);
	return true;
}

void hash_sha256(const void *data, size_t len, uint8_t ret_digest[static HASH_SHA256_BYTES])
{
	(void)hash_two(HASH_SHA256, data, len, "", 0, ret_digest); /* SHA-256 is always there */
}

int hash_sha256_file(const char *path, uint8_t ret_digest[static HASH_SHA256_BYTES], struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t block[16384];
	SHA256_CTX c;
	ssize_t n;

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	SHA256_Init(&c);
	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot read %s", path);
		SHA256_Update(&c, block, (size_t)n);
	}
	SHA256_Final(ret_digest, &c);
	return 0;
}

struct hash_stream {
	SHA256_CTX c;
};

struct hash_stream *hash_stream_begin(void)
{
	struct hash_stream *s = malloc(sizeof(*s));

	if (s)
		SHA256_Init(&s->c);
	return s;
}

void hash_stream_put(struct hash_stream *s, const void *data, size_t len)
{
	SHA256_Update(&s->c, data, len);
}

void hash_stream_end(struct hash_stream *s, uint8_t ret_digest[static HASH_SHA256_BYTES])
{
	SHA256_Final(ret_digest, &s->c);
	free(s);
}

/* As CRYPTO_memcmp(), by words: its time depends on the length alone. The barrier keeps the compiler from ending early. */
bool hash_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
	const uint8_t *p = a, *q = b;
	uint64_t differ = 0, x, y;
	size_t n = a_len;

	if (a_len != b_len)
		return false;
	for (; n >= sizeof(x); n -= sizeof(x), p += sizeof(x), q += sizeof(x)) {
		memcpy(&x, p, sizeof(x));
		memcpy(&y, q, sizeof(y));
		differ |= x ^ y;
		__asm__("" : "+r"(differ));
	}
	for (; n; n--, p++, q++)
		differ |= (uint64_t)(*p ^ *q);
	__asm__("" : "+r"(differ));
	return differ == 0;
}

bool hash_is_zero(const void *a, size_t len)
{
	const uint8_t *p = a;
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}
