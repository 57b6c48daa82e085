/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/hash.c - digests by their TPM algorithm number, and the one comparison */
#include "common/hash.h"

#include "common/cleanup.h"
#include "common/sha.h"

#include <fcntl.h>
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

/* The digest of one buffer. */
static bool hash_one(enum hash_alg alg, const void *data, size_t len, uint8_t *ret)
{
	struct sha s;

	if (!sha_begin(&s, alg))
		return false;
	sha_put(&s, data, len);
	sha_end(&s, ret);
	return true;
}

bool hash_once(enum hash_alg alg, const void *data, size_t len, uint8_t *ret_digest)
{
	return hash_one(alg, data, len, ret_digest);
}

static bool extend_any(enum hash_alg alg, uint8_t *pcr, const uint8_t *digest)
{
	uint8_t both[2 * HASH_MAX_BYTES]; /* in one piece: whole blocks are hashed where they lie */
	size_t n = hash_bytes(alg);

	memcpy(both, pcr, n);
	memcpy(both + n, digest, n);
	return hash_one(alg, both, 2 * n, pcr);
}

bool hash_extend(enum hash_alg alg, uint8_t *pcr, const uint8_t *digest)
{
	if (alg != HASH_SHA256)
		return extend_any(alg, pcr, digest);
	sha_extend_sha256(pcr, digest);
	return true;
}

void hash_sha256(const void *data, size_t len, uint8_t ret_digest[static HASH_SHA256_BYTES])
{
	(void)hash_one(HASH_SHA256, data, len, ret_digest); /* SHA-256 is always there */
}

int hash_sha256_file(const char *path, uint8_t ret_digest[static HASH_SHA256_BYTES], struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t block[16384];
	struct sha s;
	ssize_t n;

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	(void)sha_begin(&s, HASH_SHA256); /* it is always there */
	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot read %s", path);
		sha_put(&s, block, (size_t)n);
	}
	sha_end(&s, ret_digest);
	return 0;
}

struct hash_stream {
	struct sha sha;
};

struct hash_stream *hash_stream_begin(void)
{
	struct hash_stream *s = malloc(sizeof(*s));

	if (s)
		(void)sha_begin(&s->sha, HASH_SHA256); /* it is always there */
	return s;
}

void hash_stream_put(struct hash_stream *s, const void *data, size_t len)
{
	sha_put(&s->sha, data, len);
}

void hash_stream_end(struct hash_stream *s, uint8_t ret_digest[static HASH_SHA256_BYTES])
{
	sha_end(&s->sha, ret_digest);
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
