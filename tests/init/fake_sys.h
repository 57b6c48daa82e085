/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/init/fake_sys.h - a kernel and a TPM for PID 1's unit tests: linked in place of init/sys.c and common/tpm_cmd.c
 *
 * Files are a table of paths and contents; every effect is written to fake.trace as "<call> <what>; "; any call can be
 * made to fail; time goes on only while somebody waits. reboot(2) ends PID 1, so it jumps out of it.
 * Include in exactly one .c file of a test program.
 */
#ifndef TESTS_INIT_FAKE_SYS_H
#define TESTS_INIT_FAKE_SYS_H

#include "tests/common/check.h"

#include "common/cleanup.h"
#include "common/tpm_cmd.h"
#include "common/tpm_io.h"
#include "init/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#define FAKE_FILES     96
#define FAKE_FD        100 /* descriptor n is file n - FAKE_FD */
#define FAKE_UEVENT_FD 90
#define FAKE_SIGNAL_FD 91
#define FAKE_LISTEN_FD 92
#define FAKE_CLIENT_FD 93
#define FAKE_TPM_FD    94
#define FAKE_HELPER_FD 95
#define FAKE_WATCHDOG_FD 96
#define FAKE_CONTROL_FD 97
#define FAKE_OPERATOR_FD 98
#define FAKE_HELPER_PID 99
#define FAKE_EVENTS    256

struct fake_file {
	char path[128];
	char data[8192];
	size_t len, pos;
	bool stubborn; /* takes writes and stays as it is */
};

/* Something that happens at a time: a uevent, a signal, a child's end. */
struct fake_event {
	uint64_t at;
	const char *text;
	size_t len;
	int number;
	pid_t pid;
	bool done, woke;
};

static struct {
	struct fake_file file[FAKE_FILES];
	size_t n_files;
	char trace[65536];
	size_t trace_len;
	char early[2048]; /* what was said on descriptor 2, before there is a console */
	const char *fail_call, *fail_what;
	int fail_errno;
	unsigned fail_nth, calls; /* the nth call fails, 0: none; lines that are said to people do not count */
	bool count_all;           /* but here they do */
	bool fail_sticks;         /* once the nth has failed, calls like it fail for ever */
	char stuck[300];
	void (*watch)(const char *call, const char *what);
	void (*hung)(void);
	uint64_t now;
	struct fake_event uevent[FAKE_EVENTS], signal[FAKE_EVENTS], child[FAKE_EVENTS];
	size_t n_uevents, n_signals, n_children;
	jmp_buf end;
	int reboot_cmd;
	unsigned reboots_failed;
	pid_t next_pid;
	uint64_t dropped_caps;
	bool caps_stick;
	int exec_memory;
	uint64_t engine_ready_at;
	uid_t peer;
	const char *request;
	char answer[300];
	bool client_waits;
	bool exec_works; /* by a jump to fake.end */
	uint64_t magic;
	unsigned devices;
	uint32_t map_value[8]; /* of BPF maps, as they were filled */
	size_t n_map_values;
	const void *asked; /* what the next program that is asked answers, and how many bytes */
	ssize_t asked_bytes;
	const void *asked_next; /* the same for the one after it; NULL: again @asked */
	ssize_t asked_next_bytes;
	uint32_t tpm_code; /* what the TPM says to a raw command */
	uint64_t lifetime; /* of the next spawned child; 0: for ever */
	int lifetime_status;
	sys_helper_fn *helper;
	void *helper_arg;
	int container_processes;
	uint64_t containers_end, fed_at;
	uint64_t engine_gone_at; /* 0: never */
	uint64_t jump_at, jump_ns; /* the clock */
	const char *order; /* an operator's, on the control socket */
	uint64_t order_at;
	bool order_taken;
	char order_answer[6200];
} fake;

static void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.now = 1000000000;
	fake.next_pid = 200;
	fake.exec_memory = 1;
	fake.engine_ready_at = UINT64_MAX;
}

