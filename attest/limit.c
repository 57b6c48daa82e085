/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/limit.c - how often one client may ask: token buckets in a table of fixed size */
#include "attest/limit.h"

#include "common/hash.h"

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS    1024
#define WAYS    4
#define ONE_ASK 1000 /* a bucket counts thousandths, so that a millisecond's refill is a whole number */

struct limit {
	pthread_mutex_t lock;
	unsigned per_second;
	int64_t full;
	uint64_t secret;
	struct bucket {
		uint64_t client;
		int64_t seen_ms; /* 0: free */
		int64_t level;
	} set[SETS][WAYS];
};

struct limit *limit_new(unsigned per_second, unsigned burst)
{
	struct limit *l = calloc(1, sizeof(*l));

	if (!l || RAND_bytes((unsigned char *)&l->secret, sizeof(l->secret)) != 1) {
		free(l);
		return NULL;
	}
	(void)pthread_mutex_init(&l->lock, NULL); /* cannot fail with default attributes */
	l->per_second = per_second;
	l->full = (int64_t)burst * ONE_ASK;
	return l;
}

void limit_free(struct limit *l)
{
	if (l)
		(void)pthread_mutex_destroy(&l->lock); /* nobody holds it */
	free(l);
}

static uint64_t number(uint64_t v, sa_family_t family)
{
	return v ^ (uint64_t)family << 56;
}

/* A listener at [::] sees IPv4 as ::ffff:A.B.C.D: by their first 64 bits all of them would be one client. */
static uint64_t client_of_v6(const struct in6_addr *a)
{
	uint64_t v;
	uint32_t v4;

	memcpy(&v, a, sizeof(v));
	memcpy(&v4, a->s6_addr + 12, sizeof(v4));
	return IN6_IS_ADDR_V4MAPPED(a) ? number(ntohl(v4), AF_INET) : number(v, AF_INET6);
}

uint64_t limit_client(const struct sockaddr_storage *from)
{
	uint64_t v = 0;

	if (from->ss_family == AF_INET)
		v = ntohl(((const struct sockaddr_in *)from)->sin_addr.s_addr);
	else if (from->ss_family == AF_INET6)
		return client_of_v6(&((const struct sockaddr_in6 *)from)->sin6_addr);
	else if (from->ss_family == AF_VSOCK)
		v = ((const struct sockaddr_vm *)from)->svm_cid;
	return number(v, from->ss_family);
}

static struct bucket *find(struct limit *l, uint64_t client)
{
	const uint64_t text[2] = {l->secret, client};
	uint8_t digest[HASH_SHA256_BYTES];
	struct bucket *set, *oldest;

	hash_sha256(text, sizeof(text), digest);
	set = l->set[(digest[0] << 8 | digest[1]) % SETS];
	oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].seen_ms && set[i].client == client)
			return &set[i];
		if (set[i].seen_ms < oldest->seen_ms)
			oldest = &set[i];
	}
	*oldest = (struct bucket){.client = client, .level = l->full};
	return oldest;
}

bool limit_take(struct limit *l, uint64_t client, int64_t now_ms)
{
	struct bucket *b;
	bool ok;

	if (!l->per_second)
		return true;
	(void)pthread_mutex_lock(&l->lock); /* a plain mutex, never taken twice: cannot fail */
	b = find(l, client);
	if (b->seen_ms && now_ms > b->seen_ms)
		b->level += (now_ms - b->seen_ms) * (int64_t)l->per_second * (ONE_ASK / 1000);
	if (b->level > l->full)
		b->level = l->full;
	b->seen_ms = now_ms > 0 ? now_ms : 1;
	ok = b->level >= ONE_ASK;
	if (ok)
		b->level -= ONE_ASK;
	(void)pthread_mutex_unlock(&l->lock);
	return ok;
}
