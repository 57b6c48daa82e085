/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_oci_cri.c - pods: what containerd's CRI plugin asks for passes, and nothing of the host with it
 *
 * The files are what the plugin wrote (tests/data/oci-config/README). Their allowed twins are good-cri-sandbox.json and
 * good-cri-container.json.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "common/json.h"
#include "policy/oci_spec.h"

#include <string.h>

#define DATA   "tests/data/oci-config/"
#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define IMAGE(name)                                                                                                            \
	"{\"name\":\"" name "\",\"class\":\"default\",\"manifest\":\"" HASH_A "\",\"config\":\"" HASH_A "\",\"layers\":"         \
	"[{\"diff_id\":\"" HASH_A "\",\"root_hash\":\"" HASH_A "\",\"data_bytes\":4096}],\"run\":{\"args\":"                     \
	"[[\"/bin/busybox\",\"sh\",\"/hello.sh\"]],\"exec\":[],\"env\":[\"PATH=/bin\"],\"cwd\":\"/\",\"user\":{\"uid\":1000,"      \
	"\"gid\":1000},\"capabilities\":[],\"tmpfs\":[],\"network\":\"none\",\"seccomp\":\"default\"}}"

static const char policy_text[] = "{\"holdfast\":\"layer-policy/1\",\"name\":\"test\",\"version\":1,\"images\":[" IMAGE(
	"pause") "," IMAGE("web") "],\"revoked\":[]}";

#include "tests/policy/policy_fixture.h"

static json_object *load(const char *file)
{
	cleanup_buf struct buf text = BUF_INIT;
	json_object *o = NULL;
	struct err e = ERR_INIT;
	char path[256];

	(void)snprintf(path, sizeof(path), DATA "%s.json", file);
	assert_ok(file_read(path, OCI_SPEC_MAX_BYTES, &text, &e), &e);
	assert_ok(json_parse(text.data, text.len, path, &o, &e), &e);
	return o;
}

/* The verdict, with the id that the plugin gave: the last part of the cgroup's path. Consumes @config. */
static enum code judge(json_object *config, const char **ret_image, json_object **ret_out, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT, out = BUF_INIT;
	const struct policy_image *image = NULL;
	struct oci_spec_input in = { .name = "config.json", .policy = policy, .rootfs = "/rootfs" };
	enum code code = CODE_NONE;
	json_object *group = NULL;
	char id[OCI_SPEC_MAX_ID_BYTES + 1];

	assert_int_equal(json_pointer_get(config, "/linux/cgroupsPath", &group), 0);
	(void)snprintf(id, sizeof(id), "%s", strrchr(json_str(group), '/') + 1);
	assert_ok(json_write(&text, config, e), e);
	(void)json_object_put(config);
	in.id = id;
	in.bytes = text.data;
	in.len = text.len;
	if (oci_spec_create(&in, &image, &out, &code, e))
		return code;
	*ret_image = image->name;
	assert_ok(json_parse(out.data, out.len, "out", ret_out, e), e);
	return CODE_NONE;
}

