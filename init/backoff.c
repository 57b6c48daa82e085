/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/backoff.c - when to start again what has ended, and when to give up */
#include "init/backoff.h"

uint64_t pid1_backoff_next(struct pid1_backoff *b, uint64_t ran_ns)
{
	uint64_t delay;

	if (ran_ns >= PID1_BACKOFF_GOOD_RUN_NS)
		b->ends = 0;
	if (b->ends >= PID1_BACKOFF_LIMIT)
		return PID1_BACKOFF_GIVE_UP;
	delay = PID1_BACKOFF_FIRST_NS << b->ends++;
	return delay < PID1_BACKOFF_MOST_NS ? delay : PID1_BACKOFF_MOST_NS;
}
