/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/backoff.h - when to start again what has ended, and when to give up */
#ifndef INIT_BACKOFF_H
#define INIT_BACKOFF_H

#include <stdint.h>

#define PID1_BACKOFF_FIRST_NS    1000000000ull
#define PID1_BACKOFF_MOST_NS     30000000000ull
#define PID1_BACKOFF_LIMIT       5              /* ends in a row */
#define PID1_BACKOFF_GOOD_RUN_NS 60000000000ull /* a run of this length starts the count anew */
#define PID1_BACKOFF_GIVE_UP     UINT64_MAX

/** struct pid1_backoff - zero to begin with */
struct pid1_backoff {
	unsigned ends;
};

/** pid1_backoff_next() - it ended after @ran_ns: ns until it is started again (doubling), or PID1_BACKOFF_GIVE_UP. */
uint64_t pid1_backoff_next(struct pid1_backoff *b, uint64_t ran_ns);

#endif