/* Write down the call; true if it is the one that is to fail. */
static bool fake_call(const char *call, const char *what)
{
	int n;
	char like[sizeof(fake.stuck)];

	if (!*fake.trace)
		fake.trace_len = 0; /* a test emptied it */
	n = snprintf(fake.trace + fake.trace_len, sizeof(fake.trace) - fake.trace_len, "%s %s; ", call, what);
	fake.trace_len += (size_t)n < sizeof(fake.trace) - fake.trace_len ? (size_t)n : 0;
	if (fake.watch)
		fake.watch(call, what);
	(void)snprintf(like, sizeof(like), "%s %s", call, what);
	if ((fake.count_all || (strcmp(what, "/dev/console") && strcmp(what, "/dev/kmsg"))) && ++fake.calls == fake.fail_nth) {
		if (fake.fail_sticks)
			memcpy(fake.stuck, like, sizeof(like));
		return true;
	}
	if (*fake.stuck && !strcmp(fake.stuck, like))
		return true;
	return fake.fail_call && !strcmp(fake.fail_call, call) && strstr(what, fake.fail_what);
}

static struct fake_file *fake_find(const char *path)
{
	for (size_t i = 0; i < fake.n_files; i++)
		if (!strcmp(fake.file[i].path, path))
			return &fake.file[i];
	return NULL;
}

static struct fake_file *fake_file(const char *path, const char *data)
{
	struct fake_file *f = fake_find(path);

	if (!f) {
		assert_true(fake.n_files < FAKE_FILES);
		f = &fake.file[fake.n_files++];
		(void)snprintf(f->path, sizeof(f->path), "%s", path);
	}
	f->len = strlen(data);
	memcpy(f->data, data, f->len + 1);
	return f;
}

static inline const char *fake_text(const char *path)
{
	struct fake_file *f = fake_find(path);

	return f ? f->data : "";
}

static inline void fake_will_fail(const char *call, const char *what, int number)
{
	fake.fail_call = call;
	fake.fail_what = what;
	fake.fail_errno = number;
}

int sys_open(const char *path, int flags, mode_t mode)
{
	struct fake_file *f = fake_find(path);

	(void)mode;
	if (fake_call("open", path))
		return -fake.fail_errno;
	if (!f && !(flags & O_CREAT))
		return -ENOENT;
	if (f && flags & O_TRUNC)
		f->len = 0;
	if (f && flags & O_EXCL)
		return -EEXIST;
	if (!f)
		f = fake_file(path, "");
	f->pos = 0;
	return FAKE_FD + (int)(f - fake.file);
}

ssize_t sys_read(int fd, void *buf, size_t n)
{
	struct fake_file *f;

	if (fd == FAKE_OPERATOR_FD) {
		if (fake_call("read", "operator"))
			return -fake.fail_errno;
		n = strlen(fake.order);
		memcpy(buf, fake.order, n);
		return (ssize_t)n;
	}
	if (fd == FAKE_CLIENT_FD) {
		if (fake_call("read", "client"))
			return -fake.fail_errno;
		if (!fake.request)
			return -EAGAIN;
		n = strlen(fake.request);
		memcpy(buf, fake.request, n);
		return (ssize_t)n;
	}
	f = &fake.file[fd - FAKE_FD];
	if (fake_call("read", f->path))
		return -fake.fail_errno;
	n = n < f->len - f->pos ? n : f->len - f->pos;
	memcpy(buf, f->data + f->pos, n);
	f->pos += n;
	return (ssize_t)n;
}

