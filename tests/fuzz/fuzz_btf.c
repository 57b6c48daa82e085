/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_btf.c - any bytes are types or refused; whatever is found lies inside, and is found in bounded time */
#include "init/btf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint32_t at[4096], module_at[4096];
	size_t half = size ? data[0] * size / 256 : 0;
	struct err e = ERR_INIT;
	struct pid1_btf b, m;
	uint32_t off;

	if (pid1_btf_parse(data, size, "fuzz", NULL, at, 4096, &b, &e) == 0) {
		(void)pid1_btf_find(&b, "answer", PID1_BTF_FUNC);
		(void)!pid1_btf_offset(&b, "good", "last", &off, &e); /* either answer is fine */
		if (pid1_btf_parse(data + half, size - half, "fuzz", &b, module_at, 4096, &m, &e) == 0)
			(void)!pid1_btf_offset(&m, "good", "last", &off, &e);
	}
	return 0;
}
