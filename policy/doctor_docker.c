/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/doctor_docker.c - rules for dockerd's daemon.json */
#include "policy/doctor_rules.h"

#include <string.h>

#define OTHER_RUNTIME "containers would be started without the gate"
#define PLAIN         "whoever is on the way gives the image: nothing says that it is the registry"

static const struct doctor_rule rules[] = {
	{"runtimes/*/path", DOCTOR_NOT, POLICY_DOCTOR_GATE, OTHER_RUNTIME},
	{"runtimes/*/runtimeArgs/*", DOCTOR_ANY, NULL, "words that the gate did not choose"},
	{"runtimes/*/runtimeType", DOCTOR_NOT, "io.containerd.runc.v2", "another shim: " OTHER_RUNTIME},
	{"runtimes/*/options/BinaryName", DOCTOR_NOT, POLICY_DOCTOR_GATE, OTHER_RUNTIME},
	{"insecure-registries/*", DOCTOR_ANY, NULL, PLAIN},
	{"registry-mirrors/*", DOCTOR_BEGINS, "http://", PLAIN},
	{"seccomp-profile", DOCTOR_IS, "unconfined", "containers would ask for no system call filter"},
	{"seccomp-profile", DOCTOR_BEGINS, "/var/", "it can be written to"},
	{"seccomp-profile", DOCTOR_BEGINS, "/run/", "it can be written to"},
	{"default-cgroupns-mode", DOCTOR_IS, "host", "every container would share it with the host, unless told otherwise"},
	{"default-ipc-mode", DOCTOR_NOT, "private none", "other containers could share every container's memory"},
	{"storage-driver", DOCTOR_NOT, "overlay2 overlayfs", "other drivers copy layers to where they can be written to"},
	{"init-path", DOCTOR_WRITABLE, NULL, "it can be written to, and would be in every container"},
	{"userland-proxy-path", DOCTOR_WRITABLE, NULL, "it can be written to, and runs on the host"},
	{"cdi-spec-dirs/*", DOCTOR_WRITABLE, NULL, "files dropped there give devices and hooks to containers"},
	{"containerd", DOCTOR_WRITABLE, "/run/containerd/containerd.sock", "another containerd's socket"},
	{"authorization-plugins/*", DOCTOR_ANY, NULL, "another process would take part in what the engine does"},
	{"no-pivot-root", DOCTOR_TRUE, NULL, "a chroot in place of pivot_root can be left"},
	{"tlsverify", DOCTOR_FALSE, NULL, "whoever reaches the port commands the engine"},
	{0},
};

void doctor_dockerd(const struct doctor_doc *doc)
{
	const struct settings_item *runtime = settings_get(&doc->s, "default-runtime"), *i;
	const struct settings_item *tls = settings_get(&doc->s, "tlsverify");
	size_t from = 0;
	bool known = false;

	doctor_hold(doc, rules);
	while (runtime && (i = settings_find(&doc->s, "runtimes/*", &from))) {
		char pattern[SETTINGS_MAX_PATH];
		const char *name = strrchr(i->path, SETTINGS_SEP) + 1;

		(void)snprintf(pattern, sizeof(pattern), "runtimes/%s/path", name); /* a name cut fits nothing */
		known |= !strcmp(name, runtime->text) &&
			 (settings_get(&doc->s, pattern) || settings_get(&doc->s, "runtimes/*/options/BinaryName"));
	}
	if (!runtime)
		doctor_say(doc, NULL, "no default-runtime", "the built-in one is runc: " OTHER_RUNTIME);
	else if (!known)
		doctor_say(doc, runtime, NULL, "runtimes has no path for it, so the built-in one is taken: " OTHER_RUNTIME);
	from = 0;
	while ((i = settings_find(&doc->s, "hosts/*", &from)))
		if (!strncmp(i->text, "tcp://", 6) && !(tls && !strcmp(tls->text, "true")))
			doctor_say(doc, i, NULL, "whoever reaches that port commands the engine: wants tlsverify");
}