ssize_t sys_write(int fd, const void *buf, size_t n)
{
	struct fake_file *f;

	if (fd == 2) {
		(void)snprintf(fake.early, sizeof(fake.early), "%.*s", (int)n, (const char *)buf); /* the last line */
		return (ssize_t)n;
	}
	if (fd == FAKE_OPERATOR_FD) {
		if (fake_call("write", "operator"))
			return -fake.fail_errno;
		(void)snprintf(fake.order_answer, sizeof(fake.order_answer), "%.*s", (int)n, (const char *)buf);
		return (ssize_t)n;
	}
	if (fd == FAKE_CLIENT_FD) {
		if (fake_call("write", "client"))
			return -fake.fail_errno;
		(void)snprintf(fake.answer, sizeof(fake.answer), "%.*s", (int)n, (const char *)buf);
		return (ssize_t)n;
	}
	f = &fake.file[fd - FAKE_FD];
	if (fake_call("write", f->path))
		return -fake.fail_errno;
	if (f->stubborn)
		return (ssize_t)n;
	if (strncmp(f->path, "/proc/", 6) && strncmp(f->path, "/sys/", 5)) /* pseudo files: the last write counts */
		f->pos = f->len;
	if (f->pos + n >= sizeof(f->data) && !strncmp(f->path, "/dev/", 5)) { /* a long life: the older half is forgotten */
		f->pos -= f->len - sizeof(f->data) / 2;
		memmove(f->data, f->data + f->len - sizeof(f->data) / 2, sizeof(f->data) / 2);
	}
	assert_true(f->pos + n < sizeof(f->data));
	memcpy(f->data + f->pos, buf, n);
	f->len = f->pos + n;
	f->data[f->len] = '\0';
	return (ssize_t)n;
}

void sys_close(int fd)
{
	if (fd == FAKE_CLIENT_FD)
		(void)fake_call("close", "client");
}

int sys_hold_stdio(void)
{
	return fake_call("hold_stdio", "") ? -fake.fail_errno : 0;
}

int sys_rename(const char *from, const char *to)
{
	struct fake_file *f;

	if (fake_call("rename", to))
		return -fake.fail_errno;
	f = fake_find(from); /* it stays in the table, so that a thousand renames do not fill it */
	assert_non_null(f);
	(void)fake_file(to, f->data);
	return 0;
}

int sys_mkdir(const char *path, mode_t mode)
{
	(void)mode;
	return fake_call("mkdir", path) ? -fake.fail_errno : 0;
}

int sys_chown(const char *path, uid_t uid, gid_t gid)
{
	char what[160];

	(void)snprintf(what, sizeof(what), "%s %u:%u", path, uid, gid);
	if (!fake_find(path))
		return -ENOENT;
	return fake_call("chown", what) ? -fake.fail_errno : 0;
}

int sys_unlink(const char *path)
{
	struct fake_file *f = fake_find(path);

	if (fake_call("unlink", path))
		return -fake.fail_errno;
	if (f)
		f->path[0] = 0; /* its descriptors stay good */
	return f ? 0 : -ENOENT;
}

int sys_make_mutable(const char *path)
{
	return fake_call("make_mutable", path) ? -fake.fail_errno : fake_find(path) ? 0 : -ENOENT;
}

/* The files that stand directly in . */
int sys_names(const char *path, char *buf, size_t room)
{
	size_t len = 0, n = strlen(path);

	if (fake_call("names", path))
		return -fake.fail_errno;
	for (size_t i = 0; i < fake.n_files; i++) {
		const char *name = fake.file[i].path + n + 1;

		if (strncmp(fake.file[i].path, path, n) || fake.file[i].path[n] != '/' || strchr(name, '/') ||
		    strlen(name) >= room - len)
			continue;
		memcpy(buf + len, name, strlen(name) + 1);
		len += strlen(name) + 1;
	}
	return (int)len;
}

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	(void)source;
	(void)type;
	(void)flags;
	(void)data;
	return fake_call("mount", target) ? -fake.fail_errno : 0;
}

int sys_umount(const char *target, int flags)
{
	(void)flags;
	return fake_call("umount", target) ? -fake.fail_errno : 0;
}

int sys_fs_magic(const char *path, uint64_t *ret_magic)
{
	*ret_magic = fake.magic;
	return fake_call("statfs", path) ? -fake.fail_errno : 0;
}

