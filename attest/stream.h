/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/stream.h - messages over a byte stream, each with its length in front, each with a deadline
 *
 *   +-----------+----------------+
 *   | length 4  | that many bytes|   big-endian, 1 to STREAM_MAX_BYTES
 *   +-----------+----------------+
 *
 * A connection may have TLS on it (attest/tls.h). Descriptors are non-blocking and waited for with poll(2). Memory grows with the bytes that came, never with the
 * length that was announced. Callers ignore SIGPIPE.
 *
 * A virtio port has two ways of its own, which fit here without a special case: while nobody has the host's end open,
 * poll() says POLLHUP at once and read() gives 0 (so "the peer is gone" is what attest_stream_recv() says, and the
 * caller must pause before it asks again); and write() would sleep for ever, were it not non-blocking.
 *
 * Input: hostile. Spec: docs/formats/evidence.md; Linux drivers/char/virtio_console.c (port_fops).
 */
#ifndef ATTEST_STREAM_H
#define ATTEST_STREAM_H

#include "common/buf.h"
#include "common/err.h"

#define STREAM_MAX_BYTES (128u * 1024)
#define STREAM_FOREVER   (-1)

struct ssl_st;

/** struct stream - a connection: a non-blocking descriptor, and TLS on it or NULL; both borrowed */
struct stream {
	int fd;
	struct ssl_st *tls;
};

/** STREAM_FD() - one without TLS. */
#define STREAM_FD(fd_) ((struct stream){.fd = (fd_)})

/** attest_stream_prepare() - make @fd non-blocking. */
int attest_stream_prepare(int fd, struct err *e) WARN_UNUSED;

/**
 * attest_stream_recv() - one message
 * @first_ms: how long to wait for its first byte, or STREAM_FOREVER
 * @rest_ms:  how long the whole of it may take from then on
 * @ret:      emptied, then the message without its length
 *
 * Return: 0; -EPIPE the peer is gone and nothing was begun; -ETIMEDOUT; -EPROTO the length is out of bounds or the peer
 * left in the middle; another -errno of poll or read.
 */
int attest_stream_recv(struct stream s, int first_ms, int rest_ms, struct buf *ret, struct err *e) WARN_UNUSED;

/** attest_stream_send() - one message within @ms. -EPIPE, -ETIMEDOUT, -EMSGSIZE over the bound. */
int attest_stream_send(struct stream s, int ms, const void *data, size_t len, struct err *e) WARN_UNUSED;

/** attest_stream_handshake() - finish a TLS handshake within @ms; whether we connect or accept is set before. */
int attest_stream_handshake(struct stream s, int ms, struct err *e) WARN_UNUSED;

/**
 * attest_stream_read() - what is there, at least one and at most @max bytes, without any framing
 * @ms: how long to wait for it
 *
 * Return: 0 with *@ret bytes at @dst; -EPIPE at the end; -ETIMEDOUT; another -errno.
 */
int attest_stream_read(struct stream s, int ms, void *dst, size_t max, size_t *ret, struct err *e) WARN_UNUSED;

/** attest_stream_write() - all of @data within @ms, without any framing. -EPIPE, -ETIMEDOUT. */
int attest_stream_write(struct stream s, int ms, const void *data, size_t len, struct err *e) WARN_UNUSED;

/** attest_stream_connect() - connect to the UNIX socket @path within @ms. Return: 0 with *@ret_fd prepared. */
int attest_stream_connect(const char *path, int ms, int *ret_fd, struct err *e) WARN_UNUSED;

/** attest_stream_listen() - a UNIX socket at @path, mode 0600; a stale socket there is replaced, nothing else is. */
int attest_stream_listen(const char *path, int *ret_fd, struct err *e) WARN_UNUSED;

#endif
