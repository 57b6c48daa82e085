/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/clients.c - whoever asks PID 1 something on a socket: one packet each way, within a second */
#include "init/clients.h"

#include "init/sys.h"

#include <errno.h>
#include <stdbool.h>

void pid1_clients_init(struct pid1_clients *c, int listener, pid1_answer_fn *answer, void *arg)
{
	c->listener = listener;
	c->answer = answer;
	c->arg = arg;
	c->deaf_until_ns = 0;
	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++)
		c->client[i].fd = -1;
}

void pid1_clients_poll(const struct pid1_clients *c, struct pollfd *ret)
{
	bool room = false;

	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++) {
		ret[1 + i] = (struct pollfd){ .fd = c->client[i].fd, .events = POLLIN };
		room |= c->client[i].fd < 0;
	}
	/* ppoll() skips negative descriptors: while all places are taken the others wait in the socket's queue. */
	ret[0] = (struct pollfd){ .fd = room && !c->deaf_until_ns ? c->listener : -1, .events = POLLIN };
}

uint64_t pid1_clients_deadline_ns(const struct pid1_clients *c)
{
	uint64_t first = c->deaf_until_ns ? c->deaf_until_ns : UINT64_MAX;

	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++)
		if (c->client[i].fd >= 0 && c->client[i].deadline_ns < first)
			first = c->client[i].deadline_ns;
	return first;
}

static void client_close(struct pid1_client *c)
{
	sys_close(c->fd);
	c->fd = -1;
}

static void client_answer(struct pid1_clients *all, struct pid1_client *c)
{
	static char answer[PID1_MAX_ANSWER_BYTES];
	char packet[PID1_MAX_REQUEST_BYTES + 1];
	ssize_t n = sys_read(c->fd, packet, sizeof(packet));

	if (n == -EAGAIN)
		return;
	if (n > 0) {
		size_t len = all->answer(all->arg, packet, (size_t)n, answer, sizeof(answer));

		(void)sys_write(c->fd, answer, len); /* whoever hung up gets none */
	}
	client_close(c);
}

static void client_accept(struct pid1_clients *c, uint64_t now_ns)
{
	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++) {
		uid_t uid;
		int fd;

		if (c->client[i].fd >= 0)
			continue;
		fd = sys_accept(c->listener, &uid);
		if (fd < 0 && fd != -EAGAIN)
			c->deaf_until_ns = now_ns + PID1_CLIENT_NS;
		if (fd >= 0 && uid != 0)
			sys_close(fd);
		else if (fd >= 0)
			c->client[i] = (struct pid1_client){ .fd = fd, .deadline_ns = now_ns + PID1_CLIENT_NS };
		return;
	}
}

void pid1_clients_serve(struct pid1_clients *c, const struct pollfd *ready, uint64_t now_ns)
{
	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++) {
		struct pid1_client *cl = &c->client[i];

		if (cl->fd >= 0 && ready[1 + i].revents)
			client_answer(c, cl);
		if (cl->fd >= 0 && now_ns >= cl->deadline_ns)
			client_close(cl);
	}
	if (now_ns >= c->deaf_until_ns)
		c->deaf_until_ns = 0;
	if (ready[0].revents)
		client_accept(c, now_ns);
}
