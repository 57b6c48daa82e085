/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_sys.c - the seam to the kernel, for real: what must never make PID 1 wait */
#include "tests/common/check.h"

#include "common/cleanup.h"
#include "init/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/dm-ioctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define NS_PER_MS 1000000ull

static char folder[] = "/tmp/holdfast-test-sys-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* A child's system call filter is for the kernel to judge; tests/vm has it on every architecture. */
#define NEEDS_SECCOMP() \
	do { \
		if (*check_runner()) { \
			print_message("SKIP: under %s there is no seccomp\n", check_runner()); \
			skip(); \
		} \
	} while (0)

/* Spawn /bin/true with @procs as its cgroup. Its end is waited for. */
static int spawn(const char *procs, const char **ret_step, int *ret_status)
{
	static const char *const argv[] = { "/bin/true", NULL }, *const env[] = { NULL };
	struct sys_child c = { argv, env, procs, ~0ull, 2, 300 * NS_PER_MS, 0, 0, 0, false, false };
	pid_t pid = 0;
	int r = sys_spawn(&c, &pid, ret_step);

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, ret_status, 0), pid);
	return r;
}

/* A FIFO that nobody reads holds up who opens it, as a frozen cgroup holds up who joins it. */
static void a_child_that_is_held_up_is_killed_at_its_deadline(void **state)
{
	uint64_t before = sys_now_ns();
	const char *step = "";
	char path[64];
	int status = 0;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(spawn(path, &step, &status), -ETIMEDOUT);
	assert_string_equal(step, "waiting for its execve");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_true(sys_now_ns() - before < 5000 * NS_PER_MS);
	assert_int_equal(unlink(path), 0);
}

static void a_child_that_is_not_runs_or_says_why_not(void **state)
{
	const char *step = "";
	char path[64];
	int status = 0, fd;

	(void)state;
	NEEDS_SECCOMP();
	(void)snprintf(path, sizeof(path), "%s/procs", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && close(fd) == 0);
	assert_int_equal(spawn(path, &step, &status), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(spawn(path, &step, &status), -ENOENT);
	assert_string_equal(step, "joining its cgroup");
}

/* The same program, spawned: an ioctl number, and the errno that it is to get from /dev/null. */
static int try_ioctl(const char *number, const char *want)
{
	errno = 0;
	(void)ioctl(STDIN_FILENO, strtoul(number, NULL, 0),
		    NULL); /* fails one way or the other: which is what counts */
	return errno == atoi(want) ? 0 : 1;
}

/* Unless it is to make volumes. */
static void a_child_cannot_give_the_device_mapper_a_table(void **state)
{
	static const struct {
		unsigned long number;
		int want;
	} cases[] = {
		{ DM_TABLE_STATUS, ENOTTY }, /* passed on to /dev/null, which knows no ioctl */
		{ DM_VERSION, ENOTTY },
		{ TCGETS, ENOTTY },
		{ DM_TABLE_LOAD, EPERM },
		{ DM_DEV_CREATE, EPERM },
		{ DM_DEV_SUSPEND, EPERM },
		{ DM_DEV_REMOVE, EPERM },
		{ _IO(DM_IOCTL, DM_TABLE_LOAD_CMD), EPERM }, /* the kernel looks at type and number only */
		{ DM_TABLE_LOAD | 1ul << 32, EPERM },        /* and at 32 bits of them */
	};

	(void)state;
	NEEDS_SECCOMP();
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		const bool volumes = i >= ARRAY_SIZE(cases);
		char number[24], want[12];
		const char *argv[] = { "/proc/self/exe", "--ioctl", number, want, NULL }, *env[] = { NULL };
		struct sys_child c = { argv, env, "/dev/null", ~0ull, 2, 20000 * NS_PER_MS, 0, 0, 0, volumes, false };
		const char *step = "";
		int status = 0, r;
		pid_t pid = 0;

		(void)snprintf(number, sizeof(number), "%lu", cases[i % ARRAY_SIZE(cases)].number);
		(void)snprintf(want, sizeof(want), "%d", volumes ? ENOTTY : cases[i].want);
		r = sys_spawn(&c, &pid, &step);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (r || !WIFEXITED(status) || WEXITSTATUS(status))
			fail_msg("ioctl %s: spawn %d (%s), status 0x%x, wanted errno %s", number, r, step, status,
				 want);
	}
}

/* personality(2) as a child of PID 1: 0 if errno is @want (0: it succeeds). */
static int try_personality(const char *number, const char *want)
{
	errno = 0;
	return (personality(strtoul(number, NULL, 0)) < 0 ? errno : 0) == atoi(want) ? 0 : 1;
}

