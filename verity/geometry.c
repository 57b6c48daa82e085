/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/geometry.c - where everything of a hash tree stands, by arithmetic alone */
#include "verity/geometry.h"

#include <string.h>

static uint32_t power_of_two_down(uint32_t n)
{
	while (n & (n - 1))
		n &= n - 1;
	return n;
}

struct verity_geometry verity_geometry_of(const struct verity_sb *sb)
{
	struct verity_geometry g = {.hash_block_bytes = sb->hash_block_bytes,
				    .digest_bytes = (uint32_t)hash_bytes(sb->alg)};
	uint64_t blocks = sb->data_blocks;

	g.per_block = power_of_two_down(g.hash_block_bytes / g.digest_bytes);
	g.stride_bytes = sb->hash_type ? power_of_two_down(2 * g.digest_bytes - 1) : g.digest_bytes;
	while (blocks > 1 && g.n < VERITY_MAX_LEVELS) {
		blocks = blocks / g.per_block + (blocks % g.per_block != 0);
		g.blocks[g.n++] = blocks;
		g.tree_blocks += blocks;
	}
	for (unsigned i = g.n; i-- > 1;)
		g.first[i - 1] = g.first[i] + g.blocks[i];
	return g;
}

uint64_t verity_geometry_level_offset(const struct verity_geometry *g, unsigned level)
{
	return g->first[level] * g->hash_block_bytes;
}

uint64_t verity_geometry_digest_offset(const struct verity_geometry *g, uint64_t i)
{
	return i / g->per_block * g->hash_block_bytes + i % g->per_block * g->stride_bytes;
}

bool verity_geometry_ends_with(const struct verity_geometry *g, const uint8_t *block, uint64_t children)
{
	size_t last = (size_t)((children - 1) % g->per_block) * g->stride_bytes, end = last + g->digest_bytes;

	return !hash_is_zero(block + last, g->digest_bytes) && hash_is_zero(block + end, g->hash_block_bytes - end);
}

uint64_t verity_tree_bytes(const struct verity_sb *sb)
{
	return verity_geometry_of(sb).tree_blocks * sb->hash_block_bytes;
}

uint64_t verity_tree_offset(const struct verity_sb *sb, uint64_t hash_offset_bytes)
{
	uint64_t block = sb->hash_block_bytes;

	return (hash_offset_bytes + VERITY_SB_BYTES + block - 1) / block * block;
}

uint64_t verity_hash_bytes(const struct verity_sb *sb)
{
	return verity_tree_offset(sb, 0) + verity_tree_bytes(sb);
}
