/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/image_tree.h - a file of an image, found as the container would find it
 *
 * Theory of operation
 *   The layers' tars are read once for names, links and whiteouts, layer by layer; a path is then looked up from the top
 *   layer down by overlayfs's rules, since that is what the container's root will be: a whiteout or anything that is no
 *   folder hides what is below it, an opaque folder what is in the folders below it, other folders are one. Symbolic
 *   links are followed within these tables alone, with ".." of the top being the top: there is no path of the machine
 *   that one could lead to. The file's bytes come from a second reading of its layer, which is checked against the
 *   layer's digest as the first was.
 *
 * Input: hostile. Runs as: build machine. Memory: the image's paths.
 * Spec: Linux 6.12 overlayfs.rst, "Upper and Lower", "whiteouts and opaque directories"; path_resolution(7).
 */
#ifndef POLICY_IMAGE_TREE_H
#define POLICY_IMAGE_TREE_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "policy/oci_layout.h"

#define POLICY_IMAGE_MAX_LINKS 40 /* as Linux: path_resolution(7) */

/**
 * struct policy_image_source - where the tars come from
 * @unpack:    push the tar of layer @layer (0 is the lowest) into @to; the same bytes each time it is called
 * @n_layers:  1 to POLICY_OCI_MAX_LAYERS
 * @max_bytes: of a tar, and of its files
 * @devices:   accept device nodes
 */
struct policy_image_source {
	int (*unpack)(void *arg, size_t layer, const struct policy_oci_sink *to, struct err *e);
	void *arg;
	size_t n_layers;
	uint64_t max_bytes;
	bool devices;
};

struct policy_image_tree;

/** policy_image_tree_load() - read all layers. @from: copied. Return: 0; -EINVAL refused tar; what @from->unpack says. */
int policy_image_tree_load(const struct policy_image_source *from, struct policy_image_tree **ret,
			   struct err *e) WARN_UNUSED;

/**
 * policy_image_tree_read() - the bytes of the regular file at @path
 * @max: -EFBIG if it has more
 *
 * Return: 0; -ENOENT there is nothing; -ELOOP; -EINVAL it is no regular file, or a part above it no folder.
 */
int policy_image_tree_read(const struct policy_image_tree *t, const char *path, size_t max, struct buf *ret,
			   struct err *e) WARN_UNUSED;

/** policy_image_tree_free() - release; accepts NULL. */
void policy_image_tree_free(struct policy_image_tree *t);

CLEANUP_DEFINE(policy_image_tree, struct policy_image_tree *, policy_image_tree_free)
#define cleanup_policy_image_tree __attribute__((cleanup(cleanup_policy_image_tree_fn)))

#endif
