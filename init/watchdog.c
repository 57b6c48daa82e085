/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/watchdog.c - the machine's watchdog: it resets the machine unless PID 1 says in time that all is well */
#include "init/watchdog.h"

#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

int pid1_watchdog_open(struct pid1_watchdog *w, const char *path, uint64_t ms, struct err *e)
{
	*w = (struct pid1_watchdog){ .fd = -1, .next_ns = UINT64_MAX };
	if (!path)
		return 0;
	w->fd = sys_watchdog_open(path, (int)(ms / 1000));
	if (w->fd < 0)
		return pid1_err(e, w->fd, "cannot arm %s with %llu ms", path, (unsigned long long)ms);
	w->interval_ns = ms * 1000000 / 4;
	w->next_ns = sys_now_ns() + w->interval_ns;
	pid1_log("watchdog", "%s armed, %llu ms", path, (unsigned long long)ms);
	return 0;
}

void pid1_watchdog_feed(struct pid1_watchdog *w)
{
	if (w->fd >= 0 && sys_watchdog_feed(w->fd) == 0)
		w->fed++;
}

void pid1_watchdog_turn(struct pid1_watchdog *w, uint64_t now_ns, const char *wrong)
{
	w->next_ns = now_ns + w->interval_ns;
	if (wrong && wrong != w->wrong) /* they are constants */
		pid1_log("watchdog", "not fed: %s", wrong);
	w->wrong = wrong;
	if (!wrong)
		pid1_watchdog_feed(w);
}

void pid1_watchdog_close(struct pid1_watchdog *w)
{
	if (w->fd >= 0)
		sys_watchdog_close(w->fd);
	w->fd = -1;
	w->next_ns = UINT64_MAX;
}
