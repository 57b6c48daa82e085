/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/tar_check.h - walk a layer tar and refuse what must not become a signed layer
 *
 * Theory of operation
 *   mkfs.erofs turns the tar into a file system; what it makes is then signed and believed. So before it sees
 *   the bytes, this walker reads every header itself and accepts only what has one meaning: a form that two
 *   readers could take differently (an old magic, a type nobody knows, a name said twice, bytes behind the end)
 *   is refused, and so is what a layer must not hold: absolute names, "..", devices, hard links to anything but
 *   an earlier file of the same layer, members below something that is no folder, one path twice, overlayfs's own
 *   extended attributes (the conversion makes those from the whiteouts).
 *
 *   Accepted: POSIX ustar and pax, GNU with long names. Whiteouts are OCI's: an empty file ".wh.<name>", and
 *   ".wh..wh..opq".
 *
 * Input: hostile. Spec: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual,
 * "Basic Tar Format"; OCI image specification 1.1, layer.md.
 */
#ifndef POLICY_TAR_CHECK_H
#define POLICY_TAR_CHECK_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/err.h"

#include <stdint.h>

#define POLICY_TAR_MAX_BYTES           ((uint64_t)16 << 30)
#define POLICY_TAR_MAX_EXTENSION_BYTES 65536 /* of one pax or long-name record */

/**
 * struct policy_tar_facts - zero it; buf_free() its @folders
 * @members:       entries but extension headers
 * @content_bytes: sum of the files' sizes
 * @folders:       tar headers (0755, root, time 0) for the top and all folders that the archive uses and does not name.
 *                 Whoever converts it puts them in front: mkfs.erofs would else give those the calling user as owner,
 * and the top mode 0777.
 */
struct policy_tar_facts {
	uint64_t members;
	uint64_t content_bytes;
	struct buf folders;
};

/**
 * policy_tar_check() - walk all of it
 * @fd:   regular file, read by pread() from 0
 * @name: for messages
 *
 * Memory: its paths. Return: 0; -EINVAL naming the member, its offset and the rule; -EFBIG; -ENOMEM; what pread() said.
 */
int policy_tar_check(int fd, const char *name, struct policy_tar_facts *ret, struct err *e) WARN_UNUSED;

#endif
