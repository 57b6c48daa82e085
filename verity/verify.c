/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/verify.c - check data and hash tree against a root hash, naming the bad blocks */
#include "verity/verify.h"

#include <pthread.h>
#include <string.h>

/* struct ranges - blocks of one level: neither overlapping nor, once sorted, out of order */
struct ranges {
	size_t n, room;
	struct range {
		uint64_t first, blocks;
	} *r;
};

/*
 * struct check - one verification under way
 * @level:    the level under way, VERITY_LEVEL_DATA at the end; @above_at: offset of the level above it
 * @bad:      blocks of @level that do not fit; @unjudged: those below what did not fit
 * @end:      where to stop: without @all, the first bad block
 */
struct check {
	const struct verity_verify_params *p;
	struct verity_sb sb;
	struct verity_geometry geo;
	struct verity_lanes data_lanes, hash_lanes;
	struct progress_meter meter;
	uint64_t tree_at, done_bytes;
	int level;
	uint64_t above_at;
	pthread_mutex_t lock;
	struct ranges bad, unjudged;
	bool full;
	_Atomic uint64_t end;
	struct verity_verify_result *res;
};

static bool ranges_add(struct ranges *s, uint64_t first, uint64_t blocks)
{
	struct range *last = s->n ? &s->r[s->n - 1] : NULL;

	if (last && last->first + last->blocks == first) {
		last->blocks += blocks;
		return true;
	}
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct range *r = room <= VERITY_MAX_BAD_RANGES ? realloc(s->r, room * sizeof(*r)) : NULL;

		if (!r)
			return false;
		s->r = r;
		s->room = room;
	}
	s->r[s->n++] = (struct range){first, blocks};
	return true;
}

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void ranges_sort(struct ranges *s)
{
	if (s->n)
		qsort(s->r, s->n, sizeof(*s->r), by_first);
}

/* Is block @i among the sorted ranges? */
static bool ranges_have(const struct ranges *s, uint64_t i)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->r[mid].first + s->r[mid].blocks <= i)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n && s->r[low].first <= i;
}

static uint64_t level_blocks(const struct check *c, int level)
{
	return level == VERITY_LEVEL_DATA ? c->sb.data_blocks : c->geo.blocks[level];
}

static uint64_t block_offset(const struct check *c, int level, uint64_t number)
{
	return level == VERITY_LEVEL_DATA ? number * c->sb.data_block_bytes :
					    c->tree_at + (c->geo.first[level] + number) * c->sb.hash_block_bytes;
}

/* A verdict without a block to blame; the sentence is there. */
static void bad_sizes(struct check *c)
{
	if (c->res->first.verdict == VERITY_VERDICT_UNSET)
		c->res->first = (struct verity_finding){.verdict = VERITY_VERDICT_BAD, .level = VERITY_LEVEL_NONE};
}

/* One bad block, in order; the sentence is that of the first. */
static void bad_block(struct check *c, uint64_t number, struct err *e)
{
	struct verity_finding f = {.verdict = VERITY_VERDICT_BAD,
				   .level = c->level,
				   .block = number,
				   .offset_bytes = block_offset(c, c->level, number)};

	c->res->bad_blocks++;
	if (c->p->all)
		c->p->all(c->p->arg, &f);
	if (c->res->first.verdict != VERITY_VERDICT_UNSET)
		return;
	c->res->first = f;
	if (c->level == VERITY_LEVEL_DATA)
		(void)err_set(e, EBADMSG, "data block %llu (offset %llu) does not have the digest %s holds",
			      (unsigned long long)number, (unsigned long long)f.offset_bytes,
			      c->geo.n ? "the hash tree" : "the root hash");
	else
		(void)err_set(e, EBADMSG,
			      "hash tree: block %llu of level %d (offset %llu) does not have the digest that %s holds",
			      (unsigned long long)number, c->level, (unsigned long long)f.offset_bytes,
			      c->level + 1 == (int)c->geo.n ? "the root hash" : "the level above it");
}

