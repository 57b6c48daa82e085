/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/tcg_log.h - firmware event logs: SHA-1 format and crypto-agile format
 *
 * Theory of operation
 *   A log is walked once, from front to back, with views into the caller's buffer: no heap, linear time. What is
 * checked here is only what makes it a log: bounds, the header, that each event carries each bank of the header exactly
 * once, that PCR numbers are PCR numbers, and the two events that change where PCR 0 starts. Types and data of events
 * are signed by nobody (only digests are): this file gives them away as labels, and judges nothing by them.
 *
 *   SHA-1 format, everything little-endian:      crypto-agile: a first event in SHA-1 format whose data is
 *   +-----+------+------------+-----+------+     "Spec ID Event03" with the banks and their sizes, then
 *   | pcr | type | digest[20]| len | data |     +-----+------+-------+----------------+-----+------+
 *   | u32 | u32  |            | u32 | len  |     | pcr | type | count | alg u16 digest | len | data |
 *   +-----+------+------------+-----+------+     +-----+------+-------+----------------+-----+------+
 *
 *   EV_NO_ACTION events are no measurements. One of them, StartupLocality, says that PCR 0 started at 3 or 4 instead of
 * 0; an H-CRTM event says 4. Both stand before the first other measurement of PCR 0, once; the claim takes effect only
 *   through replay, which the quote confirms or not. The kernel's copy of a log has no padding: trailing bytes are
 * refused.
 *
 * Input: hostile until replayed against a quote. Spec: TCG PC Client Platform Firmware Profile 1.06, sections 10.2.1
 *   (agile), 10.4.5 (EV_NO_ACTION); TCG EFI Platform 1.22, section 5.1 (SHA-1).
 */
#ifndef ATTEST_TCG_LOG_H
#define ATTEST_TCG_LOG_H

#include "attest/evidence.h"
#include "common/reader.h"

#include <stdbool.h>

#define TCG_LOG_MAX_BYTES  (4 << 20)
#define TCG_LOG_MAX_BANKS  8
#define TCG_LOG_MAX_EVENTS 4096 /* real ones have 25 to 200 */
#define TCG_LOG_MAX_PCR    23

/* Event types that mean something to a replay or have a rule of their own. */
#define TCG_EV_NO_ACTION                     0x00000003u
#define TCG_EV_SEPARATOR                     0x00000004u
#define TCG_EV_ACTION                        0x00000005u
#define TCG_EV_EVENT_TAG                     0x00000006u
#define TCG_EV_S_CRTM_CONTENTS               0x00000007u
#define TCG_EV_IPL                           0x0000000du
#define TCG_EV_EFI_VARIABLE_DRIVER_CONFIG    0x80000001u
#define TCG_EV_EFI_VARIABLE_BOOT             0x80000002u
#define TCG_EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003u
#define TCG_EV_EFI_BOOT_SERVICES_DRIVER      0x80000004u
#define TCG_EV_EFI_RUNTIME_SERVICES_DRIVER   0x80000005u
#define TCG_EV_EFI_GPT_EVENT                 0x80000006u
#define TCG_EV_EFI_ACTION                    0x80000007u
#define TCG_EV_EFI_PLATFORM_FIRMWARE_BLOB    0x80000008u
#define TCG_EV_EFI_HANDOFF_TABLES            0x80000009u
#define TCG_EV_EFI_PLATFORM_FIRMWARE_BLOB2   0x8000000au
#define TCG_EV_EFI_HANDOFF_TABLES2           0x8000000bu
#define TCG_EV_EFI_VARIABLE_BOOT2            0x8000000cu
#define TCG_EV_EFI_GPT_EVENT2                0x8000000du
#define TCG_EV_EFI_HCRTM_EVENT               0x80000010u
#define TCG_EV_EFI_VARIABLE_AUTHORITY        0x800000e0u

/**
 * struct tcg_event - one event; views into the log
 * @index:    from 0; the header is event 0
 * @pcr:      0 to TCG_LOG_MAX_PCR, or anything where @no_action
 * @digest:   one a bank, in the order of struct tcg_log's banks
 * @no_action: not a measurement: must not be extended
 */
struct tcg_event {
	size_t index;
	uint32_t pcr;
	uint32_t type;
	const uint8_t *digest[TCG_LOG_MAX_BANKS];
	struct bytes data;
	bool no_action;
};

/**
 * struct tcg_log - a walk through a log
 * @agile:             crypto-agile format
 * @bank:              algorithm and digest size of each bank
 * @startup_locality:  where PCR 0 starts: 0, 3 or 4; final once tcg_log_next() gave 0
 * @hcrtm:             an H-CRTM event was seen
 * @odd_no_action:     number of EV_NO_ACTION events whose digest is not zero
 */
struct tcg_log {
	struct reader r;
	bool agile;
	size_t n_banks;
	struct tcg_bank {
		uint16_t alg;
		uint16_t bytes;
	} bank[TCG_LOG_MAX_BANKS];
	size_t n_events;
	uint8_t startup_locality;
	bool locality_seen;
	bool pcr0_measured;
	bool hcrtm;
	size_t odd_no_action;
};

/** tcg_log_open() - begin a walk: parse the header. -EINVAL for an empty log or one that is neither format. */
int tcg_log_open(const void *data, size_t len, struct tcg_log *ret, struct err *e) WARN_UNUSED;

/** tcg_log_next() - the next event. Return: 1, 0 at a clean end, or -EINVAL with offset and rule. */
int tcg_log_next(struct tcg_log *log, struct tcg_event *ret, struct err *e) WARN_UNUSED;

/** tcg_log_bank() - position of @alg among the banks, or -1. */
int tcg_log_bank(const struct tcg_log *log, enum hash_alg alg);

/** tcg_event_type_str() - "EV_SEPARATOR" and so on; NULL for a type we have no name for. */
const char *tcg_event_type_str(uint32_t type);

#endif
