/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/report.h - a host that goes to its verifier: enrol once, then show evidence and take the result
 *
 * Theory of operation
 *   One kept TLS connection. A ticket is asked for, or is left from the last result; evidence over it, bound to our TLS
 *   key, goes out; a signed result comes back. If the verifier does not know us, the keys go out, the challenge is opened
 *   by the TPM, and evidence goes out once more with what the challenge held. If it does not know its ticket any more
 *   (it was started again), another is asked for, once. Nothing here decides anything about trust.
 *
 * Input: hostile (answers; the peer is the verifier that the roots vouch for). Spec: docs/formats/verifier.md.
 */
#ifndef ATTEST_REPORT_H
#define ATTEST_REPORT_H

#include "attest/agent.h"
#include "attest/evidence.h"
#include "attest/http.h"
#include "attest/ticket.h"
#include "attest/tls.h"

#define REPORT_MAX_ANSWER_BYTES 65536

/** struct report - zero it, set the first four and fd to -1, then report_connect(); release with report_close() */
struct report {
	struct attest_agent *agent;
	SSL_CTX *tls;      /* tls_host_ctx() */
	const char *where; /* net_connect()'s */
	int timeout_ms;    /* for each answer */
	char host[256];
	int fd;
	SSL *ssl;
	struct buf in;
	size_t used; /* of @in, by the last answer */
	struct buf ticket;
	int64_t ticket_ms;
};

/** report_connect() - @name: what the verifier's certificate must name; NULL: the host of @r->where. */
int report_connect(struct report *r, const char *name, struct err *e) WARN_UNUSED;

/** struct report_question - a request; @body of a POST */
struct report_question {
	enum http_method method;
	const char *path;
	struct bytes body;
};

/**
 * report_ask() - one request and its answer
 * @ret_body: views @r's buffer until the next call
 */
int report_ask(struct report *r, const struct report_question *q, struct http_response *ret, struct bytes *ret_body,
	       struct err *e) WARN_UNUSED;

/** struct report_result - a verdict as the verifier told it; @ear is the JWT, owned */
struct report_result {
	bool accepted;
	bool enrolled; /* in this round */
	struct buf ear;
};

/** report_once() - one round as above. -EBADMSG: the verifier refused to judge (its sentence is in @e). */
int report_once(struct report *r, struct report_result *ret, struct err *e) WARN_UNUSED;

/** report_close() - the agent stays open. */
void report_close(struct report *r);
#define cleanup_report __attribute__((cleanup(report_close)))

#endif
