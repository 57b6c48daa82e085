/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/separators.c - Separators duplicated, missing, retyped, or in error */
#include "tests/attest/attacks/attack.h"

static void separator_twice(struct world *w)
{
	w_insert(&w->firmware, w_find(&w->firmware, 1, "separator"),
		 &w->firmware.v[w_find(&w->firmware, 1, "separator")]);
}

static void separator_missing(struct world *w)
{
	w_remove(&w->firmware, w_find(&w->firmware, 0, "separator"));
}

static void separator_error(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 5, "separator")];

	memset(ev->data, 0xff, 4);
	w_sha256(ev->data, 4, ev->digest);
}

static void separator_of_one(struct world *w)
{
	struct event *ev = &w->firmware.v[w_find(&w->firmware, 1, "separator")];

	ev->data[0] = 1;
	w_sha256(ev->data, 4, ev->digest);
}

static void separator_of_one_told_as_boot_order(struct world *w)
{
	separator_of_one(w);
	w->firmware.v[w_find(&w->firmware, 1, "separator")].type = 0x80000002;
}

/* The firmware reports an error, and the log calls it something else; PCR 1 and 5 are not judged by content. */
static void error_retyped(struct world *w, const char *data)
{
	struct events one = {0};

	w_add(&one, 5, ACTION, data, 4, "error");
	w_insert(&w->firmware, w_find(&w->firmware, 5, "separator"), &one.v[0]);
}

static void separator_error_retyped(struct world *w)
{
	error_retyped(w, "\xff\xff\xff\xff");
}

static void separator_of_one_retyped(struct world *w)
{
	error_retyped(w, "\1\0\0");
}

static void container_before_separator(struct world *w)
{
	struct event c = w->os.v[w_find(&w->os, 13, "container")];

	w_insert(&w->os, w_find(&w->os, 13, "separator"), &c);
}

/* clang-format off */
static const struct attack separators[] = {
	{ "a duplicated separator refuses where nothing else is judged", .before = separator_twice, .reason = "PCR 1: has 2 separators", .words = "2 separators" },
	{ "a missing separator refuses", .before = separator_missing, .reason = "PCR 0: has 0 separators" },
	{ "a separator of ffffffff refuses", .before = separator_error, .reason = "PCR 5: firmware log event 11 is a separator that is not" },
	{ "a separator of 00000001 refuses", .before = separator_of_one, .reason = "PCR 1: firmware log event 7 is a separator that is not" },
	{ "a separator of ffffffff told as an action refuses", .before = separator_error_retyped, .reason = "PCR 5: firmware log event 11 is a separator that is not" },
	{ "a separator of 00000001 told as an action refuses", .before = separator_of_one_retyped, .reason = "PCR 5: firmware log event 11 is a separator that is not" },
	{ "a separator of 00000001 told as a boot order refuses", .before = separator_of_one_told_as_boot_order, .reason = "PCR 1: has 0 separators" },
	{ "a container admitted before the chain was closed refuses", .before = container_before_separator, .reason = "PCR 13: OS event log event 8: found", .words = "before the launch chain was closed" },
};
/* clang-format on */
