/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/log_check.h - what must be true of every firmware log, whatever machine wrote it
 *
 * Theory of operation
 *   A log that replays to the right PCRs can still tell a false story, since types and data of its events are signed by
 * nobody. Without reference values these rules are what can be said of any log (with them, attest/rules.h says more):
 *
 *     separators  PCR 0-7 hold exactly one, 00000000 in digest, type and data; nothing else looks like one
 *     data        where the type says that the digest is H(data), it is (which types those are: log_check.c)
 *     no action   EV_NO_ACTION carries no digest
 *     closed      after "Exit Boot Services Returned with Success" nothing more is measured into PCR 0-7
 *     PCRs        a value that was read or quoted is what the log replays to; a PCR without events is at its reset
 *                 value, and is none of PCR 0-7, which firmware always caps
 *
 *   A breach is `bad`. What is odd but happens on sound machines is a `note`.
 *
 * Input: hostile. Spec: TCG PC Client Platform Firmware Profile 1.06, sections 3.3, 10.4.1, 10.4.5.
 */
#ifndef ATTEST_LOG_CHECK_H
#define ATTEST_LOG_CHECK_H

#include "attest/appraise.h"
#include "attest/event_log.h"
#include "attest/pcr_values.h"

enum { LOG_CHECK_FIRMWARE_PCRS = 8, LOG_CHECK_KNOWN = 8 };

/** struct log_check - zero it, then log_check_event() for each event, log_check_end(); large */
struct log_check {
	struct {
		size_t events;
		size_t separators;
	} pcr[REPLAY_PCRS];
	bool booted; /* ExitBootServices returned */
	bool ready;
	uint8_t known[LOG_CHECK_KNOWN][TCG_LOG_MAX_BANKS][HASH_MAX_BYTES]; /* digests of what has a rule of its own */
	struct appraisal_lines bad, notes;
};

/** log_check_event() - look at one event that event_log_next() gave. Nothing is asked of CEL but its own rules. */
void log_check_event(struct log_check *c, const struct event_log *log, const struct event_log_event *ev);

/** log_check_end() - after the last event: what is missing. */
void log_check_end(struct log_check *c, const struct event_log *log);

/** log_check_pcrs() - hold values of a TPM against the replay; @only: this bank alone, or HASH_NONE. */
void log_check_pcrs(struct log_check *c, const struct event_log *log, const struct pcr_values *v, enum hash_alg only);

#endif