/* Each path stands on a device of its own: 254:n. */
int sys_dev(const char *path, dev_t *ret_dev)
{
	*ret_dev = makedev(254, fake.devices++);
	return fake_call("dev", path) ? -fake.fail_errno : 0;
}

int sys_inode(const char *path, uint64_t *ret)
{
	*ret = 100 + fake.devices++;
	return fake_call("inode", path) ? -fake.fail_errno : 0;
}

int sys_map_shared(int fd, size_t n, void **ret)
{
	static uint64_t shared[64];
	char what[12];

	(void)fd;
	assert_true(n <= sizeof(shared));
	memset(shared, 0, sizeof(shared));
	*ret = shared;
	(void)snprintf(what, sizeof(what), "%zu", n);
	return fake_call("map_shared", what) ? -fake.fail_errno : 0;
}

int sys_bpf(int cmd, union bpf_attr *attr)
{
	char what[12];

	if (cmd == BPF_MAP_UPDATE_ELEM && fake.n_map_values < ARRAY_SIZE(fake.map_value))
		fake.map_value[fake.n_map_values++] = *(const uint32_t *)(uintptr_t)attr->value;
	(void)snprintf(what, sizeof(what), "%d", cmd);
	return fake_call("bpf", what) ? -fake.fail_errno : 0;
}

int sys_chdir(const char *path)
{
	return fake_call("chdir", path) ? -fake.fail_errno : 0;
}

int sys_enter_root(void)
{
	return fake_call("enter_root", "") ? -fake.fail_errno : 0;
}

void sys_delete_tree(int dir_fd)
{
	(void)dir_fd;
	(void)fake_call("delete_tree", "");
}

int sys_module_load(int fd, const char *params)
{
	char what[300];

	(void)snprintf(what, sizeof(what), "%s [%s]", fake.file[fd - FAKE_FD].path, params);
	return fake_call("module", what) ? -fake.fail_errno : 0;
}

int sys_module_unload(const char *name)
{
	return fake_call("unload", name) ? -fake.fail_errno : 0;
}

int sys_exec(const char *const argv[], const char *const env[])
{
	(void)env;
	if (fake_call("exec", argv[0]))
		return -fake.fail_errno;
	if (fake.exec_works)
		longjmp(fake.end, 2);
	return -ENOENT;
}

uint64_t sys_now_ns(void)
{
	return fake.now;
}

/* The next thing of @ev that has not been taken. */
static struct fake_event *fake_next(struct fake_event *ev, size_t n)
{
	struct fake_event *first = NULL;

	for (size_t i = 0; i < n; i++)
		if (!ev[i].done && (!first || ev[i].at < first->at))
			first = &ev[i];
	return first;
}

int sys_poll(struct pollfd *p, size_t n, uint64_t timeout_ns)
{
	struct fake_event *next[] = { fake_next(fake.uevent, fake.n_uevents), fake_next(fake.signal, fake.n_signals),
				      fake_next(fake.child, fake.n_children) };
	uint64_t until = timeout_ns == UINT64_MAX ? UINT64_MAX : fake.now + timeout_ns;
	int ready = 0;

	if (fake_call("poll", "")) {
		fake.now += 10000000; /* somebody's time goes on */
		return -fake.fail_errno;
	}
	for (size_t i = 0; i < n; i++) {
		p[i].revents = 0;
		if ((p[i].fd == FAKE_LISTEN_FD && fake.client_waits) || (p[i].fd == FAKE_CLIENT_FD && fake.request) ||
		    (p[i].fd == FAKE_CONTROL_FD && fake.order && !fake.order_taken && fake.now >= fake.order_at) || p[i].fd == FAKE_OPERATOR_FD) {
			p[i].revents = POLLIN;
			ready++;
		}
	}
	if (ready)
		return ready;
	for (size_t i = 0; i < 3; i++) {
		if (next[i] && next[i]->at <= fake.now && next[i]->woke)
			continue; /* nobody took it when it woke somebody: it does not wake again */
		if (next[i] && next[i]->at < until)
			until = next[i]->at;
	}
	if (fake.order && !fake.order_taken && fake.order_at > fake.now && fake.order_at < until)
		until = fake.order_at;
	for (size_t i = 0; i < 3; i++)
		if (next[i] && next[i]->at <= until)
			next[i]->woke = true;
	if (until == UINT64_MAX && fake.hung)
		fake.hung();
	if (until == UINT64_MAX)
		fail_msg("PID 1 would wait for ever: %s", fake.trace);
	fake.now = until > fake.now ? until : fake.now;
	if (fake.jump_ns && fake.now >= fake.jump_at) {
		fake.now += fake.jump_ns;
		fake.jump_ns = 0;
	}
	return 0;
}

