/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/hash_tree.c - build dm-verity hash trees while the data streams by */
#include "verity/hash_tree.h"

#include "verity/digests.h"

#include <string.h>

/* struct level - the block being filled: @used digests in it, the @next one of its level; zeros behind them */
struct level {
	uint8_t *block;
	uint32_t used;
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
	struct verity_geometry geo;
	struct verity_lanes data_lanes, hash_lanes;
	struct verity_file out;
	uint64_t offset_bytes;
	uint8_t *part;
	size_t part_bytes;
	uint64_t data_next;
	uint8_t root[HASH_MAX_BYTES];
	struct level level[VERITY_MAX_LEVELS];
	uint8_t buffers[];
};

static int check_params(const struct verity_tree_params *p, struct err *e)
{
	int r = verity_sb_check_supported(p->sb, p->name, e);

	if (r)
		return r;
	if (p->sb->data_blocks == 0 || p->sb->data_blocks > VERITY_MAX_DATA_BYTES / p->sb->data_block_bytes)
		return err_set(e, EINVAL, "%s: cannot make a hash tree over %llu blocks", p->name,
			       (unsigned long long)p->sb->data_blocks);
	return 0;
}

int verity_tree_begin(const struct verity_tree_params *p, struct verity_tree **ret, struct err *e)
{
	cleanup_verity_tree struct verity_tree *t = NULL;
	struct verity_geometry geo;
	int r = check_params(p, e);

	if (r)
		return r;
	geo = verity_geometry_of(p->sb);
	t = calloc(1, sizeof(*t) + p->sb->data_block_bytes + geo.n * (size_t)geo.hash_block_bytes);
	if (!t)
		return err_set(e, ENOMEM, "no memory for a hash tree");
	t->sb = *p->sb;
	t->geo = geo;
	t->out = (struct verity_file){.fd = p->fd, .name = p->name};
	t->offset_bytes = p->tree_offset_bytes;
	t->part = t->buffers;
	for (unsigned i = 0; i < geo.n; i++)
		t->level[i].block = t->buffers + p->sb->data_block_bytes + i * (size_t)geo.hash_block_bytes;
	r = verity_digests_lanes(p->sb, p->sb->data_block_bytes, &t->data_lanes, e);
	r = r ? r : verity_digests_lanes(p->sb, p->sb->hash_block_bytes, &t->hash_lanes, e);
	if (!r)
		*ret = take_ptr(t);
	return r;
}

void verity_tree_free(struct verity_tree *t)
{
	free(t);
}

/* Write out the block of @level; give its digest; begin the next block. */
static int flush_block(struct verity_tree *t, unsigned level, uint8_t digest[static HASH_MAX_BYTES], struct err *e)
{
	uint64_t block = t->geo.hash_block_bytes;
	struct level *l = &t->level[level];
	int r = 0;

	if (t->out.fd >= 0)
		r = verity_io_write(&t->out, l->block, block,
				    t->offset_bytes + (t->geo.first[level] + l->next) * block, e);
	if (r)
		return r;
	verity_lanes_hash(&t->hash_lanes, l->block, block, 1, digest, t->geo.digest_bytes);
	memset(l->block, 0, block);
	l->next++;
	l->used = 0;
	return 0;
}

/* Put @digest into @level; whatever block this fills is written, and its digest goes one level up. */
static int add_digest(struct verity_tree *t, unsigned level, uint8_t digest[static HASH_MAX_BYTES], struct err *e)
{
	for (; level < t->geo.n; level++) {
		struct level *l = &t->level[level];
		int r;

		memcpy(l->block + (size_t)l->used * t->geo.stride_bytes, digest, t->geo.digest_bytes);
		if (++l->used < t->geo.per_block)
			return 0;
		r = flush_block(t, level, digest, e);
		if (r)
			return r;
	}
	memcpy(t->root, digest, t->geo.digest_bytes);
	return 0;
}

/* Hash up to @n blocks straight into the block of level 0, as many as it has room for. @ret_n: how many. */
static int add_blocks(struct verity_tree *t, const uint8_t *data, size_t n, size_t *ret_n, struct err *e)
{
	struct level *l = &t->level[0];
	uint8_t digest[HASH_MAX_BYTES];
	size_t room = t->geo.n ? t->geo.per_block - l->used : 1;
	int r;

	if (t->data_next == t->sb.data_blocks)
		return err_set(e, EFBIG, "more data than the %llu blocks that were announced for %s",
			       (unsigned long long)t->sb.data_blocks, t->out.name);
	if (room > t->sb.data_blocks - t->data_next)
		room = (size_t)(t->sb.data_blocks - t->data_next);
	n = n < room ? n : room;
	verity_lanes_hash(&t->data_lanes, data, t->sb.data_block_bytes, n,
			  t->geo.n ? l->block + (size_t)l->used * t->geo.stride_bytes : t->root, t->geo.stride_bytes);
	t->data_next += n;
	*ret_n = n;
	if (!t->geo.n)
		return 0;
	l->used += (uint32_t)n;
	if (l->used < t->geo.per_block)
		return 0;
	r = flush_block(t, 0, digest, e);
	return r ? r : add_digest(t, 1, digest, e);
}

int verity_tree_update(struct verity_tree *t, const void *data, size_t len, struct err *e)
{
	size_t block = t->sb.data_block_bytes;
	const uint8_t *p = data;

	while (len) {
		size_t n = block - t->part_bytes, blocks = 0;
		int r = 0;

		if (t->part_bytes == 0 && len >= block) {
			r = add_blocks(t, p, len / block, &blocks, e); /* whole blocks are hashed where they are */
			n = blocks * block;
		} else {
			n = n < len ? n : len;
			memcpy(t->part + t->part_bytes, p, n);
			t->part_bytes = (t->part_bytes + n) % block;
			r = t->part_bytes ? 0 : add_blocks(t, t->part, 1, &blocks, e);
		}
		if (r)
			return r;
		p += n;
		len -= n;
	}
	return 0;
}

int verity_tree_finish(struct verity_tree *t, uint8_t ret_root_hash[static HASH_MAX_BYTES], struct err *e)
{
	if (t->part_bytes || t->data_next != t->sb.data_blocks)
		return err_set(e, EINVAL, "%llu blocks and %zu bytes of data came for %s, wanted %llu blocks",
			       (unsigned long long)t->data_next, t->part_bytes, t->out.name,
			       (unsigned long long)t->sb.data_blocks);
	for (unsigned i = 0; i < t->geo.n; i++) {
		uint8_t digest[HASH_MAX_BYTES];
		int r;

		if (t->level[i].used == 0)
			continue;
		r = flush_block(t, i, digest, e);
		if (!r)
			r = add_digest(t, i + 1, digest, e);
		if (r)
			return r;
	}
	memcpy(ret_root_hash, t->root, t->geo.digest_bytes);
	return 0;
}
