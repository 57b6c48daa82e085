/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/empty_logs_and_pcrs_without_events.c - Any log that replays is accepted; PCRs without events; empty logs */
#include "tests/attest/attacks/attack.h"

static void event_dropped(struct world *w)
{
	w_remove(&w->firmware, w_find(&w->firmware, 1, "boot order"));
}

static void event_invented(struct world *w)
{
	w_text(&w->firmware, 1, ACTION, "invented");
}

static void firmware_log_empty(struct world *w)
{
	w->firmware_log.len = 0;
}

static void firmware_log_all_gone(struct world *w)
{
	w->firmware.n = 0;
}

static void addon_in_pcr_12(struct world *w)
{
	w_text(&w->os, 12, 0, "addon");
}

static void os_log_empty(struct world *w)
{
	w->os.n = 0;
}

static void os_log_short(struct world *w)
{
	w->os.n = 4; /* enter-initrd, root hash, signer, leave-initrd */
}

static void last_record_hidden(struct world *w)
{
	w->os.n--;
}

static void ima_empty(struct world *w)
{
	w->ima.n = 0;
}

/* clang-format off */
static const struct attack empty_logs_and_pcrs_without_events[] = {
	{ "a log that drops an event refuses and names the bank", .lie = event_dropped, .reason = "the logs replay, bank sha256", .words = "do not replay" },
	{ "a log that invents an event refuses", .lie = event_invented, .reason = "the logs replay, bank sha256" },
	{ "an empty firmware log refuses", .edit = firmware_log_empty, .reason = "only reference values of the profile direct allow" },
	{ "a firmware log with nothing but its header refuses", .before = firmware_log_all_gone, .reason = "PCR 3: has 0 separators" },
	{ "an event in PCR 12 refuses", .before = addon_in_pcr_12, .reason = "PCR 12: OS event log event 11: found", .words = "a command line was given from outside" },
	{ "a PCR that the log never extends must be at reset", .before = addon_in_pcr_12, .lie = last_record_hidden, .reason = "the logs replay, bank sha256" },
	{ "an OS log that lacks its end refuses", .before = os_log_short, .reason = "PCR 11: ends after 3 events", .words = "is missing" },
	{ "an empty OS log refuses", .before = os_log_empty, .reason = "os-log at byte" },
	{ "a record that is hidden refuses", .before = violation, .lie = last_record_hidden, .reason = "the logs replay, bank sha256" },
	{ "an empty IMA log refuses", .before = ima_empty, .reason = "PCR 10: the IMA log is empty" },
};
/* clang-format on */
