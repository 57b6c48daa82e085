/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/oci_spec_linux.c - the linux object and mounts: what the container shares, sees and may use */
#include "policy/oci_spec_check.h"

#include <string.h>

#define MAX_MOUNT_OPTIONS_BYTES 256

/* --- mounts --------------------------------------------------------------------------------------------------------
 */

/*
 * What engines ask for by themselves. None of it is passed on: the output has our own mounts (oci_spec_write.c). So a
 * row here only says that asking is no reason to refuse. The bind mounts would bring the engine's files for names and
 * for its marker; the container gets the empty ones of the bottom layer, and shm as a tmpfs of its own.
 */
static const struct {
	const char *destination;
	const char *type;
} standard_mounts[] = {
	{"/proc", "proc"},
	{"/dev", "tmpfs"},
	{"/dev/pts", "devpts"},
	{"/dev/shm", "tmpfs"},
	{"/dev/shm", "bind"},
	{"/dev/mqueue", "mqueue"},
	{"/sys", "sysfs"},
	{"/sys/fs/cgroup", "cgroup"},
	{"/sys/fs/cgroup", "cgroup2"},
	{"/run", "tmpfs"},
	{"/tmp", "tmpfs"},
	{"/var/tmp", "tmpfs"},
	{"/etc/hosts", "bind"},
	{"/etc/hostname", "bind"},
	{"/etc/resolv.conf", "bind"},
	{"/run/.containerenv", "bind"},
	{"/dev/termination-log", "bind"},
};

static bool mount_is_allowed(const struct policy_run *run, const char *destination, const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(standard_mounts); i++)
		if (!strcmp(standard_mounts[i].destination, destination) && !strcmp(standard_mounts[i].type, type))
			return true;
	for (size_t i = 0; i < run->n_tmpfs; i++)
		if (!strcmp(run->tmpfs[i], destination) && !strcmp(type, "tmpfs"))
			return true;
	return false;
}

static const char *member(json_object *o, const char *key)
{
	json_object *v = NULL;

	return json_object_object_get_ex(o, key, &v) && json_str(v) ? json_str(v) : "";
}

static int check_mount(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"destination", json_type_string, CODE_NONE, NULL},
		{"type", json_type_string, CODE_NONE, NULL},
		{"source", json_type_string, CODE_NONE, NULL},
		{"options", json_type_array, CODE_NONE, oci_spec_strings},
		{"uidMappings", json_type_null, CODE_GATE_MOUNT, NULL},
		{"gidMappings", json_type_null, CODE_GATE_MOUNT, NULL},
		{0},
	};
	const char *destination = member(v, "destination"), *type = member(v, "type");
	int r = oci_spec_object(c, v, where, fields);

	if (r)
		return r;
	if (!mount_is_allowed(&c->image->run, destination, type))
		return oci_spec_refuse(c, CODE_GATE_MOUNT,
				       "%s: %s: a mount of type \"%.20s\" from \"%.60s\" on \"%.60s\" is not allowed",
				       c->in->name, where, type, member(v, "source"), destination);
	if (!strcmp(destination, "/sys/fs/cgroup"))
		c->want.cgroup_mount = true;
	return 0;
}

int oci_spec_mounts(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_object, check_mount);
}

/* --- namespaces ----------------------------------------------------------------------------------------------------
 */

static const char *const namespace_names[] = {"pid", "network", "ipc", "uts", "mount", "cgroup"};
_Static_assert(ARRAY_SIZE(namespace_names) == OCI_NS_COUNT_, "in the order of enum oci_namespace");

/* "/proc/<pid>/ns/<name>", not of PID 1; @name as the kernel has it. */
static bool is_process_namespace(const char *s, const char *name)
{
	size_t digits;

	if (strncmp(s, "/proc/", 6))
		return false;
	s += 6;
	digits = strspn(s, "0123456789");
	return digits && digits <= 7 && *s != '0' && strncmp(s, "1/", 2) && !strncmp(s + digits, "/ns/", 4) && !strcmp(s + digits + 4, name);
}

