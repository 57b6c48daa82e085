/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/edge.c - does a hash tree belong to a root hash, told by its right-hand edge alone */
#include "verity/edge.h"

#include "common/sha.h"
#include "verity/geometry.h"
#include "verity/io.h"

#include <string.h>

/*
 * struct edge - one check under way
 * @digest: what the next block down must have
 */
struct edge {
	const struct verity_sb *sb;
	struct verity_geometry geo;
	struct verity_file data, hash;
	uint64_t tree_at_bytes;
	uint8_t digest[HASH_SHA256_BYTES];
	uint8_t block[VERITY_BLOCK_BYTES];
};

static bool block_fits(const struct edge *c)
{
	uint8_t have[HASH_SHA256_BYTES];
	struct sha s;

	(void)sha_begin(&s, HASH_SHA256); /* it is always there */
	sha_put(&s, c->sb->salt, c->sb->salt_bytes);
	sha_put(&s, c->block, VERITY_BLOCK_BYTES);
	sha_end(&s, have);
	return hash_equal(have, sizeof(have), c->digest, sizeof(c->digest));
}

/* The last block of @level; its last digest is what the last block below must have. */
static int check_level(struct edge *c, unsigned level, struct err *e)
{
	uint64_t children = level ? c->geo.blocks[level - 1] : c->sb->data_blocks;
	uint64_t at = c->tree_at_bytes + verity_geometry_level_offset(&c->geo, level) +
		      (c->geo.blocks[level] - 1) * VERITY_BLOCK_BYTES;
	int r = verity_io_read(&c->hash, c->block, VERITY_BLOCK_BYTES, at, e);

	if (r)
		return r;
	if (!block_fits(c))
		return err_set(e, EBADMSG,
			       "the hash tree is not that of the root hash (last block of level %u, offset %llu)",
			       level, (unsigned long long)at);
	if (!verity_geometry_ends_with(&c->geo, c->block, children))
		return err_set(e, EBADMSG, "the superblock says %llu data blocks, the hash tree ends elsewhere",
			       (unsigned long long)c->sb->data_blocks);
	memcpy(c->digest, c->block + verity_geometry_digest_offset(&c->geo, (children - 1) % c->geo.per_block),
	       HASH_SHA256_BYTES);
	return 0;
}

int verity_verify_edge(int data_fd, int hash_fd, uint64_t hash_offset_bytes, const struct verity_sb *sb,
		       const uint8_t root_hash[static HASH_SHA256_BYTES], struct err *e)
{
	struct edge c = {.sb = sb, .data = {.fd = data_fd, .name = "the data"}, .hash = {.fd = hash_fd, .name = "the hash tree"}};
	int r = verity_sb_check_chain(sb, "superblock", e);

	if (r)
		return r;
	c.geo = verity_geometry_of(sb);
	c.tree_at_bytes = verity_tree_offset(sb, hash_offset_bytes);
	memcpy(c.digest, root_hash, sizeof(c.digest));
	for (unsigned level = c.geo.n; !r && level-- > 0;)
		r = check_level(&c, level, e);
	if (!r)
		r = verity_io_read(&c.data, c.block, VERITY_BLOCK_BYTES, (sb->data_blocks - 1) * VERITY_BLOCK_BYTES, e);
	if (r)
		return r == -ENODATA ? err_set(e, EBADMSG, "data or hash tree are cut off") : r;
	if (!block_fits(&c))
		return err_set(e, EBADMSG, "the last data block (%llu) does not fit the root hash",
			       (unsigned long long)sb->data_blocks - 1);
	return 0;
}
