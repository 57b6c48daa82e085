/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_cmdline.c - any command line is understood or refused */
#include "common/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cmdline c;
	struct err e = ERR_INIT;

	(void)!cmdline_parse((const char *)data, size, &c, &e); /* either answer is fine */
	return 0;
}
