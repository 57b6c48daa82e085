/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/clock.h - a clock as a count of milliseconds */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/** clock_ms() - milliseconds of @id: CLOCK_MONOTONIC, CLOCK_BOOTTIME or CLOCK_REALTIME, which are always there */
static inline int64_t clock_ms(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
