/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/doctor.h - does an engine's configuration turn verification off, or go around the gate?
 *
 * Theory of operation
 *   Each configuration file becomes a flat list (policy/settings.h), which tables of rules are held against; a rule says
 *   what must not be and why. What only the whole shows (a default runtime that is no runtime, a folder of verifiers that
 *   is empty) is code behind the tables. docs/formats/doctor.md holds the same rules for people.
 *
 *   A path counts as writable if it is below /var, /run, /tmp, /dev, /home, /mnt or /media: on a holdfast host nothing
 *   else is. On the host itself (root ""), the file system that a configuration file stands on must be read-only too.
 *
 * Input: configuration files; authenticated by the verified root on a host, anybody's elsewhere.
 * Runs as: build machine, unprivileged; and on the host before the engine is started (holdfast-runtime --doctor).
 * Spec: containerd 1.7 and 2.1 docs/cri/config.md, docs/hosts.md; containers.conf(5), containers-storage.conf(5),
 * containers-registries.conf(5), containers-policy.json(5); dockerd(8).
 */
#ifndef POLICY_DOCTOR_H
#define POLICY_DOCTOR_H

#include "common/err.h"
#include "policy/settings.h"

#define POLICY_DOCTOR_GATE "/usr/bin/holdfast-runtime"

enum policy_doctor_kind {
	POLICY_DOCTOR_UNSET,
	POLICY_DOCTOR_CONTAINERD,      /* config.toml */
	POLICY_DOCTOR_HOSTS,           /* hosts.toml of containerd */
	POLICY_DOCTOR_CONTAINERS_CONF, /* containers.conf */
	POLICY_DOCTOR_STORAGE,         /* storage.conf */
	POLICY_DOCTOR_REGISTRIES,      /* registries.conf */
	POLICY_DOCTOR_SIGNATURES,      /* policy.json of podman */
	POLICY_DOCTOR_DOCKERD,         /* daemon.json */
};

/**
 * struct policy_doctor_finding - one thing that must not be
 * @file: where it stands, @line in it (0: unknown)
 * @where: the setting's path, parts joined by '.'; "" if it is about the file
 * @found: its value; @why: what it turns off
 */
struct policy_doctor_finding {
	const char *file;
	unsigned line;
	const char *where;
	const char *found;
	const char *why;
};

/**
 * struct policy_doctor - one examination; set @root, @fn, @arg
 * @root:  "" on the host, or the folder that will be the root
 * @live:  also ask the kernel whether the files stand on a read-only file system
 * @fn:    told of each finding; its strings live for that call
 * @findings, @files: how many there were
 */
struct policy_doctor {
	const char *root;
	bool live;
	void (*fn)(void *arg, const struct policy_doctor_finding *f);
	void *arg;
	size_t findings, files;
};

/**
 * policy_doctor_root() - every configuration file of the three engines that is there, at the places they read, and the
 * command line by which PID 1 starts one (/etc/holdfast/host.conf)
 *
 * A file that does not parse is a finding. Return: 0 (see @d->findings); -errno could not read.
 */
int policy_doctor_root(struct policy_doctor *d, struct err *e) WARN_UNUSED;

/** policy_doctor_file() - one file, of the kind its name or @kind says. -EINVAL: its name says nothing. */
int policy_doctor_file(struct policy_doctor *d, const char *path, enum policy_doctor_kind kind, struct err *e) WARN_UNUSED;

#endif
