/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/vm/probe.c - a hostile root process in the engine's context: what it may do, and what it must not
 *
 * Theory of operation
 *   The test image carries this program in its verity root and PID 1 runs it as a task, so it has just what the engine
 *   has: uid 0, the engine's bounding set, its cgroup and mounts. Each attack stands beside the same path succeeding, so
 *   that a denial is not an accident. One line a probe, "probe: ok NAME" or "probe: FAILED NAME: ..."; the exit status
 *   is the number of failures. It never ships in an image that is not a test's.
 *
 * Runs as: root, in the engine's context, in a guest.
 */
#include "common/agent_user.h"
#include "common/codes.h"
#include "init/sealed.h"
#include "tests/vm/probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/dm-ioctl.h>
#include <linux/kexec.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <signal.h>

#if defined(__x86_64__)
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#else
#define LOADER "/lib/ld-linux-aarch64.so.1"
#endif

#define MEASURE_SOCKET "/run/holdfast/measure.sock"

int failures;
bool by_bpf;

void verdict(bool ok, const char *name, const char *found)
{
	if (ok)
		printf("probe: ok %s\n", name);
	else
		printf("probe: FAILED %s: %s\n", name, found);
	failures += !ok;
}

/* The call must have failed with one of two errno values. */
void denied(long r, int want, int or_want, const char *name)
{
	int saved = errno;

	verdict(r < 0 && (saved == want || saved == or_want), name, r < 0 ? strerror(saved) : "it was allowed");
}

ssize_t slurp(const char *path, char *buf, size_t size)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while (have < size - 1 && (n = read(fd, buf + have, size - 1 - have)) > 0)
		have += (size_t)n;
	buf[have] = '\0';
	return (ssize_t)have;
}

