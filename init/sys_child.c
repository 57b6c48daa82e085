/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sys_child.c - the seam, third part: what a child of PID 1 becomes, and what it is kept from
 *
 * Each step between fork and exec is async-signal-safe; a step that fails ends the child, and is named.
 */
#include "init/sys.h"

#include "init/sys_retry.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/dm-ioctl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int cap_sets(uint64_t keep)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t mask = (uint32_t)(keep >> 32 * i);

		d[i].effective &= mask;
		d[i].permitted &= mask;
		d[i].inheritable &= mask;
	}
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

int sys_cap_drop(unsigned cap)
{
	if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
		return -errno;
	return cap_sets(~(1ull << cap));
}

int sys_cap_has(unsigned cap)
{
	return RETRY(prctl(PR_CAPBSET_READ, cap, 0, 0, 0));
}

/* The spawner's children are PID 1's; it has an OOM score that they must not inherit. */
static bool spawn_siblings;

void sys_spawn_siblings(void)
{
	spawn_siblings = true;
}

/* The steps of a child between fork and exec: async-signal-safe calls only, each true when it is done. */
static bool child_join_cgroup(const struct sys_child *c)
{
	int fd = open(c->cgroup_procs, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "0", 1) == 1 && close(fd) == 0;
}

static bool child_is_mortal(const struct sys_child *c)
{
	int fd;

	(void)c;
	if (!spawn_siblings)
		return true;
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, "0", 1) == 1 && close(fd) == 0;
}

static bool child_reset_signals(const struct sys_child *c)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	(void)c;
	sigemptyset(&none);
	return sigaction(SIGPIPE, &dfl, NULL) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool child_stdio(const struct sys_child *c)
{
	int in = c->input ? c->input : open("/dev/null", O_RDONLY | O_CLOEXEC);

	return in >= 0 && dup2(in, 0) == 0 && dup2(c->output ? c->output : c->console, 1) == 1 && dup2(c->console, 2) == 2;
}

/* Another user than root loses all capabilities by it; so this comes when the bounding set has been cut. */
static bool child_become(const struct sys_child *c)
{
	return !c->user || (setgroups(0, NULL) == 0 && setresgid(c->user, c->user, c->user) == 0 &&
			    setresuid(c->user, c->user, c->user) == 0);
}

static bool child_drop_caps(const struct sys_child *c)
{
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(c->keep_caps >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return false;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return false;
	if (!child_become(c))
		return false;
	errno = -cap_sets(c->keep_caps);
	return errno == 0;
}

static bool child_no_new_privs(const struct sys_child *c)
{
	(void)c;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

#if defined(__aarch64__)
#define NATIVE_ABI AUDIT_ARCH_AARCH64
#else
#define NATIVE_ABI AUDIT_ARCH_X86_64
#endif
#define X32_BIT       0x40000000u
#define DM_WORD(nr)   ((unsigned)DM_IOCTL << 8 | (nr)) /* all of an ioctl's number that the device-mapper looks at */
#define PERSONALITY_QUERY 0xffffffffu
#define LOAD(field)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(op, k)     BPF_JUMP(BPF_JMP | (op) | BPF_K, (k), 0, 1) /* skip the next one unless it holds */
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define DENY(nr)      IF(BPF_JEQ, nr), RETURN(SECCOMP_RET_ERRNO | EPERM)
#define DM_STEPS      12 /* the end of the filter, which is about the device-mapper */

/*
 * The device-mapper may be asked about its tables, not given any. To IPE a volume is signed if its root hash is, and a
 * table with ignore_corruption and a signature that lies on the disk for all to read would give any bytes that name.
 * Other ABIs have other numbers: none of them is needed. And personality(READ_IMPLIES_EXEC) is refused: with it brk(2)
 * gives writable and executable memory of which neither IPE nor any other security module is asked.
 * What sysctls shut, root could open again (kernel.io_uring_disabled ...): none of that is for an engine, so it is denied here.
 */
static bool child_filter(const struct sys_child *c)
{
	static struct sock_filter code[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ABI, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		IF(BPF_JGE, X32_BIT),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		DENY(SYS_perf_event_open),
		DENY(SYS_io_uring_setup),
		DENY(SYS_userfaultfd),
		DENY(SYS_kexec_load),
		DENY(SYS_kexec_file_load),
		DENY(SYS_init_module),
		DENY(SYS_finit_module),
		DENY(SYS_delete_module),
		DENY(SYS_swapon),
		DENY(SYS_acct),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 6),
		LOAD(args[0]),
		IF(BPF_JEQ, PERSONALITY_QUERY),
		RETURN(SECCOMP_RET_ALLOW),
		IF(BPF_JSET, READ_IMPLIES_EXEC),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0), /* the first of DM_STEPS */
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(args[1]), /* the lower half: both architectures are little-endian */
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff),
		IF(BPF_JEQ, DM_WORD(DM_VERSION_CMD)),
		RETURN(SECCOMP_RET_ALLOW),
		IF(BPF_JEQ, DM_WORD(DM_TABLE_STATUS_CMD)),
		RETURN(SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
		IF(BPF_JEQ, DM_WORD(0)),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (c->volumes)
		code[sizeof(code) / sizeof(code[0]) - DM_STEPS] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW); /* in this child alone */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

/* Linux 6.3: no memory both writable and executable, and none made executable later, of a file or not; for all below. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* IPE asks where executable memory comes from, not whether it can be written to: a private, writable mapping of a signed
 * file would be anybody's code. Whoever has this hands it down for good, so who starts containers that may make code has it not:
 * then init/bpf_lsm.h refuses the same to all others. */
static bool child_write_xor_execute(const struct sys_child *c)
{
	return c->makes_code || prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0;
}

static bool child_exec(const struct sys_child *c)
{
	(void)execve(c->argv[0], (char *const *)c->argv, (char *const *)c->env); /* returns only to say why not */
	return false;
}

static const struct child_step {
	const char *name;
	bool (*run)(const struct sys_child *c);
} child_steps[] = {
	{ "joining its cgroup", child_join_cgroup },
	{ "resetting signals", child_reset_signals },
	{ "its OOM score", child_is_mortal },
	{ "its standard descriptors", child_stdio },
	{ "dropping capabilities, changing its user", child_drop_caps },
	{ "no_new_privs", child_no_new_privs },
	{ "its system call filter", child_filter },
	{ "write xor execute", child_write_xor_execute },
	{ "execve", child_exec },
};

#define CHILD_STEPS (sizeof(child_steps) / sizeof(child_steps[0]))

static _Noreturn void child_run(const struct sys_child *c, int report)
{
	uint8_t step = 0;

	(void)setsid();   /* fails only for a group leader, which a fresh child is not */
	(void)umask(022); /* returns the old one */
	while (child_steps[step].run(c))
		step++;
	if (write(report, (uint8_t[2]){ step, (uint8_t)errno }, 2) < 0)
		_exit(126);
	_exit(127);
}

/* What the child wrote, or 0 if its execve(2) closed the pipe. One that is late is killed: PID 1 has others to serve. */
static ssize_t child_report(int fd, pid_t pid, uint64_t within_ns, uint8_t msg[static 2])
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t deadline = sys_now_ns() + within_ns, now;

	while ((now = sys_now_ns()) < deadline) {
		int r = sys_poll(&p, 1, deadline - now);

		if (r > 0)
			return sys_read(fd, msg, 2);
		if (r < 0)
			return r;
	}
	(void)kill(pid, SIGKILL); /* it is ours and not reaped, so it is there */
	return -ETIMEDOUT;
}

