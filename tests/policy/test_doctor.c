/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_doctor.c - what the doctor finds, each finding beside the sound twin
 *
 * Each case is a sound file with one edit: a line changed or added. The sound file alone has no finding, so that what is
 * found is the edit's. Where the setting has an allowed value, the twin is the same line with that one.
 */
#include "tests/common/check.h"

#include "common/file.h"
#include "policy/doctor.h"

#include <sys/stat.h>

static char dir[] = "/tmp/holdfast-doctor-XXXXXX";

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* struct found - the findings, as text */
struct found {
	struct buf text;
};

static void on_finding(void *arg, const struct policy_doctor_finding *f)
{
	struct found *x = arg;

	buf_printf(&x->text, "%u %s=%s: %s\n", f->line, f->where, f->found, f->why);
}

static void write_at(const char *name, const char *text)
{
	char path[256], *slash;
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_ok(file_mkdirs(path, &e), &e);
	*slash = '/';
	assert_ok(file_write(path, text, strlen(text), 0644, &e), &e);
}

/* Examine @text as a file named @name. Return: number of findings. */
static size_t examine(const char *name, const char *text, struct found *x)
{
	struct policy_doctor d = {.root = dir, .fn = on_finding, .arg = x};
	char path[256];
	struct err e = ERR_INIT;

	write_at(name, text);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	x->text.len = 0;
	assert_ok(policy_doctor_file(&d, path, POLICY_DOCTOR_UNSET, &e), &e);
	assert_int_equal(d.files, 1);
	buf_u8(&x->text, 0);
	return d.findings;
}

/* struct edit - @from in the sound text becomes @to (@from "": behind its end); @part of the finding, NULL: none */
struct edit {
	const char *from, *to, *part;
};

static void apply(const char *sound, const struct edit *edit, struct buf *ret)
{
	const char *at = edit->from[0] ? strstr(sound, edit->from) : sound + strlen(sound);

	assert_non_null(at);
	buf_put(ret, sound, (size_t)(at - sound));
	buf_str(ret, edit->to);
	buf_str(ret, at + strlen(edit->from));
	buf_u8(ret, 0);
}

static void run(const char *name, const char *sound, const struct edit *edits, size_t n)
{
	struct found x = {0};

	if (examine(name, sound, &x))
		fail_msg("%s: the sound file has findings: %s", name, (char *)x.text.data);
	for (size_t i = 0; i < n; i++) {
		struct buf text = BUF_INIT;
		size_t findings;

		apply(sound, &edits[i], &text);
		findings = examine(name, (char *)text.data, &x);
		if (edits[i].part ? !findings || !strstr((char *)x.text.data, edits[i].part) : findings)
			fail_msg("%s: \"%s\": %zu findings \"%s\", wanted %s", name, edits[i].to, findings,
				 (char *)x.text.data, edits[i].part ? edits[i].part : "none");
		buf_free(&text);
	}
	buf_free(&x.text);
}

#define RUNTIMES "plugins.io.containerd.grpc.v1.cri.containerd.runtimes"

