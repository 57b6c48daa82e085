/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/oci_spec_write.c - the configuration that the real runtime gets
 *
 * Everything here is the policy's, or a constant below, or one of the checked values of struct oci_want.
 */
#include "policy/oci_spec_check.h"

#include "policy/oci_spec_writer.h"

#include <string.h>

static const char *const empty[] = {NULL};

/* --- process -------------------------------------------------------------------------------------------------------
 */

static void put_user(const struct policy_run *run, struct buf *out)
{
	oci_spec_open(out, "user", '{');
	oci_spec_put_u64(out, "uid", run->uid);
	oci_spec_put_u64(out, "gid", run->gid);
	oci_spec_close(out, '}');
}

static void put_list(struct buf *out, const char *key, char *const *items, size_t n)
{
	oci_spec_open(out, key, '[');
	for (size_t i = 0; i < n; i++)
		oci_spec_put_str(out, NULL, items[i]);
	oci_spec_close(out, ']');
}

/* Inheritable and ambient stay empty: they only serve to carry privileges over an execve. */
static void put_capabilities(const struct policy_run *run, struct buf *out)
{
	oci_spec_open(out, "capabilities", '{');
	put_list(out, "bounding", run->caps, run->n_caps);
	put_list(out, "effective", run->caps, run->n_caps);
	put_list(out, "permitted", run->caps, run->n_caps);
	oci_spec_put_strv(out, "inheritable", empty);
	oci_spec_put_strv(out, "ambient", empty);
	oci_spec_close(out, '}');
}

static void put_rlimits(const struct oci_want *w, struct buf *out)
{
	oci_spec_open(out, "rlimits", '[');
	for (size_t i = 0; i < OCI_SPEC_RLIMITS; i++) {
		if (!w->rlimit[i].set)
			continue;
		oci_spec_open(out, NULL, '{');
		oci_spec_put_str(out, "type", oci_spec_rlimit_name(i));
		oci_spec_put_u64(out, "hard", w->rlimit[i].hard);
		oci_spec_put_u64(out, "soft", w->rlimit[i].soft);
		oci_spec_close(out, '}');
	}
	oci_spec_close(out, ']');
}

static void put_process_members(const struct oci_check *c, struct buf *out)
{
	const struct policy_run *run = &c->image->run;
	const struct oci_want *w = &c->want;

	oci_spec_put_bool(out, "terminal", w->terminal);
	if (w->terminal && w->console_width && w->console_height) {
		oci_spec_open(out, "consoleSize", '{');
		oci_spec_put_u64(out, "height", w->console_height);
		oci_spec_put_u64(out, "width", w->console_width);
		oci_spec_close(out, '}');
	}
	put_user(run, out);
	oci_spec_put_strv(out, "args", (const char *const *)w->argv);
	put_list(out, "env", run->env, run->n_env);
	oci_spec_put_str(out, "cwd", run->cwd);
	put_capabilities(run, out);
	put_rlimits(w, out);
	oci_spec_put_bool(out, "noNewPrivileges", true);
	if (w->has_oom_score_adj)
		oci_spec_put_i64(out, "oomScoreAdj", w->oom_score_adj);
}

void oci_spec_write_process(const struct oci_check *c, struct buf *out)
{
	oci_spec_open(out, NULL, '{');
	put_process_members(c, out);
	oci_spec_close(out, '}');
}

/* --- mounts --------------------------------------------------------------------------------------------------------
 */

struct mount {
	const char *destination;
	const char *type;
	const char *source;
	const char *options[8];
};

