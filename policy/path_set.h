/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/path_set.h - what stands under which path of a layer, for policy/tar_check.c
 *
 * A balanced tree (tsearch(3) of glibc): a crafted tar cannot make it slow, as it could a hash table. Paths are
 * relative, without "." and empty parts; "" is the top folder.
 */
#ifndef POLICY_PATH_SET_H
#define POLICY_PATH_SET_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>

#define POLICY_PATH_SET_MAX (1 << 21) /* paths */

enum policy_path_kind {
	POLICY_PATH_ABSENT,
	POLICY_PATH_IMPLIED, /* a folder seen only as part of another path */
	POLICY_PATH_FOLDER,
	POLICY_PATH_FILE,
	POLICY_PATH_SYMLINK,
	POLICY_PATH_FIFO,
	POLICY_PATH_WHITEOUT,
};

/** struct policy_path_set - zero it; @root is a tree of tsearch() */
struct policy_path_set {
	void *root;
	size_t n;
};

/** policy_path_set_get() - kind of @path, POLICY_PATH_ABSENT if it was never put. */
enum policy_path_kind policy_path_set_get(const struct policy_path_set *s, const char *path);

/** policy_path_set_put() - store or overwrite. Return: 0, -ENOMEM, or -E2BIG past POLICY_PATH_SET_MAX. */
int policy_path_set_put(struct policy_path_set *s, const char *path, enum policy_path_kind kind,
			struct err *e) WARN_UNUSED;

/** policy_path_set_walk() - call @fn for each path, in the order of strcmp() (a folder before what is in it). */
void policy_path_set_walk(const struct policy_path_set *s,
			  void (*fn)(const char *path, enum policy_path_kind kind, void *arg), void *arg);

/** policy_path_set_free() - release; accepts an empty one. */
void policy_path_set_free(struct policy_path_set *s);

#endif
