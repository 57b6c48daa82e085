/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/evidence.h - what a host sends so that a verifier can judge it: a quote and the logs that explain it
 *
 * Theory of operation
 *   Evidence is one CBOR map of at most 64 KiB. It holds no PCR values: those come out of the logs, by replay, and are
 *   compared with the digest the TPM signed. The quote's extraData is evidence_binding() of the verifier's nonce and
 *   the three logs, so that none can be exchanged. Which key may sign is known to the verifier from enrolment, never
 *   from the evidence.
 *
 *   The map (CBOR, RFC 8949 section 4.2.1 deterministic; keys are text, in this order, all required, no others):
 *     "v": 1, "attest": bstr TPMS_ATTEST, "signature": bstr TPMT_SIGNATURE, "firmware-log": bstr (TCG; may be
 *     empty where there is no firmware that keeps one, attest/rules.h),
 *     "os-log": bstr (CEL-TLV, common/cel.h), "ima-log": bstr (binary_runtime_measurements; may be empty)
 *
 * Input of the parser: hostile. Spec: RFC 9334, RFC 8949; TPM 2.0 Library part 2 sections 10.12, 11.3.
 */
#ifndef ATTEST_EVIDENCE_H
#define ATTEST_EVIDENCE_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"

#define EVIDENCE_MAX_BYTES 65536
#define EVIDENCE_NONCE_BYTES 32

/** struct bytes - a view into somebody else's buffer */
struct bytes {
	const uint8_t *p;
	size_t n;
};

/** struct evidence - views into the parsed (or to be encoded) buffers */
struct evidence {
	struct bytes attest;
	struct bytes signature;
	struct bytes firmware_log;
	struct bytes os_log;
	struct bytes ima_log;
};

/** evidence_encode() - append the CBOR map. -E2BIG over EVIDENCE_MAX_BYTES. */
int evidence_encode(const struct evidence *ev, struct buf *out, struct err *e) WARN_UNUSED;

/** evidence_parse() - strict parse of exactly the map above; @ret views @data. -EINVAL with offset and rule. */
int evidence_parse(const void *data, size_t len, struct evidence *ret, struct err *e) WARN_UNUSED;

/**
 * evidence_binding() - the 32 bytes that the quote's extraData must be
 *
 * SHA-256 over "holdfast-evidence/1" with its NUL, then the nonce, then SHA-256 of the firmware log, of the OS log and
 * of the IMA log, in this order: every part has a fixed length.
 */
void evidence_binding(const uint8_t nonce[static EVIDENCE_NONCE_BYTES], const struct evidence *ev,
		      uint8_t ret[static HASH_SHA256_BYTES]);

/**
 * evidence_channel_binding() - the same for evidence that is given over a TLS channel
 * @key: SHA-256 of the SubjectPublicKeyInfo of the host's TLS key, as the channel itself shows it
 *
 * SHA-256 over "holdfast-evidence/2" with its NUL, the nonce, @key, then the three logs as above. The label differs, so
 * nothing that was asked for over a plain channel can pass for this.
 */
void evidence_channel_binding(const uint8_t nonce[static EVIDENCE_NONCE_BYTES],
			      const uint8_t key[static HASH_SHA256_BYTES], const struct evidence *ev,
			      uint8_t ret[static HASH_SHA256_BYTES]);

#endif
