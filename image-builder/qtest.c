/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/qtest.c - look at a QEMU machine from outside: its memory, its fw_cfg files, its TPM's PCRs */
#include "image-builder/qtest.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/reader.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	ANSWER_MS = 20000,
	OPEN_TRIES = 400, /* of 25 ms */
	CHUNK_BYTES = 4096,
	MAX_FW_CFG_FILES = 256,
	FW_CFG_ENTRY_BYTES = 64,
	FW_CFG_DIRECTORY = 0x19,
	FW_CFG_SELECT_AND_READ = 0x0a,
	MAX_MONITOR_BYTES = 65536,
};

/* fw_cfg's DMA register, and memory that neither its reading nor a firmware that has ended minds. */
#define X86_DMA_PORT     0x514u
#define X86_SCRATCH      0x100000u
#define ARM64_DMA        0x09020010u
#define ARM64_SCRATCH    0x40100000u
#define DESCRIPTOR_BYTES 16u

#define TIS_BASE       0xfed40000u
#define TIS_ACCESS     (TIS_BASE + 0x00)
#define TIS_STS        (TIS_BASE + 0x18)
#define TIS_FIFO       (TIS_BASE + 0x24)
#define TIS_USE        0x02
#define TIS_ACTIVE     0x20
#define TIS_READY      0x40
#define TIS_GO         0x20
#define TIS_DATA       0x90 /* valid, data available */
#define TIS_POLLS      2000
#define MAX_TPM_ANSWER 256u

void qtest_close(struct qtest *q)
{
	cleanup_fd_fn(&q->fd);
}

