/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/judge.h - one verdict about one host: appraisal, the fleet's policy set, and the TPM's clocks, in this order
 *
 * Theory of operation
 *   `verify` and the service come here and nowhere else, so that they cannot differ. Of the reference values that are
 *   loaded those are tried whose root hash the OS log names. That name is only a hint: the reference values then have to
 *   explain every PCR, PCR 15 with the root hash among them. A policy set is asked only about a host that was accepted.
 *   Clocks are compared whenever the quote is proven, whatever the verdict is otherwise.
 *
 *   A TPM counts its resets (TPM2_Startup(CLEAR)), its restarts within one of them, and milliseconds. None of the three
 *   runs back, but for one case: a power loss without TPM2_Shutdown takes the clock back to its last saved value, at
 *   most 2^22 ms, counts a reset, and clears `safe` until the clock is past what it may have shown. Everything else
 *   that runs back is another TPM state: a snapshot of a vTPM brought back, or a TPM that was cleared.
 *   What clocks cannot show: a snapshot brought back and then left alone until its clock has passed what we know. If it
 *   ran for much less time than we did with no reset between, that is said among the facts.
 *
 * Input: hostile (evidence). Spec: TPM 2.0 Library part 1, section 36 (clocks), part 2, 10.11 (TPMS_CLOCK_INFO).
 */
#ifndef ATTEST_JUDGE_H
#define ATTEST_JUDGE_H

#include "attest/appraise.h"
#include "attest/channel.h"
#include "attest/ek_revoked.h"
#include "attest/fleet.h"

#define JUDGE_MAX_REFVALUES 256
#define JUDGE_MAX_SAME_ROOT 8
#define JUDGE_LOSS_MS       (1ull << 22) /* what one power loss may take from the clock */
#define JUDGE_PAUSE_MS      60000        /* a clock that lags so much is worth a word */

/** struct judge_set - what is wanted; owned. @fleet may have no rules: then any accepted host is wanted. */
struct judge_set {
	size_t n;
	struct refvalues *rv;
	struct fleet fleet;
	struct ek_revoked revoked;
	struct allowed *allowed; /* NULL: no fast path */
};

/** judge_set_free() - release what it owns; accepts a zeroed one. */
void judge_set_free(struct judge_set *s);

/** struct judge_clock - a TPM's counters in an earlier, proven quote, and our own time then; @known false: none */
struct judge_clock {
	bool known;
	uint32_t reset_count;
	uint32_t restart_count;
	uint64_t clock_ms;
	int64_t seen_ms;
};

/**
 * struct judge_input - all borrowed; NULL as in struct appraise_input. @last: may be NULL
 * @shown: what the certificate of the channel with @channel_key shows; NULL: nothing is known of it, which refuses where the
 *         reference values name a channel policy
 */
struct judge_input {
	struct bytes evidence;
	const uint8_t *nonce;
	const uint8_t *channel_key;
	const struct enrolment *enrolment;
	const struct quote_ak *ak;
	struct channel_shown *shown;
	const struct judge_clock *last;
	int64_t now_ms;
};

/** struct judge_result - @rv: the reference values that fit, or that were tried; NULL: none. @clock_ok: may be kept. */
struct judge_result {
	struct appraisal appraisal;
	const struct refvalues *rv;
	bool clock_ok;
};

/** judge() - Return and verdict as appraise(). @ret is large. */
int judge(const struct judge_set *set, const struct judge_input *in, struct judge_result *ret, struct err *e) WARN_UNUSED;

/** judge_clock_step() - may @now follow @last? False with the reason in @a. */
bool judge_clock_step(const struct judge_clock *last, const struct quote *now, int64_t now_ms, struct appraisal *a);

#endif
