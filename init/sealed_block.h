/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/sealed_block.h - what is on the state partition, and the mark of a creation that is not finished
 *
 * Theory of operation
 *   Only what is proven to be nobody's, or ours and unfinished, may be overwritten. Blank: the header's room and the last MiB are all
 *   zeros, which no file system, LVM, RAID or partition table leaves so. Ours: block 0 is the mark, whose MAC nobody else can make. LUKS2:
 *   either of its two headers. All else is OTHER, a torn or damaged volume of ours included: it is refused, never made anew.
 *
 *   Mark, 4096 bytes: text PID1_SEALED_MARK padded with zeros to 64, partition's size as u64 big-endian, MAC over those 72
 *   bytes (label "mark"), zeros.
 *
 * Input: hostile.
 */
#ifndef INIT_SEALED_BLOCK_H
#define INIT_SEALED_BLOCK_H

#include "init/sealed_key.h"

#define PID1_SEALED_BLOCK_BYTES 4096
#define PID1_SEALED_TAIL_BYTES  (1u << 20)
#define PID1_SEALED_MARK        "holdfast: state volume in the making, not finished\n"

enum pid1_sealed_content {
	PID1_SEALED_OTHER,
	PID1_SEALED_BLANK,
	PID1_SEALED_UNFINISHED,
	PID1_SEALED_LUKS,
};

/**
 * pid1_sealed_look() - what the partition open at @fd holds; @ret_bytes: its size
 *
 * Return: 0; -ENOSPC: smaller than PID1_SEALED_MIN_BYTES; -errno of reading.
 */
int pid1_sealed_look(int fd, const struct pid1_sealed_tpm *t, enum pid1_sealed_content *ret, uint64_t *ret_bytes,
		     struct err *e) WARN_UNUSED;
#define PID1_SEALED_MIN_BYTES (PID1_SEALED_HEADER_BYTES + (8u << 20))

/** pid1_sealed_mark() - the mark for a partition of @bytes */
int pid1_sealed_mark(const struct pid1_sealed_tpm *t, uint64_t bytes, uint8_t ret[static PID1_SEALED_BLOCK_BYTES],
		     struct err *e) WARN_UNUSED;

/** pid1_sealed_put() - write @n bytes at @at, and sync. 0 or -errno */
int pid1_sealed_put(int fd, const void *data, size_t n, uint64_t at, struct err *e) WARN_UNUSED;

/**
 * pid1_sealed_fs_look() - how the ext4 file system on @fd was left. 0 or -errno of reading
 *
 * Spec: Linux, Documentation/filesystems/ext4/super.rst: s_magic, s_state, s_feature_incompat.
 */
int pid1_sealed_fs_look(int fd, enum pid1_sealed_fs *ret, struct err *e) WARN_UNUSED;

#endif
