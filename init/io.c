/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/io.c - small files, whole: the pseudo files through which PID 1 speaks with the kernel */
#include "init/io.h"

#include "init/sys.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int pid1_err(struct err *e, int r, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a cut sentence is better than none */
	va_end(ap);
	errno = -r;
	return err_errno(e, "%s", text);
}

int pid1_read(const char *path, char *buf, size_t room, size_t *ret_len, struct err *e)
{
	int fd = sys_open(path, O_RDONLY | O_NOCTTY, 0);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return pid1_err(e, fd, "cannot open %s", path);
	while ((n = sys_read(fd, buf + len, room - len)) > 0)
		len += (size_t)n;
	sys_close(fd);
	if (n < 0)
		return pid1_err(e, (int)n, "cannot read %s", path);
	if (len == room)
		return err_set(e, EFBIG, "%s has %zu bytes or more, the most that is accepted is %zu", path, room,
			       room - 1);
	buf[len] = '\0';
	*ret_len = len;
	return 0;
}

int pid1_write(const char *path, const void *data, size_t len, struct err *e)
{
	int fd = sys_open(path, O_WRONLY | O_NOCTTY, 0);
	ssize_t n;

	if (fd < 0)
		return pid1_err(e, fd, "cannot open %s", path);
	n = sys_write(fd, data, len);
	sys_close(fd);
	if (n < 0)
		return pid1_err(e, (int)n, "cannot write %s", path);
	if ((size_t)n != len)
		return err_set(e, EIO, "%s took %zd of %zu bytes", path, n, len);
	return 0;
}

int pid1_set(const char *path, const char *value, struct err *e)
{
	char now[256];
	size_t len;
	int r = pid1_write(path, value, strlen(value), e);

	if (r)
		return r;
	r = pid1_read(path, now, sizeof(now), &len, e);
	if (r)
		return r;
	while (len && strchr(" \t\n", now[len - 1]))
		now[--len] = '\0';
	for (char *s = now; *s; s++)
		if (*s == '\t')
			*s = ' '; /* lists of numbers are read back with tabs */
	if (strcmp(now, value) != 0)
		return err_set(e, EIO, "%s is \"%.40s\" after writing \"%.40s\"", path, now, value);
	return 0;
}

/* Kernel: Documentation/RCU/Design/Requirements, "Tuning"; rcutree.rcu_expedited. Its own start ends with it switched off. */
void pid1_hurry(bool on)
{
	struct err ignored = ERR_INIT;

	(void)!pid1_write("/sys/kernel/rcu_expedited", on ? "1" : "0", 1, &ignored);
}
