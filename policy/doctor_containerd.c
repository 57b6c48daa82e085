/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/doctor_containerd.c - rules for containerd's config.toml and hosts.toml */
#include "policy/doctor_rules.h"

#include <dirent.h>
#include <string.h>

#define CRI     "plugins/*/containerd/"
#define RUNTIME CRI "runtimes/*/"

#define OTHER_RUNTIME "containers would be started without the gate"
#define ELSEWHERE     "it can be written to: code that nobody verified would take part"
#define PLAIN         "whoever is on the way gives the image: nothing says that it is the registry"

static const struct doctor_rule rules[] = {
	{"imports", DOCTOR_SET, NULL, "other files are read too, which nobody examined: write it into this one"},
	{"plugin_dir", DOCTOR_SET, NULL, "plugins of that folder would be loaded into the engine"},
	{"proxy_plugins/*", DOCTOR_ANY, NULL, "another process would hand out contents and snapshots, outside of the verified root"},
	{"stream_processors/*", DOCTOR_ANY, NULL, "a program would change layers on their way to the conversion"},
	{"grpc/tcp_address", DOCTOR_SET, NULL, "whoever reaches that port commands the engine"},
	{"grpc/uid", DOCTOR_NOT, "0", "others than root could command the engine"},
	{"grpc/gid", DOCTOR_NOT, "0", "others than root could command the engine"},
	{RUNTIME "runtime_type", DOCTOR_NOT, "io.containerd.runc.v2", "another shim: " OTHER_RUNTIME},
	{RUNTIME "runtime_path", DOCTOR_SET, NULL, "another shim is named by its path: " OTHER_RUNTIME},
	{RUNTIME "runtime_engine", DOCTOR_SET, NULL, OTHER_RUNTIME},
	{RUNTIME "runtime_root", DOCTOR_SET, NULL, OTHER_RUNTIME},
	{RUNTIME "options/BinaryName", DOCTOR_NOT, POLICY_DOCTOR_GATE, OTHER_RUNTIME},
	{RUNTIME "options/ConfigPath", DOCTOR_SET, NULL, "a file that nobody examined says how containers are started"},
	{RUNTIME "base_runtime_spec", DOCTOR_WRITABLE, NULL, ELSEWHERE},
	{RUNTIME "sandboxer", DOCTOR_IS, "shim", "the shim makes the sandbox itself: " OTHER_RUNTIME},
	{RUNTIME "sandbox_mode", DOCTOR_IS, "shim", "the shim makes the sandbox itself: " OTHER_RUNTIME},
	{RUNTIME "io_type", DOCTOR_IS, "streaming", "streams of containers would go to another process"},
	{RUNTIME "privileged_without_host_devices_all_devices_allowed", DOCTOR_TRUE, NULL, "every device would be open to privileged containers"},
	{CRI "default_runtime/**", DOCTOR_ANY, NULL, "a runtime of the old form, beside the table of runtimes: " OTHER_RUNTIME},
	{CRI "untrusted_workload_runtime/**", DOCTOR_ANY, NULL, "a runtime of the old form, beside the table of runtimes: " OTHER_RUNTIME},
	{"plugins/io.containerd.runtime.v1.linux/**", DOCTOR_ANY, NULL, "the shim of version 1 has its own runtime: " OTHER_RUNTIME},
	{"plugins/*/env/*", DOCTOR_ANY, NULL, "variables for the shim could name another runtime or preload code"},
	{"plugins/*/registry/configs/*/tls/insecure_skip_verify", DOCTOR_TRUE, NULL, PLAIN},
	{"plugins/*/registry/mirrors/*/endpoint/*", DOCTOR_BEGINS, "http://", PLAIN},
	{"plugins/*/registry/config_path", DOCTOR_WRITABLE, NULL, "a folder for drop-in files of registries can be written to"},
	{"plugins/*/config_path", DOCTOR_WRITABLE, NULL, "a folder for drop-in files of registries can be written to"},
	{"plugins/*/use_local_image_pull", DOCTOR_TRUE, NULL, "pulls fall back to the client's own way, which asks no image verifier"},
	{CRI "snapshotter", DOCTOR_NOT, "overlayfs native erofs", "a snapshotter that mounts what it fetches by itself"},
	{"plugins/*/snapshotter", DOCTOR_NOT, "overlayfs native erofs", "a snapshotter that mounts what it fetches by itself"},
	{RUNTIME "snapshotter", DOCTOR_NOT, "overlayfs native erofs", "a snapshotter that mounts what it fetches by itself"},
	{"plugins/*/mount_program", DOCTOR_SET, NULL, "file systems in user space are not judged by the kernel's integrity check"},
	{"plugins/io.containerd.internal.v1.opt/path", DOCTOR_WRITABLE, NULL, "programs put there go into the engine's PATH"},
	{"plugins/*/cdi_spec_dirs/*", DOCTOR_WRITABLE, NULL, "files dropped there give devices and hooks to containers"},
	{"plugins/*/cni/bin_dir", DOCTOR_WRITABLE, NULL, "programs put there run on the host for every container"},
	{"plugins/*/cni/bin_dirs/*", DOCTOR_WRITABLE, NULL, "programs put there run on the host for every container"},
	{"plugins/*/image_decryption/key_model", DOCTOR_SET, NULL, "programs would change layers on their way to the conversion"},
	{0},
};

