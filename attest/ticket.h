/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/ticket.h - freshness without state: what the verifier gave out comes back sealed
 *
 * Theory of operation
 *   A ticket is a small message of the verifier to itself, sealed with a key that only it has. Whoever holds one cannot
 *   read, change or make one; the verifier keeps nothing. The time of issue is inside, so a ticket is good for a while
 *   and for one purpose:
 *     TICKET_CHALLENGE  what evidence must be fresh for: its nonce is SHA-256 over "holdfast-ticket/1" with its NUL and
 *                       the ticket's bytes. No content.
 *     TICKET_ENROLMENT  an enrolment whose credential is not yet shown: the keys, and the secret that was asked for.
 *
 *     0       4      5         17                      end-16       end
 *     +-------+------+---------+------------------------+------------+
 *     | key id| kind | IV      | AES-256-GCM( issued ms,| tag        |   associated data: the first five bytes
 *     +-------+------+---------+    content )           +------------+
 *
 *   Keys are random and live in memory. A new one is made every lifetime; the one before it still opens, so a ticket is
 *   never cut short by a rotation. A restart makes all tickets worthless: whoever has one asks for another. A key seals
 *   at most the tickets of one lifetime, far from the 2^32 where random IVs of 96 bits would become unsafe.
 *   Within its lifetime a ticket may be shown more than once: the same evidence then says the same again.
 *
 * Input: hostile. May be used by several threads. Spec: NIST SP 800-38D; docs/formats/verifier.md.
 */
#ifndef ATTEST_TICKET_H
#define ATTEST_TICKET_H

#include "attest/evidence.h"
#include "common/buf.h"
#include "common/err.h"

#define TICKET_MAX_CONTENT_BYTES 4096
#define TICKET_OVERHEAD_BYTES    41
#define TICKET_MAX_BYTES         (TICKET_MAX_CONTENT_BYTES + TICKET_OVERHEAD_BYTES)

enum ticket_kind {
	TICKET_UNSET = 0,
	TICKET_CHALLENGE,
	TICKET_ENROLMENT,
};

struct ticket_box;

/** ticket_box_new() - fresh keys; tickets live for @lifetime_ms. NULL without memory or random numbers. */
struct ticket_box *ticket_box_new(int64_t lifetime_ms);

/** ticket_box_free() - wipe the keys; accepts NULL. */
void ticket_box_free(struct ticket_box *b);

/** ticket_seal() - append a ticket of @kind with @content, issued at @now_ms (of a clock that does not run back). */
int ticket_seal(struct ticket_box *b, enum ticket_kind kind, int64_t now_ms, struct bytes content, struct buf *ret,
		struct err *e) WARN_UNUSED;

/**
 * ticket_open() - is @ticket ours, of @kind, and not too old at @now_ms?
 * @ret_content: appended: what was sealed; wiped by the caller if it is secret. May be NULL if the kind has none.
 *
 * Return: 0; -EBADMSG with one of two sentences: not ours (which is also what a restart looks like), or expired.
 */
int ticket_open(struct ticket_box *b, enum ticket_kind kind, int64_t now_ms, struct bytes ticket,
		struct buf *ret_content, struct err *e) WARN_UNUSED;

/** ticket_nonce() - the nonce that evidence for this ticket is asked with. */
void ticket_nonce(struct bytes ticket, uint8_t ret[static EVIDENCE_NONCE_BYTES]);

#endif
