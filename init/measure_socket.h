/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/measure_socket.h - the gate tells PID 1 what it admits or refuses; PID 1 measures it
 *
 * Theory of operation
 *   One packet each way on a SOCK_SEQPACKET socket (docs/formats, "Measurement socket"). A client gets a second to ask;
 *   a few may wait at once, so that one who says nothing blocks nobody. A container is measured only if the layer
 *   policy that PID 1 measured at boot is the one the gate went by, and names it.
 *
 * Input: hostile: any root process of the host can connect. No heap.
 */
#ifndef INIT_MEASURE_SOCKET_H
#define INIT_MEASURE_SOCKET_H

#include "common/cleanup.h"
#include "common/err.h"
#include "common/hash.h"
#include "common/measure.h"
#include "init/measure_log.h"
#include "init/sys.h"
#include "policy/policy.h"

#define PID1_MAX_REQUEST_BYTES 160
#define PID1_MAX_CLIENTS       8
#define PID1_CLIENT_NS         1000000000ull

/** struct pid1_request - @violation: code from 10 to 99, or 0 for a container; @name: its entry, or the id of who violated, or "" */
struct pid1_request {
	unsigned violation;
	char name[MEASURE_MAX_NAME_BYTES + 1];
	uint8_t policy[HASH_SHA256_BYTES];
};

/** struct pid1_clients - connections that have not asked yet; fd -1 where there is none */
struct pid1_clients {
	struct pid1_client {
		int fd;
		uint64_t deadline_ns;
	} client[PID1_MAX_CLIENTS];
};

/** pid1_request_parse() - "container <name> <64 hex>" or "violation <two digits>", nothing else. 0 or -EINVAL. */
int pid1_request_parse(const char *packet, size_t len, struct pid1_request *ret, struct err *e) WARN_UNUSED;

/** pid1_request_serve() - check against @policy and measure. Return: 0, or -errno with the sentence for the client. */
int pid1_request_serve(const struct pid1_request *req, const struct policy *policy, struct pid1_measure_log *log,
		       struct err *e) WARN_UNUSED;

/** pid1_clients_init() - none yet. */
void pid1_clients_init(struct pid1_clients *c);

/** pid1_clients_poll() - put @listener and all clients into @ret (1 + PID1_MAX_CLIENTS entries). */
void pid1_clients_poll(const struct pid1_clients *c, int listener, struct pollfd *ret);

/** pid1_clients_deadline_ns() - when the first of them has had its time; UINT64_MAX if there is none. */
uint64_t pid1_clients_deadline_ns(const struct pid1_clients *c);

/**
 * pid1_clients_serve() - accept, read, measure, answer, close: whatever @ready (filled by poll) allows
 *
 * Only uid 0 is answered. Waits for the TPM, for nothing else.
 */
void pid1_clients_serve(struct pid1_clients *c, const struct pollfd *ready, uint64_t now_ns,
			const struct policy *policy, struct pid1_measure_log *log);

#endif
