/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/digests.c - read a row of blocks and hash them all, by several threads, as fast as they can be read */
#include "verity/digests.h"

#include "common/interrupt.h"
#include "verity/mapped.h"
#include "verity/ring.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define SLICE_BYTES     (128 * 1024) /* of one pread(): stays in the second level cache until it is hashed */
#define MAX_RUN_BYTES   (1024 * 1024)
#define MIN_RUN_BYTES   (64 * 1024) /* as large as a block can be */
#define MAX_DEPTH       4
#define DIRECT_ALIGN    4096 /* enough for every device and file system that has O_DIRECT */
#define MAP_THREADS     4   /* with more, what is mapped at a time would be too much memory */
#define FEW_RUNS        4   /* not worth a look at the page cache */
#define TRY_EVERY       128 /* runs: then it is measured again what costs less */
#define STACK_BYTES     (256 * 1024)
#define HUGE_BYTES      (2 * 1024 * 1024)

/*
 * struct work - what the threads share
 * @direct_fd: the row opened once more with O_DIRECT; -1: not to be had
 * @map:       the whole row
 * @next:      the next run to be taken
 */
struct work {
	const struct verity_digests_params *p;
	uint64_t run_blocks, runs, level_bytes;
	unsigned threads, depth;
	int direct_fd;
	struct verity_mapped map;
	_Atomic uint64_t next, done_blocks;
	_Atomic bool stop;
	pthread_mutex_t lock;
	int error;
	struct err err;
};

/* struct slot - a run that is being read: @n bytes of it are wanted in @buf */
struct slot {
	bool busy;
	uint64_t run;
	size_t n;
	uint8_t *buf;
};

/*
 * struct worker - one thread: its buffers, which are made when they are first needed, and its ring
 * @cached_runs: so far; @cost_ns: CPU time of the last run that was measured, by pread() and mapped
 */
struct worker {
	struct work *w;
	pthread_t thread;
	bool first, started, direct;
	uint8_t *slice, *stripe;
	size_t stripe_max;
	uint8_t *buffers;
	struct verity_ring *ring;
	struct slot slot[MAX_DEPTH];
	unsigned busy;
	uint64_t cached_runs;
	int64_t cost_ns[2];
};

static uint64_t run_first(const struct work *w, uint64_t run)
{
	return run * w->run_blocks;
}

static uint64_t run_blocks(const struct work *w, uint64_t run)
{
	uint64_t left = w->p->blocks - run_first(w, run);

	return left < w->run_blocks ? left : w->run_blocks;
}

static uint64_t run_offset(const struct work *w, uint64_t run)
{
	return w->p->src_offset_bytes + run_first(w, run) * w->p->lanes->block_bytes;
}

static size_t run_bytes(const struct work *w, uint64_t run)
{
	return (size_t)run_blocks(w, run) * w->p->lanes->block_bytes;
}

static bool claim(struct work *w, uint64_t *ret_run)
{
	uint64_t run;

	if (atomic_load_explicit(&w->stop, memory_order_relaxed))
		return false;
	run = atomic_fetch_add_explicit(&w->next, 1, memory_order_relaxed);
	if (run >= w->runs || (w->p->end && run_first(w, run) >= atomic_load(w->p->end)))
		return false;
	*ret_run = run;
	return true;
}

/* Where in the level above the stripe of @run begins and ends; the last one takes what is left of its block. */
static void stripe_of(const struct work *w, uint64_t run, struct verity_run *ret)
{
	uint64_t first = run_first(w, run), blocks = run_blocks(w, run), end;

	end = first + blocks == w->p->blocks ? w->level_bytes :
					       verity_geometry_digest_offset(w->p->geo, first + blocks);
	*ret = (struct verity_run){.first = first, .blocks = blocks};
	ret->stripe_at = verity_geometry_digest_offset(w->p->geo, first);
	ret->stripe_bytes = (size_t)(end - ret->stripe_at);
}

/* Hash @n blocks, the first of which has the number @at, into the stripe; a hash block of digests at a time. */
static void hash_blocks(const struct worker *t, const struct verity_run *run, uint64_t at, const uint8_t *data, uint64_t n)
{
	const struct verity_digests_params *p = t->w->p;

	while (n) {
		uint64_t room = p->geo->per_block - at % p->geo->per_block, k = n < room ? n : room;

		verity_lanes_hash(p->lanes, data, p->lanes->block_bytes, (size_t)k,
				  t->stripe + (verity_geometry_digest_offset(p->geo, at) - run->stripe_at),
				  p->geo->stride_bytes);
		data += k * p->lanes->block_bytes;
		at += k;
		n -= k;
	}
}