static void containerd_is_held_to_the_gate(void **state)
{
	static const char sound[] =
		"version = 2\nimports = []\ndisabled_plugins = [\"io.containerd.nri.v1.nri\"]\n[grpc]\naddress = \"/run/c.sock\"\nuid = 0\n"
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd]\ndefault_runtime_name = \"holdfast\"\nsnapshotter = \"overlayfs\"\n"
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.holdfast]\nruntime_type = \"io.containerd.runc.v2\"\n"
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.holdfast.options]\nBinaryName = \"/usr/bin/holdfast-runtime\"\n";
#define CRI_TABLE "[plugins.\"io.containerd.grpc.v1.cri\"."
	static const struct edit edits[] = {
		{"imports = []", "imports = [\"/etc/containerd/conf.d/*.toml\"]", "2 imports=: other files are read too"},
		{"\"/usr/bin/holdfast-runtime\"", "\"/usr/bin/crun\"", "BinaryName=/usr/bin/crun: containers would be started without the gate"},
		{"BinaryName = \"/usr/bin/holdfast-runtime\"", "SystemdCgroup = false", "no options.BinaryName"},
		{"", CRI_TABLE "containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n", RUNTIMES ".runc=no options.BinaryName"},
		{"", CRI_TABLE "containerd.runtimes.two]\nruntime_type = \"io.containerd.runc.v2\"\noptions = { BinaryName = \"/usr/bin/holdfast-runtime\" }\n", NULL},
		{"", CRI_TABLE "containerd.runtimes.kata]\nruntime_type = \"io.containerd.kata.v2\"\noptions.BinaryName = \"/usr/bin/holdfast-runtime\"\n", "io.containerd.kata.v2: another shim"},
		{"\"io.containerd.runc.v2\"\n", "\"io.containerd.runc.v2\"\nruntime_path = \"/usr/bin/shim\"\n", "another shim is named by its path"},
		{"\"io.containerd.runc.v2\"\n", "\"io.containerd.runc.v2\"\nruntime_path = \"\"\n", NULL},
		{"\"io.containerd.runc.v2\"\n", "\"io.containerd.runc.v2\"\nbase_runtime_spec = \"/var/spec.json\"\n", "it can be written to"},
		{"\"io.containerd.runc.v2\"\n", "\"io.containerd.runc.v2\"\nbase_runtime_spec = \"/etc/spec.json\"\n", NULL},
		{"\"io.containerd.runc.v2\"\n", "\"io.containerd.runc.v2\"\nsandboxer = \"shim\"\n", "the shim makes the sandbox itself"},
		{"\"io.containerd.runc.v2\"\n", "\"io.containerd.runc.v2\"\nsandboxer = \"podsandbox\"\n", NULL},
		{"\"io.containerd.runc.v2\"\n", "\"io.containerd.runc.v2\"\nprivileged_without_host_devices_all_devices_allowed = true\n", "every device"},
		{"default_runtime_name = \"holdfast\"", "default_runtime_name = \"runc\"", "default_runtime_name=runc: no runtime of that name"},
		{"", CRI_TABLE "containerd.untrusted_workload_runtime]\nruntime_type = \"x\"\n", "a runtime of the old form"},
		{"", "[plugins.\"io.containerd.runtime.v1.linux\"]\nruntime = \"runc\"\n", "the shim of version 1"},
		{"", "[plugins.\"io.containerd.shim.v1.manager\"]\nenv = [\"PATH=/var\"]\n", "variables for the shim"},
		{"", "[proxy_plugins.stargz]\ntype = \"snapshot\"\naddress = \"/run/s.sock\"\n", "another process would hand out"},
		{"", "[proxy_plugins]\n", NULL},
		{"", "[stream_processors.x]\npath = \"/usr/bin/x\"\n", "change layers on their way"},
		{"snapshotter = \"overlayfs\"", "snapshotter = \"stargz\"", "snapshotter=stargz: a snapshotter that mounts"},
		{"snapshotter = \"overlayfs\"", "snapshotter = \"native\"", NULL},
		{"", CRI_TABLE "registry.configs.\"r:5000\".tls]\ninsecure_skip_verify = true\n", "insecure_skip_verify=true: whoever is on the way"},
		{"", CRI_TABLE "registry.configs.\"r:5000\".tls]\ninsecure_skip_verify = false\n", NULL},
		{"", CRI_TABLE "registry.mirrors.\"docker.io\"]\nendpoint = [\"https://a\", \"http://r:5000\"]\n", "endpoint.1=http://r:5000"},
		{"", CRI_TABLE "registry.mirrors.\"docker.io\"]\nendpoint = [\"https://a\"]\n", NULL},
		{"", CRI_TABLE "registry]\nconfig_path = \"/var/lib/certs.d\"\n", "a folder for drop-in files of registries can be written to"},
		{"", CRI_TABLE "registry]\nconfig_path = \"/etc/containerd/certs.d\"\n", NULL},
		{"", "[plugins.\"io.containerd.cri.v1.images\"]\nuse_local_image_pull = true\n", "pulls fall back"},
		{"", "[plugins.\"io.containerd.cri.v1.images\"]\nuse_local_image_pull = false\n", NULL},
		{"[\"io.containerd.nri.v1.nri\"]", "[]", "NRI is not disabled"},
		{"[\"io.containerd.nri.v1.nri\"]", "[]\nplugins.\"io.containerd.nri.v1.nri\".disable = true", NULL},
		{"[\"io.containerd.nri.v1.nri\"]", "[]\nplugins.\"io.containerd.nri.v1.nri\".disable = false", "nri.disable=false"},
		{"uid = 0", "uid = 1000", "grpc.uid=1000: others than root"},
		{"uid = 0", "tcp_address = \"0.0.0.0:1\"", "whoever reaches that port"},
		{"", "[plugins.\"io.containerd.internal.v1.opt\"]\npath = \"/var/opt\"\n", "go into the engine's PATH"},
		{"", CRI_TABLE "cni]\nbin_dir = \"/var/cni\"\n", "run on the host for every container"},
		{"", CRI_TABLE "cni]\nbin_dir = \"/usr/lib/cni\"\n", NULL},
		{"", "[plugins.\"io.containerd.image-verifier.v1.bindir\"]\nbin_dir = \"/usr/lib/none\"\n", "empty or absent: every image passes"},
		{"", "[plugins.\"io.containerd.image-verifier.v1.bindir\"]\nbin_dir = \"/verifiers\"\n", NULL},
		{"", "[plugins.\"io.containerd.image-verifier.v1.bindir\"]\nbin_dir = \"/var/v\"\n", "it can be written to"},
		{"version = 2", "version = 1", "only versions 2 and 3"},
		{"version = 2", "version = 3", NULL},
		{"version = 2\n", "", "no version"},
		{"uid = 0", "uid = 0\nuid = 1", "grpc.uid stands there twice"},
		{"uid = 0", "uid = ", "line 6: wanted a value"},
	};

	(void)state;
	write_at("verifiers/check", "x");
	run("config.toml", sound, edits, ARRAY_SIZE(edits));
}

