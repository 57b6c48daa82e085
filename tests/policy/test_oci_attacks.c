/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_oci_attacks.c - the ways around the gate, one by one, each beside the twin that is allowed
 *
 * A case puts one value at one place of what containerd wrote (tests/data/oci-config/good-ctr-run.json, for exec
 * good-process-exec.json). A case without a code must pass, and then nothing of the attack may be in what crun gets: that is
 * looked at as text.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "common/json.h"
#include "policy/oci_spec.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char policy_text[] =
	"{\"holdfast\":\"layer-policy/1\",\"name\":\"test\",\"version\":1,\"images\":[{\"name\":\"hello\",\"class\":\"default\","
	"\"manifest\":\"" HASH_A "\",\"config\":\"" HASH_A "\",\"layers\":[{\"diff_id\":\"" HASH_A "\",\"root_hash\":\"" HASH_A
	"\",\"data_bytes\":4096}],\"run\":{\"args\":[[\"/bin/busybox\",\"echo\",\"hello\"]],\"exec\":[[\"/bin/busybox\",\"id\"]],"
	"\"env\":[\"PATH=/bin\",\"LANG=C\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},"
	"\"capabilities\":[\"CAP_NET_BIND_SERVICE\"],\"tmpfs\":[\"/tmp\"],\"network\":\"none\",\"seccomp\":\"default\"}}],"
	"\"revoked\":[]}";

#include "tests/policy/policy_fixture.h"

/* struct attack - @value (JSON) at @pointer; "/x/-" appends. @code NONE: passes, and @part is not in what crun gets */
struct attack {
	const char *pointer, *value;
	enum code code;
	const char *part;
};

static void mutate(json_object **doc, const struct attack *a)
{
	enum json_tokener_error why = json_tokener_success;
	json_object *v = json_tokener_parse_verbose(a->value, &why);

	assert_int_equal(why, json_tokener_success);
	assert_int_equal(json_pointer_set(doc, a->pointer, v), 0);
}

static void judge(const char *file, bool exec, const struct attack *a)
{
	struct oci_spec_input in = {.name = "config.json", .id = "hello", .policy = policy, .rootfs = "/rootfs"};
	const struct policy_image *image = policy_image_find(policy, "hello");
	json_object *doc = NULL;
	struct buf text = BUF_INIT, changed = BUF_INIT, out = BUF_INIT;
	enum code code = CODE_NONE;
	struct err e = ERR_INIT;
	int r;

	assert_ok(file_read(file, OCI_SPEC_MAX_BYTES, &text, &e), &e);
	assert_ok(json_parse(text.data, text.len, file, &doc, &e), &e);
	mutate(&doc, a);
	assert_ok(json_write(&changed, doc, &e), &e);
	in.bytes = changed.data;
	in.len = changed.len;
	r = exec ? oci_spec_exec(&in, image, &out, &code, &e) : oci_spec_create(&in, &image, &out, &code, &e);
	buf_u8(&out, 0);
	if (a->code == CODE_NONE ? r != 0 || strstr((char *)out.data, a->part) : !r || code != a->code || !strstr(e.msg, a->part))
		fail_msg("%s = %s: returned %d, E%d \"%s\"; wanted E%d \"%s\"", a->pointer, a->value, r, (int)code, e.msg,
			 (int)a->code, a->part);
	(void)json_object_put(doc);
	buf_free(&text);
	buf_free(&changed);
	buf_free(&out);
}

#define RUN(attacks)                                                                                                   \
	do {                                                                                                           \
		for (size_t i_ = 0; i_ < ARRAY_SIZE(attacks); i_++)                                                    \
			judge("tests/data/oci-config/good-ctr-run.json", false, &(attacks)[i_]);                       \
	} while (0)

