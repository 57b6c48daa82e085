/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sys_socket.c - the seam, fourth part: UNIX sockets */
#include "init/sys.h"

#include "init/sys_retry.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool unix_address(const char *path, struct sockaddr_un *ret)
{
	size_t n = strlen(path);

	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	if (n >= sizeof(ret->sun_path))
		return false;
	memcpy(ret->sun_path, path, n);
	return true;
}

int sys_listen(const char *path)
{
	struct sockaddr_un addr;
	int fd, r;

	if (!unix_address(path, &addr))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)umask(0177); /* the socket is born 0600: there is no moment when others could connect */
	r = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 16) < 0 ? -errno : fd;
	(void)umask(022);
	if (r < 0)
		(void)close(fd); /* never used */
	return r;
}

int sys_accept(int fd, uid_t *ret_uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int c = RETRY(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)), r;

	if (c < 0)
		return c;
	if (getsockopt(c, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0) {
		*ret_uid = peer.uid;
		return c;
	}
	r = -errno;
	(void)close(c); /* nothing was said on it */
	return r;
}

int sys_can_connect(const char *path)
{
	struct sockaddr_un addr;
	int fd, r;

	if (!unix_address(path, &addr))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = RETRY(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	(void)close(fd); /* only asked */
	return r;
}

int sys_connect(const char *path)
{
	struct sockaddr_un addr;
	int fd, r;

	if (!unix_address(path, &addr))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = RETRY(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	if (r)
		(void)close(fd); /* nothing was said on it */
	return r ? r : fd;
}