static const char *member(json_object *o, const char *pointer)
{
	json_object *v = NULL;

	return json_pointer_get(o, pointer, &v) ? NULL : json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void sandbox_and_container_pass_each_with_namespaces_of_its_own(void **state)
{
	static const struct {
		const char *file, *image;
	} cases[] = { { "good-cri-sandbox", "pause" },
		      { "good-cri-sandbox-privileged", "pause" }, /* a sandbox gets no more by it than any other */
		      { "good-cri-container", "web" },
		      { "good-cri-termination", "web" },
		      { "good-cri-unconfined", "web" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		cleanup_json json_object *out = NULL;
		const char *image = NULL;

		if (judge(load(cases[i].file), &image, &out, &e) != CODE_NONE)
			fail_msg("%s: %s", cases[i].file, e.msg);
		assert_string_equal(image, cases[i].image);
		assert_string_equal(member(out, "/linux/namespaces"), "[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},"
								      "{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"cgroup\"}]");
		assert_string_equal(member(out, "/process/capabilities/bounding"), "[]");
		assert_string_equal(member(out, "/process/noNewPrivileges"), "true");
		assert_string_equal(member(out, "/linux/seccomp/defaultAction"), "\"SCMP_ACT_ERRNO\"");
		assert_null(strstr(member(out, "/mounts"), "bind"));
		assert_null(member(out, "/annotations"));
		assert_true(!member(out, "/process/oomScoreAdj") || !strcmp(member(out, "/process/oomScoreAdj"), "0"));
	}
}

static void what_a_pod_may_not_ask_for_is_refused(void **state)
{
	static const struct {
		const char *file;
		enum code code;
		const char *part;
	} cases[] = {
		{ "bad-cri-hostpath", CODE_GATE_MOUNT, "from \"/etc\" on \"/mnt\"" },
		{ "bad-cri-hostpid", CODE_GATE_NAMESPACE, "ns/pid\": a namespace that is there already" },
		{ "bad-cri-podpid", CODE_GATE_NAMESPACE, "ns/pid\": a namespace that is there already" },
		{ "bad-cri-cap", CODE_GATE_CAPABILITY, "CAP_SYS_ADMIN" },
		{ "bad-cri-args", CODE_GATE_ARGS, "\"/bin/busybox\" and its 2 arguments" },
		{ "bad-cri-env", CODE_GATE_ENV, "LD_PRELOAD=/x.so" },
		{ "bad-cri-privileged", CODE_GATE_CAPABILITY, "process.capabilities" },
		{ "bad-cri-sandbox-hostnet", CODE_GATE_NAMESPACE, "\"network\" is missing" },
		{ "bad-cri-sandbox-hostipc", CODE_GATE_NAMESPACE, "\"ipc\" is missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_json json_object *out = NULL;
		struct err e = ERR_INIT;
		const char *image = NULL;
		enum code code = judge(load(cases[i].file), &image, &out, &e);

		if (code != cases[i].code || !strstr(e.msg, cases[i].part))
			fail_msg("%s: E%d \"%s\", wanted E%d \"%s\"", cases[i].file, code, e.msg, cases[i].code, cases[i].part);
	}
}

/* Each path at the place of the pod's own network, ipc, ... */
static void only_the_pods_own_namespaces_may_be_named(void **state)
{
	static const struct {
		const char *file, *type, *path;
		bool allowed;
	} cases[] = {
		{ "good-cri-sandbox", "network", "/var/run/netns/cni-01234567-89ab-cdef-0123-456789abcdef", true },
		{ "good-cri-sandbox", "network", "/run/netns/cni-01234567-89ab-cdef-0123-456789abcdef", true },
		{ "good-cri-sandbox", "network", "/run/netns/cni-01234567-89ab-cdef-0123-456789abcde/", false },
		{ "good-cri-sandbox", "network", "/run/netns/cni-../../../proc/1/ns/net-aaaaaaaaaaaaa", false },
		{ "good-cri-sandbox", "network", "/run/containerd/io.containerd.grpc.v1.cri/netns/cni-01234567-89ab-cdef-0123-456789abcdef", true },
		{ "good-cri-sandbox", "network", "/run/containerd/io.containerd.grpc.v1.cri/netns/host", false },
		{ "good-cri-sandbox", "network", "/run/netns/host", false },
		{ "good-cri-sandbox", "network", "/proc/1/ns/net", false },
		{ "good-cri-sandbox", "network", "/proc/200/ns/net", false }, /* a sandbox joins nobody */
		{ "good-cri-sandbox", "ipc", "/proc/200/ns/ipc", false },
		{ "good-cri-container", "network", "/proc/200/ns/net", true },
		{ "good-cri-container", "network", "/proc/1/ns/net", false },
		{ "good-cri-container", "network", "/proc/01/ns/net", false },
		{ "good-cri-container", "network", "/proc/self/ns/net", false },
		{ "good-cri-container", "network", "/proc/200/ns/../../1/ns/net", false },
		{ "good-cri-container", "network", "/proc/200/ns/mnt", false },
		{ "good-cri-container", "network", "/proc/200/task/1/ns/net", false },
		{ "good-cri-container", "ipc", "/proc/1/ns/ipc", false },
		{ "good-cri-container", "uts", "/proc/1/ns/uts", false },
		{ "good-cri-container", "pid", "/proc/200/ns/pid", false },
		{ "good-cri-container", "mount", "/proc/200/ns/mnt", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_object *o = load(cases[i].file), *list = NULL, *type = NULL;
		cleanup_json json_object *out = NULL;
		const char *image = NULL;
		struct err e = ERR_INIT;
		enum code code;

		assert_int_equal(json_pointer_get(o, "/linux/namespaces", &list), 0);
		for (size_t k = 0; k < json_object_array_length(list); k++) {
			json_object *ns = json_object_array_get_idx(list, k);

			if (json_object_object_get_ex(ns, "type", &type) && !strcmp(json_str(type), cases[i].type))
				(void)json_object_object_add(ns, "path", json_object_new_string(cases[i].path));
		}
		code = judge(o, &image, &out, &e);
		if (code != (cases[i].allowed ? CODE_NONE : CODE_GATE_NAMESPACE))
			fail_msg("%s, %s %s: E%d \"%s\"", cases[i].file, cases[i].type, cases[i].path, code, e.msg);
		if (cases[i].allowed)
			assert_null(strstr(json_object_to_json_string(out), "\"path\":\"\\/proc"));
	}
}

/* What is allowed to CRI is allowed to it alone. */
static void the_same_without_the_interfaces_word_is_refused(void **state)
{
	static const struct {
		const char *type, *part;
	} cases[] = { { "sandbox", NULL }, { "pod", "no image" }, { "container", "path" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_object *o = load("good-cri-sandbox"), *notes = NULL;
		cleanup_json json_object *out = NULL;
		const char *image = NULL;
		struct err e = ERR_INIT;
		enum code code;

		assert_int_equal(json_pointer_get(o, "/annotations", &notes), 0);
		(void)json_object_object_add(notes, "io.kubernetes.cri.container-type", json_object_new_string(cases[i].type));
		if (!strcmp(cases[i].type, "container"))
			(void)json_object_object_add(notes, "io.kubernetes.cri.image-name", json_object_new_string("web"));
		code = judge(o, &image, &out, &e);
		if (!strcmp(cases[i].type, "container"))
			assert_int_equal(code, CODE_GATE_CAPABILITY); /* a sandbox's OOM score is no container's */
		else
			assert_int_equal(code, cases[i].part ? CODE_GATE_NO_ENTRY : CODE_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sandbox_and_container_pass_each_with_namespaces_of_its_own),
		cmocka_unit_test(what_a_pod_may_not_ask_for_is_refused),
		cmocka_unit_test(only_the_pods_own_namespaces_may_be_named),
		cmocka_unit_test(the_same_without_the_interfaces_word_is_refused),
	};

	return cmocka_run_group_tests(tests, load_policy, free_policy);
}
