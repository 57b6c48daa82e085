/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/shutdown.c - an orderly end, in steps with a deadline each
 *
 * After the point of no return: no heap, no exit. A step that fails is told and the next one is taken: the machine
 * must end in any case.
 */
#include "init/pid1.h"

#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define TERM_NS          10000000000ull
#define KILL_NS          5000000000ull
#define CONTAINERS_NS    5000000000ull
#define LOOK_NS          100000000ull /* nobody tells when another's child has ended */
#define MAX_MOUNTS_BYTES (64 << 10)

/* Take all that ended, out of @services too. Return: what sys_reap() said last. */
static pid_t reap_all(pid_t services[], size_t n)
{
	pid_t pid = 1;
	int status;

	/* Not without end: somebody may make orphans as fast as this goes. */
	for (unsigned k = 0; k < 4096 && (pid = sys_reap(&status)) > 0; k++)
		for (size_t i = 0; i < n; i++)
			services[i] = services[i] == pid && !WIFSTOPPED(status) ? 0 : services[i];
	return pid;
}

/* Reap until none of @services is left (@n > 0), or no child at all (@n == 0). Return: whether that was reached. */
static bool wait_gone(struct pid1 *p, pid_t services[], size_t n, uint64_t within_ns)
{
	uint64_t deadline = sys_now_ns() + within_ns;

	for (;;) {
		struct pollfd fd = { .fd = p->signals, .events = POLLIN };
		uint64_t now;
		size_t left = 0;
		pid_t pid = reap_all(services, n);

		for (size_t i = 0; i < n; i++)
			left += services[i] != 0;
		if (n ? !left : pid == -ECHILD)
			return true;
		now = sys_now_ns();
		if (now >= deadline)
			return false;
		(void)sys_poll(&fd, 1, deadline - now); /* an error is as good as news: look again */
		while (sys_signal_next(p->signals) > 0)
			; /* it is ending already */
	}
}

/* Containers are whatever has a cgroup that PID 1 did not make. Each process of theirs is asked, while their engine still runs. */
static void stop_containers(pid_t services[], size_t n_services)
{
	static const char *const ours[] = { "engine", "agent", NULL };
	uint64_t deadline = sys_now_ns() + CONTAINERS_NS;
	int n = sys_cgroup_signal(PID1_CGROUP, ours, SIGTERM);

	if (n > 0)
		pid1_log("shutdown", "%d processes of containers were asked to end", n);
	while (n > 0 && sys_now_ns() < deadline) {
		(void)sys_poll(NULL, 0, LOOK_NS);
		(void)reap_all(services, n_services); /* the engine may end with its last container */
		n = sys_cgroup_signal(PID1_CGROUP, ours, 0);
	}
	if (n)
		pid1_log("shutdown", "containers: %d processes left, or an error", n);
}

static void stop_services(struct pid1 *p, pid_t services[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (services[i] > 0) {
			(void)sys_kill(services[i], SIGTERM); /* gone already, at worst */
			(void)sys_kill(services[i], SIGCONT); /* one that is stopped would not hear it */
		}
	if (!wait_gone(p, services, n, TERM_NS))
		pid1_log("shutdown", "not all services ended within %llu s", TERM_NS / 1000000000u);
	(void)sys_kill(-1, SIGKILL); /* containers and their shims; there may be none */
	if (!wait_gone(p, NULL, 0, KILL_NS))
		pid1_log("shutdown", "not all processes ended within %llu s", KILL_NS / 1000000000u);
}

/* Mount points that stay: the console and the kernel's interfaces are needed to the end, and "/" is read-only. */
static bool stays(const char *path)
{
	static const char *const kept[] = { "/", "/dev", "/proc", "/sys" };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (!strcmp(path, kept[i]))
			return true;
	return false;
}

/* Last mounted, first unmounted. Lines of /proc/self/mounts: "<source> <target> <type> ..."; blanks in names are octal. */
static void unmount_all(void)
{
	static char text[MAX_MOUNTS_BYTES];
	struct err e = ERR_INIT;
	size_t len;

	if (pid1_read("/proc/self/mounts", text, sizeof(text), &len, &e)) {
		pid1_log("shutdown", "%s", e.msg);
		return;
	}
	while (len) {
		char *line, *target, *end;
		int r;

		text[--len] = '\0'; /* the newline of the last line that is left */
		line = memrchr(text, '\n', len);
		line = line ? line + 1 : text;
		len = (size_t)(line - text);
		target = strchr(line, ' ');
		end = target ? strchr(++target, ' ') : NULL;
		if (!end)
			continue;
		*end = '\0';
		if (stays(target))
			continue;
		r = sys_umount(target, 0);
		if (r == -EBUSY)
			r = sys_umount(target, MNT_DETACH);
		if (r)
			pid1_log("shutdown", "%s stays mounted: %s", target, err_text(-r));
	}
}

_Noreturn void pid1_shutdown(struct pid1 *p, enum pid1_action action, pid_t services[], size_t n)
{
	static const char *const words[] = { "power off", "reboot", "halt" };
	struct err e = ERR_INIT;

	pid1_log("shutdown", "%s", words[action]);
	if (pid1_phase(p, MEASURE_SHUTDOWN, &e))
		pid1_log("shutdown", "%s", e.msg);
	pid1_watchdog_feed(&p->watchdog);
	stop_containers(services, n);
	pid1_watchdog_feed(&p->watchdog);
	stop_services(p, services, n);
	pid1_watchdog_feed(&p->watchdog);
	unmount_all();
	pid1_state_close();
	pid1_log("shutdown", "done");
	pid1_lastfail_orderly();
	if (action == PID1_HALT)
		pid1_watchdog_close(&p->watchdog);
	sys_console_drain(pid1_log_console());
	pid1_end(action);
}
