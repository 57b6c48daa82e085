/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/tar_read.h - read a layer tar as it streams by, and refuse what must not become a signed layer
 *
 * Theory of operation
 *   What becomes of the tar is signed and believed. So this reader accepts only what has one meaning: a form that two
 *   readers could take differently (an old magic, a type nobody knows, a file said twice, bytes behind the end) is
 *   refused, and so is what a layer must not hold: absolute names, "..", hard links to anything but an earlier file of
 *   the same layer, members below something that is no folder, devices (unless asked for), overlayfs's own extended
 *   attributes (the conversion makes those from the whiteouts).
 *
 *   Bytes are pushed in pieces of any size; each member is told to the sink, then its content. A folder is told before
 *   what is in it: one that the archive does not name is made up (0755, root, time 0) when it is first needed. A folder
 *   may be told again, when the archive names it late or twice: the last word counts, as it does to all who unpack.
 *
 *   Accepted: POSIX ustar and pax, GNU with long names, GNU's sparse files (old, and 1.0 in pax). Whiteouts are OCI's:
 *   an empty file ".wh.<name>", and ".wh..wh..opq".
 *
 * Input: hostile. Spec: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual,
 * "Basic Tar Format" and "Storing Sparse Files"; OCI image specification 1.1, layer.md.
 */
#ifndef POLICY_TAR_READ_H
#define POLICY_TAR_READ_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/err.h"

#include <stdint.h>

#define POLICY_TAR_MAX_EXTENSION_BYTES 65536 /* of one pax or long-name record */

/* What a member is: the tar's own letters, and two that whiteouts become. */
#define POLICY_TAR_FILE     '0'
#define POLICY_TAR_LINK     '1'
#define POLICY_TAR_SYMLINK  '2'
#define POLICY_TAR_CHAR     '3'
#define POLICY_TAR_BLOCKDEV '4'
#define POLICY_TAR_FOLDER   '5'
#define POLICY_TAR_FIFO     '6'
#define POLICY_TAR_WHITEOUT 'w' /* @name is what is hidden */
#define POLICY_TAR_OPAQUE   'o' /* @parent hides what is below it */

/**
 * struct policy_tar_member - one entry with its extensions applied
 * @name:   last part of its path; "" is the top folder
 * @parent: what the sink called its folder; 0 for the top
 * @target: POLICY_TAR_LINK: what the sink called the file
 * @id:     what the sink called it before (a folder told again), else 0
 * @link:   POLICY_TAR_SYMLINK: where to
 * @size:   bytes of content to come; a sparse file's holes included
 * @xattrs: as struct policy_tar_ext keeps them
 * @at:     offset of its content in the archive
 */
struct policy_tar_member {
	const char *name;
	const char *link;
	char type;
	uint32_t parent, target, id;
	uint32_t mode, uid, gid;
	uint32_t major, minor;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint64_t size;
	uint64_t at;
	const struct buf *xattrs;
};

/**
 * struct policy_tar_sink - who is told
 * @member:  sets *@ret_id to what it calls the member: not 0
 * @content: @n bytes of the member told last; @data NULL: that many zeros
 */
struct policy_tar_sink {
	int (*member)(void *arg, const struct policy_tar_member *m, uint32_t *ret_id, struct err *e);
	int (*content)(void *arg, const uint8_t *data, uint64_t n, struct err *e);
	void *arg;
};

/**
 * struct policy_tar_params - zero it, then set what is needed
 * @name:      of the archive, for messages; borrowed
 * @max_bytes: of the archive, and of all files' content with holes written out: no bomb unpacks to more
 * @devices:   accept device nodes
 * @sink:      NULL functions are not called
 */
struct policy_tar_params {
	const char *name;
	uint64_t max_bytes;
	bool devices;
	struct policy_tar_sink sink;
};

struct policy_tar;

/** policy_tar_begin() - 0 or -ENOMEM. */
int policy_tar_begin(const struct policy_tar_params *p, struct policy_tar **ret, struct err *e) WARN_UNUSED;

/**
 * policy_tar_push() - the next @n bytes
 *
 * Memory: its paths. Return: 0; -EINVAL naming the member, its offset and the rule; -EFBIG; -ENOMEM; what the sink said.
 * After a failure nothing may be pushed.
 */
int policy_tar_push(struct policy_tar *t, const uint8_t *data, size_t n, struct err *e) WARN_UNUSED;

/** policy_tar_end() - no more bytes: was that a whole archive? @ret_members: entries but extension headers; may be NULL. */
int policy_tar_end(struct policy_tar *t, uint64_t *ret_members, struct err *e) WARN_UNUSED;

/** policy_tar_free() - release; accepts NULL. */
void policy_tar_free(struct policy_tar *t);

CLEANUP_DEFINE(policy_tar, struct policy_tar *, policy_tar_free)
#define cleanup_policy_tar __attribute__((cleanup(cleanup_policy_tar_fn)))

#endif
