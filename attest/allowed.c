/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/allowed.c - the fast path: PCR digests that were accepted in full before */
#include "attest/allowed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS 1024
#define WAYS 4

struct allowed {
	pthread_mutex_t lock;
	struct entry {
		const struct refvalues *rv; /* NULL: free */
		const struct platform *platform;
		uint8_t digest[HASH_SHA256_BYTES];
	} set[SETS][WAYS]; /* the newest first */
};

struct allowed *allowed_new(void)
{
	struct allowed *t = calloc(1, sizeof(*t));

	if (t)
		(void)pthread_mutex_init(&t->lock, NULL); /* cannot fail with default attributes */
	return t;
}

void allowed_free(struct allowed *t)
{
	if (t)
		(void)pthread_mutex_destroy(&t->lock); /* nobody holds it */
	free(t);
}

/* The digest is a hash over what the TPM holds: its bytes are spread already. */
static struct entry *place(struct allowed *t, const uint8_t *digest)
{
	return t->set[((unsigned)digest[0] << 8 | digest[1]) % SETS];
}

static bool is(const struct entry *en, const struct refvalues *rv, const struct platform *platform,
	       const uint8_t *digest)
{
	return en->rv == rv && en->platform == platform && hash_equal(en->digest, sizeof(en->digest), digest, HASH_SHA256_BYTES);
}

bool allowed_find(struct allowed *t, const struct refvalues *rv, const struct platform *platform,
		  const uint8_t digest[static HASH_SHA256_BYTES])
{
	const struct entry *set = place(t, digest);
	bool found = false;

	(void)pthread_mutex_lock(&t->lock); /* cannot fail: a plain mutex, never taken twice */
	for (size_t i = 0; i < WAYS; i++)
		found |= is(&set[i], rv, platform, digest);
	(void)pthread_mutex_unlock(&t->lock);
	return found;
}

void allowed_add(struct allowed *t, const struct refvalues *rv, const struct platform *platform,
		  const uint8_t digest[static HASH_SHA256_BYTES])
{
	struct entry *set = place(t, digest);

	if (allowed_find(t, rv, platform, digest))
		return;
	(void)pthread_mutex_lock(&t->lock);
	memmove(&set[1], &set[0], (WAYS - 1) * sizeof(set[0]));
	set[0].rv = rv;
	set[0].platform = platform;
	memcpy(set[0].digest, digest, HASH_SHA256_BYTES);
	(void)pthread_mutex_unlock(&t->lock);
}
