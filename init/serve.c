/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/serve.c - the rest of PID 1's life: one loop that waits, reaps, restarts, measures, and ends the machine
 *
 * Theory of operation
 *   From pid1_serve() on nothing may exit, abort, allocate or use a stream: the kernel panics when PID 1 ends. Each turn
 *   of the loop does what is due (children that ended, restarts, readiness, the next task), then waits in one
 *   ppoll() for signals, the measurement socket and the nearest deadline. What takes time takes it elsewhere, with one
 *   exception: an extension of a PCR waits for the TPM, for the answer to a client must come after it.
 */
#include "init/pid1.h"

#include "init/backoff.h"
#include "init/log.h"
#include "init/measure_socket.h"
#include "init/sys.h"

#include <signal.h>
#include <sys/wait.h>

#define READY_TRY_NS 50000000ull
#define NS_PER_MS    1000000u
#define NEVER        UINT64_MAX

/* Something that is to run always. @pid 0: it does not; @start_ns: when it is to be started again. */
struct service {
	const char *name;
	int (*spawn)(struct pid1 *p, pid_t *ret_pid, struct err *e);
	pid_t pid;
	uint64_t started_ns;
	uint64_t start_ns;
	struct pid1_backoff backoff;
};

struct serve {
	struct pid1 *p;
	struct service engine;
	struct service agent;
	struct pid1_clients clients;
	bool ready;
	bool blessed;
	uint64_t ready_ns;
	uint64_t ready_try_ns;
	uint64_t ready_deadline_ns;
	pid_t task_pid;
	size_t task; /* the next to be started */
};

static _Noreturn void end(struct serve *s, enum pid1_action action)
{
	pid_t services[] = { s->task_pid, s->engine.pid, s->agent.pid };

	pid1_shutdown(s->p, action, services, ARRAY_SIZE(services));
}

static _Noreturn void fail(struct serve *s, unsigned code, const struct err *e)
{
	s->p->code = code;
	s->p->stage = "serve";
	pid1_fail(s->p, e);
}

/* It ended, or could not be started. The host is nothing without its engine; without its agent it is only unattested. */
static void service_ended(struct serve *s, struct service *v, uint64_t now)
{
	uint64_t delay = pid1_backoff_next(&v->backoff, now - v->started_ns);
	struct err e = ERR_INIT;

	v->pid = 0;
	v->start_ns = delay == PID1_BACKOFF_GIVE_UP ? NEVER : now + delay;
	if (v->start_ns != NEVER) {
		pid1_log(v->name, "will be started again in %llu s", (unsigned long long)(delay / 1000000000u));
		return;
	}
	if (v == &s->engine) {
		(void)err_set(&e, ECHILD, "it ended %d times in a row", PID1_BACKOFF_LIMIT + 1);
		fail(s, CODE_ENGINE_RESTARTS, &e);
	}
	pid1_log(v->name, "ended %d times in a row; it stays down until the next boot", PID1_BACKOFF_LIMIT + 1);
}

static void service_start(struct serve *s, struct service *v, uint64_t now)
{
	struct err e = ERR_INIT;

	v->start_ns = NEVER;
	v->started_ns = now;
	if (v->spawn(s->p, &v->pid, &e)) {
		pid1_log(v->name, "%s", e.msg);
		service_ended(s, v, now); /* a child that failed before its execve is reaped as a stranger */
	} else {
		pid1_log(v->name, "started, pid %d", (int)v->pid);
	}
}

