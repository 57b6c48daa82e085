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
#define MAX_SLAB_BYTES 16384 /* of each row: 4 MiB a thread, which the last level of the caches holds */

/*
 * struct job - one pass over all codewords
 * @row_bytes: codewords in all; a row of the message
 * @slab:      codewords that are done at a time
 * @next:      first codeword that nobody has taken yet; up to @end
 * @lock:      of all that follows it
 */
struct job {
	const struct verity_fec *f;
	struct verity_rs rs;
	bool is_check;
	uint64_t row_bytes;
	size_t slab;
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
 * @row:    what the code gets: a slab of each row of the message; NULL where only padding is
 * @memory: behind them
 * @parity: of the slab, as it stands on disk
 */
struct worker {
	uint8_t *row[VERITY_FEC_CODEWORD_BYTES];
	uint8_t *memory;
	uint8_t *parity;
	struct verity_fec_report report;
};

static unsigned message_rows(const struct verity_fec *f)
{
	return VERITY_FEC_CODEWORD_BYTES - f->roots;
}

/* Rows are a cache line more than a slab apart, or all of them would meet in the same few sets of the cache. */
static size_t apart(const struct job *job)
{
	return job->slab + 64;
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

/* The rows of codewords @at on. A row that is all padding is not read, nor computed with. */
static int load_rows(const struct job *job, struct worker *w, uint64_t at, size_t n, struct err *e)
{
	const struct verity_fec *f = job->f;
	uint64_t end = (f->data_blocks + f->hash_blocks) * f->block_bytes;

	for (unsigned i = 0; i < job->rs.rows; i++) {
		uint64_t from = i * job->row_bytes + at;
		int r;

		w->row[i] = from < end ? w->memory + i * apart(job) : NULL;
		r = from < end ? verity_fec_read_message(f, from, w->row[i], n, e) : 0;
		if (r)
			return r;
	}
	return 0;
}

static int check_slab(const struct job *job, struct worker *w, uint64_t at, size_t n, struct err *e)
{
	const struct verity_fec *f = job->f;
	struct verity_rs_words words = {.rows = w->row, .parity = w->parity, .width = n};
	struct verity_fec_report *report = &w->report;
	struct verity_rs_result found;
	int r = verity_io_read(&f->parity, w->parity, n * f->roots, f->parity_offset_bytes + at * f->roots, e);

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

static int do_slab(const struct job *job, struct worker *w, uint64_t at, size_t n, struct err *e)
{
	const struct verity_fec *f = job->f;
	int r = load_rows(job, w, at, n, e);

	if (r)
		return r;
	if (job->is_check)
		return check_slab(job, w, at, n, e);
	verity_rs_encode(&job->rs, (const uint8_t *const *)w->row, n, w->parity);
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
	cleanup_free uint8_t *memory = aligned_alloc(64, message_rows(job->f) * apart(job));
	cleanup_free uint8_t *parity = malloc(job->slab * job->f->roots);
	struct worker w = {.memory = memory, .parity = parity};
	struct err e = ERR_INIT;
	uint64_t at = 0;
	size_t n;

	if (!memory || !parity) {
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
	return NULL;
}

static unsigned count_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* How many threads, and how many codewords each does at a time: within the memory that all may take. */
static unsigned divide(const struct verity_fec *f, struct job *job)
{
	unsigned threads = f->threads ? f->threads : count_processors();
	size_t slab;

	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	slab = VERITY_FEC_MEMORY_BYTES / threads / VERITY_FEC_CODEWORD_BYTES / MIN_SLAB_BYTES * MIN_SLAB_BYTES;
	job->slab = slab > MAX_SLAB_BYTES ? MAX_SLAB_BYTES : slab < MIN_SLAB_BYTES ? MIN_SLAB_BYTES : slab;
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
