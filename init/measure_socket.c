/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/measure_socket.c - the gate tells PID 1 what it admits or refuses; PID 1 measures it */
#include "init/measure_socket.h"

#include "common/hex.h"
#include "common/reader.h"
#include "init/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The next word: up to a blank, which is taken, or the end. Empty words and words of @room characters are bad. */
static void take_word(struct reader *r, char *ret, size_t room)
{
	size_t n = 0;

	while (r->left && n < room) {
		uint8_t c = reader_u8(r);

		if (c == ' ')
			break;
		if (c == '\0')
			r->bad = true;
		ret[n++] = (char)c;
	}
	if (n == 0 || n == room) {
		r->bad = true;
		n = 0;
	}
	ret[n] = '\0';
}

/* Letters, digits, '.', '_', '-': what a container's id is made of. */
static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9') && *s != '.' && *s != '_' && *s != '-')
			return false;
	return true;
}

int pid1_request_parse(const char *packet, size_t len, struct pid1_request *ret, struct err *e)
{
	struct pid1_request req = { 0 };
	struct reader r = reader_init(packet, len);
	char verb[16], word[2 * HASH_SHA256_BYTES + 2];

	take_word(&r, verb, sizeof(verb));
	if (!r.bad && packet[len - 1] == ' ')
		r.bad = true;
	if (!r.bad && !strcmp(verb, "violation")) {
		take_word(&r, word, sizeof(word));
		if (r.left) /* whose it was; the gate cuts a longer id */
			take_word(&r, req.name, sizeof(req.name));
		if (reader_done(&r) && is_plain(req.name) && strlen(word) == 2 && word[0] >= '1' && word[0] <= '9' && word[1] >= '0' &&
		    word[1] <= '9')
			req.violation = (unsigned)((word[0] - '0') * 10 + word[1] - '0');
		else
			r.bad = true;
	} else if (!r.bad && !strcmp(verb, "container")) {
		take_word(&r, req.name, sizeof(req.name));
		take_word(&r, word, sizeof(word));
		if (!reader_done(&r) || !measure_name_is_valid(req.name) ||
		    !hex_decode(word, req.policy, sizeof(req.policy)))
			r.bad = true;
	} else {
		r.bad = true;
	}
	if (r.bad)
		return err_set(e, EINVAL,
			       "malformed request, wanted `container <name> <64 hex>` or `violation <code> [id]`");
	*ret = req;
	return 0;
}

int pid1_request_serve(const struct pid1_request *req, const struct policy *policy, struct pid1_measure_log *log,
		       struct err *e)
{
	struct measure_event ev;

	if (req->violation) {
		ev = measure_violation(req->violation);
		return pid1_measure(log, &ev, e);
	}
	if (!hash_equal(req->policy, HASH_SHA256_BYTES, policy->digest, HASH_SHA256_BYTES))
		return err_set(e, EPERM, "the layer policy is not the one that was measured at boot");
	if (!policy_image_find(policy, req->name))
		return err_set(e, EPERM, "the layer policy names no image %s", req->name);
	ev = measure_container(req->name, req->policy);
	return pid1_measure(log, &ev, e);
}

void pid1_clients_init(struct pid1_clients *c)
{
	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++)
		c->client[i].fd = -1;
}

void pid1_clients_poll(const struct pid1_clients *c, int listener, struct pollfd *ret)
{
	bool room = false;

	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++) {
		ret[1 + i] = (struct pollfd){ .fd = c->client[i].fd, .events = POLLIN };
		room |= c->client[i].fd < 0;
	}
	/* ppoll() skips negative descriptors: while all places are taken the others wait in the socket's queue. */
	ret[0] = (struct pollfd){ .fd = room ? listener : -1, .events = POLLIN };
}

uint64_t pid1_clients_deadline_ns(const struct pid1_clients *c)
{
	uint64_t first = UINT64_MAX;

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

static void client_answer(struct pid1_client *c, const struct policy *policy, struct pid1_measure_log *log)
{
	char packet[PID1_MAX_REQUEST_BYTES + 1], answer[ERR_MSG_MAX + 16] = "ok";
	ssize_t n = sys_read(c->fd, packet, sizeof(packet));
	struct pid1_request req;
	struct err e = ERR_INIT;
	int r;

	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		client_close(c);
		return;
	}
	r = pid1_request_parse(packet, (size_t)n, &req, &e);
	if (!r)
		r = pid1_request_serve(&req, policy, log, &e);
	if (r)
		(void)snprintf(answer, sizeof(answer), "refused %s", e.msg); /* fits */
	if (r)
		pid1_log("measure", "%s", answer);
	else if (req.violation)
		pid1_log("measure", "violation %u%s%s", req.violation, req.name[0] ? " container " : "", req.name);
	else
		pid1_log("measure", "container %s", req.name);
	(void)sys_write(c->fd, answer, strlen(answer)); /* whoever hung up has its answer in the log */
	client_close(c);
}

static void client_accept(struct pid1_clients *c, int listener, uint64_t now_ns)
{
	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++) {
		uid_t uid;
		int fd;

		if (c->client[i].fd >= 0)
			continue;
		fd = sys_accept(listener, &uid);
		if (fd < 0)
			return;
		if (uid != 0) {
			sys_close(fd);
			return;
		}
		c->client[i] = (struct pid1_client){ .fd = fd, .deadline_ns = now_ns + PID1_CLIENT_NS };
		return;
	}
}

void pid1_clients_serve(struct pid1_clients *c, const struct pollfd *ready, uint64_t now_ns,
			const struct policy *policy, struct pid1_measure_log *log)
{
	for (size_t i = 0; i < PID1_MAX_CLIENTS; i++) {
		struct pid1_client *cl = &c->client[i];

		if (cl->fd >= 0 && ready[1 + i].revents)
			client_answer(cl, policy, log);
		if (cl->fd >= 0 && now_ns >= cl->deadline_ns)
			client_close(cl);
	}
	if (ready[0].revents)
		client_accept(c, ready[0].fd, now_ns);
}
