/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/doctor_podman.c - rules for containers.conf, storage.conf, registries.conf and policy.json of podman */
#include "policy/doctor_rules.h"

#include <string.h>

#define OTHER_RUNTIME "containers would be started without the gate"
#define SHARED        "every container would share it with the host, unless told otherwise"
#define PLAIN         "whoever is on the way gives the image: nothing says that it is the registry"

static const struct doctor_rule containers_rules[] = {
	{"engine/runtimes/*/*", DOCTOR_NOT, POLICY_DOCTOR_GATE, OTHER_RUNTIME},
	{"engine/hooks_dir/*", DOCTOR_ANY, NULL, "files there add hooks, which run as root on the host, to containers"},
	{"engine/no_pivot_root", DOCTOR_TRUE, NULL, "a chroot in place of pivot_root can be left"},
	{"engine/conmon_path/*", DOCTOR_WRITABLE, NULL, "it can be written to, and starts every container"},
	{"engine/helper_binaries_dir/*", DOCTOR_WRITABLE, NULL, "programs put there run on the host"},
	{"engine/cdi_spec_dirs/*", DOCTOR_WRITABLE, NULL, "files dropped there give devices and hooks to containers"},
	{"engine/env/*", DOCTOR_ANY, NULL, "variables for the engine could preload code or name other files"},
	{"engine/remote", DOCTOR_TRUE, NULL, "another machine's engine would be used"},
	{"engine/active_service", DOCTOR_SET, NULL, "another engine would be used"},
	{"engine/service_destinations/*", DOCTOR_ANY, NULL, "another engine would be used"},
	{"engine/runtime_supports_kvm/*", DOCTOR_ANY, NULL, OTHER_RUNTIME},
	{"network/cni_plugin_dirs/*", DOCTOR_WRITABLE, NULL, "programs put there run on the host for every container"},
	{"network/netavark_plugin_dirs/*", DOCTOR_WRITABLE, NULL, "programs put there run on the host for every container"},
	{"containers/privileged", DOCTOR_TRUE, NULL, "every container would be privileged, unless told otherwise"},
	{"containers/env_host", DOCTOR_TRUE, NULL, "the host's variables would go into every container"},
	{"containers/seccomp_profile", DOCTOR_IS, "unconfined", "containers would ask for no system call filter"},
	{"containers/seccomp_profile", DOCTOR_WRITABLE, NULL, "it can be written to"},
	{"containers/apparmor_profile", DOCTOR_IS, "unconfined", "containers would ask for no confinement"},
	{"containers/default_capabilities/*", DOCTOR_IS, "SYS_ADMIN", "every container would ask for it"},
	{"containers/default_capabilities/*", DOCTOR_IS, "CAP_SYS_ADMIN", "every container would ask for it"},
	{"containers/default_capabilities/*", DOCTOR_IS, "ALL", "every container would ask for all of them"},
	{"containers/default_capabilities/*", DOCTOR_IS, "all", "every container would ask for all of them"},
	{"containers/devices/*", DOCTOR_ANY, NULL, "every container would get that device"},
	{"containers/volumes/*", DOCTOR_ANY, NULL, "every container would get a folder of the host's"},
	{"containers/mounts/*", DOCTOR_ANY, NULL, "every container would get that mount"},
	{"containers/annotations/*", DOCTOR_BEGINS, "run.oci.", "crun acts on it"},
	{"containers/pidns", DOCTOR_IS, "host", SHARED},
	{"containers/ipcns", DOCTOR_IS, "host", SHARED},
	{"containers/netns", DOCTOR_IS, "host", SHARED},
	{"containers/utsns", DOCTOR_IS, "host", SHARED},
	{"containers/cgroupns", DOCTOR_IS, "host", SHARED},
	{"containers/cgroups", DOCTOR_IS, "disabled", "containers would stay in the engine's own group"},
	{0},
};

