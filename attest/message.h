/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/message.h - the agent's and the service's protocols: what one message says
 *
 * The verifier asks, the agent answers; each message is one CBOR map whose first member is the text "op". Which
 * members follow, in which order and of which sizes, is one table in message.c. The agent's are framed by attest/stream.h,
 * the service's are bodies of HTTP.
 *
 * Input: hostile, on both sides. Spec: docs/formats/evidence.md, docs/formats/verifier.md.
 */
#ifndef ATTEST_MESSAGE_H
#define ATTEST_MESSAGE_H

#include "attest/evidence.h"

#define MESSAGE_MAX_FIELDS     5
#define MESSAGE_MAX_EAR_BYTES  8192
#define MESSAGE_MAX_TEXT_BYTES 255

enum message_kind {
	MESSAGE_UNSET = 0,
	/* requests */
	MESSAGE_IDENTIFY,
	MESSAGE_ACTIVATE,     /* blob, secret */
	MESSAGE_ASK_EVIDENCE, /* nonce */
	/* answers */
	MESSAGE_IDENTITY,  /* ek_public, ek_certificate, ak_public */
	MESSAGE_ACTIVATED, /* credential */
	MESSAGE_EVIDENCE,  /* evidence */
	MESSAGE_ERROR,     /* message: text */
	/* to the verifier's service */
	MESSAGE_ENROL,  /* ek_public, ek_certificate, ak_public */
	MESSAGE_ATTEST, /* ticket, identity, evidence; token and credential, or empty both */
	/* from it */
	MESSAGE_TICKET,    /* ticket */
	MESSAGE_CHALLENGE, /* blob, secret, token, ticket */
	MESSAGE_RESULT,    /* verdict: text for the host itself, ear, ticket: for the next time */
	MESSAGE_KINDS_
};

enum message_side { MESSAGE_REQUEST, MESSAGE_ANSWER, MESSAGE_SERVICE_REQUEST, MESSAGE_SERVICE_ANSWER };

/** struct message - @field in the order named above; views into the parsed (or to be encoded) buffers */
struct message {
	enum message_kind kind;
	struct bytes field[MESSAGE_MAX_FIELDS];
};

/** message_encode() - append @m. -EINVAL if a field's size is out of bounds; text must be printable ASCII. */
int message_encode(const struct message *m, struct buf *out, struct err *e) WARN_UNUSED;

/** message_error() - append an error answer; @text is cut at its bound and cleaned of what is not printable ASCII. */
int message_error(const char *text, struct buf *out, struct err *e) WARN_UNUSED;

/** message_parse() - strict parse of one message of that side; @ret views @data. -EINVAL. */
int message_parse(enum message_side side, const void *data, size_t len, struct message *ret, struct err *e) WARN_UNUSED;

/** message_kind_str() - the "op" of a kind; "unset" else. */
const char *message_kind_str(enum message_kind kind);

#endif
