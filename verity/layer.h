/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/layer.h - open a container layer: loop device, dm-verity with signature, EROFS mount
 *
 * Theory of operation
 *   A layer is <root hash>.erofs (EROFS; at data_bytes superblock and hash tree) and <root hash>.p7s. Opening it is
 *   idempotent, for several gates may want the same layer at once: device and mount point are named by the root
 *   hash, and whatever already stands there under that name is not believed but proved from the kernel's table
 *   (root digest, size, signed) before it is used; what does not prove refuses the layer. Gates take turns by a lock
 *   on the folder of the mount points.
 *
 *     <dir>/<root hash>.erofs -> /dev/loopN (ro, autoclear) -> holdfast-layer-<32 hex> -> /run/holdfast/layers/<root
 * hash>
 *
 * Input: files on untrusted storage; root hash and data_bytes from the signed policy.
 * Runs as: the gate, PID 1 (host stage), root tools. Needs CAP_SYS_ADMIN. DM_DISABLE_UDEV=1 where there is no udev.
 */
#ifndef VERITY_LAYER_H
#define VERITY_LAYER_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"
#include "verity/activate.h"

#define VERITY_LAYER_RUN_DIR    "/run/holdfast/layers"
#define VERITY_LAYER_PATH_BYTES (sizeof(VERITY_LAYER_RUN_DIR) + 1 + 2 * HASH_SHA256_BYTES)
#define VERITY_LAYER_MAX_SIGNATURE_BYTES 8192 /* of <root hash>.p7s */

/** verity_layer_path() - where the layer is mounted once open. */
void verity_layer_path(const uint8_t root_hash[static HASH_SHA256_BYTES], char ret[static VERITY_LAYER_PATH_BYTES]);

/**
 * verity_layer_is_elsewhere() - is there only the signature in @dir, and not the layer? Then a host gets it from somebody
 *                               else and converts it: policy/gate_pull.c
 */
bool verity_layer_is_elsewhere(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES]);

/** verity_layer_device_name() - "holdfast-layer-<first 32 hex digits>". */
void verity_layer_device_name(const uint8_t root_hash[static HASH_SHA256_BYTES], char ret[static VERITY_NAME_BYTES]);

/**
 * verity_layer_open() - make sure that the layer is mounted, and proved
 * @dir:           folder with the two files
 * @root_hash:     from the signed policy
 * @data_bytes:    from the signed policy; a multiple of 4096, not 0
 * @on_corruption: for a newly made device (EIO: only the container suffers)
 * @ret_path:      the mount point
 *
 * Should: mount read-only, nodev, nosuid; prove an existing mount or device. Must not: use anything unproved; leave
 *         behind what it made itself if it fails.
 * Return: 0; the errors of verity_activate(); -EBADMSG if something else stands under the layer's name; -errno.
 */
int verity_layer_open(const char *dir, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
		      enum verity_on_corruption on_corruption, char ret_path[static VERITY_LAYER_PATH_BYTES],
		      struct err *e) WARN_UNUSED;

/**
 * verity_layer_prove() - is @path the top of an EROFS mount, ro, nodev, nosuid, on exactly this signed dm-verity
 * device? verity_layer_prove_fd() - the same of an O_PATH descriptor
 *
 * A path can be mounted over between the proof and its use: whoever composes an overlay opens it once (O_PATH), proves
 * the descriptor, and gives the kernel /proc/self/fd/N.
 *
 * Return: 0; -EBADMSG checked and bad; -errno could not check.
 */
int verity_layer_prove(const char *path, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes,
		       struct err *e) WARN_UNUSED;
int verity_layer_prove_fd(int fd, const char *name, const uint8_t root_hash[static HASH_SHA256_BYTES],
			  uint64_t data_bytes, struct err *e) WARN_UNUSED;

/** verity_layer_close() - unmount and remove the device. -EBUSY while in use; absent parts are fine. */
int verity_layer_close(const uint8_t root_hash[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

#endif
