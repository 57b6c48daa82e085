/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_bless.c - once the host is healthy: the boot loader is told that this boot came well (init/bless.h)
 *
 * Nothing waits for it, and nothing comes of it if it fails but that the loader counts this boot as a try.
 */
#include "init/pid1.h"

#include "init/log.h"
#include "init/sys.h"

#define PROGRAM "/usr/lib/holdfast/holdfast-bless"

uint64_t pid1_bless_due_ns(const struct pid1 *p, uint64_t healthy_since_ns)
{
	return pid1_is_direct(p) ? UINT64_MAX : healthy_since_ns + p->host.healthy_ms * 1000000u; /* without UEFI there is no loader */
}

int pid1_spawn_bless(pid_t *ret_pid, struct err *e)
{
	const struct pid1_argv bless = { .arg = { PROGRAM, NULL } };
	const struct sys_child child = { .cgroup_procs = "/sys/fs/cgroup/agent/cgroup.procs" }; /* root, and no capability */

	return pid1_spawn(&bless, child, ret_pid, e);
}

void pid1_bless_start(struct pid1 *p)
{
	struct err e = ERR_INIT;
	pid_t pid;

	if (pid1_start(p, PID1_START_BLESS, 0, &pid, &e)) /* it is reaped as a stranger */
		pid1_log("bless", "%s", e.msg);
}
