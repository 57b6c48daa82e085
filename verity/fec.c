/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/fec.c - parity of a dm-verity volume: what is covered, encoding and checking over threads */
#include "verity/fec.h"

#include "common/interrupt.h"
#include "verity/fec_io.h"
#include "verity/rs.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_THREADS    64
#define MIN_SLAB_BYTES 512
#define SAMPLES        16 /* of MIN_SLAB_BYTES codewords */

/* Measured: reads as long as can be, while rows and state together stay in the second-level cache. */
#define MAX_SLAB_BYTES  (128 << 10)
#define MAX_STATE_BYTES (384 << 10)
#define MAX_ROWS_BYTES  (128 << 10)
#define MAX_PIECE_BYTES 4096

/*
 * struct job - one pass over all codewords
 * @row_bytes: codewords in all; a row of the message
 * @slab:      codewords that are done at a time, of @batch rows at a time; @piece: of all rows, to correct
 * @next:      first codeword that nobody has taken yet; up to @end
 * @lock:      of all that follows it
 */
struct job {
	const struct verity_fec *f;
	struct verity_rs rs;
	bool is_check;
	uint64_t row_bytes;
	size_t slab;
	unsigned batch;
	size_t piece;
	pthread_mutex_t lock;
	uint64_t next;
	uint64_t end;
	uint64_t done;
	int r;
	struct err err;
	struct progress_meter meter;
	struct verity_fec_report report;
};

/*
 * struct worker - the memory of one thread
 * @row:    what the code gets: rows of the message; NULL where only padding is
 * @memory: behind them, a slab of @batch rows
 * @state:  of the division
 * @parity: of the slab, as it stands on disk
 * @all:    a piece of all rows; NULL until the first damage
 */
struct worker {
	uint8_t *row[VERITY_FEC_CODEWORD_BYTES];
	uint8_t *memory;
	uint8_t *state;
	uint8_t *parity;
	uint8_t *all;
	struct verity_fec_report report;
};

static unsigned message_rows(const struct verity_fec *f)
{
	return VERITY_FEC_CODEWORD_BYTES - f->roots;
}

/* Rows are a cache line more than their length apart, or all of them would meet in the same few sets of the cache. */
static size_t apart(size_t row_bytes)
{
	return row_bytes + 64;
}

bool verity_fec_roots_parse(const char *text, unsigned *ret)
{
	unsigned v = 0;

	for (const char *s = text; *s; s++) {
		if (*s < '0' || *s > '9' || s - text > 1 || (s > text && *text == '0'))
			return false;
		v = v * 10 + (unsigned)(*s - '0');
	}
	if (v < VERITY_FEC_MIN_ROOTS || v > VERITY_FEC_MAX_ROOTS)
		return false;
	*ret = v;
	return true;
}

uint64_t verity_fec_rounds(const struct verity_fec *f)
{
	uint64_t blocks = f->data_blocks + f->hash_blocks, k = message_rows(f);

	return blocks / k + (blocks % k != 0);
}

uint64_t verity_fec_parity_bytes(const struct verity_fec *f)
{
	return verity_fec_rounds(f) * f->roots * f->block_bytes;
}

/* --- one pass ------------------------------------------------------------------------------------------------------- */

/* struct part - @n codewords from @at on; of their rows @rows from @first on */
struct part {
	uint64_t at;
	size_t n;
	unsigned first, rows;
};

/* Read a part into @memory; @w->row tells where. A row that is all padding is not read. */
static int load_rows(const struct job *job, struct worker *w, const struct part *p, uint8_t *memory, struct err *e)
{
	const struct verity_fec *f = job->f;
	uint64_t end = (f->data_blocks + f->hash_blocks) * f->block_bytes;

	for (unsigned i = 0; i < p->rows; i++) {
		uint64_t from = (p->first + i) * job->row_bytes + p->at;
		int r;

		w->row[i] = from < end ? memory + i * apart(p->n) : NULL;
		r = from < end ? verity_fec_read_message(f, from, w->row[i], p->n, e) : 0;
		if (r)
			return r;
	}
	return 0;
}

