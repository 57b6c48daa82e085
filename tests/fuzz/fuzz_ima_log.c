/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_ima_log.c - any bytes are an IMA log or refused, device-mapper's text included */
#include "attest/ima_log.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t name[] = "dm_table_load";
	struct reader r = reader_init(data, size);
	struct err e = ERR_INIT;
	struct ima_dm_event dm;
	struct ima_entry en;

	for (size_t n = 0; ima_log_next(&r, n, &en, &e) == 1; n++) {
		if (en.file.n != hash_bytes(en.file_alg) || en.name.n + en.buf.n > size)
			abort();
		(void)ima_dm_parse(&en, &dm, &e); /* either is fine */
	}
	/* The text alone, which a SHA-1 in front of it would hide from the fuzzer. */
	en = (struct ima_entry){.template = IMA_TEMPLATE_BUF, .name = {name, sizeof(name) - 1}, .buf = {data, size}};
	if (!ima_dm_parse(&en, &dm, &e) && dm.kind != IMA_DM_TABLE_LOAD)
		abort();
	return 0;
}
