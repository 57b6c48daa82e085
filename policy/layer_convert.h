/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/layer_convert.h - a layer tar to a signed dm-verity EROFS: same tar, same bytes
 *
 * Theory of operation
 *   The tar is checked (policy/tar_check.h), converted by mkfs.erofs --tar=f, the hash tree is appended in this
 *   process (no salt, UUID zero), and the root hash is signed as the kernel checks it: detached PKCS#7 over its 64
 *   hex digits. The result is two files named by the root hash.
 *
 *   The EROFS is not compressed. What a compressor writes depends on its version, and then so would the root hash,
 *   which another machine must find again from the same tar; a layer stored in the root image is compressed there,
 *   with the rest; and a page read costs the container one verity check and no decompression.
 *   Fixed: block size 4096, UUID zero, build time 0, folders that the tar does not name (see tar_check.h). Kept:
 *   owners, modes, times, extended attributes. OCI whiteouts become overlayfs's (character device 0:0, opaque xattr).
 *
 * Input: hostile tar. Runs as: build machine, unprivileged.
 */
#ifndef POLICY_LAYER_CONVERT_H
#define POLICY_LAYER_CONVERT_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/pki.h"
#include "policy/policy.h"

/**
 * struct policy_convert_params - zero it, then set all
 * @mkfs:   NULL-terminated command that is or ends with mkfs.erofs (1.7 or newer); options and files are put behind it
 * @folder: where the two files go; must be there, must allow files of twice the layer's size for a while
 * @by:     signs the root hash
 */
struct policy_convert_params {
	const char *const *mkfs;
	const char *folder;
	struct pki_signer by;
};

/**
 * policy_convert_tar() - convert one layer
 * @tar_fd: open for reading; policy_oci_unpack() has checked its bytes against the diff_id
 * @name:   for messages
 * @ret:    root_hash and data_bytes are set; diff_id is SHA-256 of the tar
 *
 * Should: publish <root hash>.p7s, then <root hash>.erofs, synced. Must not: leave anything else in the folder.
 * Return: 0; -EINVAL refused tar; -ENOENT no mkfs.erofs; -ECHILD it failed; -errno.
 */
int policy_convert_tar(const struct policy_convert_params *p, int tar_fd, const char *name, struct policy_layer *ret,
		       struct err *e) WARN_UNUSED;

#endif
