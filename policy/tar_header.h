/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/tar_header.h - one 512-byte tar header, and the extension records that may stand before one
 *
 *     0  100 name      100 8 mode    108 8 uid     116 8 gid   124 12 size  136 12 mtime  148 8 checksum
 *   156  1   type      157 100 link  257 6 magic   263 2 version  265 32 uname  297 32 gname
 *   329  8   devmajor  337 8 devminor  345 155 prefix (POSIX)  500 12 zero
 *   GNU has no prefix: 345 12 atime  357 12 ctime  386 4 * (12 offset, 12 bytes) sparse  482 1 more  483 12 real size
 *
 * Used by policy/tar_read.c only. Input: hostile.
 */
#ifndef POLICY_TAR_HEADER_H
#define POLICY_TAR_HEADER_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_TAR_BLOCK       512
#define POLICY_TAR_NAME_BYTES  (155 + 1 + 100 + 1)
#define POLICY_TAR_MAX_REGIONS 8192  /* of one sparse file */

/** struct policy_tar_header - a checked header; @name has the prefix joined in; strings end with NUL */
struct policy_tar_header {
	char name[POLICY_TAR_NAME_BYTES];
	char link[101];
	char type;
	uint32_t mode, uid, gid;
	uint32_t major, minor;
	uint64_t size;
	uint64_t mtime;
};

/** struct policy_tar_region - @bytes of content that stand at @offset of a sparse file */
struct policy_tar_region {
	uint64_t offset, bytes;
};

/**
 * struct policy_tar_ext - what pax ('x') and GNU ('L', 'K') records say about the next member; "" and has_x tell absent
 * @xattrs: "name NUL, value length (32 bits, little-endian), value" of each, in the archive's order; buf_free() it
 * @sparse: GNU's sparse format 1.0; the path is then @sparse_path and the file's size @real_size
 */
struct policy_tar_ext {
	char path[PATH_MAX];
	char link[PATH_MAX];
	char sparse_path[PATH_MAX];
	uint64_t size, real_size;
	uint32_t uid, gid;
	int64_t mtime;
	uint32_t mtime_nsec;
	bool has_size, has_uid, has_gid, has_mtime, has_real_size;
	bool has_major, has_minor;
	uint64_t sparse_major, sparse_minor;
	bool seen_pax;
	struct buf xattrs;
};

/** policy_tar_ext_clear() - release, and nothing is said any more. */
void policy_tar_ext_clear(struct policy_tar_ext *ext);

/** policy_tar_header_parse() - checksum, magic and number fields. The sentence in @e has no place in front. -EINVAL. */
int policy_tar_header_parse(const uint8_t block[static POLICY_TAR_BLOCK], struct policy_tar_header *ret,
			    struct err *e) WARN_UNUSED;

/**
 * policy_tar_pax_parse() - "LEN KEY=VALUE\n" records
 * @global: of a 'g' header: only comments are accepted there
 * @ext:    what it says is added; a thing said twice is refused
 */
int policy_tar_pax_parse(const uint8_t *bytes, size_t len, bool global, struct policy_tar_ext *ext,
			 struct err *e) WARN_UNUSED;

/** policy_tar_long_parse() - the content of a GNU 'L' or 'K' member into @ret (PATH_MAX bytes, "" so far). */
int policy_tar_long_parse(const uint8_t *bytes, size_t len, char *ret, struct err *e) WARN_UNUSED;

/**
 * policy_tar_sparse_parse() - entries of an old GNU sparse header (@first: the header itself) or of a block behind it
 * @ret_regions: an array of struct policy_tar_region; appended to. An entry of no bytes at the end of the file is left out.
 * @ret_more:    another block follows
 * @ret_size:    with @first, the file's size; may be NULL without
 */
int policy_tar_sparse_parse(const uint8_t block[static POLICY_TAR_BLOCK], bool first, struct buf *ret_regions,
			    bool *ret_more, uint64_t *ret_size, struct err *e) WARN_UNUSED;

/**
 * policy_tar_name_parse() - "./a/b/" to "a/b", "./" to ""
 * @ret_slash: it ended with '/', or is the top
 *
 * Refused is a name that is absolute, empty, or has a part that is empty, "." or "..", a leading "./" and one trailing '/'
 * excepted, or a part longer than NAME_MAX. @name has PATH_MAX bytes at most, its NUL counted. -EINVAL.
 */
int policy_tar_name_parse(const char *name, char ret[static PATH_MAX], bool *ret_slash, struct err *e) WARN_UNUSED;

/**
 * policy_tar_map_parse() - GNU sparse 1.0: "<number of regions>\n<offset>\n<bytes>\n..." in front of the content
 * @ret_regions: emptied, then filled as far as the bytes go
 * @ret_whole:   false: more bytes are needed
 */
int policy_tar_map_parse(const uint8_t *bytes, size_t len, struct buf *ret_regions, bool *ret_whole,
			 struct err *e) WARN_UNUSED;

#endif
