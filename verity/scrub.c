/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/scrub.c - read a live dm-verity device through */
#include "verity/scrub.h"

#include "common/hash.h"
#include "common/interrupt.h"

#include <string.h>
#include <time.h>

#define CHUNK_BYTES (1 << 20)
#define ALIGN_BYTES 4096 /* O_DIRECT wants it of memory on any device */

/* struct scrub - one under way: @device and @data are chunks of memory */
struct scrub {
	const struct verity_scrub_params *p;
	uint8_t *device;
	uint8_t *data;
	int64_t began_ns;
	uint64_t read_bytes;
	struct verity_scrub_result result;
};

static int64_t now_ns(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* this clock is always there */
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Wait until the bytes read so far may have been read. */
static int keep_rate(const struct scrub *s, struct err *e)
{
	int r = interrupt_check(e);

	while (!r && s->p->rate) {
		double due_ns = (double)s->read_bytes / (double)s->p->rate * 1e9, left_ns = due_ns - (double)(now_ns() - s->began_ns);
		struct timespec nap = {.tv_nsec = left_ns < 100e6 ? (long)left_ns : 100000000};

		if (left_ns <= 0)
			break;
		(void)nanosleep(&nap, NULL); /* an early end is made up for by the next round */
		r = interrupt_check(e);
	}
	return r;
}

static bool is_media_error(int r)
{
	return r == -EIO || r == -EREMOTEIO || r == -EILSEQ || r == -ETIMEDOUT || r == -EBADE;
}

/* Read one block. @ret_readable: false for what the device will not deliver. */
static int read_block(const struct verity_file *f, uint8_t *buf, size_t n, uint64_t at, bool *ret_readable, struct err *e)
{
	int r = verity_io_read(f, buf, n, at, e);

	*ret_readable = r == 0;
	return is_media_error(r) ? 0 : r;
}

static void note(struct scrub *s, enum verity_scrub_outcome outcome, uint64_t block)
{
	if (outcome == VERITY_SCRUB_BAD)
		s->result.bad++;
	else
		s->result.repaired++;
	s->p->note(s->p->arg, outcome, block);
}

/* A chunk that is not plainly good: block by block, at first the device, then what is below. */
static int judge_blocks(struct scrub *s, uint64_t first, size_t n, struct err *e)
{
	const size_t bs = s->p->block_bytes;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = (first + i) * bs;
		bool delivered = false, below = true;
		int r = read_block(&s->p->device, s->device, bs, at, &delivered, e);

		if (!r && delivered && s->p->data.fd >= 0)
			r = read_block(&s->p->data, s->data, bs, at, &below, e);
		if (r)
			return r;
		if (!delivered)
			note(s, VERITY_SCRUB_BAD, first + i);
		else if (s->p->data.fd >= 0 && (!below || memcmp(s->device, s->data, bs)) &&
			 !(s->p->ignore_zeros && hash_is_zero(s->device, bs)))
			note(s, VERITY_SCRUB_REPAIRED, first + i);
	}
	return 0;
}

static int scrub_chunk(struct scrub *s, uint64_t first, size_t n, struct err *e)
{
	const size_t bytes = n * s->p->block_bytes;
	const uint64_t at = first * s->p->block_bytes;
	bool is_plain = true;
	int r = read_block(&s->p->device, s->device, bytes, at, &is_plain, e);

	s->read_bytes += bytes;
	if (!r && is_plain && s->p->data.fd >= 0) {
		r = read_block(&s->p->data, s->data, bytes, at, &is_plain, e);
		is_plain = is_plain && !memcmp(s->device, s->data, bytes);
		s->read_bytes += bytes;
	}
	return r || is_plain ? r : judge_blocks(s, first, n, e);
}

int verity_scrub(const struct verity_scrub_params *p, struct verity_scrub_result *ret, struct err *e)
{
	cleanup_free uint8_t *device = aligned_alloc(ALIGN_BYTES, CHUNK_BYTES);
	cleanup_free uint8_t *data = aligned_alloc(ALIGN_BYTES, CHUNK_BYTES);
	struct scrub s = {.p = p, .device = device, .data = data, .began_ns = now_ns()};
	uint64_t at_once = CHUNK_BYTES / p->block_bytes;
	struct progress_meter meter;

	if (!device || !data)
		return err_set(e, ENOMEM, "no memory to read %s", p->device.name);
	progress_begin(&meter, p->say, "scrubbed", p->blocks * p->block_bytes);
	for (uint64_t i = 0; i < p->blocks; i += at_once) {
		size_t n = p->blocks - i < at_once ? (size_t)(p->blocks - i) : (size_t)at_once;
		int r = keep_rate(&s, e);

		if (!r)
			r = scrub_chunk(&s, i, n, e);
		if (r)
			return r;
		progress_done(&meter, (i + n) * p->block_bytes);
	}
	*ret = s.result;
	return 0;
}
