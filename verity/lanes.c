/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/lanes.c - salted hashes of many equal blocks: message layout, choice of the code path */
#define OPENSSL_SUPPRESS_DEPRECATED /* low-level SHA: a context to copy, no heap */
#include "verity/lanes.h"

#include "verity/lanes_path.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif
#ifdef __aarch64__
#include <sys/auxv.h>
#endif

const uint32_t lanes_k[64] __attribute__((aligned(64))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* --- the paths ------------------------------------------------------------------------------------------------- */

/* One chunk after the other by OpenSSL's own compression: a context's words are the state. */
static void openssl_1(uint32_t (*state)[8], const uint8_t *const *p, size_t chunks, size_t ahead)
{
	SHA256_CTX ctx;

	(void)ahead;
	(void)SHA256_Init(&ctx); /* cannot fail, nor can the rest */
	memcpy(ctx.h, state[0], sizeof(ctx.h));
	(void)SHA256_Update(&ctx, p[0], chunks * LANES_CHUNK);
	memcpy(state[0], ctx.h, sizeof(ctx.h));
}

static bool has_always(void)
{
	return true;
}

#ifdef __x86_64__
static bool has_shani(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("avx") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}
#endif

#ifdef __aarch64__
static bool has_armv8(void)
{
	return getauxval(AT_HWCAP) & HWCAP_SHA2;
}
#endif

/* Best first. One narrow lane is OpenSSL's where it beats a vector that is mostly empty. */
static const struct lanes_path paths[] = {
#ifdef __x86_64__
	{"shani", has_shani, {{4, 3, lanes_shani_4}, {2, 2, lanes_shani_2}, {1, 1, lanes_shani_1}}},
	{"avx512", has_avx512, {{16, 9, lanes_avx512_16}, {8, 3, lanes_avx2_8}, {1, 1, openssl_1}}},
	{"avx2", has_avx2, {{8, 3, lanes_avx2_8}, {1, 1, openssl_1}}},
#endif
#ifdef __aarch64__
	{"armv8", has_armv8, {{4, 3, lanes_armv8_4}, {2, 2, lanes_armv8_2}, {1, 1, lanes_armv8_1}}},
#endif
	{"openssl", has_always, {{1, 1, openssl_1}}},
};
#define PATHS ARRAY_SIZE(paths)

/* --- SHA-256: head, body and tail of a group of blocks ---------------------------------------------------------- */

static void store_digest(const uint32_t state[static 8], uint8_t *ret)
{
	for (unsigned i = 0; i < 8; i++) {
		uint32_t word = __builtin_bswap32(state[i]); /* both architectures are little-endian */

		memcpy(ret + 4 * i, &word, sizeof(word));
	}
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lanes.c is for little-endian machines");

/* struct edge - chunk at a block's start, then those at its end, where they hold both salt or padding and block */
struct edge {
	uint8_t bytes[2 * LANES_CHUNK]; /* 63 bytes of block and 9 of padding at most */
};

/* Run @k over k->lanes blocks; @edge has room for as many. */
static void hash_group(const struct verity_lanes *l, const struct lanes_kernel *k, const uint8_t *const *block,
		       size_t ahead, struct edge *edge, uint32_t (*state)[8])
{
	const uint8_t *p[LANES_MAX];
	size_t rest = l->head_bytes, start = rest ? LANES_CHUNK - rest : 0;

	for (unsigned i = 0; i < k->lanes; i++)
		memcpy(state[i], l->midstate, sizeof(l->midstate));
	if (rest) {
		for (unsigned i = 0; i < k->lanes; i++) {
			memcpy(edge[i].bytes, l->head, rest);
			memcpy(edge[i].bytes + rest, block[i], start);
			p[i] = edge[i].bytes;
		}
		k->run(state, p, 1, 0);
	}
	for (unsigned i = 0; i < k->lanes; i++)
		p[i] = block[i] + start;
	k->run(state, p, l->body_chunks, ahead);
	for (unsigned i = 0; i < k->lanes; i++) {
		p[i] = l->tail;
		if (!rest)
			continue;
		memcpy(edge[i].bytes, block[i] + l->block_bytes - rest, rest);
		memcpy(edge[i].bytes + rest, l->tail + rest, l->tail_chunks * LANES_CHUNK - rest);
		p[i] = edge[i].bytes;
	}
	k->run(state, p, l->tail_chunks, 0);
}

static void hash_sha256_blocks(const struct verity_lanes *l, const uint8_t *blocks, size_t stride, size_t n,
			       uint8_t *digests, size_t digest_stride)
{
	const struct lanes_kernel *k = l->path->kernel;
	const uint8_t *block[LANES_MAX];
	uint32_t state[LANES_MAX][8];
	struct edge edge[LANES_MAX];

	while (n) {
		size_t m;

		while (n < k->at_least)
			k++;
		m = n < k->lanes ? n : k->lanes;
		for (unsigned i = 0; i < k->lanes; i++)
			block[i] = blocks + (i < m ? i : 0) * stride; /* lanes without a block of their own repeat the first */
		hash_group(l, k, block, n > m ? m * stride : 0, edge, state);
		for (size_t i = 0; i < m; i++)
			store_digest(state[i], digests + i * digest_stride);
		blocks += m * stride;
		digests += m * digest_stride;
		n -= m;
	}
}

/* The midstate, and what stands before and behind a block. */
static void prepare_sha256(struct verity_lanes *l)
{
	size_t whole = l->version ? l->salt_bytes / LANES_CHUNK : 0;
	size_t used; /* bytes of the tail before the padding */
	uint64_t bits = __builtin_bswap64(8 * (uint64_t)(l->salt_bytes + l->block_bytes));
	SHA256_CTX ctx;

	(void)SHA256_Init(&ctx); /* cannot fail */
	(void)SHA256_Update(&ctx, l->salt, whole * LANES_CHUNK);
	memcpy(l->midstate, ctx.h, sizeof(l->midstate));
	l->head_bytes = l->version ? l->salt_bytes % LANES_CHUNK : 0;
	memcpy(l->head, l->salt + whole * LANES_CHUNK, l->head_bytes);
	l->body_chunks = l->block_bytes / LANES_CHUNK - (l->head_bytes != 0);
	used = l->version ? l->head_bytes : l->salt_bytes;
	if (!l->version)
		memcpy(l->tail, l->salt, l->salt_bytes);
	l->tail_chunks = (used + 1 + sizeof(bits) + LANES_CHUNK - 1) / LANES_CHUNK;
	l->tail[used] = 0x80;
	memcpy(l->tail + l->tail_chunks * LANES_CHUNK - sizeof(bits), &bits, sizeof(bits));
}

/* --- the other algorithms ---------------------------------------------------------------------------------------- */

/* OpenSSL's SHA-1, SHA-256 and SHA-512 differ in names only. */
#define BLOCKS_BY_OPENSSL(function, type, init, update, final) \
	static void function(const struct verity_lanes *l, const uint8_t *blocks, size_t stride, size_t n, \
			     uint8_t *digests, size_t digest_stride) \
	{ \
		type salted; \
		(void)init(&salted); /* none of these can fail */ \
		if (l->version) \
			(void)update(&salted, l->salt, l->salt_bytes); \
		for (size_t i = 0; i < n; i++) { \
			type ctx = salted; \
			(void)update(&ctx, blocks + i * stride, l->block_bytes); \
			if (!l->version) \
				(void)update(&ctx, l->salt, l->salt_bytes); \
			(void)final(digests + i * digest_stride, &ctx); \
		} \
	}
BLOCKS_BY_OPENSSL(hash_sha1_blocks, SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final)
BLOCKS_BY_OPENSSL(hash_sha256_reference, SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final)
BLOCKS_BY_OPENSSL(hash_sha512_blocks, SHA512_CTX, SHA512_Init, SHA512_Update, SHA512_Final)

void verity_lanes_hash(const struct verity_lanes *l, const uint8_t *blocks, size_t stride, size_t n, uint8_t *digests,
		       size_t digest_stride)
{
	switch (l->alg) {
	case HASH_SHA1:
		hash_sha1_blocks(l, blocks, stride, n, digests, digest_stride);
		return;
	case HASH_SHA512:
		hash_sha512_blocks(l, blocks, stride, n, digests, digest_stride);
		return;
	default: /* verity_lanes_init() lets nothing else in */
		if (l->path->kernel[0].run == openssl_1)
			hash_sha256_reference(l, blocks, stride, n, digests, digest_stride);
		else
			hash_sha256_blocks(l, blocks, stride, n, digests, digest_stride);
		return;
	}
}

/* --- choice ------------------------------------------------------------------------------------------------------ */

#define CHECK_BLOCKS LANES_MAX

/* Do all kernels of @path agree with OpenSSL, full and partly filled, at odd addresses? Head, body and tail are all there. */
static bool path_agrees(const struct lanes_path *path)
{
	struct verity_lanes l = {
		.alg = HASH_SHA256, .version = 1, .salt_bytes = 60, .block_bytes = VERITY_LANES_MIN_BLOCK_BYTES, .path = path,
	};
	uint8_t block[VERITY_LANES_MIN_BLOCK_BYTES + CHECK_BLOCKS];
	uint8_t want[CHECK_BLOCKS][HASH_SHA256_BYTES], have[CHECK_BLOCKS][HASH_SHA256_BYTES];

	for (size_t i = 0; i < l.salt_bytes; i++)
		l.salt[i] = (uint8_t)(i * 7 + 1);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(i * i * 31 + i * 5 + (i >> 3));
	prepare_sha256(&l);
	hash_sha256_reference(&l, block, 1, CHECK_BLOCKS, want[0], HASH_SHA256_BYTES);
	for (unsigned i = 0; i < 2 * LANES_MAX_KERNEL; i++) {
		const struct lanes_kernel *k = &path->kernel[i / 2];
		size_t n = i % 2 ? k->lanes : k->at_least;

		if (!n)
			break; /* no more kernels */
		memset(have, 0, sizeof(have));
		hash_sha256_blocks(&l, block + CHECK_BLOCKS - n, 1, n, have[0], HASH_SHA256_BYTES);
		if (memcmp(have, want[CHECK_BLOCKS - n], n * HASH_SHA256_BYTES) != 0)
			return false;
	}
	return true;
}

/* What became of each path, asked once a process. */
static enum verity_path_verdict verdicts[PATHS];
static pthread_once_t asked = PTHREAD_ONCE_INIT;

static void ask(void)
{
	for (size_t i = 0; i < PATHS; i++) {
		if (!paths[i].has())
			verdicts[i] = VERITY_PATH_LACKING;
		else
			verdicts[i] = path_agrees(&paths[i]) ? VERITY_PATH_GOOD : VERITY_PATH_DISAGREES;
	}
}

static const char *name_of(size_t i)
{
	return i < PATHS ? paths[i].name : NULL;
}

static const struct verity_path_family family = {"SHA-256", VERITY_LANES_ENV, "OpenSSL on this CPU", name_of, verdicts};

static int choose_path(const char *name, const struct lanes_path **ret, struct err *e)
{
	size_t i = 0;
	int r;

	if (pthread_once(&asked, ask))
		return err_set(e, EIO, "cannot check the SHA-256 paths");
	r = verity_path_choose(&family, name, &i, e);
	if (!r)
		*ret = &paths[i];
	return r;
}

int verity_lanes_init(struct verity_lanes *ret, const struct verity_lanes_params *p, struct err *e)
{
	struct verity_lanes l = {.digest_bytes = hash_bytes(p->alg), .block_bytes = p->block_bytes, .alg = p->alg,
				 .version = p->version, .salt_bytes = p->salt_bytes};
	int r;

	if (p->alg != HASH_SHA256 && p->alg != HASH_SHA1 && p->alg != HASH_SHA512)
		return err_set(e, ENOTSUP, "cannot hash blocks with %s, only with sha256, sha512, sha1", hash_name(p->alg));
	if (p->version > 1)
		return err_set(e, EINVAL, "hash type %u, wanted 0 or 1", p->version);
	if (p->salt_bytes > VERITY_LANES_MAX_SALT_BYTES)
		return err_set(e, EINVAL, "salt of %zu bytes, wanted at most %d", p->salt_bytes, VERITY_LANES_MAX_SALT_BYTES);
	if (p->block_bytes < VERITY_LANES_MIN_BLOCK_BYTES || p->block_bytes > VERITY_LANES_MAX_BLOCK_BYTES ||
	    (p->block_bytes & (p->block_bytes - 1)))
		return err_set(e, EINVAL, "block size %zu, wanted a power of two from %d to %d", p->block_bytes,
			       VERITY_LANES_MIN_BLOCK_BYTES, VERITY_LANES_MAX_BLOCK_BYTES);
	r = choose_path(p->path, &l.path, e);
	if (r)
		return r;
	if (p->salt_bytes)
		memcpy(l.salt, p->salt, p->salt_bytes);
	prepare_sha256(&l);
	*ret = l;
	return 0;
}

const char *verity_lanes_path_name(const struct verity_lanes *l)
{
	return l->alg == HASH_SHA256 ? l->path->name : "openssl";
}

bool verity_lanes_paths(size_t i, struct verity_path_info *ret)
{
	if (i >= PATHS)
		return false;
	*ret = (struct verity_path_info){paths[i].name, paths[i].kernel[0].lanes, paths[i].has()};
	return true;
}
