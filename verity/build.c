/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/build.c - build the hash tree of data that is a file or device already, by all processors */
#include "verity/build.h"

#include <string.h>

/* struct build - one tree under way; @level_at: where the stripes of the level under way go */
struct build {
	const struct verity_build_params *p;
	struct verity_geometry geo;
	struct verity_lanes data_lanes, hash_lanes;
	struct progress_meter meter;
	uint64_t tree_at, level_at;
};

/* What veritysetup writes for a superblock: a hash block, but never more than 4096 bytes. */
static uint64_t superblock_area(const struct verity_sb *sb)
{
	return sb->hash_block_bytes < VERITY_BLOCK_BYTES ? sb->hash_block_bytes : VERITY_BLOCK_BYTES;
}

int verity_build_area(const struct verity_build_params *p, uint64_t *ret_tree_at, uint64_t *ret_end, struct err *e)
{
	uint64_t unit = p->no_superblock ? p->sb->hash_block_bytes : VERITY_SB_BYTES, tree_at, end;
	int r = verity_sb_check_supported(p->sb, p->hash.name, e);

	if (r)
		return r;
	if (p->sb->data_blocks == 0 || p->sb->data_blocks > VERITY_MAX_DATA_BYTES / p->sb->data_block_bytes)
		return err_set(e, EINVAL, "%s: cannot make a hash tree over %llu blocks", p->hash.name,
			       (unsigned long long)p->sb->data_blocks);
	if (p->hash_offset_bytes % unit || p->hash_offset_bytes > VERITY_MAX_AT_BYTES)
		return err_set(e, EINVAL, "%s: a hash area cannot begin at offset %llu, wanted a multiple of %llu",
			       p->hash.name, (unsigned long long)p->hash_offset_bytes, (unsigned long long)unit);
	tree_at = p->no_superblock ? p->hash_offset_bytes : verity_tree_offset(p->sb, p->hash_offset_bytes);
	end = tree_at + verity_tree_bytes(p->sb);
	if (!p->no_superblock && end < p->hash_offset_bytes + superblock_area(p->sb))
		end = p->hash_offset_bytes + superblock_area(p->sb);
	if (p->data.fd == p->hash.fd && p->hash_offset_bytes < verity_sb_data_bytes(p->sb))
		return err_set(e, EINVAL, "%s: the hash area at offset %llu begins within the %llu bytes of data",
			       p->hash.name, (unsigned long long)p->hash_offset_bytes,
			       (unsigned long long)verity_sb_data_bytes(p->sb));
	*ret_tree_at = tree_at;
	*ret_end = end;
	return 0;
}

/* The superblock, or zeros in its place, and the zeros up to the tree. */
static int write_superblock(const struct build *b, bool clear, struct err *e)
{
	uint64_t from = b->p->hash_offset_bytes, area = superblock_area(b->p->sb);
	uint8_t block[VERITY_BLOCK_BYTES] = {0};
	int r;

	if (!clear)
		verity_sb_encode(b->p->sb, block);
	if (b->geo.n && b->tree_at - from < area)
		area = b->tree_at - from; /* a superblock at an odd offset: what follows is the tree's */
	r = verity_io_write(&b->p->hash, block, area, from, e);
	memset(block, 0, sizeof(block));
	for (uint64_t at = from + area; !r && b->geo.n && at < b->tree_at;) {
		uint64_t n = b->tree_at - at < sizeof(block) ? b->tree_at - at : sizeof(block);

		r = verity_io_write(&b->p->hash, block, n, at, e);
		at += n;
	}
	return r ? r : verity_io_sync(&b->p->hash, e);
}

static int write_stripe(void *arg, const struct verity_run *run, struct err *e)
{
	const struct build *b = arg;

	return verity_io_write(&b->p->hash, run->stripe, run->stripe_bytes, b->level_at + run->stripe_at, e);
}

/* Level @level from what is below it. */
static int build_level(struct build *b, unsigned level, struct err *e)
{
	struct verity_digests_params d = {.lanes = &b->data_lanes,
					  .geo = &b->geo,
					  .src = &b->p->data,
					  .blocks = b->p->sb->data_blocks,
					  .threads = b->p->threads,
					  .mode = b->p->mode,
					  .meter = &b->meter,
					  .done = write_stripe,
					  .arg = b};

	if (level) {
		d.lanes = &b->hash_lanes;
		d.src = &b->p->hash;
		d.src_offset_bytes = b->tree_at + verity_geometry_level_offset(&b->geo, level - 1);
		d.blocks = b->geo.blocks[level - 1];
		d.mode = VERITY_READ_PREAD; /* it was just written */
		d.meter = NULL;
	}
	b->level_at = b->tree_at + verity_geometry_level_offset(&b->geo, level);
	return verity_digests_run(&d, e);
}

/* The digest of the one block that is left: the top one, or the only one of the data. */
static int hash_top(const struct build *b, uint8_t ret[static HASH_MAX_BYTES], struct err *e)
{
	const struct verity_lanes *lanes = b->geo.n ? &b->hash_lanes : &b->data_lanes;
	cleanup_free uint8_t *block = malloc(lanes->block_bytes);
	int r;

	if (!block)
		return err_set(e, ENOMEM, "no memory for a block");
	r = verity_io_read(b->geo.n ? &b->p->hash : &b->p->data, block, lanes->block_bytes, b->geo.n ? b->tree_at : 0, e);
	if (!r)
		verity_lanes_hash(lanes, block, lanes->block_bytes, 1, ret, b->geo.digest_bytes);
	return r;
}

int verity_build(const struct verity_build_params *p, uint8_t ret_root_hash[static HASH_MAX_BYTES], struct err *e)
{
	uint8_t root_hash[HASH_MAX_BYTES];
	struct build b = {.p = p};
	uint64_t end = 0;
	int r = verity_build_area(p, &b.tree_at, &end, e);

	r = r ? r : verity_digests_lanes(p->sb, p->sb->data_block_bytes, &b.data_lanes, e);
	r = r ? r : verity_digests_lanes(p->sb, p->sb->hash_block_bytes, &b.hash_lanes, e);
	if (r)
		return r;
	b.geo = verity_geometry_of(p->sb);
	progress_begin(&b.meter, p->say, "hashed", verity_sb_data_bytes(p->sb));
	if (!p->no_superblock && !p->is_new)
		r = write_superblock(&b, true, e);
	for (unsigned level = 0; !r && level < b.geo.n; level++)
		r = build_level(&b, level, e);
	r = r ? r : hash_top(&b, root_hash, e);
	if (!r && (p->no_superblock || !p->is_new))
		r = verity_io_sync(&p->hash, e);
	if (!r && !p->no_superblock) {
		r = write_superblock(&b, false, e);
		if (r && !p->is_new)
			verity_build_clear(p);
	}
	if (!r)
		memcpy(ret_root_hash, root_hash, b.geo.digest_bytes);
	return r;
}

void verity_build_clear(const struct verity_build_params *p)
{
	uint8_t zeros[VERITY_SB_BYTES] = {0};
	struct err e = ERR_INIT;

	if (verity_io_write(&p->hash, zeros, sizeof(zeros), p->hash_offset_bytes, &e) || verity_io_sync(&p->hash, &e))
		return; /* another error is already being told */
}
