/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/tree.h - a tree of extracted packages: making it, and running its programs on this machine
 *
 * Theory of operation
 *   Programs of another release do not run on this machine's libc, unless they are started by their own loader with
 *   their own libraries: tree_program() gives the words that do it. That works for the machine's own architecture only.
 *
 * Input: packages checked by fetch.c. Runs as: the builder's user.
 */
#ifndef IMAGE_BUILDER_TREE_H
#define IMAGE_BUILDER_TREE_H

#include "common/cleanup.h"
#include "common/err.h"

#include <limits.h>
#include <stddef.h>

/** tree_begin() - /usr merged: bin, sbin, lib, lib64 in @root as links into usr. */
int tree_begin(const char *root, struct err *e) WARN_UNUSED;

/** tree_unpack() - the files of one .deb into @root. -EBADMSG names a package that dpkg-deb cannot read. */
int tree_unpack(const char *root, const char *deb, struct err *e) WARN_UNUSED;

/** tree_relative_links() - make every absolute symbolic link relative, so that it stays within @root. *@ret_n counts them. */
int tree_relative_links(const char *root, size_t *ret_n, struct err *e) WARN_UNUSED;

/** tree_machine_arch() - this machine's architecture by our names ("x86_64", "arm64"), or the kernel's own if it is another. */
const char *tree_machine_arch(void);

/**
 * struct tree_program - words that start a program of a tree: loader, its options, the program, NULL
 *
 * The pointers lead into the structure: it must not be copied.
 */
struct tree_program {
	const char *argv[5];
	char loader[PATH_MAX], libraries[PATH_MAX], program[PATH_MAX];
};

/** tree_program_init() - for @path ("usr/bin/mkfs.erofs") of the tree @root. -ENOENT if it is not there. */
int tree_program_init(struct tree_program *t, const char *root, const char *path, struct err *e) WARN_UNUSED;

#endif