static void hosts_of_registries(void **state)
{
	static const char sound[] = "server = \"https://r\"\n[host.\"https://r\"]\ncapabilities = [\"pull\"]\n";
	static const struct edit edits[] = {
		{"server = \"https://r\"", "server = \"http://r\"", "server=http://r: whoever is on the way"},
		{"", "skip_verify = true\n", "skip_verify=true"},
		{"", "skip_verify = false\n", NULL},
		{"", "[host.\"http://mirror\"]\n", "=http://: whoever is on the way"},
		{"", "ca = \"/var/ca.pem\"\n", "it can be written to"},
	};

	(void)state;
	run("hosts.toml", sound, edits, ARRAY_SIZE(edits));
}

static void podman_is_held_to_the_gate(void **state)
{
	static const char sound[] = "[containers]\nseccomp_profile = \"/etc/seccomp.json\"\nnetns = \"private\"\n[engine]\nruntime = \"holdfast\"\n"
				    "hooks_dir = []\n[engine.runtimes]\nholdfast = [\"/usr/bin/holdfast-runtime\"]\n";
	static const struct edit edits[] = {
		{"runtime = \"holdfast\"", "runtime = \"crun\"", "engine.runtime=crun: engine.runtimes has no path"},
		{"runtime = \"holdfast\"\n", "", "no engine.runtime"},
		{"", "crun = [\"/usr/bin/crun\"]\n", "engine.runtimes.crun.0=/usr/bin/crun: containers would be started without"},
		{"[\"/usr/bin/holdfast-runtime\"]", "[\"/usr/bin/holdfast-runtime\", \"/usr/bin/crun\"]", "runtimes.holdfast.1=/usr/bin/crun"},
		{"", "other = [\"/usr/bin/holdfast-runtime\"]\n", NULL},
		{"hooks_dir = []", "hooks_dir = [\"/etc/hooks\"]", "files there add hooks"},
		{"hooks_dir = []", "no_pivot_root = true", "can be left"},
		{"hooks_dir = []", "env = [\"LD_PRELOAD=/x\"]", "could preload code"},
		{"hooks_dir = []", "conmon_path = [\"/var/conmon\"]", "starts every container"},
		{"hooks_dir = []", "conmon_path = [\"/usr/bin/conmon\"]", NULL},
		{"hooks_dir = []", "remote = true", "another machine's engine"},
		{"\"/etc/seccomp.json\"", "\"unconfined\"", "no system call filter"},
		{"\"/etc/seccomp.json\"", "\"/tmp/seccomp.json\"", "it can be written to"},
		{"netns = \"private\"", "netns = \"host\"", "share it with the host"},
		{"netns = \"private\"", "pidns = \"host\"", "share it with the host"},
		{"netns = \"private\"", "ipcns = \"host\"", "share it with the host"},
		{"netns = \"private\"", "privileged = true", "every container would be privileged"},
		{"netns = \"private\"", "privileged = false", NULL},
		{"netns = \"private\"", "devices = [\"/dev/sda\"]", "get that device"},
		{"netns = \"private\"", "volumes = [\"/etc:/etc\"]", "a folder of the host's"},
		{"netns = \"private\"", "default_capabilities = [\"CHOWN\", \"SYS_ADMIN\"]", "default_capabilities.1=SYS_ADMIN"},
		{"netns = \"private\"", "default_capabilities = [\"CHOWN\"]", NULL},
		{"netns = \"private\"", "env_host = true", "the host's variables"},
	};

	(void)state;
	run("containers.conf", sound, edits, ARRAY_SIZE(edits));
}