int sys_uevent_open(void)
{
	return fake_call("uevent_open", "") ? -fake.fail_errno : FAKE_UEVENT_FD;
}

ssize_t sys_uevent_recv(int fd, void *buf, size_t n)
{
	struct fake_event *ev = fake_next(fake.uevent, fake.n_uevents);

	(void)fd;
	if (fake_call("uevent_recv", ""))
		return -fake.fail_errno;
	if (!ev || ev->at > fake.now)
		return -EAGAIN;
	ev->done = true;
	if (ev->number)
		return -ev->number;
	assert_true(ev->len <= n);
	memcpy(buf, ev->text, ev->len);
	return (ssize_t)ev->len;
}

void sys_console_unstoppable(int fd)
{
	(void)fd;
}

void sys_console_drain(int fd)
{
	(void)fd;
	(void)fake_call("drain", "");
}

int sys_volume_close(const char *name)
{
	return fake_call("volume_close", name) ? -fake.fail_errno : 0;
}

int sys_reboot(int cmd)
{
	if (fake_call("reboot", "") && ++fake.reboots_failed < 50)
		return -fake.fail_errno;
	fake.reboot_cmd = cmd;
	longjmp(fake.end, 1);
}

int sys_cap_drop(unsigned cap)
{
	char what[8];

	(void)snprintf(what, sizeof(what), "%u", cap);
	if (fake_call("cap_drop", what))
		return -fake.fail_errno;
	fake.dropped_caps |= 1ull << cap;
	return 0;
}

int sys_cap_has(unsigned cap)
{
	if (fake_call("cap_has", ""))
		return -fake.fail_errno;
	return fake.caps_stick || !(fake.dropped_caps >> cap & 1);
}

int sys_exec_memory_is_denied(void)
{
	return fake_call("exec_memory", "") ? -fake.fail_errno : fake.exec_memory;
}

int sys_spawn(const struct sys_child *c, pid_t *ret_pid, const char **ret_step)
{
	char what[200];

	(void)snprintf(what, sizeof(what), "%s in %s keep %llx%s%.0u", c->argv[0], c->cgroup_procs,
		       (unsigned long long)c->keep_caps, c->user ? " as " : "", (unsigned)c->user);
	*ret_step = "execve";
	if (fake_call("spawn", what))
		return -fake.fail_errno;
	*ret_pid = fake.next_pid++;
	if (fake.lifetime) {
		assert_true(fake.n_children < FAKE_EVENTS);
		fake.child[fake.n_children++] = (struct fake_event){ .at = fake.now + fake.lifetime,
								     .pid = *ret_pid,
								     .number = fake.lifetime_status };
	}
	return 0;
}

void sys_spawn_siblings(void)
{
}

/* The helper is this process: what it is asked it does at once. */
int sys_helper_start(sys_helper_fn *answer, void *arg, int keep_fd, pid_t *ret_pid)
{
	(void)keep_fd;
	if (fake_call("helper_start", ""))
		return -fake.fail_errno;
	fake.helper = answer;
	fake.helper_arg = arg;
	*ret_pid = FAKE_HELPER_PID;
	return FAKE_HELPER_FD;
}

