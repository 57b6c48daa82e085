/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/oci_archive.h - an image in one tar file: an OCI layout, or what `docker save` writes
 *
 * Theory of operation
 *   The archive is walked by the tar reader, and what is needed is copied out into a folder that is an OCI layout, which
 *   policy/oci_layout.h then reads as any other. An archive that holds a layout (docker from 25 on, podman and skopeo with
 *   oci-archive) gives its files. The older form has manifest.json, which names a configuration and layers as
 *   uncompressed tars: they become blobs under the digests that the configuration names (checked when they are read), and
 *   a manifest is written for them. That manifest is ours: the older form has none.
 *
 * Input: hostile. Spec: github.com/moby/docker-image-spec v1.2 "Combined Image JSON + Filesystem Changeset Format".
 */
#ifndef POLICY_OCI_ARCHIVE_H
#define POLICY_OCI_ARCHIVE_H

#include "common/cleanup.h"
#include "common/err.h"

#include <limits.h>
#include <stdbool.h>

/**
 * policy_oci_archive_unpack() - make a layout of it
 * @path:   the archive
 * @parent: folder in which the layout's folder is made
 * @tag:    which image of several: the whole of a name in RepoTags, or what is behind its last ':'; NULL if there is one
 * @ret_folder: to be given to policy_oci_archive_remove(); "" if nothing was made
 * @ret_tagged: the layout is the archive's own: @tag is still to be looked for in its index
 *
 * Return: 0; -EINVAL malformed; -ENOENT no such image; -errno.
 */
int policy_oci_archive_unpack(const char *path, const char *parent, const char *tag, char ret_folder[static PATH_MAX],
			      bool *ret_tagged, struct err *e) WARN_UNUSED;

/** policy_oci_archive_remove() - take the folder away; accepts "". */
void policy_oci_archive_remove(const char *folder);

#endif