static void storage_and_registries_of_podman(void **state)
{
	static const char storage[] = "[storage]\ndriver = \"overlay\"\n[storage.options]\nadditionalimagestores = [\"/usr/lib/store\"]\n";
	static const struct edit storage_edits[] = {
		{"\"overlay\"", "\"vfs\"", "storage.driver=vfs"},
		{"/usr/lib/store", "/var/store", "images of it are not checked again"},
		{"", "mount_program = \"/usr/bin/fuse-overlayfs\"\n", "in user space"},
		{"", "[storage.options.overlay]\nmount_program = \"/usr/bin/fuse-overlayfs\"\n", "in user space"},
		{"", "additionallayerstores = [\"/x\"]\n", "hand out layers"},
		{"", "pull_options = {enable_partial_images = \"true\"}\n", "layers fetched in parts"},
		{"", "pull_options = {enable_partial_images = \"false\"}\n", NULL},
	};
	static const char registries[] = "short-name-mode = \"enforcing\"\n[[registry]]\nlocation = \"a\"\ninsecure = false\n[[registry.mirror]]\nlocation = \"m\"\n";
	static const struct edit registries_edits[] = {
		{"insecure = false", "insecure = true", "4 registry.0.insecure=true: whoever is on the way"},
		{"", "insecure = true\n", "7 registry.0.mirror.0.insecure=true"},
		{"", "[[registry]]\nlocation = \"b\"\ninsecure = true\n", "registry.1.insecure=true"},
		{"", "[[registry]]\nlocation = \"b\"\n", NULL},
		{"\"enforcing\"", "\"permissive\"", "short-name-mode=permissive"},
		{"short-name-mode", "unqualified-search-registries = [\"docker.io\"]\nshort-name-mode", "whichever registry answers first"},
		{"short-name-mode", "unqualified-search-registries = []\nshort-name-mode", NULL},
		{"", "[registries.insecure]\nregistries = [\"x\"]\n", "whoever is on the way"},
	};

	(void)state;
	run("storage.conf", storage, storage_edits, ARRAY_SIZE(storage_edits));
	run("registries.conf", registries, registries_edits, ARRAY_SIZE(registries_edits));
}

