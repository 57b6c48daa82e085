/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/vm/end_state.c - the locked end state of a host, setting by setting, asked from a hostile root process in the engine's context
 *
 * Three kinds: settings that must read as they were made (and, where the kernel lets nobody turn them back, whose change is
 * refused); doors of the kernel that must be shut, each beside one that is open; mounts and their flags. Execution, IPE,
 * BPF-LSM, the device-mapper and PID 1's sockets are in probe.c.
 */
#include "tests/vm/probe.h"

#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

/* @back: what an attacker would write; refused with EPERM or EINVAL. NULL: root may turn it back in the profile enforce (docs/ARCHITECTURE.md, Profiles). */
static const struct setting {
	const char *key, *value, *back;
} settings[] = {
	{ "kernel/modules_disabled", "1", "0" },
	{ "kernel/kexec_load_disabled", "1", "0" },
	{ "kernel/unprivileged_bpf_disabled", "1", "0" },
	{ "kernel/yama/ptrace_scope", "3", "0" },
	{ "kernel/kptr_restrict", "2", NULL },
	{ "kernel/dmesg_restrict", "1", NULL },
	{ "kernel/perf_event_paranoid", "3", NULL },
	{ "kernel/io_uring_disabled", "2", NULL },
	{ "kernel/sysrq", "0", NULL },
	{ "kernel/core_pattern", "|/bin/false", NULL },
	{ "kernel/panic_on_oops", "1", NULL },
	{ "kernel/usermodehelper/bset", "0\t0", NULL },
	{ "kernel/usermodehelper/inheritable", "0\t0", NULL },
	{ "vm/memfd_noexec", "2", NULL },
	{ "vm/unprivileged_userfaultfd", "0", NULL },
	{ "net/core/bpf_jit_harden", "2", NULL },
	{ "dev/tty/ldisc_autoload", "0", NULL },
	{ "fs/suid_dumpable", "0", NULL },
	{ "fs/protected_symlinks", "1", NULL },
	{ "fs/protected_hardlinks", "1", NULL },
	{ "fs/protected_fifos", "2", NULL },
	{ "fs/protected_regular", "2", NULL },
};

static void sysctls(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *s = &settings[i];
		char path[96], name[96], text[256] = "";

		(void)snprintf(path, sizeof(path), "/proc/sys/%s", s->key);
		(void)snprintf(name, sizeof(name), "sysctl-%s", s->key);
		if (slurp(path, text, sizeof(text)) > 0)
			text[strcspn(text, "\n")] = '\0';
		verdict(!strcmp(text, s->value), name, text);
		(void)snprintf(name, sizeof(name), "sysctl-%s-back", s->key);
		if (s->back || by_bpf) /* there nobody writes any */
			denied(write_to(path, s->back ? s->back : s->value), EPERM, by_bpf ? EPERM : EINVAL, name);
	}
}

static void lockdown(void)
{
	denied(write_to("/sys/kernel/security/lockdown", "none"), EPERM, EINVAL, "lockdown-lower");
	denied(syscall(SYS_kexec_file_load, -1, -1, 0UL, "", 0UL), EPERM, EPERM, "kexec-file");
	denied(open("/proc/kcore", O_RDONLY | O_CLOEXEC), EPERM, ENOENT, "proc-kcore");
	denied(open("/dev/kmem", O_RDWR | O_CLOEXEC), ENOENT, EPERM, "dev-kmem");
	denied(open("/dev/port", O_RDWR | O_CLOEXEC), EPERM, ENOENT, "dev-port");
	denied(open("/dev/cpu/0/msr", O_RDWR | O_CLOEXEC), ENOENT, EPERM, "dev-msr");
	denied(syscall(SYS_finit_module, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "", 0), EPERM, EPERM, "finit-module");
#if defined(__x86_64__)
	denied(iopl(3), EPERM, EPERM, "iopl");
	denied(ioperm(0x80, 1, 1), EPERM, EPERM, "ioperm");
#endif
}

static void kernel_doors(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK };
	char text[4096] = "";
	struct timespec t = { .tv_sec = 1 };

	/* a reader without CAP_SYSLOG gets no addresses, nor the kernel's log */
	(void)slurp("/proc/kallsyms", text, 200);
	verdict(!strncmp(text, "0000000000000000 ", 17), "kernel-pointers-hidden", text);
	denied(open("/dev/kmsg", O_RDONLY | O_CLOEXEC), EPERM, EPERM, "kernel-log-hidden");
	denied(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL), EPERM, EPERM, "perf-event");
	denied(syscall(SYS_userfaultfd, 0), EPERM, EPERM, "userfaultfd");
	denied(syscall(SYS_swapon, "/dev/null", 0), EPERM, EPERM, "swapon");
	denied(syscall(SYS_io_uring_setup, 1, text), EPERM, EPERM, "io-uring");
	denied(ptrace(PTRACE_ATTACH, 1, NULL, NULL), EPERM, EPERM, "ptrace-attach-pid1");
	denied(ptrace(PTRACE_ATTACH, getppid() > 1 ? getppid() : find("containerd"), NULL, NULL), EPERM, EPERM, "ptrace-attach-engine");
	denied(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM, EPERM, "ptrace-traceme");
	denied(open("/proc/1/mem", O_RDONLY | O_CLOEXEC), EACCES, EPERM, "pid1-memory");
	denied(syscall(SYS_settimeofday, &t, NULL), EPERM, EPERM, "set-time");
	denied(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x01234567, NULL), EPERM, EPERM, "reboot");
}

