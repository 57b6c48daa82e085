/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/implied.h - PCR 0 to 11 of a host that has no firmware log, on a platform that declares so
 *
 * Theory of operation
 *   A log only says how a value came about; the proof is the quote's digest over the values. So where the log is missing
 *   the events that the reference values want are taken as having happened: a sequence's PCR gets the value of exactly
 *   that sequence, PCR 11 what stands in it before PID 1's first record. PCRs that the platform lists get the listed
 *   value; those that the reference values do not judge must be among them. If the TPM's digest is over other values than
 *   these, the host is refused. What is lost is not proof but words: which event differs cannot be said, and what is
 *   behind a listed value nobody shows.
 *
 * Input: hostile (logs). Spec: docs/formats/policy-set.md "Platforms".
 */
#ifndef ATTEST_IMPLIED_H
#define ATTEST_IMPLIED_H

#include "attest/platform.h"
#include "attest/rules.h"

/** implied_events() - before the OS log is replayed: extend what the rules want of the firmware, and note it as matched. */
int implied_events(struct rules *rules, struct replay *r, struct bytes os_log, struct err *e) WARN_UNUSED;

/** struct implied_search - all borrowed; @ek: only platforms for it; @digest: what the TPM signed */
struct implied_search {
	const struct platforms *platforms;
	enum enrolment_ek ek;
	const uint8_t *digest;
	struct bytes ima_log;
};

/**
 * implied_state() - after the OS log: find the state with which all values have the digest, and set its PCRs
 * @ret: the platform it is of; without any that fits, the first for this EK, and a reason in @a
 */
int implied_state(struct rules *rules, struct replay *r, const struct implied_search *s, const struct platform **ret,
		  struct appraisal *a, struct err *e) WARN_UNUSED;

#endif