static void signatures_of_podman(void **state)
{
	static const char sound[] = "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"r/x\":[{\"type\":\"signedBy\",\"keyPath\":\"/etc/key\"}]}}}";
	static const struct edit edits[] = {
		{"{\"type\":\"reject\"}", "{\"type\":\"insecureAcceptAnything\"}", "default.0.type=insecureAcceptAnything: every image is accepted"},
		{"{\"type\":\"reject\"}", "", "no rule"},
		{"\"signedBy\"", "\"insecureAcceptAnything\"", "every image of that place"},
		{"/etc/key", "/var/key", "can be written to"},
		{"\"default\":[", "\"default\":[],\"default\":[", "stands"},
	};

	(void)state;
	run("policy.json", sound, edits, ARRAY_SIZE(edits));
}

static void docker_is_held_to_the_gate(void **state)
{
	static const char sound[] = "{\"default-runtime\":\"holdfast\",\"runtimes\":{\"holdfast\":{\"path\":\"/usr/bin/holdfast-runtime\"}},\"storage-driver\":\"overlay2\"}";
	static const struct edit edits[] = {
		{"\"default-runtime\":\"holdfast\",", "", "no default-runtime"},
		{"\"default-runtime\":\"holdfast\"", "\"default-runtime\":\"runc\"", "default-runtime=runc: runtimes has no path"},
		{"/usr/bin/holdfast-runtime", "/usr/bin/runc", "runtimes.holdfast.path=/usr/bin/runc"},
		{"\"runtimes\":{", "\"runtimes\":{\"kata\":{\"runtimeType\":\"io.containerd.kata.v2\"},", "another shim"},
		{"\"runtimes\":{", "\"runtimes\":{\"two\":{\"path\":\"/usr/bin/holdfast-runtime\"},", NULL},
		{"\"path\":\"/usr/bin/holdfast-runtime\"", "\"path\":\"/usr/bin/holdfast-runtime\",\"runtimeArgs\":[\"--root=/x\"]", "words that the gate did not choose"},
		{"\"storage-driver\":\"overlay2\"", "\"storage-driver\":\"vfs\"", "storage-driver=vfs"},
		{"\"storage-driver\":\"overlay2\"", "\"insecure-registries\":[\"r:5000\"]", "insecure-registries.0=r:5000"},
		{"\"storage-driver\":\"overlay2\"", "\"insecure-registries\":[]", NULL},
		{"\"storage-driver\":\"overlay2\"", "\"registry-mirrors\":[\"http://m\"]", "whoever is on the way"},
		{"\"storage-driver\":\"overlay2\"", "\"registry-mirrors\":[\"https://m\"]", NULL},
		{"\"storage-driver\":\"overlay2\"", "\"hosts\":[\"tcp://0.0.0.0:2375\"]", "wants tlsverify"},
		{"\"storage-driver\":\"overlay2\"", "\"tlsverify\":true,\"hosts\":[\"tcp://0.0.0.0:2376\"]", NULL},
		{"\"storage-driver\":\"overlay2\"", "\"seccomp-profile\":\"unconfined\"", "no system call filter"},
		{"\"storage-driver\":\"overlay2\"", "\"default-cgroupns-mode\":\"host\"", "share it with the host"},
		{"\"storage-driver\":\"overlay2\"", "\"default-ipc-mode\":\"shareable\"", "other containers could share"},
		{"\"storage-driver\":\"overlay2\"", "\"default-ipc-mode\":\"private\"", NULL},
		{"\"storage-driver\":\"overlay2\"", "\"cdi-spec-dirs\":[\"/var/cdi\"]", "give devices"},
		{"{", "", "what cannot be read here"},
	};

	(void)state;
	run("daemon.json", sound, edits, ARRAY_SIZE(edits));
}