/* QEMU may still be starting. *@fd is the caller's, whatever is returned. */
static int connect_to(const char *path, int *fd, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(e, ENAMETOOLONG, "%s: path of a socket, wanted at most %zu bytes", path, sizeof(a.sun_path) - 1);
	memcpy(a.sun_path, path, strlen(path) + 1);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return err_errno(e, "cannot make a socket");
	for (int i = 0; i < OPEN_TRIES; i++) {
		if (connect(*fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
			return 0;
		(void)poll(NULL, 0, 25); /* a pause */
	}
	return err_set(e, ETIMEDOUT, "QEMU did not open its socket %s", path);
}

int qtest_open(const char *path, const char *arch, struct qtest *ret, struct err *e)
{
	ret->x86 = !strcmp(arch, "x86_64");
	ret->n = 0;
	return connect_to(path, &ret->fd, e);
}

int qtest_stop(const char *monitor, struct err *e)
{
	static const char ask_for[] = "stop\ninfo status\n", wanted[] = "VM status: paused";
	cleanup_buf struct buf said = BUF_INIT;
	cleanup_fd int fd = -1;
	int r = connect_to(monitor, &fd, e);

	r = r ? r : file_write_all(fd, ask_for, strlen(ask_for), "QEMU's monitor", e);
	while (!r) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char bytes[1024];
		ssize_t n = poll(&p, 1, ANSWER_MS) > 0 ? read(fd, bytes, sizeof(bytes)) : 0;

		if (n <= 0 || said.len > MAX_MONITOR_BYTES)
			return err_set(e, EIO, "QEMU's monitor did not say \"%s\"", wanted);
		buf_put(&said, bytes, (size_t)n);
		if (said.bad)
			return err_set(e, ENOMEM, "no memory for QEMU's monitor");
		if (memmem(said.data, said.len, wanted, strlen(wanted)))
			break;
	}
	return r;
}

/* One line without its newline, which stays valid until the next call. */
static int read_line(struct qtest *q, char **ret, struct err *e)
{
	char *end;

	while (!(end = memchr(q->in, '\n', q->n))) {
		struct pollfd p = { .fd = q->fd, .events = POLLIN };
		ssize_t n;

		if (q->n == sizeof(q->in))
			return err_set(e, EINVAL, "QEMU's test socket sent a line of more than %zu bytes", sizeof(q->in));
		if (poll(&p, 1, ANSWER_MS) <= 0)
			return err_set(e, ETIMEDOUT, "QEMU's test socket did not answer");
		n = read(q->fd, q->in + q->n, sizeof(q->in) - q->n);
		if (n <= 0)
			return err_set(e, EPIPE, "QEMU closed its test socket");
		q->n += (size_t)n;
	}
	*end = '\0';
	*ret = q->in;
	return 0;
}

static int ask(struct qtest *q, const char **ret, struct err *e, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Send one line; *@ret is what stands behind "OK", without blanks. */
static int ask(struct qtest *q, const char **ret, struct err *e, const char *fmt, ...)
{
	char line[256], *answer = NULL;
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(line))
		return err_set(e, EINVAL, "a request to QEMU is too long");
	q->n = 0; /* one answer a request: nothing is left of the last */
	r = file_write_all(q->fd, line, (size_t)n, "QEMU's test socket", e);
	r = r ? r : read_line(q, &answer, e);
	if (r)
		return r;
	if (strncmp(answer, "OK", 2) || (answer[2] && answer[2] != ' '))
		return err_set(e, EINVAL, "QEMU answered \"%.60s\" to \"%.60s\"", answer, line);
	*ret = answer + 2 + strspn(answer + 2, " ");
	return 0;
}

int qtest_read(struct qtest *q, uint64_t address, size_t n, struct buf *ret, struct err *e)
{
	while (n) {
		size_t part = n < CHUNK_BYTES ? n : CHUNK_BYTES;
		uint8_t bytes[CHUNK_BYTES];
		const char *answer;
		int r = ask(q, &answer, e, "read 0x%" PRIx64 " 0x%zx\n", address, part);

		if (r)
			return r;
		if (strncmp(answer, "0x", 2) || !hex_decode(answer + 2, bytes, part))
			return err_set(e, EINVAL, "QEMU's answer for 0x%zx bytes at 0x%" PRIx64 " is not as long", part, address);
		buf_put(ret, bytes, part);
		address += part;
		n -= part;
	}
	return ret->bad ? err_set(e, ENOMEM, "no memory for the machine's bytes") : 0;
}

/* --- fw_cfg -------------------------------------------------------------------------------------------------------- */

/* Select item @key, have its first @n bytes written to memory, and read them there. */
static int read_item(struct qtest *q, unsigned key, size_t n, struct buf *ret, struct err *e)
{
	const uint32_t at = q->x86 ? X86_SCRATCH : ARM64_SCRATCH;
	cleanup_buf struct buf d = BUF_INIT, done = BUF_INIT;
	char hex[2 * DESCRIPTOR_BYTES + 1];
	const char *answer;
	int r;

	buf_u32be(&d, (uint32_t)key << 16 | FW_CFG_SELECT_AND_READ);
	buf_u32be(&d, (uint32_t)n);
	buf_u64be(&d, at + DESCRIPTOR_BYTES);
	if (d.bad)
		return err_set(e, ENOMEM, "no memory for a fw_cfg request");
	hex_encode(d.data, DESCRIPTOR_BYTES, hex);
	r = ask(q, &answer, e, "write 0x%x 0x%x 0x%s\n", at, DESCRIPTOR_BYTES, hex);
	if (!r && q->x86) { /* big-endian register of 64 bits, as two of 32; the second starts it */
		r = ask(q, &answer, e, "outl 0x%x 0x0\n", X86_DMA_PORT);
		r = r ? r : ask(q, &answer, e, "outl 0x%x 0x%x\n", X86_DMA_PORT + 4, __builtin_bswap32(at));
	} else if (!r) {
		r = ask(q, &answer, e, "writeq 0x%x 0x%" PRIx64 "\n", ARM64_DMA, __builtin_bswap64(at));
	}
	r = r ? r : qtest_read(q, at, 4, &done, e);
	if (!r && (done.data[0] | done.data[1] | done.data[2] | done.data[3]))
		r = err_set(e, EIO, "the machine's fw_cfg did not hand out item 0x%x", key);
	return r ? r : qtest_read(q, at + DESCRIPTOR_BYTES, n, ret, e);
}

int qtest_fw_cfg(struct qtest *q, const char *name, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf directory = BUF_INIT;
	struct reader rd;
	uint32_t n;
	int r = read_item(q, FW_CFG_DIRECTORY, 4, &directory, e);

	if (r)
		return r;
	rd = reader_init(directory.data, directory.len);
	n = reader_u32be(&rd);
	if (!n || n > MAX_FW_CFG_FILES)
		return err_set(e, EINVAL, "the machine's fw_cfg has %u files, wanted 1 to %d", n, MAX_FW_CFG_FILES);
	buf_free(&directory);
	r = read_item(q, FW_CFG_DIRECTORY, 4 + n * FW_CFG_ENTRY_BYTES, &directory, e);
	if (r)
		return r;
	rd = reader_init(directory.data + 4, directory.len - 4);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = reader_u32be(&rd);
		unsigned key = reader_u16be(&rd);
		const char *found;

		(void)reader_u16be(&rd);
		found = (const char *)reader_bytes(&rd, FW_CFG_ENTRY_BYTES - 8);
		if (!found || strncmp(found, name, FW_CFG_ENTRY_BYTES - 8))
			continue;
		if (size > QTEST_MAX_FILE_BYTES)
			return err_set(e, EFBIG, "fw_cfg file %s has %u bytes", name, size);
		return read_item(q, key, size, ret, e);
	}
	return err_set(e, ENOENT, "the machine's fw_cfg has no file %s", name);
}

