/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/state.h - what a verifier must not forget: enrolled hosts, their TPMs' last clocks, their last results
 *
 * Theory of operation
 *   One SQLite file, write-ahead log, opened exclusively: a second verifier on the same file is refused, because each
 *   keeps the hosts in memory and would not see the other's clocks. Verdicts are written in transactions of many; one
 *   survives the death of the process as soon as it is committed, and a power cut of the verifier may lose the last few
 *   (synchronous = NORMAL). Enrolments are synced to the disk before they are answered.
 *   This file knows SQL and nothing else; attest/hosts.h knows what it means. One thread at a time.
 *
 * Input: our own file, but checked when it is read. Spec: docs/formats/verifier.md "State".
 */
#ifndef ATTEST_STATE_H
#define ATTEST_STATE_H

#include "attest/judge.h"

#define STATE_MAX_EAR_BYTES 8192

struct state;

/** struct state_row - one host; @ear: its last result, valid until @expires_s, empty if there is none */
struct state_row {
	struct enrolment enrolment;
	struct judge_clock clock;
	enum appraise_verdict verdict;
	int64_t expires_s;
	struct bytes ear;
};

/** state_fn - sees one row of state_open(). Return: 0 or -errno with @e, which ends it. */
typedef int (*state_fn)(void *ctx, const struct state_row *row, struct err *e);

/** state_open() - open or make the file (mode 0600), check its version, and show each host. */
int state_open(const char *path, state_fn fn, void *ctx, struct state **ret, struct err *e) WARN_UNUSED;

/** state_close() - close; what was not committed is lost. Accepts NULL. */
void state_close(struct state *s);

/** state_enrol() - write an enrolment durably. Commits what was open. A host enrolled before keeps its clocks. */
int state_enrol(struct state *s, const struct enrolment *rec, struct err *e) WARN_UNUSED;

/** state_judged() - write clock, verdict and result of an enrolled host into the open transaction, or into a new one. */
int state_judged(struct state *s, const struct state_row *row, struct err *e) WARN_UNUSED;

/** state_commit() - end the transaction, if one is open. After a failure all of it is lost. */
int state_commit(struct state *s, struct err *e) WARN_UNUSED;

#endif
