/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/spawner.c - the one way in which PID 1 starts processes */
#include "init/spawner.h"

#include "init/io.h"
#include "init/log.h"
#include "init/pid1.h"
#include "init/sys.h"

#include <signal.h>
#include <string.h>

#define ASK_NS 30000000000ull /* longer than a child may take to its execve */

struct request {
	uint32_t number;
	enum pid1_start what;
	size_t task;
};

struct reply {
	uint32_t number;
	int r;
	pid_t pid;
	struct err e;
};

/* In the helper. Both ends are this program: the bytes are believed. */
static size_t answer(void *arg, const void *request, size_t len, void *reply, size_t room)
{
	struct reply out = { .e = ERR_INIT };
	struct pid1 *p = arg;
	struct request in;

	if (len != sizeof(in) || room < sizeof(out))
		return 0;
	memcpy(&in, request, sizeof(in));
	out.number = in.number;
	if (in.what == PID1_START_ENGINE)
		out.r = pid1_spawn_engine(p, &out.pid, &out.e);
	else if (in.what == PID1_START_AGENT)
		out.r = pid1_spawn_agent(p, &out.pid, &out.e);
	else if (in.what == PID1_START_BLESS)
		out.r = pid1_spawn_bless(p, &out.pid, &out.e);
	else
		out.r = pid1_spawn_task(p, in.task, &out.pid, &out.e);
	memcpy(reply, &out, sizeof(out));
	return sizeof(out);
}

int pid1_spawner_start(struct pid1 *p, struct err *e)
{
	p->spawner.fd = sys_helper_start(answer, p, pid1_log_console(), &p->spawner.pid);
	return p->spawner.fd < 0 ? pid1_err(e, p->spawner.fd, "cannot start the helper that starts the engine") : 0;
}

void pid1_spawner_gone(struct pid1 *p)
{
	sys_close(p->spawner.fd);
	p->spawner = (struct pid1_spawner){ .fd = -1 };
	pid1_log("spawner", "gone: nothing can be started any more until the next boot");
}

int pid1_start(struct pid1 *p, enum pid1_start what, size_t task, pid_t *ret_pid, struct err *e)
{
	struct request in = { .number = ++p->spawner.number, .what = what, .task = task };
	struct reply out;
	ssize_t n;

	if (p->spawner.fd < 0)
		return err_set(e, EPIPE, "the helper that starts processes is gone");
	n = sys_helper_ask(p->spawner.fd, &in, sizeof(in), &out, sizeof(out), ASK_NS);
	if (n < 0 && n != -EPIPE && n != -ETIMEDOUT)
		return pid1_err(e, (int)n, "cannot ask the helper that starts processes");
	if (n != (ssize_t)sizeof(out) || out.number != in.number) {
		/* Late is as bad as wrong: its answer could be taken for that of the next question. */
		(void)sys_kill(p->spawner.pid, SIGKILL); /* gone already, at worst; it is reaped as it ends */
		sys_close(p->spawner.fd);
		p->spawner.fd = -1;
		return pid1_err(e, n < 0 ? (int)n : -EPROTO, "the helper that starts processes did not answer");
	}
	if (out.r)
		*e = out.e;
	else
		*ret_pid = out.pid;
	return out.r;
}
