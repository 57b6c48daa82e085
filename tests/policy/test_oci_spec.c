/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_oci_spec.c - each thing an engine must not ask for is refused with its code; what it may ask passes
 *
 * The good files are what real engines wrote (tests/data/oci-config/README); most bad ones differ from
 * good-ctr-run.json in the one thing that their name says, so the good file is the allowed twin of each.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "common/json.h"
#include "policy/oci_spec.h"

#define DATA      "tests/data/oci-config/"
#define HASH_A    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PODMAN_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ROOTFS    "/run/holdfast/gate/x/rootfs"

#define IMAGE(name, args, exec, uid, caps, tmpfs)                                                                      \
	"{\"name\":\"" name "\",\"class\":\"default\",\"manifest\":\"" HASH_A "\",\"config\":\"" HASH_A "\","          \
	"\"layers\":[{\"diff_id\":\"" HASH_A "\",\"root_hash\":\"" HASH_A "\",\"data_bytes\":4096}],"                  \
	"\"run\":{\"args\":" args ",\"exec\":" exec ",\"env\":[\"PATH=/bin\",\"LANG=C\"],\"cwd\":\"/\","               \
	"\"user\":{\"uid\":" uid ",\"gid\":" uid "},\"capabilities\":" caps ",\"tmpfs\":" tmpfs ","                    \
	"\"network\":\"none\",\"seccomp\":\"default\"}}"

static const char policy_text[] = "{\"holdfast\":\"layer-policy/1\",\"name\":\"test\",\"version\":1,\"images\":[" IMAGE(
	"hello", "[[\"/bin/busybox\",\"echo\",\"hello\"],[\"/bin/busybox\",\"sh\"]]", "[[\"/bin/busybox\",\"id\"]]",
	"0", "[\"CAP_NET_BIND_SERVICE\",\"CAP_IPC_LOCK\"]",
	"[\"/tmp\"]") "," IMAGE("hello-two", "[[\"/two\"]]", "[]", "0", "[]",
				"[]") "," IMAGE("user", "[[\"/bin/busybox\",\"echo\",\"hello\"]]", "[]", "1000", "[]",
						"[]") "],\"revoked\":[]}";

#include "tests/policy/policy_fixture.h"

static void read_data(const char *file, struct buf *ret)
{
	struct err e = ERR_INIT;
	char path[256];

	(void)snprintf(path, sizeof(path), DATA "%s.json", file);
	assert_ok(file_read(path, OCI_SPEC_MAX_BYTES, ret, &e), &e);
}

/* The verdict on a file: 0 or the code; the sentence in @e; the output in @out. */
static enum code judge(const char *file, const char *id, struct buf *out, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	const struct policy_image *image = NULL;
	enum code code = CODE_NONE;
	struct oci_spec_input in = {.name = "config.json", .id = id, .policy = policy, .rootfs = ROOTFS};

	read_data(file, &text);
	in.bytes = text.data;
	in.len = text.len;
	if (oci_spec_create(&in, &image, out, &code, e) == 0) {
		assert_non_null(image);
		assert_int_equal(code, CODE_NONE);
		return CODE_NONE;
	}
	assert_int_not_equal(code, CODE_NONE);
	assert_null(out->data);
	return code;
}

static json_object *at(json_object *o, const char *pointer)
{
	json_object *v = NULL;

	if (json_pointer_get(o, pointer, &v))
		return NULL;
	return v;
}

