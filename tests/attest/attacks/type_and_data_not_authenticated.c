/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/type_and_data_not_authenticated.c - Event type and event data are not authenticated, digests are */
#include "tests/attest/attacks/attack.h"

static void variables_swapped(struct world *w)
{
	size_t a = w_find(&w->firmware, 7, "SecureBoot"), b = w_find(&w->firmware, 7, "db");
	struct event t = w->firmware.v[a];

	w->firmware.v[a] = w->firmware.v[b];
	w->firmware.v[b] = t;
}

static void secure_boot_off(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 7, "SecureBoot")];

	ev->data[ev->n - 1] = 0;
	w_sha256(ev->data, ev->n, ev->digest);
}

static void secure_boot_off_but_the_log_says_on(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 7, "SecureBoot")];

	ev->data[ev->n - 1] = 1; /* data only: the digest is what was extended */
}

static void separator_retyped(struct world *w)
{
	w->firmware.v[w_find(&w->firmware, 1, "separator")].type = ACTION;
}

static void event_typed_as_separator(struct world *w)
{
	w->firmware.v[w_find(&w->firmware, 1, "boot order")].type = SEPARATOR;
}

static void record_digest_not_of_data(struct world *w)
{
	w->os.v[w_find(&w->os, 13, "layer-policy")].data[30] ^= 1;
}

/* clang-format off */
static const struct attack type_and_data_not_authenticated[] = {
	{ "events in another order refuse", .before = variables_swapped, .reason = "PCR 7: firmware log event 2" },
	{ "Secure Boot off refuses", .before = secure_boot_off, .reason = "PCR 7: firmware log event 2", .words = "Secure Boot is off" },
	{ "Secure Boot off with data that says on refuses", .before = secure_boot_off, .lie = secure_boot_off_but_the_log_says_on, .reason = "PCR 7: firmware log event 2", .words = "Secure Boot is off" },
	{ "a retyped separator refuses", .before = separator_retyped, .reason = "PCR 1: firmware log event 7 is a separator that is not" },
	{ "another event typed as separator refuses", .before = event_typed_as_separator, .reason = "PCR 1: firmware log event 4 is a separator that is not" },
	{ "a record whose digest is not that of its data refuses", .lie = record_digest_not_of_data, .reason = "record 5: sha256 digest is not that of its data" },
};
/* clang-format on */
