/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/replay.h - PCR values out of event logs
 *
 * Theory of operation
 *   A replay starts with every PCR at its reset value and extends what the logs say, in the order in which it happened:
 * the firmware log, then the OS event log, then (PCR 10) the kernel's IMA log. Its result is compared with what the TPM
 *   signed; until then nothing in a log is more than a claim. Each log has PCRs of its own: the OS event log may not
 * name the firmware's (0-9) or IMA's (10), nor those beyond 15, which software can reset. Each measurement is shown to
 * a callback in passing, so that a rule can be followed without keeping the events.
 *
 *   PCR 0 starts at the startup locality of the firmware log. PCR 17-22 start at zero, as after a dynamic launch: only
 * then does a log name them.
 *
 * Input: hostile. Spec: TCG PFP 1.06, 2.3.4 (PCR usage), 10.4.5.3 (locality); TPM 2.0 Library part 1, 17.
 */
#ifndef ATTEST_REPLAY_H
#define ATTEST_REPLAY_H

#include "attest/evidence.h"
#include "common/hash.h"

#include <stdbool.h>

#define REPLAY_PCRS           24
#define REPLAY_QUOTED_PCRS    16
#define REPLAY_MAX_OS_RECORDS 8192

/* Which log an event stands in. */
enum replay_source {
	REPLAY_FIRMWARE,
	REPLAY_OS,
	REPLAY_IMA,
};

/**
 * struct replay_event - one measurement; views into its log
 * @index:  its number in its log
 * @type:   the firmware's event type, 0 else; authenticated by nothing
 * @digest: in the replayed bank
 * @data:   the event's data; for REPLAY_OS the digest is H(data)
 * @name:   the OS log's label, empty else; authenticated by nothing
 */
struct replay_event {
	enum replay_source source;
	size_t index;
	uint32_t pcr;
	uint32_t type;
	const uint8_t *digest;
	struct bytes data;
	struct bytes name;
};

/**
 * struct replay - one bank in the making
 * @pcr:   values, hash_bytes(@alg) of each row
 * @count: measurements seen for each
 * @startup_locality, @hcrtm, @odd_no_action, @n_events: of the firmware log, see tcg_log.h
 */
struct replay {
	enum hash_alg alg;
	uint8_t pcr[REPLAY_PCRS][HASH_MAX_BYTES];
	size_t count[REPLAY_PCRS];
	uint8_t startup_locality;
	bool hcrtm;
	size_t odd_no_action;
	size_t n_events;
};

/** replay_fn - sees one measurement before it is extended. Return: 0, or -errno with @e filled, which ends the walk. */
typedef int (*replay_fn)(void *ctx, const struct replay_event *ev, struct err *e);

/** replay_init() - every PCR at its reset value. -ENOTSUP for a bank that cannot be computed. */
int replay_init(enum hash_alg alg, struct replay *ret, struct err *e) WARN_UNUSED;

/**
 * replay_firmware() - extend a TCG log
 * @fn: may be NULL
 *
 * -EINVAL if the log is malformed, empty, or lacks the bank. @r is spoiled then.
 */
int replay_firmware(struct replay *r, struct bytes log, replay_fn fn, void *ctx, struct err *e) WARN_UNUSED;

/** replay_os() - extend a CEL log; empty is fine. -EINVAL as above, or for a record outside PCR 11 to 15. */
int replay_os(struct replay *r, struct bytes log, replay_fn fn, void *ctx, struct err *e) WARN_UNUSED;

struct tcg_log;

/** replay_set_locality() - where PCR 0 starts, as the log says so far; no effect after its first measurement. */
void replay_set_locality(struct replay *r, const struct tcg_log *log);

/** replay_extend() - extend one digest into one PCR below REPLAY_PCRS and count it. */
void replay_extend(struct replay *r, uint32_t pcr, const uint8_t *digest);

/** replay_pcr_digest() - SHA-256 over PCR 0 to 15 of a SHA-256 replay: what a quote of sha256:0-15 signs. */
void replay_pcr_digest(const struct replay *r, uint8_t ret[static HASH_SHA256_BYTES]);

/** replay_source_str() - "firmware log", "OS event log" or "IMA log". */
const char *replay_source_str(enum replay_source source);

#endif
