/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/tar_write.c - deterministic tar archives of folders */
#include "image-builder/tar_write.h"

#include "common/buf.h"
#include "common/file.h"

#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK      512
#define COPY_BYTES 65536

/* struct member - one file of the archive; @link: "" if it is none */
struct member {
	char path[PATH_MAX];
	char link[PATH_MAX];
	char type;
	mode_t mode;
	uint64_t size;
};

static void octal(uint8_t *field, size_t width, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%0*llo", (int)width - 1,
		       (unsigned long long)value); /* bounded by the callers */
	memcpy(field, text, width);
}

/* One header block; names longer than their field are cut (a pax record before it holds the whole). */
static void header(struct buf *out, const struct member *m, uint64_t epoch)
{
	uint8_t h[BLOCK] = { 0 };
	unsigned sum = 0;

	memcpy(h, m->path, strnlen(m->path, 100));
	octal(h + 100, 8, m->mode);
	octal(h + 108, 8, 0);
	octal(h + 116, 8, 0);
	octal(h + 124, 12, m->size);
	octal(h + 136, 12, epoch);
	memset(h + 148, ' ', 8);
	h[156] = (uint8_t)m->type;
	memcpy(h + 157, m->link, strnlen(m->link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	octal(h + 329, 8, 0);
	octal(h + 337, 8, 0);
	for (size_t i = 0; i < BLOCK; i++)
		sum += h[i];
	octal(h + 148, 7, sum);
	h[155] = ' ';
	buf_put(out, h, sizeof(h));
}

/* "LEN KEY=VALUE\n", where LEN counts itself. */
static void pax_record(struct buf *out, const char *key, const char *value)
{
	size_t body = strlen(key) + strlen(value) + 3, len = body + 1, digits;

	for (;;) {
		digits = (size_t)snprintf(NULL, 0, "%zu", len);
		if (body + digits == len)
			break;
		len = body + digits;
	}
	buf_printf(out, "%zu %s=%s\n", len, key, value);
}

static int put_member(int fd, const char *name, const struct member *m, uint64_t epoch, struct err *e)
{
	cleanup_buf struct buf out = BUF_INIT, pax = BUF_INIT;

	if (strlen(m->path) > 100)
		pax_record(&pax, "path", m->path);
	if (strlen(m->link) > 100)
		pax_record(&pax, "linkpath", m->link);
	if (pax.len) {
		const struct member x = { .path = "pax", .type = 'x', .mode = 0644, .size = pax.len };

		header(&out, &x, epoch);
		buf_put(&out, pax.data, pax.len);
		buf_pad(&out, BLOCK);
	}
	header(&out, m, epoch);
	if (out.bad || pax.bad)
		return err_set(e, ENOMEM, "no memory for a tar header");
	return file_write_all(fd, out.data, out.len, name, e);
}

static int put_content(int fd, const char *name, const char *path, uint64_t size, struct err *e)
{
	static const uint8_t zeros[BLOCK];
	cleanup_fd int in = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free uint8_t *block = malloc(COPY_BYTES);
	uint64_t left = size;
	int r = 0;

	if (in < 0)
		return err_errno(e, "cannot open %s", path);
	if (!block)
		return err_set(e, ENOMEM, "no memory to copy %s", path);
	while (!r && left) {
		ssize_t n = read(in, block, left < COPY_BYTES ? left : COPY_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? err_errno(e, "cannot read %s", path)
				 : err_set(e, EIO, "%s shrank while it was read", path);
		r = file_write_all(fd, block, (size_t)n, name, e);
		left -= (uint64_t)n;
	}
	if (!r && size % BLOCK)
		r = file_write_all(fd, zeros, BLOCK - size % BLOCK, name, e);
	return r;
}

/* @f as a member; @skip: bytes of its path that are the folder's. */
static int describe(const FTSENT *f, size_t skip, struct member *ret, struct err *e)
{
	const struct stat *st = f->fts_statp;
	ssize_t n;

	*ret = (struct member){ .mode = st->st_mode & 07777 };
	if (snprintf(ret->path, sizeof(ret->path), "%s%s", f->fts_path + skip, S_ISDIR(st->st_mode) ? "/" : "") >=
	    (int)sizeof(ret->path))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", f->fts_path);
	if (S_ISDIR(st->st_mode)) {
		ret->type = '5';
	} else if (S_ISREG(st->st_mode)) {
		ret->type = '0';
		ret->size = (uint64_t)st->st_size;
	} else if (S_ISLNK(st->st_mode)) {
		ret->type = '2';
		ret->mode = 0777;
		n = readlink(f->fts_accpath, ret->link, sizeof(ret->link) - 1);
		if (n < 0)
			return err_errno(e, "cannot read link %s", f->fts_path);
	} else {
		return err_set(e, EINVAL, "%s is neither file, folder nor link: it cannot be in a layer", f->fts_path);
	}
	if (ret->size > 077777777777)
		return err_set(e, EFBIG, "%s is larger than the 8 GiB that a tar header can say", f->fts_path);
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int put_entry(int fd, const char *name, const FTSENT *f, size_t skip, uint64_t epoch, struct err *e)
{
	struct member m;
	int r;

	if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS) {
		errno = f->fts_errno;
		return err_errno(e, "cannot read %s", f->fts_path);
	}
	if (f->fts_level == 0 || f->fts_info == FTS_DP)
		return 0;
	r = describe(f, skip, &m, e);
	r = r ? r : put_member(fd, name, &m, epoch, e);
	return r || m.type != '0' ? r : put_content(fd, name, f->fts_accpath, m.size, e);
}

int tar_write_folder(int fd, const char *name, const char *folder, uint64_t epoch, struct err *e)
{
	static const uint8_t end[2 * BLOCK];
	char *const paths[] = { (char *)folder, NULL };
	size_t skip = strlen(folder);
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *f;
	int r = 0;

	if (!fts)
		return err_errno(e, "cannot walk %s", folder);
	while (skip > 1 && folder[skip - 1] == '/')
		skip--;
	while (!r && (errno = 0, f = fts_read(fts))) {
		size_t from = skip;

		while (f->fts_path[from] == '/')
			from++;
		r = put_entry(fd, name, f, from, epoch, e);
	}
	if (!r && errno)
		r = err_errno(e, "cannot walk %s", folder);
	(void)fts_close(fts); /* only read */
	return r ? r : file_write_all(fd, end, sizeof(end), name, e);
}
