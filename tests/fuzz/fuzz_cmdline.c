/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_cmdline.c - any command line is understood or refused */
#include "init/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pid1_cmdline c;
	struct err e = ERR_INIT;

	(void)!pid1_cmdline_parse((const char *)data, size, &c, &e); /* either answer is fine */
	return 0;
}
