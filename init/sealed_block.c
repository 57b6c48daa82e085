/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sealed_block.c - what is on the state partition, and the mark of a creation that is not finished */
#include "init/sealed_block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK_LABEL "mark"
enum { MARK_TEXT_BYTES = 64, MARK_BYTES = MARK_TEXT_BYTES + 8, SECOND_HEADER = 16384 };

static const uint8_t luks_first[8] = { 'L', 'U', 'K', 'S', 0xba, 0xbe, 0, 2 }, luks_second[8] = { 'S', 'K', 'U', 'L', 0xba, 0xbe, 0, 2 };

int pid1_sealed_mark(const struct pid1_sealed_tpm *t, uint64_t bytes, uint8_t ret[static PID1_SEALED_BLOCK_BYTES], struct err *e)
{
	_Static_assert(sizeof(PID1_SEALED_MARK) <= MARK_TEXT_BYTES, "the mark's text has its room");

	memset(ret, 0, PID1_SEALED_BLOCK_BYTES);
	memcpy(ret, PID1_SEALED_MARK, sizeof(PID1_SEALED_MARK));
	for (int i = 0; i < 8; i++)
		ret[MARK_TEXT_BYTES + i] = (uint8_t)(bytes >> 8 * (7 - i));
	return pid1_sealed_mac(t, MARK_LABEL, ret, MARK_BYTES, ret + MARK_BYTES, e);
}

int pid1_sealed_put(int fd, const void *data, size_t n, uint64_t at, struct err *e)
{
	const uint8_t *p = data;

	for (size_t done = 0; done < n;) {
		ssize_t w = pwrite(fd, p + done, n - done, (off_t)(at + done));

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_errno(e, "the state partition cannot be written at %llu", (unsigned long long)(at + done));
		done += (size_t)w;
	}
	return fsync(fd) ? err_errno(e, "the state partition cannot be synced") : 0;
}

static int get(int fd, uint8_t *ret, size_t n, uint64_t at, struct err *e)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = pread(fd, ret + done, n - done, (off_t)(at + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			return err_set(e, EIO, "the state partition ends at %llu", (unsigned long long)(at + done));
		if (r < 0)
			return err_errno(e, "the state partition cannot be read at %llu", (unsigned long long)(at + done));
		done += (size_t)r;
	}
	return 0;
}

static enum pid1_sealed_content content(const uint8_t *head, const uint8_t *mark, const uint8_t *tail)
{
	if (!memcmp(head, mark, PID1_SEALED_BLOCK_BYTES))
		return PID1_SEALED_UNFINISHED;
	if (!memcmp(head, luks_first, sizeof(luks_first)) || !memcmp(head + SECOND_HEADER, luks_second, sizeof(luks_second)))
		return PID1_SEALED_LUKS;
	return hash_is_zero(head, PID1_SEALED_HEADER_BYTES) && hash_is_zero(tail, PID1_SEALED_TAIL_BYTES) ? PID1_SEALED_BLANK :
													    PID1_SEALED_OTHER;
}

int pid1_sealed_look(int fd, const struct pid1_sealed_tpm *t, enum pid1_sealed_content *ret, uint64_t *ret_bytes, struct err *e)
{
	off_t end = lseek(fd, 0, SEEK_END);
	cleanup_free uint8_t *b = malloc(PID1_SEALED_HEADER_BYTES + PID1_SEALED_TAIL_BYTES);
	uint8_t mark[PID1_SEALED_BLOCK_BYTES];
	int r;

	if (!b)
		return err_set(e, ENOMEM, "no memory to look at the state partition");
	if (end < 0)
		return err_errno(e, "the state partition's size cannot be told");
	if (end < PID1_SEALED_MIN_BYTES)
		return err_set(e, ENOSPC, "the state partition has %lld bytes, wanted at least %u", (long long)end, PID1_SEALED_MIN_BYTES);
	r = get(fd, b, PID1_SEALED_HEADER_BYTES, 0, e);
	r = r ? r : get(fd, b + PID1_SEALED_HEADER_BYTES, PID1_SEALED_TAIL_BYTES, (uint64_t)end - PID1_SEALED_TAIL_BYTES, e);
	r = r ? r : pid1_sealed_mark(t, (uint64_t)end, mark, e);
	if (r)
		return r;
	*ret = content(b, mark, b + PID1_SEALED_HEADER_BYTES);
	*ret_bytes = (uint64_t)end;
	return 0;
}

/* --- the file system in the volume ----------------------------------------------------------------------------------------- */

enum { EXT4_AT = 1024, EXT4_BYTES = 1024, EXT4_MAGIC = 0xef53, EXT4_HAS_ERRORS = 2, EXT4_NEEDS_RECOVERY = 4 };

int pid1_sealed_fs_look(int fd, enum pid1_sealed_fs *ret, struct err *e)
{
	uint8_t b[EXT4_BYTES] = { 0 };
	struct reader sb = reader_init(b, sizeof(b));
	uint16_t magic, state;
	int r = get(fd, b, sizeof(b), EXT4_AT, e);

	if (r)
		return r;
	(void)reader_bytes(&sb, 0x38); /* all is within b */
	magic = reader_u16le(&sb);
	state = reader_u16le(&sb);
	(void)reader_bytes(&sb, 0x60 - 0x3c);
	*ret = magic != EXT4_MAGIC			 ? PID1_SEALED_FS_NONE :
	       state & EXT4_HAS_ERRORS			 ? PID1_SEALED_FS_ERRORS :
	       reader_u32le(&sb) & EXT4_NEEDS_RECOVERY ? PID1_SEALED_FS_JOURNAL :
							   PID1_SEALED_FS_CLOSED;
	return 0;
}
