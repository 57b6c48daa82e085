/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/platform.h - machines that cannot show all of their chain, as a fleet's owner declares them
 *
 * Theory of operation
 *   Clouds give virtual machines a vTPM that lacks things: the EK has no certificate of a TPM's maker (at best one of the
 *   provider), or the firmware's event log is empty. Such a host is refused, unless a platform of the policy set says that
 *   exactly this is wanted; and then the result names the platform and what it does not give.
 *
 *   Without a firmware log nobody tells which events made PCR 0 to 9. The builder's prediction still says what they must
 *   hold wherever it has a sequence; for the others, and for those that a provider's firmware fills in its own way, the
 *   platform lists values. A state is one set of such values, of one version of the provider's firmware; a host must be in
 *   one of the listed states. Proof is the quote's digest over all of them, as ever (attest/implied.h).
 *
 * Input: the operator's own file, parsed as strictly as any. Spec: docs/formats/policy-set.md "Platforms".
 */
#ifndef ATTEST_PLATFORM_H
#define ATTEST_PLATFORM_H

#include "attest/enrolment.h"
#include "common/json.h"

#include <stdbool.h>

#define PLATFORM_MAX            16
#define PLATFORM_MAX_STATES     64
#define PLATFORM_PCRS           10 /* PCR 0 to 9 are the firmware's and the boot chain's */
#define PLATFORM_MAX_NAME_BYTES 64

/** struct platform_state - @pcrs: bit i set: PCR i must hold @value[i] */
struct platform_state {
	uint32_t pcrs;
	uint8_t value[PLATFORM_PCRS][HASH_SHA256_BYTES];
};

/** struct platform - @eks: bits of enum enrolment_ek; @no_firmware_log: there is none, then it has states; @state is owned */
struct platform {
	const char *name;
	unsigned eks;
	bool no_firmware_log;
	size_t n_states;
	struct platform_state *state;
};

/** struct platforms - all of a policy set; names are borrowed from its document */
struct platforms {
	size_t n;
	struct platform item[PLATFORM_MAX];
};

/** platform_parse_all() - member `platforms` of @doc, which may be absent. @ret must be released also after a failure. */
int platform_parse_all(json_object *doc, const char *where, struct platforms *ret, struct err *e) WARN_UNUSED;

/** platform_fits() - does @p declare hosts with such an EK, and without (or with) a firmware log? */
bool platform_fits(const struct platform *p, enum enrolment_ek ek, bool no_firmware_log);

/** platform_free_all() - release what @p owns; accepts a zeroed one. */
void platform_free_all(struct platforms *p);

#endif
