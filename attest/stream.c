/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/stream.c - messages over a byte stream, each with its length in front, each with a deadline */
#include "attest/stream.h"

#include "common/clock.h"
#include "common/reader.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define PIECE_BYTES  4096
#define LENGTH_BYTES 4
#define RETRY_MS     50 /* between two tries to connect to a socket whose backlog is full */

/* A deadline of -1 is never. */
static int64_t deadline(int ms)
{
	return ms < 0 ? -1 : clock_ms(CLOCK_MONOTONIC) + ms;
}

static int left_ms(int64_t until)
{
	int64_t left;

	if (until < 0)
		return -1;
	left = until - clock_ms(CLOCK_MONOTONIC);
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void pause_ms(int ms)
{
	(void)poll(NULL, 0, ms); /* a signal may end it early: the caller asks again */
}

/* Wait until something happened at @fd: @events, an error, or the peer's leaving. *@ret_events says what. */
static int wait_for(int fd, short events, int64_t until, const char *what, short *ret_events, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, left_ms(until));

		if (n > 0) {
			*ret_events = p.revents;
			return 0;
		}
		if (n == 0)
			return err_set(e, ETIMEDOUT, "%s: timed out", what);
		if (errno != EINTR)
			return err_errno(e, "%s: poll", what);
	}
}

int attest_stream_prepare(int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_errno(e, "cannot make the connection non-blocking");
	return 0;
}

/* What an SSL function that gave @n waits for is waited for. -EPIPE if the connection has ended. */
static int tls_wait(struct stream s, int n, int64_t until, const char *what, struct err *e)
{
	int why = SSL_get_error(s.tls, n);
	short events = 0;

	ERR_clear_error();
	if (why == SSL_ERROR_WANT_READ)
		return wait_for(s.fd, POLLIN, until, what, &events, e);
	if (why == SSL_ERROR_WANT_WRITE)
		return wait_for(s.fd, POLLOUT, until, what, &events, e);
	return err_set(e, EPIPE, "%s: the peer is gone", what);
}

static int tls_read_some(struct stream s, uint8_t *dst, size_t max, int64_t until, size_t *ret, struct err *e)
{
	for (;;) {
		int n = SSL_read(s.tls, dst, max < INT_MAX ? (int)max : INT_MAX), rc;

		if (n > 0) {
			*ret = (size_t)n;
			return 0;
		}
		rc = tls_wait(s, n, until, "receive", e);
		if (rc < 0)
			return rc;
	}
}

/* At least one and at most @max bytes. -EPIPE at the end. */
static int read_some(struct stream s, uint8_t *dst, size_t max, int64_t until, size_t *ret, struct err *e)
{
	if (s.tls)
		return tls_read_some(s, dst, max, until, ret, e);
	for (;;) {
		short events = 0;
		ssize_t n;
		int rc = wait_for(s.fd, POLLIN, until, "receive", &events, e);

		if (rc < 0)
			return rc;
		n = read(s.fd, dst, max); /* after a hang-up, too: what came before it is still there */
		if (n > 0) {
			*ret = (size_t)n;
			return 0;
		}
		if (n == 0 || errno == ECONNRESET || errno == EPIPE)
			return err_set(e, EPIPE, "receive: the peer is gone");
		if (errno != EINTR && (errno != EAGAIN || !(events & POLLIN)))
			return err_errno(e, "receive");
	}
}

/* Append @n bytes to @ret, all of them before @until. The peer's leaving here is a broken message. */
static int read_rest(struct stream s, size_t n, int64_t until, struct buf *ret, struct err *e)
{
	uint8_t piece[PIECE_BYTES];

	while (n) {
		size_t got = 0;
		int rc = read_some(s, piece, n < sizeof(piece) ? n : sizeof(piece), until, &got, e);

		if (rc == -EPIPE)
			return err_set(e, EPROTO, "receive: the peer left in the middle of a message");
		if (rc < 0)
			return rc;
		buf_put(ret, piece, got);
		if (ret->bad)
			return err_set(e, ENOMEM, "receive: no memory");
		n -= got;
	}
	return 0;
}

