/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/service.h - the verifier's service: what each request is answered with
 *
 * Theory of operation
 *     GET  /v1/ticket             a ticket to be fresh for
 *     POST /v1/enrol              keys in, a challenge out (a credential that only that TPM with that AK can open)
 *     POST /v1/attest             evidence over a ticket in, a signed result out, and the next ticket
 *     GET  /v1/result/IDENTITY    the host's result in force, for whoever relies on it; 404 is "not trusted"
 *     GET  /v1/keys               the key that results are signed with (JWK set)
 *     GET  /metrics, /healthz
 *
 *   Enrolling is one exchange: the challenge comes back with the first attestation, where its credential is shown; only
 *   then is the host written down. The service keeps nothing between the two: what it needs is sealed into the token.
 *
 *   Evidence is always bound to the channel: its nonce is the ticket's and its key that of the connection it came over.
 *   Only a proven quote changes what is known about a host; a stranger's junk under its name is answered and forgotten.
 *   A verdict counts once the state has it: the caller commits (attest/hosts.h) before it sends the answer.
 *
 *   Nothing here knows sockets. All functions may be called by several threads.
 *
 * Input: hostile (requests). Spec: docs/formats/verifier.md.
 */
#ifndef ATTEST_SERVICE_H
#define ATTEST_SERVICE_H

#include "attest/ear.h"
#include "attest/hosts.h"
#include "attest/http.h"
#include "attest/ticket.h"

#define SERVICE_MAX_BODY_BYTES (80u * 1024)
#define SERVICE_TICKET_MS      60000

struct service;

/** struct service_params - zero it, then set; strings must live as long as the service */
struct service_params {
	const char *state_path;
	size_t max_hosts;
	const char *ek_roots;
	const char *provider_roots;
	const uint8_t (*ek_pinned)[HASH_SHA256_BYTES];
	size_t n_ek_pinned;
	struct ear_key ear_key; /* taken */
	struct judge_set set;   /* taken */
};

/* What /metrics counts beside the hosts. */
enum service_count {
	SERVICE_ACCEPTED,
	SERVICE_REFUSED,
	SERVICE_FAST,
	SERVICE_TICKETS,
	SERVICE_ENROLLED,
	SERVICE_ENROL_REFUSED,
	SERVICE_BAD_REQUESTS,
	SERVICE_LIMITED,
	SERVICE_CONNECTIONS,
	SERVICE_CONNECTIONS_REFUSED,
	SERVICE_TIMEOUTS,
	SERVICE_HANDSHAKES_FAILED,
	SERVICE_RELOADS,
	SERVICE_RELOADS_FAILED,
	SERVICE_COUNTS_
};

/** struct service_request - @shown: the client's certificate, NULL if it showed none; @mono_ms never runs back */
struct service_request {
	struct http_request http;
	struct bytes body;
	struct channel_shown *shown;
	int64_t mono_ms;
	int64_t wall_ms;
	struct judge_result *scratch; /* one a thread: it is large */
};

/**
 * struct service_answer - @body and @log are owned by the caller, emptied by the service
 * @commit: the state must be committed before this is sent
 * @log:    one line of JSON members for the log, empty if there is nothing to say
 */
struct service_answer {
	unsigned status;
	const char *type;
	bool commit;
	struct buf body;
	struct buf log;
};

/** service_new() - open the state and begin. @p's owned members are taken in any case. */
int service_new(struct service_params *p, struct service **ret, struct err *e) WARN_UNUSED;

/** service_free() - commit and close; accepts NULL. */
int service_free(struct service *s, struct err *e);

/** service_reload() - judge by @set (taken) from now on; requests that have begun go on with the old one. */
void service_reload(struct service *s, struct judge_set *set);

/** service_answer() - always fills an answer. */
void service_answer(struct service *s, const struct service_request *r, struct service_answer *ret);

/** service_hosts() - for hosts_batch() and hosts_commit(). service_count() - count one. */
struct hosts *service_hosts(struct service *s);
void service_count(struct service *s, enum service_count what);

#endif
