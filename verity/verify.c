/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/verify.c - check data and hash tree against a root hash, naming the first bad block */
#include "verity/verify.h"

#include <string.h>

#define BLOCKS_AT_ONCE 64

/*
 * struct check - one verification under way
 * @parent:        the block of the level above that holds the digests now compared with; number @parent_number
 * @tree_at_bytes: offset of the top level in the hash file
 */
struct check {
	int data_fd, hash_fd;
	uint64_t tree_at_bytes;
	const uint8_t *root_hash;
	struct verity_sb sb;
	struct verity_levels levels;
	struct verity_salted salted;
	uint8_t parent[VERITY_BLOCK_BYTES];
	uint64_t parent_number;
	uint8_t blocks[BLOCKS_AT_ONCE * VERITY_BLOCK_BYTES];
};

static int bad_sizes(struct verity_finding *ret)
{
	*ret = (struct verity_finding){.verdict = VERITY_VERDICT_BAD, .level = VERITY_LEVEL_NONE};
	return 0;
}

/* Read exactly @n bytes. Return: 0; -ENODATA if the file ends before; -errno. */
static int read_exactly(int fd, void *dst, size_t n, uint64_t at, const char *what, struct err *e)
{
	uint8_t *p = dst;

	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "cannot read the %s at offset %llu", what, (unsigned long long)at);
		if (got == 0)
			return err_set(e, ENODATA, "the %s ends at offset %llu, too early", what,
				       (unsigned long long)at);
		p += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static uint64_t level_offset(const struct check *c, int level)
{
	return level == VERITY_LEVEL_DATA ? 0 : c->tree_at_bytes + c->levels.first[level] * VERITY_BLOCK_BYTES;
}

/* The digest that block @number of @level must have; the level above was proved before. */
static int wanted_digest(struct check *c, int level, uint64_t number, const uint8_t **ret, struct err *e)
{
	uint64_t in_block = number / VERITY_DIGESTS_PER_BLOCK;

	if (level + 1 == (int)c->levels.n) {
		*ret = c->root_hash;
		return 0;
	}
	if (c->parent_number != in_block) {
		int r = read_exactly(c->hash_fd, c->parent, VERITY_BLOCK_BYTES,
				     level_offset(c, level + 1) + in_block * VERITY_BLOCK_BYTES, "hash tree", e);

		if (r)
			return r;
		c->parent_number = in_block;
	}
	*ret = c->parent + number % VERITY_DIGESTS_PER_BLOCK * HASH_SHA256_BYTES;
	return 0;
}

static int bad_block(const struct check *c, int level, uint64_t number, struct verity_finding *ret, struct err *e)
{
	*ret = (struct verity_finding){.verdict = VERITY_VERDICT_BAD,
				       .level = level,
				       .block = number,
				       .offset_bytes = level_offset(c, level) + number * VERITY_BLOCK_BYTES};
	if (level == VERITY_LEVEL_DATA)
		(void)err_set(e, EBADMSG, "data block %llu (offset %llu) does not have the digest the hash tree holds",
			      (unsigned long long)number, (unsigned long long)ret->offset_bytes);
	else
		(void)err_set(e, EBADMSG,
			      "hash tree: block %llu of level %d (offset %llu) does not have the digest that %s holds",
			      (unsigned long long)number, level, (unsigned long long)ret->offset_bytes,
			      level + 1 == (int)c->levels.n ? "the root hash" : "the level above it");
	return 0;
}

/*
 * Does the last block of a level hold exactly the digests of @children blocks below: a digest for the last one, and
 * zeros behind it? Only this ties the number of data blocks, which nobody signs, to the root hash.
 */
static bool ends_with(const uint8_t block[static VERITY_BLOCK_BYTES], uint64_t children)
{
	size_t last = (size_t)((children - 1) % VERITY_DIGESTS_PER_BLOCK) * HASH_SHA256_BYTES,
	       end = last + HASH_SHA256_BYTES;

	return !hash_is_zero(block + last, HASH_SHA256_BYTES) && hash_is_zero(block + end, VERITY_BLOCK_BYTES - end);
}