/* A whole root: files where engines read them, drop-ins, per-registry files. */
static void a_root_is_examined_where_engines_read(void **state)
{
	struct found x = {0};
	struct policy_doctor d = {.root = dir, .fn = on_finding, .arg = &x};
	cleanup_buf struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	size_t before;

	(void)state;
	assert_ok(file_read("engines/containerd/config.toml", 1 << 20, &text, &e), &e);
	buf_u8(&text, 0);
	write_at("etc/containerd/config.toml", (char *)text.data);
	write_at("etc/docker/daemon.json", "{\"default-runtime\":\"h\",\"runtimes\":{\"h\":{\"path\":\"/usr/bin/holdfast-runtime\"}}}");
	assert_ok(policy_doctor_root(&d, &e), &e);
	assert_int_equal(d.files, 2);
	assert_int_equal(d.findings, 0);
	write_at("etc/containerd/certs.d/r/hosts.toml", "skip_verify = true\n");
	write_at("etc/containers/containers.conf.d/50.conf", "[engine]\nruntime = \"crun\"\n");
	write_at("usr/share/containers/oci/hooks.d/x.json", "{}");
	assert_ok(policy_doctor_root(&d, &e), &e);
	assert_int_equal(d.findings, 3);
	before = d.findings;
	d.live = true; /* this folder can be written to: every file of it is a finding */
	assert_ok(policy_doctor_root(&d, &e), &e);
	assert_true(d.findings >= before + 3 + 3);
	buf_u8(&x.text, 0);
	assert_non_null(strstr((char *)x.text.data, "a file system that can be written to"));
	assert_non_null(strstr((char *)x.text.data, "=50.conf: drop-in files change"));
	buf_free(&x.text);
}

/* The command line by which PID 1 starts the engine. */
static void words_over_the_configuration_are_findings(void **state)
{
	static const struct {
		const char *argv, *part; /* part NULL: sound */
	} cases[] = {
		{"/usr/bin/containerd", NULL},
		{"/usr/bin/containerd --config /etc/containerd/config.toml --log-level warn", NULL},
		{"/usr/bin/containerd -c /etc/containerd/config.toml -l=warn", NULL},
		{"/usr/bin/containerd --config /run/c.toml", "=--config: the value is not the one that was examined"},
		{"/usr/bin/containerd -config=/var/c.toml", "=-config=/var/c.toml: the value is not"},
		{"/usr/bin/containerd --config", "=--config: the value is not"},
		{"/usr/bin/containerd --config /etc/containerd/config.toml --root /tmp/r", "=--root: it says over"},
		{"/usr/bin/containerd --state=/tmp/r", "it says over the configuration file"},
		{"/usr/bin/containerd -a /tmp/s", "=-a: it says over"},
		{"/usr/bin/containerd config dump", "=config: another command"},
		{"/usr/bin/dockerd --config-file /etc/docker/daemon.json -H unix:///run/docker.sock --iptables=false", NULL},
		{"/usr/bin/dockerd --containerd /run/containerd/containerd.sock --exec-opt native.cgroupdriver=cgroupfs", NULL},
		{"/usr/bin/dockerd --containerd /tmp/c.sock", "=--containerd: the value is not"},
		{"/usr/bin/dockerd --add-runtime x=/usr/bin/crun", "=--add-runtime: it says over"},
		{"/usr/bin/dockerd --default-runtime=x", "it says over"},
		{"/usr/bin/dockerd --insecure-registry 10.0.0.0/8", "=--insecure-registry: it says over"},
		{"/usr/bin/dockerd -H tcp://0.0.0.0:2375", "=-H: the value is not"},
		{"/usr/bin/dockerd --config-file=/etc/docker/daemon.json.x", "the value is not"},
		{"/usr/bin/podman --log-level warn system service --time 0 unix:///run/podman.sock", NULL},
		{"/usr/bin/podman --runtime /usr/bin/crun system service unix:///run/podman.sock", "=--runtime: it says over"},
		{"/usr/bin/podman --root /tmp/r system service unix:///run/podman.sock", "=--root: it says over"},
		{"/usr/bin/podman system service tcp://0.0.0.0:1", "=tcp://0.0.0.0:1: another command"},
		{"/usr/bin/podman --hooks-dir=/tmp system service unix:///run/p", "it says over"},
		{"/usr/bin/podman run x", "=run: another command"},
		{"/usr/bin/podman system", "=service: this word is missing"},
		{"/usr/bin/other --runtime x", NULL}, /* not ours to judge */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct found x = {.text = BUF_INIT};
		struct policy_doctor d = {.fn = on_finding, .arg = &x};
		char text[512], root[64];
		struct err e = ERR_INIT;

		(void)snprintf(root, sizeof(root), "%s/argv", dir);
		d.root = root;
		(void)snprintf(text, sizeof(text), "module.x = y\nengine.argv = %s\ntask = /usr/bin/podman --runtime /x run y\n", cases[i].argv);
		write_at("argv/etc/holdfast/host.conf", text);
		assert_ok(policy_doctor_root(&d, &e), &e);
		buf_u8(&x.text, 0);
		if (cases[i].part ? !d.findings || !strstr((char *)x.text.data, cases[i].part) || !strstr((char *)x.text.data, "2 engine.argv=")
				  : d.findings != 0)
			fail_msg("%s: %zu findings: %s", cases[i].argv, d.findings, (char *)x.text.data);
		buf_free(&x.text);
	}
}