static void assert_text(json_object *o, const char *pointer, const char *want)
{
	assert_non_null(at(o, pointer));
	assert_string_equal(
		json_object_to_json_string_ext(at(o, pointer), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
		want);
}

static void assert_listed(json_object *a, const char *want)
{
	size_t n = json_object_array_length(a), i = 0;

	while (i < n && strcmp(json_str(json_object_array_get_idx(a, i)), want))
		i++;
	if (i == n)
		fail_msg("%s is not listed", want);
}

/* What no container of image "hello" may ever lack or have, whatever was asked. */
static void assert_closed(json_object *o)
{
	static const char caps[] = "[\"CAP_NET_BIND_SERVICE\",\"CAP_IPC_LOCK\"]";

	assert_text(o, "/process/noNewPrivileges", "true");
	assert_text(o, "/process/env", "[\"PATH=/bin\",\"LANG=C\"]");
	assert_text(o, "/process/cwd", "\"/\"");
	assert_text(o, "/process/user", "{\"uid\":0,\"gid\":0}");
	assert_text(o, "/process/capabilities/bounding", caps);
	assert_text(o, "/process/capabilities/effective", caps);
	assert_text(o, "/process/capabilities/permitted", caps);
	assert_text(o, "/process/capabilities/inheritable", "[]");
	assert_text(o, "/process/capabilities/ambient", "[]");
	assert_text(o, "/root", "{\"path\":\"" ROOTFS "\",\"readonly\":true}");
	assert_text(o, "/linux/readonlyPaths",
		    "[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]");
	assert_listed(at(o, "/linux/maskedPaths"), "/proc/dynamic_debug"); /* user 0 may write it without a capability */
	assert_listed(at(o, "/linux/maskedPaths"), "/proc/kpageflags");
	assert_listed(at(o, "/linux/maskedPaths"), "/sys/kernel/security");
	assert_text(o, "/linux/namespaces",
		    "[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
		    "{\"type\":\"mount\"},{\"type\":\"cgroup\"}]");
	assert_text(o, "/linux/resources/devices", "[{\"allow\":false,\"access\":\"rwm\"}]");
	assert_text(o, "/linux/seccomp/defaultAction", "\"SCMP_ACT_ERRNO\"");
	assert_null(at(o, "/hooks"));
	assert_null(at(o, "/annotations"));
	assert_null(at(o, "/linux/devices"));
	assert_null(at(o, "/linux/sysctl"));
	assert_null(at(o, "/linux/uidMappings"));
	assert_null(at(o, "/process/apparmorProfile"));
}

static bool has_option(json_object *mount, const char *word)
{
	json_object *options = at(mount, "/options");

	for (size_t i = 0; i < json_object_array_length(options); i++)
		if (!strcmp(json_str(json_object_array_get_idx(options, i)), word))
			return true;
	return false;
}

static void assert_mounts_closed(json_object *o)
{
	json_object *mounts = at(o, "/mounts");

	assert_true(json_object_array_length(mounts) >= 8);
	for (size_t i = 0; i < json_object_array_length(mounts); i++) {
		json_object *m = json_object_array_get_idx(mounts, i);
		const char *type = json_str(at(m, "/type"));

		assert_true(has_option(m, "nosuid") && has_option(m, "noexec"));
		assert_string_not_equal(type, "bind");
		if (strcmp(json_str(at(m, "/destination")), "/dev") && strcmp(type, "devpts"))
			assert_true(has_option(m, "nodev"));
		if (!strcmp(type, "sysfs") || !strcmp(type, "cgroup"))
			assert_true(has_option(m, "ro"));
		if (!strcmp(type, "tmpfs"))
			assert_true(has_option(m, "size=65536k"));
	}
}

static void what_engines_ask_by_themselves_is_accepted_and_closed(void **state)
{
	static const struct {
		const char *file;
		const char *id;
	} good[] = {
		{"good-ctr-run", "hello"},           {"good-ctr-run-ro", "hello"},
		{"good-ctr-run-limits", "hello"},    {"good-ctr-run-seccomp", "hello"},
		{"good-ctr-run-device", "hello"},    {"good-podman-run", PODMAN_ID},
		{"good-podman-run-ro", PODMAN_ID},   {"good-podman-run-tty", PODMAN_ID},
		{"good-hooks-empty", "hello"},       {"good-tmpfs-listed", "hello"},
		{"good-env-listed", "hello"},        {"good-seccomp-allow-all", "hello"},
		{"good-capability-listed", "hello"}, {"good-annotation-cri", "hello"},
		{"good-rlimits", "hello"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cleanup_buf struct buf out = BUF_INIT;
		cleanup_json json_object *o = NULL;
		struct err e = ERR_INIT;
		enum code code = judge(good[i].file, good[i].id, &out, &e);

		if (code)
			print_error("%s: E%d %s\n", good[i].file, code, e.msg);
		assert_int_equal(code, CODE_NONE);
		assert_ok(json_parse(out.data, out.len, good[i].file, &o, &e), &e);
		assert_closed(o);
		assert_mounts_closed(o);
	}
}

static const struct bad {
	const char *file;
	enum code code;
	const char *part;
} bad[] = {
	/* from real engines */
	{"bad-ctr-run-priv", CODE_GATE_CAPABILITY, "process.capabilities.bounding[2]: CAP_DAC_READ_SEARCH"},
	{"bad-ctr-run-cap", CODE_GATE_CAPABILITY, "CAP_SYS_ADMIN"},
	{"bad-ctr-run-mount", CODE_GATE_MOUNT, "from \"/etc\" on \"/host\""},
	{"bad-ctr-run-nethost", CODE_GATE_NAMESPACE, "\"network\" is missing"},
	{"bad-ctr-run-env", CODE_GATE_ENV, "process.env[0]: \"LD_PRELOAD=/x.so\""},
	{"bad-ctr-run-user", CODE_GATE_USER, "is 1000:1000, image \"hello\" wants 0:0"},
	{"bad-podman-run-net", CODE_GATE_NAMESPACE, "\"network\" is missing"},
	{"bad-podman-run-privileged", CODE_GATE_CAPABILITY, "CAP_AUDIT_CONTROL"},
	{"bad-podman-run-volume", CODE_GATE_MOUNT, "\"/host\""},
	/* the document */
	{"bad-array", CODE_GATE_CONFIG, "wanted an object"},
	{"bad-duplicate-key", CODE_GATE_CONFIG, "stands twice"},
	{"bad-trailing", CODE_GATE_CONFIG, "wanted the end"},
	{"bad-truncated", CODE_GATE_CONFIG, "wanted a well-formed value"},
	{"bad-empty", CODE_GATE_CONFIG, "ends at byte 0"},
	{"bad-wrong-type", CODE_GATE_CONFIG, "process.args: is of type string, wanted array"},
	{"bad-null-argument", CODE_GATE_CONFIG, "process.args[1]: is null"},
	{"bad-version", CODE_GATE_CONFIG, "wanted 1.x"},
	{"bad-unknown-field-top", CODE_GATE_CONFIG, "extra: unknown field"},
	{"bad-unknown-field-x", CODE_GATE_CONFIG, "x-note: unknown field"},
	{"bad-unknown-field-process", CODE_GATE_CONFIG, "process.keepCapabilities: unknown field"},
	{"bad-unknown-field-linux", CODE_GATE_CONFIG, "linux.memoryPolicy: unknown field"},
	{"bad-unknown-field-mount", CODE_GATE_CONFIG, "mounts[0].data: unknown field"},
	{"bad-windows", CODE_GATE_CONFIG, "windows: must be absent"},
	{"bad-vm", CODE_GATE_CONFIG, "vm: must be absent"},
	{"bad-domainname", CODE_GATE_CONFIG, "domainname: must be absent"},
	{"bad-hostname", CODE_GATE_CONFIG, "hostname: not a host name"},
	/* who it is */
	{"bad-annotation-hint", CODE_GATE_NO_ENTRY, "no image \"nosuch\" (named by the annotation org.holdfast.image)"},
	{"bad-annotation-cri", CODE_GATE_NO_ENTRY, "no image \"nosuch\" (named by the annotation io.kubernetes"},
	{"bad-annotation-crun", CODE_GATE_CONFIG, "\"run.oci.handler\" is not an annotation"},
	{"bad-annotation-unknown", CODE_GATE_CONFIG, "\"com.example.x\" is not an annotation"},
	/* process */
	{"bad-process-missing", CODE_GATE_ARGS, "process.args is missing"},
	{"bad-args", CODE_GATE_ARGS, "\"/bin/busybox\" and its 3 arguments are none of the 2 vectors"},
	{"bad-args-prefix", CODE_GATE_ARGS, "none of the 2 vectors"},
	{"bad-args-longer", CODE_GATE_ARGS, "none of the 2 vectors"},
	{"bad-args-empty", CODE_GATE_ARGS, "none of the 2 vectors"},
	{"bad-args-missing", CODE_GATE_ARGS, "process.args is missing"},
	{"bad-cwd", CODE_GATE_ARGS, "process.cwd is \"/etc\""},
	{"bad-env-path", CODE_GATE_ENV, "\"PATH=/tmp\""},
	{"bad-env-value", CODE_GATE_ENV, "\"LANG=C.UTF-8\""},
	{"bad-gid", CODE_GATE_USER, "is 0:5"},
	{"bad-uid-negative", CODE_GATE_USER, "process.user.uid: not a user"},
	{"bad-capability-ambient", CODE_GATE_CAPABILITY, "ambient[0]: CAP_SYS_PTRACE"},
	{"bad-capability-unknown", CODE_GATE_CAPABILITY, "an unknown name"},
	{"bad-oom-score", CODE_GATE_CAPABILITY, "process.oomScoreAdj: is -999"},
	{"bad-rlimit", CODE_GATE_CONFIG, "process.rlimits[0]"},
	{"bad-rlimit-unknown", CODE_GATE_CONFIG, "process.rlimits[0]"},
	{"bad-apparmor", CODE_GATE_CONFIG, "process.apparmorProfile: must be absent"},
	{"bad-selinux", CODE_GATE_CONFIG, "process.selinuxLabel: must be absent"},
	/* mounts */
	{"bad-mount-proc-bind", CODE_GATE_MOUNT, "type \"bind\" from \"/proc\" on \"/proc\""},
	{"bad-mount-tmpfs-elsewhere", CODE_GATE_MOUNT, "on \"/bin\""},
	{"bad-mount-overlay", CODE_GATE_MOUNT, "type \"overlay\""},
	{"bad-mount-dev-bind", CODE_GATE_MOUNT, "on \"/dev\""},
	{"bad-mount-idmap", CODE_GATE_MOUNT, "mounts[0].uidMappings"},
	/* linux */
	{"bad-linux-missing", CODE_GATE_NAMESPACE, "\"pid\" is missing"},
	{"bad-namespaces-null", CODE_GATE_NAMESPACE, "\"pid\" is missing"},
	{"bad-namespace-pid-missing", CODE_GATE_NAMESPACE, "\"pid\" is missing"},
	{"bad-namespace-network-path", CODE_GATE_NAMESPACE, "a namespace that is there already is not joined"},
	{"bad-namespace-user", CODE_GATE_NAMESPACE, "type \"user\""},
	{"bad-namespace-twice", CODE_GATE_NAMESPACE, "\"pid\" stands there twice"},
	{"bad-uid-mappings", CODE_GATE_NAMESPACE, "linux.uidMappings"},
	{"bad-hook-prestart", CODE_GATE_HOOK, "hooks.prestart"},
	{"bad-hook-create-runtime", CODE_GATE_HOOK, "hooks.createRuntime"},
	{"bad-device-node", CODE_GATE_DEVICE, "\"/dev/mem\""},
	{"bad-device-renamed", CODE_GATE_DEVICE, "\"/dev/sda\""},
	{"bad-device-block", CODE_GATE_DEVICE, "\"/dev/null\""},
	{"bad-device-rule-all", CODE_GATE_DEVICE, "linux.resources.devices[0]"},
	{"bad-device-rule-disk", CODE_GATE_DEVICE, "\"b\" 8:0"},
	{"bad-sysctl", CODE_GATE_CONFIG, "\"kernel.core_pattern\""},
	{"bad-seccomp-listener", CODE_GATE_SECCOMP, "linux.seccomp.listenerPath"},
	{"bad-seccomp-unknown-field", CODE_GATE_CONFIG, "linux.seccomp.bypass: unknown field"},
	{"bad-personality", CODE_GATE_CONFIG, "linux.personality"},
	{"bad-intel-rdt", CODE_GATE_CONFIG, "linux.intelRdt"},
	{"bad-mount-label", CODE_GATE_CONFIG, "linux.mountLabel"},
	{"bad-cgroups-path", CODE_GATE_CONFIG, "ends with the container's id"},
	{"bad-cgroups-path-dots", CODE_GATE_CONFIG, "ends with the container's id"},
	{"bad-resources-unified", CODE_GATE_CONFIG, "linux.resources.unified"},
	{"bad-resources-memory", CODE_GATE_CONFIG, "linux.resources.memory.limit: -5"},
	{"bad-resources-cpus", CODE_GATE_CONFIG, "linux.resources.cpu.cpus"},
};

static void what_the_policy_does_not_allow_is_refused_with_its_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *id = strstr(bad[i].file, "podman") ? PODMAN_ID : "hello";
		cleanup_buf struct buf out = BUF_INIT;
		struct err e = ERR_INIT;
		enum code code = judge(bad[i].file, id, &out, &e);

		if (code != bad[i].code || !strstr(e.msg, bad[i].part))
			fail_msg("%s: E%d \"%s\", wanted E%d \"%s\"", bad[i].file, code, e.msg, bad[i].code,
				 bad[i].part);
	}
}

