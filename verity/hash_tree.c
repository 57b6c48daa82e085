/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/hash_tree.c - build dm-verity hash trees while the data streams by */
#define OPENSSL_SUPPRESS_DEPRECATED /* low-level SHA: a context to copy, no heap */
#include "verity/hash_tree.h"

#include <string.h>

/* struct level - the block being filled: @used bytes of it, the @next one of its level */
struct level {
	uint8_t block[VERITY_BLOCK_BYTES];
	size_t used;
	uint64_t next;
};

/*
 * struct verity_tree - a tree under way
 * @part:      the last piece of data, while it is less than a block
 * @data_next: number of the data block that is hashed next
 * @root:      digest of the top block, once it was flushed (or of the only data block)
 */
struct verity_tree {
	struct verity_sb sb;
	struct verity_levels levels;
	struct verity_salted salted;
	int fd;
	const char *name;
	uint64_t offset_bytes;
	uint8_t part[VERITY_BLOCK_BYTES];
	size_t part_bytes;
	uint64_t data_next;
	uint8_t root[HASH_SHA256_BYTES];
	struct level level[];
};

void verity_salted_init(struct verity_salted *s, const struct verity_sb *sb)
{
	(void)SHA256_Init(&s->ctx); /* cannot fail */
	(void)SHA256_Update(&s->ctx, sb->salt, sb->salt_bytes);
}

void verity_salted_hash(const struct verity_salted *s, const void *block, uint8_t ret[static HASH_SHA256_BYTES])
{
	SHA256_CTX ctx = s->ctx;

	(void)SHA256_Update(&ctx, block, VERITY_BLOCK_BYTES); /* cannot fail */
	(void)SHA256_Final(ret, &ctx);
}

struct verity_levels verity_levels_of(const struct verity_sb *sb)
{
	struct verity_levels l = {0};
	uint64_t blocks = sb->data_blocks;

	while (blocks > 1 && l.n < VERITY_MAX_LEVELS) {
		blocks = blocks / VERITY_DIGESTS_PER_BLOCK + (blocks % VERITY_DIGESTS_PER_BLOCK != 0);
		l.blocks[l.n++] = blocks;
	}
	for (unsigned i = l.n; i-- > 1;)
		l.first[i - 1] = l.first[i] + l.blocks[i];
	return l;
}

uint64_t verity_tree_bytes(const struct verity_sb *sb)
{
	struct verity_levels l = verity_levels_of(sb);

	return l.n ? (l.first[0] + l.blocks[0]) * VERITY_BLOCK_BYTES : 0;
}

uint64_t verity_hash_bytes(const struct verity_sb *sb)
{
	return VERITY_BLOCK_BYTES + verity_tree_bytes(sb);
}

int verity_tree_begin(const struct verity_tree_params *p, struct verity_tree **ret, struct err *e)
{
	struct verity_levels levels;
	struct verity_tree *t;
	int r = verity_sb_check_supported(p->sb, p->name, e);

	if (r)
		return r;
	if (p->sb->data_blocks == 0 || p->sb->data_blocks > VERITY_MAX_DATA_BYTES / VERITY_BLOCK_BYTES)
		return err_set(e, EINVAL, "%s: cannot make a hash tree over %llu blocks", p->name,
			       (unsigned long long)p->sb->data_blocks);
	levels = verity_levels_of(p->sb);
	t = calloc(1, sizeof(*t) + levels.n * sizeof(t->level[0]));
	if (!t)
		return err_set(e, ENOMEM, "no memory for a hash tree");
	t->sb = *p->sb;
	t->levels = levels;
	t->fd = p->fd;
	t->name = p->name;
	t->offset_bytes = p->tree_offset_bytes;
	verity_salted_init(&t->salted, p->sb);
	*ret = t;
	return 0;
}

void verity_tree_free(struct verity_tree *t)
{
	free(t);
}