static void hooks_of_every_kind(void **state)
{
#define HOOK "[{\"path\":\"/bin/sh\",\"args\":[\"sh\"]}]"
	static const struct attack attacks[] = {
		{"/hooks", "{\"prestart\":" HOOK "}", CODE_GATE_HOOK, "hooks.prestart"},
		{"/hooks", "{\"createRuntime\":" HOOK "}", CODE_GATE_HOOK, "hooks.createRuntime"},
		{"/hooks", "{\"createContainer\":" HOOK "}", CODE_GATE_HOOK, "hooks.createContainer"},
		{"/hooks", "{\"startContainer\":" HOOK "}", CODE_GATE_HOOK, "hooks.startContainer"},
		{"/hooks", "{\"poststart\":" HOOK "}", CODE_GATE_HOOK, "hooks.poststart"},
		{"/hooks", "{\"poststop\":" HOOK "}", CODE_GATE_HOOK, "hooks.poststop"},
		{"/hooks", "{\"preStart\":" HOOK "}", CODE_GATE_HOOK, "hooks.preStart"},
		{"/hooks", "{\"prestart\":[],\"poststop\":null}", CODE_NONE, "hooks"},
		{"/hooks", "{}", CODE_NONE, "hooks"},
	};

	(void)state;
	RUN(attacks);
}

static void mounts_that_bring_something_in(void **state)
{
#define MOUNT(dest, type, source, options) "{\"destination\":\"" dest "\",\"type\":\"" type "\",\"source\":\"" source "\",\"options\":" options "}"
	static const struct attack attacks[] = {
		{"/mounts/-", MOUNT("/mnt", "bind", "/", "[\"rbind\"]"), CODE_GATE_MOUNT, "from \"/\" on \"/mnt\""},
		{"/mounts/-", MOUNT("/bin", "bind", "/var/bin", "[\"bind\"]"), CODE_GATE_MOUNT, "on \"/bin\""},
		{"/mounts/-", MOUNT("/", "overlay", "overlay", "[\"lowerdir=/x\",\"upperdir=/var/u\",\"workdir=/var/w\"]"), CODE_GATE_MOUNT, "type \"overlay\""},
		{"/mounts/-", MOUNT("/bin", "overlay", "overlay", "[\"upperdir=/var/u\"]"), CODE_GATE_MOUNT, "type \"overlay\""},
		{"/mounts/-", MOUNT("/mnt", "ext4", "/dev/vda1", "[]"), CODE_GATE_MOUNT, "type \"ext4\""},
		{"/mounts/-", MOUNT("/sys/kernel/security", "securityfs", "securityfs", "[]"), CODE_GATE_MOUNT, "securityfs"},
		{"/mounts/-", MOUNT("/proc/sys", "bind", "/proc/sys", "[\"bind\",\"rw\"]"), CODE_GATE_MOUNT, "/proc/sys"},
		{"/mounts/-", MOUNT("/run/x.sock", "bind", "/run/containerd/containerd.sock", "[\"bind\"]"), CODE_GATE_MOUNT, "containerd.sock"},
		{"/mounts/-", MOUNT("/tmp/../bin", "tmpfs", "tmpfs", "[]"), CODE_GATE_MOUNT, "/tmp/../bin"},
		{"/mounts/-", MOUNT("tmp", "tmpfs", "tmpfs", "[]"), CODE_GATE_MOUNT, "tmp"},
		{"/mounts/-", MOUNT("/usr", "tmpfs", "tmpfs", "[]"), CODE_GATE_MOUNT, "/usr"},
		{"/mounts/-", MOUNT("/dev/shm", "bind", "/dev/shm", "[\"bind\",\"exec\"]"), CODE_NONE, "\"exec\""},
		/* A tmpfs that may be written to is asked for with exec: it is there, without. */
		{"/mounts/3", MOUNT("/dev/shm", "tmpfs", "shm", "[\"exec\",\"suid\",\"dev\"]"), CODE_NONE, "\"exec\""},
		{"/mounts/-", MOUNT("/tmp", "tmpfs", "tmpfs", "[\"exec\"]"), CODE_NONE, "\"exec\""},
	};

	(void)state;
	RUN(attacks);
}

