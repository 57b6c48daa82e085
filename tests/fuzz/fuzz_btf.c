/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_btf.c - any bytes are types or refused; whatever is found lies inside, and is found in bounded time */
#include "init/btf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint32_t at[4096], module_at[4096];
	size_t half = size ? data[0] * size / 256 : 0;
	struct err e = ERR_INIT;
	struct pid1_btf b = { .name = "fuzz", .at = at, .room = 4096 };
	struct pid1_btf m = { .name = "fuzz", .base = &b, .at = module_at, .room = 4096 };
	uint32_t off;

	if (pid1_btf_parse(&b, data, size, &e) == 0) {
		(void)pid1_btf_find(&b, "answer", PID1_BTF_FUNC);
		(void)!pid1_btf_offset(&b, "good", "last", &off, &e); /* either answer is fine */
		if (pid1_btf_parse(&m, data + half, size - half, &e) == 0)
			(void)!pid1_btf_offset(&m, "good", "last", &off, &e);
	}
	return 0;
}