static int write_block(const struct verity_tree *t, unsigned level, uint64_t number, struct err *e)
{
	uint64_t at = t->offset_bytes + (t->levels.first[level] + number) * VERITY_BLOCK_BYTES;
	const uint8_t *p = t->level[level].block;
	size_t left = VERITY_BLOCK_BYTES;

	while (t->fd >= 0 && left) {
		ssize_t n = pwrite(t->fd, p, left, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot write the hash tree to %s at offset %llu", t->name,
					 (unsigned long long)at);
		if (n == 0)
			return err_set(e, EIO, "cannot write the hash tree to %s: it takes no more bytes", t->name);
		p += n;
		at += (uint64_t)n;
		left -= (size_t)n;
	}
	return 0;
}

/* Write out the block of @level, zero-padded; give its digest. */
static int flush_block(struct verity_tree *t, unsigned level, uint8_t digest[static HASH_SHA256_BYTES], struct err *e)
{
	struct level *l = &t->level[level];
	int r;

	memset(l->block + l->used, 0, VERITY_BLOCK_BYTES - l->used);
	r = write_block(t, level, l->next, e);
	if (r)
		return r;
	verity_salted_hash(&t->salted, l->block, digest);
	l->next++;
	l->used = 0;
	return 0;
}

/* Put @digest into @level; whatever block this fills is written, and its digest goes one level up. */
static int add_digest(struct verity_tree *t, unsigned level, uint8_t digest[static HASH_SHA256_BYTES], struct err *e)
{
	for (; level < t->levels.n; level++) {
		struct level *l = &t->level[level];
		int r;

		memcpy(l->block + l->used, digest, HASH_SHA256_BYTES);
		l->used += HASH_SHA256_BYTES;
		if (l->used < VERITY_BLOCK_BYTES)
			return 0;
		r = flush_block(t, level, digest, e);
		if (r)
			return r;
	}
	memcpy(t->root, digest, HASH_SHA256_BYTES);
	return 0;
}

static int add_block(struct verity_tree *t, const uint8_t *block, struct err *e)
{
	uint8_t digest[HASH_SHA256_BYTES];

	if (t->data_next == t->sb.data_blocks)
		return err_set(e, EFBIG, "more data than the %llu blocks that were announced for %s",
			       (unsigned long long)t->sb.data_blocks, t->name);
	t->data_next++;
	verity_salted_hash(&t->salted, block, digest);
	return add_digest(t, 0, digest, e);
}

int verity_tree_update(struct verity_tree *t, const void *data, size_t len, struct err *e)
{
	const uint8_t *p = data;
	int r;

	while (len) {
		size_t n = VERITY_BLOCK_BYTES - t->part_bytes;

		if (t->part_bytes == 0 && len >= VERITY_BLOCK_BYTES) {
			r = add_block(t, p, e); /* whole blocks are hashed where they are */
			n = VERITY_BLOCK_BYTES;
		} else {
			n = n < len ? n : len;
			memcpy(t->part + t->part_bytes, p, n);
			t->part_bytes = (t->part_bytes + n) % VERITY_BLOCK_BYTES;
			r = t->part_bytes ? 0 : add_block(t, t->part, e);
		}
		if (r)
			return r;
		p += n;
		len -= n;
	}
	return 0;
}

int verity_tree_finish(struct verity_tree *t, uint8_t ret_root_hash[static HASH_SHA256_BYTES], struct err *e)
{
	if (t->part_bytes || t->data_next != t->sb.data_blocks)
		return err_set(e, EINVAL, "%llu blocks and %zu bytes of data came for %s, wanted %llu blocks",
			       (unsigned long long)t->data_next, t->part_bytes, t->name,
			       (unsigned long long)t->sb.data_blocks);
	for (unsigned i = 0; i < t->levels.n; i++) {
		uint8_t digest[HASH_SHA256_BYTES];
		int r;

		if (t->level[i].used == 0)
			continue;
		r = flush_block(t, i, digest, e);
		if (!r)
			r = add_digest(t, i + 1, digest, e);
		if (r)
			return r;
	}
	memcpy(ret_root_hash, t->root, HASH_SHA256_BYTES);
	return 0;
}
