/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/repair_copy.c - a copy of a damaged file, block by block where it cannot be read otherwise */
#include "verity/repair_copy.h"

#include "common/hash.h"
#include "common/interrupt.h"

#include <fcntl.h>
#include <string.h>

#define CHUNK_BYTES (1 << 20)

/* What a dying disk answers. Anything else is a fault of ours or of the system, and ends the work. */
static bool is_media_error(int r)
{
	return r == -EIO || r == -ENODATA || r == -EREMOTEIO || r == -EILSEQ || r == -ETIMEDOUT || r == -EBADE;
}

/* One chunk into @buf, zeros where it cannot be read. */
static int read_chunk(const struct verity_copy_params *p, uint8_t *buf, size_t n, uint64_t at, struct err *e)
{
	int r = verity_io_read(p->from, buf, n, at, e);

	if (!is_media_error(r))
		return r;
	for (size_t done = 0; done < n; done += p->block_bytes) {
		size_t part = n - done < p->block_bytes ? n - done : p->block_bytes;

		r = verity_io_read(p->from, buf + done, part, at + done, e);
		if (!r)
			continue;
		if (!is_media_error(r))
			return r;
		memset(buf + done, 0, part);
		p->bad(p->arg, p->from, at + done);
	}
	return 0;
}

static int copy_bytes(const struct verity_copy_params *p, const struct verity_file *to, uint64_t bytes, struct err *e)
{
	cleanup_free uint8_t *buf = malloc(CHUNK_BYTES);
	struct progress_meter meter;

	if (!buf)
		return err_set(e, ENOMEM, "no memory to copy %s", p->from->name);
	progress_begin(&meter, p->say, "copied", bytes);
	for (uint64_t at = 0; at < bytes; at += CHUNK_BYTES) {
		size_t n = bytes - at < CHUNK_BYTES ? (size_t)(bytes - at) : CHUNK_BYTES;
		int r = interrupt_check(e);

		if (!r)
			r = read_chunk(p, buf, n, at, e);
		if (!r && !hash_is_zero(buf, n)) /* a hole reads as zeros */
			r = verity_io_write(to, buf, n, at, e);
		if (r)
			return r;
		progress_done(&meter, at + n);
	}
	return ftruncate(to->fd, (off_t)bytes) < 0 ? err_errno(e, "cannot extend %s", to->name) : 0;
}

int verity_copy_make(const struct verity_copy_params *p, struct file_new *ret, struct err *e)
{
	struct verity_file to = {.name = p->path, .io = p->from->io};
	off_t bytes = lseek(p->from->fd, 0, SEEK_END);
	int r;

	if (bytes < 0)
		return err_errno(e, "cannot find the size of %s", p->from->name);
	if (faccessat(AT_FDCWD, p->path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, EEXIST, "%s is there already; a repaired copy is a new file", p->path);
	r = file_new_open(ret, p->path, 0644, e);
	to.fd = ret->fd;
	return r ? r : copy_bytes(p, &to, (uint64_t)bytes, e);
}
