/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_tcg_log.c - any bytes are a firmware log or refused, and every bank of one replays to its end */
#include "attest/replay.h"
#include "attest/tcg_log.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct tcg_event ev;
	struct tcg_log log;
	size_t n = 0;
	int rc;

	if (tcg_log_open(data, size, &log, &e))
		return 0;
	while ((rc = tcg_log_next(&log, &ev, &e)) == 1)
		n += ev.index == n && (ev.no_action || ev.pcr <= TCG_LOG_MAX_PCR) && ev.data.n <= size;
	if (n != log.n_events)
		abort();
	for (size_t i = 0; i < log.n_banks; i++) {
		struct replay r;

		if (replay_init(log.bank[i].alg, &r, &e))
			continue;
		if ((replay_firmware(&r, (struct bytes){data, size}, NULL, NULL, &e) == 0) != (rc == 0))
			abort();
	}
	return 0;
}
