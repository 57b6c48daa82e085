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
#define MAX_SLAB_BYTES 8192 /* of each row: the rows of one slab stay in the processor's caches */

/*
 * struct job - one pass over all codewords
 * @row_bytes: codewords in all; a row of the message
 * @slab:      codewords that are done at a time
 * @next:      first codeword that nobody has taken yet
 * @lock:      of all that follows it
 */
struct job {
	const struct verity_fec *f;
	bool is_check;
	uint64_t row_bytes;
	size_t slab;
	pthread_mutex_t lock;
	uint64_t next;
	uint64_t done;
	int r;
	struct err err;
	struct progress_meter meter;
	struct verity_fec_report report;
};

/*
 * struct worker - the memory of one thread
 * @row:    255 rows of a slab: k of the message, then @roots of parity
 * @packed: the parity as it stands on disk, @roots bytes a codeword
 */
struct worker {
	uint8_t *row[VERITY_FEC_CODEWORD_BYTES];
	uint8_t *packed;
	struct verity_fec_report report;
};

static unsigned message_rows(const struct verity_fec *f)
{
	return VERITY_FEC_CODEWORD_BYTES - f->roots;
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

/* The parity of @n codewords between its two shapes: on disk codeword by codeword, in memory row by row. */
static void pack(const struct verity_fec *f, struct worker *w, size_t n)
{
	uint8_t *const *parity = w->row + message_rows(f);
	uint8_t *out = w->packed;

	for (size_t i = 0; i < n; i++)
		for (unsigned j = 0; j < f->roots; j++)
			*out++ = parity[j][i];
}

static void unpack(const struct verity_fec *f, struct worker *w, size_t n)
{
	uint8_t *const *parity = w->row + message_rows(f);
	const uint8_t *in = w->packed;

	for (size_t i = 0; i < n; i++)
		for (unsigned j = 0; j < f->roots; j++)
			parity[j][i] = *in++;
}

/* One codeword that is none: count what could be corrected of it. */
static void judge(const struct verity_fec *f, struct worker *w, uint64_t at, size_t i)
{
	uint8_t word[VERITY_FEC_CODEWORD_BYTES];
	int fixed;

	for (unsigned j = 0; j < sizeof(word); j++)
		word[j] = w->row[j][i];
	fixed = verity_rs_decode(f->roots, word, NULL, 0);
	if (w->report.bad++ == 0)
		w->report.first_bad_round = (at + i) / f->block_bytes;
	if (fixed > 0) {
		w->report.correctable++;
		w->report.symbols += (unsigned)fixed;
	}
}

static int do_slab(const struct job *job, struct worker *w, uint64_t at, size_t n, struct err *e)
{
	const struct verity_fec *f = job->f;
	uint64_t parity_at = f->parity_offset_bytes + at * f->roots;
	uint8_t bad[MAX_SLAB_BYTES];
	int r = 0;

	for (unsigned i = 0; !r && i < message_rows(f); i++)
		r = verity_fec_read_message(f, i * job->row_bytes + at, w->row[i], n, e);
	if (r)
		return r;
	if (!job->is_check) {
		verity_rs_encode(f->roots, (const uint8_t *const *)w->row, w->row + message_rows(f), n);
		pack(f, w, n);
		return verity_io_write(&f->parity, w->packed, n * f->roots, parity_at, e);
	}
	r = verity_io_read(&f->parity, w->packed, n * f->roots, parity_at, e);
	if (r)
		return r;
	unpack(f, w, n);
	if (verity_rs_check(f->roots, (const uint8_t *const *)w->row, bad, n))
		for (size_t i = 0; i < n; i++)
			if (bad[i])
				judge(f, w, at, i);
	return 0;
}

/* Take the next slab. Return: codewords in it; 0 if there is none left, or somebody failed. */
static size_t take_slab(struct job *job, uint64_t *ret_at)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&job->lock); /* a default mutex: cannot fail */
	if (!job->r && job->next < job->row_bytes) {
		n = job->row_bytes - job->next < job->slab ? (size_t)(job->row_bytes - job->next) : job->slab;
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
	if (mine->bad && (!all->bad || mine->first_bad_round < all->first_bad_round))
		all->first_bad_round = mine->first_bad_round;
	all->bad += mine->bad;
	all->correctable += mine->correctable;
	all->symbols += mine->symbols;
	(void)pthread_mutex_unlock(&job->lock);
}

/* A thread: slab after slab. Rows are a cache line more than a slab apart, or they would all meet in one cache set. */
static void *work(void *arg)
{
	struct job *job = arg;
	size_t apart = job->slab + 64;
	cleanup_free uint8_t *memory = aligned_alloc(64, VERITY_FEC_CODEWORD_BYTES * apart + 64);
	cleanup_free uint8_t *packed = malloc(job->slab * job->f->roots);
	struct worker w = {.packed = packed};
	struct err e = ERR_INIT;
	uint64_t at = 0;
	size_t n;

	if (!memory || !packed) {
		int r = err_set(&e, ENOMEM, "no memory for a slab of %zu codewords", job->slab);

		give_slab(job, 0, r, &e);
		return NULL;
	}
	for (unsigned i = 0; i < VERITY_FEC_CODEWORD_BYTES; i++)
		w.row[i] = memory + i * apart;
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

static int run(const struct verity_fec *f, bool is_check, struct verity_fec_report *ret, struct err *e)
{
	struct job job = {.f = f, .is_check = is_check, .lock = PTHREAD_MUTEX_INITIALIZER};
	unsigned threads = f->threads ? f->threads : count_processors(), started = 0;
	pthread_t thread[MAX_THREADS];
	size_t slab;

	job.row_bytes = verity_fec_rounds(f) * f->block_bytes;
	progress_begin(&job.meter, f->say, is_check ? "checked by the parity" : "encoded",
		       job.row_bytes * message_rows(f));
	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	slab = VERITY_FEC_MEMORY_BYTES / threads / (VERITY_FEC_CODEWORD_BYTES + f->roots) / MIN_SLAB_BYTES * MIN_SLAB_BYTES;
	job.slab = slab > MAX_SLAB_BYTES ? MAX_SLAB_BYTES : slab < MIN_SLAB_BYTES ? MIN_SLAB_BYTES : slab;
	if (job.row_bytes / job.slab + 1 < threads)
		threads = (unsigned)(job.row_bytes / job.slab) + 1;
	/* One that cannot be started is no failure: the others take its slabs, in the end this one. */
	while (started + 1 < threads && pthread_create(&thread[started], NULL, work, &job) == 0)
		started++;
	(void)work(&job);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(thread[i], NULL); /* joinable, and ours */
	if (job.r) {
		*e = job.err;
		return job.r;
	}
	job.report.codewords = job.row_bytes;
	if (ret)
		*ret = job.report;
	return 0;
}

int verity_fec_encode(const struct verity_fec *f, struct err *e)
{
	return run(f, false, NULL, e);
}

int verity_fec_check(const struct verity_fec *f, struct verity_fec_report *ret, struct err *e)
{
	return run(f, true, ret, e);
}