static int bad_end(uint64_t blocks, struct verity_finding *ret, struct err *e)
{
	(void)err_set(e, EBADMSG, "the superblock says %llu data blocks, the hash tree ends elsewhere",
		      (unsigned long long)blocks);
	return bad_sizes(ret);
}

/* All blocks of one level, in order. Leaves @ret alone if they are good. */
static int check_level(struct check *c, int level, uint64_t blocks, struct verity_finding *ret, struct err *e)
{
	const char *what = level == VERITY_LEVEL_DATA ? "data" : "hash tree";
	int fd = level == VERITY_LEVEL_DATA ? c->data_fd : c->hash_fd;

	c->parent_number = UINT64_MAX;
	for (uint64_t i = 0; i < blocks; i++) {
		uint8_t digest[HASH_SHA256_BYTES];
		const uint8_t *wanted = NULL;
		int r = 0;

		if (i % BLOCKS_AT_ONCE == 0) {
			uint64_t n = blocks - i < BLOCKS_AT_ONCE ? blocks - i : BLOCKS_AT_ONCE;

			r = read_exactly(fd, c->blocks, (size_t)n * VERITY_BLOCK_BYTES,
					 level_offset(c, level) + i * VERITY_BLOCK_BYTES, what, e);
		}
		if (!r)
			r = wanted_digest(c, level, i, &wanted, e);
		if (r)
			return r;
		verity_salted_hash(&c->salted, c->blocks + i % BLOCKS_AT_ONCE * VERITY_BLOCK_BYTES, digest);
		if (!hash_equal(digest, sizeof(digest), wanted, HASH_SHA256_BYTES))
			return bad_block(c, level, i, ret, e);
	}
	if (level + 1 < (int)c->levels.n && !ends_with(c->parent, blocks))
		return bad_end(c->sb.data_blocks, ret, e);
	return 0;
}

/* The zeros between superblock and tree. */
static int check_gap(struct check *c, uint64_t at, struct verity_finding *ret, struct err *e)
{
	size_t n = VERITY_BLOCK_BYTES - VERITY_SB_BYTES;
	int r;

	/* Nothing follows the superblock when the data is one block: a device may end there. */
	r = read_exactly(c->hash_fd, c->blocks, n, at + VERITY_SB_BYTES, "superblock's block", e);
	if (r == -ENODATA && c->levels.n == 0)
		return 0;
	if (r)
		return r;
	if (hash_is_zero(c->blocks, n))
		return 0;
	(void)err_set(e, EBADMSG, "the bytes behind the superblock (offset %llu) are not zero",
		      (unsigned long long)at + VERITY_SB_BYTES);
	return bad_sizes(ret);
}

static int check_all(struct check *c, uint64_t at, struct verity_finding *ret, struct err *e)
{
	int r = check_gap(c, at, ret, e);

	for (int level = (int)c->levels.n - 1; !r && ret->verdict == VERITY_VERDICT_UNSET && level >= 0; level--)
		r = check_level(c, level, c->levels.blocks[level], ret, e);
	if (!r && ret->verdict == VERITY_VERDICT_UNSET)
		r = check_level(c, VERITY_LEVEL_DATA, c->sb.data_blocks, ret, e);
	if (r == -ENODATA)
		return bad_sizes(ret); /* the file ends early: its content is wrong, not our reading */
	if (!r && ret->verdict == VERITY_VERDICT_UNSET)
		ret->verdict = VERITY_VERDICT_GOOD;
	return r;
}

