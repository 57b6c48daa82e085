/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/selection_not_bound.c - The PCR selection is not bound, another PCR or a subset is shown (CVE-2022-0317, CVE-2024-29039) */
#include "tests/attest/attacks/attack.h"

static void select_0_7(struct world *w)
{
	w->select[1] = 0;
}

static void select_0_23(struct world *w)
{
	w->select[2] = 0xff;
}

static void bank_sha1(struct world *w)
{
	w->bank = 4;
}

/* clang-format off */
static const struct attack selection_not_bound[] = {
	{ "CVE-2022-0317: a quote of PCR 0-7 only refuses", .before = select_0_7, .reason = "mask ff0000" },
	{ "CVE-2024-29039: a quote of more PCRs refuses", .before = select_0_23, .reason = "mask ffffff" },
	{ "a quote of bank sha1 refuses", .before = bank_sha1, .reason = "0x4, mask" },
};
/* clang-format on */