/* What the TOML reader must know of the language; each value by its flat path. */
static void toml_is_read_as_it_is_written(void **state)
{
	static const char text[] = "# c\r\na = 1 # c\n\"b c\".'d' = 'x\\n'\ne = \"\"\"\nline\\\n   on \"q\" \\u0041\"\"\"\n"
				   "f = [ 1, [\"y\", # c\n 'z'], ]\ng = {h.i = true, j = {}}\n[k.l]\nm = 1979-05-27T07:32:00Z\n"
				   "[[n]]\no = 1\n[[n]]\n[n.p]\nq = -inf\n[[n.r]]\ns = 0x1F\n";
	static const struct {
		const char *pattern, *value;
	} wanted[] = {{"a", "1"},	{"b c/d", "x\\n"}, {"e", "lineon \"q\" A"}, {"f/0", "1"},
		      {"f/1/0", "y"},	{"f/1/1", "z"},	   {"g/h/i", "true"},	    {"k/l/m", "1979-05-27T07:32:00Z"},
		      {"n/0/o", "1"},	{"n/1/p/q", "-inf"}, {"n/1/r/0/s", "0x1F"}};
	static const char *const bad[] = {
		"a", "a = ", "a = 1 2", "a = 1\na = 2", "a = \"x", "a = 'x\ny'", "a = [1", "a = [1 2]", "a = {b = 1", "[a", "[a]]", "[[a]",
		"= 1", "a. = 1", "a = \"\\q\"", "a = \"\\ud800\"", "a = \"\\u0000\"", "a = yes", "\"\" = 1", "a = @", "[a]\nb = 1\n[a]\nb = 2", "a = \"\x01\""};
	struct settings s = {0};
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(settings_toml(text, strlen(text), "t", &s, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct settings_item *item = settings_get(&s, wanted[i].pattern);

		if (!item || strcmp(item->text, wanted[i].value) != 0)
			fail_msg("%s is \"%s\"", wanted[i].pattern, item ? item->text : "(absent)");
	}
	settings_free(&s);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (settings_toml(bad[i], strlen(bad[i]), "t", &s, &e) != -EINVAL || !strstr(e.msg, "t: line"))
			fail_msg("\"%s\" passes, or by \"%s\"", bad[i], e.msg);
		settings_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(containerd_is_held_to_the_gate),
		cmocka_unit_test(hosts_of_registries),
		cmocka_unit_test(podman_is_held_to_the_gate),
		cmocka_unit_test(storage_and_registries_of_podman),
		cmocka_unit_test(signatures_of_podman),
		cmocka_unit_test(docker_is_held_to_the_gate),
		cmocka_unit_test(a_root_is_examined_where_engines_read),
		cmocka_unit_test(words_over_the_configuration_are_findings),
		cmocka_unit_test(toml_is_read_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
