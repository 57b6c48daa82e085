/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/cel_json.h - our OS event log as CEL-JSON, for systemd's tools
 *
 * Theory of operation
 *   The framing is that of systemd 257's tpm2-measure.log (RFC 7464): RS, one JSON object, LF, for each record:
 *
 *     {"pcr":13,"recnum":0,"digests":[{"hashAlg":"sha256","digest":HEX}],"content_type":"holdfast","content":{"name":TEXT,"data":HEX}}
 *
 *   The content type is "holdfast", as it is 240 in TLV: these are our events, none that systemd measured, and "systemd"
 * would say so. systemd-pcrlock takes PCR and digests of any content type, replays them and matches them with its
 * components; content that is not systemd's it neither shows nor checks. @recnum, which CEL 4.2 wants and systemd leaves
 * out (and does not read), shows a record that is missing. Data is hex: it is bytes, and its hash is the digest.
 *
 *   attest/event_log.h reads the result back: the same PCRs, digests and data; and names, but that bytes other than
 * printable ASCII are '?' (a name is a label for people).
 *
 * Input: hostile. Spec: TCG Canonical Event Log Format 1.0 rev 0.41, section 4.2; systemd 257, src/shared/tpm2-util.c,
 *   src/pcrlock/pcrlock.c.
 */
#ifndef ATTEST_CEL_JSON_H
#define ATTEST_CEL_JSON_H

#include "attest/evidence.h"
#include "common/buf.h"

/**
 * cel_json_export() - append @log, records as common/cel.h has them, as CEL-JSON to @out
 *
 * Return: 0; -EINVAL with place and rule if @log is no such log, or would not be read back
 * (EVENT_LOG_MAX_JSON_BYTES); -ENOMEM. @out is not touched but on success. Linear in @log.
 */
int cel_json_export(struct bytes log, struct buf *out, struct err *e) WARN_UNUSED;

#endif
