/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/cel.h - the OS event log: TCG Canonical Event Log records, TLV encoding
 *
 * One record, everything big-endian (CEL-TLV):
 *
 *   +----+--------+--------+  type, length, value; nested where marked
 *   | 0  | len 8  | recnum |  0, 1, 2, ... without a gap
 *   | 1  | len 4  | pcr    |
 *   | 3  | len    | digests: one TLV a bank, type = TPM_ALG_ID (fits a byte), value = digest
 *   | 240| len    | content: TLV 0 = event name (text), TLV 1 = data
 *   +----+--------+--------+
 *
 * Type is one byte, length four. Content type 240 is ours: the digest of each bank is H(data), so a
 * verifier that knows nothing of us can replay the log and check data against digest. The name is a
 * label for people and is believed by nobody. Encoding uses no heap (PID 1 writes records until the
 * machine is off).
 *
 * Input of the parser: hostile. Spec: TCG Canonical Event Log Format 1.0 revision 0.41, section 5.1.
 */
#ifndef COMMON_CEL_H
#define COMMON_CEL_H

#include "common/err.h"
#include "common/hash.h"
#include "common/reader.h"

#define CEL_PATH "/run/holdfast/eventlog.cel"
#define CEL_MAX_NAME_BYTES 64
#define CEL_MAX_DATA_BYTES 512
#define CEL_MAX_BANKS 5
#define CEL_MAX_RECORD_BYTES 1024
#define CEL_MAX_PCR 23

/** struct cel_record - one record; @name and @data point into the parsed buffer or the caller's memory */
struct cel_record {
	uint64_t recnum;
	uint32_t pcr;
	size_t n_digests;
	struct cel_digest {
		enum hash_alg alg;
		uint8_t digest[HASH_MAX_BYTES];
	} digest[CEL_MAX_BANKS];
	const char *name;
	size_t name_bytes;
	const uint8_t *data;
	size_t data_bytes;
};

/**
 * cel_encode() - write one record's bytes
 * @ret: CEL_MAX_RECORD_BYTES
 *
 * Return: bytes written, or 0 if a field is over its bound.
 */
size_t cel_encode(const struct cel_record *rec, uint8_t ret[static CEL_MAX_RECORD_BYTES]);

/**
 * cel_next() - parse the record at @r
 * @expect: the recnum it must have
 * @ret:    views into @r's buffer
 *
 * Checks structure, bounds, order of fields, that no bank stands twice and, for banks we can compute, that
 * the digest is H(data). Return: 1 for a record, 0 at a clean end, -EINVAL with offset and rule.
 */
int cel_next(struct reader *r, uint64_t expect, struct cel_record *ret, struct err *e) __attribute__((warn_unused_result));

#endif