/* Memory of a file as a child of PID 1: what it may be from the start, and what it may not become. 0 if so. */
static int try_memory(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *rx = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	char *rw = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	if (rx == MAP_FAILED || rw == MAP_FAILED)
		return 1;
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED || errno != EACCES)
		return 2;
	if (mprotect(rw, 4096, PROT_READ | PROT_EXEC) == 0 || errno != EACCES)
		return 3;
	if (mprotect(rx, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0 || errno != EACCES)
		return 4;
	return mprotect(rx, 4096, PROT_READ) ? 5 : 0;
}

static void a_child_has_no_memory_that_it_can_write_and_execute(void **state)
{
	const char *argv[] = { "/proc/self/exe", "--memory", NULL }, *env[] = { NULL };
	struct sys_child c = { argv, env, "/dev/null", ~0ull, 2, 20000 * NS_PER_MS, 0, 0, 0, false, false };
	const char *step = "";
	int status = 0, r;
	pid_t pid = 0;

	(void)state;
	NEEDS_SECCOMP();
	assert_int_equal(try_memory(), 2); /* this process, which is not PID 1's child, has it */
	for (int judged = 0; judged < 2; judged++) { /* in enforce-jit others see to that */
		c.makes_code = judged;
		r = sys_spawn(&c, &pid, &step);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (r || !WIFEXITED(status) || WEXITSTATUS(status) != (judged ? 2 : 0))
			fail_msg("spawn %d (%s), status 0x%x", r, step, status);
	}
}

static void a_child_cannot_make_its_heap_executable(void **state)
{
	static const char *const cases[][2] = {
		{ "0xffffffff", "0" }, /* asks only */
		{ "0", "0" },
		{ "0x40000", "0" },  /* ADDR_NO_RANDOMIZE */
		{ "0x400000", "1" }, /* READ_IMPLIES_EXEC: EPERM */
		{ "0x440000", "1" },
	};

	(void)state;
	NEEDS_SECCOMP();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *argv[] = { "/proc/self/exe", "--personality", cases[i][0], cases[i][1], NULL }, *env[] = { NULL };
		struct sys_child c = { argv, env, "/dev/null", ~0ull, 2, 20000 * NS_PER_MS, 0, 0, 0, false, false };
		const char *step = "";
		int status = 0, r;
		pid_t pid = 0;

		r = sys_spawn(&c, &pid, &step);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (r || !WIFEXITED(status) || WEXITSTATUS(status))
			fail_msg("personality(%s): spawn %d (%s), status 0x%x, wanted errno %s", cases[i][0], r, step, status,
				 cases[i][1]);
	}
}

/*
 * As the agent: is this process @user and nothing else? A file of root's is closed to it, another's process cannot be signalled
 * or traced, and there is no way back. 0 if so; each check fails for root, which is the twin.
 */