static int hand_over(struct worker *t, struct verity_run *run, struct err *e)
{
	struct work *w = t->w;
	uint64_t done;
	int r;

	run->stripe = t->stripe;
	r = w->p->done(w->p->arg, run, e);
	done = atomic_fetch_add(&w->done_blocks, run->blocks) + run->blocks;
	if (t->first && w->p->meter)
		progress_done(w->p->meter, w->p->meter_done_bytes + done * w->p->lanes->block_bytes);
	return r ? r : interrupt_check(e);
}

static int run_buffered(struct worker *t, uint64_t number, struct err *e)
{
	struct work *w = t->w;
	uint64_t block = w->p->lanes->block_bytes, at = run_offset(w, number), left = run_bytes(w, number);
	struct verity_run run;
	uint64_t next, most = w->run_blocks * block;

	if (!t->slice)
		t->slice = malloc(most < SLICE_BYTES ? most : SLICE_BYTES);
	if (!t->slice)
		return err_set(e, ENOMEM, "no memory to read %s", w->p->src->name);
	stripe_of(w, number, &run);
	memset(t->stripe, 0, run.stripe_bytes);
	for (next = run.first; left;) {
		size_t n = left < SLICE_BYTES ? (size_t)left : SLICE_BYTES;
		int r = verity_io_read(w->p->src, t->slice, n, at, e);

		if (r)
			return r;
		hash_blocks(t, &run, next, t->slice, n / block);
		next += n / block;
		at += n;
		left -= n;
	}
	return hand_over(t, &run, e);
}


/* Hash a run where the page cache has it. What turns out not to be there is read by pread(), which has the sentence. */
static int run_mapped(struct worker *t, uint64_t number, struct err *e)
{
	struct work *w = t->w;
	uint64_t at = run_offset(w, number) - w->p->src_offset_bytes;
	const uint8_t *data = verity_mapped_borrow(&w->map, at, run_bytes(w, number));
	struct verity_run run;

	if (!data)
		return run_buffered(t, number, e);
	stripe_of(w, number, &run);
	memset(t->stripe, 0, run.stripe_bytes);
	hash_blocks(t, &run, run.first, data, run.blocks);
	if (!verity_mapped_return(&w->map, at, run_bytes(w, number)))
		return run_buffered(t, number, e);
	return hand_over(t, &run, e);
}

static int64_t thread_ns(void)
{
	struct timespec s = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &s); /* always there */
	return (int64_t)s.tv_sec * 1000000000 + s.tv_nsec;
}

/*
 * A run that is cached. What costs less, the copy or the mapping, depends on the size of the page cache's folios: both
 * are tried twice now and then, and the second times compared.
 */
static int run_cached(struct worker *t, uint64_t number, struct err *e)
{
	const struct verity_digests_params *p = t->w->p;
	uint64_t turn = t->cached_runs++ % TRY_EVERY;
	bool map = turn < 4 ? turn & 1 : t->cost_ns[1] < t->cost_ns[0];
	int64_t before;
	int r;

	if (p->mode == VERITY_READ_MAP)
		return run_mapped(t, number, e);
	/* With buffers for direct reads as well, what the mapping counts (a folio of 2 MiB at a time) would be too much memory. */
	if (p->mode != VERITY_READ_AUTO || !t->w->map.row || t->w->threads > MAP_THREADS || t->buffers)
		return run_buffered(t, number, e);
	before = turn < 4 ? thread_ns() : 0;
	r = map ? run_mapped(t, number, e) : run_buffered(t, number, e);
	if (turn < 4)
		t->cost_ns[map] = thread_ns() - before;
	return r;
}

static size_t round_up(size_t n)
{
	return (n + DIRECT_ALIGN - 1) / DIRECT_ALIGN * DIRECT_ALIGN;
}

/*
 * No ring, no buffers: then this thread reads like everybody else. Huge pages, if there are any, save the kernel most of
 * the work of pinning the buffers for each read.
 */
