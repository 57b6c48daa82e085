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

size_t pid1_measure_answer(void *arg, const char *packet, size_t len, char *ret, size_t room)
{
	struct pid1_measure_server *s = arg;
	struct pid1_request req;
	struct err e = ERR_INIT;
	int n, r = pid1_request_parse(packet, len, &req, &e);

	if (!r)
		r = pid1_request_serve(&req, s->policy, s->log, &e);
	n = r ? snprintf(ret, room, "refused %s", e.msg) : snprintf(ret, room, "ok"); /* both fit */
	if (r) {
		s->live->refused++;
		pid1_log("measure", "%s", ret);
	} else if (req.violation) {
		s->live->violations++;
		pid1_log("measure", "violation %u%s%s", req.violation, req.name[0] ? " container " : "", req.name);
	} else {
		s->live->containers++;
		pid1_jit_open(s->jit, policy_image_find(s->policy, req.name));
		pid1_log("measure", "container %s", req.name);
	}
	return (size_t)n;
}
