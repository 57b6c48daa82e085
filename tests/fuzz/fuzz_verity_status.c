/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_verity_status.c - a verity table and status line of any bytes: refused, or with values in bounds */
#include "verity/status.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 8 bytes of sectors, then the table, a newline, the status. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verity_table_text text;
	struct verity_status s;
	struct err e = ERR_INIT;
	const uint8_t *line;
	size_t n;

	if (size < 8)
		return 0;
	memset(&text, 0, sizeof(text));
	memcpy(&text.sectors, data, 8);
	data += 8, size -= 8;
	line = memchr(data, '\n', size);
	n = line ? (size_t)(line - data) : size;
	memcpy(text.table, data, n < sizeof(text.table) ? n : sizeof(text.table) - 1);
	if (line) {
		n = size - n - 1;
		memcpy(text.status, line + 1, n < sizeof(text.status) ? n : sizeof(text.status) - 1);
	}
	if (verity_status_parse(&text, &s, &e)) {
		if (!e.msg[0] || e.code != EMEDIUMTYPE)
			abort();
		return 0;
	}
	if (s.root_hash_bytes > sizeof(s.root_hash) || s.salt_bytes > sizeof(s.salt) || s.options >> VERITY_OPTIONS_ ||
	    s.data_block_bytes < 512 || s.data_blocks * s.data_block_bytes / 512 != text.sectors || s.fec_roots == 1 || s.fec_roots > 24)
		abort();
	return 0;
}
