/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/vulnerable_loader.c - A signed but vulnerable loader; another command line (CVE-2023-21563, BootHole) */
#include "tests/attest/attacks/attack.h"

static void other_uki(struct world *w)
{
	w_sha256("evil", 4, w->firmware.v[w_find(&w->firmware, 4, "UKI")].digest);
}

static void other_signature_list(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 7, "db")];

	ev->data[0] ^= 1;
	w_sha256(ev->data, ev->n, ev->digest);
}

static void command_line_with_init(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 9, "command line")];

	memcpy(ev->data, "command line init=/bin/sh", 25);
	ev->n = 25;
	w_sha256(ev->data, ev->n, ev->digest);
}

/* clang-format off */
static const struct attack vulnerable_loader[] = {
	{ "another boot application refuses and is named", .before = other_uki, .reason = "PCR 4: firmware log event 16: found", .words = "the UKI is another than the expected one" },
	{ "another boot application says what was expected", .before = other_uki, .reason = "(UKI)" },
	{ "another list of signatures (db, or an older dbx) refuses", .before = other_signature_list, .reason = "PCR 7: firmware log event 3: found" },
	{ "a missing event refuses", .before = application_missing, .reason = "PCR 4: ends after 2 events", .words = "the event of UKI is missing" },
	{ "another command line refuses", .before = command_line_with_init, .reason = "PCR 9: firmware log event", .words = "the command line differs at byte 12" },
};
/* clang-format on */
