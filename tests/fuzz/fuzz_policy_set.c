/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_policy_set.c - policy sets: what parses must judge without a fault, and give one reason or one fact */
#include "attest/fleet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct appraisal a;
	struct sbom_package package[] = {{"libc6", "2.41-12"}, {"libssl3t64", "3.5.1-1"}, {"telnetd", "0.17-1"}};
	const struct refvalues rv = {.sbom = {.known = true, .n = 3, .package = package},
				     .name = "demo", .version = 3, .arch = "x86_64", .profile = "enforce"};
	const struct enrolment rec = {.ek = ENROLMENT_EK_CERTIFICATE};
	const struct quote q = {.firmware_version = 1};
	cleanup_fleet struct fleet f = {0};
	struct err e = ERR_INIT;

	if (fleet_parse(data, size, "set", &f, &e) < 0)
		return 0;
	a.reasons.n = a.facts.n = 0;
	fleet_judge(&f, &(struct fleet_subject){&rv, &rec, &q, NULL}, &a);
	if (!a.reasons.n == !a.facts.n || !f.n_rules)
		abort();
	return 0;
}
