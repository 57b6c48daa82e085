/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/fileset.h - what a file system is to hold, described before anything is written
 *
 * Theory of operation
 *   A plan says which files the initramfs and the root hold and where their bytes come from; writing comes later,
 *   into a cpio archive or a folder for mkfs.erofs. Programs bring the libraries they need: from the tree of packages
 *   only, never from this machine. Adding the same thing twice is fine, two different things at one path are not.
 */
#ifndef IMAGE_BUILDER_FILESET_H
#define IMAGE_BUILDER_FILESET_H

#include "common/buf.h"
#include "common/hash.h"
#include "image-builder/cpio.h"

#include <stdint.h>
#include <sys/types.h>

enum fileset_kind { FILESET_FOLDER, FILESET_COPY, FILESET_DATA, FILESET_LINK };

/** struct fileset_entry - @path relative; @source: file to copy, or target of the link; @data: owned bytes */
struct fileset_entry {
	enum fileset_kind kind;
	mode_t mode;
	char *path, *source;
	uint8_t *data;
	size_t len;
};

/** struct fileset - zero it; set @tree and @arch (architecture that programs must have) */
struct fileset {
	const char *tree, *arch;
	struct fileset_entry *v;
	size_t n;
};

/** fileset_free() - release. */
void fileset_free(struct fileset *f);

#define cleanup_fileset __attribute__((cleanup(fileset_free)))

/** fileset_folder() and its kin - one entry; parents need not be added. -EEXIST if the path is taken by something else. */
int fileset_folder(struct fileset *f, const char *path, mode_t mode, struct err *e) WARN_UNUSED;
int fileset_copy(struct fileset *f, const char *path, mode_t mode, const char *source, struct err *e) WARN_UNUSED;
int fileset_data(struct fileset *f, const char *path, mode_t mode, const struct buf *data, struct err *e) WARN_UNUSED;
int fileset_text(struct fileset *f, const char *path, const char *text, struct err *e) WARN_UNUSED;
int fileset_link(struct fileset *f, const char *path, const char *target, struct err *e) WARN_UNUSED;

/** fileset_merged_usr() - the links bin, sbin, lib, lib64. */
int fileset_merged_usr(struct fileset *f, struct err *e) WARN_UNUSED;

/** fileset_from_tree() - @n files of the tree (programs, libraries) at their own places, and all libraries they need. */
int fileset_from_tree(struct fileset *f, const char *const *path, size_t n, struct err *e) WARN_UNUSED;

/** fileset_program() - a program from outside the tree at @path, and the libraries it needs from the tree. */
int fileset_program(struct fileset *f, const char *path, const char *source, struct err *e) WARN_UNUSED;

/** fileset_chmod() - another mode for an entry that was added. -ENOENT. */
int fileset_chmod(struct fileset *f, const char *path, mode_t mode, struct err *e) WARN_UNUSED;

/** fileset_sha256() - SHA-256 of the file that will stand at @path. -ENOENT if none will. */
int fileset_sha256(const struct fileset *f, const char *path, uint8_t ret[static HASH_SHA256_BYTES],
		   struct err *e) WARN_UNUSED;

/** fileset_bytes() - sum of the sizes of all files. */
int fileset_bytes(const struct fileset *f, uint64_t *ret, struct err *e) WARN_UNUSED;

/** fileset_to_folder() - write into the empty folder @folder. Modes are set, owners are whoever runs. */
int fileset_to_folder(struct fileset *f, const char *folder, struct err *e) WARN_UNUSED;

/** fileset_to_cpio() - add all to an archive. */
int fileset_to_cpio(const struct fileset *f, struct cpio *c, struct err *e) WARN_UNUSED;

#endif