static const struct doctor_rule hosts_rules[] = {
	{"server", DOCTOR_BEGINS, "http://", PLAIN},
	{"skip_verify", DOCTOR_TRUE, NULL, PLAIN},
	{"host/*/skip_verify", DOCTOR_TRUE, NULL, PLAIN},
	{"host/*/ca", DOCTOR_WRITABLE, NULL, ELSEWHERE},
	{0},
};

/* Each runtime must name the gate: without a name the shim looks for "runc" in its PATH. */
static void check_runtimes(const struct doctor_doc *doc)
{
	const struct settings_item *i;
	size_t from = 0;

	while ((i = settings_find(&doc->s, CRI "runtimes/*", &from))) {
		bool named = false;

		for (size_t k = 0; k < doc->s.n; k++) {
			const char *p = doc->s.item[k].path;
			size_t n = strlen(i->path);

			named |= !strncmp(p, i->path, n) && settings_match(p, RUNTIME "options/BinaryName");
		}
		if (!named)
			doctor_say(doc, i, "no options.BinaryName",
				   "the shim takes the first \"runc\" of its PATH: " OTHER_RUNTIME);
	}
	from = 0;
	while ((i = settings_find(&doc->s, CRI "default_runtime_name", &from))) {
		const struct settings_item *r;
		size_t at = 0;
		bool known = false;

		while ((r = settings_find(&doc->s, CRI "runtimes/*", &at)))
			known |= !strcmp(strrchr(r->path, SETTINGS_SEP) + 1, i->text);
		if (!known)
			doctor_say(doc, i, NULL, "no runtime of that name is configured here: the built-in one has another program");
	}
}

static bool is_disabled(const struct doctor_doc *doc, const char *plugin)
{
	const struct settings_item *i;
	size_t from = 0;

	while ((i = settings_find(&doc->s, "disabled_plugins/*", &from)))
		if (!strcmp(i->text, plugin))
			return true;
	return false;
}

/* NRI lets other processes change containers. Since containerd 2.0 it is on unless it is disabled. */
static void check_nri(const struct doctor_doc *doc)
{
	const struct settings_item *off = settings_get(&doc->s, "plugins/io.containerd.nri.v1.nri/disable");

	if (is_disabled(doc, "io.containerd.nri.v1.nri") || (off && !strcmp(off->text, "true")))
		return;
	doctor_say(doc, off, off ? NULL : "NRI is not disabled",
		   "other processes could change containers behind the engine's back: put io.containerd.nri.v1.nri into disabled_plugins");
}

/* The CRI plugin without a table of runtimes has a built-in one, whose program is not named. */
static void check_cri(const struct doctor_doc *doc)
{
	if (is_disabled(doc, "io.containerd.grpc.v1.cri") || settings_get(&doc->s, CRI "runtimes/*") ||
	    is_disabled(doc, "io.containerd.cri.v1.runtime"))
		return;
	doctor_say(doc, NULL, "the CRI plugin has no table of runtimes", "its built-in runtime is the first \"runc\" of the PATH: " OTHER_RUNTIME);
}

/* Who relies on verifiers must have some: with an empty or absent folder every image passes. */
static void check_verifiers(const struct doctor_doc *doc)
{
	const struct settings_item *i = settings_get(&doc->s, "plugins/io.containerd.image-verifier.v1.bindir/bin_dir");
	const struct settings_item *table = settings_get(&doc->s, "plugins/io.containerd.image-verifier.v1.bindir");
	const char *dir = i ? i->text : "/opt/containerd/image-verifier/bin";
	size_t n = 0;
	char path[4096];
	DIR *d;

	if (!i && !table)
		return;
	if (doctor_is_writable(dir))
		doctor_say(doc, i, NULL, ELSEWHERE);
	if (!doctor_in_root(doc->d, dir, path))
		return;
	d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));)
		n += f->d_name[0] != '.';
	if (d)
		(void)closedir(d);
	if (!n)
		doctor_say(doc, i ? i : table, dir, "the folder of image verifiers is empty or absent: every image passes");
}

void doctor_containerd(const struct doctor_doc *doc)
{
	const struct settings_item *version = settings_get(&doc->s, "version");

	if (!version || (strcmp(version->text, "2") != 0 && strcmp(version->text, "3") != 0))
		doctor_say(doc, version, version ? NULL : "no version", "only versions 2 and 3 of the format are examined");
	doctor_hold(doc, rules);
	check_runtimes(doc);
	check_cri(doc);
	check_nri(doc);
	check_verifiers(doc);
}

void doctor_hosts(const struct doctor_doc *doc)
{
	const struct settings_item *i;
	size_t from = 0;

	doctor_hold(doc, hosts_rules);
	while ((i = settings_find(&doc->s, "host/*", &from)))
		if (!strncmp(strrchr(i->path, SETTINGS_SEP) + 1, "http://", 7))
			doctor_say(doc, i, "http://", PLAIN);
}
