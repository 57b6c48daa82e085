/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/tpm_io.c - one command to the TPM and its answer, with a deadline */
#include "common/tpm_io.h"

#include <poll.h>
#include <unistd.h>

/* The kernel's driver supports poll() on a non-blocking descriptor. */
static int wait_for_answer(const struct tpm_io *t, struct err *e)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, t->timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, "cannot wait for the TPM");
	if (n == 0)
		return err_set(e, ETIMEDOUT, "the TPM did not answer within %d ms", t->timeout_ms);
	return 0;
}

int tpm_io_transact(struct tpm_io *t, uint8_t *cmd, size_t len, struct reader *ret, struct err *e)
{
	uint32_t size;
	ssize_t n;
	int rc;

	for (int i = 0; i < 4; i++)
		cmd[2 + i] = (uint8_t)(len >> 8 * (3 - i));
	do
		n = write(t->fd, cmd, len);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)len)
		return n < 0 ? err_errno(e, "cannot send to the TPM") : err_set(e, EIO, "the TPM took %zd of %zu bytes", n, len);
	rc = wait_for_answer(t, e);
	if (rc)
		return rc;
	do
		n = read(t->fd, t->resp, sizeof(t->resp));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, "cannot receive from the TPM");
	*ret = reader_init(t->resp, (size_t)n);
	(void)reader_u16be(ret); /* tag: follows from the command; an error answer always has NO_SESSIONS */
	size = reader_u32be(ret);
	t->code = reader_u32be(ret);
	if (ret->bad || size != (size_t)n)
		return err_set(e, EPROTO, "the TPM's answer says %u bytes and has %zd", (unsigned)size, n);
	return 0;
}
