/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/repair.c - copy a damaged volume, repair it from the root hash down, prove it, give it its name */
#include "verity/repair.h"

#include "common/interrupt.h"
#include "verity/fec_io.h"
#include "verity/repair_copy.h"
#include "verity/repair_walk.h"
#include "verity/verify.h"

#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES (1 << 20)

/* struct repair - what must be undone if it fails: one copy, or two */
struct repair {
	const struct verity_repair_params *p;
	struct file_new data, hash;
	struct verity_walk walk;
};

static bool is_one_file(const struct verity_repair_params *p)
{
	return verity_fec_same_file(p->fec->data.fd, p->fec->hash.fd);
}

/* A block of an original that cannot be read. */
static void note_unreadable(void *arg, const struct verity_file *from, uint64_t offset_bytes)
{
	struct repair *r = arg;
	struct verity_repair_block b = {.outcome = VERITY_REPAIR_UNREADABLE,
					.level = VERITY_REPAIR_LEVEL_DATA,
					.block = offset_bytes / r->p->fec->block_bytes,
					.file = from->name,
					.offset_bytes = offset_bytes};

	r->walk.result.unreadable++;
	if (r->p->note)
		r->p->note(r->p->arg, &b);
}

static void note_uncorrectable(struct verity_walk *w, const struct verity_place *at, struct err *e)
{
	struct verity_repair_block b = {.outcome = VERITY_REPAIR_UNCORRECTABLE,
					.level = at->level,
					.block = at->block,
					.file = verity_walk_file(w, at->level)->name,
					.offset_bytes = verity_walk_offset(w, at)};

	if (w->result.uncorrectable++ == 0)
		(void)err_set(e, EBADMSG, "%s: block %llu of %s (offset %llu) is damaged beyond what %u parity bytes a codeword correct",
			      b.file, (unsigned long long)b.block, at->level < 0 ? "the data" : "the hash tree",
			      (unsigned long long)b.offset_bytes, w->copy.roots);
	if (w->p->note)
		w->p->note(w->p->arg, &b);
}

/* The digests of neighbouring blocks, compared with those the level above has for them; what does not fit is repaired. */
static int walk_chunk(struct verity_walk *w, uint8_t *buf, uint64_t first, size_t n, struct err *e)
{
	const uint32_t bs = w->copy.block_bytes;
	struct verity_place at = {.level = w->level, .block = first};
	int r = verity_io_read(verity_walk_file(w, w->level), buf, n * bs, verity_walk_offset(w, &at), e);
	uint8_t *digests = buf + CHUNK_BYTES;

	if (r)
		return r;
	verity_lanes_hash(&w->lanes, buf, bs, n, digests, HASH_MAX_BYTES);
	for (size_t i = 0; !r && i < n; i++) {
		uint8_t wanted[HASH_MAX_BYTES];
		bool fits = true;

		at.block = first + i;
		r = verity_walk_digest(w, &at, wanted, e);
		if (!r && !hash_equal(digests + i * HASH_MAX_BYTES, w->lanes.digest_bytes, wanted,
				      w->geo.digest_bytes))
			r = verity_walk_fits(w, &at, &fits, e); /* an earlier repair may have reached it since */
		if (!r && !fits)
			r = verity_walk_repair(w, at.block, &fits, e);
		if (!r && !fits)
			note_uncorrectable(w, &at, e);
	}
	return r;
}

static int walk_level(struct verity_walk *w, uint8_t *buf, struct progress_meter *meter, uint64_t *done, struct err *e)
{
	const uint32_t bs = w->copy.block_bytes;
	uint64_t blocks = verity_walk_blocks(w, w->level), at_once = CHUNK_BYTES / bs;

	for (uint64_t i = 0; i < blocks; i += at_once) {
		size_t n = blocks - i < at_once ? (size_t)(blocks - i) : (size_t)at_once;
		int r = interrupt_check(e);

		if (!r)
			r = walk_chunk(w, buf, i, n, e);
		if (r)
			return r;
		*done += n * bs;
		progress_done(meter, *done);
	}
	return 0;
}

