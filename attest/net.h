/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/net.h - where hosts and verifiers meet: TCP and vsock
 *
 *   HOST:PORT, [V6]:PORT   TCP; a name is looked up
 *   vsock:CID:PORT         vsock(7); CID is a number, "any" (to listen), "host" (2) or "local" (1)
 *
 * Descriptors are non-blocking and close on exec.
 */
#ifndef ATTEST_NET_H
#define ATTEST_NET_H

#include "common/err.h"
#include "common/cleanup.h"

#include <stdint.h>

#define NET_LISTEN_BACKLOG 256
#define NET_MAX_WHERE_BYTES 255

/** net_listen() - -EINVAL for an address that is none, another -errno if the system refuses it. */
int net_listen(const char *where, int *ret_fd, struct err *e) WARN_UNUSED;

/** net_connect() - connect within @ms. */
int net_connect(const char *where, int ms, int *ret_fd, struct err *e) WARN_UNUSED;

/** net_host() - the part of @where before its port, without brackets: what a certificate must name. -EINVAL. */
int net_host(const char *where, char ret[static NET_MAX_WHERE_BYTES + 1], struct err *e) WARN_UNUSED;

/** net_port() - the port that @fd is bound to: with port 0 the system chose it. 0 if it has none. */
uint32_t net_port(int fd);

#endif
