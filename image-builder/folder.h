/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/folder.h - folders as results: made beside their place, published whole, or not at all
 *
 * Theory of operation
 *   What the builder makes is a folder. It is filled under a temporary name beside its final one, so that rename() can
 *   publish it; what stood there before is moved aside first and removed afterwards. Whoever looks sees the old
 *   folder, none for an instant, or the new one; never a part.
 */
#ifndef IMAGE_BUILDER_FOLDER_H
#define IMAGE_BUILDER_FOLDER_H

#include "common/cleanup.h"
#include "common/err.h"

#include <limits.h>
#include <sys/types.h>

/** folder_join() - "<folder>/<name>". -ENAMETOOLONG. */
int folder_join(const char *folder, const char *name, char ret[static PATH_MAX], struct err *e) WARN_UNUSED;

/** folder_absolute() - @path from the root, without touching the file system but for the working folder. */
int folder_absolute(const char *path, char ret[static PATH_MAX], struct err *e) WARN_UNUSED;

/** folder_need() - is there a readable file or folder at @path? -errno naming it. */
int folder_need(const char *path, struct err *e) WARN_UNUSED;

/** folder_is_empty() - 0 if @path is an empty folder or nothing at all; -ENOTEMPTY; -ENOTDIR; -errno. */
int folder_is_empty(const char *path, struct err *e) WARN_UNUSED;

/**
 * folder_may_replace() - may @path be replaced by a result? Only if it is not there, empty, or an earlier result.
 * @marker: a file that every such result holds
 *
 * Return: 0; -EEXIST if it holds something else; -errno.
 */
int folder_may_replace(const char *path, const char *marker, struct err *e) WARN_UNUSED;

/** folder_begin() - make the temporary folder for @path (parents too). */
int folder_begin(const char *path, char ret_tmp[static PATH_MAX], struct err *e) WARN_UNUSED;

/**
 * folder_finish() - publish @tmp as @path if @result is 0, else remove it
 *
 * Return: @result, or why it could not be published (nothing is left then).
 */
int folder_finish(const char *path, const char *tmp, int result, struct err *e) WARN_UNUSED;

/** folder_remove() - a folder and all in it, also what has no write permission; links are not followed. A missing one is fine. */
int folder_remove(const char *path, struct err *e) WARN_UNUSED;

/** folder_discard() - folder_remove() on a failing path, where the first error is the one to tell. */
void folder_discard(const char *path);

/** folder_copy_file() - copy @from to the new file @to with @mode; holes are not kept; not synced. */
int folder_copy_file(const char *from, const char *to, mode_t mode, struct err *e) WARN_UNUSED;

#endif
