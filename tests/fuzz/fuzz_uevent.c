/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_uevent.c - any message is news or not */
#include "init/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)pid1_uevent_matches(data, size, "block");
	return 0;
}
