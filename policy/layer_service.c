/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/layer_service.c - the layers that a host gets by pulling: who opens them, and how that is asked */
#include "policy/layer_service.h"

#include "common/hex.h"
#include "verity/layer.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERB           "layer "
#define CLIENT_SECONDS 1
#define QUEUE          8

int policy_layer_open(const char *pulled, const struct policy_layer *layer, struct err *e)
{
	char path[VERITY_LAYER_PATH_BYTES];

	/* What is changed in it later is an I/O error of that container's, no reason to end the host. */
	return verity_layer_open(pulled, layer->root_hash, layer->data_bytes, VERITY_CORRUPTION_EIO, path, e);
}

static const struct policy_layer *find(const struct policy *p, const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	for (size_t i = 0; i < p->n_images; i++)
		for (size_t k = 0; k < p->image[i].n_layers; k++)
			if (hash_equal(p->image[i].layer[k].root_hash, HASH_SHA256_BYTES, root_hash, HASH_SHA256_BYTES))
				return &p->image[i].layer[k];
	return NULL;
}

static int parse(const char *packet, size_t len, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	const size_t verb = strlen(VERB);
	char hex[2 * HASH_SHA256_BYTES + 1] = "";

	if (len != verb + 2 * HASH_SHA256_BYTES || memcmp(packet, VERB, verb) != 0)
		return err_set(e, EINVAL, "malformed request, wanted `" VERB "<64 hex>`");
	memcpy(hex, packet + verb, 2 * HASH_SHA256_BYTES);
	if (!hex_decode(hex, ret, HASH_SHA256_BYTES))
		return err_set(e, EINVAL, "malformed request, wanted 64 lower-case hex digits");
	return 0;
}

static int serve(const struct policy_layer_service *s, const char *packet, size_t len, struct err *e)
{
	const struct policy_layer *layer;
	uint8_t hash[HASH_SHA256_BYTES];
	int r = parse(packet, len, hash, e);

	if (r)
		return r;
	layer = find(s->policy, hash);
	if (!layer)
		return err_set(e, EPERM, "the layer policy names no such layer");
	if (policy_layer_is_revoked(s->policy, hash))
		return err_set(e, EKEYREVOKED, "the layer is revoked");
	if (!verity_layer_is_elsewhere(s->built_in, hash))
		return err_set(e, EPERM, "the layer is none that is pulled");
	return s->open(s->pulled, layer, e);
}

size_t policy_layer_answer(const struct policy_layer_service *s, const char *packet, size_t len, char *ret, size_t room)
{
	struct err e = ERR_INIT;
	int r = serve(s, packet, len, &e);
	int n = r ? snprintf(ret, room, "refused %s", e.msg) : snprintf(ret, room, "ok");

	if (n < 0 || (size_t)n >= room) /* a long sentence is cut */
		n = room ? (int)room - 1 : 0;
	for (int i = 0; i < n; i++)
		if (ret[i] < ' ' || ret[i] > '~')
			ret[i] = '?';
	return (size_t)n;
}

int policy_layer_listen(const char *path, int *ret_fd, struct err *e)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t old;
	int r;

	if (fd < 0)
		return err_errno(e, "cannot make a socket");
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(e, ENAMETOOLONG, "%s is too long for a socket", path);
	memcpy(addr.sun_path, path, strlen(path) + 1); /* fits, checked above */
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(e, "cannot remove %s", path);
	old = umask(0177);
	r = bind(fd, (const struct sockaddr *)&addr, sizeof(addr));
	(void)umask(old); /* cannot fail */
	if (r < 0 || listen(fd, QUEUE) < 0)
		return err_errno(e, "cannot listen on %s", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

static bool is_of(int fd, uid_t owner)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == owner;
}

/* In a child: what ends it, or keeps it for too long, is one request's misfortune. */
static _Noreturn void answer_one(const struct policy_layer_service *s, int fd)
{
	char packet[POLICY_LAYER_MAX_REQUEST_BYTES + 1], answer[POLICY_LAYER_MAX_ANSWER_BYTES + 1];
	ssize_t n;

	(void)alarm(POLICY_LAYER_SECONDS); /* returns what was left of an earlier one */
	n = recv(fd, packet, sizeof(packet), 0);
	if (n > 0)
		(void)!send(fd, answer, policy_layer_answer(s, packet, (size_t)n, answer, sizeof(answer)), MSG_NOSIGNAL); /* it may be gone */
	_exit(0);
}

int policy_layer_serve_one(const struct policy_layer_service *s, int listener, struct err *e)
{
	struct timeval limit = {.tv_sec = CLIENT_SECONDS};
	cleanup_fd int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED ? 0 : err_errno(e, "cannot accept a connection");
	/* Whoever says nothing, or does not listen, holds up the others for a second. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 || !is_of(fd, s->owner))
		return 0;
	pid = fork();
	if (pid == 0)
		answer_one(s, fd);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0; /* no process to be had: the client sees the end of its connection, and may try again */
}