ssize_t sys_helper_ask(int fd, const void *request, size_t len, void *reply, size_t room, uint64_t within_ns)
{
	(void)within_ns;
	if (fake_call("helper_ask", ""))
		return -fake.fail_errno;
	assert_int_equal(fd, FAKE_HELPER_FD);
	return (ssize_t)fake.helper(fake.helper_arg, request, len, reply, room);
}

int sys_seal(void)
{
	return fake_call("seal", "") ? -fake.fail_errno : 0;
}

int sys_cgroup_signal(const char *top, const char *const skip[], int sig)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "%s but %s %s: %d", top, skip[0], skip[1], sig);
	if (fake_call("cgroup_signal", what))
		return -fake.fail_errno;
	return sig ? fake.container_processes : fake.now >= fake.containers_end ? 0 : fake.container_processes;
}

int sys_watchdog_open(const char *path, int seconds)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "%s %d", path, seconds);
	return fake_call("watchdog_open", what) ? -fake.fail_errno : FAKE_WATCHDOG_FD;
}

int sys_watchdog_feed(int fd)
{
	assert_int_equal(fd, FAKE_WATCHDOG_FD);
	fake.fed_at = fake.now;
	return fake_call("watchdog_feed", "") ? -fake.fail_errno : 0;
}

void sys_watchdog_close(int fd)
{
	(void)fd;
	(void)fake_call("watchdog_close", "");
}

int sys_connect(const char *path)
{
	return fake_call("connect", path) ? -fake.fail_errno : FAKE_HELPER_FD;
}

pid_t sys_reap(int *ret_status)
{
	struct fake_event *ev = fake_next(fake.child, fake.n_children);

	if (fake_call("reap", ""))
		return -fake.fail_errno;
	if (!ev)
		return -ECHILD;
	if (ev->at > fake.now)
		return 0;
	ev->done = true;
	*ret_status = ev->number;
	return ev->pid;
}

int sys_kill(pid_t pid, int sig)
{
	char what[32];

	(void)snprintf(what, sizeof(what), "%d %d", (int)pid, sig);
	return fake_call("kill", what) ? -fake.fail_errno : 0;
}

int sys_signals_open(void)
{
	return fake_call("signals_open", "") ? -fake.fail_errno : FAKE_SIGNAL_FD;
}

int sys_signal_next(int fd)
{
	struct fake_event *ev = fake_next(fake.signal, fake.n_signals);

	(void)fd;
	if (fake_call("signal_next", ""))
		return 0;
	if (!ev || ev->at > fake.now)
		return 0;
	ev->done = true;
	return ev->number;
}

int sys_ctrl_alt_del_to_us(void)
{
	return fake_call("ctrl_alt_del", "") ? -fake.fail_errno : 0;
}

int sys_listen(const char *path)
{
	return fake_call("listen", path) ? -fake.fail_errno : strstr(path, "control") ? FAKE_CONTROL_FD : FAKE_LISTEN_FD;
}

int sys_accept(int fd, uid_t *ret_uid)
{
		if (fake_call("accept", ""))
		return -fake.fail_errno;
	if (fd == FAKE_CONTROL_FD) {
		fake.order_taken = true;
		*ret_uid = fake.peer;
		return FAKE_OPERATOR_FD;
	}
	if (!fake.client_waits)
		return -EAGAIN;
	fake.client_waits = false;
	*ret_uid = fake.peer;
	return FAKE_CLIENT_FD;
}

int sys_can_connect(const char *path)
{
	return fake_call("connect", path) ? -fake.fail_errno : fake.now >= fake.engine_ready_at && (!fake.engine_gone_at || fake.now < fake.engine_gone_at) ? 0 : -ECONNREFUSED;
}

/* The TPM: two banks. */
int tpm_cmd_open(int *ret_fd, struct err *e)
{
	if (fake_call("tpm_open", ""))
		return err_set(e, fake.fail_errno, "no TPM");
	*ret_fd = FAKE_TPM_FD;
	return 0;
}

