/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_event_log.c - any bytes are a log of some format or refused; each event decodes and is judged; ours is exported and read back */
#include "attest/cel_json.h"
#include "attest/event_decode.h"
#include "attest/log_check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_event(const struct event_log *a, const struct event_log_event *x, const struct event_log_event *y)
{
	if (x->pcr != y->pcr || x->no_action || y->no_action || strcmp(x->label, y->label) || x->data.n != y->data.n ||
	    (x->data.n && memcmp(x->data.p, y->data.p, x->data.n)))
		abort();
	for (size_t i = 0; i < a->n_banks; i++)
		if (memcmp(x->digest[i], y->digest[i], a->bank[i].bytes))
			abort();
}

/* What is exported of a sound log is a sound log with the same events. */
static void export_and_read_back(struct bytes b)
{
	static struct event_log tlv, json; /* large */
	cleanup_buf struct buf text = BUF_INIT;
	struct event_log_event x, y;
	struct err e = ERR_INIT;
	int more;

	if (cel_json_export(b, &text, &e)) {
		if (text.len)
			abort();
		return;
	}
	if (event_log_open(b, &tlv, &e) || event_log_open((struct bytes){text.data, text.len}, &json, &e))
		abort();
	do {
		more = event_log_next(&tlv, &x, &e);
		if (more < 0 || event_log_next(&json, &y, &e) != more)
			abort();
		if (more)
			same_event(&tlv, &x, &y);
	} while (more);
	event_log_close(&json);
}

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
		export_and_read_back((struct bytes){data, size}); /* of another format: refused */
	}
	event_log_close(&log);
	return 0;
}
