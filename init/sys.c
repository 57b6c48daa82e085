/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sys.c - the thin seam between PID 1 and the kernel */
#include "init/sys.h"

#include "init/sys_retry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/dm-ioctl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/watchdog.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int sys_open(const char *path, int flags, mode_t mode)
{
	return RETRY(open(path, flags | O_CLOEXEC, mode));
}

ssize_t sys_read(int fd, void *buf, size_t n)
{
	return RETRY(read(fd, buf, n));
}

ssize_t sys_write(int fd, const void *buf, size_t n)
{
	return RETRY(write(fd, buf, n));
}

void sys_close(int fd)
{
	if (fd >= 0)
		(void)close(fd); /* nothing that is written is kept only by close */
}

int sys_hold_stdio(void)
{
	int fd;

	do
		fd = sys_open("/dev/null", O_RDWR, 0);
	while (fd >= 0 && fd <= 2);
	if (fd < 0)
		return fd;
	sys_close(fd);
	return 0;
}

int sys_mkdir(const char *path, mode_t mode)
{
	int r = RETRY(mkdir(path, mode));

	return r == -EEXIST ? 0 : r;
}

int sys_unlink(const char *path)
{
	return RETRY(unlink(path));
}

int sys_chown(const char *path, uid_t uid, gid_t gid)
{
	return RETRY(lchown(path, uid, gid));
}

int sys_make_mutable(const char *path)
{
	int fd = sys_open(path, O_RDONLY | O_NOCTTY, 0), none = 0, r;

	if (fd < 0)
		return fd;
	r = RETRY(ioctl(fd, FS_IOC_SETFLAGS, &none));
	sys_close(fd);
	return r;
}

/* One buffer of records. Without opendir(3), which would use the heap. */
static int take_names(const char *records, long n, char *buf, size_t room)
{
	size_t len = 0;

	for (long at = 0; at < n;) {
		struct dirent64 ent;
		size_t name_bytes;

		memcpy(&ent, records + at, offsetof(struct dirent64, d_name));
		name_bytes = strlen(records + at + offsetof(struct dirent64, d_name)) + 1;
		if (name_bytes <= room - len) {
			memcpy(buf + len, records + at + offsetof(struct dirent64, d_name), name_bytes);
			len += name_bytes;
		}
		at += ent.d_reclen;
	}
	return (int)len;
}

int sys_names(const char *path, char *buf, size_t room)
{
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY, 0), len = 0;
	char records[2048];
	long n;

	if (fd < 0)
		return fd;
	while ((n = RETRY(syscall(SYS_getdents64, fd, records, sizeof(records)))) > 0)
		len += take_names(records, n, buf + len, room - (size_t)len);
	sys_close(fd);
	return n < 0 ? (int)n : len;
}

int sys_rename(const char *from, const char *to)
{
	return RETRY(rename(from, to));
}

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	return RETRY(mount(source, target, type, flags, data));
}

int sys_umount(const char *target, int flags)
{
	return RETRY(umount2(target, flags));
}

int sys_fs_magic(const char *path, uint64_t *ret_magic)
{
	struct statfs s;
	int r = RETRY(statfs(path, &s));

	if (!r)
		*ret_magic = (uint64_t)s.f_type;
	return r;
}

int sys_dev(const char *path, dev_t *ret_dev)
{
	struct stat s;
	int r = RETRY(stat(path, &s));

	if (!r)
		*ret_dev = s.st_dev;
	return r;
}

int sys_chdir(const char *path)
{
	return RETRY(chdir(path));
}

int sys_enter_root(void)
{
	int r = RETRY(mount(".", "/", NULL, MS_MOVE, NULL));

	if (!r)
		r = RETRY(chroot("."));
	return r ? r : RETRY(chdir("/"));
}

