/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/policy_add.h - add a container image to a layer policy
 *
 * Theory of operation
 *   An image in an OCI layout is converted layer by layer (policy/layer_convert.h), and an entry is made that allows
 *   what the image itself says it needs and nothing more: its entry point and command as the one argument vector, its
 *   environment, its working folder, its user as numbers (policy/image_user.h); no capability, no exec, no network, a read-only
 *   root, the default seccomp filter. More must be asked for, in the parameters.
 *
 * Input: hostile image. Runs as: build machine, unprivileged.
 */
#ifndef POLICY_POLICY_ADD_H
#define POLICY_POLICY_ADD_H

#include "common/err.h"
#include "policy/layer_convert.h"
#include "policy/policy.h"

/**
 * struct policy_add_params - zero it, then set what is needed
 * @layout, @tag, @arch: as for policy_oci_load(); or an archive file (policy/oci_archive.h)
 * @convert:    where and how the layers are made
 * @name:       of the entry, unique in the policy
 * @class_name: NULL for "default"
 * @argv:       @n_argv vectors that replace the image's own one; NULL-terminated each
 * @exec:       @n_exec vectors for exec
 * @env, @tmpfs, @caps: added to what is allowed; NULL-terminated or NULL
 * @jit:        it may make executable memory of its own (profile enforce-jit)
 * @user:       "U:G" or "U", numbers or names, in place of the image's; NULL: the image's
 * @jobs:       layers converted at once; 0: as many as there are processors
 */
struct policy_add_params {
	const char *layout;
	const char *tag;
	const char *arch;
	struct policy_convert_params convert;
	const char *name;
	const char *class_name;
	const char *const *const *argv;
	size_t n_argv;
	const char *const *const *exec;
	size_t n_exec;
	const char *const *env;
	const char *const *tmpfs;
	const char *const *caps;
	const char *user;
	bool jit;
	size_t jobs;
};

#define POLICY_ADD_MAX_JOBS 64

/* What containerd, podman and dockerd set when an image says nothing about PATH. */
#define POLICY_ADD_DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** policy_new() - an empty policy of version 1. -EINVAL if @name is none. */
int policy_new(const char *name, struct policy **ret, struct err *e) WARN_UNUSED;

/**
 * policy_add_image() - convert the image, add its entry, and raise the policy's version by one
 *
 * A tar that the policy's images have already is not converted again if its files are still in the folder.
 * A layer that stands twice in the image is put once, at its upper place: the lower one is hidden by it.
 * @p keeps its state if it fails; layer files that were published until then stay (they are named by content).
 * Return: 0; -EEXIST the name is taken; -EINVAL, -ENOENT image or parameters refused; -EOVERFLOW version at its end;
 * what policy_oci_*() and policy_convert_tar() say.
 */
int policy_add_image(struct policy *p, const struct policy_add_params *a, struct err *e) WARN_UNUSED;

#endif