/* "<folder>/cni-<UUID>": what CRI makes for a pod before there is a process in it. */
static bool is_pod_network(const char *s)
{
	static const char *const folders[] = {
		"/run/netns/cni-",
		"/var/run/netns/cni-",
		"/run/containerd/io.containerd.grpc.v1.cri/netns/cni-", /* netns_mounts_under_state_dir */
	};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		size_t n = strlen(folders[i]);

		if (!strncmp(s, folders[i], n) && strlen(s + n) == 36 && oci_spec_chars(s + n, "0123456789abcdef-", 36))
			return true;
	}
	return false;
}

/*
 * A namespace that is there already. CRI names its pod's: the network that it made, and for containers those of the
 * sandbox. It is no reason to refuse, and is dropped: each container gets new ones of its own (there is no network to share
 * but a loopback). Other paths, a pod's common process ids and anybody but CRI are refused.
 */
static int check_namespace_path(struct oci_check *c, json_object *v, const char *type, const char *where)
{
	const char *path = json_str(v);

	if (!path)
		return oci_spec_refuse(c, CODE_GATE_NAMESPACE, "%s: %s.path: wanted a string", c->in->name, where);
	if (!*path)
		return 0;
	if (c->cri != OCI_CRI_NONE && !strcmp(type, "network") && is_pod_network(path))
		return 0;
	if (c->cri == OCI_CRI_CONTAINER &&
	    ((!strcmp(type, "network") && is_process_namespace(path, "net")) || (!strcmp(type, "ipc") && is_process_namespace(path, "ipc")) ||
	     (!strcmp(type, "uts") && is_process_namespace(path, "uts"))))
		return 0;
	return oci_spec_refuse(c, CODE_GATE_NAMESPACE, "%s: %s.path: \"%.60s\": a namespace that is there already is not joined", c->in->name,
			       where, path);
}

static int check_namespace(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"type", json_type_string, CODE_NONE, NULL},
		{"path", json_type_null, CODE_NONE, NULL}, /* judged below, with the type */
		{0},
	};
	json_object *path = NULL;
	unsigned i = 0;
	int r = oci_spec_object(c, v, where, fields);

	if (!r && json_object_object_get_ex(v, "path", &path) && path)
		r = check_namespace_path(c, path, member(v, "type"), where);

	if (r)
		return r;
	while (i < ARRAY_SIZE(namespace_names) && strcmp(namespace_names[i], member(v, "type")))
		i++;
	if (i == ARRAY_SIZE(namespace_names))
		return oci_spec_refuse(c, CODE_GATE_NAMESPACE, "%s: %s: a namespace of type \"%.20s\" is not allowed",
				       c->in->name, where, member(v, "type"));
	if (c->want.namespaces & 1u << i)
		return oci_spec_refuse(c, CODE_GATE_NAMESPACE, "%s: %s: \"%s\" stands there twice", c->in->name, where,
				       namespace_names[i]);
	c->want.namespaces |= 1u << i;
	return 0;
}

static int check_namespaces(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_object, check_namespace);
}

/* All but cgroup, which some engines leave out; the output has all six. */
static int check_namespaces_are_all(struct oci_check *c)
{
	for (unsigned i = 0; i < ARRAY_SIZE(namespace_names); i++)
		if (i != OCI_NS_CGROUP && !(c->want.namespaces & 1u << i))
			return oci_spec_refuse(c, CODE_GATE_NAMESPACE,
					       "%s: linux.namespaces: \"%s\" is missing: it would be the host's",
					       c->in->name, namespace_names[i]);
	return 0;
}

/* --- devices -------------------------------------------------------------------------------------------------------
 */

/* The character devices that every container has. @minor -1: any. @path NULL: no node of that name is made. */
static const struct {
	const char *path;
	int64_t major, minor;
} default_devices[] = {
	{"/dev/null", 1, 3}, {"/dev/zero", 1, 5},    {"/dev/full", 1, 7}, {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9},
	{"/dev/tty", 5, 0},  {"/dev/console", 5, 1}, {"/dev/ptmx", 5, 2}, {NULL, 136, -1},
};

static int64_t number_or(json_object *o, const char *key, int64_t fallback)
{
	json_object *v = NULL;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_int) ? json_object_get_int64(v)
											      : fallback;
}

