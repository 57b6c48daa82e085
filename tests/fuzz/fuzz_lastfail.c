/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_lastfail.c - any variable is a record or none, any log says what a record can hold */
#include "init/lastfail.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was understood is encoded to what is understood the same. */
static void there_and_back(const struct pid1_lastfail *f)
{
	uint8_t bytes[LASTFAIL_FILE_BYTES], again[LASTFAIL_FILE_BYTES];
	struct pid1_lastfail g;
	struct err e = ERR_INIT;

	pid1_lastfail_encode(f, bytes);
	if (pid1_lastfail_parse(bytes, sizeof(bytes), &g, &e))
		abort();
	pid1_lastfail_encode(&g, again);
	if (memcmp(bytes, again, sizeof(bytes)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pid1_lastfail f = { 0 };
	struct err e = ERR_INIT;

	if (!pid1_lastfail_parse(data, size, &f, &e))
		there_and_back(&f);
	memset(&f, 0, sizeof(f));
	pid1_lastfail_read_log((const char *)data, size / 2, &f);
	pid1_lastfail_read_log((const char *)data + size / 2, size - size / 2, &f);
	if (f.code)
		pid1_lastfail_add(&f, NULL);
	there_and_back(&f);
	return 0;
}
