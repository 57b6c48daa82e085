/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sys.h - the thin seam between PID 1 and the kernel
 *
 * Theory of operation
 *   Every effect that a unit test must be able to fake or to fail goes through one of these; a test links its own
 *   set (tests/init/fake_sys.h) in place of sys.c. They decide nothing and allocate nothing, retry EINTR, and return
 *   -errno instead of setting errno. Descriptors are CLOEXEC and, where they are waited for, non-blocking.
 */
#ifndef INIT_SYS_H
#define INIT_SYS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** sys_open() - open(2). sys_read(), sys_write(), sys_close() as their namesakes; a short count is the caller's. */
int sys_open(const char *path, int flags, mode_t mode);
ssize_t sys_read(int fd, void *buf, size_t n);
ssize_t sys_write(int fd, const void *buf, size_t n);
void sys_close(int fd);

/** sys_hold_stdio() - make sure that descriptors 0 to 2 are in use, so that no library writes into a file of ours. */
int sys_hold_stdio(void);

/** sys_mkdir() - mkdir(2); an existing folder is success. */
int sys_mkdir(const char *path, mode_t mode);

/** sys_chown() - chown(2), not following a link at @path itself. */
int sys_chown(const char *path, uid_t uid, gid_t gid);

/** sys_unlink() - unlink(2). */
int sys_unlink(const char *path);

/** sys_make_mutable() - take all inode flags from @path, S_IMMUTABLE for one (FS_IOC_SETFLAGS). */
int sys_make_mutable(const char *path);

/** sys_names() - the names in folder @path, each with its NUL, into @buf. What does not fit is left out. Return: bytes. */
int sys_names(const char *path, char *buf, size_t room);
/** sys_rename() - rename(2). */
int sys_rename(const char *from, const char *to);

/** sys_mount() - mount(2). sys_umount() is umount2(2). sys_fs_magic() gives statfs(2)'s f_type of @path. */
int sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
int sys_umount(const char *target, int flags);
int sys_fs_magic(const char *path, uint64_t *ret_magic);

/** sys_dev() - number of the device that the file system at @path stands on. */
int sys_dev(const char *path, dev_t *ret_dev);

/** sys_inode() - inode number of @path; of a cgroup's folder that is its id. */
int sys_inode(const char *path, uint64_t *ret);

/** sys_map_shared() - mmap(2) of the first @n bytes of @fd, to read and write, shared; for ever. */
int sys_map_shared(int fd, size_t n, void **ret);

/** sys_enter_root() - make the mount at the current folder the root: move it to "/", chroot, chdir. */
int sys_chdir(const char *path);
int sys_enter_root(void);

/** sys_delete_tree() - delete what is below @dir_fd without leaving its file system. Owns @dir_fd; what cannot go stays. */
void sys_delete_tree(int dir_fd);

/** sys_module_load() - finit_module(2). sys_module_unload() is delete_module(2), without waiting for users. */
int sys_module_load(int fd, const char *params);
int sys_module_unload(const char *name);

/** sys_bpf() - bpf(2). A new descriptor is CLOEXEC, as the kernel makes them. */
union bpf_attr;
int sys_bpf(int cmd, union bpf_attr *attr);

/** sys_exec() - execve(2); returns only on failure. */
int sys_exec(const char *const argv[], const char *const env[]);

/** sys_now_ns() - CLOCK_BOOTTIME: nanoseconds since the kernel started its clock, suspend included. */
uint64_t sys_now_ns(void);

/** sys_poll() - ppoll(2) with a timeout in ns (UINT64_MAX: none). EINTR and a timeout are both 0. */
int sys_poll(struct pollfd *p, size_t n, uint64_t timeout_ns);

/** sys_uevent_open() - a socket that gets the kernel's uevents from now on. */
int sys_uevent_open(void);

/** sys_uevent_recv() - next message, if it is the kernel's own. Return: bytes; 0 for another's; -EAGAIN when none is left. */
ssize_t sys_uevent_recv(int fd, void *buf, size_t n);

/** sys_console_unstoppable() - output of that terminal no longer waits when XOFF (ctrl-S) comes in. */
void sys_console_unstoppable(int fd);

/** sys_console_drain() - wait until the terminal has sent everything. */
void sys_console_drain(int fd);

/** sys_volume_close() - remove the device-mapper device @name. -ENXIO: there is none; -EBUSY: it is in use; other -errno. */
int sys_volume_close(const char *name);

/** sys_reboot() - sync(2), then reboot(2) with @cmd (RB_*). */
int sys_reboot(int cmd);

/** sys_cap_drop() - take capability @cap from this process's bounding, permitted, effective and inheritable sets. */
int sys_cap_drop(unsigned cap);

/** sys_cap_has() - 1 if @cap is in the bounding set, 0 if not, -EINVAL if the kernel does not know it. */
int sys_cap_has(unsigned cap);

/** sys_exec_memory_is_denied() - 1 if anonymous executable memory gets EACCES, 0 if it is given. */
int sys_exec_memory_is_denied(void);

