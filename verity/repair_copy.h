/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/repair_copy.h - a copy of a damaged file under a temporary name, that gets its own when it is proved (repair.c)
 */
#ifndef VERITY_REPAIR_COPY_H
#define VERITY_REPAIR_COPY_H

#include "common/file.h"
#include "common/progress.h"
#include "verity/io.h"

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

/** verity_copy_make() - the whole of a file or device; @ret is FILE_NEW_NONE, and stays to be published or dropped. Return: 0; -EEXIST if @path is there; -EINTR; -errno. */
int verity_copy_make(const struct verity_copy_params *p, struct file_new *ret, struct err *e) WARN_UNUSED;

#endif
