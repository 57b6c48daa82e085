/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/test_orphans.c - the real loop as PID 1 of a namespace: orphans by the thousand, and an engine that is not lost
 *
 * The kernel's own PID 1 rules hold in a pid namespace. What is measured is PID 1's processor time, so other load on the
 * machine does not count. Needs namespaces (root, or user namespaces): else, and under an emulator, it is skipped by name.
 */
#include "tests/common/check.h"

#include "init/pid1.h"
#include "init/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ORPHANS  2000
#define MIN_RATE 10000

static struct shared {
	struct pid1 p;
	pid_t engine;
	volatile int ready, go, gone;
	pid_t orphan[ORPHANS];
} * sh;

/* The orphans, which end together, and whoever sees that all of them were reaped. */
static _Noreturn void load(void)
{
	int gate[2];
	char c;

	if (pipe(gate) < 0)
		_exit(1);
	if (fork() == 0) {
		(void)close(gate[1]);
		for (int i = 0; i < ORPHANS; i++) {
			pid_t pid = fork();

			if (pid == 0)
				_exit((int)read(gate[0], &c, 1));
			sh->orphan[i] = pid;
		}
		_exit(0);
	}
	(void)wait(NULL);
	sh->ready = 1;
	while (!sh->go)
		(void)usleep(1000);
	(void)close(gate[0]);
	(void)close(gate[1]);
	for (int i = 0; i < ORPHANS; i++)
		while (sh->orphan[i] > 0 && kill(sh->orphan[i], 0) == 0)
			(void)usleep(1000);
	sh->gone = 1;
	(void)pause();
	_exit(0);
}

static _Noreturn void first_process(void)
{
	struct pid1 *p = &sh->p;
	int null = open("/dev/null", O_RDWR);
	pid_t engine;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
	/* What it would write goes nowhere, and no mount of the machine's is in its reach. */
	if (null < 0 || dup2(null, 2) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
		_exit(1);
	p->signals = sys_signals_open();
	p->measure_socket = p->control_socket = p->watchdog.fd = p->spawner.fd = -1;
	p->watchdog.next_ns = UINT64_MAX;
	p->host.engine_ready = "/nonexistent";
	p->host.ready_ms = 3600000;
	engine = fork(); /* not into what the child shares */
	if (engine == 0) {
		(void)pause();
		_exit(0);
	}
	sh->engine = p->engine = engine;
	if (fork() == 0)
		load();
	pid1_serve(p);
}

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec t = { 0 };

	assert_int_equal(clock_gettime(clock, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wait_for(const volatile int *flag, const char *what)
{
	for (int i = 0; i < 60000 && !*flag; i++)
		(void)usleep(1000);
	if (!*flag)
		fail_msg("%s within a minute", what);
}

static void it_reaps_ten_thousand_orphans_a_second_and_keeps_its_engine(void **state)
{
	uint64_t before, ran, rate;
	clockid_t clock;
	pid_t first;

	(void)state;
	if (*check_runner() || unshare((geteuid() ? CLONE_NEWUSER : 0) | CLONE_NEWPID | CLONE_NEWNS) < 0) {
		print_message("SKIP: no pid namespaces here\n");
		skip();
	}
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(sh != MAP_FAILED);
	first = fork();
	assert_true(first >= 0);
	if (first == 0)
		first_process();
	wait_for(&sh->ready, "the orphans were not made");
	assert_int_equal(clock_getcpuclockid(first, &clock), 0);
	before = cpu_ns(clock);
	sh->go = 1;
	wait_for(&sh->gone, "the orphans were not reaped");
	ran = cpu_ns(clock) - before;
	rate = ORPHANS * 1000000000ull / (ran ? ran : 1);
	print_message("%d orphans in %llu us of PID 1's time: %llu a second\n", ORPHANS, (unsigned long long)ran / 1000,
		      (unsigned long long)rate);
	assert_true(sh->p.live.reaped >= ORPHANS);
	assert_string_equal(sh->p.live.engine.state, "running");
	assert_int_equal(sh->p.live.engine.pid, sh->engine);
	assert_int_equal(waitpid(first, NULL, WNOHANG), 0); /* it lives */
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(waitpid(first, NULL, 0), first);
#ifndef __SANITIZE_ADDRESS__
	assert_true(rate >= MIN_RATE);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_reaps_ten_thousand_orphans_a_second_and_keeps_its_engine) };

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
