/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/event_log.h - one walk over an event log of any format, with its replay
 *
 * Theory of operation
 *   Four formats: TCG SHA-1 and crypto-agile (attest/tcg_log.h), CEL as TLV, and CEL as JSON. The format is seen from
 * the first bytes; nothing of it is negotiable later. A walk gives each event once, in one shape, and extends all banks
 * that can be computed in passing. Every event must carry the banks of the first one (CEL) or of the header (agile).
 *
 *   CEL-TLV here is the whole format: integers of any length up to their type's, any content type, opaque to us but
 *   for ours (common/cel.h), whose digests must be those of its data. PID 1's own log is judged by the stricter
 *   cel_next(). CEL-JSON is what systemd writes to /run/log/systemd/tpm2-measure.log: a sequence of RS, one JSON
 * object, LF (RFC 7464); or one array of such objects. A record of an NV index ("nv_index" in place of "pcr") extends
 * no PCR. Content type "holdfast" is our TLV content as attest/cel_json.h exports it, and held to the same rule.
 *
 * Input: hostile until replayed against a quote. Memory: one JSON record at a time, but for an array. Spec: TCG
 *   Canonical Event Log Format 1.0 rev 0.41, sections 4.2, 5.1, 5.2; systemd 257, src/shared/tpm2-util.c.
 */
#ifndef ATTEST_EVENT_LOG_H
#define ATTEST_EVENT_LOG_H

#include "attest/replay.h"
#include "attest/tcg_log.h"
#include "common/cel.h"
#include "common/json.h"

#define EVENT_LOG_MAX_BYTES      TCG_LOG_MAX_BYTES
#define EVENT_LOG_MAX_JSON_BYTES (128 << 10)
#define EVENT_LOG_MAX_RECORDS    8192
#define EVENT_LOG_MAX_LABEL      96
#define EVENT_LOG_CEL_HOLDFAST   "holdfast" /* content type of our events in CEL-JSON; 240 in TLV */
#define EVENT_LOG_RS             0x1e /* RFC 7464: before each record of CEL-JSON */

enum event_log_format {
	EVENT_LOG_UNSET = 0,
	EVENT_LOG_SHA1,
	EVENT_LOG_AGILE,
	EVENT_LOG_CEL_TLV,
	EVENT_LOG_CEL_JSON,
};

/**
 * struct event_log_event - one event; views into the log or the walk, good until the next one
 * @type:       TCG event type; 0 for CEL
 * @label:      the type's name, or the content type of CEL, printable
 * @digest:     one a bank, in the order of the log's banks
 * @data:       the event's data; for CEL the content's bytes (ours: the hashed text)
 * @content:    CEL-JSON: the content, borrowed; NULL for ours, which is in @label and @data, and in other formats
 * @no_action:  extends nothing
 * @header:     the first event of a crypto-agile log
 */
struct event_log_event {
	size_t index;
	uint32_t pcr;
	uint32_t type;
	char label[EVENT_LOG_MAX_LABEL];
	const uint8_t *digest[TCG_LOG_MAX_BANKS];
	struct bytes data;
	json_object *content;
	bool no_action;
	bool header;
};

/**
 * struct event_log - a walk
 * @bank:    algorithm and size of each
 * @replay:  values so far, of the banks whose @can_replay is set
 * @no_replay: set it after event_log_open() for a walk that only looks
 * @tcg:     the walk below, for the two TCG formats; its startup_locality is final at the end
 */
struct event_log {
	enum event_log_format format;
	size_t n_events;
	size_t n_banks;
	struct tcg_bank bank[TCG_LOG_MAX_BANKS];
	bool can_replay[TCG_LOG_MAX_BANKS];
	struct replay replay[TCG_LOG_MAX_BANKS];
	bool no_replay;
	struct tcg_log tcg;
	struct reader r;
	json_object *array; /* owned: CEL-JSON as an array */
	json_object *record; /* owned: the record at hand */
	uint8_t digest[TCG_LOG_MAX_BANKS][HASH_MAX_BYTES]; /* of the record at hand, CEL-JSON */
	uint8_t data[CEL_MAX_DATA_BYTES]; /* the same: what our content holds */
};

/** event_log_open() - begin a walk. -EINVAL for what is no log of a known format. Large: not for a deep stack. */
int event_log_open(struct bytes log, struct event_log *ret, struct err *e) WARN_UNUSED;

/** event_log_next() - the next event, extended already. Return: 1, 0 at a clean end, -EINVAL with place and rule. */
int event_log_next(struct event_log *log, struct event_log_event *ret, struct err *e) WARN_UNUSED;

/** event_log_bank() - position of @alg among the banks, or -1. */
int event_log_bank(const struct event_log *log, enum hash_alg alg);

/** event_log_strongest() - position of the strongest bank that can be replayed, or -1. */
int event_log_strongest(const struct event_log *log);

/** event_log_format_str() - "sha1", "agile", "cel-tlv", "cel-json". */
const char *event_log_format_str(enum event_log_format format);

/** event_log_close() - release what a walk owns; accepts a zeroed one. */
void event_log_close(struct event_log *log);

#endif