/* --- TPM ------------------------------------------------------------------------------------------------------------- */

static int tis_put(struct qtest *q, uint32_t address, unsigned value, struct err *e)
{
	const char *answer;

	return ask(q, &answer, e, "writeb 0x%x 0x%x\n", address, value);
}

static int tis_get(struct qtest *q, uint32_t address, uint8_t *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int r = qtest_read(q, address, 1, &b, e);

	if (!r)
		*ret = b.data[0];
	return r;
}

/* Until all bits of @mask are set. */
static int tis_wait(struct qtest *q, uint32_t address, uint8_t mask, struct err *e)
{
	for (int i = 0; i < TIS_POLLS; i++) {
		uint8_t now = 0;
		int r = tis_get(q, address, &now, e);

		if (r || (now & mask) == mask)
			return r;
		(void)poll(NULL, 0, 2); /* a pause */
	}
	return err_set(e, ETIMEDOUT, "the machine's TPM register 0x%x never got 0x%x", address, mask);
}

static int tis_command(struct qtest *q, const struct buf *command, struct buf *ret, struct err *e)
{
	int r = tis_put(q, TIS_ACCESS, TIS_USE, e);

	r = r ? r : tis_wait(q, TIS_ACCESS, TIS_ACTIVE, e);
	r = r ? r : tis_put(q, TIS_STS, TIS_READY, e);
	r = r ? r : tis_wait(q, TIS_STS, TIS_READY, e);
	for (size_t i = 0; !r && i < command->len; i++)
		r = tis_put(q, TIS_FIFO, command->data[i], e);
	r = r ? r : tis_put(q, TIS_STS, TIS_GO, e);
	r = r ? r : tis_wait(q, TIS_STS, TIS_DATA, e);
	while (!r) {
		uint8_t status = 0, byte = 0;

		r = tis_get(q, TIS_STS, &status, e);
		if (r || (status & TIS_DATA) != TIS_DATA)
			break;
		if (ret->len == MAX_TPM_ANSWER)
			return err_set(e, EFBIG, "the machine's TPM answers with more than %u bytes", MAX_TPM_ANSWER);
		r = tis_get(q, TIS_FIFO, &byte, e);
		buf_u8(ret, byte);
	}
	return r;
}

int qtest_pcr(struct qtest *q, unsigned pcr, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	cleanup_buf struct buf command = BUF_INIT, answer = BUF_INIT;
	struct reader rd;
	uint32_t code, digests;
	uint16_t bytes;
	int r;

	buf_u16be(&command, 0x8001); /* TPM_ST_NO_SESSIONS */
	buf_u32be(&command, 20);
	buf_u32be(&command, 0x17e); /* TPM2_PCR_Read */
	buf_u32be(&command, 1);     /* one selection */
	buf_u16be(&command, HASH_SHA256);
	buf_u8(&command, 3);
	for (unsigned i = 0; i < 3; i++)
		buf_u8(&command, pcr / 8 == i ? (uint8_t)(1u << pcr % 8) : 0);
	if (command.bad)
		return err_set(e, ENOMEM, "no memory for a TPM command");
	r = tis_command(q, &command, &answer, e);
	if (r)
		return r;
	rd = reader_init(answer.data, answer.len);
	(void)reader_bytes(&rd, 6);
	code = reader_u32be(&rd);
	(void)reader_bytes(&rd, 4 + 4 + 2 + 1 + 3); /* update counter, selection */
	digests = reader_u32be(&rd);
	bytes = reader_u16be(&rd);
	if (rd.bad || code || digests != 1 || bytes != HASH_SHA256_BYTES || rd.left != HASH_SHA256_BYTES)
		return err_set(e, EINVAL, "the machine's TPM answers 0x%x to TPM2_PCR_Read of PCR %u, with %u digests", code, pcr,
			       digests);
	reader_copy(&rd, ret, HASH_SHA256_BYTES);
	return 0;
}
