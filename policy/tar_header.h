/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/tar_header.h - one 512-byte tar header, and the extension records that may stand before one
 *
 *     0  100 name      100 8 mode    108 8 uid     116 8 gid   124 12 size  136 12 mtime  148 8 checksum
 *   156  1   type      157 100 link  257 6 magic   263 2 version  265 32 uname  297 32 gname
 *   329  8   devmajor  337 8 devminor  345 155 prefix (POSIX; GNU keeps times there)  500 12 zero
 *
 * Used by policy/tar_check.c only. Input: hostile.
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

#define POLICY_TAR_BLOCK      512
#define POLICY_TAR_NAME_BYTES (155 + 1 + 100 + 1)

/** struct policy_tar_header - a checked header; @name has the prefix joined in; strings end with NUL */
struct policy_tar_header {
	char name[POLICY_TAR_NAME_BYTES];
	char link[101];
	char type;
	uint32_t mode;
	uint64_t size;
};

/** struct policy_tar_ext - what pax ('x') and GNU ('L', 'K') records say about the next member; "" and has_size tell
 * absent */
struct policy_tar_ext {
	char path[PATH_MAX];
	char link[PATH_MAX];
	uint64_t size;
	bool has_size;
	bool seen_pax;
};

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

/** policy_tar_folder_write() - append the header of a folder "./<path>": mode 0755, owner 0:0, time 0; GNU long name if
 * needed. */
void policy_tar_folder_write(struct buf *b, const char *path);

#endif