static void devices_of_the_host(void **state)
{
	static const struct attack attacks[] = {
		{"/linux/devices", "[{\"path\":\"/dev/kmsg\",\"type\":\"c\",\"major\":1,\"minor\":11}]", CODE_GATE_DEVICE, "/dev/kmsg"},
		{"/linux/devices", "[{\"path\":\"/dev/mapper/control\",\"type\":\"c\",\"major\":10,\"minor\":236}]", CODE_GATE_DEVICE, "/dev/mapper/control"},
		{"/linux/devices", "[{\"path\":\"/dev/tpmrm0\",\"type\":\"c\",\"major\":253,\"minor\":65536}]", CODE_GATE_DEVICE, "/dev/tpmrm0"},
		{"/linux/devices", "[{\"path\":\"/dev/null\",\"type\":\"c\",\"major\":1,\"minor\":1}]", CODE_GATE_DEVICE, "/dev/null"},
		{"/linux/devices", "[{\"path\":\"/dev/null\",\"type\":\"c\",\"major\":1,\"minor\":3}]", CODE_NONE, "\"path\":\"/dev/null\""},
		{"/linux/resources/devices/-", "{\"allow\":true,\"access\":\"rwm\"}", CODE_GATE_DEVICE, "allows device"},
		{"/linux/resources/devices/-", "{\"allow\":true,\"type\":\"b\",\"access\":\"rwm\"}", CODE_GATE_DEVICE, "\"b\""},
		{"/linux/resources/devices/-", "{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":236,\"access\":\"rwm\"}", CODE_GATE_DEVICE, "10:236"},
		{"/linux/resources/devices/-", "{\"allow\":false,\"type\":\"c\",\"major\":10,\"minor\":236,\"access\":\"rwm\"}", CODE_NONE, "236"},
		{"/linux/netDevices", "{\"eth0\":{\"name\":\"eth0\"}}", CODE_GATE_DEVICE, "linux.netDevices"},
	};

	(void)state;
	RUN(attacks);
}

/* Every namespace: by a path, left out, and what only some kernels know. */
static void namespaces_of_others(void **state)
{
	static const char *const kinds[] = {"pid", "network", "ipc", "uts", "mount", "cgroup"};
	static const struct attack others[] = {
		{"/linux/namespaces/-", "{\"type\":\"user\"}", CODE_GATE_NAMESPACE, "type \"user\""},
		{"/linux/namespaces/-", "{\"type\":\"time\"}", CODE_GATE_NAMESPACE, "type \"time\""},
		{"/linux/namespaces", "[]", CODE_GATE_NAMESPACE, "\"pid\" is missing"},
		{"/linux/uidMappings", "[{\"containerID\":0,\"hostID\":0,\"size\":1}]", CODE_GATE_NAMESPACE, "linux.uidMappings"},
		{"/linux/gidMappings", "[{\"containerID\":0,\"hostID\":0,\"size\":1}]", CODE_GATE_NAMESPACE, "linux.gidMappings"},
		{"/linux/timeOffsets", "{\"monotonic\":{\"secs\":1}}", CODE_GATE_NAMESPACE, "linux.timeOffsets"},
		{"/linux/uidMappings", "[]", CODE_NONE, "Mappings"},
		{"/linux/rootfsPropagation", "\"shared\"", CODE_NONE, "shared"},
	};
	char value[512], part[64];

	(void)state;
	RUN(others);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct attack a = {"/linux/namespaces", value, CODE_GATE_NAMESPACE, part};

		for (int with_path = 0; with_path < 2; with_path++) {
			size_t n = (size_t)snprintf(value, sizeof(value), "[");

			for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
				if (i != k || with_path)
					n += (size_t)snprintf(value + n, sizeof(value) - n, "%s{\"type\":\"%s\"%s}", n > 1 ? "," : "",
							      kinds[i], i == k ? ",\"path\":\"/proc/1/ns/x\"" : "");
			(void)snprintf(value + n, sizeof(value) - n, "]");
			(void)snprintf(part, sizeof(part), with_path ? "a namespace that is there already" : "\"%s\" is missing", kinds[k]);
			if (!with_path && !strcmp(kinds[k], "cgroup")) { /* some engines leave it out: it is made all the same */
				a.code = CODE_NONE;
				(void)snprintf(part, sizeof(part), "/proc/1");
			} else {
				a.code = CODE_GATE_NAMESPACE;
			}
			judge("tests/data/oci-config/good-ctr-run.json", false, &a);
		}
	}
}

