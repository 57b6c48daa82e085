/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/gate_measure.c - tell PID 1 what is about to start, or was refused (docs/formats/README.md, "Measurement
 * socket") */
#include "policy/gate.h"

#include "common/hex.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

int gate_ask(const char *path, const char *request, int seconds, char ret_answer[static GATE_MAX_ANSWER_BYTES + 1], struct err *e)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = seconds};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	ssize_t n;

	if (fd < 0)
		return err_errno(e, "cannot make a socket");
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(e, ENAMETOOLONG, "%s is too long for a socket", path);
	memcpy(addr.sun_path, path, strlen(path) + 1); /* fits, checked above */
	/* The send limit holds for connect too (unix(7)): a full queue at PID 1 must not hold us for ever. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return err_errno(e, "cannot set a time limit on %s", path);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_errno(e, "cannot connect to %s", path);
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return err_errno(e, "cannot send to %s", path);
	n = recv(fd, ret_answer, GATE_MAX_ANSWER_BYTES, 0);
	if (n < 0)
		return err_errno(e, "no answer from %s within %d s", path, seconds);
	ret_answer[n] = '\0';
	return 0;
}

int gate_measure_container(const char *socket_path, const struct policy_image *image, const struct policy *policy,
			   struct err *e)
{
	char digest[2 * HASH_SHA256_BYTES + 1], request[MEASURE_MAX_DATA_BYTES], answer[GATE_MAX_ANSWER_BYTES + 1] = "";
	int r;

	hex_encode(policy->digest, sizeof(policy->digest), digest);
	(void)snprintf(request, sizeof(request), "container %s %s", image->name,
		       digest); /* both are short and checked */
	r = gate_ask(socket_path, request, GATE_MEASURE_SECONDS, answer, e);
	if (r)
		return r;
	if (strcmp(answer, "ok"))
		return err_set(e, EPERM, "PID 1 answered \"%.150s\", wanted \"ok\"", answer);
	return 0;
}

void gate_measure_violation(const char *socket_path, enum code code, const char *id)
{
	char request[32 + MEASURE_MAX_NAME_BYTES], answer[GATE_MAX_ANSWER_BYTES + 1];
	struct err e;

	/* PID 1 logs the id; what is measured is the code, which is all that a verifier can know beforehand. */
	(void)snprintf(request, sizeof(request), "violation %u%s%.*s", (unsigned)code, id ? " " : "", MEASURE_MAX_NAME_BYTES, id ? id : "");
	(void)!gate_ask(socket_path, request, GATE_MEASURE_SECONDS, answer, &e); /* the container is refused whether or not it is recorded */
}
