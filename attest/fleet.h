/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/fleet.h - policy sets: which of the sound hosts a fleet's owner wants
 *
 * Theory of operation
 *   Appraisal says that a host is what its reference values say. A policy set says which of these are wanted: image
 *   versions, floors, profiles, firmware. It is a list of rules, each a list of conditions; a host is wanted if all
 *   conditions of one rule hold. A condition names one field, one comparison, and what to compare with; there is nothing
 *   else: no expressions, no loops, so judging is linear in its length.
 *
 *   The fields are a table, and each says what authenticates it: the signature over the reference values, the TPM's
 *   signature over the quote, or the proof at enrolment. Things that a host shows and nothing signs (an event's type or
 *   text, the agent's words, a client's address) are in the table too, so that a policy that wants to read one is refused
 *   with the reason when it is loaded, and never evaluated.
 *
 * Input: the operator's own file, parsed as strictly as any. Spec: docs/formats/policy-set.md.
 */
#ifndef ATTEST_FLEET_H
#define ATTEST_FLEET_H

#include "attest/appraise.h"
#include "attest/platform.h"
#include "common/json.h"

#define FLEET_MAX_BYTES       65536
#define FLEET_MAX_RULES       64
#define FLEET_MAX_CONDITIONS  32 /* in one rule */
#define FLEET_MAX_VALUES      64 /* in one condition */
#define FLEET_MAX_TEXT_BYTES  256
#define FLEET_DEFAULT_SECONDS 300
#define FLEET_MIN_SECONDS     10
#define FLEET_MAX_SECONDS     3600

struct fleet_rule;

/** struct fleet - a policy set; strings are borrowed from @tree, which it owns */
struct fleet {
	const char *name;
	uint64_t version;
	uint64_t result_seconds;
	size_t n_rules;
	struct fleet_rule *rule;
	struct platforms platforms;
	json_object *tree;
};

/** fleet_parse() - strict parse and lint; -EINVAL with the rule, the condition and what is wrong with it. */
int fleet_parse(const void *text, size_t len, const char *name, struct fleet *ret, struct err *e) WARN_UNUSED;

/** fleet_load() - fleet_parse() of a file. */
int fleet_load(const char *path, struct fleet *ret, struct err *e) WARN_UNUSED;

/** struct fleet_subject - what a policy set may read; all of it proven by then */
struct fleet_subject {
	const struct refvalues *rv;
	const struct enrolment *enrolment;
	const struct quote *quote;
	const struct platform *platform; /* NULL: none */
};

/** fleet_judge() - is the host wanted? If not, why not is added to @a's reasons; if so, which rule to its facts. */
void fleet_judge(const struct fleet *f, const struct fleet_subject *s, struct appraisal *a);

/** fleet_free() - release what @f owns; accepts a zeroed one. */
void fleet_free(struct fleet *f);
#define cleanup_fleet __attribute__((cleanup(fleet_free)))

#endif
