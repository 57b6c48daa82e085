/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/gate_rootfs.c - the container's root: proved layers, composed read-only
 *
 * Theory of operation
 *   An overlay without an upper layer, made with the mount API of descriptors: one "lowerdir+" a layer, topmost first
 *   (a single lowerdir= string would be limited to a page). Lowest lies the bottom folder from the host's own verified
 *   root, which holds nothing but mount points and empty files; with it there are always two lower folders, as an
 *   overlay without an upper one needs. The layers are proved once more after the overlay was made: it holds on to
 *   what it found, so what is proved then is what it found, unless somebody with root's power swapped twice.
 *
 *   Features by which a layer's extended attributes could redirect the overlay elsewhere are off.
 *
 * Spec: Linux 6.12, Documentation/filesystems/overlayfs.rst ("lowerdir+": since 6.7).
 */
#include "policy/gate.h"

#include "verity/layer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

static int open_layers(const struct gate_host *host, const struct policy *policy, const struct policy_image *image,
		       struct err *e)
{
	for (size_t i = 0; i < image->n_layers; i++) {
		const struct policy_layer *l = &image->layer[i];
		char path[VERITY_LAYER_PATH_BYTES];
		int r;

		if (policy_layer_is_revoked(policy, l->root_hash))
			return err_set(e, EKEYREVOKED, "layer %zu of image \"%s\" is revoked", i, image->name);
		r = verity_layer_open(host->layer_dir, l->root_hash, l->data_bytes, VERITY_CORRUPTION_EIO, path, e);
		if (r)
			return err_context(e, "layer %zu of image \"%s\"", i, image->name);
	}
	return 0;
}

static int prove_layers(const struct policy_image *image, struct err *e)
{
	for (size_t i = 0; i < image->n_layers; i++) {
		const struct policy_layer *l = &image->layer[i];
		char path[VERITY_LAYER_PATH_BYTES];

		verity_layer_path(l->root_hash, path);
		if (verity_layer_prove(path, l->root_hash, l->data_bytes, e))
			return err_context(e, "layer %zu of image \"%s\"", i, image->name);
	}
	return 0;
}

static int set_options(int fs, const struct policy_image *image, const char *bottom, struct err *e)
{
	static const char *const options[][2] = {
		{"source", "holdfast"}, {"metacopy", "off"},   {"redirect_dir", "nofollow"},
		{"index", "off"},       {"nfs_export", "off"}, {"xino", "off"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0) < 0)
			return err_errno(e, "overlay refuses %s=%s", options[i][0], options[i][1]);
	for (size_t i = image->n_layers; i-- > 0;) {
		char path[VERITY_LAYER_PATH_BYTES];

		verity_layer_path(image->layer[i].root_hash, path);
		if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", path, 0) < 0)
			return err_errno(e, "overlay refuses the lower folder %.120s", path);
	}
	if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", bottom, 0) < 0)
		return err_errno(e, "overlay refuses the bottom folder %.120s", bottom);
	if (fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_errno(e, "cannot compose the layers of image \"%s\"", image->name);
	return 0;
}

static int compose(const struct policy_image *image, const char *bottom, int *ret, struct err *e)
{
	cleanup_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int r;

	if (fs < 0)
		return err_errno(e, "cannot make an overlay");
	r = set_options(fs, image, bottom, e);
	if (r)
		return r;
	*ret = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
	return *ret < 0 ? err_errno(e, "cannot mount the overlay of image \"%s\"", image->name) : 0;
}

int gate_rootfs_mount(const struct gate_host *host, const struct policy *policy, const struct policy_image *image,
		      const struct gate_state *s, struct err *e)
{
	cleanup_fd int mnt = -1;
	cleanup_fd int target = openat(s->fd, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (target < 0)
		return err_errno(e, "cannot open %s/rootfs", s->path);
	r = open_layers(host, policy, image, e);
	if (!r)
		r = compose(image, host->bottom, &mnt, e);
	if (!r)
		r = prove_layers(image, e);
	if (r)
		return r; /* an overlay that is attached nowhere ends with its descriptor */
	if (move_mount(mnt, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_errno(e, "cannot attach the overlay to %s/rootfs", s->path);
	return 0;
}
