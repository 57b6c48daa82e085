/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/serve.c - the rest of PID 1's life: one loop that waits, reaps, restarts, measures, and ends the machine
 *
 * Theory of operation
 *   From pid1_serve() on nothing may exit, abort, allocate or use a stream: the kernel panics when PID 1 ends. Each turn
 *   of the loop does what is due (children that ended, restarts, readiness, the next task, the watchdog), then waits in
 *   one ppoll() for signals, the two sockets and the nearest deadline. What takes time takes it elsewhere, with one
 *   exception: an extension of a PCR waits for the TPM, for the answer to a client must come after it.
 *   All times are CLOCK_BOOTTIME: setting the clock moves nothing. A service that somebody stopped is continued.
 */
#include "init/pid1.h"

#include "init/backoff.h"
#include "init/control.h"
#include "init/log.h"
#include "init/measure_socket.h"
#include "init/sys.h"

#include <signal.h>
#include <sys/wait.h>

#define READY_TRY_NS 50000000ull
#define NS_PER_MS    1000000u
#define NEVER        UINT64_MAX
#define MOST_REAPED  4096 /* in one turn: whoever makes orphans without end must not keep us from all else */

/* Something that is to run always. @pid 0: it does not; @start_ns: when it is to be started again. */
struct service {
	const char *name;
	enum pid1_start what;
	struct pid1_service_state *live;
	pid_t pid;
	uint64_t started_ns;
	uint64_t start_ns;
	struct pid1_backoff backoff;
};

struct serve {
	struct pid1 *p;
	struct service engine;
	struct service agent;
	struct pid1_measure_server measure;
	struct pid1_clients gates;
	struct pid1_control control;
	struct pid1_clients operators;
	bool ready;
	bool healthy; /* it was told */
	bool more; /* children may be left to reap */
	uint64_t ready_ns;
	uint64_t ready_try_ns;
	uint64_t ready_deadline_ns;
	pid_t task_pid;
	size_t task; /* the next to be started */
};

static void state_is(struct serve *s, struct service *v, const char *state)
{
	v->live->state = state;
	v->live->pid = v->pid;
	s->p->live.changed = true;
}

static _Noreturn void end(struct serve *s, enum pid1_action action)
{
	pid_t services[] = { s->task_pid, s->engine.pid, s->agent.pid };

	s->p->live.state = "ending";
	s->p->live.changed = true;
	pid1_status_publish(s->p);
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
	state_is(s, v, v->start_ns == NEVER ? "given up" : "waiting");
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
	if (pid1_start(s->p, v->what, 0, &v->pid, &e)) {
		pid1_log(v->name, "%s", e.msg);
		service_ended(s, v, now); /* a child that failed before its execve is reaped as a stranger */
	} else {
		pid1_log(v->name, "started, pid %d", (int)v->pid);
		v->live->starts++;
		state_is(s, v, "running");
	}
}

