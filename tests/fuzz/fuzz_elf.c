/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_elf.c - strings and sections that elf_parse() and elf_section() hand out lie inside the buffer */
#include "image-builder/elf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct reader r;
	struct elf elf;
	size_t sum = 0;

	if (!elf_parse(data, size, "fuzz", &elf, &e)) {
		sum += elf.interp ? strlen(elf.interp) : 0;
		sum += elf.runpath ? strlen(elf.runpath) : 0;
		for (size_t i = 0; i < elf.n_needed; i++)
			sum += strlen(elf.needed[i]);
	}
	if (!elf_section(data, size, "fuzz", ".modinfo", &r, &e))
		while (r.left)
			sum += reader_u8(&r);
	return sum == SIZE_MAX; /* never; keeps the reads */
}
