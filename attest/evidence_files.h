/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/evidence_files.h - evidence taken apart into files, for other programs and for people who look by hand
 *
 *     firmware.log  TCG event log: `holdfast-attest log`, tpm2_eventlog. Not there if the evidence holds none
 *     os.log        PID 1's records (CEL-TLV): `holdfast-attest log`, and by --cel-json systemd-pcrlock
 *     ima.log       the kernel's binary_runtime_measurements. Not there if the evidence holds none
 *     quote         TPMS_ATTEST; signature  TPMT_SIGNATURE: `holdfast-attest quote-check`, tpm2_checkquote
 *     extra-data    64 hex digits: what the quote's extraData must be by nonce, channel and logs. Computed, not copied
 *     pcrs          "sha256 INDEX HEX": PCR 0-15 as the logs replay. Not there if a log cannot be read
 *     ak.pub        TPM2B_PUBLIC; ak.pem  the same key: of the enrolment record, since evidence does not name its key
 *
 * Nothing is judged: each file is only as good as what the quote, checked with the AK against extra-data and pcrs, says.
 */
#ifndef ATTEST_EVIDENCE_FILES_H
#define ATTEST_EVIDENCE_FILES_H

#include "attest/enrolment.h"
#include "attest/evidence.h"

/* How the logs replay, beside the digest in the quote, which nobody verified yet. */
enum evidence_replay {
	EVIDENCE_REPLAY_UNSET = 0,
	EVIDENCE_REPLAY_SAME,
	EVIDENCE_REPLAY_SAME_WITHOUT_IMA, /* the kernel's IMA began before it had a TPM: PCR 10 is zero */
	EVIDENCE_REPLAY_OTHER,
	EVIDENCE_REPLAY_MALFORMED, /* no pcrs were written */
};

/** struct evidence_files_input - @evidence: the CBOR; @channel_key: of the TLS channel it came over, or NULL; @ak: or NULL */
struct evidence_files_input {
	struct bytes evidence;
	const uint8_t *nonce;
	const uint8_t *channel_key;
	const struct enrolment *ak;
};

/**
 * evidence_files_write() - make the folder @dir, which must not be there, and the files in it
 *
 * Return: 0; -EINVAL if the evidence is no evidence (nothing is made then) or the AK none; -EEXIST; -errno.
 */
int evidence_files_write(const struct evidence_files_input *in, const char *dir, enum evidence_replay *ret, struct err *e) WARN_UNUSED;

/** evidence_replay_str() - a sentence about it. */
const char *evidence_replay_str(enum evidence_replay r);

#endif