/* Divide the codewords @at on: what is left is in @w->state. */
static int divide_slab(const struct job *job, struct worker *w, uint64_t at, size_t n, struct err *e)
{
	memset(w->state, 0, n * job->f->roots);
	for (unsigned i = 0; i < job->rs.rows; i += job->batch) {
		unsigned left = job->rs.rows - i;
		struct part part = {.at = at, .n = n, .first = i, .rows = left < job->batch ? left : job->batch};
		int r = load_rows(job, w, &part, w->memory, e);

		if (r)
			return r;
		verity_rs_feed(&job->rs, (const uint8_t *const *)w->row, part.rows, n, w->state);
	}
	return 0;
}

/* Codewords @at on, of which the first is damaged, with all their rows. */
static int correct_piece(const struct job *job, struct worker *w, uint64_t at, size_t n, uint8_t *parity, struct err *e)
{
	const struct verity_fec *f = job->f;
	const struct part part = {.at = at, .n = n, .rows = job->rs.rows};
	struct verity_rs_words words = {.rows = w->row, .parity = parity, .width = n};
	struct verity_fec_report *report = &w->report;
	struct verity_rs_result found;
	int r;

	if (!w->all)
		w->all = malloc(job->rs.rows * apart(job->piece));
	if (!w->all)
		return err_set(e, ENOMEM, "no memory for %zu codewords", job->piece);
	r = load_rows(job, w, &part, w->all, e);
	if (r)
		return r;
	r = verity_rs_decode(&job->rs, &words, &found);
	if (r < 0 && r != -EBADMSG)
		return err_set(e, -r, "cannot decode");
	if (found.uncorrectable && !report->uncorrectable)
		report->first_round = (at + found.first_uncorrectable) / f->block_bytes;
	report->correctable += found.corrected;
	report->uncorrectable += found.uncorrectable;
	report->bytes += found.bytes;
	return 0;
}

static int check_slab(const struct job *job, struct worker *w, uint64_t at, size_t n, struct err *e)
{
	const struct verity_fec *f = job->f;
	int r = verity_io_read(&f->parity, w->parity, n * f->roots, f->parity_offset_bytes + at * f->roots, e);

	for (size_t c = 0; !r && (c = verity_rs_damaged(&job->rs, w->state, n, w->parity, c)) < n; c += job->piece) {
		size_t piece = n - c < job->piece ? n - c : job->piece;

		r = correct_piece(job, w, at + c, piece, w->parity + c * f->roots, e);
	}
	return r;
}

static int do_slab(const struct job *job, struct worker *w, uint64_t at, size_t n, struct err *e)
{
	const struct verity_fec *f = job->f;
	int r = divide_slab(job, w, at, n, e);

	if (r)
		return r;
	if (job->is_check)
		return check_slab(job, w, at, n, e);
	verity_rs_parity(&job->rs, w->state, n, w->parity);
	return verity_io_write(&f->parity, w->parity, n * f->roots, f->parity_offset_bytes + at * f->roots, e);
}

/* Take the next slab. Return: codewords in it; 0 if there is none left, or somebody failed. */
static size_t take_slab(struct job *job, uint64_t *ret_at)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&job->lock); /* a default mutex: cannot fail */
	if (!job->r && job->next < job->end) {
		n = job->end - job->next < job->slab ? (size_t)(job->end - job->next) : job->slab;
		*ret_at = job->next;
		job->next += n;
	}
	(void)pthread_mutex_unlock(&job->lock);
	return n;
}

/* Note how a slab went: the first failure counts. */
static void give_slab(struct job *job, size_t n, int r, const struct err *e)
{
	(void)pthread_mutex_lock(&job->lock);
	job->done += n;
	if (r && !job->r) {
		job->r = r;
		job->err = *e;
	}
	progress_done(&job->meter, job->done * message_rows(job->f));
	(void)pthread_mutex_unlock(&job->lock);
}

static void add_report(struct job *job, const struct verity_fec_report *mine)
{
	struct verity_fec_report *all = &job->report;

	(void)pthread_mutex_lock(&job->lock);
	if (mine->uncorrectable && (!all->uncorrectable || mine->first_round < all->first_round))
		all->first_round = mine->first_round;
	all->uncorrectable += mine->uncorrectable;
	all->correctable += mine->correctable;
	all->bytes += mine->bytes;
	(void)pthread_mutex_unlock(&job->lock);
}