static bool device_is_default(json_object *v, bool needs_path)
{
	int64_t major = number_or(v, "major", -2), minor = number_or(v, "minor", -1);

	if (strcmp(member(v, "type"), "c"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
		const char *path = default_devices[i].path;

		if (default_devices[i].major == major && default_devices[i].minor == minor &&
		    (!needs_path || (path && !strcmp(path, member(v, "path")))))
			return true;
	}
	return false;
}

static int check_device(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"path", json_type_string, CODE_NONE, NULL},  {"type", json_type_string, CODE_NONE, NULL},
		{"major", json_type_int, CODE_NONE, NULL},    {"minor", json_type_int, CODE_NONE, NULL},
		{"fileMode", json_type_int, CODE_NONE, NULL}, {"uid", json_type_int, CODE_NONE, NULL},
		{"gid", json_type_int, CODE_NONE, NULL},      {0},
	};
	int r = oci_spec_object(c, v, where, fields);

	if (r || device_is_default(v, true))
		return r;
	return oci_spec_refuse(c, CODE_GATE_DEVICE, "%s: %s: device \"%.60s\" is not one of the default ones",
			       c->in->name, where, member(v, "path"));
}

static int check_devices(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_object, check_device);
}

static int check_device_rule(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"allow", json_type_boolean, CODE_NONE, NULL}, {"type", json_type_string, CODE_NONE, NULL},
		{"major", json_type_int, CODE_NONE, NULL},     {"minor", json_type_int, CODE_NONE, NULL},
		{"access", json_type_string, CODE_NONE, NULL}, {0},
	};
	json_object *allow = NULL;
	int r = oci_spec_object(c, v, where, fields);

	if (r)
		return r;
	(void)json_object_object_get_ex(v, "allow", &allow); /* absent is false */
	if (!json_object_get_boolean(allow) || device_is_default(v, false))
		return 0;
	return oci_spec_refuse(c, CODE_GATE_DEVICE,
			       "%s: %s: allows device \"%.4s\" %lld:%lld, not one of the default ones", c->in->name,
			       where, member(v, "type"), (long long)number_or(v, "major", -1),
			       (long long)number_or(v, "minor", -1));
}

static int check_device_rules(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_object, check_device_rule);
}

/* --- resources -----------------------------------------------------------------------------------------------------
 */

/* The end of a path says which number it is: rows of @numbers and of the tables below are written together. */
static const struct {
	const char *path;
	int64_t least, most;
} numbers[] = {
	[OCI_MEMORY_LIMIT] = {"memory.limit", -1, INT64_MAX - 1},
	[OCI_MEMORY_RESERVATION] = {"memory.reservation", -1, INT64_MAX - 1},
	[OCI_MEMORY_SWAP] = {"memory.swap", -1, INT64_MAX - 1},
	[OCI_CPU_SHARES] = {"cpu.shares", 0, 262144},
	[OCI_CPU_QUOTA] = {"cpu.quota", -1, 1000000000},
	[OCI_CPU_BURST] = {"cpu.burst", 0, 1000000000},
	[OCI_CPU_PERIOD] = {"cpu.period", 0, 1000000},
	[OCI_PIDS_LIMIT] = {"pids.limit", -1, 4194304},
};
_Static_assert(ARRAY_SIZE(numbers) == OCI_NUMBER_COUNT_, "one row a number");

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static int check_number(struct oci_check *c, json_object *v, const char *where)
{
	int64_t n = json_object_get_int64(v);
	size_t i = 0;

	while (i < ARRAY_SIZE(numbers) && !ends_with(where, numbers[i].path))
		i++;
	if (i == ARRAY_SIZE(numbers) || n < numbers[i].least || n > numbers[i].most)
		return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: %lld is out of bounds", c->in->name, where,
				       (long long)n);
	/* 0 and -1 say "no limit", which a new cgroup has anyway; written, they would need the controller. */
	c->want.number[i].set = n > 0;
	c->want.number[i].value = n;
	return 0;
}

static int check_cpuset(struct oci_check *c, json_object *v, const char *where)
{
	if (!json_object_get_string_len(v))
		return 0;
	if (!oci_spec_chars(json_str(v), "0123456789,-", 128))
		return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: wanted a list of numbers", c->in->name, where);
	if (ends_with(where, ".cpus"))
		c->want.cpus = json_str(v);
	else
		c->want.mems = json_str(v);
	return 0;
}

