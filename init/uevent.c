/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/uevent.c - wait until the kernel says that a device has come */
#include "init/uevent.h"

#include "init/io.h"
#include "init/sys.h"

#include <string.h>

/* Is this field exactly "<key>=<value>"? @len without its NUL. */
static bool field_is(const char *f, size_t len, const char *key, const char *value)
{
	size_t k = strlen(key), v = strlen(value);

	return len == k + 1 + v && !memcmp(f, key, k) && f[k] == '=' && !memcmp(f + k + 1, value, v);
}

bool pid1_uevent_matches(const void *msg, size_t len, const char *subsystem)
{
	const char *f = msg;
	bool action = false, ours = false;

	while (len) {
		const char *end = memchr(f, '\0', len);
		size_t n = end ? (size_t)(end - f) : len;

		action |= field_is(f, n, "ACTION", "add") || field_is(f, n, "ACTION", "change");
		ours |= field_is(f, n, "SUBSYSTEM", subsystem);
		if (!end)
			return false; /* a message that is cut short says nothing */
		f += n + 1;
		len -= n + 1;
	}
	return action && ours;
}

/* Take all that is there. Return: 1 if any of it is news, 0 if none, -errno. */
static int drain(int fd, const char *subsystem)
{
	char msg[PID1_MAX_UEVENT_BYTES];
	bool news = false;

	for (;;) {
		ssize_t n = sys_uevent_recv(fd, msg, sizeof(msg));

		if (n == -EAGAIN)
			return news;
		if (n == -ENOBUFS)
			news = true; /* messages were lost */
		else if (n < 0)
			return (int)n;
		else
			news |= pid1_uevent_matches(msg, (size_t)n, subsystem);
	}
}

int pid1_uevent_wait(int fd, const char *subsystem, uint64_t deadline_ns, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r = drain(fd, subsystem);
		uint64_t now = sys_now_ns();

		if (r > 0)
			return 0;
		if (r < 0)
			return pid1_err(e, r, "cannot receive uevents");
		if (now >= deadline_ns)
			return err_set(e, ETIMEDOUT, "no new device of subsystem %s within the deadline", subsystem);
		r = sys_poll(&p, 1, deadline_ns - now);
		if (r < 0)
			return pid1_err(e, r, "cannot wait for uevents");
	}
}
