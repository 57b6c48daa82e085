/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/no_action_and_locality.c - EV_NO_ACTION look-alikes; StartupLocality; H-CRTM */
#include "tests/attest/attacks/attack.h"

static void measurement_hidden_as_no_action(struct world *w)
{
	w->firmware.v[w_find(&w->firmware, 1, "boot order")].type = 3;
}

static void no_action_with_a_digest(struct world *w)
{
	w_add(&w->firmware, 4, 3, "UKI", 3, "UKI");
}

static void locality_3_not_stated(struct world *w)
{
	w->locality = 3;
}

static void locality_unstated(struct world *w)
{
	w->locality = -1;
}

static void locality_spoofed(struct world *w)
{
	w->locality = 3;
}

static void locality_of_software(struct world *w)
{
	w->locality = 1;
}

/* clang-format off */
static const struct attack no_action_and_locality[] = {
	{ "a measurement hidden as EV_NO_ACTION refuses", .lie = measurement_hidden_as_no_action, .reason = "a log lacks events or was edited" },
	{ "EV_NO_ACTION with a good digest is no measurement and refuses", .lie = no_action_with_a_digest, .reason = "1 EV_NO_ACTION events carry a digest" },
	{ "EV_NO_ACTION does not stand in for a missing event", .before = application_missing, .lie = no_action_with_a_digest, .reason = "PCR 4: ends after 2 events" },
	{ "a startup locality that the log conceals refuses", .before = locality_3_not_stated, .lie = locality_unstated, .reason = "the logs replay, bank sha256" },
	{ "a spoofed startup locality refuses", .lie = locality_spoofed, .reason = "the logs replay, bank sha256" },
	{ "a startup locality of software refuses", .before = locality_of_software, .reason = "startup locality is 1" },
};
/* clang-format on */
