/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/podman_store.h - an additional image store: what podman knows by name without having pulled it
 *
 * Theory of operation
 *   containers/storage reads further stores, read-only, that other tools have filled (storage.conf: additionalimagestores).
 *   Ours stands in the verified root: two lists in JSON, manifest and configuration of each image, a folder each layer. A
 *   layer's folder `diff` is a link to where PID 1 mounts the signed layer, so podman sees its files, and the gate
 *   recognises the image by it. An image that the policy does not name has an empty folder there.
 *
 *     overlay-images/images.json, <config digest>/{manifest,=<base64 of "sha256:..." >}
 *     overlay-layers/layers.json
 *     overlay/l/<link> -> ../<layer>/diff, overlay/<layer>/{diff,link,lower}
 *
 * Spec: containers/storage 1.57 (podman 5.4): images.go, layers.go, drivers/overlay/overlay.go. Known to be read by it;
 *       it documents no format.
 */
#ifndef IMAGE_BUILDER_PODMAN_STORE_H
#define IMAGE_BUILDER_PODMAN_STORE_H

#include "image-builder/fileset.h"
#include "policy/oci_layout.h"
#include "policy/policy.h"

#include <json-c/json.h>

#define PODMAN_STORE_DIR "usr/lib/holdfast/podman"

/** struct podman_store - zero it; podman_store_free() in any case. Layers that images share stand there once. */
struct podman_store {
	json_object *images, *layers;
};

void podman_store_free(struct podman_store *s);

/**
 * podman_store_add() - an image of an OCI layout
 * @root:  gets its files
 * @oci:   loaded
 * @entry: the policy's, or NULL: none
 * @name:  full name, with tag
 */
int podman_store_add(struct podman_store *s, struct fileset *root, const struct policy_oci_image *oci,
		     const struct policy_image *entry, const char *name, struct err *e) WARN_UNUSED;

/** podman_store_finish() - the lists. */
int podman_store_finish(struct podman_store *s, struct fileset *root, struct err *e) WARN_UNUSED;

#endif