int verity_verify_fd(int data_fd, int hash_fd, uint64_t hash_offset_bytes,
		     const uint8_t root_hash[static HASH_SHA256_BYTES], struct verity_finding *ret, struct err *e)
{
	struct verity_finding found = {.verdict = VERITY_VERDICT_UNSET, .level = VERITY_LEVEL_NONE};
	cleanup_free struct check *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(e, ENOMEM, "no memory to verify");
	r = verity_sb_read(hash_fd, hash_offset_bytes, "superblock", &c->sb, e);
	if (r == -EINVAL || r == -ENODATA)
		return bad_sizes(ret);
	if (r)
		return r;
	c->data_fd = data_fd;
	c->hash_fd = hash_fd;
	c->root_hash = root_hash;
	c->tree_at_bytes = hash_offset_bytes + VERITY_BLOCK_BYTES;
	c->levels = verity_levels_of(&c->sb);
	verity_salted_init(&c->salted, &c->sb);
	r = check_all(c, hash_offset_bytes, &found, e);
	if (!r)
		*ret = found;
	return r;
}

/* The last block of @level, checked against @digest, which becomes the digest of the last block below. */
static int check_edge(struct check *c, unsigned level, uint8_t digest[static HASH_SHA256_BYTES], struct err *e)
{
	uint64_t children = level ? c->levels.blocks[level - 1] : c->sb.data_blocks;
	uint64_t at = level_offset(c, (int)level) + (c->levels.blocks[level] - 1) * VERITY_BLOCK_BYTES;
	size_t last = (size_t)((children - 1) % VERITY_DIGESTS_PER_BLOCK) * HASH_SHA256_BYTES;
	uint8_t have[HASH_SHA256_BYTES];
	int r = read_exactly(c->hash_fd, c->parent, VERITY_BLOCK_BYTES, at, "hash tree", e);

	if (r)
		return r;
	verity_salted_hash(&c->salted, c->parent, have);
	if (!hash_equal(have, sizeof(have), digest, HASH_SHA256_BYTES))
		return err_set(e, EBADMSG,
			       "the hash tree is not that of the root hash (last block of level %u, offset %llu)",
			       level, (unsigned long long)at);
	if (!ends_with(c->parent, children))
		return err_set(e, EBADMSG, "the superblock says %llu data blocks, the hash tree ends elsewhere",
			       (unsigned long long)c->sb.data_blocks);
	memcpy(digest, c->parent + last, HASH_SHA256_BYTES);
	return 0;
}

int verity_verify_edge(int data_fd, int hash_fd, uint64_t hash_offset_bytes, const struct verity_sb *sb,
		       const uint8_t root_hash[static HASH_SHA256_BYTES], struct err *e)
{
	cleanup_free struct check *c = calloc(1, sizeof(*c));
	uint8_t digest[HASH_SHA256_BYTES], have[HASH_SHA256_BYTES];
	int r = 0;

	if (!c)
		return err_set(e, ENOMEM, "no memory to verify");
	*c = (struct check){.hash_fd = hash_fd, .tree_at_bytes = hash_offset_bytes + VERITY_BLOCK_BYTES, .sb = *sb};
	c->levels = verity_levels_of(sb);
	verity_salted_init(&c->salted, sb);
	memcpy(digest, root_hash, sizeof(digest));
	for (unsigned level = c->levels.n; !r && level-- > 0;)
		r = check_edge(c, level, digest, e);
	if (!r)
		r = read_exactly(data_fd, c->blocks, VERITY_BLOCK_BYTES, (sb->data_blocks - 1) * VERITY_BLOCK_BYTES,
				 "data", e);
	if (r)
		return r == -ENODATA ? err_set(e, EBADMSG, "data or hash tree are cut off") : r;
	verity_salted_hash(&c->salted, c->blocks, have);
	if (!hash_equal(have, sizeof(have), digest, HASH_SHA256_BYTES))
		return err_set(e, EBADMSG, "the last data block (%llu) does not fit the root hash",
			       (unsigned long long)sb->data_blocks - 1);
	return 0;
}
