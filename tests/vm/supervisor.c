/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/vm/supervisor.c - PID 1 under duress: a stopped engine, orphans, no pids, no descriptors, no memory, and the end
 *
 * After each, PID 1 must answer and the engine must be the same process. What is exhausted is exhausted in a cgroup beside
 * the engine's, as a container's would be.
 */
#include "tests/vm/probe.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#define CONTROL "/run/holdfast/control.sock"
#define GREEDY  "/sys/fs/cgroup/greedy"
#define ENGINE  "containerd"

static pid_t engine;

/* Letter of @pid's state, 0 if it is not there. */
static char state_of(pid_t pid)
{
	char path[64], text[512], *at;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (slurp(path, text, sizeof(text)) <= 0)
		return 0;
	at = strrchr(text, ')');
	return at ? at[2] : 0;
}

static void still_well(const char *name)
{
	char answer[8192];
	bool told = asked(CONTROL, "status", "{\"holdfast\":\"status/1\"", answer, sizeof(answer));

	verdict(told && strstr(answer, "\"state\":\"ready\"") && find(ENGINE) == engine, name, told ? "another engine, or not ready" : answer);
}

static void stopped_engine(void)
{
	char state = 'T', answer[8192];

	verdict(kill(engine, SIGSTOP) == 0, "engine-stop", strerror(errno));
	for (int i = 0; i < 50 && state == 'T'; i++) {
		(void)usleep(100000);
		state = state_of(engine);
	}
	verdict(state && state != 'T', "stopped-engine-is-continued", "it stays stopped");
	verdict(asked(CONTROL, "status", "{", answer, sizeof(answer)) && !strstr(answer, "\"engine\":{\"state\":\"running\",\"pid\":1,") &&
			strstr(answer, "\"stops\":1,"), "stop-is-counted", answer);
	still_well("pid1-after-sigstop");
}

/* Nanoseconds that PID 1 ran. */
static unsigned long long ran_ns(void)
{
	char text[128];

	return slurp("/proc/1/schedstat", text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

static unsigned zombies_of_pid1(void)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	unsigned n = 0;

	while (d && (entry = readdir(d))) {
		char path[300], text[512], *at;

		(void)snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || slurp(path, text, sizeof(text)) <= 0)
			continue;
		at = strrchr(text, ')');
		n += at && at[2] == 'Z' && !strncmp(at + 3, " 1 ", 3);
	}
	if (d)
		(void)closedir(d);
	return n;
}

/* Children of a parent that is gone, which all end when a pipe is closed. */
unsigned long probe_orphans(unsigned n)
{
	unsigned long long before, after;
	int gate[2], status;
	unsigned left = 1;
	pid_t parent;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return 0;
	parent = fork();
	if (parent == 0) {
		(void)close(gate[1]);
		for (unsigned i = 0; i < n; i++) {
			char c;

			if (fork() == 0)
				_exit(read(gate[0], &c, 1) == 0 ? 0 : 1);
		}
		_exit(0);
	}
	(void)waitpid(parent, &status, 0);
	before = ran_ns();
	(void)close(gate[0]);
	(void)close(gate[1]);
	for (int i = 0; i < 300 && left; i++) {
		(void)usleep(100000);
		left = zombies_of_pid1();
	}
	after = ran_ns();
	if (left || after <= before) {
		printf("probe: FAILED orphans: %u left\n", left);
		return 0;
	}
	printf("probe: ok orphans\n");
	printf("probe: %u orphans in %llu us of PID 1's time: %llu a second\n", n, (after - before) / 1000, n * 1000000000ull / (after - before));
	return (unsigned long)(n * 1000000000ull / (after - before));
}

/* In the greedy cgroup, as a process of its own that ends itself. Return: its status, -1 if it could not be. */
static int in_greedy(int (*what)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (write_to(GREEDY "/cgroup.procs", "0"))
			_exit(99);
		_exit(what());
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* 0 if fork() was refused at last. */
static int take_pids(void)
{
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)sleep(2);
			_exit(0);
		}
		if (pid < 0)
			return errno == EAGAIN ? 0 : 2;
	}
	return 1;
}