static int try_user(const char *user, const char *secret)
{
	uid_t u = (uid_t)strtoul(user, NULL, 10), r, e, s;
	gid_t rg, eg, sg, list[4];

	if (getresuid(&r, &e, &s) || r != u || e != u || s != u || getresgid(&rg, &eg, &sg) || rg != u || eg != u || sg != u)
		return 2;
	if (getgroups(4, list) != 0)
		return 3;
	if (open(secret, O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 4;
	if (kill(getppid(), 0) == 0 || errno != EPERM)
		return 5;
	if (ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0 || errno != EPERM)
		return 6;
	if (setresuid(0, 0, 0) == 0 || setgroups(1, (gid_t[]){ 0 }) == 0)
		return 7;
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0)
			return 8;
	return 0;
}

static void a_child_with_a_user_is_nobody_else(void **state)
{
	char secret[64];
	const char *argv[] = { "/proc/self/exe", "--user", "971", secret, NULL }, *env[] = { NULL };

	(void)state;
	NEEDS_SECCOMP();
	if (geteuid() != 0) {
		print_message("SKIP: only root can become another user\n");
		skip();
	}
	(void)snprintf(secret, sizeof(secret), "%s/secret", folder);
	assert_int_equal(close(open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	for (int other = 0; other < 2; other++) {
		struct sys_child c = { argv, env, "/dev/null", 0, 2, 20000 * NS_PER_MS, other ? 971 : 0, 0, 0, false, false };
		const char *step = "";
		int status = 0, r;
		pid_t pid = 0;

		r = sys_spawn(&c, &pid, &step);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (r || !WIFEXITED(status) || WEXITSTATUS(status) != (other ? 0 : 2))
			fail_msg("user %u: spawn %d (%s), status 0x%x", c.user, r, step, status);
	}
	assert_int_equal(unlink(secret), 0);
}

/* cgroupfs as far as the walk sees it: folders, and cgroup.procs in them. */
static void procs(const char *cgroup, const char *text)
{
	char path[160];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, cgroup);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/%s/cgroup.procs", folder, cgroup);
	f = fopen(path, "we");
	assert_true(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void no_procs(const char *cgroup)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s/cgroup.procs", folder, cgroup);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, cgroup);
	assert_int_equal(rmdir(path), 0);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)sleep(30);
		_exit(0);
	}
	return pid;
}

static bool runs(pid_t pid)
{
	(void)usleep(50000);
	return waitpid(pid, NULL, WNOHANG) == 0;
}

/* Waits: on a busy machine, and emulated, a signal takes its time. A sleeper ends by itself after its 30 s. */
static int ended_by(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid)
		return 0;
	return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void every_process_of_foreign_cgroups_is_signalled_and_no_other(void **state)
{
	static const char *const skip[] = { "engine", "agent", NULL };
	pid_t one = sleeper(), two = sleeper(), engine_s = sleeper();
	char text[64];

	(void)state;
	(void)snprintf(text, sizeof(text), "%d\n", (int)engine_s);
	procs("engine", text);
	(void)snprintf(text, sizeof(text), "0\n1\n%d\n", (int)one);
	procs("default", text);
	(void)snprintf(text, sizeof(text), "%d\n", (int)two);
	procs("default/engine", text); /* the name counts at the top only */
	assert_int_equal(sys_cgroup_signal(folder, skip, 0), 2);
	assert_true(runs(one));
	assert_int_equal(sys_cgroup_signal(folder, skip, SIGTERM), 2);
	assert_int_equal(ended_by(one), SIGTERM);
	assert_int_equal(ended_by(two), SIGTERM);
	assert_true(runs(engine_s));
	assert_int_equal(kill(engine_s, SIGKILL), 0);
	assert_int_equal(waitpid(engine_s, NULL, 0), engine_s);
	assert_int_equal(sys_cgroup_signal(folder, skip, 0), 0);
	no_procs("default/engine");
	no_procs("default");
	no_procs("engine");
	assert_int_equal(sys_cgroup_signal("/nonexistent", skip, 0), -ENOENT);
}

static size_t start_true(void *arg, const void *request, size_t len, void *reply, size_t room)
{
	static const char *const argv[] = { "/bin/true", NULL }, *const env[] = { NULL };
	struct sys_child c = { argv, env, "/dev/null", ~0ull, 2, 20000 * NS_PER_MS, 0, 0, 0, false, false };
	const char *step;
	pid_t pid = 0;

	(void)arg;
	(void)room;
	if (len != 1 || *(const char *)request != 's' || sys_spawn(&c, &pid, &step))
		pid = -1;
	memcpy(reply, &pid, sizeof(pid));
	return sizeof(pid);
}

static void what_the_helper_starts_is_our_own_child(void **state)
{
	pid_t helper = 0, pid = 0;
	int fd, status = 0;

	(void)state;
	NEEDS_SECCOMP();
	fd = sys_helper_start(start_true, NULL, 2, &helper);
	assert_true(fd >= 0 && helper > 0);
	assert_int_equal(sys_helper_ask(fd, "s", 1, &pid, sizeof(pid), 20000 * NS_PER_MS), sizeof(pid));
	assert_true(pid > 0 && pid != helper);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* killed, it is noticed; nothing waits for ever */
	assert_int_equal(kill(helper, SIGKILL), 0);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
	assert_int_equal(sys_helper_ask(fd, "s", 1, &pid, sizeof(pid), 20000 * NS_PER_MS), -EPIPE);
	sys_close(fd);
}

static void a_helper_that_says_nothing_is_given_up(void **state)
{
	uint64_t before = sys_now_ns();
	char c;
	int s[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	assert_int_equal(sys_helper_ask(s[0], "s", 1, &c, 1, 100 * NS_PER_MS), -ETIMEDOUT);
	assert_true(sys_now_ns() - before >= 100 * NS_PER_MS);
	assert_int_equal(close(s[0]) + close(s[1]), 0);
}

/* In a process that is sealed as PID 1 is: 0 if it can do what the loop does, and nothing else. */
static int sealed(void)
{
	struct pollfd none = { .fd = -1 };
	int status, unix_fd, inet_fd;
	char c;
	int fd;

	if (sys_seal())
		return 1;
	fd = sys_open("/dev/zero", O_RDONLY, 0);
	unix_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || sys_read(fd, &c, 1) != 1 || unix_fd < 0 || sys_poll(&none, 1, 1000000) != 0 || sys_reap(&status) != -ECHILD)
		return 2;
	inet_fd = socket(AF_INET, SOCK_STREAM, 0);
	if (inet_fd >= 0 || errno != EPERM)
		return 3;
	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED || errno != EPERM)
		return 4;
	if (fork() >= 0 || errno != EPERM)
		return 5;
	if (mount("none", "/", "tmpfs", 0, NULL) == 0 || errno != EPERM)
		return 6;
	(void)execl("/bin/true", "true", (char *)NULL);
	return errno == EPERM ? 0 : 7;
}