static void privileges(void **state)
{
	static const char *const sets[] = {"bounding", "effective", "permitted", "inheritable", "ambient"};
	static const struct attack others[] = {
		{"/process/capabilities/bounding", "[\"CAP_NET_BIND_SERVICE\"]", CODE_NONE, "CAP_CHOWN"},
		{"/process/capabilities/bounding", "[\"cap_sys_admin\"]", CODE_GATE_CAPABILITY, "unknown name"},
		{"/process/capabilities/bounding", "[\"ALL\"]", CODE_GATE_CAPABILITY, "unknown name"},
		{"/process/noNewPrivileges", "false", CODE_NONE, "\"noNewPrivileges\":false"},
		{"/process/oomScoreAdj", "-1000", CODE_GATE_CAPABILITY, "oomScoreAdj"},
		{"/process/apparmorProfile", "\"unconfined\"", CODE_GATE_CONFIG, "apparmorProfile"},
		{"/process/selinuxLabel", "\"unconfined_u\"", CODE_GATE_CONFIG, "selinuxLabel"},
		{"/process/scheduler", "{\"policy\":\"SCHED_FIFO\",\"priority\":99}", CODE_GATE_CONFIG, "scheduler"},
		{"/process/user/additionalGids", "[0,6]", CODE_NONE, "additionalGids"},
		{"/process/user/uid", "1", CODE_GATE_USER, "is 1:0"},
		{"/process/user/username", "\"root\"", CODE_GATE_USER, "username"},
		{"/root" "/readonly", "false", CODE_NONE, "\"readonly\":false"},
		{"/root" "/path", "\"/\"", CODE_NONE, "\"path\":\"/\""},
		{"/linux/maskedPaths", "[]", CODE_NONE, "\"maskedPaths\":[]"},
		{"/linux/readonlyPaths", "[]", CODE_NONE, "\"readonlyPaths\":[]"},
		{"/linux/sysctl", "{\"kernel.core_pattern\":\"|/x\"}", CODE_GATE_CONFIG, "kernel.core_pattern"},
		{"/linux/personality", "{\"domain\":\"LINUX\",\"flags\":[\"READ_IMPLIES_EXEC\"]}", CODE_GATE_CONFIG, "personality"},
		{"/linux/cgroupsPath", "\"/engine/hello\"", CODE_GATE_CONFIG, "PID 1's own"},
		{"/linux/cgroupsPath", "\"/../hello\"", CODE_GATE_CONFIG, "wanted a plain path"},
	};
	char pointer[64], part[64];

	(void)state;
	RUN(others);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct attack bad[] = {{pointer, "[\"CAP_SYS_ADMIN\"]", CODE_GATE_CAPABILITY, part}};
		struct attack good[] = {{pointer, "[\"CAP_NET_BIND_SERVICE\"]", CODE_NONE, "CAP_SYS_ADMIN"}};

		(void)snprintf(pointer, sizeof(pointer), "/process/capabilities/%s", sets[i]);
		(void)snprintf(part, sizeof(part), "%s[0]: CAP_SYS_ADMIN", sets[i]);
		RUN(bad);
		RUN(good);
	}
}

static void filters_of_system_calls(void **state)
{
	static const struct attack attacks[] = {
		{"/linux/seccomp", "null", CODE_NONE, "\"seccomp\":null"},
		{"/linux/seccomp", "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", CODE_NONE, "\"defaultAction\":\"SCMP_ACT_ALLOW\""},
		{"/linux/seccomp", "{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/run/x\"}", CODE_GATE_SECCOMP, "listenerPath"},
		{"/linux/seccomp", "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"listenerMetadata\":\"x\"}", CODE_GATE_SECCOMP, "listenerMetadata"},
	};

	(void)state;
	RUN(attacks);
}

