/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/measure_socket.h - the gate tells PID 1 what it admits or refuses; PID 1 measures it
 *
 * Theory of operation
 *   One packet each way on a SOCK_SEQPACKET socket (docs/formats, "Measurement socket"; init/clients.h). A container is measured only if the layer
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
#include "init/bpf_lsm.h"
#include "init/clients.h"
#include "init/measure_log.h"
#include "init/status.h"
#include "policy/policy.h"

/** struct pid1_request - @violation: code from 10 to 99, or 0 for a container; @name: its entry, or the id of who violated, or "" */
struct pid1_request {
	unsigned violation;
	char name[MEASURE_MAX_NAME_BYTES + 1];
	uint8_t policy[HASH_SHA256_BYTES];
};

/** struct pid1_measure_server - what requests are held to, and where they are counted */
struct pid1_measure_server {
	const struct policy *policy;
	const struct pid1_jit *jit;
	struct pid1_measure_log *log;
	struct pid1_live *live;
};

/** pid1_request_parse() - "container <name> <64 hex>" or "violation <two digits>", nothing else. 0 or -EINVAL. */
int pid1_request_parse(const char *packet, size_t len, struct pid1_request *ret, struct err *e) WARN_UNUSED;

/** pid1_request_serve() - check against @policy and measure. Return: 0, or -errno with the sentence for the client. */
int pid1_request_serve(const struct pid1_request *req, const struct policy *policy, struct pid1_measure_log *log,
		       struct err *e) WARN_UNUSED;

/**
 * pid1_measure_answer() - a pid1_answer_fn: check, measure, say so in the log
 * @arg: a struct pid1_measure_server
 *
 * Waits for the TPM, for nothing else.
 */
size_t pid1_measure_answer(void *arg, const char *packet, size_t len, char *ret, size_t room);

#endif
