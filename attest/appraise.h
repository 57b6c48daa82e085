/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/appraise.h - the judgement: evidence against enrolment and reference values
 *
 * Theory of operation
 *   Step by step, each on what the one before proved:
 *     1. the enrolled AK is a key that speaks for its TPM; the quote is its signature (attest/quote.h);
 *     2. extraData is the binding of our nonce and the three logs: it is fresh, and these are the logs it was made
 * with;
 *     3. the logs replay, bank sha256, to exactly the PCR 0-15 that the TPM signed: each digest in them is now proven;
 *     4. each PCR's events are those its rule names (attest/rules.h).
 *   A failure in 1 or 2 ends it: nothing of the logs is proven then. After a failure in 3 the rules are still followed,
 *   because the first difference is the best hint at what happened; the verdict is settled already.
 *   Every finding is a reason; no reason at the end of all steps is ACCEPT. Facts are what an ACCEPT relied on; a
 *   REFUSE shows only those of steps 1 and 2, since nothing else was proven.
 *
 *   Labels come from the reference values. An event's own type and text are shown as found, never believed, but for the
 *   OS log's data, whose digest was checked and matched.
 *
 * Input: hostile (evidence). Spec: RFC 9334 section 4; docs/formats/README.md, docs/formats/evidence.md.
 */
#ifndef ATTEST_APPRAISE_H
#define ATTEST_APPRAISE_H

#include "attest/enrolment.h"
#include "attest/evidence.h"
#include "attest/quote.h"
#include "attest/refvalues.h"

#include <stdbool.h>

#define APPRAISAL_MAX_LINES      128
#define APPRAISAL_MAX_LINE_BYTES 512

enum appraise_verdict {
	APPRAISE_UNSET = 0, /* as good as refused */
	APPRAISE_ACCEPT,
	APPRAISE_REFUSE,
};

/** struct appraisal_lines - sentences; those past the bound are counted and not kept */
struct appraisal_lines {
	size_t n;
	size_t dropped;
	char line[APPRAISAL_MAX_LINES][APPRAISAL_MAX_LINE_BYTES];
};

/**
 * struct appraisal - a verdict, why not, and what it relied on; large: not for the stack of a deep call
 * @quoted: @quote is proven: steps 1 and 2 passed
 * @platform: what the host lacks is declared by it; NULL: it lacks nothing
 * @no_facts: set by the caller, who shows facts to nobody: none are written
 * @fast:   PCR 0-15 were accepted in full before (attest/allowed.h): steps 3 and 4 were not done again
 */
struct appraisal {
	enum appraise_verdict verdict;
	bool quoted;
	bool fast;
	bool no_facts;
	const struct platform *platform;
	struct quote quote;
	struct appraisal_lines reasons;
	struct appraisal_lines facts;
};

struct allowed;
struct platform;
struct platforms;

/**
 * struct appraise_input - all borrowed; the last four may be NULL
 * @evidence:    the CBOR map's bytes
 * @refvalues:   NULL: none is known for this host, which is a reason
 * @channel_key: the evidence must be bound to the TLS key with this digest (evidence_channel_binding())
 * @ak:          @enrolment's AK, parsed before
 * @allowed:     PCR digests accepted before, and where to note this one
 * @platforms:   what hosts may lack
 */
struct appraise_input {
	struct bytes evidence;
	const uint8_t *nonce; /* EVIDENCE_NONCE_BYTES */
	const struct enrolment *enrolment;
	const struct refvalues *refvalues;
	const uint8_t *channel_key; /* HASH_SHA256_BYTES */
	const struct quote_ak *ak;
	struct allowed *allowed;
	const struct platforms *platforms;
};

/**
 * appraise() - judge
 *
 * Return: 0 with a verdict other than APPRAISE_UNSET; -errno if it could not be checked (no memory; an enrolled AK that
 * is malformed), with the verdict left UNSET.
 */
int appraise(const struct appraise_input *in, struct appraisal *ret, struct err *e) WARN_UNUSED;

/** appraise_reason() - add a reason: it can only be REFUSE from now on. appraise_fact() - add a fact. */
void appraise_reason(struct appraisal *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void appraise_fact(struct appraisal *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
