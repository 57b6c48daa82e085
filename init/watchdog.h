/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/watchdog.h - the machine's watchdog: it resets the machine unless PID 1 says in time that all is well
 *
 * Theory of operation
 *   It is armed once PID 1 has opened it, and never disarmed but for a halt that the manifest asks for: nobody else can
 *   open it meanwhile, and a shutdown that hangs ends by it as well. What "well" means is said by the loop (serve.c). It is fed four times
 *   within its time; while something is wrong it is not, and the reason is told once. No heap.
 *
 * Spec: Linux, Documentation/watchdog/watchdog-api.rst.
 */
#ifndef INIT_WATCHDOG_H
#define INIT_WATCHDOG_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdint.h>

/** struct pid1_watchdog - fd -1: there is none, next_ns is then UINT64_MAX */
struct pid1_watchdog {
	int fd;
	uint64_t interval_ns;
	uint64_t next_ns;
	uint64_t fed;
	const char *wrong; /* what was told last; NULL: all is well */
};

/** pid1_watchdog_open() - arm the one at @path with @ms (whole seconds), or none if @path is NULL. */
int pid1_watchdog_open(struct pid1_watchdog *w, const char *path, uint64_t ms, struct err *e) WARN_UNUSED;

/** pid1_watchdog_turn() - it is due: feed it if @wrong is NULL, else tell that. */
void pid1_watchdog_turn(struct pid1_watchdog *w, uint64_t now_ns, const char *wrong);

/** pid1_watchdog_feed() - once more: the end has begun, and each of its steps has a deadline. */
void pid1_watchdog_feed(struct pid1_watchdog *w);

/** pid1_watchdog_close() - disarm it: the machine is to stand still. */
void pid1_watchdog_close(struct pid1_watchdog *w);

#endif
