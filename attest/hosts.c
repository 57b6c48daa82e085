/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/hosts.c - the enrolled hosts of a running verifier: in memory for reading, in attest/state.h for good */
#include "attest/hosts.h"

#include "attest/state.h"

#include <pthread.h>
#include <string.h>

#define LEAST_PLACES 256

/* One host. @ear is owned, and grows to the largest result it had. */
struct host {
	struct enrolment enrolment;
	struct quote_ak ak;
	struct judge_clock clock;
	enum appraise_verdict verdict;
	int64_t expires_s;
	struct buf ear;
};

/* @place: open addressing, a power of two, at most half full. */
struct hosts {
	pthread_mutex_t lock;
	struct state *state;
	struct host **place;
	size_t n_places;
	size_t n;
	size_t max;
	uint64_t failures;
};

static void host_free(struct host *host)
{
	quote_ak_free(&host->ak);
	buf_free(&host->ear);
	free(host);
}

/* The identity is a hash already. Returns where it is or where it would go. */
static struct host **find(struct host **place, size_t n_places, const uint8_t *identity)
{
	size_t i;

	memcpy(&i, identity, sizeof(i));
	for (i &= n_places - 1; place[i]; i = (i + 1) & (n_places - 1))
		if (!memcmp(place[i]->enrolment.identity, identity, HASH_SHA256_BYTES))
			break;
	return &place[i];
}

static int make_room(struct hosts *h, struct err *e)
{
	size_t more = h->n_places ? 2 * h->n_places : LEAST_PLACES;
	struct host **place;

	if (h->n >= h->max)
		return err_set(e, ENOSPC, "%zu hosts are enrolled, which is the bound (--max-hosts)", h->n);
	if (2 * (h->n + 1) <= h->n_places)
		return 0;
	place = calloc(more, sizeof(struct host *));
	if (!place)
		return err_set(e, ENOMEM, "no memory for %zu hosts", more);
	for (size_t i = 0; i < h->n_places; i++)
		if (h->place[i])
			*find(place, more, h->place[i]->enrolment.identity) = h->place[i];
	free(h->place);
	h->place = place;
	h->n_places = more;
	return 0;
}

/* Add or renew in memory; clocks and result of a host that is there stay. */
static int put(struct hosts *h, const struct enrolment *rec, struct host **ret, struct err *e)
{
	cleanup_quote_ak struct quote_ak ak = {0};
	struct host **at, *host;
	int rc = quote_ak_parse((struct bytes){rec->ak_public, rec->ak_public_bytes}, &ak, e);

	if (!rc)
		rc = make_room(h, e);
	if (rc)
		return rc;
	at = find(h->place, h->n_places, rec->identity);
	host = *at ? *at : calloc(1, sizeof(*host));
	if (!host)
		return err_set(e, ENOMEM, "no memory for a host");
	h->n += !*at;
	*at = host;
	quote_ak_free(&host->ak);
	host->ak = ak;
	ak = (struct quote_ak){0}; /* owned by the host now */
	host->enrolment = *rec;
	*ret = host;
	return 0;
}

static int load_row(void *ctx, const struct state_row *row, struct err *e)
{
	struct host *host;
	int rc = put(ctx, &row->enrolment, &host, e);

	if (rc)
		return rc;
	host->clock = row->clock;
	host->verdict = row->verdict;
	host->expires_s = row->expires_s;
	buf_put(&host->ear, row->ear.p, row->ear.n);
	return host->ear.bad ? err_set(e, ENOMEM, "no memory for a result") : 0;
}

static void release(struct hosts *h)
{
	state_close(h->state);
	for (size_t i = 0; i < h->n_places; i++)
		if (h->place[i])
			host_free(h->place[i]);
	free(h->place);
	(void)pthread_mutex_destroy(&h->lock); /* nobody holds it */
	free(h);
}

int hosts_open(const char *path, size_t max, struct hosts **ret, struct err *e)
{
	struct hosts *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return err_set(e, ENOMEM, "no memory for hosts");
	(void)pthread_mutex_init(&h->lock, NULL); /* cannot fail with default attributes */
	h->max = max;
	rc = state_open(path, load_row, h, &h->state, e);
	if (rc) {
		release(h);
		return rc;
	}
	*ret = h;
	return 0;
}

