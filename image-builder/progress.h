/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/progress.h - how library code tells a person how far it is, without printing itself
 */
#ifndef IMAGE_BUILDER_PROGRESS_H
#define IMAGE_BUILDER_PROGRESS_H

/** progress_fn - gets one line without newline; cmd_*.c prints it */
typedef void progress_fn(const char *line);

/** progress_say() - format one line and hand it to @say (NULL: nobody listens). Cut at 255 bytes. */
void progress_say(progress_fn *say, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