int write_to(const char *path, const char *text)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* Run @path; -1 with errno of the exec if it could not be executed, else its status. */
static int run(const char *path)
{
	int report[2], status, err = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		execl(path, path, "true", (char *)NULL);
		err = errno;
		(void)!write(report[1], &err, sizeof(err)); /* EOF tells as much */
		_exit(127);
	}
	(void)close(report[1]);
	if (read(report[0], &err, sizeof(err)) != sizeof(err))
		err = 0;
	(void)close(report[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	errno = err;
	return err ? -1 : status;
}

/* Run @path with one argument: -1 if it could not be, else its status. */
static int run2(const char *path, const char *argument)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)close(2); /* ld.so says why not */
		execl(path, path, argument, "true", (char *)NULL);
		_exit(126);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int copy(const char *from, const char *to)
{
	cleanup_fd int in = open(from, O_RDONLY | O_CLOEXEC);
	cleanup_fd int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char block[65536];
	ssize_t n;

	if (in < 0 || out < 0)
		return -1;
	while ((n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			return -1;
	return n < 0 ? -1 : 0;
}

/* One page of @path's start, as @prot; NULL if refused. */
static char *map_page(const char *path, int prot)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p = mmap(NULL, 4096, prot, MAP_PRIVATE, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int code_of_our_own(void)
{
	return 1;
}

/* /proc/self/mem writes where memory is read-only too, if the kernel lets it: into a program's own code. */
static void own_code(void)
{
	cleanup_fd int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	int (*volatile code)(void) = code_of_our_own;
	static int data = 1;
	uint8_t byte = *(const volatile uint8_t *)(uintptr_t)code;

	verdict(pwrite(fd, &data, sizeof(data), (off_t)(uintptr_t)&data) == sizeof(data), "proc-mem-write-data-works",
		strerror(errno));
	denied(pwrite(fd, &byte, 1, (off_t)(uintptr_t)code), EIO, EACCES, "proc-mem-write-code");
}

/* What ld.so does with a library, of a verified file and of a foreign one. */
static void mapping(const char *self, const char *foreign)
{
	char *p;

	verdict(map_page(self, PROT_READ | PROT_EXEC) != NULL, "map-verified-file-exec-works", strerror(errno));
	denied(map_page(foreign, PROT_READ | PROT_EXEC) ? 0 : -1, EACCES, EACCES, "map-foreign-file-exec");
	p = map_page(foreign, PROT_READ);
	denied(p ? mprotect(p, 4096, PROT_READ | PROT_EXEC) : 0, EACCES, EACCES, "mprotect-foreign-file-exec");
	verdict(run2(LOADER, self) == 0, "loader-of-verified-file-works", strerror(errno));
	verdict(run2(LOADER, foreign) > 0, "loader-of-foreign-file", "it ran");
	own_code();
	denied(map_page(self, PROT_READ | PROT_WRITE | PROT_EXEC) ? 0 : -1, EACCES, EACCES, "map-verified-file-wx");
	p = map_page(self, PROT_READ | PROT_WRITE);
	verdict(p != NULL, "map-verified-file-writable-works", strerror(errno));
	if (p)
		p[0] ^= 1;
	denied(p ? mprotect(p, 4096, PROT_READ | PROT_EXEC) : 0, EACCES, EACCES, "mprotect-written-page-exec");
}

/* Overlays of one's own making over the verified root. /tmp can be executed from, but for the kernel's judgement. */
static void overlays(const char *self)
{
	char path[256];

	(void)mkdir("/tmp/upper", 0755);
	(void)mkdir("/tmp/work", 0755);
	(void)mkdir("/tmp/merged", 0755);
	verdict(mount("overlay", "/tmp/merged", "overlay", 0, "lowerdir=/usr:/etc") == 0, "overlay-works", strerror(errno));
	(void)snprintf(path, sizeof(path), "/tmp/merged%s", self + strlen("/usr"));
	verdict(run(path) == 0, "exec-from-overlay-of-verified-layers-works", strerror(errno));
	(void)umount2("/tmp/merged", MNT_DETACH);
	verdict(mount("overlay", "/tmp/merged", "overlay", 0, "lowerdir=/usr,upperdir=/tmp/upper,workdir=/tmp/work") == 0,
		"overlay-with-upper-mounts", strerror(errno));
	if (by_bpf)
		denied(run(path), EACCES, EACCES, "exec-from-overlay-with-upper");
	verdict(chmod(path, 0711) == 0, "overlay-copy-up-works", strerror(errno));
	denied(run(path), EACCES, EACCES, "exec-of-copied-up-file");
	(void)umount2("/tmp/merged", MNT_DETACH);
}

static void execution(const char *self)
{
	cleanup_fd int mem = -1;
	char path[64];
	void *p;

	verdict(run(self) == 0, "exec-from-verity-root-works", strerror(errno));
	verdict(copy(self, "/tmp/probe") == 0, "copy-to-tmpfs-works", strerror(errno));
	denied(run("/tmp/probe"), EACCES, EPERM, "exec-from-tmpfs");
	mem = memfd_create("x", MFD_CLOEXEC);
	if (mem >= 0) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", mem);
		(void)copy(self, path); /* denied by vm.memfd_noexec or, at the exec, by IPE */
		denied(run(path), EACCES, EPERM, "exec-from-memfd");
	} else {
		denied(mem, EACCES, EPERM, "exec-from-memfd");
	}
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	verdict(p != MAP_FAILED, "anonymous-memory-works", strerror(errno));
	denied(mprotect(p, 4096, PROT_READ | PROT_EXEC), EACCES, EACCES, "mprotect-anonymous-exec");
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	denied(p == MAP_FAILED ? -1 : 0, EACCES, EACCES, "mmap-anonymous-exec");
	/* Taking noexec off a mount of its own is any root's right: the kernel must still say no. */
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/tmp", NULL, MS_REMOUNT, NULL) == 0) {
		denied(run("/tmp/probe"), EACCES, EACCES, "exec-from-remounted-tmpfs");
		mapping(self, "/tmp/probe");
		overlays(self);
	} else {
		verdict(false, "exec-from-remounted-tmpfs", "the mount could not be changed");
	}
}

static void ipe(void)
{
	char text[8192];

	verdict(slurp("/sys/kernel/security/ipe/enforce", text, sizeof(text)) > 0 && text[0] == '1', "ipe-enforces", text);
	denied(write_to("/sys/kernel/security/ipe/enforce", "0"), EPERM, EACCES, "ipe-switch-off");
	denied(write_to("/sys/kernel/security/ipe/new_policy", "x"), EPERM, EACCES, "ipe-new-policy");
	denied(write_to("/sys/kernel/security/ipe/policies/holdfast/delete", "1"), EPERM, EACCES, "ipe-delete-policy");
	verdict(slurp("/sys/kernel/security/ipe/policies/holdfast/policy", text, sizeof(text)) > 0 &&
			strstr(text, by_bpf ? "DEFAULT op=EXECUTE action=ALLOW" : "dmverity_signature=TRUE") && !strstr(text, "boot_verified"),
		"ipe-policy-without-boot_verified", text);
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* A program of two instructions; only a container's device rules may be loaded. */
static int load_bpf(unsigned type)
{
	static const struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 }, { .code = BPF_JMP | BPF_EXIT } };

	return bpf(BPF_PROG_LOAD, &(union bpf_attr){ .prog_type = type,
						     .insns = (uintptr_t)code,
						     .insn_cnt = ARRAY_SIZE(code),
						     .license = (uintptr_t)"GPL" });
}