/* In this order. /dev lacks nodev alone: its nodes are made there. */
static const struct mount mounts[] = {
	{"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
	{"/dev", "tmpfs", "tmpfs", {"nosuid", "noexec", "strictatime", "mode=755", "size=65536k"}},
	{"/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
	{"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
	{"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
	{"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
	{"/run", "tmpfs", "tmpfs", {"nosuid", "noexec", "nodev", "mode=755", "size=65536k"}},
};

static const struct mount cgroup_mount = {
	"/sys/fs/cgroup",
	"cgroup",
	"cgroup",
	{"nosuid", "noexec", "nodev", "relatime", "ro"},
};

static void put_mount(struct buf *out, const struct mount *m)
{
	oci_spec_open(out, NULL, '{');
	oci_spec_put_str(out, "destination", m->destination);
	oci_spec_put_str(out, "type", m->type);
	oci_spec_put_str(out, "source", m->source);
	oci_spec_put_strv(out, "options", m->options);
	oci_spec_close(out, '}');
}

static bool is_listed(const struct policy_run *run, const char *destination)
{
	for (size_t i = 0; i < run->n_tmpfs; i++)
		if (!strcmp(run->tmpfs[i], destination))
			return true;
	return false;
}

static void put_mounts(const struct oci_check *c, struct buf *out)
{
	const struct policy_run *run = &c->image->run;

	oci_spec_open(out, "mounts", '[');
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		if (!is_listed(run, mounts[i].destination))
			put_mount(out, &mounts[i]);
	if (c->want.cgroup_mount)
		put_mount(out, &cgroup_mount);
	for (size_t i = 0; i < run->n_tmpfs; i++) {
		struct mount m = {
			run->tmpfs[i], "tmpfs", "tmpfs", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}};

		put_mount(out, &m);
	}
	oci_spec_close(out, ']');
}

/* --- linux ---------------------------------------------------------------------------------------------------------
 */

/*
 * What would show the host or let its kernel be set, made unreadable, or read-only. Of /proc this is all that user 0
 * without a capability can write to on Linux 6.12, and what it reads beyond others of physical memory.
 */
static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/dynamic_debug",
	"/proc/interrupts",
	"/proc/kallsyms",
	"/proc/kcore",
	"/proc/keys",
	"/proc/key-users",
	"/proc/kmsg",
	"/proc/kpagecgroup",
	"/proc/kpagecount",
	"/proc/kpageflags",
	"/proc/latency_stats",
	"/proc/pagetypeinfo",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/slabinfo",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/vmallocinfo",
	"/sys/firmware",
	"/sys/fs/selinux",
	"/sys/kernel/security",
	"/sys/kernel/debug",
	"/sys/kernel/tracing",
	"/sys/devices/virtual/powercap",
	"/sys/devices/system/cpu/vulnerabilities",
	NULL,
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

static void put_namespaces(struct buf *out)
{
	static const char *const types[] = {"pid", "network", "ipc", "uts", "mount", "cgroup"};

	oci_spec_open(out, "namespaces", '[');
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		oci_spec_open(out, NULL, '{');
		oci_spec_put_str(out, "type", types[i]);
		oci_spec_close(out, '}');
	}
	oci_spec_close(out, ']');
}

/* Everything is denied; the runtime itself adds the default nodes (null, zero, tty and so on). */
static void put_device_rules(struct buf *out)
{
	oci_spec_open(out, "devices", '[');
	oci_spec_open(out, NULL, '{');
	oci_spec_put_bool(out, "allow", false);
	oci_spec_put_str(out, "access", "rwm");
	oci_spec_close(out, '}');
	oci_spec_close(out, ']');
}

struct number_row {
	const char *key;
	enum oci_number number;
};

/* One member object of resources, left out if none of its numbers is set. */
static void put_numbers(const struct oci_want *w, struct buf *out, const char *group, const struct number_row *rows)
{
	bool any = false;

	for (const struct number_row *row = rows; row->key; row++) {
		if (!w->number[row->number].set)
			continue;
		if (!any)
			oci_spec_open(out, group, '{');
		any = true;
		oci_spec_put_i64(out, row->key, w->number[row->number].value);
	}
	if (any)
		oci_spec_close(out, '}');
}

static void put_cpu(const struct oci_want *w, struct buf *out)
{
	static const struct number_row rows[] = {
		{"shares", OCI_CPU_SHARES},
		{"quota", OCI_CPU_QUOTA},
		{"burst", OCI_CPU_BURST},
		{"period", OCI_CPU_PERIOD},
	};

	oci_spec_open(out, "cpu", '{');
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (w->number[rows[i].number].set)
			oci_spec_put_i64(out, rows[i].key, w->number[rows[i].number].value);
	if (w->cpus)
		oci_spec_put_str(out, "cpus", w->cpus);
	if (w->mems)
		oci_spec_put_str(out, "mems", w->mems);
	oci_spec_close(out, '}');
}

static void put_resources(const struct oci_want *w, struct buf *out)
{
	static const struct number_row memory[] = {
		{"limit", OCI_MEMORY_LIMIT},
		{"reservation", OCI_MEMORY_RESERVATION},
		{"swap", OCI_MEMORY_SWAP},
		{0},
	};
	static const struct number_row pids[] = {{"limit", OCI_PIDS_LIMIT}, {0}};

	oci_spec_open(out, "resources", '{');
	put_device_rules(out);
	put_numbers(w, out, "memory", memory);
	if (w->cpus || w->mems || w->number[OCI_CPU_SHARES].set || w->number[OCI_CPU_QUOTA].set ||
	    w->number[OCI_CPU_BURST].set || w->number[OCI_CPU_PERIOD].set)
		put_cpu(w, out);
	put_numbers(w, out, "pids", pids);
	oci_spec_close(out, '}');
}

static void put_linux(const struct oci_want *w, struct buf *out)
{
	oci_spec_open(out, "linux", '{');
	put_namespaces(out);
	put_resources(w, out);
	if (w->cgroups_path)
		oci_spec_put_str(out, "cgroupsPath", w->cgroups_path);
	oci_spec_put_str(out, "rootfsPropagation", "private");
	oci_spec_put_strv(out, "maskedPaths", masked_paths);
	oci_spec_put_strv(out, "readonlyPaths", readonly_paths);
	oci_spec_put_seccomp(out);
	oci_spec_close(out, '}');
}

void oci_spec_write_config(const struct oci_check *c, struct buf *out)
{
	oci_spec_open(out, NULL, '{');
	oci_spec_put_str(out, "ociVersion", "1.0.0");
	oci_spec_open(out, "process", '{');
	put_process_members(c, out);
	oci_spec_close(out, '}');
	oci_spec_open(out, "root", '{');
	oci_spec_put_str(out, "path", c->in->rootfs);
	oci_spec_put_bool(out, "readonly", true);
	oci_spec_close(out, '}');
	if (c->want.hostname)
		oci_spec_put_str(out, "hostname", c->want.hostname);
	put_mounts(c, out);
	put_linux(&c->want, out);
	oci_spec_close(out, '}');
}