static void bpf_and_debug(void)
{
	static const char *const paths[] = { "/sys/kernel/debug/x", "/sys/kernel/tracing/trace", "/sys/fs/bpf/x", "/sys/fs/pstore/x" };
	union bpf_attr map = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };
	union bpf_attr kprobe = { .prog_type = BPF_PROG_TYPE_KPROBE };

	/* Elsewhere CAP_SYS_ADMIN, which an engine needs, is enough for bpf(2): docs/ARCHITECTURE.md, Profiles. */
	if (by_bpf) {
		denied(syscall(SYS_bpf, BPF_PROG_LOAD, &kprobe, sizeof(kprobe)), EPERM, EPERM, "bpf-program-of-another-kind");
		denied(syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map)), EPERM, EPERM, "bpf-map");
	}
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		denied(open(paths[i], O_RDONLY | O_CLOEXEC), ENOENT, EACCES, paths[i]);
	(void)mkdir("/tmp/debug", 0755);
	if (mount("debugfs", "/tmp/debug", "debugfs", 0, NULL) == 0)
		denied(open("/tmp/debug/sched/features", O_RDWR | O_CLOEXEC), EPERM, EPERM, "debugfs-write");
	(void)umount2("/tmp/debug", MNT_DETACH);
}

/* The mount at @path must have @flags. */
static void mount_has(const char *path, unsigned long flags, const char *name)
{
	struct statvfs s;
	char text[64] = "no such mount";

	if (statvfs(path, &s) == 0)
		(void)snprintf(text, sizeof(text), "flags 0x%lx, wanted 0x%lx", s.f_flag, flags);
	else
		s.f_flag = 0;
	verdict((s.f_flag & flags) == flags, name, text);
}

static void mounts(void)
{
	mount_has("/", ST_RDONLY | ST_NOSUID | ST_NODEV, "mount-root-ro");
	mount_has("/tmp", ST_NOSUID | ST_NODEV | ST_NOEXEC, "mount-tmp");
	mount_has("/var", ST_NOSUID | ST_NODEV | ST_NOEXEC, "mount-var");
	mount_has("/run", ST_NOSUID | ST_NODEV | ST_NOEXEC, "mount-run");
	mount_has("/dev", ST_NOSUID | ST_NOEXEC, "mount-dev");
	mount_has("/dev/shm", ST_NOSUID | ST_NODEV | ST_NOEXEC, "mount-dev-shm");
	mount_has("/proc", ST_NOSUID | ST_NODEV | ST_NOEXEC, "mount-proc");
	mount_has("/sys", ST_NOSUID | ST_NODEV | ST_NOEXEC, "mount-sys");
	mount_has("/sys/fs/cgroup", ST_NOSUID | ST_NODEV | ST_NOEXEC, "mount-cgroup");
	denied(mount(NULL, "/", NULL, MS_REMOUNT, NULL), EROFS, EACCES, "remount-root-writable");
}

/* Serial number of the keyring @name of /proc/keys, 0 if it cannot be seen. */
static long keyring(const char *name)
{
	char text[8192], *line = text;

	if (slurp("/proc/keys", text, sizeof(text)) <= 0)
		return 0;
	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char *end = strchr(line, '\n'), *at = strstr(line, name);

		if (at && (!end || at < end))
			return (long)strtoul(line, NULL, 16);
	}
	return 0;
}

/* .secondary_trusted_keys takes certificates signed by a built-in key, and nothing else: EOPNOTSUPP. Nobody adds a key by which the kernel would believe a volume or a module. */
static void keyrings(void)
{
	static const char *const names[] = { ".platform", ".builtin_trusted_keys", ".secondary_trusted_keys", ".blacklist", ".dm-verity" };

	verdict(syscall(SYS_add_key, "user", "probe", "x", 1UL, KEY_SPEC_PROCESS_KEYRING) > 0, "add-key-to-own-keyring-works", strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		long ring = keyring(names[i]);
		char name[64];

		(void)snprintf(name, sizeof(name), "add-key-to-%s", names[i]);
		if (ring)
			denied(syscall(SYS_add_key, "user", "probe", "x", 1UL, ring), EACCES, strcmp(names[i], ".secondary_trusted_keys") ? EPERM : EOPNOTSUPP,
			       name);
	}
}

void probe_end_state(void)
{
	sysctls();
	lockdown();
	kernel_doors();
	bpf_and_debug();
	mounts();
	keyrings();
}