/* What holds execution in the profile direct: nobody may get at the links, the map, or ftrace, through which they are called. */
static void bpf_lsm(void)
{
	static const struct {
		int cmd;
		const char *name;
	} refused[] = { { BPF_LINK_GET_NEXT_ID, "bpf-link-next-id" }, { BPF_LINK_GET_FD_BY_ID, "bpf-link-get-fd" },
			{ BPF_LINK_DETACH, "bpf-link-detach" },	      { BPF_LINK_UPDATE, "bpf-link-update" },
			{ BPF_MAP_GET_NEXT_ID, "bpf-map-next-id" },   { BPF_MAP_GET_FD_BY_ID, "bpf-map-get-fd" },
			{ BPF_MAP_UPDATE_ELEM, "bpf-map-update" },    { BPF_MAP_DELETE_ELEM, "bpf-map-delete" },
			{ BPF_MAP_CREATE, "bpf-map-create" },	      { BPF_LINK_CREATE, "bpf-link-create" } };
	char text[64];
	int pid1_fd = (int)syscall(SYS_pidfd_open, 1, 0), taken = 0;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		denied(bpf(refused[i].cmd, &(union bpf_attr){ .link_id = 1 }), EPERM, EPERM, refused[i].name);
	verdict(load_bpf(BPF_PROG_TYPE_CGROUP_DEVICE) >= 0, "bpf-device-rules-load", strerror(errno));
	denied(load_bpf(BPF_PROG_TYPE_KPROBE), EPERM, EPERM, "bpf-kprobe-load");
	denied(load_bpf(BPF_PROG_TYPE_SOCKET_FILTER), EPERM, EPERM, "bpf-filter-load");
	verdict(pid1_fd >= 0, "pidfd-of-pid1", strerror(errno));
	for (int fd = 3; fd < 16; fd++)
		taken += syscall(SYS_pidfd_getfd, pid1_fd, fd, 0) >= 0 || errno != EPERM;
	verdict(!taken, "pid1-descriptors", "some could be taken, or were refused for another reason");
	denied(ptrace(PTRACE_ATTACH, 1, NULL, NULL), EPERM, EPERM, "ptrace-pid1");
	verdict(slurp("/proc/sys/kernel/ftrace_enabled", text, sizeof(text)) > 0 && text[0] == '1', "ftrace-is-on", text);
	denied(write_to("/proc/sys/kernel/ftrace_enabled", "0"), EPERM, EPERM, "ftrace-switch-off");
	denied(write_to("/proc/sys/vm/memfd_noexec", "0"), EPERM, EPERM, "sysctl-write");
	/* Another mount of proc shows the same switches. */
	(void)mkdir("/tmp/proc", 0755);
	if (mount("proc", "/tmp/proc", "proc", 0, NULL) == 0)
		denied(write_to("/tmp/proc/sys/kernel/ftrace_enabled", "0"), EPERM, EPERM, "ftrace-switch-off-elsewhere");
	(void)umount2("/tmp/proc", MNT_DETACH);
}