int attest_stream_recv(struct stream s, int first_ms, int rest_ms, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf head = BUF_INIT;
	uint8_t first;
	struct reader r;
	uint32_t len;
	int64_t until;
	size_t got = 0;
	int rc = read_some(s, &first, 1, deadline(first_ms), &got, e);

	if (rc < 0)
		return rc;
	until = deadline(rest_ms);
	buf_free(ret);
	buf_u8(&head, first);
	rc = read_rest(s, LENGTH_BYTES - 1, until, &head, e);
	if (rc < 0)
		return rc;
	r = reader_init(head.data, head.len);
	len = reader_u32be(&r);
	if (r.bad || len < 1 || len > STREAM_MAX_BYTES)
		return err_set(e, EPROTO, "receive: a message of %u bytes was announced, wanted 1 to %u", len,
			       STREAM_MAX_BYTES);
	return read_rest(s, len, until, ret, e);
}

static int plain_write(struct stream s, int64_t until, const uint8_t *data, size_t len, struct err *e)
{
	while (len) {
		ssize_t n = write(s.fd, data, len);
		short events = 0;
		int rc;

		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_errno(e, "send");
		rc = wait_for(s.fd, POLLOUT, until, "send", &events, e);
		if (rc < 0)
			return rc;
		if (!(events & POLLOUT))
			return err_set(e, EPIPE, "send: the peer is gone");
	}
	return 0;
}

static int tls_write(struct stream s, int64_t until, const uint8_t *data, size_t len, struct err *e)
{
	while (len) {
		int n = SSL_write(s.tls, data, len < INT_MAX ? (int)len : INT_MAX), rc;

		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		rc = tls_wait(s, n, until, "send", e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int attest_stream_write(struct stream s, int ms, const void *data, size_t len, struct err *e)
{
	return s.tls ? tls_write(s, deadline(ms), data, len, e) : plain_write(s, deadline(ms), data, len, e);
}

int attest_stream_read(struct stream s, int ms, void *dst, size_t max, size_t *ret, struct err *e)
{
	return read_some(s, dst, max, deadline(ms), ret, e);
}

int attest_stream_handshake(struct stream s, int ms, struct err *e)
{
	int64_t until = deadline(ms);
	unsigned long why;
	int n, rc;

	while ((n = SSL_do_handshake(s.tls)) != 1) {
		why = ERR_peek_last_error();
		rc = tls_wait(s, n, until, "TLS handshake", e);
		if (rc == -EPIPE && why)
			return err_set(e, EPROTO, "TLS handshake: %s", ERR_reason_error_string(why));
		if (rc < 0)
			return rc;
	}
	return 0;
}

int attest_stream_send(struct stream s, int ms, const void *data, size_t len, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	if (len < 1 || len > STREAM_MAX_BYTES)
		return err_set(e, EMSGSIZE, "send: a message of %zu bytes, wanted 1 to %u", len, STREAM_MAX_BYTES);
	buf_u32be(&b, (uint32_t)len);
	buf_put(&b, data, len);
	if (b.bad)
		return err_set(e, ENOMEM, "send: no memory");
	return attest_stream_write(s, ms, b.data, b.len, e);
}

static int set_address(const char *path, struct sockaddr_un *ret, struct err *e)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!*path || strlen(path) >= sizeof(ret->sun_path))
		return err_set(e, ENAMETOOLONG, "socket path \"%s\" is empty or longer than %zu bytes", path,
			       sizeof(ret->sun_path) - 1);
	memcpy(ret->sun_path, path, strlen(path));
	return 0;
}

int attest_stream_connect(const char *path, int ms, int *ret_fd, struct err *e)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int64_t until = deadline(ms);
	struct sockaddr_un to;
	int rc = set_address(path, &to, e);

	if (rc < 0)
		return rc;
	if (fd < 0)
		return err_errno(e, "cannot make a socket");
	while (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		if (errno != EAGAIN && errno != EINTR) /* EAGAIN: the backlog is full (unix(7)) */
			return err_errno(e, "cannot connect to %s", path);
		if (!left_ms(until))
			return err_set(e, ETIMEDOUT, "cannot connect to %s: timed out", path);
		pause_ms(RETRY_MS);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int attest_stream_listen(const char *path, int *ret_fd, struct err *e)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at;
	struct stat st;
	mode_t mask;
	int rc = set_address(path, &at, e);

	if (rc < 0)
		return rc;
	if (fd < 0)
		return err_errno(e, "cannot make a socket");
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path); /* if it stays, bind says so */
	mask = umask(0177);
	rc = bind(fd, (const struct sockaddr *)&at, sizeof(at));
	(void)umask(mask); /* cannot fail */
	if (rc < 0 || listen(fd, 4) < 0)
		return err_errno(e, "cannot listen at %s", path);
	*ret_fd = take_fd(&fd);
	return 0;
}
