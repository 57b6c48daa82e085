/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/activate.h - dm-verity devices: activate with a kernel-checked signature, read back, close
 *
 * Theory of operation
 *   The table is loaded by verity/dm_load.h. Before that, the superblock is parsed by our own strict reader and the edge of
 *   the tree is checked against the root hash, so that "this is not the tree of that root hash" is told
 *   apart from "the kernel refuses the signature"; the kernel checks everything again, block by block. After it, the
 *   table is read back from the kernel (verity/table.h) and must prove what was asked for.
 *
 * Environment: without udev the caller must have set DM_DISABLE_UDEV=1 (setenv() in PID 1, before anything else here).
 * Runs as: PID 1 before its point of no return, the gate, root tools. Needs CAP_SYS_ADMIN and /dev/mapper/control.
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst. Root-hash signatures since 5.4, by the platform
 * keyring since 6.12.
 */
#ifndef VERITY_ACTIVATE_H
#define VERITY_ACTIVATE_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"
#include "verity/table.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VERITY_NODE_BYTES 32 /* "/dev/dm-<n>" */

/**
 * struct verity_activate_params - zero it, then set what is needed
 * @name:              device-mapper name
 * @data_device:       block device with the data at its start
 * @hash_device:       block device with the superblock; may be the same
 * @hash_offset_bytes: of the superblock; not 0 if both are the same device
 * @root_hash:         32 bytes
 * @signature:         PKCS#7, @signature_bytes; always checked, by the kernel or as verity/trust.h says; never absent
 * @data_bytes:        what a signed source says of the size; 0: as the superblock says
 * @on_corruption:     PANIC and RESTART also act on I/O errors
 */
struct verity_activate_params {
	const char *name;
	const char *data_device;
	const char *hash_device;
	uint64_t hash_offset_bytes;
	const uint8_t *root_hash;
	const uint8_t *signature;
	size_t signature_bytes;
	uint64_t data_bytes;
	enum verity_on_corruption on_corruption;
};

struct crypt_device;

/**
 * struct verity_activate_how - for verity/open.h alone: what PID 1 never wants otherwise
 * @flags:           CRYPT_ACTIVATE_*; on_corruption says nothing there
 * @root_hash_bytes: of the root hash
 * @load:            between crypt_init() and activation; returns as libcryptsetup does
 */
struct verity_activate_how {
	uint32_t flags;
	size_t root_hash_bytes;
	int (*load)(struct crypt_device *cd, const struct verity_activate_params *p, const void *arg);
	const void *arg;
};

/** struct verity_device - an active device: number and node in devtmpfs */
struct verity_device {
	dev_t dev;
	char path[VERITY_NODE_BYTES];
};

/**
 * verity_activate() - open a dm-verity device, read-only, with a signature the kernel accepted
 *
 * Should: return only when the node is usable and the table, read back from the kernel, has this root hash, this
 *         size and a signature. Must not: leave a device behind if it fails.
 *
 * Return: 0;
 *   -ENOKEY, -EKEYREJECTED, -EKEYREVOKED, -EKEYEXPIRED: the kernel refuses the signature (verity_is_signature_error());
 *   -EBADMSG: superblock or tree are not those of the root hash, or not of data_bytes;
 *   -ENODATA: no superblock there; -EINVAL: malformed superblock or table refused; -ENOTSUP: kernel or library cannot;
 *   -EEXIST: a device of this name is there (prove it, see below); other -errno.
 */
int verity_activate(const struct verity_activate_params *p, struct verity_device *ret, struct err *e) WARN_UNUSED;

/**
 * verity_activate_unsigned() - the same without a signature; @p->signature must be NULL
 *
 * For `holdfast-verity open --unsigned` only. Must not: be called by PID 1 or the gate.
 */
int verity_activate_unsigned(const struct verity_activate_params *p, struct verity_device *ret,
			     struct err *e) WARN_UNUSED;

/**
 * verity_activate_as() - activation alone, by libcryptsetup, without a look before or after: verity/open.h adds its own. In a file of its own, so that PID 1 and the gate are linked without that library
 *
 * Errors as verity_activate(). Must not: be called by anything but verity/open.c.
 */
int verity_activate_as(const struct verity_activate_params *p, const struct verity_activate_how *how,
		       struct err *e) WARN_UNUSED;

/** verity_is_signature_error() - true if @r (-errno) of verity_activate() means that the kernel refused the signature.
 */
bool verity_is_signature_error(int r);

/** verity_device_node() - the node of a device-mapper device in devtmpfs; made here if it is not there. */
int verity_device_node(dev_t dev, struct verity_device *ret, struct err *e) WARN_UNUSED;

/** verity_deactivate() - remove the device @name. -EBUSY while in use, -ENODEV if there is none. */
int verity_deactivate(const char *name, struct err *e) WARN_UNUSED;

#endif
