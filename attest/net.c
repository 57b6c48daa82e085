/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/net.c - where hosts and verifiers meet: TCP and vsock */
#include "attest/net.h"

#include <linux/vm_sockets.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define VSOCK_WORD "vsock:"

/* One address to try. */
struct address {
	struct sockaddr_storage at;
	socklen_t len;
};

static bool is_vsock(const char *where)
{
	return !strncmp(where, VSOCK_WORD, strlen(VSOCK_WORD));
}

static bool number(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	*ret = (uint32_t)v;
	return !errno && !*end && v <= UINT32_MAX;
}

/* Host and port of HOST:PORT or [V6]:PORT. */
static int split(const char *where, char *host, const char **port, struct err *e)
{
	const char *colon = strrchr(where, ':');
	size_t n = colon ? (size_t)(colon - where) : 0;
	uint32_t p;

	if (!n || n > NET_MAX_WHERE_BYTES || !number(colon + 1, &p) || p > 65535)
		return err_set(e, EINVAL, "\"%s\" is no address: wanted HOST:PORT, [V6]:PORT or vsock:CID:PORT", where);
	if (where[0] == '[' && where[n - 1] == ']') {
		where++;
		n -= 2;
	}
	memcpy(host, where, n);
	host[n] = '\0';
	*port = colon + 1;
	return 0;
}

int net_host(const char *where, char ret[static NET_MAX_WHERE_BYTES + 1], struct err *e)
{
	const char *port;

	return split(where, ret, &port, e);
}

static int parse_vsock(const char *where, struct address *ret, struct err *e)
{
	struct sockaddr_vm vm = {.svm_family = AF_VSOCK};
	char cid[NET_MAX_WHERE_BYTES + 1];
	const char *port;
	int rc = split(where + strlen(VSOCK_WORD), cid, &port, e);

	if (rc)
		return rc;
	if (!strcmp(cid, "any"))
		vm.svm_cid = VMADDR_CID_ANY;
	else if (!strcmp(cid, "host"))
		vm.svm_cid = VMADDR_CID_HOST;
	else if (!strcmp(cid, "local"))
		vm.svm_cid = VMADDR_CID_LOCAL;
	else if (!number(cid, &vm.svm_cid))
		return err_set(e, EINVAL, "\"%s\": the CID is no number, any, host or local", where);
	(void)number(port, &vm.svm_port); /* split() has seen it */
	memcpy(&ret->at, &vm, sizeof(vm));
	ret->len = sizeof(vm);
	return 0;
}

static int resolve(const char *where, bool passive, struct address *ret, struct err *e)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = (passive ? AI_PASSIVE : 0) | AI_NUMERICSERV};
	char host[NET_MAX_WHERE_BYTES + 1];
	struct addrinfo *found = NULL;
	const char *port;
	int rc;

	if (is_vsock(where))
		return parse_vsock(where, ret, e);
	rc = split(where, host, &port, e);
	if (rc)
		return rc;
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc || !found)
		return err_set(e, EHOSTUNREACH, "cannot find %s: %s", host, gai_strerror(rc));
	memcpy(&ret->at, found->ai_addr, found->ai_addrlen);
	ret->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int open_socket(const struct address *a, struct err *e)
{
	int fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

	if (fd < 0)
		return err_errno(e, "cannot make a socket");
	if (a->at.ss_family != AF_VSOCK)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* slower without, no worse */
	return fd;
}

int net_listen(const char *where, int *ret_fd, struct err *e)
{
	cleanup_fd int fd = -1;
	struct address a = {0};
	int one = 1, rc = resolve(where, true, &a, e);

	if (rc)
		return rc;
	fd = open_socket(&a, e);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)&a.at, a.len) < 0 || listen(fd, NET_LISTEN_BACKLOG) < 0)
		return err_errno(e, "cannot listen at %s", where);
	*ret_fd = take_fd(&fd);
	return 0;
}

int net_connect(const char *where, int ms, int *ret_fd, struct err *e)
{
	cleanup_fd int fd = -1;
	struct address a = {0};
	struct pollfd p = {.events = POLLOUT};
	socklen_t len = sizeof(int);
	int failed = 0, rc = resolve(where, false, &a, e);

	if (rc)
		return rc;
	fd = open_socket(&a, e);
	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&a.at, a.len) < 0) {
		if (errno != EINPROGRESS)
			return err_errno(e, "cannot connect to %s", where);
		p.fd = fd;
		if (poll(&p, 1, ms) <= 0)
			return err_set(e, ETIMEDOUT, "cannot connect to %s: timed out", where);
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) < 0 || failed) {
			errno = failed ? failed : errno;
			return err_errno(e, "cannot connect to %s", where);
		}
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

uint32_t net_port(int fd)
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return 0;
	if (at.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&at)->sin_port);
	if (at.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&at)->sin6_port);
	return at.ss_family == AF_VSOCK ? ((const struct sockaddr_vm *)&at)->svm_port : 0;
}
