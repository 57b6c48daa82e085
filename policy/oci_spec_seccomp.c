/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/oci_spec_seccomp.c - the one seccomp profile, by system call name
 *
 * Theory of operation
 *   Three tables. What ordinary programs need is allowed. What changes mounts, namespaces, keys, modules, clocks, swap
 *   or the kernel itself, looks into other processes, or has a long record of kernel bugs, gets EPERM, as it would
 *   without the privilege. Everything else, calls of future kernels too, gets ENOSYS, so that a C library falls back
 *   to what it knows. Names that an architecture lacks are skipped by the runtime; other ABIs of the machine (i386,
 *   x32) are not named, and a call through them ends the thread.
 *
 *   clone is allowed without flags that make namespaces. clone3 has its flags in memory, where a filter cannot look: it
 *   is in no table, so it gets ENOSYS, and libc takes clone. Sockets are allowed below AF_ALG (38), so without AF_ALG
 * and AF_VSOCK.
 *
 *   The profile does not depend on the policy's capabilities: even a container with CAP_SYS_ADMIN cannot mount.
 *
 * Spec: seccomp(2); OCI Runtime Specification 1.2.0, config-linux.md "Seccomp".
 */
#include "policy/oci_spec_writer.h"

#include <errno.h>

/* CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: of linux/sched.h. */
#define CLONE_NAMESPACES            0x7e020000u
#define FIRST_REFUSED_SOCKET_FAMILY 38 /* AF_ALG */

static const char *const allowed[] = {
	/* files */
	"access",
	"chdir",
	"chmod",
	"chown",
	"chroot",
	"close",
	"close_range",
	"copy_file_range",
	"creat",
	"dup",
	"dup2",
	"dup3",
	"faccessat",
	"faccessat2",
	"fadvise64",
	"fallocate",
	"fchdir",
	"fchmod",
	"fchmodat",
	"fchmodat2",
	"fchown",
	"fchownat",
	"fcntl",
	"fdatasync",
	"fgetxattr",
	"flistxattr",
	"flock",
	"fremovexattr",
	"fsetxattr",
	"fstat",
	"fstatfs",
	"fsync",
	"ftruncate",
	"futimesat",
	"getcwd",
	"getdents",
	"getdents64",
	"getxattr",
	"inotify_add_watch",
	"inotify_init",
	"inotify_init1",
	"inotify_rm_watch",
	"ioctl",
	"lchown",
	"lgetxattr",
	"link",
	"linkat",
	"listxattr",
	"llistxattr",
	"lremovexattr",
	"lseek",
	"lsetxattr",
	"lstat",
	"mkdir",
	"mkdirat",
	"mknod",
	"mknodat",
	"newfstatat",
	"open",
	"openat",
	"openat2",
	"pipe",
	"pipe2",
	"pread64",
	"preadv",
	"preadv2",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"read",
	"readahead",
	"readlink",
	"readlinkat",
	"readv",
	"removexattr",
	"rename",
	"renameat",
	"renameat2",
	"rmdir",
	"sendfile",
	"setxattr",
	"splice",
	"stat",
	"statfs",
	"statx",
	"symlink",
	"symlinkat",
	"sync",
	"sync_file_range",
	"syncfs",
	"tee",
	"truncate",
	"umask",
	"unlink",
	"unlinkat",
	"utime",
	"utimensat",
	"utimes",
	"write",
	"writev",
	/* waiting */
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd",
	"eventfd2",
	"io_cancel",
	"io_destroy",
	"io_getevents",
	"io_pgetevents",
	"io_setup",
	"io_submit",
	"pause",
	"poll",
	"ppoll",
	"pselect6",
	"select",
	"signalfd",
	"signalfd4",
	/* memory */
	"brk",
	"madvise",
	"membarrier",
	"memfd_create",
	"memfd_secret",
	"mincore",
	"mlock",
	"mlock2",
	"mlockall",
	"mmap",
	"mprotect",
	"mremap",
	"mseal",
	"msync",
	"munlock",
	"munlockall",
	"munmap",
	"pkey_alloc",
	"pkey_free",
	"pkey_mprotect",
	"remap_file_pages",
	"map_shadow_stack",
	"cachestat",
	/* processes; clone is below */
	"arch_prctl",
	"capget",
	"capset",
	"execve",
	"execveat",
	"exit",
	"exit_group",
	"fork",
	"get_robust_list",
	"getcpu",
	"getegid",
	"geteuid",
	"getgid",
	"getgroups",
	"getpgid",
	"getpgrp",
	"getpid",
	"getppid",
	"getpriority",
	"getresgid",
	"getresuid",
	"getrlimit",
	"getrusage",
	"getsid",
	"gettid",
	"getuid",
	"ioprio_get",
	"ioprio_set",
	"kill",
	"pidfd_open",
	"pidfd_send_signal",
	"prctl",
	"prlimit64",
	"process_mrelease",
	"rseq",
	"sched_get_priority_max",
	"sched_get_priority_min",
	"sched_getaffinity",
	"sched_getattr",
	"sched_getparam",
	"sched_getscheduler",
	"sched_rr_get_interval",
	"sched_setaffinity",
	"sched_setattr",
	"sched_setparam",
	"sched_setscheduler",
	"sched_yield",
	"set_robust_list",
	"set_tid_address",
	"setfsgid",
	"setfsuid",
	"setgid",
	"setgroups",
	"setpgid",
	"setpriority",
	"setregid",
	"setresgid",
	"setresuid",
	"setreuid",
	"setrlimit",
	"setsid",
	"setuid",
	"vfork",
	"wait4",
	"waitid",
	/* confining oneself further */
	"landlock_add_rule",
	"landlock_create_ruleset",
	"landlock_restrict_self",
	"seccomp",
	/* signals, locks, time */
	"adjtimex",
	"alarm",
	"clock_adjtime",
	"clock_getres",
	"clock_gettime",
	"clock_nanosleep",
	"futex",
	"futex_requeue",
	"futex_wait",
	"futex_waitv",
	"futex_wake",
	"getitimer",
	"gettimeofday",
	"nanosleep",
	"restart_syscall",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigqueueinfo",
	"rt_sigreturn",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"rt_tgsigqueueinfo",
	"setitimer",
	"sigaltstack",
	"tgkill",
	"time",
	"timer_create",
	"timer_delete",
	"timer_getoverrun",
	"timer_gettime",
	"timer_settime",
	"timerfd_create",
	"timerfd_gettime",
	"timerfd_settime",
	"times",
	"tkill",
	/* sockets; socket is below */
	"accept",
	"accept4",
	"bind",
	"connect",
	"getpeername",
	"getsockname",
	"getsockopt",
	"listen",
	"recvfrom",
	"recvmmsg",
	"recvmsg",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"setsockopt",
	"shutdown",
	"socketpair",
	/* System V and POSIX IPC, in a namespace of its own */
	"mq_getsetattr",
	"mq_notify",
	"mq_open",
	"mq_timedreceive",
	"mq_timedsend",
	"mq_unlink",
	"msgctl",
	"msgget",
	"msgrcv",
	"msgsnd",
	"semctl",
	"semget",
	"semop",
	"semtimedop",
	"shmat",
	"shmctl",
	"shmdt",
	"shmget",
	/* what the machine is */
	"getrandom",
	"sysinfo",
	"uname",
	NULL,
};