int hosts_close(struct hosts *h, struct err *e)
{
	int rc;

	if (!h)
		return 0;
	rc = state_commit(h->state, e);
	release(h);
	return rc;
}

static struct host *lock_and_find(struct hosts *h, const uint8_t *identity)
{
	(void)pthread_mutex_lock(&h->lock); /* a plain mutex, never taken twice: cannot fail, here and below */
	return h->n_places ? *find(h->place, h->n_places, identity) : NULL;
}

static void unlock(struct hosts *h)
{
	(void)pthread_mutex_unlock(&h->lock);
}

size_t hosts_count(struct hosts *h)
{
	size_t n;

	(void)pthread_mutex_lock(&h->lock);
	n = h->n;
	unlock(h);
	return n;
}

size_t hosts_trusted(struct hosts *h, int64_t now_s)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < h->n_places; i++)
		n += h->place[i] && h->place[i]->verdict == APPRAISE_ACCEPT && now_s < h->place[i]->expires_s;
	unlock(h);
	return n;
}

bool hosts_get(struct hosts *h, const uint8_t identity[static HASH_SHA256_BYTES], struct hosts_entry *ret)
{
	const struct host *host = lock_and_find(h, identity);

	if (host) {
		ret->enrolment = host->enrolment;
		ret->clock = host->clock;
		ret->verdict = host->verdict;
		if (!quote_ak_dup(&host->ak, &ret->ak))
			host = NULL; /* no memory */
	}
	unlock(h);
	return host;
}

void hosts_entry_free(struct hosts_entry *en)
{
	quote_ak_free(&en->ak);
}

int hosts_enrol(struct hosts *h, const struct enrolment *rec, struct err *e)
{
	struct host *host;
	int rc;

	(void)pthread_mutex_lock(&h->lock);
	rc = put(h, rec, &host, e);
	if (!rc)
		rc = state_enrol(h->state, rec, e);
	h->failures += rc != 0;
	unlock(h);
	return rc;
}

static bool later(const struct judge_clock *a, const struct judge_clock *b)
{
	if (!b->known || a->reset_count != b->reset_count)
		return !b->known || a->reset_count > b->reset_count;
	if (a->restart_count != b->restart_count)
		return a->restart_count > b->restart_count;
	return a->clock_ms >= b->clock_ms;
}

static int remember(struct hosts *h, struct host *host, const struct hosts_verdict *v, struct err *e)
{
	struct state_row row;

	if (v->clock && later(v->clock, &host->clock))
		host->clock = *v->clock;
	host->verdict = v->verdict;
	host->expires_s = v->expires_s;
	host->ear.len = 0;
	buf_put(&host->ear, v->ear.p, v->ear.n);
	if (host->ear.bad)
		return err_set(e, ENOMEM, "no memory for a result");
	memcpy(row.enrolment.identity, v->identity, HASH_SHA256_BYTES); /* the key of the row; no more of it is written */
	row.clock = host->clock;
	row.verdict = v->verdict;
	row.expires_s = v->expires_s;
	row.ear = v->ear;
	return state_judged(h->state, &row, e);
}

int hosts_judged(struct hosts *h, const struct hosts_verdict *v, struct err *e)
{
	struct host *host = lock_and_find(h, v->identity);
	int rc = host ? remember(h, host, v, e) : err_set(e, ENOENT, "the host is not enrolled");

	unlock(h);
	return rc;
}

uint64_t hosts_batch(struct hosts *h)
{
	uint64_t failures;

	(void)pthread_mutex_lock(&h->lock);
	failures = h->failures;
	unlock(h);
	return failures;
}

int hosts_commit(struct hosts *h, uint64_t batch, struct err *e)
{
	int rc;

	(void)pthread_mutex_lock(&h->lock);
	rc = state_commit(h->state, e);
	h->failures += rc != 0;
	if (!rc && h->failures != batch)
		rc = err_set(e, EIO, "state: a commit failed that this verdict was part of");
	unlock(h);
	return rc;
}

bool hosts_result(struct hosts *h, const uint8_t identity[static HASH_SHA256_BYTES], int64_t now_s, struct buf *ret)
{
	const struct host *host = lock_and_find(h, identity);
	bool found = host && host->ear.len && now_s < host->expires_s;

	if (found)
		buf_put(ret, host->ear.data, host->ear.len);
	unlock(h);
	return found && !ret->bad;
}