static void the_id_names_the_entry_only_at_a_boundary(void **state)
{
	static const struct {
		const char *id;
		enum code code;
	} cases[] = {
		{"hello", CODE_NONE},
		{"hello-1", CODE_GATE_CONFIG}, /* found; the cgroup is another container's */
		{"hello.a", CODE_GATE_CONFIG},
		{"hellofriend", CODE_GATE_NO_ENTRY},
		{"hell", CODE_GATE_NO_ENTRY},
		{"Hello", CODE_GATE_NO_ENTRY},
		{"hello-two", CODE_GATE_ARGS}, /* the longest name decides, and its arguments are others */
		{"hello-two-7", CODE_GATE_ARGS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf out = BUF_INIT;
		struct err e = ERR_INIT;

		if (judge("good-ctr-run", cases[i].id, &out, &e) != cases[i].code)
			fail_msg("id %s: \"%s\", wanted E%d", cases[i].id, e.msg, cases[i].code);
	}
}

/* The verdict on good-ctr-run.json for entry "hello" with another id and cgroup. */
static enum code judge_cgroup(const char *id, const char *cgroup, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT, out = BUF_INIT;
	cleanup_json json_object *o = NULL;
	const struct policy_image *image = NULL;
	enum code code = CODE_NONE;
	struct oci_spec_input in = {.name = "config.json", .id = id, .policy = policy, .rootfs = ROOTFS};
	json_object *notes = json_object_new_object();

	read_data("good-ctr-run", &text);
	assert_ok(json_parse(text.data, text.len, "good-ctr-run.json", &o, e), e);
	json_object_object_add(notes, "org.holdfast.image", json_object_new_string("hello"));
	json_object_object_add(o, "annotations", notes);
	json_object_object_add(at(o, "/linux"), "cgroupsPath", json_object_new_string(cgroup));
	in.bytes = json_object_to_json_string(o);
	in.len = strlen(in.bytes);
	(void)!oci_spec_create(&in, &image, &out, &code, e); /* the code is what is judged */
	return code;
}

static void a_container_gets_a_cgroup_of_its_own_only(void **state)
{
	static const struct {
		const char *id, *cgroup, *part; /* NULL: allowed */
	} cases[] = {
		{"hello", "/default/hello", NULL},
		{"hello", "", NULL},
		{"hello", "system.slice:docker:hello", NULL},
		{"hello", "/libpod_parent/libpod-hello", NULL},
		{"engine", "/default/engine", NULL},
		{"agent", "/agents/agent", NULL},
		{"o", "/default/hello", "ends with the container's id"}, /* the end of another's name */
		{"hello", "/default/other-hello", "ends with the container's id"},
		{"hello", "/engine/./hello", "ends with the container's id"},
		{"engine", "/engine", "/engine is a group of PID 1's own"},
		{"agent", "/agent", "/agent is a group of PID 1's own"},
		{"agent", "", "/agent is a group of PID 1's own"}, /* the runtime would take the id */
		{"agent", "agent", "/agent is a group of PID 1's own"},
		{"jit", "/jit", "/jit is a group of PID 1's own"},
		{"jit", "", "/jit is a group of PID 1's own"},
		{"hello", "/jit/node/hello", "/jit is a group of PID 1's own"},
		{"hello", "jit/node/hello", "/jit is a group of PID 1's own"},
		{"hello", "/jit2/node/hello", NULL},
		{"hello", "//agent/hello", "/agent is a group of PID 1's own"},
		{"hello", "/./agent/hello", "ends with the container's id"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		enum code code = judge_cgroup(cases[i].id, cases[i].cgroup, &e);

		if (code != (cases[i].part ? CODE_GATE_CONFIG : CODE_NONE) ||
		    (cases[i].part && !strstr(e.msg, cases[i].part)))
			fail_msg("id %s, cgroup %s: E%d \"%s\"", cases[i].id, cases[i].cgroup, code, e.msg);
	}
}

static void limits_pass_as_numbers_and_privileged_ones_are_lowered(void **state)
{
	cleanup_buf struct buf out = BUF_INIT, second = BUF_INIT;
	cleanup_json json_object *o = NULL, *limits = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(judge("good-ctr-run-limits", "hello", &out, &e), CODE_NONE);
	assert_ok(json_parse(out.data, out.len, "out", &o, &e), &e);
	assert_text(o, "/linux/resources/memory", "{\"limit\":33554432}");
	assert_text(o, "/linux/resources/cpu", "{\"shares\":1024,\"quota\":50000,\"period\":100000}");
	assert_text(o, "/linux/cgroupsPath", "\"/default/hello\"");
	assert_int_equal(judge("good-rlimits", "hello", &second, &e), CODE_NONE);
	assert_ok(json_parse(second.data, second.len, "out", &limits, &e), &e);
	assert_text(limits, "/process/rlimits",
		    "[{\"type\":\"RLIMIT_CORE\",\"hard\":0,\"soft\":0},"
		    "{\"type\":\"RLIMIT_NOFILE\",\"hard\":1048576,\"soft\":1024}]");
}

static void seccomp_is_ours_even_if_the_engine_allows_everything(void **state)
{
	static const char *const refused[] = {"mount",          "bpf",   "setns",  "unshare", "keyctl", "init_module",
					      "io_uring_setup", "clone", "clone3", "socket",  "ptrace", "userfaultfd",
					      "kexec_load"};
	cleanup_buf struct buf out = BUF_INIT;
	cleanup_json json_object *o = NULL;
	struct err e = ERR_INIT;
	json_object *names;

	(void)state;
	assert_int_equal(judge("good-seccomp-allow-all", "hello", &out, &e), CODE_NONE);
	assert_ok(json_parse(out.data, out.len, "out", &o, &e), &e);
	assert_text(o, "/linux/seccomp/syscalls/0/action", "\"SCMP_ACT_ALLOW\"");
	names = at(o, "/linux/seccomp/syscalls/0/names");
	for (size_t i = 0; i < json_object_array_length(names); i++)
		for (size_t k = 0; k < ARRAY_SIZE(refused); k++)
			assert_string_not_equal(json_str(json_object_array_get_idx(names, i)), refused[k]);
	assert_text(o, "/linux/seccomp/syscalls/2/args/0/value", "2114060288");
}

static void another_user_runs_as_its_own_entry_says_without_more_groups(void **state)
{
	cleanup_buf struct buf out = BUF_INIT;
	cleanup_json json_object *o = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(judge("good-ctr-run-user", "user", &out, &e), CODE_NONE);
	assert_ok(json_parse(out.data, out.len, "out", &o, &e), &e);
	assert_text(o, "/process/user", "{\"uid\":1000,\"gid\":1000}");
	assert_text(o, "/process/capabilities/bounding", "[]");
}

static enum code judge_exec(const char *file, const char *image, struct buf *out, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	enum code code = CODE_NONE;
	struct oci_spec_input in = {.name = "process.json", .id = "hello", .policy = policy};

	read_data(file, &text);
	in.bytes = text.data;
	in.len = text.len;
	return oci_spec_exec(&in, policy_image_find(policy, image), out, &code, e) ? code : CODE_NONE;
}

static void exec_is_held_to_the_entry(void **state)
{
	static const struct {
		const char *file;
		const char *image;
		enum code code;
		const char *part;
	} cases[] = {
		{"good-process-exec", "hello-two", CODE_GATE_EXEC, "allows no exec"},
		{"bad-process-exec-args", "hello", CODE_GATE_EXEC, "none of the 1 vectors"},
		{"bad-process-exec-env", "hello", CODE_GATE_ENV, "LD_PRELOAD"},
		{"bad-process-exec-user", "hello", CODE_GATE_USER, "is 7:0"},
		{"bad-process-exec-capability", "hello", CODE_GATE_CAPABILITY, "CAP_SYS_ADMIN"},
		{"bad-process-exec-unknown", "hello", CODE_GATE_CONFIG, "hooks: unknown field"},
		{"bad-process-exec-cwd", "hello", CODE_GATE_ARGS, "process.cwd"},
		{"good-process-exec", "hello", CODE_NONE, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_buf struct buf out = BUF_INIT;
		cleanup_json json_object *o = NULL;
		struct err e = ERR_INIT;
		enum code code = judge_exec(cases[i].file, cases[i].image, &out, &e);

		if (code != cases[i].code || !strstr(e.msg, cases[i].part))
			fail_msg("%s: E%d \"%s\", wanted E%d", cases[i].file, code, e.msg, cases[i].code);
		if (code)
			continue;
		assert_ok(json_parse(out.data, out.len, "out", &o, &e), &e);
		assert_text(o, "/args", "[\"/bin/busybox\",\"id\"]");
		assert_text(o, "/user", "{\"uid\":0,\"gid\":0}");
		assert_text(o, "/noNewPrivileges", "true");
		assert_text(o, "/terminal", "true");
	}
}

static void container_ids_are_plain_words(void **state)
{
	char longest[OCI_SPEC_MAX_ID_BYTES + 2];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[OCI_SPEC_MAX_ID_BYTES] = '\0';
	assert_true(oci_spec_id_is_valid(longest));
	longest[OCI_SPEC_MAX_ID_BYTES] = 'a';
	longest[OCI_SPEC_MAX_ID_BYTES + 1] = '\0';
	assert_false(oci_spec_id_is_valid(longest));
	assert_true(oci_spec_id_is_valid("A_b-c.9"));
	assert_false(oci_spec_id_is_valid(""));
	assert_false(oci_spec_id_is_valid("."));
	assert_false(oci_spec_id_is_valid(".."));
	assert_false(oci_spec_id_is_valid("-x"));
	assert_false(oci_spec_id_is_valid("a/b"));
	assert_false(oci_spec_id_is_valid("a b"));
	assert_false(oci_spec_id_is_valid("a\nb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_engines_ask_by_themselves_is_accepted_and_closed),
		cmocka_unit_test(what_the_policy_does_not_allow_is_refused_with_its_code),
		cmocka_unit_test(the_id_names_the_entry_only_at_a_boundary),
		cmocka_unit_test(a_container_gets_a_cgroup_of_its_own_only),
		cmocka_unit_test(limits_pass_as_numbers_and_privileged_ones_are_lowered),
		cmocka_unit_test(seccomp_is_ours_even_if_the_engine_allows_everything),
		cmocka_unit_test(another_user_runs_as_its_own_entry_says_without_more_groups),
		cmocka_unit_test(exec_is_held_to_the_entry),
		cmocka_unit_test(container_ids_are_plain_words),
	};

	return cmocka_run_group_tests(tests, load_policy, free_policy);
}
