/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sys.c - the thin seam between PID 1 and the kernel */
#include "init/sys.h"

#include "init/sys_retry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/watchdog.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
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

int sys_inode(const char *path, uint64_t *ret)
{
	struct stat s;
	int r = RETRY(stat(path, &s));

	if (!r)
		*ret = s.st_ino;
	return r;
}

int sys_map_shared(int fd, size_t n, void **ret)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	return 0;
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

int sys_volume_close(const char *name)
{
	struct dm_ioctl io = { .version = { DM_VERSION_MAJOR }, .data_size = sizeof(io), .data_start = sizeof(io) };
	int fd = sys_open("/dev/mapper/control", O_RDWR, 0), r;

	if (fd < 0)
		return fd;
	strncpy(io.name, name, sizeof(io.name) - 1);
	r = ioctl(fd, DM_DEV_REMOVE, &io) < 0 ? -errno : 0;
	sys_close(fd);
	return r;
}

int sys_reboot(int cmd)
{
	sync();
	return RETRY(reboot(cmd));
}

int sys_exec_memory_is_denied(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno == EACCES ? 1 : -errno;
	(void)munmap(p, 4096); /* a page too many at worst */
	return 0;
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
