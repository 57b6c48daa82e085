/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/fec_write.c - make the parity of a volume where it belongs: in a file of its own, or behind something else */
#include "verity/fec_io.h"

#include "common/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Cover, encode, sync: f->parity is open. */
static int write_parity(struct verity_fec *f, struct err *e)
{
	struct stat st;
	int r = verity_fec_cover(f, e);

	if (r)
		return r;
	if (fstat(f->parity.fd, &st) < 0)
		return err_errno(e, "cannot stat %s", f->parity.name);
	/* The tree's file may end before its parity begins: the gap is covered too, and must be there to be read. */
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < f->parity_offset_bytes &&
	    ftruncate(f->parity.fd, (off_t)f->parity_offset_bytes) < 0)
		return err_errno(e, "cannot extend %s", f->parity.name);
	r = verity_fec_encode(f, e);
	if (!r)
		r = verity_io_sync(&f->parity, e);
	if (!r)
		f->fec_blocks_written = verity_fec_parity_bytes(f) / f->block_bytes;
	return r;
}

/* In a file that holds something else too. On failure a regular file gets its old size back. */
static int write_in_place(struct verity_fec *f, struct err *e)
{
	struct stat st;
	int r;

	if (fstat(f->parity.fd, &st) < 0)
		return err_errno(e, "cannot stat %s", f->parity.name);
	r = write_parity(f, e);
	if (r && S_ISREG(st.st_mode) && ftruncate(f->parity.fd, st.st_size) < 0)
		return err_context(e, "%s could not be cut back to %lld bytes", f->parity.name, (long long)st.st_size);
	return r;
}

/* A new file under a temporary name, then renamed. */
static int write_new(struct verity_fec *f, const char *path, struct err *e)
{
	struct file_new out = FILE_NEW_NONE;
	int r = file_new_open(&out, path, 0644, e);

	f->parity.fd = out.fd;
	if (!r)
		r = write_parity(f, e);
	f->parity.fd = -1;
	if (!r)
		r = file_new_publish(&out, true, e);
	file_new_drop(&out);
	return r;
}

int verity_fec_write(struct verity_fec *f, const char *path, uint64_t offset_bytes, struct err *e)
{
	cleanup_fd int fd = -1;
	struct stat st;
	bool is_there = stat(path, &st) == 0;
	int r;

	if (!is_there && errno != ENOENT)
		return err_errno(e, "cannot stat %s", path);
	f->parity = (struct verity_file){.fd = -1, .name = path, .io = f->hash.io};
	f->parity_offset_bytes = offset_bytes;
	/* The tree may stand in a file that has not got its name yet, so names count as well. */
	if (!strcmp(path, f->hash.name)) {
		f->parity.fd = f->hash.fd;
		return write_in_place(f, e);
	}
	if (is_there && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, EINVAL, "%s is not a regular file or block device", path);
	if (!is_there)
		return write_new(f, path, e);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	if (S_ISREG(st.st_mode) && !offset_bytes && !verity_fec_same_file(fd, f->data.fd) &&
	    !verity_fec_same_file(fd, f->hash.fd))
		return write_new(f, path, e);
	f->parity.fd = fd;
	r = write_in_place(f, e);
	f->parity.fd = -1;
	return r;
}
