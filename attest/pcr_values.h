/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/pcr_values.h - PCR values from a file, in each form in which people have them
 *
 *   lines       "sha256 4 <hex>", blank lines and those that begin with '#' skipped
 *   pcrread     what tpm2_pcrread prints: "  sha256:" then "    4 : 0x<HEX>"
 *   serialized  what tpm2_quote -o and tpm2_pcrread -F serialized write (tpm2-tools 5): TPML_PCR_SELECTION as it lies
 *               in a little-endian memory, u32 count, then that many TPML_DIGEST of eight places each
 *
 *     serialized:  +-----------+----------------------------------+-----------+------------------------------------+
 *                  | count u32 | 16 x { hash u16, n u8, mask[4] } | lists u32 | lists x { count u32, 8 x           |
 *                  |           | each padded to 8 bytes           |           |   { size u16, digest[64] } }       |
 *                  +-----------+----------------------------------+-----------+------------------------------------+
 *
 * Input: the caller's own file, parsed like a hostile one. Spec: tpm2-tools 5.4, lib/pcr.c pcr_fwrite_serialized();
 *   read back from its bytes, tests/data/pcr-values.
 */
#ifndef ATTEST_PCR_VALUES_H
#define ATTEST_PCR_VALUES_H

#include "attest/replay.h"

#define PCR_VALUES_MAX            (5 * REPLAY_PCRS) /* every bank we know, every PCR */
#define PCR_VALUES_MAX_FILE_BYTES 65536

/** struct pcr_values - no PCR of a bank stands twice; in the order of the file */
struct pcr_values {
	size_t n;
	struct pcr_value {
		enum hash_alg alg;
		uint32_t pcr;
		uint8_t digest[HASH_MAX_BYTES];
	} v[PCR_VALUES_MAX];
};

/** pcr_values_parse() - any of the three forms; @name is for messages. -EINVAL with line or offset; none is -EINVAL. */
int pcr_values_parse(struct bytes b, const char *name, struct pcr_values *ret, struct err *e) WARN_UNUSED;

/** pcr_values_load() - pcr_values_parse() of a file. */
int pcr_values_load(const char *path, struct pcr_values *ret, struct err *e) WARN_UNUSED;

/** pcr_values_find() - the value of one PCR of a bank, or NULL. */
const struct pcr_value *pcr_values_find(const struct pcr_values *v, enum hash_alg alg, uint32_t pcr);

#endif
