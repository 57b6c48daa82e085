/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_agent_message.c - the agent's messages, both sides: what parses must be written back to the same
 * bytes */
#include "attest/message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int side = MESSAGE_REQUEST; side <= MESSAGE_SERVICE_ANSWER; side++) {
		cleanup_buf struct buf again = BUF_INIT;
		struct err e = ERR_INIT;
		struct message m;

		if (message_parse((enum message_side)side, data, size, &m, &e) < 0)
			continue;
		if (message_encode(&m, &again, &e) < 0 || again.len != size || memcmp(again.data, data, size))
			abort();
	}
	return 0;
}