/* As a shell has it: the exit status, or 128 and the signal. */
static int status_number(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void reap(struct serve *s)
{
	int status;
	pid_t pid;

	while ((pid = sys_reap(&status)) > 0) {
		struct service *v = pid == s->engine.pid ? &s->engine : pid == s->agent.pid ? &s->agent : NULL;

		if (v) {
			pid1_log(v->name, "pid %d ended: exit %d", (int)pid, status_number(status));
			service_ended(s, v, sys_now_ns());
		} else if (pid == s->task_pid) {
			s->task_pid = 0;
			pid1_log(NULL, "task %zu: exit %d", s->task, status_number(status)); /* they count from 1 */
		} /* others were orphans: they are gone now, and that is all */
	}
}

static void try_ready(struct serve *s, uint64_t now)
{
	struct err e = ERR_INIT;

	if (s->ready || now < s->ready_try_ns)
		return;
	if (sys_can_connect(s->p->host.engine_ready) == 0) {
		if (pid1_phase(s->p, MEASURE_READY, &e))
			fail(s, CODE_HOST_MEASURE, &e);
		s->ready = true;
		s->ready_ns = now;
		pid1_log(NULL, "ready");
		pid1_times_report(&s->p->times);
		return;
	}
	if (now >= s->ready_deadline_ns) {
		(void)err_set(&e, ETIMEDOUT, "%s accepted no connection within %llu ms", s->p->host.engine_ready,
			      (unsigned long long)s->p->host.ready_ms);
		fail(s, CODE_ENGINE_READY, &e);
	}
	s->ready_try_ns = now + READY_TRY_NS;
}

/* When this boot may be called good: ready, and the engine was not started anew, for the board's time. */
static uint64_t bless_due_ns(const struct serve *s)
{
	if (!s->ready || !s->engine.pid || s->blessed)
		return NEVER;
	return pid1_bless_due_ns(s->p, s->ready_ns > s->engine.started_ns ? s->ready_ns : s->engine.started_ns);
}

static void next_task(struct serve *s)
{
	struct err e = ERR_INIT;

	if (!s->ready || s->task_pid || s->task > s->p->host.n_tasks)
		return;
	if (s->task < s->p->host.n_tasks) {
		if (pid1_spawn_task(s->p, s->task++, &s->task_pid, &e))
			fail(s, CODE_TASK, &e);
		return;
	}
	s->task++; /* all are done: this is said, or acted upon, once */
	if (s->p->host.poweroff_when_done)
		end(s, PID1_POWEROFF);
	if (s->p->host.n_tasks)
		pid1_log(NULL, "all tasks are done");
}

static void take_signals(struct serve *s)
{
	int sig;

	while ((sig = sys_signal_next(s->p->signals)) > 0) {
		if (sig == SIGTERM || sig == SIGPWR)
			end(s, PID1_POWEROFF);
		if (sig == SIGINT) /* ctrl-alt-del */
			end(s, PID1_REBOOT);
	} /* SIGCHLD only wakes the loop; SIGHUP means nothing to us and must not be fatal to a later us */
}

static uint64_t earliest(const struct serve *s)
{
	uint64_t t[] = { s->engine.start_ns, s->agent.start_ns, s->ready ? NEVER : s->ready_try_ns,
			 pid1_clients_deadline_ns(&s->clients), bless_due_ns(s) };
	uint64_t first = NEVER;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		first = t[i] < first ? t[i] : first;
	return first;
}

static void wait_and_serve(struct serve *s)
{
	struct pollfd fds[2 + PID1_MAX_CLIENTS] = { { .fd = s->p->signals, .events = POLLIN } };
	uint64_t until = earliest(s), now = sys_now_ns();

	pid1_clients_poll(&s->clients, s->p->measure_socket, fds + 1);
	if (sys_poll(fds, ARRAY_SIZE(fds), until == NEVER ? NEVER : until > now ? until - now : 0) < 0)
		return; /* no memory in the kernel, at worst: the next turn tries again */
	take_signals(s);
	pid1_clients_serve(&s->clients, fds + 1, sys_now_ns(), s->p->policy, &s->p->log);
}

_Noreturn void pid1_serve(struct pid1 *p)
{
	uint64_t now = sys_now_ns();
	static struct serve s;

	/* --- the point of no return --- */
	s = (struct serve){ .p = p, .ready_try_ns = now, .ready_deadline_ns = now + p->host.ready_ms * NS_PER_MS };
	s.engine = (struct service){ "engine", pid1_spawn_engine, p->engine, now, NEVER, { 0 } };
	s.agent = (struct service){ "agent", pid1_spawn_agent, 0, now, p->host.agent.arg[0] ? now : NEVER, { 0 } };
	pid1_clients_init(&s.clients);
	for (;;) {
		reap(&s);
		now = sys_now_ns();
		if (now >= s.engine.start_ns)
			service_start(&s, &s.engine, now);
		if (now >= s.agent.start_ns)
			service_start(&s, &s.agent, now);
		try_ready(&s, now);
		if (now >= bless_due_ns(&s)) {
			s.blessed = true;
			pid1_bless_start();
		}
		next_task(&s);
		wait_and_serve(&s);
	}
}
