/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/discover.h - find the root's three partitions on any disk, by the root hash alone
 *
 * Theory of operation
 *   PARTUUIDs of root and root-verity are the two halves of the root hash, that of root-verity-sig is derived from it
 *   (docs/formats, "Disk"), so a command line's `roothash=` finds its set without a slot setting. Each whole disk
 *   of /sys/class/block is probed by libblkid at the bytes of its GPT; a match is then looked up among the kernel's
 *   own partitions by number, and its start and size must be those of the table. No udev, no cache, no symlinks.
 *
 * Input: hostile disks; nothing found here is trusted (the kernel checks root hash and signature). Two partitions that
 * claim to be the same one are refused rather than chosen from.
 * Runs as: PID 1 before its point of no return (libblkid allocates), root tools.
 */
#ifndef VERITY_DISCOVER_H
#define VERITY_DISCOVER_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"
#include "verity/superblock.h"

#define VERITY_DEV_PATH_BYTES 64

enum verity_part { VERITY_PART_ROOT, VERITY_PART_HASH, VERITY_PART_SIG, VERITY_PARTS_ };

/** struct verity_root_devices - "/dev/..." paths by role */
struct verity_root_devices {
	char path[VERITY_PARTS_][VERITY_DEV_PATH_BYTES];
};

/** verity_part_label() - "root", "root-verity", "root-verity-sig". */
const char *verity_part_label(enum verity_part part);

/** verity_part_type() - partition type GUID as lower-case text; @arch is "x86_64" or "arm64". NULL for another. */
const char *verity_part_type(enum verity_part part, const char *arch);

/** verity_native_arch() - the architecture this program was built for, by our names. */
const char *verity_native_arch(void);

/**
 * verity_part_uuid() - PARTUUID of one of the root's partitions
 *
 * Bytes in the order of the UUID's text. Root: first half of the root hash; root-verity: second half; else derived.
 */
void verity_part_uuid(enum verity_part part, const uint8_t root_hash[static HASH_SHA256_BYTES],
		      uint8_t ret[static VERITY_UUID_BYTES]);

/** verity_uuid_derive() - RFC 9562 version 8 UUID of "holdfast:<label>:<root hash>": disk GUID and other partitions. */
void verity_uuid_derive(const char *label, const uint8_t root_hash[static HASH_SHA256_BYTES],
			uint8_t ret[static VERITY_UUID_BYTES]);

/**
 * struct verity_discover_params - zero it, then set what is needed
 * @root_hash: 32 bytes
 * @arch:      "x86_64" or "arm64"; NULL: verity_native_arch()
 * @sys_dir:   NULL: "/sys"; @dev_dir: NULL: "/dev" (tests give folders of their own)
 */
struct verity_discover_params {
	const uint8_t *root_hash;
	const char *arch;
	const char *sys_dir;
	const char *dev_dir;
};

/**
 * verity_discover_root() - look once at all disks that are there now
 *
 * Return: 0; -ENOENT if one of the three is not there (yet), named in @e: wait for a block uevent and call again;
 * -ENOTUNIQ if two partitions claim to be the same; -EINVAL if a partition's place differs between kernel and table;
 * other -errno. A disk that cannot be read is skipped, and named in the sentence of -ENOENT.
 */
int verity_discover_root(const struct verity_discover_params *p, struct verity_root_devices *ret,
			 struct err *e) WARN_UNUSED;

#endif
