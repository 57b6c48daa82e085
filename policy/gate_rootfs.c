/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/gate_rootfs.c - the container's root: proved layers, composed read-only
 *
 * Theory of operation
 *   An overlay without an upper layer, made with the mount API of descriptors: one "lowerdir+" a layer, topmost first
 *   (a single lowerdir= string would be limited to a page). Each layer's mount is opened once, the descriptor is proved
 *   against the kernel's table, and that very descriptor is what the overlay is made of: nothing mounted over the path
 *   in between can get in. Lowest lies the bottom folder from the host's own verified root, which holds nothing but
 *   mount points and empty files; with it there are always two lower folders, as an overlay without an upper one needs.
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
#include <sys/stat.h>
#include <sys/syscall.h>

/* struct lower - descriptors (O_PATH) of the lower folders, the bottom folder first, then the layers, bottom first */
struct lower {
	int fd[POLICY_MAX_LAYERS + 1];
	size_t n;
};

static void lower_close(struct lower *l)
{
	while (l->n)
		cleanup_fd_fn(&l->fd[--l->n]);
}

static int lower_add(struct lower *l, const char *path, struct err *e)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "cannot open %.160s", path);
	l->fd[l->n++] = fd;
	return 0;
}

/* The bottom folder must be the host root's own, not something mounted there. */
static int add_bottom(struct lower *l, const char *bottom, struct err *e)
{
	struct stat root, found;
	int r = lower_add(l, bottom, e);

	if (r)
		return r;
	if (stat("/", &root) < 0 || fstat(l->fd[0], &found) < 0)
		return err_errno(e, "cannot look at %.160s", bottom);
	if (root.st_dev != found.st_dev)
		return err_set(e, EBADMSG, "%.160s is not of the host's own root", bottom);
	return 0;
}

static int add_layer(struct lower *l, const struct gate_host *host, const struct policy_layer *layer, struct err *e)
{
	char path[VERITY_LAYER_PATH_BYTES];
	int r = verity_layer_open(host->layer_dir, layer->root_hash, layer->data_bytes, VERITY_CORRUPTION_EIO, path, e);

	if (!r)
		r = lower_add(l, path, e);
	if (!r)
		r = verity_layer_prove_fd(l->fd[l->n - 1], path, layer->root_hash, layer->data_bytes, e);
	return r;
}

static int add_layers(struct lower *l, const struct gate_host *host, const struct policy *policy,
		      const struct policy_image *image, struct err *e)
{
	for (size_t i = 0; i < image->n_layers; i++) {
		const struct policy_layer *layer = &image->layer[i];

		if (policy_layer_is_revoked(policy, layer->root_hash))
			return err_set(e, EKEYREVOKED, "layer %zu of image \"%s\" is revoked", i, image->name);
		if (add_layer(l, host, layer, e))
			return err_context(e, "layer %zu of image \"%s\"", i, image->name);
	}
	return 0;
}

static int set_options(int fs, const struct policy_image *image, const struct lower *lower, struct err *e)
{
	static const char *const options[][2] = {
		{"source", "holdfast"}, {"metacopy", "off"},   {"redirect_dir", "nofollow"},
		{"index", "off"},       {"nfs_export", "off"}, {"xino", "off"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0) < 0)
			return err_errno(e, "overlay refuses %s=%s", options[i][0], options[i][1]);
	for (size_t i = lower->n; i-- > 0;) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", lower->fd[i]); /* fits */
		if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", path, 0) < 0)
			return err_errno(e, "overlay refuses lower folder %zu of image \"%s\"", i, image->name);
	}
	if (fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_errno(e, "cannot compose the overlay of image \"%s\"", image->name);
	return 0;
}

static int compose(const struct policy_image *image, const struct lower *lower, int *ret, struct err *e)
{
	cleanup_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int r;

	if (fs < 0)
		return err_errno(e, "cannot make an overlay");
	r = set_options(fs, image, lower, e);
	if (r)
		return r;
	*ret = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
	return *ret < 0 ? err_errno(e, "cannot mount the overlay of image \"%s\"", image->name) : 0;
}

static int compose_proved(const struct gate_host *host, const struct policy *policy, const struct policy_image *image,
			  int *ret, struct err *e)
{
	static struct lower lower; /* the gate composes one root in its life */
	int r = add_bottom(&lower, host->bottom, e);

	if (!r)
		r = add_layers(&lower, host, policy, image, e);
	if (!r)
		r = compose(image, &lower, ret, e);
	lower_close(&lower);
	return r;
}

int gate_rootfs_mount(const struct gate_host *host, const struct policy *policy, const struct policy_image *image,
		      const struct gate_state *s, struct err *e)
{
	cleanup_fd int mnt = -1;
	cleanup_fd int target = openat(s->fd, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (target < 0)
		return err_errno(e, "cannot open %s/rootfs", s->path);
	r = compose_proved(host, policy, image, &mnt, e);
	if (r)
		return r; /* an overlay that is attached nowhere ends with its descriptor */
	if (move_mount(mnt, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_errno(e, "cannot attach the overlay to %s/rootfs", s->path);
	return 0;
}
