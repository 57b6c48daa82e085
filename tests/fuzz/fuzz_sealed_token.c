/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_sealed_token.c - any token of a state volume is read or refused; what is read fits, and is the same when written and read again */
#include "init/sealed_token.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct pid1_sealed_token t, again;
	struct err e = ERR_INIT;

	if (pid1_sealed_token_parse((const char *)data, size, &t, &e))
		return 0;
	if (!t.blob_bytes || t.blob_bytes > sizeof(t.blob) || !t.pcrs || t.pcrs >> 24)
		__builtin_trap();
	if (pid1_sealed_token_write(&t, "", &text, &e) || pid1_sealed_token_parse((const char *)text.data, text.len, &again, &e) ||
	    t.pcrs != again.pcrs || t.blob_bytes != again.blob_bytes || memcmp(t.blob, again.blob, t.blob_bytes) ||
	    memcmp(t.policy, again.policy, sizeof(t.policy)) || memcmp(t.mac, again.mac, sizeof(t.mac)))
		__builtin_trap();
	return 0;
}