/* One level; @depth bounds the recursion (the initramfs is flat, and nothing below 16 levels is ours to delete). */
static void delete_below(int dir_fd, dev_t dev, unsigned depth)
{
	DIR *d = fdopendir(dir_fd);
	struct dirent *ent;

	if (!d) {
		(void)close(dir_fd); /* then it stays: memory is lost, nothing else */
		return;
	}
	while ((ent = readdir(d))) {
		struct stat st;
		bool dots = !strcmp(ent->d_name, ".") || !strcmp(ent->d_name, "..");

		if (dots || fstatat(dirfd(d), ent->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != dev)
			continue;
		if (S_ISDIR(st.st_mode) && depth < 16) {
			int sub = openat(dirfd(d), ent->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (sub >= 0)
				delete_below(sub, dev, depth + 1);
		}
		(void)unlinkat(dirfd(d), ent->d_name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0); /* see above */
	}
	(void)closedir(d); /* was only read */
}

void sys_delete_tree(int dir_fd)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		(void)close(dir_fd); /* then nothing is deleted */
	else
		delete_below(dir_fd, st.st_dev, 0);
}

int sys_module_load(int fd, const char *params)
{
	return (int)RETRY(syscall(SYS_finit_module, fd, params, 0));
}

int sys_module_unload(const char *name)
{
	return (int)RETRY(syscall(SYS_delete_module, name, O_NONBLOCK));
}

int sys_bpf(int cmd, union bpf_attr *attr)
{
	return (int)RETRY(syscall(SYS_bpf, cmd, attr, sizeof(*attr)));
}

int sys_exec(const char *const argv[], const char *const env[])
{
	(void)execve(argv[0], (char *const *)argv, (char *const *)env); /* returns only to say why not */
	return -errno;
}

uint64_t sys_now_ns(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &t); /* cannot fail: the clock exists and the pointer is good */
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int sys_poll(struct pollfd *p, size_t n, uint64_t timeout_ns)
{
	struct timespec t = { .tv_sec = (time_t)(timeout_ns / 1000000000u),
			      .tv_nsec = (long)(timeout_ns % 1000000000u) };
	int r = ppoll(p, n, timeout_ns == UINT64_MAX ? NULL : &t, NULL);

	if (r < 0 && errno == EINTR) {
		for (size_t i = 0; i < n; i++)
			p[i].revents = 0;
		return 0;
	}
	return r < 0 ? -errno : r;
}

int sys_uevent_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 /* the kernel's own, not udev's */ };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT), r;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	r = -errno;
	(void)close(fd); /* never used */
	return r;
}

ssize_t sys_uevent_recv(int fd, void *buf, size_t n)
{
	struct sockaddr_nl from = { 0 };
	socklen_t len = sizeof(from);
	ssize_t r = RETRY(recvfrom(fd, buf, n, 0, (struct sockaddr *)&from, &len));

	return r > 0 && from.nl_pid != 0 ? 0 : r;
}

void sys_console_unstoppable(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return; /* no terminal, no flow control */
	t.c_iflag &= ~(tcflag_t)IXON;
	(void)tcsetattr(fd, TCSANOW, &t); /* then it can be stopped, as before */
}

void sys_console_drain(int fd)
{
	(void)tcdrain(fd); /* a console that is no terminal has nothing to drain */
}

int sys_reboot(int cmd)
{
	sync();
	return RETRY(reboot(cmd));
}

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

int sys_exec_memory_is_denied(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno == EACCES ? 1 : -errno;
	(void)munmap(p, 4096); /* a page too many at worst */
	return 0;
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
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return in >= 0 && dup2(in, 0) == 0 && dup2(c->console, 1) == 1 && dup2(c->console, 2) == 2;
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
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0),
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

	(void)c;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

/* Linux 6.3: no memory both writable and executable, and none made executable later, of a file or not; for all below. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* IPE asks where executable memory comes from, not whether it can be written to: a private, writable mapping of a signed
 * file would be anybody's code. */
static bool child_write_xor_execute(const struct sys_child *c)
{
	(void)c;
	return prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0;
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

pid_t sys_reap(int *ret_status)
{
	return RETRY(waitpid(-1, ret_status, WNOHANG | WUNTRACED));
}

int sys_kill(pid_t pid, int sig)
{
	return RETRY(kill(pid, sig));
}

int sys_signals_open(void)
{
	struct sigaction ign = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGPWR);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || sigaction(SIGPIPE, &ign, NULL) < 0)
		return -errno;
	return RETRY(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int sys_signal_next(int fd)
{
	struct signalfd_siginfo s;

	return RETRY(read(fd, &s, sizeof(s))) == (ssize_t)sizeof(s) ? (int)s.ssi_signo : 0;
}

int sys_ctrl_alt_del_to_us(void)
{
	return RETRY(reboot(RB_DISABLE_CAD));
}

int sys_watchdog_open(const char *path, int seconds)
{
	int fd = sys_open(path, O_WRONLY, 0), got = seconds, r;

	if (fd < 0)
		return fd;
	r = RETRY(ioctl(fd, WDIOC_SETTIMEOUT, &got));
	if (!r && got != seconds)
		r = -ERANGE;
	if (r)
		sys_watchdog_close(fd);
	return r ? r : fd;
}

int sys_watchdog_feed(int fd)
{
	return RETRY(ioctl(fd, WDIOC_KEEPALIVE, 0));
}

void sys_watchdog_close(int fd)
{
	(void)!write(fd, "V", 1); /* the magic close; a driver without it stays armed */
	sys_close(fd);
}
