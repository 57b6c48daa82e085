/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/clients.h - whoever asks PID 1 something on a socket: one packet each way, within a second
 *
 * Theory of operation
 *   A few may wait at once, so that one who says nothing blocks nobody; the others wait in the socket's queue. Only
 *   uid 0 is answered. If a connection cannot be taken (memory, descriptors), the socket is left alone for a second: it
 *   would stay readable, and PID 1 would do nothing else.
 *
 * Input: hostile: any root process of the host can connect. No heap.
 */
#ifndef INIT_CLIENTS_H
#define INIT_CLIENTS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define PID1_MAX_REQUEST_BYTES 160
#define PID1_MAX_ANSWER_BYTES  6144
#define PID1_MAX_CLIENTS       8
#define PID1_CLIENT_NS         1000000000ull
#define PID1_CLIENT_FDS        (1 + PID1_MAX_CLIENTS) /* what pid1_clients_poll() fills */

/** pid1_answer_fn - @packet of @len bytes (not terminated) into an answer of at most @room bytes. Return: its length. */
typedef size_t pid1_answer_fn(void *arg, const char *packet, size_t len, char *ret, size_t room);

/** struct pid1_clients - a listener and its connections that have not asked yet; fd -1 where there is none */
struct pid1_clients {
	int listener;
	pid1_answer_fn *answer;
	void *arg;
	uint64_t deaf_until_ns; /* 0: it listens */
	struct pid1_client {
		int fd;
		uint64_t deadline_ns;
	} client[PID1_MAX_CLIENTS];
};

/** pid1_clients_init() - none yet. */
void pid1_clients_init(struct pid1_clients *c, int listener, pid1_answer_fn *answer, void *arg);

/** pid1_clients_poll() - put the listener and all clients into @ret (PID1_CLIENT_FDS entries). */
void pid1_clients_poll(const struct pid1_clients *c, struct pollfd *ret);

/** pid1_clients_deadline_ns() - when there is something to do without news; UINT64_MAX if never. */
uint64_t pid1_clients_deadline_ns(const struct pid1_clients *c);

/** pid1_clients_serve() - accept, read, answer, close: whatever @ready (filled by poll) allows. */
void pid1_clients_serve(struct pid1_clients *c, const struct pollfd *ready, uint64_t now_ns);

#endif