/* What loaders, shells and interpreters obey. Each beside a variable of the policy. */
static void environment_that_loads_code(void **state)
{
	static const char *const names[] = {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_DEBUG_OUTPUT", "LD_ORIGIN_PATH", "GCONV_PATH",
					    "GLIBC_TUNABLES", "LOCPATH", "NLSPATH", "HOSTALIASES", "RESOLV_HOST_CONF", "MALLOC_TRACE",
					    "BASH_ENV", "ENV", "SHELLOPTS", "PS4", "PROMPT_COMMAND", "IFS", "NODE_OPTIONS", "PYTHONPATH", "PYTHONSTARTUP",
					    "PERL5LIB", "PERL5OPT", "RUBYOPT", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "OPENSSL_CONF", "SSLKEYLOGFILE",
					    "NOTIFY_SOCKET", "LISTEN_FDS", "_LIBCONTAINER_INITPIPE", "PATH ", "ld_preload"};
	static const struct attack good[] = {
		{"/process/env", "[\"LANG=C\"]", CODE_NONE, "LD_"},
		{"/process/env", "[\"HOSTNAME=x\",\"TERM=y\"]", CODE_NONE, "HOSTNAME"},
		{"/process/env", "[\"LANG=C\\nLD_PRELOAD=/x\"]", CODE_GATE_ENV, "process.env[0]"},
		{"/process/env", "[\"\"]", CODE_GATE_ENV, "process.env[0]"},
	};
	char value[128];

	(void)state;
	RUN(good);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct attack a[] = {{"/process/env", value, CODE_GATE_ENV, "process.env[1]"}};

		(void)snprintf(value, sizeof(value), "[\"LANG=C\",\"%s=/tmp/x\"]", names[i]);
		RUN(a);
	}
}

/* exec is held to what a start is held to. */
static void exec_is_checked_like_a_start(void **state)
{
	static const struct attack attacks[] = {
		{"/cwd", "\"/\"", CODE_NONE, "/tmp/x"},
		{"/cwd", "\"/proc/self/fd/8\"", CODE_GATE_ARGS, "process.cwd"}, /* CVE-2024-21626 */
		{"/args", "[\"/bin/busybox\",\"sh\"]", CODE_GATE_EXEC, "none of the 1 vectors"},
		{"/args", "[\"/bin/busybox\",\"echo\",\"hello\"]", CODE_GATE_EXEC, "none of the 1 vectors"}, /* a start's, not an exec's */
		{"/args", "[\"/proc/self/exe\"]", CODE_GATE_EXEC, "none of the 1 vectors"}, /* CVE-2019-5736 */
		{"/args/0", "\"/dev/shm/x\"", CODE_GATE_EXEC, "none of the 1 vectors"},
		{"/env", "[\"LD_PRELOAD=/tmp/x\"]", CODE_GATE_ENV, "LD_PRELOAD"},
		{"/env", "[\"LANG=C\"]", CODE_NONE, "LD_"},
		{"/user/uid", "1", CODE_GATE_USER, "is 1:0"},
		{"/capabilities/ambient", "[\"CAP_SYS_ADMIN\"]", CODE_GATE_CAPABILITY, "CAP_SYS_ADMIN"},
		{"/noNewPrivileges", "false", CODE_NONE, "\"noNewPrivileges\":false"},
		{"/apparmorProfile", "\"unconfined\"", CODE_GATE_CONFIG, "apparmorProfile"},
		{"/selinuxLabel", "\"x\"", CODE_GATE_CONFIG, "selinuxLabel"},
		{"/seccomp", "{}", CODE_GATE_CONFIG, "seccomp: unknown field"},
		{"/rlimits", "[{\"type\":\"RLIMIT_RTPRIO\",\"hard\":99,\"soft\":99}]", CODE_NONE, "99"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++)
		judge("tests/data/oci-config/good-process-exec.json", true, &attacks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hooks_of_every_kind),
		cmocka_unit_test(mounts_that_bring_something_in),
		cmocka_unit_test(devices_of_the_host),
		cmocka_unit_test(namespaces_of_others),
		cmocka_unit_test(privileges),
		cmocka_unit_test(filters_of_system_calls),
		cmocka_unit_test(environment_that_loads_code),
		cmocka_unit_test(exec_is_checked_like_a_start),
	};

	return cmocka_run_group_tests(tests, load_policy, free_policy);
}