/* brk(2) asks no security module: so nobody may have executable memory implied. */
static void personality_bits(void)
{
	verdict(personality(0xffffffff) >= 0, "personality-query-works", strerror(errno));
	denied(personality(READ_IMPLIES_EXEC), EPERM, EPERM, "personality-read-implies-exec");
}

/*
 * A table with ignore_corruption, a root hash that db signed and that signature would make any bytes "signed" to IPE.
 * So no table may be given; to be asked about tables is the gate's daily work.
 */
static void device_mapper(void)
{
	cleanup_fd int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	struct dm_ioctl io = { .version = { DM_VERSION_MAJOR }, .data_size = sizeof(io), .name = "probe" };

	verdict(fd >= 0 && ioctl(fd, DM_VERSION, &io) == 0, "dm-version-works", strerror(errno));
	denied(ioctl(fd, DM_DEV_CREATE, &io), EPERM, EPERM, "dm-create");
	denied(ioctl(fd, DM_TABLE_LOAD, &io), EPERM, EPERM, "dm-table-load");
}

static void kernel(void)
{
	static const struct {
		int cap;
		const char *name;
	} gone[] = { { CAP_MAC_ADMIN, "no-cap-mac-admin" }, { CAP_SYS_MODULE, "no-cap-sys-module" }, { CAP_SYS_RAWIO, "no-cap-sys-rawio" } };
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		verdict(prctl(PR_CAPBSET_READ, gone[i].cap, 0, 0, 0) == 0, gone[i].name, "it is in the bounding set");
	verdict(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 1, "cap-sys-admin-is-there", "it is not, so the denials above prove little");
	verdict(slurp("/proc/sys/kernel/modules_disabled", text, sizeof(text)) > 0 && text[0] == '1', "modules-disabled", text);
	denied(write_to("/proc/sys/kernel/modules_disabled", "0"), EINVAL, EPERM, "modules-enable-again");
	denied(syscall(SYS_init_module, "x", 1UL, ""), EPERM, EPERM, "load-module");
	denied(syscall(SYS_kexec_load, 0UL, 0UL, NULL, KEXEC_ARCH_DEFAULT), EPERM, EPERM, "kexec");
	verdict(slurp("/sys/kernel/security/lockdown", text, sizeof(text)) > 0 && (strstr(text, "[integrity]") || strstr(text, "[confidentiality]")),
		"lockdown", text);
	/* A key written to MokListRT would be in the next boot's platform keyring: the module is not there to be mounted. */
	denied(mount("efivarfs", "/tmp", "efivarfs", 0, NULL), ENODEV, EPERM, "mount-efivarfs");
	denied(open("/dev/mem", O_RDWR | O_CLOEXEC), EPERM, ENOENT, "dev-mem");
	verdict(open("/dev/null", O_RDWR | O_CLOEXEC) >= 0, "dev-null-is-there", strerror(errno));
	device_mapper();
	denied(write_to("/etc/hostname", "x"), EROFS, EROFS, "write-root");
	denied(mkdir("/etc/x", 0700), EROFS, EROFS, "mkdir-root");
}

/* One request to PID 1's measurement socket. */
bool asked(const char *path, const char *request, const char *want_prefix, char *answer, size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct timeval t = { .tv_sec = 10 };
	ssize_t n;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	(void)snprintf(answer, size, "no answer");
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)); /* without it the test's own deadline ends us */
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return false;
	n = recv(fd, answer, size - 1, 0);
	if (n < 0)
		return false;
	answer[n] = '\0';
	return !strncmp(answer, want_prefix, strlen(want_prefix));
}

