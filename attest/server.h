/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/server.h - connections of the verifier's service: TLS, deadlines, bounds
 *
 * Theory of operation
 *   Each worker is one thread with one epoll set: it accepts, shakes hands, reads requests, answers them by
 *   attest/service.h, and writes. Nothing blocks but the commit of the state, once for all verdicts of one turn of the
 *   loop; their answers leave after it.
 *
 *   A connection is in one state, and each state has a deadline that progress does not move: HANDSHAKE_MS for the
 *   handshake, REQUEST_MS from the first byte of a request to its last, WRITE_MS for an answer, IDLE_MS between
 *   requests. So one byte a second buys nobody more time. A head has at most HTTP_MAX_HEAD_BYTES, a body at most
 *   SERVICE_MAX_BODY_BYTES, and room for it grows with what came. With all connections in use the listener is not
 *   looked at: further clients wait in the kernel's queue, at most LISTEN_BACKLOG of them.
 *
 *   Memory: connections times (SERVICE_MAX_BODY_BYTES + HTTP_MAX_HEAD_BYTES + an answer + what OpenSSL keeps) at most.
 *   Buffers that grew past KEEP_BYTES are given back after each request.
 *
 * Input: hostile. Spec: docs/formats/verifier.md.
 */
#ifndef ATTEST_SERVER_H
#define ATTEST_SERVER_H

#include "attest/limit.h"
#include "attest/service.h"
#include "attest/tls.h"

#define SERVER_MAX_WORKERS 64

struct server;

/** struct server_params - all borrowed. @log: takes one line with its newline; called by several threads */
struct server_params {
	struct service *service;
	SSL_CTX *tls;
	struct limit *limit;
	int listener; /* non-blocking */
	unsigned workers;
	unsigned max_connections;
	void (*log)(const char *line, size_t n);
};

/** server_start() - start the workers. @p must live until server_stop(). */
int server_start(const struct server_params *p, struct server **ret, struct err *e) WARN_UNUSED;

/** server_stop() - let each worker end its turn, commit, close all; accepts NULL. */
void server_stop(struct server *s);

#endif
