/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/progress.h - how library code tells a person how far it is, without printing itself
 */
#ifndef COMMON_PROGRESS_H
#define COMMON_PROGRESS_H

#include <stdint.h>

/** progress_fn - gets one line without newline; cmd_*.c prints it */
typedef void progress_fn(const char *line);

/** progress_say() - format one line and hand it to @say (NULL: nobody listens). Cut at 255 bytes. */
void progress_say(progress_fn *say, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * struct progress_meter - work over many bytes: a line a few times a second, none in the first second
 * @say:       who listens; NULL: nobody
 * @what:      begins the line ("hashed")
 * @all_bytes: of the work
 * The rest is the meter's own.
 */
struct progress_meter {
	progress_fn *say;
	const char *what;
	uint64_t all_bytes;
	int64_t began_ms;
	int64_t said_ms;
};

/** progress_begin() - the work begins now. */
void progress_begin(struct progress_meter *m, progress_fn *say, const char *what, uint64_t all_bytes);

/** progress_done() - @done_bytes of it are done; one thread at a time. Says "<what> 1.2 of 8.6 GB, 14 %" when it is time. */
void progress_done(struct progress_meter *m, uint64_t done_bytes);

#endif
