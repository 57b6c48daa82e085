/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_doctor.c - no engine is started whose configuration goes around the gate
 *
 * The rules are policy/doctor.h's, run by the gate's own program as a child without any capability: it parses TOML and
 * JSON with a heap, which PID 1 does not. Its findings go to the console. Whatever keeps it from an answer refuses.
 */
#include "init/pid1.h"

#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

#define DOCTOR      "/usr/bin/holdfast-runtime"
#define DEADLINE_NS 30000000000ull

int pid1_stage_doctor(struct pid1 *p, struct err *e)
{
	const char *const argv[] = { DOCTOR, "--doctor", NULL };
	const struct sys_child c = { .argv = argv, .env = pid1_environment, .cgroup_procs = PID1_ENGINE_CGROUP,
				     .console = pid1_log_console(), .within_ns = DEADLINE_NS };
	const char *step;
	int r = (int)sys_ask(c, NULL, 0, &step);

	(void)p; /* a stage like all others */
	if (r == -ECHILD)
		return err_set(e, EBADMSG, "the engine's configuration goes around the gate (see above)");
	return r ? pid1_err(e, r, "no verdict on the engine's configuration from " DOCTOR " (%s)", step) : 0;
}