static void measurement_socket(void)
{
	static const char zeros[] = "container hello 0000000000000000000000000000000000000000000000000000000000000000";
	char answer[512], big[2000];

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	verdict(asked(MEASURE_SOCKET, zeros, "refused", answer, sizeof(answer)), "measure-another-policy", answer);
	verdict(asked(MEASURE_SOCKET, "container", "refused", answer, sizeof(answer)), "measure-malformed", answer);
	verdict(asked(MEASURE_SOCKET, "violation 1000", "refused", answer, sizeof(answer)), "measure-code-out-of-range", answer);
	verdict(asked(MEASURE_SOCKET, "extend 11 ready", "refused", answer, sizeof(answer)), "measure-another-pcr", answer);
	verdict(asked(MEASURE_SOCKET, big, "refused", answer, sizeof(answer)), "measure-too-long", answer);
}

static void pid1(void)
{
	char text[4096], *line;

	verdict(slurp("/proc/1/status", text, sizeof(text)) > 0, "pid1-status-is-readable", strerror(errno));
	line = strstr(text, "CapEff:\t");
	if (line) {
		uint64_t eff = strtoull(line + 8, NULL, 16);
		uint64_t gone = 1ULL << CAP_SYS_MODULE | 1ULL << CAP_SYS_RAWIO | 1ULL << (CAP_MAC_ADMIN);

		verdict(!(eff & gone), "pid1-gave-up-capabilities", line);
	} else {
		verdict(false, "pid1-gave-up-capabilities", "no CapEff line");
	}
	verdict(kill(1, SIGKILL) == 0, "pid1-survives-sigkill", strerror(errno)); /* ignored by the kernel; we go on */
}

/* pid of the process whose name is @comm, 0 if there is none. */
pid_t find(const char *comm)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (d && !found && (entry = readdir(d))) {
		char path[300], text[64];

		(void)snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (slurp(path, text, sizeof(text)) > 0 && !strncmp(text, comm, strlen(comm)) && text[strlen(comm)] == '\n')
			found = (pid_t)atoi(entry->d_name);
	}
	if (d)
		(void)closedir(d);
	return found;
}

/* Kill the engine: another one must be there, and answer, within a minute. */
static int kill_engine(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/run/containerd/containerd.sock" };
	pid_t old = find("containerd"), new = 0;

	if (old <= 1 || kill(old, SIGKILL) < 0)
		return 1;
	for (int i = 0; i < 300; i++) {
		cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		new = find("containerd");
		if (new && new != old && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
			printf("probe: ok engine %d was killed, %d answers\n", (int)old, (int)new);
			return 0;
		}
		(void)usleep(200000);
	}
	printf("probe: FAILED engine %d was killed, none came back\n", (int)old);
	return 1;
}

