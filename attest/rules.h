/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/rules.h - follow each PCR's rule while its log is replayed
 *
 * Theory of operation
 *   Each PCR is an automaton over digests: where it stands in its sequence, whether it already failed, and why. It sees
 * each measurement once, keeps none of them, and has an end state: a sequence that stopped early is a difference as
 * well as one that went on. The first difference of a PCR is kept as a sentence; later ones follow from it.
 *
 *   The firmware's PCR 0-7 must each hold exactly one separator of four zero bytes whatever their rule: it is how the
 * firmware caps them before it hands over (a value of ffffffff says that a measurement failed). A separator counts only
 * if digest, type and data agree, and anything that is one by digest or by type alone is a difference.
 *
 *   Reference values of the profile `direct` are the one exception: without UEFI there need be no firmware log and no
 * separator. They are held to their word: PCR 11's sequence must begin with PID 1's own event of that profile, and no
 * other profile's may hold it, so neither kind of host is accepted in the other's place.
 *
 * Input: hostile. Spec: TCG PFP 1.06, 2.3.4 and 10.4.1 (separators); docs/formats/README.md.
 */
#ifndef ATTEST_RULES_H
#define ATTEST_RULES_H

#include "attest/appraise.h"
#include "attest/refvalues.h"
#include "attest/replay.h"
#include "common/measure.h"

#include <stdbool.h>

#define RULES_MAX_TABLES            512
#define RULES_SEPARATORS            3 /* digests of 00000000, ffffffff, 00000001 */
#define RULES_MAX_POLICY_TEXT_BYTES 160

/** struct rules - all automata of one appraisal; large: rules_init() sets what is read before it is written, and no more */
struct rules {
	const struct refvalues *rv;
	bool no_firmware_log; /* attest/implied.h: what it would say is taken as said */
	uint32_t held;        /* bit i: PCR i holds a value that a platform lists */
	uint8_t separator[RULES_SEPARATORS][HASH_SHA256_BYTES];
	struct rules_pcr {
		size_t matched; /* of the sequence */
		size_t separators;
		size_t events;
		bool *then_seen; /* owned: which of `then` came */
		char difference[APPRAISAL_MAX_LINE_BYTES];
		char separator_difference[APPRAISAL_MAX_LINE_BYTES];
	} pcr[REPLAY_QUOTED_PCRS];
	char layer_policy[RULES_MAX_POLICY_TEXT_BYTES]; /* data of the event that matched */
	char state_volume[MEASURE_UUID_BYTES]; /* of the event that matched */
	size_t n_state_tables;
	size_t n_files;
	size_t n_tables;
	uint8_t table[RULES_MAX_TABLES][HASH_SHA256_BYTES]; /* dm-verity tables that were accepted */
};

/** rules_init() - @r ready for the first event, by @rv, which must outlive it. -ENOMEM. Release with rules_free() in any case. */
int rules_init(struct rules *r, const struct refvalues *rv, struct err *e) WARN_UNUSED;

/** rules_step() - replay_fn: one measurement of the firmware or the OS log. Always 0: differences are kept. */
int rules_step(void *rules, const struct replay_event *ev, struct err *e) WARN_UNUSED;

/**
 * rules_ima() - replay the IMA log into PCR 10 of @replay and follow PCR 10's rule
 *
 * After the firmware log: the boot aggregate is computed from @replay's PCR 0-9. -EINVAL if the log is malformed. With
 * the rule `zero` the kernel extends nothing with its log (predict.h, tpm_is_late): nothing is replayed, no entry counts.
 */
int rules_ima(struct rules *r, struct replay *replay, struct bytes log, struct err *e) WARN_UNUSED;

/** rules_finish() - add each PCR's difference to @a's reasons; if @a has none then, what is proven to its facts. */
void rules_finish(const struct rules *r, struct appraisal *a);

/** rules_free() - release what rules_init() made. */
void rules_free(struct rules *r);

#endif
