/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/forged_attestation.c - A TPMS_ATTEST forged through TPM2_Hash and TPM2_Sign (CVE-2024-29038, -29040) */
#include "tests/attest/attacks/attack.h"

static void magic(struct world *w)
{
	w->magic = 0x11223344;
}

/* clang-format off */
static const struct attack forged_attestation[] = {
	{ "CVE-2024-29038: an attestation without the TPM's magic refuses", .before = magic, .reason = "magic is 0x11223344" },
};
/* clang-format on */