ssize_t sys_ask(struct sys_child c, void *answer, size_t room, const char **ret_step)
{
	char what[400] = "";
	ssize_t ret;

	if (room && !c.volumes)
		assert_true(c.input == FAKE_TPM_FD || !strcmp(c.argv[2], "none"));
	assert_int_equal(c.keep_caps, c.volumes ? 1u << 21 | 1u << 27 : 0); /* CAP_SYS_ADMIN, CAP_MKNOD */
	*ret_step = "step";
	for (size_t i = 0, n = 0; c.argv[i]; i++)
		n += (size_t)snprintf(what + n, sizeof(what) - n, "%s%s", i ? " " : "", c.argv[i]);
	if (fake_call("ask", what))
		return -fake.fail_errno;
	if (!room)
		return fake.asked_bytes < 0 ? fake.asked_bytes : 0;
	ret = fake.asked_bytes;
	if (fake.asked_bytes > 0)
		memcpy(answer, fake.asked, (size_t)fake.asked_bytes < room ? (size_t)fake.asked_bytes : room);
	if (fake.asked_next) {
		fake.asked = fake.asked_next;
		fake.asked_bytes = fake.asked_next_bytes;
		fake.asked_next = NULL;
	}
	return ret;
}

int tpm_io_transact(struct tpm_io *t, uint8_t *cmd, size_t n, struct reader *ret, struct err *e)
{
	(void)cmd;
	(void)n;
	assert_int_equal(t->fd, FAKE_TPM_FD);
	if (fake_call("tpm_io", ""))
		return err_set(e, fake.fail_errno, "the TPM is broken");
	t->code = fake.tpm_code;
	*ret = reader_init(t->resp, 0);
	return 0;
}

int tpm_cmd_banks(int fd, int timeout_ms, struct tpm_banks *ret, struct err *e)
{
	(void)fd;
	(void)timeout_ms;
	if (fake_call("tpm_banks", ""))
		return err_set(e, fake.fail_errno, "the TPM is broken");
	*ret = (struct tpm_banks){ .n = 2, .alg = { HASH_SHA1, HASH_SHA256 } };
	return 0;
}

int tpm_cmd_extend(int fd, int timeout_ms, uint32_t pcr, const struct tpm_digest *d, size_t n, struct err *e)
{
	char what[32];

	(void)fd;
	(void)timeout_ms;
	(void)snprintf(what, sizeof(what), "%u x%zu", (unsigned)pcr, n);
	assert_int_equal(d[n - 1].alg, HASH_SHA256);
	if (fake_call("tpm_extend", what))
		return err_set(e, fake.fail_errno, "PCR %u was not extended: the TPM refused", (unsigned)pcr);
	return 0;
}

int tpm_cmd_read(int fd, int timeout_ms, uint32_t pcr, enum hash_alg alg, uint8_t *ret, struct err *e)
{
	(void)fd;
	(void)timeout_ms;
	(void)pcr;
	(void)alg;
	(void)ret;
	return err_set(e, ENOTSUP, "PID 1 reads no PCR");
}

/*
 * Run @stage over and over, each time with another of its calls failing, and see that it always fails and never with an
 * empty sentence. @prepare makes the world anew. Ends when all calls were had. Return: how many there are.
 */
static inline unsigned fake_fail_each(int (*prepare)(void), int (*stage)(struct err *e))
{
	unsigned nth = 0;

	for (;;) {
		struct err e = ERR_INIT;
		int r;

		assert_int_equal(prepare(), 0);
		fake.calls = 0;
		fake.fail_nth = ++nth;
		fake.fail_errno = EIO;
		r = stage(&e);
		if (fake.calls < nth)
			return nth - 1;
		if (r == 0 || !*e.msg)
			fail_msg("call %u failed and the stage returned %d \"%s\": %s", nth, r, e.msg, fake.trace);
	}
}

#endif