static void direct_begin(struct worker *t)
{
	size_t one = round_up(t->w->run_blocks * t->w->p->lanes->block_bytes), all = one * t->w->depth;

	t->buffers = aligned_alloc(HUGE_BYTES, (all + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES);
	if (!t->buffers || verity_ring_open(MAX_DEPTH, &t->ring)) {
		t->direct = false;
		return;
	}
	if (all >= HUGE_BYTES)
		(void)madvise(t->buffers, all, MADV_HUGEPAGE); /* a wish */
	for (unsigned i = 0; i < t->w->depth; i++)
		t->slot[i].buf = t->buffers + i * one;
}

/* Begin to read @run past the page cache. Return: false if that cannot be done. */
static bool direct_submit(struct worker *t, uint64_t run)
{
	struct work *w = t->w;
	struct slot *s = t->slot;
	size_t n = run_bytes(w, run);

	if (!t->ring && t->direct)
		direct_begin(t);
	if (!t->direct || run_offset(w, run) % DIRECT_ALIGN)
		return false;
	while (s->busy)
		s++;
	s->run = run;
	s->n = n;
	n = round_up(n); /* past the end of a file it ends there */
	if (verity_ring_read(t->ring, w->direct_fd, s->buf, (uint32_t)n, run_offset(w, run), (uint64_t)(s - t->slot)))
		t->direct = false;
	else
		s->busy = true;
	t->busy += s->busy;
	return s->busy;
}

/* Wait for one read. @ret: the slot it was for; whether all of it came. */
static int direct_wait(struct worker *t, struct slot **ret, bool *ret_whole, struct err *e)
{
	uint64_t tag = 0;
	int32_t res = 0;
	int r = verity_ring_wait(t->ring, &tag, &res);

	if (r)
		return err_set(e, -r, "cannot wait for a read of %s", t->w->p->src->name);
	*ret = &t->slot[tag % MAX_DEPTH];
	(*ret)->busy = false;
	t->busy--;
	*ret_whole = res >= 0 && (size_t)res >= (*ret)->n;
	if (res == -EINVAL || res == -EOPNOTSUPP)
		t->direct = false;
	return 0;
}

/* A run whose read has ended. What did not come whole is read again by pread(), which has the sentence if it fails. */
static int run_direct(struct worker *t, struct err *e)
{
	struct verity_run run;
	struct slot *s = NULL;
	bool whole = false;
	int r = direct_wait(t, &s, &whole, e);

	if (r)
		return r;
	if (!whole)
		return run_buffered(t, s->run, e);
	stripe_of(t->w, s->run, &run);
	memset(t->stripe, 0, run.stripe_bytes);
	hash_blocks(t, &run, run.first, s->buf, run.blocks);
	return hand_over(t, &run, e);
}

/* The kernel is told what this thread's next runs will be, when it reads a cold file through the cache. */
static void read_ahead(const struct work *w, uint64_t run)
{
	uint64_t ahead = run + w->threads;

	if (ahead < w->runs)
		(void)posix_fadvise(w->p->src->fd, (off_t)run_offset(w, ahead), (off_t)run_bytes(w, ahead),
				    POSIX_FADV_WILLNEED); /* a hint */
}

/* Keep reads under way as long as there are cold runs; hash what has come. */
static int work_loop(struct worker *t, struct err *e)
{
	struct work *w = t->w;
	bool more = true;
	uint64_t run = 0;
	int r = 0;

	while (!r && (more || t->busy)) {
		while (!r && t->busy < w->depth && (more = claim(w, &run))) {
			bool cold = w->p->mode == VERITY_READ_DIRECT ||
				    (w->p->mode == VERITY_READ_AUTO &&
				     !verity_mapped_is_cached(&w->map, run_offset(w, run) - w->p->src_offset_bytes,
							      run_bytes(w, run)));

			if (cold && direct_submit(t, run))
				continue;
			if (cold)
				read_ahead(w, run);
			r = cold ? run_buffered(t, run, e) : run_cached(t, run, e);
		}
		if (!r && t->busy)
			r = run_direct(t, e);
	}
	return r;
}

static void *work_thread(void *arg)
{
	struct worker *t = arg;
	struct work *w = t->w;
	struct err e = ERR_INIT;
	struct slot *s;
	bool whole;
	int r;

	t->direct = w->direct_fd >= 0;
	t->stripe = malloc(t->stripe_max);
	r = t->stripe ? work_loop(t, &e) : err_set(&e, ENOMEM, "no memory for digests");
	if (r) {
		(void)pthread_mutex_lock(&w->lock);
		if (!w->error) {
			w->error = r;
			w->err = e;
		}
		(void)pthread_mutex_unlock(&w->lock);
		atomic_store(&w->stop, true);
	}
	while (t->busy && !direct_wait(t, &s, &whole, &e))
		; /* the kernel must not write into buffers that are gone */
	verity_ring_close(t->ring);
	if (!t->busy)
		free(t->buffers);
	free(t->slice);
	free(t->stripe);
	return NULL;
}

/* Open the row once more for O_DIRECT, and map it to ask what is cached. Both may fail: then it is read as usual. */
static void look_at_source(struct work *w)
{
	const struct verity_digests_params *p = w->p;
	char self[64];

	if (p->mode == VERITY_READ_PREAD || (p->mode == VERITY_READ_AUTO && w->runs <= FEW_RUNS) ||
	    (p->src->io && p->src->io->pread))
		return;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", p->src->fd); /* always fits */
	w->direct_fd = open(self, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY);
	(void)verity_mapped_open(p->src->fd, p->src_offset_bytes, p->blocks * p->lanes->block_bytes, &w->map); /* or not */
}

static unsigned usable_processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n > 0 ? (unsigned)n : 1;
}