static const struct doctor_rule storage_rules[] = {
	{"storage/driver", DOCTOR_NOT, "overlay", "other drivers copy layers to where they can be written to"},
	{"storage/options/additionallayerstores/*", DOCTOR_ANY, NULL, "another process would hand out layers as it is asked for them"},
	{"storage/options/additionalimagestores/*", DOCTOR_WRITABLE, NULL, "it can be written to, and images of it are not checked again"},
	{"storage/options/mount_program", DOCTOR_SET, NULL, "file systems in user space are not judged by the kernel's integrity check"},
	{"storage/options/*/mount_program", DOCTOR_SET, NULL, "file systems in user space are not judged by the kernel's integrity check"},
	{"storage/options/pull_options/enable_partial_images", DOCTOR_IS, "true", "layers fetched in parts are not checked by the digest that the manifest names"},
	{"storage/options/pull_options/insecure_allow_unpredictable_image_contents", DOCTOR_IS, "true", "layers fetched in parts are not checked by the digest that the manifest names"},
	{"storage/options/ignore_chown_errors", DOCTOR_IS, "true", "files of other users would silently become one user's"},
	{"storage/options/*/ignore_chown_errors", DOCTOR_IS, "true", "files of other users would silently become one user's"},
	{0},
};

static const struct doctor_rule registries_rules[] = {
	{"registry/*/insecure", DOCTOR_TRUE, NULL, PLAIN},
	{"registry/*/mirror/*/insecure", DOCTOR_TRUE, NULL, PLAIN},
	{"registries/insecure/registries/*", DOCTOR_ANY, NULL, PLAIN},
	{"registries/search/registries/*", DOCTOR_ANY, NULL, "a short name means whichever registry answers first"},
	{"unqualified-search-registries/*", DOCTOR_ANY, NULL, "a short name means whichever registry answers first"},
	{"short-name-mode", DOCTOR_NOT, "enforcing", "a short name means whichever registry answers first"},
	{"additional-layer-store-auth-helper", DOCTOR_SET, NULL, "another process would take part in every pull"},
	{0},
};

static const struct doctor_rule signatures_rules[] = {
	{"default/*/type", DOCTOR_IS, "insecureAcceptAnything", "every image is accepted, signed or not"},
	{"transports/*/*/*/type", DOCTOR_IS, "insecureAcceptAnything", "every image of that place is accepted, signed or not"},
	{"transports/*/*/*/keyPath", DOCTOR_WRITABLE, NULL, "the key that judges can be written to"},
	{"transports/*/*/*/keyPaths/*", DOCTOR_WRITABLE, NULL, "the key that judges can be written to"},
	{"default/*/keyPath", DOCTOR_WRITABLE, NULL, "the key that judges can be written to"},
	{"default/*/keyPaths/*", DOCTOR_WRITABLE, NULL, "the key that judges can be written to"},
	{0},
};

/* The runtime in use must be one of the table, and that one must have a path. */
void doctor_containers_conf(const struct doctor_doc *doc)
{
	const struct settings_item *runtime = settings_get(&doc->s, "engine/runtime");
	const struct settings_item *i;
	size_t from = 0;
	bool known = false;

	doctor_hold(doc, containers_rules);
	while (runtime && (i = settings_find(&doc->s, "engine/runtimes/*/0", &from))) {
		const char *name = i->path + strlen("engine/runtimes/");

		known |= strcspn(name, "\x1f") == strlen(runtime->text) && !strncmp(name, runtime->text, strlen(runtime->text));
	}
	if (!runtime)
		doctor_say(doc, NULL, "no engine.runtime", "the built-in one is crun or runc: " OTHER_RUNTIME);
	else if (!known)
		doctor_say(doc, runtime, NULL, "engine.runtimes has no path for it, so the built-in one is taken: " OTHER_RUNTIME);
}

void doctor_storage(const struct doctor_doc *doc)
{
	doctor_hold(doc, storage_rules);
}

void doctor_registries(const struct doctor_doc *doc)
{
	doctor_hold(doc, registries_rules);
}

void doctor_signatures(const struct doctor_doc *doc)
{
	doctor_hold(doc, signatures_rules);
	if (!settings_get(&doc->s, "default/0"))
		doctor_say(doc, settings_get(&doc->s, "default"), "no default", "an image that no rule is about has no rule");
}