static const char *const denied[] = {
	/* mounts and namespaces */
	"mount",
	"umount",
	"umount2",
	"pivot_root",
	"setns",
	"unshare",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"move_mount",
	"open_tree",
	"mount_setattr",
	"listmount",
	"statmount",
	"name_to_handle_at",
	"open_by_handle_at",
	"sethostname",
	"setdomainname",
	/* keys are not namespaced */
	"add_key",
	"keyctl",
	"request_key",
	/* the kernel itself */
	"bpf",
	"perf_event_open",
	"kexec_load",
	"kexec_file_load",
	"init_module",
	"finit_module",
	"delete_module",
	"create_module",
	"query_module",
	"get_kernel_syms",
	"reboot",
	"syslog",
	"swapon",
	"swapoff",
	"acct",
	"quotactl",
	"quotactl_fd",
	"nfsservctl",
	"sysfs",
	"_sysctl",
	"ustat",
	"uselib",
	"lookup_dcookie",
	"vhangup",
	"ioperm",
	"iopl",
	"modify_ldt",
	"lsm_set_self_attr",
	"lsm_get_self_attr",
	"lsm_list_modules",
	/* clocks */
	"clock_settime",
	"settimeofday",
	"stime",
	/* other processes */
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"process_madvise",
	"kcmp",
	"pidfd_getfd",
	"move_pages",
	"migrate_pages",
	"mbind",
	"set_mempolicy",
	"get_mempolicy",
	"set_mempolicy_home_node",
	/* a long record of bugs */
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"userfaultfd",
	"vmsplice",
	"fanotify_init",
	"fanotify_mark",
	NULL,
};

struct condition {
	unsigned index;
	const char *op;
	uint64_t value;
	uint64_t value_two;
};

static void put_rule(struct buf *out, const char *const *names, int errno_ret, const struct condition *cond)
{
	oci_spec_open(out, NULL, '{');
	oci_spec_put_strv(out, "names", names);
	oci_spec_put_str(out, "action", errno_ret ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW");
	if (errno_ret)
		oci_spec_put_i64(out, "errnoRet", errno_ret);
	if (cond) {
		oci_spec_open(out, "args", '[');
		oci_spec_open(out, NULL, '{');
		oci_spec_put_u64(out, "index", cond->index);
		oci_spec_put_u64(out, "value", cond->value);
		oci_spec_put_u64(out, "valueTwo", cond->value_two);
		oci_spec_put_str(out, "op", cond->op);
		oci_spec_close(out, '}');
		oci_spec_close(out, ']');
	}
	oci_spec_close(out, '}');
}

void oci_spec_put_seccomp(struct buf *out)
{
	static const char *const clone_name[] = {"clone", NULL};
	static const char *const socket_name[] = {"socket", NULL};
	static const char *const personality_name[] = {"personality", NULL};
	/* For SCMP_CMP_MASKED_EQ value is the mask and value_two what must be left of the argument. */
	static const struct condition no_namespaces = {0, "SCMP_CMP_MASKED_EQ", CLONE_NAMESPACES, 0};
	static const struct condition low_family = {0, "SCMP_CMP_LT", FIRST_REFUSED_SOCKET_FAMILY, 0};
	static const struct condition plain = {0, "SCMP_CMP_EQ", 0, 0};           /* PER_LINUX */
	static const struct condition asked = {0, "SCMP_CMP_EQ", 0xffffffffu, 0}; /* only ask */

	oci_spec_open(out, "seccomp", '{');
	oci_spec_put_str(out, "defaultAction", "SCMP_ACT_ERRNO");
	oci_spec_put_i64(out, "defaultErrnoRet", ENOSYS);
	oci_spec_open(out, "syscalls", '[');
	put_rule(out, allowed, 0, NULL);
	put_rule(out, denied, EPERM, NULL);
	put_rule(out, clone_name, 0, &no_namespaces);
	put_rule(out, socket_name, 0, &low_family);
	put_rule(out, personality_name, 0, &plain);
	put_rule(out, personality_name, 0, &asked);
	oci_spec_close(out, ']');
	oci_spec_close(out, '}');
}
