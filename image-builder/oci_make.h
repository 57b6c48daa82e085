/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/oci_make.h - folders to a container image in OCI layout, the same folders always to the same bytes
 *
 * Theory of operation
 *   Each folder becomes one layer: an uncompressed POSIX tar (pax records where ustar is too small) of its files in the order
 *   of their paths, owned by root, with one time. Configuration, manifest and index are written by hand in one
 *   spelling. oci_archive() packs a layout into the tar that `ctr images import` and `podman load` read.
 *
 * Runs as: the builder's user. Spec: OCI image specification 1.1: image-layout.md, config.md, layer.md; POSIX.1-2017 pax.
 */
#ifndef IMAGE_BUILDER_OCI_MAKE_H
#define IMAGE_BUILDER_OCI_MAKE_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/**
 * struct oci_make_params - zero it, then set what is needed
 * @tree:       @n_trees folders, bottom layer first
 * @out:        layout folder; replaced only if it is an earlier layout
 * @tag:        org.opencontainers.image.ref.name
 * @arch:       as OCI spells it: "amd64", "arm64"
 * @entrypoint, @env: lists; @user: "UID:GID" or NULL; @cwd: or NULL
 * @epoch:      time of every file and of the image
 */
struct oci_make_params {
	const char *const *tree;
	size_t n_trees;
	const char *out, *tag, *arch;
	const char *const *entrypoint;
	size_t n_entrypoint;
	const char *const *env;
	size_t n_env;
	const char *user, *cwd;
	uint64_t epoch;
};

/** oci_make() - write the layout. -EINVAL names a file that cannot be in a layer (a device, a socket). */
int oci_make(const struct oci_make_params *p, struct err *e) WARN_UNUSED;

/**
 * struct oci_archive_params - set all
 * @layout, @tag, @arch: as for policy_oci_load()
 * @name: full name that the engine will know it by ("holdfast.local/hello:latest")
 * @path: new file; a folder "<path>.d" is needed for a while
 */
struct oci_archive_params {
	const char *layout, *tag, *arch, *name, *path;
};

/**
 * oci_archive() - one image of a layout as a tar file
 *
 * Holds only what the image's manifest names, under an index of its own; the manifest's digest stays.
 */
int oci_archive(const struct oci_archive_params *p, struct err *e) WARN_UNUSED;

#endif