/* From the root down. Below a tree block that stays bad nothing can be told, so the walk ends with its level. */
static int walk(struct verity_walk *w, struct err *e)
{
	const size_t digests = CHUNK_BYTES / w->copy.block_bytes * HASH_MAX_BYTES;
	cleanup_free uint8_t *buf = malloc(CHUNK_BYTES + digests);
	struct progress_meter meter;
	uint64_t done = 0;
	int r = 0;

	if (!buf)
		return err_set(e, ENOMEM, "no memory to repair");
	progress_begin(&meter, w->p->say, "repaired", (w->copy.data_blocks + w->geo.tree_blocks) * w->copy.block_bytes);
	for (w->level = (int)w->geo.n - 1; !r && !w->result.uncorrectable && w->level >= VERITY_REPAIR_LEVEL_DATA; w->level--)
		r = walk_level(w, buf, &meter, &done, e);
	return r ? r : w->result.uncorrectable ? -EBADMSG : 0;
}

static int make_copies(struct repair *r, struct verity_fec *ret, struct err *e)
{
	const struct verity_repair_params *p = r->p;
	struct verity_copy_params copy = {.from = &p->fec->data,
					  .path = p->out_data,
					  .block_bytes = p->fec->block_bytes,
					  .bad = note_unreadable,
					  .arg = r,
					  .say = p->say};
	int q = verity_copy_make(&copy, &r->data, e);

	if (q)
		return q;
	*ret = *p->fec;
	ret->data.fd = ret->hash.fd = r->data.fd;
	ret->data.io = ret->hash.io = NULL; /* faults that a test injects are the originals' */
	if (is_one_file(p))
		return 0;
	copy.from = &p->fec->hash;
	copy.path = p->out_hash;
	q = verity_copy_make(&copy, &r->hash, e);
	ret->hash.fd = r->hash.fd;
	return q;
}

/* The whole copy, from the disk, against the root hash: whatever the repair believed. */
static int prove(const struct verity_repair_params *p, const struct verity_fec *copy, struct err *e)
{
	struct verity_verify_params v = {.data = copy->data,
					 .hash = copy->hash,
					 .hash_offset_bytes = p->hash_offset_bytes,
					 .root_hash = p->root_hash,
					 .root_hash_bytes = p->root_hash_bytes,
					 .no_superblock = p->no_superblock ? p->sb : NULL,
					 .say = p->say};
	struct verity_verify_result found = {.first = {.verdict = VERITY_VERDICT_UNSET}};
	int r = verity_io_sync(&copy->data, e);

	if (!r && copy->hash.fd != copy->data.fd)
		r = verity_io_sync(&copy->hash, e);
	if (!r)
		r = verity_verify(&v, &found, e);
	if (r)
		return r;
	if (found.first.verdict == VERITY_VERDICT_GOOD)
		return 0;
	return err_context(e, "the repaired copy does not fit the root hash");
}

static int repair(struct repair *r, struct err *e)
{
	struct verity_fec copy;
	int q = make_copies(r, &copy, e);

	if (!q)
		q = verity_walk_open(&r->walk, r->p, &copy, e);
	if (!q)
		q = walk(&r->walk, e);
	if (!q)
		q = prove(r->p, &copy, e);
	if (!q)
		q = file_new_publish(&r->data, false, e);
	if (!q && r->hash.fd >= 0) {
		q = file_new_publish(&r->hash, false, e);
		if (q)
			(void)unlink(r->data.path); /* half of a volume is none; the first error is the one to tell */
	}
	return q;
}

int verity_repair(const struct verity_repair_params *p, struct verity_repair_result *ret, struct err *e)
{
	struct repair r = {.p = p, .data = FILE_NEW_NONE, .hash = FILE_NEW_NONE};
	int q;

	if (p->root_hash_bytes != hash_bytes(p->sb->alg))
		return err_set(e, EINVAL, "a root hash of %zu bytes, %s has %zu", p->root_hash_bytes, p->sb->algorithm,
			       hash_bytes(p->sb->alg));
	if (!is_one_file(p) != !!p->out_hash)
		return err_set(e, EINVAL, p->out_hash ? "data and hash tree are one file: there is one copy to name"
						      : "the hash tree has a file of its own: its copy needs a name");
	q = repair(&r, e);
	*ret = r.walk.result;
	verity_walk_close(&r.walk);
	file_new_drop(&r.data);
	file_new_drop(&r.hash);
	return q;
}
