/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/appended_after_boot.c - Good events appended after boot */
#include "tests/attest/attacks/attack.h"

static void application_after_boot(struct world *w)
{
	w_text(&w->firmware, 4, 0x80000003, "UKI");
}

static void shut_down(struct world *w)
{
	w_measure(&w->os, measure_phase(MEASURE_SHUTDOWN));
}

/* clang-format off */
static const struct attack appended_after_boot[] = {
	{ "a good event appended after boot refuses", .before = application_after_boot, .reason = "(EV_EFI_BOOT_SERVICES_APPLICATION), expected no event after its sequence", .words = "one event too many" },
	{ "a host that is shutting down refuses", .before = shut_down, .reason = "PCR 11: OS event log event 11: found", .words = "shutting down" },
};
/* clang-format on */