/* As a shell has it: the exit status, or 128 and the signal. */
static int status_number(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Whoever stops a service without end is told of ever more rarely. */
static void service_stopped(struct serve *s, struct service *v, int sig)
{
	if (sys_kill(v->pid, SIGCONT))
		return; /* it ended meanwhile: that is the next news */
	v->live->stops++;
	if ((v->live->stops & (v->live->stops - 1)) == 0)
		pid1_log(v->name, "was stopped by signal %d, and continued", sig);
	s->p->live.changed = true;
}

static void child_news(struct serve *s, pid_t pid, int status)
{
	struct service *v = pid == s->engine.pid ? &s->engine : pid == s->agent.pid ? &s->agent : NULL;

	if (WIFSTOPPED(status)) {
		if (v)
			service_stopped(s, v, WSTOPSIG(status));
		return;
	}
	s->p->live.reaped++;
	if (v) {
		pid1_log(v->name, "pid %d ended: exit %d", (int)pid, status_number(status));
		v->live->last = status_number(status);
		service_ended(s, v, sys_now_ns());
	} else if (pid == s->task_pid) {
		s->task_pid = 0;
		s->p->live.tasks_done++;
		pid1_log(NULL, "task %zu: exit %d", s->task, status_number(status)); /* they count from 1 */
	} else if (pid == s->p->spawner.pid) {
		pid1_spawner_gone(s->p);
	} /* others were orphans: they are gone now, and that is all */
}

static void reap(struct serve *s)
{
	int status;
	pid_t pid;

	s->more = false;
	for (unsigned n = 0; (pid = sys_reap(&status)) > 0; n++) {
		child_news(s, pid, status);
		if (n == MOST_REAPED) {
			s->more = true;
			return;
		}
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
		s->p->live.state = "ready";
		s->p->live.changed = true;
		s->ready_ns = now;
		pid1_log(NULL, "ready");
		pid1_times_report(&s->p->times);
		pid1_lastfail_report(s->p);
		return;
	}
	if (now >= s->ready_deadline_ns) {
		(void)err_set(&e, ETIMEDOUT, "%s accepted no connection within %llu ms", s->p->host.engine_ready,
			      (unsigned long long)s->p->host.ready_ms);
		fail(s, CODE_ENGINE_READY, &e);
	}
	s->ready_try_ns = now + READY_TRY_NS;
}

/* When this host counts as healthy: ready, and the engine was not started anew, for the board's time. */
static uint64_t healthy_due_ns(const struct serve *s)
{
	if (!s->ready || !s->engine.pid || s->healthy)
		return NEVER;
	return (s->ready_ns > s->engine.started_ns ? s->ready_ns : s->engine.started_ns) + s->p->host.healthy_ms * NS_PER_MS;
}

/* This boot came well, which the boot loader (init/bless.h) and the rollback floor (init/floor.h) are told once. */
static void host_is_healthy(struct serve *s)
{
	struct err e = ERR_INIT;
	pid_t pid;

	s->healthy = true;
	if (!pid1_is_direct(s->p) && pid1_start(s->p, PID1_START_BLESS, 0, &pid, &e)) /* without UEFI there is no loader */
		pid1_log("bless", "%s; the boot loader counts this boot as a failed try", e.msg);
	pid1_floor_host_is_healthy(s->p); /* the child is reaped as a stranger: nothing waits for it */
}

static void next_task(struct serve *s)
{
	struct err e = ERR_INIT;

	if (!s->ready || s->task_pid || s->task > s->p->host.n_tasks)
		return;
	if (s->task < s->p->host.n_tasks) {
		if (pid1_start(s->p, PID1_START_TASK, s->task++, &s->task_pid, &e))
			fail(s, CODE_TASK, &e);
		return;
	}
	s->task++; /* all are done: this is said, or acted upon, once */
	if (s->p->host.poweroff_when_done)
		end(s, PID1_POWEROFF);
	if (s->p->host.n_tasks)
		pid1_log(NULL, "all tasks are done");
}

/* What is wrong with this host, for the watchdog; NULL if nothing. Until the engine is ready its own deadline watches it. */
static const char *wrong(const struct serve *s)
{
	if (!s->engine.pid)
		return "the engine does not run";
	if (s->ready && sys_can_connect(s->p->host.engine_ready))
		return "the engine accepts no connection";
	return NULL;
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
			 s->p->watchdog.next_ns, pid1_clients_deadline_ns(&s->gates),
			 pid1_clients_deadline_ns(&s->operators), healthy_due_ns(s) };
	uint64_t first = s->more ? 0 : NEVER;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		first = t[i] < first ? t[i] : first;
	return first;
}

static void wait_and_serve(struct serve *s)
{
	struct pollfd fds[1 + 2 * PID1_CLIENT_FDS] = { { .fd = s->p->signals, .events = POLLIN } };
	struct pollfd *gates = fds + 1, *operators = gates + PID1_CLIENT_FDS;
	uint64_t until = earliest(s), now = sys_now_ns();

	pid1_clients_poll(&s->gates, gates);
	pid1_clients_poll(&s->operators, operators);
	if (sys_poll(fds, ARRAY_SIZE(fds), until == NEVER ? NEVER : until > now ? until - now : 0) < 0)
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			fds[i].revents = 0; /* no memory in the kernel, at worst; signals and deadlines still count */
	take_signals(s);
	now = sys_now_ns();
	pid1_clients_serve(&s->gates, gates, now);
	pid1_clients_serve(&s->operators, operators, now);
	if (s->control.asked)
		end(s, s->control.action);
}

static void begin(struct serve *s, struct pid1 *p)
{
	uint64_t now = sys_now_ns();

	*s = (struct serve){ .p = p, .ready_try_ns = now, .ready_deadline_ns = now + p->host.ready_ms * NS_PER_MS };
	s->engine = (struct service){ "engine", PID1_START_ENGINE, &p->live.engine, p->engine, now, NEVER, { 0 } };
	s->agent = (struct service){ "agent", PID1_START_AGENT, &p->live.agent, 0, now,
				     p->host.agent.arg[0] ? now : NEVER, { 0 } };
	p->live.engine = (struct pid1_service_state){ .pid = p->engine, .starts = 1, .last = -1 };
	p->live.agent = (struct pid1_service_state){ .last = -1 };
	state_is(s, &s->engine, "running");
	s->measure = (struct pid1_measure_server){ .policy = p->policy, .jit = &p->jit, .log = &p->log, .live = &p->live };
	pid1_clients_init(&s->gates, p->measure_socket, pid1_measure_answer, &s->measure);
	s->control = (struct pid1_control){ .p = p };
	pid1_clients_init(&s->operators, p->control_socket, pid1_control_answer, &s->control);
}

_Noreturn void pid1_serve(struct pid1 *p)
{
	static struct serve s;
	uint64_t now;

	/* --- the point of no return --- */
	begin(&s, p);
	for (;;) {
		reap(&s);
		now = sys_now_ns();
		if (now >= s.engine.start_ns)
			service_start(&s, &s.engine, now);
		if (now >= s.agent.start_ns)
			service_start(&s, &s.agent, now);
		try_ready(&s, now);
		if (now >= healthy_due_ns(&s))
			host_is_healthy(&s);
		next_task(&s);
		if (now >= p->watchdog.next_ns)
			pid1_watchdog_turn(&p->watchdog, now, wrong(&s));
		pid1_status_publish(p);
		wait_and_serve(&s);
	}
}
