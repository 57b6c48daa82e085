/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/attest/attacks/bank_downgrade.c - Bank downgrade, an uncapped bank (CVE-2021-42299) */
#include "tests/attest/attacks/attack.h"

/* The whole log in SHA-1 format: a bank that the firmware would not cap. */
static void firmware_log_sha1(struct world *w)
{
	static const uint8_t sha1[20] = {1};

	buf_free(&w->firmware_log);
	for (size_t i = 0; i < w->firmware.n; i++) {
		buf_u32le(&w->firmware_log, w->firmware.v[i].pcr);
		buf_u32le(&w->firmware_log, w->firmware.v[i].type);
		buf_put(&w->firmware_log, sha1, 20);
		w_field(&w->firmware_log, w->firmware.v[i].data, w->firmware.v[i].n);
	}
}

/* clang-format off */
static const struct attack bank_downgrade[] = {
	{ "CVE-2021-42299: a firmware log without bank sha256 refuses", .edit = firmware_log_sha1, .reason = "does not name bank sha256" },
};
/* clang-format on */
