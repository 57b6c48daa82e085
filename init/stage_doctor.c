/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_doctor.c - no engine is started whose configuration goes around the gate
 *
 * The rules are policy/doctor.h's, run by the gate's own program as a child without any capability: it parses TOML and
 * JSON with a heap, which PID 1 does not. Its findings go to the console. Whatever keeps it from an answer refuses.
 */
#include "init/pid1.h"

#include "init/io.h"
#include "init/sys.h"

#include <signal.h>

#define DOCTOR        "/usr/bin/holdfast-runtime"
#define DEADLINE_NS   30000000000ull
#define LOOK_AGAIN_NS 5000000ull

/* Return: the child's wait status, or -errno. */
static int wait_for(pid_t pid)
{
	uint64_t deadline = sys_now_ns() + DEADLINE_NS;
	int status = 0;

	while (sys_now_ns() < deadline) {
		pid_t ended = sys_reap(&status);

		if (ended == pid)
			return status;
		if (ended < 0)
			return (int)ended;
		if (ended == 0 && sys_poll(NULL, 0, LOOK_AGAIN_NS) < 0)
			break;
	}
	(void)sys_kill(pid, SIGKILL); /* the boot fails in any case */
	return -ETIMEDOUT;
}

int pid1_stage_doctor(struct pid1 *p, struct err *e)
{
	static const struct pid1_argv argv = { { DOCTOR, "--doctor", NULL } };
	pid_t pid = 0;
	int r = pid1_spawn(&argv, (struct sys_child){ .cgroup_procs = "/sys/fs/cgroup/engine/cgroup.procs" }, &pid, e);

	(void)p; /* a stage like all others */
	if (r)
		return r;
	r = wait_for(pid);
	if (r < 0)
		return pid1_err(e, r, "no verdict on the engine's configuration from " DOCTOR);
	if (r)
		return err_set(e, EBADMSG, "the engine's configuration goes around the gate (see above; wait status 0x%x)", (unsigned)r);
	return 0;
}