static void a_sealed_process_has_the_calls_of_the_loop_and_no_other(void **state)
{
	int status = 0, report[2];
	uint8_t code = 99;
	pid_t pid;

	(void)state;
	NEEDS_SECCOMP();
	assert_int_equal(pipe(report), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		code = (uint8_t)sealed();
		(void)!write(report[1], &code, 1);
		for (;;)
			(void)sys_poll(NULL, 0, 1000000000); /* exit is refused as well */
	}
	assert_int_equal(read(report[0], &code, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(close(report[0]) + close(report[1]), 0);
	assert_int_equal(code, 0);
}

static void ctrl_s_does_not_stop_the_console(void **state)
{
	int pty = posix_openpt(O_RDWR | O_NOCTTY), fd;
	struct termios t;

	(void)state;
	assert_true(pty >= 0 && grantpt(pty) == 0 && unlockpt(pty) == 0);
	fd = open(ptsname(pty), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(fd >= 0 && tcgetattr(fd, &t) == 0);
	assert_true(t.c_iflag & IXON); /* what a terminal begins with */
	sys_console_unstoppable(fd);
	assert_int_equal(tcgetattr(fd, &t), 0);
	assert_false(t.c_iflag & IXON);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(pty), 0);
}

static ssize_t ask(const char *script, int input, char *answer, size_t room, uint64_t within_ms)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL }, *const env[] = { "PATH=/usr/bin:/bin", NULL };

	const struct sys_child c = { .argv = argv, .env = env, .cgroup_procs = "/dev/null", .console = 2, .input = input,
				     .within_ns = within_ms * NS_PER_MS };
	const char *step;

	return sys_ask(c, answer, room, &step);
}

static void a_program_that_is_asked_answers_or_is_told_apart(void **state)
{
	const char *const none[] = { "/nonexistent", NULL };
	const char *step = "";
	int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char a[64] = "", whole[256];
	ssize_t n = fd < 0 ? 0 : read(fd, whole, sizeof(whole));

	(void)state;
	NEEDS_SECCOMP();
	assert_int_equal(ask("printf '%s' \"$PATH\"", null, a, sizeof(a), 5000), 13);
	assert_memory_equal(a, "/usr/bin:/bin", 13);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(ask("cat", fd, a, sizeof(a), 5000), n < 64 ? n : 64); /* @input is its standard input */
	assert_memory_equal(a, whole, n < 64 ? (size_t)n : 64);
	assert_int_equal(ask("printf abc; exit 3", null, a, sizeof(a), 5000), -ECHILD);
	assert_int_equal(ask("kill -9 $$", null, a, sizeof(a), 5000), -ECHILD);
	assert_int_equal(ask("printf abc; exec sleep 60", null, a, sizeof(a), 100), -ETIMEDOUT);
	assert_int_equal(ask("exit 0", null, NULL, 0, 5000), 0); /* without an answer: its output is the console's */
	assert_int_equal(ask("exit 3", null, NULL, 0, 5000), -ECHILD);
	assert_int_equal(ask("sleep 60", null, NULL, 0, 100), -ETIMEDOUT);
	assert_int_equal(sys_ask((struct sys_child){ .argv = none, .env = none, .cgroup_procs = "/dev/null", .console = 2,
						     .within_ns = 5000 * NS_PER_MS }, a, sizeof(a), &step), -ENOENT);
	assert_string_equal(step, "execve");
	(void)close(fd);
	(void)close(null);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_that_is_held_up_is_killed_at_its_deadline),
		cmocka_unit_test(a_child_that_is_not_runs_or_says_why_not),
		cmocka_unit_test(a_child_cannot_give_the_device_mapper_a_table),
		cmocka_unit_test(a_child_cannot_make_its_heap_executable),
		cmocka_unit_test(a_child_has_no_memory_that_it_can_write_and_execute),
		cmocka_unit_test(a_child_with_a_user_is_nobody_else),
		cmocka_unit_test(every_process_of_foreign_cgroups_is_signalled_and_no_other),
		cmocka_unit_test(what_the_helper_starts_is_our_own_child),
		cmocka_unit_test(a_helper_that_says_nothing_is_given_up),
		cmocka_unit_test(a_sealed_process_has_the_calls_of_the_loop_and_no_other),
		cmocka_unit_test(a_program_that_is_asked_answers_or_is_told_apart),
		cmocka_unit_test(ctrl_s_does_not_stop_the_console),
	};

	if (argc == 4 && !strcmp(argv[1], "--ioctl"))
		return try_ioctl(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "--personality"))
		return try_personality(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "--user"))
		return try_user(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "--memory"))
		return try_memory();
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