/**
 * struct sys_child - what a child process is to become
 * @argv, @env:   as for execve(2); argv[0] is an absolute path
 * @cgroup_procs: the cgroup.procs file that it joins first
 * @keep_caps:    bit mask of capabilities that stay; all others leave its bounding and process sets
 * @user:         user and group that it becomes, without others; 0: it stays root
 * @console:      descriptor that becomes its standard output and error
 * @input, @output: descriptors that become its standard input and output; 0: /dev/null, @console
 * @volumes:      it may also make device-mapper devices
 * @within_ns:    how long it may take to its execve(2): a child in a frozen cgroup would never get there
 * @makes_code:   it and what it starts are not held to write xor execute by the kernel: PID 1's programs judge that
 */
struct sys_child {
	const char *const *argv;
	const char *const *env;
	const char *cgroup_procs;
	uint64_t keep_caps;
	int console;
	uint64_t within_ns;
	uid_t user;
	int input, output;
	bool volumes;
	bool makes_code;
};

/**
 * sys_spawn() - start a confined child: own session, cgroup, capabilities, no_new_privs, default signals, and no
 * device-mapper but to ask for tables (@volumes: with it)
 * @ret_pid: set as soon as there is a child, even if it then fails (it must be reaped)
 *
 * Should: return only after the child's execve(2) succeeded or a step failed (told through a CLOEXEC pipe).
 * Must not: leave a confinement step undone: a child that cannot be confined ends before its execve(2). Wait for ever.
 * Return: 0 or -errno of the failed step; *@ret_step names it. -ETIMEDOUT: it was late, and was killed.
 */
int sys_spawn(const struct sys_child *c, pid_t *ret_pid, const char **ret_step);

/**
 * sys_ask() - start a child as sys_spawn() does, wait for its end, and take what it wrote to its standard output
 * @c:      @output is not used; @within_ns is for all of it, then it is killed
 * @answer: @room bytes at most; what does not fit a pipe (64 KiB) is not for this. @room 0: its output is the console's
 *
 * Before this process is sealed, and before there are others whose end it must not miss.
 * Return: bytes of the answer if it ended with 0; -ETIMEDOUT; -ECHILD if it ended otherwise; other -errno of *@ret_step.
 */
ssize_t sys_ask(struct sys_child c, void *answer, size_t room, const char **ret_step);

/** sys_spawn_siblings() - from now on what this process spawns are its parent's children, and mortal (OOM score 0). */
void sys_spawn_siblings(void);

/** sys_helper_fn - a request of @len bytes into a reply of at most @room. Return: its length. */
typedef size_t sys_helper_fn(void *arg, const void *request, size_t len, void *reply, size_t room);

/**
 * sys_helper_start() - fork a process that answers requests until its socket is closed
 * @keep_fd: with the standard three all it keeps
 *
 * Return: the socket, or -errno.
 */
int sys_helper_start(sys_helper_fn *answer, void *arg, int keep_fd, pid_t *ret_pid);

/** sys_helper_ask() - one request, one reply. Return: its length; -EPIPE: nobody is there; -ETIMEDOUT; other -errno: it was not asked. */
ssize_t sys_helper_ask(int fd, const void *request, size_t len, void *reply, size_t room, uint64_t within_ns);

/** sys_seal() - no_new_privs, and a filter that leaves this process the system calls of PID 1's loop. For ever. */
int sys_seal(void);

/**
 * sys_cgroup_signal() - kill(2) every process of every cgroup below @top, but of those right below it that @skip names
 *
 * Return: how many there were (@sig 0: only that), or -errno.
 */
int sys_cgroup_signal(const char *top, const char *const skip[], int sig);

/** sys_watchdog_open() - arm it with @seconds, exactly. sys_watchdog_close() disarms it. */
int sys_watchdog_open(const char *path, int seconds);
int sys_watchdog_feed(int fd);
void sys_watchdog_close(int fd);

/** sys_reap() - one child that ended, or was stopped (WIFSTOPPED). Return: its pid, 0 if there is no news, -ECHILD if there are none. */
pid_t sys_reap(int *ret_status);

/** sys_kill() - kill(2); pid -1 is everyone but PID 1. */
int sys_kill(pid_t pid, int sig);

/** sys_signals_open() - block SIGCHLD, SIGTERM, SIGINT, SIGPWR and SIGHUP, ignore SIGPIPE; a signalfd of the former. */
int sys_signals_open(void);

/** sys_signal_next() - number of the next pending signal of that descriptor, 0 if none. */
int sys_signal_next(int fd);

/** sys_ctrl_alt_del_to_us() - the keys send SIGINT to PID 1 instead of rebooting at once. */
int sys_ctrl_alt_del_to_us(void);

/** sys_listen() - a SOCK_SEQPACKET socket bound to @path with mode 0600, listening. */
int sys_listen(const char *path);

/** sys_accept() - next connection and its peer's uid. -EAGAIN if there is none. */
int sys_accept(int fd, uid_t *ret_uid);

/** sys_connect() - a connection to the SOCK_SEQPACKET socket @path. */
int sys_connect(const char *path);

/** sys_can_connect() - 0 if the UNIX stream socket @path accepts a connection now. */
int sys_can_connect(const char *path);

#endif