static int check_memory(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"limit", json_type_int, CODE_NONE, check_number},
		{"reservation", json_type_int, CODE_NONE, check_number},
		{"swap", json_type_int, CODE_NONE, check_number},
		{"kernel", json_type_int, CODE_NONE, NULL},    /* gone from the kernel */
		{"kernelTCP", json_type_int, CODE_NONE, NULL}, /* cgroup v1 only, as are the next three */
		{"swappiness", json_type_int, CODE_NONE, NULL},
		{"useHierarchy", json_type_boolean, CODE_NONE, NULL},
		{"checkBeforeUpdate", json_type_boolean, CODE_NONE, NULL},
		{"disableOOMKiller", json_type_null, CODE_GATE_CONFIG, NULL},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

static int check_cpu(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"shares", json_type_int, CODE_NONE, check_number},
		{"quota", json_type_int, CODE_NONE, check_number},
		{"burst", json_type_int, CODE_NONE, check_number},
		{"period", json_type_int, CODE_NONE, check_number},
		{"cpus", json_type_string, CODE_NONE, check_cpuset},
		{"mems", json_type_string, CODE_NONE, check_cpuset},
		{"idle", json_type_int, CODE_NONE, NULL},
		{"realtimeRuntime", json_type_null, CODE_GATE_CONFIG, NULL},
		{"realtimePeriod", json_type_null, CODE_GATE_CONFIG, NULL},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

static int check_pids(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"limit", json_type_int, CODE_NONE, check_number},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

static int check_resources(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"devices", json_type_array, CODE_NONE, check_device_rules},
		{"memory", json_type_object, CODE_NONE, check_memory},
		{"cpu", json_type_object, CODE_NONE, check_cpu},
		{"pids", json_type_object, CODE_NONE, check_pids},
		{"blockIO", json_type_null, CODE_GATE_CONFIG, NULL},
		{"hugepageLimits", json_type_null, CODE_GATE_CONFIG, NULL},
		{"network", json_type_null, CODE_GATE_CONFIG, NULL},
		{"rdma", json_type_null, CODE_GATE_CONFIG, NULL},
		{"unified", json_type_null, CODE_GATE_CONFIG, NULL},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

/* Is the last part of path @s the id itself, or what podman makes of it? */
static bool cgroup_is_named_after(const char *s, const char *id)
{
	size_t n = strlen(s), m = strlen(id), podman = strlen("libpod-");
	size_t at = n < m ? 0 : n - m;

	if (strcmp(s + at, id))
		return false;
	if (at >= podman && !strncmp(s + at - podman, "libpod-", podman))
		at -= podman;
	return at == 0 || strchr("/:", s[at - 1]);
}

/* A group named after the container, so that one container does not end up in the group of another. */
static int check_cgroups_path(struct oci_check *c, json_object *v, const char *where)
{
	const char *s = json_str(v);

	if (!*s)
		return 0;
	if (!oci_spec_chars(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-", 512) ||
	    *s == '.' || strstr(s, "/.") || strstr(s, "..") || !cgroup_is_named_after(s, c->in->id))
		return oci_spec_refuse(c, CODE_GATE_CONFIG,
				       "%s: %s: \"%.80s\": wanted a plain path that ends with the container's id",
				       c->in->name, where, s);
	c->want.cgroups_path = s;
	return 0;
}

/*
 * PID 1 keeps the engine and the agent in groups of their own. A container in one of these could have them frozen with
 * it, limited, or ended. Without a path the runtime takes the id.
 */
static int check_cgroup_is_not_of_pid1(struct oci_check *c)
{
	static const char *const taken[] = {"engine", "agent", POLICY_JIT_GROUP};
	const char *s = c->want.cgroups_path ? c->want.cgroups_path : c->in->id;
	size_t n;

	s += strspn(s, "/");
	n = strcspn(s, "/");
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (n == strlen(taken[i]) && !strncmp(s, taken[i], n))
			return oci_spec_refuse(c, CODE_GATE_CONFIG,
					       "%s: linux.cgroupsPath: /%s is a group of PID 1's own", c->in->name,
					       taken[i]);
	return 0;
}

/* --- the rest of linux ---------------------------------------------------------------------------------------------
 */

/* podman sets this one by itself; it is dropped. Any other kernel setting is refused. */
static int check_sysctl(struct oci_check *c, json_object *v, const char *where)
{
	json_object_object_foreach (v, key, value) {
		if (strcmp(key, "net.ipv4.ping_group_range") || !json_str(value))
			return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: \"%.60s\": kernel settings are refused",
					       c->in->name, where, key);
	}
	return 0;
}

