/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/oci_layout.h - strict reader of an OCI image layout folder
 *
 * Theory of operation
 *   index.json names a manifest by digest, the manifest names configuration and layers, the configuration names
 *   the digest of each layer's uncompressed tar. Every blob is read once into memory (or, a layer, streamed into
 *   its conversion) and what was read is what is hashed, so whatever happens in the folder meanwhile, only bytes that the
 *   digest above them names are believed. Of index.json itself nothing is authenticated: it chooses, and the
 *   manifest's digest ends up in the signed policy.
 *
 *   Unlike our own documents these are other people's: fields we do not know are ignored, as the specification
 *   wants. Those we use are held to their types and bounds.
 *
 * Input: hostile. Runs as: build machine. Spec: OCI image specification 1.1: image-layout.md, image-index.md,
 * manifest.md, config.md.
 */
#ifndef POLICY_OCI_LAYOUT_H
#define POLICY_OCI_LAYOUT_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"

#include <stddef.h>
#include <stdint.h>

#define POLICY_OCI_MAX_JSON_BYTES (4 << 20)
#define POLICY_OCI_MAX_LAYERS     128
#define POLICY_OCI_MAX_BLOB_BYTES ((uint64_t)8 << 30)

enum policy_oci_packing { POLICY_OCI_TAR, POLICY_OCI_GZIP, POLICY_OCI_ZSTD };

/** struct policy_oci_layer - @digest, @bytes: the blob as stored; @diff_id: its uncompressed tar */
struct policy_oci_layer {
	uint8_t digest[HASH_SHA256_BYTES];
	uint8_t diff_id[HASH_SHA256_BYTES];
	uint64_t bytes;
	enum policy_oci_packing packing;
};

/**
 * struct policy_oci_image - what one manifest and its configuration say
 * @entrypoint, @cmd, @env: NULL-terminated, never NULL
 * @cwd, @user: "" if the configuration has none
 */
struct policy_oci_image {
	char *folder;
	uint8_t manifest[HASH_SHA256_BYTES];
	uint8_t config[HASH_SHA256_BYTES];
	struct policy_oci_layer *layer; /* bottom first */
	size_t n_layers;
	char **entrypoint;
	char **cmd;
	char **env;
	char *cwd;
	char *user;
};

/** policy_oci_free() - release; accepts NULL. */
void policy_oci_free(struct policy_oci_image *i);

CLEANUP_DEFINE(policy_oci, struct policy_oci_image *, policy_oci_free)
#define cleanup_policy_oci __attribute__((cleanup(cleanup_policy_oci_fn)))

/**
 * policy_oci_load() - find an image in a layout and read its manifest and configuration
 * @folder: holds `oci-layout`, `index.json` and `blobs/sha256`
 * @tag:    value of org.opencontainers.image.ref.name, or NULL if the index has one image only
 * @arch:   as OCI (Go) spells it: "amd64", "arm64"
 *
 * Return: 0; -ENOENT if no image fits or a file is missing; -EINVAL malformed, ambiguous, or a digest that does not
 * fit, with the file's name; -errno unreadable.
 */
int policy_oci_load(const char *folder, const char *tag, const char *arch, struct policy_oci_image **ret,
		    struct err *e) WARN_UNUSED;

/**
 * policy_oci_load_manifest() - the image of one manifest, by its digest: all that is needed is below @folder/blobs/sha256
 *
 * For stores that have no index.json, containerd's content store among them. The manifest's size is not known beforehand:
 * at most POLICY_OCI_MAX_JSON_BYTES are read. Return: as policy_oci_load().
 */
int policy_oci_load_manifest(const char *folder, const uint8_t manifest[static HASH_SHA256_BYTES], const char *arch,
			     struct policy_oci_image **ret, struct err *e) WARN_UNUSED;

/** struct policy_oci_sink - who takes a layer's bytes; what @put returns ends the unpacking */
struct policy_oci_sink {
	int (*put)(void *arg, const uint8_t *data, size_t n, struct err *e);
	void *arg;
};

/**
 * policy_oci_unpack() - push the uncompressed tar of layer @index into @to, piece by piece
 * @max_bytes: most that is pushed; -EFBIG past it
 *
 * Checks the blob's size and digest, unpacks with gzip(1) or zstd(1), and checks what was pushed against the diff_id.
 * On failure what was pushed is not to be believed.
 */
int policy_oci_unpack(const struct policy_oci_image *i, size_t index, const struct policy_oci_sink *to,
		      uint64_t max_bytes, struct err *e) WARN_UNUSED;

/** policy_oci_arch() - OCI's name of "x86_64", "arm64" and the other common spellings; NULL if unknown. */
const char *policy_oci_arch(const char *arch);

#endif
