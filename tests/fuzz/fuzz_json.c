/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_json.c - whatever the scan lets through, json-c must take too */
#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_json json_object *o = NULL;
	struct err e = ERR_INIT;

	if (json_parse(data, size, "fuzz", &o, &e) == 0 && !o)
		abort();
	return 0;
}
