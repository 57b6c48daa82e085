/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/repair_copy.h - a copy of a damaged file under a temporary name, that gets its own when it is proved (repair.c)
 */
#ifndef VERITY_REPAIR_COPY_H
#define VERITY_REPAIR_COPY_H

#include "common/progress.h"
#include "verity/io.h"

#include <limits.h>
#include <stdbool.h>

/**
 * struct verity_copy - zeroed and fd -1: nothing was made
 * @path: its name to be; @tmp: its name until then
 */
struct verity_copy {
	int fd;
	const char *path;
	char tmp[PATH_MAX];
	bool is_there;
};

/**
 * struct verity_copy_params - what to copy
 * @bad:  told of each block of @block_bytes that cannot be read (EIO and its kin); it is zeros in the copy
 */
struct verity_copy_params {
	const struct verity_file *from;
	const char *path;
	uint32_t block_bytes;
	void (*bad)(void *arg, const struct verity_file *from, uint64_t offset_bytes);
	void *arg;
	progress_fn *say;
};

/** verity_copy_make() - the whole of a file or device. Return: 0; -EEXIST if @path is there; -EINTR; -errno. */
int verity_copy_make(const struct verity_copy_params *p, struct verity_copy *ret, struct err *e) WARN_UNUSED;

/** verity_copy_publish() - sync, close, give it its name. verity_copy_drop() - remove what is not published. */
int verity_copy_publish(struct verity_copy *c, struct err *e) WARN_UNUSED;
void verity_copy_drop(struct verity_copy *c);

#endif
