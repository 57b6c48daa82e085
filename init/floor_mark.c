/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/floor_mark.c - what holdfast-floor reads besides the TPM: the mark in an EFI variable, the IPE policy's version */
#include "init/floor_mark.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const uint8_t attributes[4] = { 7 }; /* non-volatile, boot services, run time; little-endian */

/* Return: its length (up to @room: it may be longer), -ENOENT, other -errno. One read: that is what these file systems give. */
static ssize_t read_small(const char *path, void *buf, size_t room, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	n = read(fd, buf, room);
	if (n < 0)
		n = err_errno(e, "cannot read %s", path);
	(void)close(fd); /* it was only read */
	return n;
}

int pid1_floor_mark_read(const char *path, uint8_t ret[static PID1_TPM_NAME_BYTES], bool *ret_marked, struct err *e)
{
	uint8_t b[sizeof(attributes) + PID1_TPM_NAME_BYTES + 1];
	ssize_t n = read_small(path, b, sizeof(b), e);

	*ret_marked = false;
	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	if (n != sizeof(b) - 1)
		return err_set(e, EBADMSG, "%s has %zd bytes, wanted %zu", path, n, sizeof(b) - 1);
	memcpy(ret, b + sizeof(attributes), PID1_TPM_NAME_BYTES);
	*ret_marked = true;
	return 0;
}

int pid1_floor_mark_write(const char *path, const uint8_t mark[static PID1_TPM_NAME_BYTES], struct err *e)
{
	uint8_t b[sizeof(attributes) + PID1_TPM_NAME_BYTES];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	ssize_t n;

	if (fd < 0)
		return err_errno(e, "cannot create %s", path);
	memcpy(b, attributes, sizeof(attributes));
	memcpy(b + sizeof(attributes), mark, PID1_TPM_NAME_BYTES);
	n = write(fd, b, sizeof(b)); /* one write: that is the variable */
	if (n < 0)
		n = err_errno(e, "cannot write %s", path);
	else if (n != sizeof(b))
		n = err_set(e, EIO, "%s took %zd of %zu bytes", path, n, sizeof(b));
	if (close(fd) < 0 && n >= 0)
		n = err_errno(e, "cannot write %s", path);
	return n < 0 ? (int)n : 0;
}

int pid1_floor_ipe_version(const char *path, uint64_t *ret, struct err *e)
{
	unsigned a, b, c;
	char text[64] = "";
	ssize_t n = read_small(path, text, sizeof(text) - 1, e);

	if (n < 0)
		return (int)n;
	if (sscanf(text, "%5u.%5u.%5u", &a, &b, &c) != 3 || a > 0xffff || b > 0xffff || c > 0xffff)
		return err_set(e, EINVAL, "%s is \"%.*s\", wanted a version of three numbers", path, (int)strcspn(text, "\n"), text);
	*ret = (uint64_t)a << 32 | (uint64_t)b << 16 | c;
	return 0;
}
