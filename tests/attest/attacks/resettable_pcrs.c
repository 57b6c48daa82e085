/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/resettable_pcrs.c - Resettable PCRs refilled with good events */
#include "tests/attest/attacks/attack.h"

static void os_extends_pcr_23(struct world *w)
{
	w_text(&w->os, 23, 0, "x");
}

/* clang-format off */
static const struct attack resettable_pcrs[] = {
	{ "an OS record for the resettable PCR 23 refuses", .before = os_extends_pcr_23, .reason = "names PCR 23, wanted 11 to 15" },
};
/* clang-format on */
