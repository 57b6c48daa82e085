/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sys_confine.c - the seam, second part: the helper that starts processes, and PID 1's own system call filter
 *
 * A filter is inherited by all that a process starts and can never be taken off. So PID 1 starts nothing itself once it
 * is sealed: a helper, forked before, does it, and what it starts are PID 1's children, not its own (CLONE_PARENT).
 */
#include "init/sys.h"

#include "common/cleanup.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HELPER_BYTES 512

/* Close all but 0 to 2 and two more. */
static void close_others(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	(void)close_range(3, low - 1, 0); /* each fails only for an empty range */
	(void)close_range(low + 1, high - 1, 0);
	(void)close_range(high + 1, ~0u, 0);
}

static _Noreturn void helper_run(sys_helper_fn *answer, void *arg, int fd, int keep)
{
	char request[HELPER_BYTES], reply[HELPER_BYTES];
	int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t n;

	(void)setsid(); /* a fresh child leads no group, so it cannot fail */
	(void)prctl(PR_SET_NAME, "holdfast-spawn", 0, 0, 0);
	(void)!write(oom, "-1000", 5); /* then it is as mortal as others: PID 1 would reboot for want of it */
	sys_close(oom);
	close_others(fd, keep);
	sys_spawn_siblings();
	while ((n = sys_read(fd, request, sizeof(request))) > 0)
		if (sys_write(fd, reply, answer(arg, request, (size_t)n, reply, sizeof(reply))) < 0)
			break;
	_exit(0);
}

int sys_helper_start(sys_helper_fn *answer, void *arg, int keep_fd, pid_t *ret_pid)
{
	int s[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
		return -errno;
	*ret_pid = fork();
	if (*ret_pid == 0)
		helper_run(answer, arg, s[1], keep_fd);
	r = *ret_pid < 0 ? -errno : s[0];
	sys_close(s[1]);
	if (r < 0)
		sys_close(s[0]);
	return r;
}

ssize_t sys_helper_ask(int fd, const void *request, size_t len, void *reply, size_t room, uint64_t within_ns)
{
	uint64_t deadline = sys_now_ns() + within_ns, now;
	ssize_t n = sys_write(fd, request, len);

	while (n >= 0 && (now = sys_now_ns()) < deadline) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (sys_poll(&p, 1, deadline - now) <= 0)
			continue; /* what was asked must be answered: no error but the deadline ends this */
		n = sys_read(fd, reply, room);
		return n > 0 ? n : -EPIPE;
	}
	return n < 0 ? n : -ETIMEDOUT;
}

#if defined(__aarch64__)
#define NATIVE_ABI AUDIT_ARCH_AARCH64
#else
#define NATIVE_ABI AUDIT_ARCH_X86_64
#endif

/*
 * What the loop and the end of the machine need. Others get EPERM, and nothing that asks for memory is among these: the
 * heap cannot grow, and nothing becomes executable. exit_group is not there either.
 */
static const uint16_t loop_calls[] = {
	SYS_read,      SYS_write,   SYS_close,      SYS_openat,     SYS_ppoll, SYS_wait4,        SYS_kill,
	SYS_accept4,   SYS_connect, SYS_getsockopt, SYS_getdents64, SYS_ioctl, SYS_clock_gettime, SYS_umount2,
	SYS_sync,      SYS_fsync,   SYS_reboot,     SYS_renameat,   SYS_rt_sigreturn, SYS_restart_syscall, SYS_unlinkat,
#ifdef SYS_poll
	SYS_poll,      SYS_rename,  SYS_unlink, /* arm64 has only the newer ones */
#endif
};

#define LOAD(field)     BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(value)       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1) /* skip the next one unless it is that */
#define RETURN(value)   BPF_STMT(BPF_RET | BPF_K, (value))
#define MAX_FILTER      96

_Static_assert(2 * ARRAY_SIZE(loop_calls) + 12 <= MAX_FILTER, "the filter has room");

int sys_seal(void)
{
	static struct sock_filter code[MAX_FILTER];
	struct sock_fprog filter = { .filter = code };
	unsigned n = 0;

	code[n++] = (struct sock_filter)LOAD(arch);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ABI, 1, 0);
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	code[n++] = (struct sock_filter)LOAD(nr);
	for (size_t i = 0; i < ARRAY_SIZE(loop_calls); i++) {
		code[n++] = (struct sock_filter)IF(loop_calls[i]);
		code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3);
	code[n++] = (struct sock_filter)LOAD(args[0]);
	code[n++] = (struct sock_filter)IF(AF_UNIX);
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	filter.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0)
		return -errno;
	return 0;
}
