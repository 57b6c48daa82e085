/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_conf.c - any text is cut into lines or refused */
#include "common/conf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf c;
	struct err e = ERR_INIT;
	char *text = malloc(size + 1);
	uint64_t n;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (conf_parse(text, size, "fuzz", &c, &e) == 0)
		(void)!conf_u64(&c, "n", 0, UINT64_MAX, &n, &e); /* either answer is fine */
	free(text);
	return 0;
}