int sys_spawn(const struct sys_child *c, pid_t *ret_pid, const char **ret_step)
{
	uint8_t msg[2];
	int p[2];
	pid_t pid;
	ssize_t n;

	*ret_step = "fork";
	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	/* The child makes nothing but system calls, so it may come without what fork() does for libraries. */
	pid = spawn_siblings ? (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) : fork();
	if (pid == 0)
		child_run(c, p[1]);
	if (pid < 0) {
		int r = -errno;

		sys_close(p[0]);
		sys_close(p[1]);
		return r;
	}
	*ret_pid = pid;
	sys_close(p[1]);
	n = child_report(p[0], pid, c->within_ns, msg);
	sys_close(p[0]);
	if (n == 0)
		return 0; /* the pipe was closed by a successful exec */
	if (n < 0) {
		*ret_step = "waiting for its execve";
		return (int)n;
	}
	*ret_step = n == 2 && msg[0] < CHILD_STEPS ? child_steps[msg[0]].name : "reporting";
	return n == 2 && msg[1] ? -msg[1] : -EIO;
}

/* Its end, or ours if it is late. Return: 0 if it ended with 0; -ECHILD; -ETIMEDOUT. */
static int wait_for_end(pid_t pid, uint64_t deadline)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool ended = p.fd < 0; /* then there is nothing but to wait for it */
	int status = 0;

	for (uint64_t now; !ended && (now = sys_now_ns()) < deadline;)
		ended = sys_poll(&p, 1, deadline - now) > 0;
	sys_close(p.fd);
	if (!ended)
		(void)kill(pid, SIGKILL); /* ours and not reaped, so it is there */
	if (RETRY(waitpid(pid, &status, 0)) < 0 || (ended && status))
		return -ECHILD;
	return ended ? 0 : -ETIMEDOUT;
}

ssize_t sys_ask(struct sys_child c, void *answer, size_t room, const char **ret_step)
{
	uint64_t deadline = sys_now_ns() + c.within_ns;
	pid_t pid = 0;
	ssize_t n = 0;
	int p[2] = { -1, -1 }, r;

	*ret_step = "pipe";
	if (room && pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	c.output = room ? p[1] : 0;
	r = sys_spawn(&c, &pid, ret_step);
	sys_close(p[1]);
	if (!r) {
		*ret_step = "its end";
		r = wait_for_end(pid, deadline);
		n = r || !room ? r : sys_read(p[0], answer, room);
	} else if (pid) {
		(void)waitpid(pid, NULL, 0); /* it failed before its execve, or was killed */
	}
	sys_close(p[0]);
	return r ? r : n;
}
