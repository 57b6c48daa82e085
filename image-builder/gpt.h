/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/gpt.h - write a GPT disk image, partitions included, into a sparse file
 *
 * Theory of operation
 *   Partitions stand in the given order, each begun at the next 1 MiB. Protective MBR, primary header and entries at
 *   the front, backup entries and header at the end; 512-byte sectors, 128 entries. Type GUIDs are those of the
 * Discoverable Partitions Specification; unique GUIDs come from the root hash, so equal inputs give equal disks. Holes
 * in a source stay holes.
 *
 * Spec: UEFI 2.10 section 5.3; UAPI group, Discoverable Partitions Specification; docs/formats/README.md "Disk".
 */
#ifndef IMAGE_BUILDER_GPT_H
#define IMAGE_BUILDER_GPT_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GPT_UUID_BYTES     16
#define GPT_UUID_STR_BYTES 37
#define GPT_MAX_PARTITIONS 128
#define GPT_ALIGN_BYTES    (1u << 20)
#define GPT_SMALL_BYTES    4096 /* what is smaller than the alignment keeps its size in these: whoever reads a whole partition is done sooner */
#define GPT_SECTOR_BYTES   512
#define GPT_LABEL_BYTES    37 /* 36 characters and a NUL */

enum gpt_type {
	GPT_ESP,
	GPT_ROOT,
	GPT_ROOT_VERITY,
	GPT_ROOT_VERITY_SIG,
	GPT_LINUX, /* holdfast-state */
	GPT_TYPES_
};

/** struct gpt_uuid - bytes in the order of the UUID's text (the disk's mixed-endian order is made on writing) */
struct gpt_uuid {
	uint8_t b[GPT_UUID_BYTES];
};

/** gpt_type_uuid() - type GUID for @arch ("x86_64", "arm64"). -EINVAL for another arch. */
int gpt_type_uuid(enum gpt_type type, const char *arch, struct gpt_uuid *ret, struct err *e) WARN_UNUSED;

/** gpt_uuid_root() - PARTUUID of the root: the first 16 bytes of its root hash. gpt_uuid_verity(): the last 16. */
struct gpt_uuid gpt_uuid_root(const uint8_t root_hash[static HASH_SHA256_BYTES]);
struct gpt_uuid gpt_uuid_verity(const uint8_t root_hash[static HASH_SHA256_BYTES]);

/** gpt_uuid_derived() - version 8 UUID from SHA-256 of "holdfast:<label>:<root hash, hex>" (the disk's label is
 * "disk"). */
struct gpt_uuid gpt_uuid_derived(const char *label, const uint8_t root_hash[static HASH_SHA256_BYTES]);

/** gpt_uuid_str() - lower-case text with dashes. */
void gpt_uuid_str(const struct gpt_uuid *u, char ret[static GPT_UUID_STR_BYTES]);

/** gpt_uuid_put() - append the 16 bytes as GPT and EFI store them: the first three fields little-endian. */
void gpt_uuid_put(struct buf *b, const struct gpt_uuid *u);

/**
 * struct gpt_partition - one partition
 * @label:      1 to 35 ASCII characters
 * @size_bytes: rounded up to 1 MiB, less than that to 4 KiB; 0 means the size of @source
 * @source:     file whose bytes, from @source_at on, it begins with (no larger than the partition), or NULL to leave it empty
 * @attributes: GPT attribute bits (60 = read-only, by the Discoverable Partitions Specification)
 * @start_bytes: written by gpt_write(): where it begins; @size_bytes then holds the final size
 */
struct gpt_partition {
	const char *label;
	struct gpt_uuid type, uuid;
	uint64_t size_bytes;
	const char *source;
	uint64_t attributes;
	uint64_t start_bytes;
	uint64_t source_at;
};

#define GPT_ATTR_READ_ONLY (1ull << 60)

/**
 * gpt_write() - make (or replace) the image at @path
 * @disk: the disk's GUID
 * @part: @n partitions
 *
 * Written to a temporary name and renamed; synced. Return: 0 or -errno naming the partition.
 */
int gpt_write(const char *path, const struct gpt_uuid *disk, struct gpt_partition *part, size_t n,
	      struct err *e) WARN_UNUSED;

/** struct gpt_table - what gpt_read() found; the labels are copies */
struct gpt_table {
	struct gpt_uuid disk;
	struct gpt_partition part[GPT_MAX_PARTITIONS];
	char label[GPT_MAX_PARTITIONS][GPT_LABEL_BYTES];
	size_t n;
	uint64_t disk_bytes;
};

/**
 * gpt_read() - the partitions of a disk image that gpt_write() made
 *
 * Return: 0; -EBADMSG if the primary table is not as gpt_write() writes it: its checksums, order, places, labels.
 * gpt_find() - the partition labelled @label, NULL if there is none
 */
int gpt_read(const char *path, struct gpt_table *ret, struct err *e) WARN_UNUSED;
struct gpt_partition *gpt_find(struct gpt_table *t, const char *label);

/**
 * gpt_rewrite() - a disk image at @path, which must not exist, with partitions at the places that gpt_read() found
 *
 * Each gets the bytes of its source, and zeros behind them. Synced; nothing is left of it on failure.
 */
int gpt_rewrite(const char *path, struct gpt_table *t, struct err *e) WARN_UNUSED;

/**
 * gpt_event_digest() - SHA-256 of UEFI_GPT_DATA, which firmware measures of the disk that it boots from
 * @path: a disk image that gpt_write() made
 *
 * The header without its padding, the number of entries in use, those entries. Return: 0; -EINVAL if the primary table is not
 * as gpt_write() writes it. Spec: TCG PFP 1.06, 10.2.5 (EV_EFI_GPT_EVENT).
 */
int gpt_event_digest(const char *path, uint8_t ret[static HASH_SHA256_BYTES], struct err *e) WARN_UNUSED;

#endif