static int take_descriptors(void)
{
	int fds = 0;

	while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		fds++;
	return errno == EMFILE && fds > 100 ? 0 : 1;
}

/* Never comes back: the cgroup's own OOM killer ends it. */
static int take_memory(void)
{
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return 1;
		memset(p, 1, 1 << 20);
	}
}

static void exhaustion(void)
{
	int status;

	verdict(mkdir(GREEDY, 0755) == 0 && write_to(GREEDY "/pids.max", "32") == 0 && write_to(GREEDY "/memory.max", "16777216") == 0,
		"sibling-cgroup", strerror(errno));
	verdict(in_greedy(take_pids) == 0, "sibling-without-pids", "it was not refused");
	still_well("pid1-while-sibling-has-no-pids");
	verdict(in_greedy(take_descriptors) == 0, "sibling-without-descriptors", "it was not refused");
	still_well("pid1-after-descriptors");
	status = in_greedy(take_memory);
	verdict(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "sibling-without-memory", "it was not killed");
	still_well("pid1-after-memory");
}

/* What keeps PID 1's own out of reach. */
static void protection(void)
{
	pid_t helper = find("holdfast-spawn");
	char path[64], text[4096];

	verdict(helper > 1, "helper-is-there", "no holdfast-spawn");
	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)helper);
	verdict(slurp(path, text, sizeof(text)) > 0 && !strcmp(text, "-1000\n"), "helper-oom-score", text);
	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)engine);
	verdict(slurp(path, text, sizeof(text)) > 0 && strcmp(text, "-1000\n") != 0, "engine-oom-score", text);
	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)helper);
	verdict(slurp(path, text, sizeof(text)) > 0 && !strcmp(text, "0::/\n"), "helper-in-no-cgroup-of-others", text);
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)engine);
	verdict(slurp(path, text, sizeof(text)) > 0 && strrchr(text, ')') && !strncmp(strrchr(text, ')') + 3, " 1 ", 3),
		"engine-is-pid1's-child", text);
	verdict(slurp("/proc/1/status", text, sizeof(text)) > 0 && strstr(text, "Seccomp:\t2\n") && strstr(text, "NoNewPrivs:\t1\n"),
		"pid1-has-a-filter", text);
	verdict(slurp("/run/holdfast/status.json", text, sizeof(text)) > 0 && strstr(text, "\"state\":\"ready\"") && text[strlen(text) - 1] == '\n',
		"status-file", text);
	denied(open("/dev/watchdog", O_WRONLY | O_CLOEXEC), EBUSY, ENOENT, "watchdog-is-taken");
	verdict(asked(CONTROL, "shell", "refused", text, sizeof(text)), "control-of-another-kind", text);
}

int probe_supervisor(void)
{
	unsigned long rate;
	char text[64];

	engine = find(ENGINE);
	verdict(engine > 1, "engine-is-there", "no " ENGINE);
	protection();
	stopped_engine();
	rate = probe_orphans(3000);
	(void)snprintf(text, sizeof(text), "%lu a second", rate);
	verdict(rate > 0, "orphans-are-reaped", text);
	still_well("pid1-after-orphans");
	exhaustion();
	printf("probe: %d failed\n", failures);
	return failures;
}

/* The emulator's chassis tag says which end is tried. */
int probe_last(void)
{
	char tag[64] = "";

	(void)slurp("/sys/class/dmi/id/chassis_asset_tag", tag, sizeof(tag)); /* there may be none */
	if (strncmp(tag, "watchdog", 8) != 0)
		return kill(1, SIGINT) == 0 ? 0 : 1;
	/* An engine that runs and that nobody can reach: PID 1 must let the watchdog bite. */
	printf("probe: taking the engine's socket away\n");
	(void)fflush(stdout);
	return rename("/run/containerd/containerd.sock", "/run/containerd/away.sock") ? 1 : 0;
}