static int check_seccomp_arg(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"index", json_type_int, CODE_NONE, NULL},
		{"value", json_type_int, CODE_NONE, NULL},
		{"valueTwo", json_type_int, CODE_NONE, NULL},
		{"op", json_type_string, CODE_NONE, NULL},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

static int check_seccomp_args(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_object, check_seccomp_arg);
}

static int check_seccomp_rule(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"names", json_type_array, CODE_NONE, oci_spec_strings},
		{"action", json_type_string, CODE_NONE, NULL},
		{"errnoRet", json_type_int, CODE_NONE, NULL},
		{"args", json_type_array, CODE_NONE, check_seccomp_args},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

static int check_seccomp_rules(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_object, check_seccomp_rule);
}

/* The engine's profile is replaced by ours whatever it says; only a listener, a program outside that decides, is
 * refused. */
static int check_seccomp(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"defaultAction", json_type_string, CODE_NONE, NULL},
		{"defaultErrnoRet", json_type_int, CODE_NONE, NULL},
		{"architectures", json_type_array, CODE_NONE, oci_spec_strings},
		{"flags", json_type_array, CODE_NONE, oci_spec_strings},
		{"syscalls", json_type_array, CODE_NONE, check_seccomp_rules},
		{"listenerPath", json_type_null, CODE_GATE_SECCOMP, NULL},
		{"listenerMetadata", json_type_null, CODE_GATE_SECCOMP, NULL},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

int oci_spec_linux(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"namespaces", json_type_array, CODE_NONE, check_namespaces},
		{"devices", json_type_array, CODE_NONE, check_devices},
		{"resources", json_type_object, CODE_NONE, check_resources},
		{"cgroupsPath", json_type_string, CODE_NONE, check_cgroups_path},
		{"seccomp", json_type_object, CODE_NONE, check_seccomp},
		{"sysctl", json_type_object, CODE_NONE, check_sysctl},
		{"maskedPaths", json_type_array, CODE_NONE, oci_spec_strings},   /* ours are written instead */
		{"readonlyPaths", json_type_array, CODE_NONE, oci_spec_strings}, /* likewise */
		{"rootfsPropagation", json_type_string, CODE_NONE, NULL},        /* always private */
		{"uidMappings", json_type_null, CODE_GATE_NAMESPACE, NULL},
		{"gidMappings", json_type_null, CODE_GATE_NAMESPACE, NULL},
		{"timeOffsets", json_type_null, CODE_GATE_NAMESPACE, NULL},
		{"netDevices", json_type_null, CODE_GATE_DEVICE, NULL},
		{"mountLabel", json_type_null, CODE_GATE_CONFIG, NULL},
		{"intelRdt", json_type_null, CODE_GATE_CONFIG, NULL},
		{"personality", json_type_null, CODE_GATE_CONFIG, NULL},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

/* Each class has a group of its own, which none but its containers are in; so has each image that may make code. */
static void put_into_own_group(struct oci_check *c)
{
	if (c->image->run.jit)
		(void)snprintf(c->want.own_group, sizeof(c->want.own_group), "/" POLICY_JIT_GROUP "/%s/%s", c->image->name,
			       c->in->id); /* both are bounded */
	else if (c->in->policy->n_classes)
		(void)snprintf(c->want.own_group, sizeof(c->want.own_group), "/class.%s/%s", c->image->class_name,
			       c->in->id); /* likewise */
	else
		return;
	c->want.cgroups_path = c->want.own_group;
}

int oci_spec_linux_done(struct oci_check *c)
{
	int r = check_namespaces_are_all(c);

	r = r ? r : check_cgroup_is_not_of_pid1(c);
	if (!r)
		put_into_own_group(c);
	return r;
}