static void plan_work(struct work *w, const struct verity_digests_params *p)
{
	uint64_t block = p->lanes->block_bytes, bytes = MAX_RUN_BYTES;
	unsigned threads = p->threads ? p->threads : usable_processors();

	threads = threads < VERITY_MAX_THREADS ? threads : VERITY_MAX_THREADS;
	*w = (struct work){.p = p, .direct_fd = -1, .depth = threads <= 16 ? MAX_DEPTH : 2};
	while (bytes > MIN_RUN_BYTES && bytes * w->depth * threads > VERITY_DIGESTS_MEMORY_BYTES)
		bytes /= 2;
	w->run_blocks = bytes / block < p->blocks ? bytes / block : p->blocks;
	w->runs = p->blocks / w->run_blocks + (p->blocks % w->run_blocks != 0);
	w->threads = w->runs < threads ? (unsigned)w->runs : threads;
	w->level_bytes = (p->blocks / p->geo->per_block + (p->blocks % p->geo->per_block != 0)) *
			 p->geo->hash_block_bytes;
}

/* Start all but the first, which is the caller; fewer are as good. */
static void start_threads(struct worker *t, unsigned n)
{
	pthread_attr_t attr;
	bool has_attr = pthread_attr_init(&attr) == 0;

	if (has_attr)
		(void)pthread_attr_setstacksize(&attr, STACK_BYTES); /* else the usual size */
	for (unsigned i = 1; i < n; i++)
		t[i].started = pthread_create(&t[i].thread, has_attr ? &attr : NULL, work_thread, &t[i]) == 0;
	if (has_attr)
		(void)pthread_attr_destroy(&attr);
}

int verity_digests_run(const struct verity_digests_params *p, struct err *e)
{
	cleanup_free struct worker *t = NULL;
	struct work w;

	if (p->blocks == 0)
		return err_set(e, EINVAL, "no blocks of %s to hash", p->src->name);
	plan_work(&w, p);
	t = calloc(w.threads, sizeof(*t));
	if (!t || pthread_mutex_init(&w.lock, NULL))
		return err_set(e, ENOMEM, "no memory for %u threads", w.threads);
	look_at_source(&w);
	for (unsigned i = 0; i < w.threads; i++) {
		t[i].w = &w;
		t[i].first = i == 0;
		t[i].stripe_max = (size_t)(w.run_blocks / p->geo->per_block + 2) * p->geo->hash_block_bytes;
	}
	start_threads(t, w.threads);
	(void)work_thread(&t[0]);
	for (unsigned i = 1; i < w.threads; i++)
		if (t[i].started)
			(void)pthread_join(t[i].thread, NULL);
	verity_mapped_close(&w.map);
	if (w.direct_fd >= 0)
		(void)close(w.direct_fd); /* only read */
	(void)pthread_mutex_destroy(&w.lock);
	if (w.error)
		*e = w.err;
	return w.error;
}

int verity_digests_lanes(const struct verity_sb *sb, uint32_t block_bytes, struct verity_lanes *ret, struct err *e)
{
	const struct verity_lanes_params p = {.alg = sb->alg,
					      .version = sb->hash_type,
					      .salt = sb->salt,
					      .salt_bytes = sb->salt_bytes,
					      .block_bytes = block_bytes};

	return verity_lanes_init(ret, &p, e);
}