/* A thread: slab after slab. */
static void *work(void *arg)
{
	struct job *job = arg;
	cleanup_free uint8_t *memory = aligned_alloc(64, job->batch * apart(job->slab));
	cleanup_free uint8_t *state = aligned_alloc(64, job->slab * job->f->roots);
	cleanup_free uint8_t *parity = malloc(job->slab * job->f->roots);
	struct worker w = {.memory = memory, .state = state, .parity = parity};
	struct err e = ERR_INIT;
	uint64_t at = 0;
	size_t n;

	if (!memory || !state || !parity) {
		int r = err_set(&e, ENOMEM, "no memory for a slab of %zu codewords", job->slab);

		give_slab(job, 0, r, &e);
		return NULL;
	}
	while ((n = take_slab(job, &at))) {
		int r = interrupt_check(&e);

		if (!r)
			r = do_slab(job, &w, at, n, &e);
		give_slab(job, n, r, &e);
	}
	add_report(job, &w.report);
	free(w.all);
	return NULL;
}

static unsigned count_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static size_t round_down(size_t n, size_t step, size_t most)
{
	return n >= most ? most : n < step ? step : n / step * step;
}

/*
 * How many threads, and how much each does at a time, within the memory that all may take: a sixth of a thread's share
 * for the state, the parity, and a batch of rows; a third for a piece of all rows.
 */
static unsigned divide(const struct verity_fec *f, struct job *job)
{
	unsigned threads = f->threads ? f->threads : count_processors();
	size_t share;

	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	share = VERITY_FEC_MEMORY_BYTES / threads;
	job->slab = (share / 6 < MAX_STATE_BYTES ? share / 6 : MAX_STATE_BYTES) / f->roots;
	job->slab = round_down(job->slab, MIN_SLAB_BYTES, MAX_SLAB_BYTES);
	job->batch = (unsigned)((share / 6 < MAX_ROWS_BYTES ? share / 6 : MAX_ROWS_BYTES) / job->slab);
	job->batch = job->batch < 2 ? 2 : job->batch > message_rows(f) ? message_rows(f) : job->batch;
	job->piece = round_down(share / 3 / VERITY_FEC_CODEWORD_BYTES, VERITY_RS_FEED_STEP, MAX_PIECE_BYTES);
	if ((job->end - job->next) / job->slab + 1 < threads)
		threads = (unsigned)((job->end - job->next) / job->slab) + 1;
	return threads;
}

/* @job: what to do, from codeword @next to @end. */
static int run(struct job *job, struct err *e)
{
	const struct verity_fec *f = job->f;
	unsigned threads = divide(f, job), started = 0;
	pthread_t thread[MAX_THREADS];
	int r = verity_rs_init(&job->rs, f->roots, NULL, e);

	if (r)
		return r;
	(void)pthread_mutex_init(&job->lock, NULL); /* a default mutex: cannot fail */
	job->row_bytes = verity_fec_rounds(f) * f->block_bytes;
	job->report.codewords = job->end - job->next;
	progress_begin(&job->meter, f->say, job->is_check ? "checked by the parity" : "encoded",
		       job->report.codewords * message_rows(f));
	/* One that cannot be started is no failure: the others take its slabs, in the end this one. */
	while (started + 1 < threads && pthread_create(&thread[started], NULL, work, job) == 0)
		started++;
	(void)work(job);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(thread[i], NULL); /* joinable, and ours */
	(void)pthread_mutex_destroy(&job->lock);
	if (job->r)
		*e = job->err;
	return job->r;
}

int verity_fec_encode(const struct verity_fec *f, struct err *e)
{
	struct job job = {.f = f, .end = verity_fec_rounds(f) * f->block_bytes};

	return run(&job, e);
}

int verity_fec_check(const struct verity_fec *f, struct verity_fec_report *ret, struct err *e)
{
	struct job job = {.f = f, .is_check = true, .end = verity_fec_rounds(f) * f->block_bytes};
	int r = run(&job, e);

	if (!r)
		*ret = job.report;
	return r;
}

int verity_fec_fits(const struct verity_fec *f, bool *ret, struct err *e)
{
	const uint64_t all = verity_fec_rounds(f) * f->block_bytes;
	uint64_t clean = 0;

	for (unsigned i = 0; i < SAMPLES; i++) {
		uint64_t at = (all - MIN_SLAB_BYTES) / (SAMPLES - 1) * i;
		struct job job = {.f = f, .is_check = true, .next = at, .end = at + MIN_SLAB_BYTES};
		int r = run(&job, e);

		if (r)
			return r;
		clean += MIN_SLAB_BYTES - job.report.correctable - job.report.uncorrectable;
	}
	*ret = clean >= SAMPLES * MIN_SLAB_BYTES / 16;
	return 0;
}
