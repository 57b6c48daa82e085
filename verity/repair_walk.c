/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/repair_walk.c - the volume under repair: which block has which digest, and decoding one round */
#include "verity/repair_walk.h"

#include "verity/fec_io.h"

#include <string.h>

#define WALK_SLAB_BYTES     4096
#define WALK_CANDIDATE_BYTES (8 << 20)

/*
 * struct round - the blocks of one round that the tree shows to be bad
 * @number: of the round
 * @n:      how many; @row: their rows, @place: their places
 */
struct round {
	uint64_t number;
	unsigned n;
	uint8_t row[VERITY_FEC_CODEWORD_BYTES];
	struct verity_place place[VERITY_FEC_CODEWORD_BYTES];
};

int verity_walk_open(struct verity_walk *w, const struct verity_repair_params *p, const struct verity_fec *copy,
		     struct err *e)
{
	const struct verity_sb *sb = p->sb;
	struct verity_lanes_params how = {.alg = sb->alg,
					  .version = sb->hash_type,
					  .salt = sb->salt,
					  .salt_bytes = sb->salt_bytes,
					  .block_bytes = copy->block_bytes};
	int r = verity_lanes_init(&w->lanes, &how, e);

	if (!r)
		r = verity_rs_init(&w->rs, copy->roots, NULL, e);
	if (r)
		return r;
	w->p = p;
	w->copy = *copy;
	w->geo = verity_geometry_of(sb);
	w->max_candidates = WALK_CANDIDATE_BYTES / copy->block_bytes;
	if (w->max_candidates > w->rs.rows)
		w->max_candidates = w->rs.rows;
	w->scratch = malloc(copy->block_bytes);
	w->rows = malloc((size_t)w->rs.rows * WALK_SLAB_BYTES);
	w->parity = malloc((size_t)copy->roots * WALK_SLAB_BYTES);
	w->candidate = malloc((size_t)w->max_candidates * copy->block_bytes);
	if (!w->scratch || !w->rows || !w->parity || !w->candidate)
		return err_set(e, ENOMEM, "no memory to repair");
	return 0;
}

void verity_walk_close(struct verity_walk *w)
{
	free(w->scratch);
	free(w->rows);
	free(w->parity);
	free(w->candidate);
}

uint64_t verity_walk_blocks(const struct verity_walk *w, int level)
{
	return level < 0 ? w->copy.data_blocks : w->geo.blocks[level];
}

const struct verity_file *verity_walk_file(const struct verity_walk *w, int level)
{
	return level < 0 ? &w->copy.data : &w->copy.hash;
}

uint64_t verity_walk_offset(const struct verity_walk *w, const struct verity_place *at)
{
	uint64_t in_level = at->block * w->copy.block_bytes;

	return at->level < 0 ? in_level
			     : w->copy.hash_start_bytes + verity_geometry_level_offset(&w->geo, (unsigned)at->level) + in_level;
}

int verity_walk_digest(const struct verity_walk *w, const struct verity_place *at,
		       uint8_t ret[static HASH_MAX_BYTES], struct err *e)
{
	unsigned above = (unsigned)(at->level + 1);

	if (above == w->geo.n) {
		memcpy(ret, w->p->root_hash, w->geo.digest_bytes);
		return 0;
	}
	return verity_io_read(&w->copy.hash, ret, w->geo.digest_bytes,
			      w->copy.hash_start_bytes + verity_geometry_level_offset(&w->geo, above) +
				      verity_geometry_digest_offset(&w->geo, at->block),
			      e);
}

static bool has_digest(const struct verity_walk *w, const uint8_t *block, const uint8_t *wanted)
{
	uint8_t digest[HASH_MAX_BYTES];

	verity_lanes_hash(&w->lanes, block, w->copy.block_bytes, 1, digest, sizeof(digest));
	return hash_equal(digest, w->lanes.digest_bytes, wanted, w->geo.digest_bytes);
}

int verity_walk_fits(const struct verity_walk *w, const struct verity_place *at, bool *ret, struct err *e)
{
	uint8_t wanted[HASH_MAX_BYTES];
	int r = verity_walk_digest(w, at, wanted, e);

	if (!r)
		r = verity_io_read(verity_walk_file(w, at->level), w->scratch, w->copy.block_bytes,
				   verity_walk_offset(w, at), e);
	if (!r)
		*ret = has_digest(w, w->scratch, wanted);
	return r;
}

/* The place of block @m of the message. Return: false if it is padding, or stands behind the tree: nobody vouches for it. */
static bool place_of(const struct verity_walk *w, uint64_t m, struct verity_place *ret)
{
	if (m < w->copy.data_blocks) {
		*ret = (struct verity_place){.level = VERITY_REPAIR_LEVEL_DATA, .block = m};
		return true;
	}
	m -= w->copy.data_blocks;
	for (unsigned level = 0; level < w->geo.n; level++)
		if (m >= w->geo.first[level] && m - w->geo.first[level] < w->geo.blocks[level]) {
			*ret = (struct verity_place){.level = (int)level, .block = m - w->geo.first[level]};
			return true;
		}
	return false;
}

static uint64_t message_block(const struct verity_walk *w, const struct verity_place *at)
{
	return at->level < 0 ? at->block : w->copy.data_blocks + w->geo.first[at->level] + at->block;
}

/*
 * Does the tree show a block to be bad? Above the walked level none is any more. Below it the digest stands in a block that
 * is not proved; it still tells where the damage is, if that block has itself the digest that stands above it.
 * A wrong guess costs a try and no more, for what is written is proved.
 */
