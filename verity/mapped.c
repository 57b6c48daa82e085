/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/mapped.c - a row of blocks as memory: to ask what the page cache has, and to hash it there without a copy */
#include "verity/mapped.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#define HUGE_BYTES (2u << 20) /* the kernel maps a page cache folio of this size by one entry, if it is aligned so */
#define SAMPLES    4

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* What this thread has borrowed: whole pages. @hit: a SIGBUS came, zeros are there now. */
static __thread struct {
	uint8_t *volatile from;
	size_t n;
	volatile sig_atomic_t hit;
} borrowed;

static pthread_mutex_t handler_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned handler_users;
static struct sigaction handler_before;

/* Runs in the thread that touched the page. mmap() is a plain system call. */
static void on_sigbus(int signal, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr, from = (uintptr_t)borrowed.from;
	int saved = errno;

	(void)context;
	if (from && at >= from && at - from < borrowed.n && !borrowed.hit &&
	    mmap(borrowed.from, borrowed.n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
		borrowed.hit = 1;
	else
		(void)sigaction(signal, &handler_before, NULL); /* not ours: it comes again, to whoever had it before */
	errno = saved;
}

static bool handler_take(void)
{
	struct sigaction act = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
	bool ok = true;

	(void)pthread_mutex_lock(&handler_lock);
	if (handler_users == 0)
		ok = sigaction(SIGBUS, &act, &handler_before) == 0;
	handler_users += ok;
	(void)pthread_mutex_unlock(&handler_lock);
	return ok;
}

static void handler_give(void)
{
	(void)pthread_mutex_lock(&handler_lock);
	if (--handler_users == 0)
		(void)sigaction(SIGBUS, &handler_before, NULL); /* cannot fail: it was valid when we got it */
	(void)pthread_mutex_unlock(&handler_lock);
}

bool verity_mapped_open(int fd, uint64_t offset_bytes, uint64_t bytes, struct verity_mapped *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), skip = (size_t)(offset_bytes % page);
	struct verity_mapped m = {.page_bytes = page, .row_bytes = (size_t)bytes};
	void *p, *row;

	*ret = (struct verity_mapped){0};
	if (bytes > SIZE_MAX / 4 || !handler_take())
		return false;
	/* Addresses first, so that file and address agree in the bits below HUGE_BYTES. */
	m.reserved_bytes = (size_t)bytes + skip + 2 * HUGE_BYTES;
	p = mmap(NULL, m.reserved_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		handler_give();
		return false;
	}
	m.reserved = p;
	row = m.reserved + (offset_bytes - skip - (uintptr_t)m.reserved) % HUGE_BYTES;
	if (mmap(row, (size_t)bytes + skip, PROT_READ, MAP_SHARED | MAP_FIXED, fd, (off_t)(offset_bytes - skip)) ==
	    MAP_FAILED) {
		(void)munmap(m.reserved, m.reserved_bytes); /* only addresses */
		handler_give();
		return false;
	}
	m.row = (uint8_t *)row + skip;
	*ret = m;
	return true;
}

static uint8_t *page_of(const struct verity_mapped *m, uint64_t at)
{
	return (uint8_t *)((uintptr_t)(m->row + at) & ~(uintptr_t)(m->page_bytes - 1));
}

bool verity_mapped_is_cached(const struct verity_mapped *m, uint64_t at, size_t n)
{
	for (unsigned i = 0; m->row && i < SAMPLES; i++) {
		unsigned char in = 1;

		if (mincore(page_of(m, at + (n - 1) / (SAMPLES - 1) * i), 1, &in) == 0 && !(in & 1))
			return false;
	}
	return true;
}

/* Only whole pages: zeros in their place must not be in anybody else's bytes. */
static bool is_whole(const struct verity_mapped *m, uint64_t at, size_t n)
{
	return m->row && page_of(m, at) == m->row + at && (n % m->page_bytes == 0 || at + n == m->row_bytes);
}

const uint8_t *verity_mapped_borrow(const struct verity_mapped *m, uint64_t at, size_t n)
{
	if (!is_whole(m, at, n) || madvise(m->row + at, n, MADV_POPULATE_READ))
		return NULL;
	borrowed.n = n;
	borrowed.hit = 0;
	borrowed.from = m->row + at;
	return m->row + at;
}

bool verity_mapped_return(const struct verity_mapped *m, uint64_t at, size_t n)
{
	borrowed.from = NULL;
	if (!borrowed.hit)
		(void)madvise(m->row + at, n, MADV_DONTNEED); /* else it counts as memory a little longer */
	return !borrowed.hit;
}

void verity_mapped_close(struct verity_mapped *m)
{
	if (!m->row)
		return;
	(void)munmap(m->reserved, m->reserved_bytes); /* nothing was written */
	handler_give();
	*m = (struct verity_mapped){0};
}