/* A digest of the run does not fit. */
static int note_bad(struct check *c, uint64_t number)
{
	uint64_t end = atomic_load(&c->end);

	if (ranges_have(&c->unjudged, number))
		return 0;
	(void)pthread_mutex_lock(&c->lock);
	if (!c->p->all)
		while (number < end && !atomic_compare_exchange_weak(&c->end, &end, number))
			;
	else if (!ranges_add(&c->bad, number, 1)) {
		c->full = true;
		atomic_store(&c->end, 0);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return 0;
}

static int compare_run(void *arg, const struct verity_run *run, struct err *e)
{
	struct check *c = arg;
	cleanup_free uint8_t *stored = malloc(run->stripe_bytes);
	int r;

	if (!stored)
		return err_set(e, ENOMEM, "no memory for digests");
	r = verity_io_read(&c->p->hash, stored, run->stripe_bytes, c->above_at + run->stripe_at, e);
	if (r || hash_equal(stored, run->stripe_bytes, run->stripe, run->stripe_bytes))
		return r;
	for (uint64_t i = 0; !r && i < run->blocks; i++) {
		size_t at = (size_t)(verity_geometry_digest_offset(&c->geo, run->first + i) - run->stripe_at);

		if (!hash_equal(stored + at, c->geo.digest_bytes, run->stripe + at, c->geo.digest_bytes))
			r = note_bad(c, run->first + i);
	}
	return r; /* what else differs is judged as part of the level above */
}

/* The bad blocks of a level, in order; what is below them, for the next level. */
static void report_level(struct check *c, struct err *e)
{
	struct ranges below = {0};
	uint64_t children = c->level > VERITY_LEVEL_DATA ? level_blocks(c, c->level - 1) : 0, per = c->geo.per_block;

	if (!c->p->all) {
		if (atomic_load(&c->end) != UINT64_MAX)
			bad_block(c, atomic_load(&c->end), e);
		return;
	}
	ranges_sort(&c->bad);
	for (size_t i = 0; i < c->bad.n; i++)
		for (uint64_t k = 0; k < c->bad.r[i].blocks; k++)
			bad_block(c, c->bad.r[i].first + k, e);
	for (size_t i = 0; i < c->unjudged.n; i++)
		c->res->unjudged_blocks += c->unjudged.r[i].blocks;
	/* Both kinds are unjudged one level down. They go into one list, which is sorted. */
	for (size_t i = 0; i < c->unjudged.n; i++)
		c->full |= !ranges_add(&c->bad, c->unjudged.r[i].first, c->unjudged.r[i].blocks);
	ranges_sort(&c->bad);
	for (size_t i = 0; children && i < c->bad.n; i++) {
		uint64_t first = c->bad.r[i].first * per, n = c->bad.r[i].blocks * per;

		c->full |= !ranges_add(&below, first, n < children - first ? n : children - first);
	}
	free(c->unjudged.r);
	c->unjudged = below;
	c->bad.n = 0;
}

/* Does the level above end with the digests of this one? Only if its last block is one that was proved. */
static int check_end(struct check *c, struct err *e)
{
	uint64_t blocks = level_blocks(c, c->level), last = c->geo.blocks[c->level + 1] - 1;
	cleanup_free uint8_t *block = malloc(c->sb.hash_block_bytes);
	int r;

	if (!block)
		return err_set(e, ENOMEM, "no memory for a block");
	r = verity_io_read(&c->p->hash, block, c->sb.hash_block_bytes, block_offset(c, c->level + 1, last), e);
	if (r || c->res->first.verdict != VERITY_VERDICT_UNSET || verity_geometry_ends_with(&c->geo, block, blocks))
		return r;
	(void)err_set(e, EBADMSG, "the superblock says %llu data blocks, the hash tree ends elsewhere",
		      (unsigned long long)c->sb.data_blocks);
	bad_sizes(c);
	return 0;
}

/* The top of the tree, or the only data block, against the root hash. */
static int check_top(struct check *c, struct err *e)
{
	const struct verity_lanes *lanes = c->level == VERITY_LEVEL_DATA ? &c->data_lanes : &c->hash_lanes;
	cleanup_free uint8_t *block = malloc(lanes->block_bytes);
	uint8_t digest[HASH_MAX_BYTES];
	int r;

	if (!block)
		return err_set(e, ENOMEM, "no memory for a block");
	r = verity_io_read(c->level == VERITY_LEVEL_DATA ? &c->p->data : &c->p->hash, block, lanes->block_bytes,
			   block_offset(c, c->level, 0), e);
	if (r)
		return r;
	verity_lanes_hash(lanes, block, lanes->block_bytes, 1, digest, c->geo.digest_bytes);
	if (!hash_equal(digest, c->geo.digest_bytes, c->p->root_hash, c->p->root_hash_bytes))
		return note_bad(c, 0);
	return 0;
}

/* All blocks of one level. Sets the verdict only if it is BAD. */
static int check_level(struct check *c, struct err *e)
{
	bool is_data = c->level == VERITY_LEVEL_DATA, is_top = c->level + 1 == (int)c->geo.n;
	struct verity_digests_params d = {.lanes = is_data ? &c->data_lanes : &c->hash_lanes,
					  .geo = &c->geo,
					  .src = is_data ? &c->p->data : &c->p->hash,
					  .src_offset_bytes = block_offset(c, c->level, 0),
					  .blocks = level_blocks(c, c->level),
					  .threads = c->p->threads,
					  .mode = c->p->mode,
					  .meter = &c->meter,
					  .meter_done_bytes = c->done_bytes,
					  .end = &c->end,
					  .done = compare_run,
					  .arg = c};
	int r;

	atomic_store(&c->end, UINT64_MAX);
	if (!is_top)
		c->above_at = block_offset(c, c->level + 1, 0);
	r = is_top ? check_top(c, e) : verity_digests_run(&d, e);
	c->done_bytes += d.blocks * d.lanes->block_bytes;
	if (r)
		return r;
	if (!is_top && !ranges_have(&c->unjudged, d.blocks - 1))
		r = check_end(c, e);
	if (!r)
		report_level(c, e);
	return r;
}

/* The zeros between superblock and tree. */
static int check_gap(struct check *c, struct err *e)
{
	uint64_t at = c->p->hash_offset_bytes + VERITY_SB_BYTES;
	uint8_t block[VERITY_BLOCK_BYTES];
	int r = 0;

	while (!r && at < c->tree_at && c->res->first.verdict == VERITY_VERDICT_UNSET) {
		size_t n = c->tree_at - at < sizeof(block) ? (size_t)(c->tree_at - at) : sizeof(block);

		r = verity_io_read(&c->p->hash, block, n, at, e);
		if (r == -ENODATA && c->geo.n == 0)
			return 0; /* nothing follows the superblock when the data is one block: a device may end there */
		if (!r && !hash_is_zero(block, n)) {
			(void)err_set(e, EBADMSG, "the bytes behind the superblock (offset %llu) are not zero",
				      (unsigned long long)at);
			bad_sizes(c);
		}
		at += n;
	}
	return r;
}

static int check_all(struct check *c, struct err *e)
{
	int r = c->p->no_superblock ? 0 : check_gap(c, e);

	for (c->level = (int)c->geo.n - 1; !r && c->level >= VERITY_LEVEL_DATA; c->level--) {
		if (c->res->first.verdict != VERITY_VERDICT_UNSET && (!c->p->all || !c->res->bad_blocks || c->full))
			break;
		r = check_level(c, e);
	}
	c->res->cut = c->full;
	if (r == -ENODATA) {
		bad_sizes(c); /* the file ends early: its content is wrong, not our reading */
		return 0;
	}
	if (!r && c->res->first.verdict == VERITY_VERDICT_UNSET)
		c->res->first.verdict = VERITY_VERDICT_GOOD;
	return r;
}

/* What is to be verified, from the superblock or the caller. Return: 0; 1: BAD, the sentence is there; -errno. */
static int learn_kind(struct check *c, struct err *e)
{
	const struct verity_verify_params *p = c->p;
	int r;

	if (p->hash_offset_bytes > VERITY_MAX_AT_BYTES)
		return err_set(e, EINVAL, "offset %llu is out of range", (unsigned long long)p->hash_offset_bytes);
	if (p->no_superblock) {
		c->sb = *p->no_superblock;
		c->tree_at = p->hash_offset_bytes;
	} else {
		r = verity_sb_read(p->hash.fd, p->hash_offset_bytes, p->hash.name, &c->sb, e);
		if (r == -EINVAL || r == -ENODATA)
			return 1;
		if (r)
			return r;
		c->tree_at = verity_tree_offset(&c->sb, p->hash_offset_bytes);
	}
	r = verity_sb_check_supported(&c->sb, p->hash.name, e);
	if (r)
		return r;
	if (p->root_hash_bytes != hash_bytes(c->sb.alg))
		return err_set(e, EINVAL, "a root hash of %zu bytes was given, %s makes %zu (%s)", p->root_hash_bytes,
			       c->sb.algorithm, hash_bytes(c->sb.alg), p->hash.name);
	c->geo = verity_geometry_of(&c->sb);
	r = verity_digests_lanes(&c->sb, c->sb.data_block_bytes, &c->data_lanes, e);
	return r ? r : verity_digests_lanes(&c->sb, c->sb.hash_block_bytes, &c->hash_lanes, e);
}

int verity_verify(const struct verity_verify_params *p, struct verity_verify_result *ret, struct err *e)
{
	struct verity_verify_result res = {.first = {.level = VERITY_LEVEL_NONE}};
	struct check c = {.p = p, .res = &res, .lock = PTHREAD_MUTEX_INITIALIZER};
	int r = learn_kind(&c, e);

	if (r == 1) {
		bad_sizes(&c);
		r = 0;
	} else if (!r) {
		progress_begin(&c.meter, p->say, "verified",
			       verity_sb_data_bytes(&c.sb) + verity_tree_bytes(&c.sb));
		r = check_all(&c, e);
	}
	free(c.bad.r);
	free(c.unjudged.r);
	res.sb = c.sb;
	if (!r)
		*ret = res;
	return r;
}

int verity_verify_fd(int data_fd, int hash_fd, uint64_t hash_offset_bytes,
		     const uint8_t root_hash[static HASH_SHA256_BYTES], struct verity_finding *ret, struct err *e)
{
	const struct verity_verify_params p = {.data = {.fd = data_fd, .name = "the data"},
					       .hash = {.fd = hash_fd, .name = "the hash tree"},
					       .hash_offset_bytes = hash_offset_bytes,
					       .root_hash = root_hash,
					       .root_hash_bytes = HASH_SHA256_BYTES};
	struct verity_verify_result res;
	int r = verity_verify(&p, &res, e);

	if (!r)
		*ret = res.first;
	return r;
}