static int looks_bad(const struct verity_walk *w, const struct verity_place *at, bool *ret, struct err *e)
{
	struct verity_place above = {.level = at->level + 1, .block = at->block / w->geo.per_block};
	bool fits = true, above_fits = true;
	int r = 0;

	if (at->level <= w->level)
		r = verity_walk_fits(w, at, &fits, e);
	if (!r && !fits && at->level < w->level)
		r = verity_walk_fits(w, &above, &above_fits, e);
	if (!r)
		*ret = !fits && above_fits;
	return r;
}

/* Find the bad blocks of a round, as many as there is memory for; @first, which is one, before all others. */
static int find_bad(struct verity_walk *w, const struct verity_place *first, struct round *ret, struct err *e)
{
	uint64_t rounds = verity_fec_rounds(&w->copy), m = message_block(w, first);

	*ret = (struct round){.number = m % rounds, .n = 1};
	ret->row[0] = (uint8_t)(m / rounds);
	ret->place[0] = *first;
	for (unsigned i = 0; i < w->rs.rows && ret->n < w->max_candidates; i++) {
		struct verity_place at;
		bool bad = false;
		int r;

		if (i == ret->row[0] || !place_of(w, ret->number + i * rounds, &at))
			continue;
		r = looks_bad(w, &at, &bad, e);
		if (r)
			return r;
		if (bad) {
			ret->row[ret->n] = (uint8_t)i;
			ret->place[ret->n++] = at;
		}
	}
	return 0;
}

/* Decode codewords @at to @at + @n of a round; the bytes of its bad rows go into the candidates. */
static int decode_slab(struct verity_walk *w, const struct round *round, size_t at, size_t n, bool by_erasures, struct err *e)
{
	const uint64_t bs = w->copy.block_bytes, row_bytes = verity_fec_rounds(&w->copy) * bs;
	const uint64_t end = (w->copy.data_blocks + w->copy.hash_blocks) * bs;
	uint8_t *row[VERITY_FEC_CODEWORD_BYTES];
	struct verity_rs_words words = {.rows = row, .parity = w->parity, .width = n};
	uint64_t first = round->number * bs + at;
	int r = verity_io_read(&w->copy.parity, w->parity, n * w->copy.roots,
			       w->copy.parity_offset_bytes + first * w->copy.roots, e);

	for (unsigned i = 0; !r && i < w->rs.rows; i++) {
		row[i] = first + i * row_bytes < end ? w->rows + i * WALK_SLAB_BYTES : NULL;
		if (row[i])
			r = verity_fec_read_message(&w->copy, first + i * row_bytes, row[i], n, e);
	}
	if (r)
		return r;
	words.erasures = by_erasures ? round->row : NULL;
	words.n_erasures = by_erasures ? round->n : 0;
	r = verity_rs_decode(&w->rs, &words, NULL);
	if (r < 0 && r != -EBADMSG)
		return err_set(e, -r, "cannot decode round %llu", (unsigned long long)round->number);
	for (unsigned i = 0; i < round->n; i++)
		if (row[round->row[i]])
			memcpy(w->candidate + i * bs + at, row[round->row[i]], n);
	return 0;
}

static void note(struct verity_walk *w, const struct verity_place *at)
{
	struct verity_repair_block b = {.outcome = VERITY_REPAIR_REPAIRED,
					.level = at->level,
					.block = at->block,
					.file = verity_walk_file(w, at->level)->name,
					.offset_bytes = verity_walk_offset(w, at)};

	w->result.repaired++;
	if (w->p->note)
		w->p->note(w->p->arg, &b);
}

/* Write the candidates that have their digest. @ret_any: was there one? */
static int write_proved(struct verity_walk *w, const struct round *round, bool *ret_any, struct err *e)
{
	*ret_any = false;
	for (unsigned i = 0; i < round->n; i++) {
		const struct verity_place *at = &round->place[i];
		const uint8_t *block = w->candidate + (size_t)i * w->copy.block_bytes;
		uint8_t wanted[HASH_MAX_BYTES];
		int r = verity_walk_digest(w, at, wanted, e);

		if (r)
			return r;
		if (!has_digest(w, block, wanted))
			continue;
		r = verity_io_write(verity_walk_file(w, at->level), block, w->copy.block_bytes, verity_walk_offset(w, at), e);
		if (r)
			return r;
		note(w, at);
		*ret_any = true;
	}
	return 0;
}

static int decode_round(struct verity_walk *w, const struct round *round, bool by_erasures, bool *ret_any, struct err *e)
{
	*ret_any = false;
	if (by_erasures && round->n > w->copy.roots)
		return 0;
	for (size_t at = 0; at < w->copy.block_bytes; at += WALK_SLAB_BYTES) {
		size_t left = w->copy.block_bytes - at;
		int r = decode_slab(w, round, at, left < WALK_SLAB_BYTES ? left : WALK_SLAB_BYTES, by_erasures, e);

		if (r)
			return r;
	}
	return write_proved(w, round, ret_any, e);
}

/*
 * What the tree shows to be bad is the better knowledge, so erasures go first; without them the code also helps where
 * more blocks are bad than it has parity, each in other places. A repaired block changes the odds of the others of its
 * round, so both are tried again until nothing comes of it.
 */
int verity_walk_repair(struct verity_walk *w, uint64_t block, bool *ret_fits, struct err *e)
{
	struct verity_place at = {.level = w->level, .block = block};
	bool any = true;
	int r = 0;

	*ret_fits = false;
	while (!r && any && !*ret_fits) {
		struct round round;

		r = find_bad(w, &at, &round, e);
		if (!r)
			r = decode_round(w, &round, true, &any, e);
		if (!r && !any)
			r = decode_round(w, &round, false, &any, e);
		if (!r)
			r = verity_walk_fits(w, &at, ret_fits, e);
	}
	return r;
}
