/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_seal.c - the last steps before the point of no return: the control socket, the watchdog, PID 1's own filter
 *
 * From here on PID 1 can wait, read, write, reap, kill, unmount and end the machine. It can start nothing (init/spawner.h),
 * mount nothing, get no memory, trace nobody; and nothing gives it back what it gave up.
 */
#include "init/pid1.h"

#include "init/control.h"
#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

int pid1_stage_watchdog(struct pid1 *p, struct err *e)
{
	return pid1_watchdog_open(&p->watchdog, p->host.watchdog, p->host.watchdog_ms, e);
}

int pid1_stage_seal(struct pid1 *p, struct err *e)
{
	int r;

	p->control_socket = sys_listen(PID1_CONTROL_SOCKET);
	if (p->control_socket < 0)
		return pid1_err(e, p->control_socket, "cannot listen on " PID1_CONTROL_SOCKET);
	pid1_hurry(false);
	r = sys_seal();
	if (r)
		return pid1_err(e, r, "cannot put PID 1 under its system call filter");
	pid1_log(p->stage, "PID 1 has the system calls of its loop");
	return 0;
}
