/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_fdt.c - any device tree has the property or is refused */
#include "init/fdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	uint32_t value;

	if (pid1_fdt_chosen_u32(data, size, "linux,uefi-secure-boot", &value, &e) && !e.code)
		__builtin_trap();
	return 0;
}
