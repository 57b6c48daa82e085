/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/vm/bench_gate.c - what a container's start costs through the gate, by crun alone, and by runc alone
 *
 * Theory of operation
 *   A task of the image that tests/bench-gate builds (profile audit: runc executes itself from a memfd, which IPE denies
 *   when it enforces). `keep` is created through the gate first, so the layers are open and stay so; the configuration
 *   that the gate wrote for it, and its root, are what the other two are given. Then all three take turns at create, start,
 *   waiting for the program's end, delete. We are the subreaper, so everything that ran comes back to us with its time:
 *   the CPU time is that of the runtime, the container's first process and the gate together, and what PID 1 spent meanwhile
 *   (it measures for the gate). Under -icount a nanosecond is an instruction.
 *
 *   A line a start: "bench-gate: NAME <cpu ns> <of it PID 1> <wall ns>".
 */
#include "common/cleanup.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#if defined(__x86_64__)
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#else
#define LOADER "/lib/ld-linux-aarch64.so.1"
#endif

#define ROUNDS 6 /* the first warms up and is not told */
#define BENCH  "/run/bench"
#define KEEP   "/run/holdfast/gate/hello-keep"
#define TEST   "/usr/lib/holdfast/test"

/* struct runtime - @words stand before the verb; @bundle has the configuration */
struct runtime {
	const char *name;
	const char *words[3];
	const char *bundle;
};

static const struct runtime runtimes[] = {
	{"gate", {"/usr/bin/holdfast-runtime"}, BENCH "/gate"},
	{"crun", {LOADER, "/usr/lib/holdfast/crun"}, BENCH "/bare"},
	{"runc", {TEST "/runc"}, BENCH "/bare"},
};

static void die(const char *what)
{
	printf("bench-gate: FAILED %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) < 0)
		die("clock");
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void copy(const char *from, const char *to)
{
	cleanup_fd int in = open(from, O_RDONLY | O_CLOEXEC);
	cleanup_fd int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char text[65536];
	ssize_t n = in < 0 ? -1 : read(in, text, sizeof(text));

	if (n <= 0 || out < 0 || write(out, text, (size_t)n) != n)
		die(from);
}

/* CPU time of PID 1 so far; 0 on a kernel that does not count. */
static uint64_t pid1_ns(void)
{
	cleanup_fd int fd = open("/proc/1/schedstat", O_RDONLY | O_CLOEXEC);
	char text[128] = "";
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	return n > 0 ? strtoull(text, NULL, 10) : 0;
}

/* All our children that have ended, and what ran below them: its CPU time. */
static uint64_t used_ns(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_CHILDREN, &u) < 0)
		die("getrusage");
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000u +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000u;
}

/* Run "<words> VERB [--bundle=B] ID" and wait for it alone. */
static void call(const struct runtime *r, const char *verb, const char *id)
{
	const char *argv[10], *option = NULL;
	char bundle[64];
	size_t n = 0;
	int status;
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(r->words) && r->words[i]; i++)
		argv[n++] = r->words[i];
	(void)snprintf(bundle, sizeof(bundle), "--bundle=%s", r->bundle);
	option = !strcmp(verb, "create") ? bundle : NULL;
	argv[n++] = verb;
	if (option)
		argv[n++] = option;
	argv[n++] = id;
	argv[n] = NULL;
	pid = fork();
	if (pid == 0) {
		(void)execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("wait");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
		printf("bench-gate: %s %s: status %x\n", r->name, verb, (unsigned)status);
		die(verb);
	}
}

static void measure(const struct runtime *r, unsigned round)
{
	uint64_t used = used_ns(), pid1 = pid1_ns(), begin = now_ns();
	char id[32];

	(void)snprintf(id, sizeof(id), "hello-%s%u", r->name, round);
	call(r, "create", id);
	call(r, "start", id);
	while (wait(NULL) > 0 || errno == EINTR)
		; /* the container's first process: it has come to us */
	call(r, "delete", id);
	pid1 = pid1_ns() - pid1;
	if (round)
		printf("bench-gate: %s %llu %llu %llu\n", r->name, (unsigned long long)(used_ns() - used + pid1),
		       (unsigned long long)pid1, (unsigned long long)(now_ns() - begin));
	fflush(stdout);
}

int main(void)
{
	static const char *const folders[] = {BENCH, BENCH "/gate", BENCH "/bare"};
	cleanup_fd int memfd = open("/proc/sys/vm/memfd_noexec", O_WRONLY | O_CLOEXEC);

	if (memfd < 0 || write(memfd, "0", 1) != 1) /* which PID 1 sets: runc could not start */
		printf("bench-gate: memfd_noexec stays: %s\n", strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdir(folders[i], 0700) < 0 && errno != EEXIST)
			die(folders[i]);
	copy(TEST "/config.json", BENCH "/gate/config.json");
	call(&runtimes[0], "create", "hello-keep");
	copy(KEEP "/config.json", BENCH "/bare/config.json");
	/* Behind it, or the kept container's first process would be waited for. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		die("subreaper");
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++)
			measure(&runtimes[i], round);
	printf("bench-gate: done\n");
	return 0;
}
