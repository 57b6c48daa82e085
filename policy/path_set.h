/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/path_set.h - what stands under which path of a layer, for policy/tar_read.c
 *
 * A balanced tree (tsearch(3) of glibc): a crafted tar cannot make it slow, as it could a hash table. Paths are
 * relative, without "." and empty parts; "" is the top folder.
 */
#ifndef POLICY_PATH_SET_H
#define POLICY_PATH_SET_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define POLICY_PATH_SET_MAX (1 << 21) /* paths */

enum policy_path_kind {
	POLICY_PATH_IMPLIED, /* a folder seen only as part of another path */
	POLICY_PATH_FOLDER,
	POLICY_PATH_FILE,
	POLICY_PATH_SYMLINK,
	POLICY_PATH_SPECIAL, /* FIFO, device */
	POLICY_PATH_WHITEOUT,
};

/** struct policy_path - one path; @id is what the reader's sink called it */
struct policy_path {
	const char *path; /* points to @text, or in a search key to the caller's string */
	enum policy_path_kind kind;
	uint32_t id;
	char text[];
};

/** struct policy_path_set - zero it; @root is a tree of tsearch() */
struct policy_path_set {
	void *root;
	size_t n;
};

/** policy_path_set_get() - NULL if it was never put. */
struct policy_path *policy_path_set_get(const struct policy_path_set *s, const char *path);

/** policy_path_set_put() - add a path that is not in it. Return: 0, -ENOMEM, or -E2BIG past POLICY_PATH_SET_MAX. */
int policy_path_set_put(struct policy_path_set *s, const char *path, enum policy_path_kind kind,
			struct policy_path **ret, struct err *e) WARN_UNUSED;

/** policy_path_set_free() - release; accepts an empty one. */
void policy_path_set_free(struct policy_path_set *s);

#endif