/* A process of user @uid, without groups or capabilities, that runs @what; how many of its probes failed. */
static void as_user(uid_t uid, void (*what)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		failures = 0;
		if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
			_exit(100);
		what();
		fflush(stdout);
		_exit(failures);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	failures += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static void connects(const char *path, int type, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	denied(connect(fd, (struct sockaddr *)&a, sizeof(a)), EACCES, EACCES, name);
}

/* What the agent can do if somebody takes it over: ask the TPM, read three logs, and nothing to anybody else. */
static void agent_alone(void)
{
	pid_t engine = find("containerd");
	char path[64];

	verdict(open("/dev/tpmrm0", O_RDWR | O_CLOEXEC) >= 0, "agent-tpm-works", strerror(errno));
	denied(open("/dev/tpm0", O_RDWR | O_CLOEXEC), EACCES, EBUSY, "agent-tpm-of-pid1");
	verdict(open("/run/holdfast/eventlog.cel", O_RDONLY | O_CLOEXEC) >= 0, "agent-os-log-works", strerror(errno));
	denied(open("/run/holdfast/eventlog.cel", O_WRONLY | O_CLOEXEC), EACCES, EACCES, "agent-os-log-write");
	verdict(open("/sys/kernel/security/ima/binary_runtime_measurements", O_RDONLY | O_CLOEXEC) >= 0, "agent-ima-log-works",
		strerror(errno));
	denied(kill(1, 0), EPERM, EPERM, "agent-signal-pid1");
	denied(engine > 1 ? kill(engine, SIGKILL) : 0, EPERM, EPERM, "agent-signal-engine");
	denied(ptrace(PTRACE_ATTACH, engine, NULL, NULL), EPERM, EPERM, "agent-ptrace-engine");
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)engine);
	denied(open(path, O_RDONLY | O_CLOEXEC), EACCES, EPERM, "agent-read-engine");
	denied(open("/dev/vda", O_RDONLY | O_CLOEXEC), EACCES, EACCES, "agent-read-disk");
	denied(open("/var/lib/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), EACCES, EACCES, "agent-write-state");
	denied(open("/run/holdfast/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), EACCES, EACCES, "agent-write-run");
	denied(open("/dev/kmsg", O_RDONLY | O_CLOEXEC), EACCES, EPERM, "agent-read-kernel-log");
	connects("/run/holdfast/measure.sock", SOCK_SEQPACKET, "agent-measure");
	connects("/run/containerd/containerd.sock", SOCK_STREAM, "agent-engine-socket");
	denied(mount("none", "/tmp", "tmpfs", 0, NULL), EPERM, EPERM, "agent-mount");
	denied(setresuid(0, 0, 0), EPERM, EPERM, "agent-become-root");
}

/* The twin: what the agent was given, nobody else has. */
static void nobody(void)
{
	denied(open("/dev/tpmrm0", O_RDWR | O_CLOEXEC), EACCES, EACCES, "nobody-tpm");
	denied(open("/run/holdfast/eventlog.cel", O_RDONLY | O_CLOEXEC), EACCES, EACCES, "nobody-os-log");
	denied(open("/sys/kernel/security/ima/binary_runtime_measurements", O_RDONLY | O_CLOEXEC), EACCES, EACCES, "nobody-ima-log");
}

/* The process that PID 1 started, by the kernel's own word. */
static void agent_process(void)
{
	static const char *const want[] = { "\nUid:\t971\t971\t971\t971\n", "\nGid:\t971\t971\t971\t971\n", "\nGroups:\t \n", "\nCapPrm:\t0000000000000000\n",
					    "\nCapBnd:\t0000000000000000\n", "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n" };
	pid_t agent = find("holdfast-attest");
	char path[64], text[4096] = "";

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)agent);
	verdict(agent > 1 && slurp(path, text, sizeof(text)) > 0, "agent-runs", "there is no process of that name");
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		if (!strstr(text, want[i]))
			verdict(false, "agent-process", want[i] + 1);
	verdict(true, "agent-process", "");
}

/* Root in the engine's context asks for a volume: what comes back is for the case to judge. */
static int ask_layer(const char *hex)
{
	char request[96], answer[256];

	(void)snprintf(request, sizeof(request), "layer %s", hex);
	(void)asked("/run/holdfast/layer.sock", request, "", answer, sizeof(answer));
	printf("probe: %s\n", answer);
	return 0;
}

/* The volume's key is not in what the kernel tells root of its table. */
static void state_key(void)
{
	struct {
		struct dm_ioctl io;
		char room[4096];
	} b = { .io = { .version = { DM_VERSION_MAJOR }, .data_size = sizeof(b), .data_start = sizeof(b.io), .name = "holdfast-state",
			.flags = DM_STATUS_TABLE_FLAG } };
	cleanup_fd int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	const char *params = b.room + sizeof(struct dm_target_spec);

	if (fd < 0 || ioctl(fd, DM_TABLE_STATUS, &b) < 0)
		printf("probe: ok state-key: root here may not ask for it: %s\n", strerror(errno));
	else
		verdict(strstr(params, " :64:logon:") || strstr(params, " :96:logon:"), "state-key", params);
}

/* The program that PID 1 asks, asked again now: PCR 11 and 15 are no longer what they were, and the TPM does not give the key. */
static void state_sealed(void)
{
	static struct pid1_sealed_answer answer;
	int out[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(out))
		return verdict(false, "state-sealed", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int tpm = open("/dev/tpmrm0", O_RDWR);

		if (tpm < 0 || dup2(tpm, 0) < 0 || dup2(out[1], 1) < 0)
			_exit(100);
		(void)execl("/usr/lib/holdfast/holdfast-state", "holdfast-state", "plain", "none", NULL);
		_exit(101);
	}
	(void)close(out[1]);
	n = read(out[0], &answer, sizeof(answer));
	(void)close(out[0]);
	verdict(waitpid(pid, &status, 0) == pid && status == 0 && n == sizeof(answer), "state-asked", strerror(errno));
	verdict(answer.code == CODE_STATE_SEALED && strstr(answer.e.msg, "no signed PCR policy is for the PCRs as they are now"), "state-sealed",
		answer.e.msg);
}

/* The first time it writes into the state, later it wants to find that. */
static int state(const char *self)
{
	static const char path[] = "/var/lib/holdfast/probe", program[] = "/var/lib/holdfast/program", text[] = "holdfast state test\n";
	char found[64] = "";

	if (slurp(path, found, sizeof(found)) < 0) {
		cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		verdict(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fsync(fd) == 0, "state-write", strerror(errno));
	} else {
		verdict(!strcmp(found, text), "state-kept", found);
	}
	verdict(copy(self, program) == 0, "state-copy", strerror(errno));
	denied(run(program), EACCES, EACCES, "state-noexec");
	state_key();
	state_sealed();
	return failures;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = { { "jit-before", probe_jit_before }, { "jit", probe_jit }, { "jit-after", probe_jit_after } };
	char cmdline[4096];
	bool is_direct;

	if (argc == 2 && !strcmp(argv[1], "true"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts) && argc == 2; i++)
		if (!strcmp(argv[1], parts[i].name)) {
			parts[i].run();
			printf("probe: %s: %d failed\n", parts[i].name, failures);
			return failures;
		}
	if (argc == 2 && !strcmp(argv[1], "sigterm-pid1"))
		return kill(1, SIGTERM) == 0 ? 0 : 1;
	if (argc == 2 && !strcmp(argv[1], "sigint-pid1"))
		return kill(1, SIGINT) == 0 ? 0 : 1;
	if (argc == 2 && !strcmp(argv[1], "kill-engine"))
		return kill_engine();
	if (argc == 2 && !strcmp(argv[1], "state"))
		return state(argv[0]);
	if (argc == 2 && !strcmp(argv[1], "supervisor"))
		return probe_supervisor();
	if (argc == 2 && !strcmp(argv[1], "last"))
		return probe_last();
	if (argc == 3 && !strcmp(argv[1], "ask-layer"))
		return ask_layer(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "orphans"))
		return probe_orphans(200) > 0 ? 0 : 1;
	is_direct = slurp("/proc/cmdline", cmdline, sizeof(cmdline)) > 0 && strstr(cmdline, "holdfast.profile=direct");
	by_bpf = is_direct || strstr(cmdline, "holdfast.profile=enforce-jit");
	if (by_bpf)
		bpf_lsm();
	if (!is_direct)
		ipe();
	personality_bits();
	kernel();
	probe_end_state(); /* before execution(), which takes noexec off its own /tmp */
	execution(argv[0]);
	measurement_socket();
	agent_process();
	as_user(AGENT_USER_ID, agent_alone);
	as_user(65534, nobody);
	pid1();
	printf("probe: %d failed\n", failures);
	return failures > 100 ? 100 : failures;
}
