/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_module.c - a module that was cut is one that can be cut again, to the same bytes */
#include "image-builder/module_strip.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_buf struct buf once = BUF_INIT, twice = BUF_INIT;
	struct err e = ERR_INIT;

	if (module_strip(data, size, "fuzz", size & 1, &once, &e))
		return 0;
	if (module_strip(once.data, once.len, "again", size & 1, &twice, &e) || twice.len != once.len || memcmp(once.data, twice.data, once.len) != 0)
		abort();
	return 0;
}
