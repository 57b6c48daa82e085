/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/repair_walk.h - the volume under repair: which block has which digest, and decoding one round (repair*.c only)
 *
 * A block is named by level and number; its place in the covered run (the message) decides its round and row.
 */
#ifndef VERITY_REPAIR_WALK_H
#define VERITY_REPAIR_WALK_H

#include "verity/geometry.h"
#include "verity/lanes.h"
#include "verity/repair.h"
#include "verity/rs.h"


/**
 * struct verity_walk - one repair under way
 * @copy:      as the params' fec, but data and hash are the copies
 * @level:     that is being walked: levels above it are proved
 * @scratch:   one block; @rows: WALK_SLAB_BYTES of each row of a round; @parity: theirs
 * @candidate: blocks of the round that may be written, @max_candidates of them
 */
struct verity_walk {
	const struct verity_repair_params *p;
	struct verity_fec copy;
	struct verity_geometry geo;
	struct verity_lanes lanes;
	struct verity_rs rs;
	int level;
	uint8_t *scratch;
	uint8_t *rows;
	uint8_t *parity;
	uint8_t *candidate;
	unsigned max_candidates;
	struct verity_repair_result result;
};

/** struct verity_place - a block of the volume */
struct verity_place {
	int level;
	uint64_t block;
};

/** verity_walk_open() - memory and tables; verity_walk_close() - gives them back (of a zeroed one too). */
int verity_walk_open(struct verity_walk *w, const struct verity_repair_params *p, const struct verity_fec *copy,
		     struct err *e) WARN_UNUSED;
void verity_walk_close(struct verity_walk *w);

/** verity_walk_blocks() - of a level. verity_walk_file(), verity_walk_offset() - where a block of the copy stands. */
uint64_t verity_walk_blocks(const struct verity_walk *w, int level);
const struct verity_file *verity_walk_file(const struct verity_walk *w, int level);
uint64_t verity_walk_offset(const struct verity_walk *w, const struct verity_place *at);

/** verity_walk_digest() - the digest a block must have, from the level above it in the copy (or the root hash). */
int verity_walk_digest(const struct verity_walk *w, const struct verity_place *at,
		       uint8_t ret[static HASH_MAX_BYTES], struct err *e) WARN_UNUSED;

/** verity_walk_fits() - has a block of the copy the digest that stands above it? A proof only if that level is proved. */
int verity_walk_fits(const struct verity_walk *w, const struct verity_place *at, bool *ret, struct err *e) WARN_UNUSED;

/**
 * verity_walk_repair() - repair a block of w->level that lacks its digest, and what else its round shows to be bad
 * @ret_fits: has it its digest now?
 */
int verity_walk_repair(struct verity_walk *w, uint64_t block, bool *ret_fits, struct err *e) WARN_UNUSED;

#endif
