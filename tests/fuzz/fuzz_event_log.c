/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_event_log.c - any bytes are a log of some format or refused; each event decodes and is judged */
#include "attest/event_decode.h"
#include "attest/log_check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_log log; /* large */
	static struct log_check check;
	struct event_budget budget = EVENT_BUDGET_INIT;
	struct event_log_event ev;
	struct err e = ERR_INIT;
	size_t n = 0;
	int rc;

	memset(&check, 0, sizeof(check));
	rc = event_log_open((struct bytes){data, size}, &log, &e);
	while (!rc && (rc = event_log_next(&log, &ev, &e)) == 1) {
		json_object *o = event_decode(ev.type, ev.data, &budget);
		const char *text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : NULL;

		for (const char *c = text; c && *c; c++)
			if (*c < ' ' || *c > '~')
				abort(); /* a terminal must not be told anything */
		(void)json_object_put(o); /* accepts NULL */
		if (ev.index != n++ || (!ev.no_action && ev.pcr >= REPLAY_PCRS))
			abort();
		log_check_event(&check, &log, &ev);
		rc = 0;
	}
	if (!rc) {
		log_check_end(&check, &log);
		if (n != log.n_events)
			abort();
	}
	event_log_close(&log);
	return 0;
}
