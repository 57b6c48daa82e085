/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/cpio.c - deterministic cpio archives (newc) for the initramfs */
#include "image-builder/cpio.h"

#include "common/file.h"

#include <string.h>
#include <sys/stat.h>

#define CPIO_MAX_FILE_BYTES (512u << 20)
#define CPIO_ALIGN          4
#define CPIO_BLOCK_BYTES    512
#define CPIO_TRAILER        "TRAILER!!!"

/* One entry; @mode with its type bits; @data: content or link target. */
struct cpio_entry {
	char *path;
	mode_t mode;
	uint32_t major, minor;
	struct buf data;
	int implied; /* a parent nobody has added yet */
};

void cpio_free(struct cpio *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->entry[i].path);
		buf_free(&c->entry[i].data);
	}
	free(c->entry);
	*c = (struct cpio)CPIO_INIT;
}

/* Relative, no empty, "." or ".." part. */
static int check_path(const char *path, struct err *e)
{
	const char *part = path;

	if (strlen(path) >= CPIO_MAX_PATH_BYTES)
		return err_set(e, ENAMETOOLONG, "initramfs path has %zu bytes, wanted less than %d", strlen(path),
			       CPIO_MAX_PATH_BYTES);
	for (;;) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return err_set(e, EINVAL,
				       "initramfs path \"%s\" is not relative or has an empty, \".\" or \"..\" part",
				       path);
		if (!part[n])
			return 0;
		part += n + 1;
	}
}

static struct cpio_entry *find(struct cpio *c, const char *path, size_t len)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strncmp(c->entry[i].path, path, len) && !c->entry[i].path[len])
			return &c->entry[i];
	return NULL;
}

static int append(struct cpio *c, const char *path, size_t len, mode_t mode, struct cpio_entry **ret, struct err *e)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		struct cpio_entry *p = reallocarray(c->entry, cap, sizeof(*p));

		if (!p)
			return err_set(e, ENOMEM, "no memory for the initramfs");
		c->entry = p;
		c->cap = cap;
	}
	c->entry[c->n] = (struct cpio_entry){.path = strndup(path, len), .mode = mode};
	if (!c->entry[c->n].path)
		return err_set(e, ENOMEM, "no memory for the initramfs");
	*ret = &c->entry[c->n++];
	return 0;
}

static int add_parents(struct cpio *c, const char *path, struct err *e)
{
	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		struct cpio_entry *p = find(c, path, (size_t)(s - path));
		int r;

		if (p && !S_ISDIR(p->mode))
			return err_set(e, ENOTDIR, "initramfs path \"%s\" lies below \"%s\", which is no folder", path,
				       p->path);
		if (p)
			continue;
		r = append(c, path, (size_t)(s - path), S_IFDIR | 0755, &p, e);
		if (r)
			return r;
		p->implied = 1;
	}
	return 0;
}

/* *@ret is valid until the next entry is added. */
static int add(struct cpio *c, const char *path, mode_t type, mode_t mode, struct cpio_entry **ret, struct err *e)
{
	struct cpio_entry *old;
	int r = check_path(path, e);

	if (r)
		return r;
	old = find(c, path, strlen(path));
	if (old && old->implied && type == S_IFDIR) {
		old->implied = 0;
		old->mode = type | (mode & 07777);
		*ret = old;
		return 0;
	}
	if (old)
		return err_set(e, EEXIST, "initramfs path \"%s\" is there already", path);
	r = add_parents(c, path, e);
	return r ? r : append(c, path, strlen(path), type | (mode & 07777), ret, e);
}

int cpio_add_dir(struct cpio *c, const char *path, mode_t mode, struct err *e)
{
	struct cpio_entry *n;

	return add(c, path, S_IFDIR, mode, &n, e);
}

int cpio_add_file(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len, struct err *e)
{
	struct cpio_entry *n;
	int r;

	if (len > CPIO_MAX_FILE_BYTES)
		return err_set(e, EFBIG, "initramfs file \"%s\" has %zu bytes, wanted at most %u", path, len,
			       CPIO_MAX_FILE_BYTES);
	r = add(c, path, S_IFREG, mode, &n, e);
	if (r)
		return r;
	buf_put(&n->data, data, len);
	return n->data.bad ? err_set(e, ENOMEM, "no memory for initramfs file \"%s\"", path) : 0;
}

int cpio_add_copy(struct cpio *c, const char *path, mode_t mode, const char *source, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int r = file_read(source, CPIO_MAX_FILE_BYTES, &b, e);

	return r ? r : cpio_add_file(c, path, mode, b.data, b.len, e);
}

int cpio_add_link(struct cpio *c, const char *path, const char *target, struct err *e)
{
	struct cpio_entry *n;
	int r = add(c, path, S_IFLNK, 0777, &n, e);

	if (r)
		return r;
	if (!*target || strlen(target) >= CPIO_MAX_PATH_BYTES)
		return err_set(e, EINVAL, "initramfs link \"%s\" has a target of %zu bytes", path, strlen(target));
	buf_str(&n->data, target);
	return n->data.bad ? err_set(e, ENOMEM, "no memory for initramfs link \"%s\"", path) : 0;
}

int cpio_add_char(struct cpio *c, const char *path, mode_t mode, uint32_t major, uint32_t minor, struct err *e)
{
	struct cpio_entry *n;
	int r = add(c, path, S_IFCHR, mode, &n, e);

	if (r)
		return r;
	n->major = major;
	n->minor = minor;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct cpio_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* newc header: magic and 13 fields of 8 hex digits, then the name with its NUL, padded; then the data, padded. */
static void put_entry(struct buf *out, const struct cpio_entry *n, uint32_t inode, uint32_t mtime)
{
	buf_printf(out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode, (unsigned)n->mode, 0u, 0u,
		   S_ISDIR(n->mode) ? 2u : 1u, mtime, (unsigned)n->data.len, 0u, 0u, n->major, n->minor,
		   (unsigned)strlen(n->path) + 1, 0u);
	buf_put(out, n->path, strlen(n->path) + 1);
	buf_pad(out, CPIO_ALIGN);
	buf_put(out, n->data.data, n->data.len);
	buf_pad(out, CPIO_ALIGN);
}

int cpio_write(struct cpio *c, struct buf *ret, struct err *e)
{
	struct cpio_entry trailer = {.path = (char[]){CPIO_TRAILER}};
	cleanup_buf struct buf out = BUF_INIT;

	/* A folder's path is a prefix of what is in it, so it sorts before. */
	if (c->n)
		qsort(c->entry, c->n, sizeof(*c->entry), by_path);
	for (size_t i = 0; i < c->n; i++)
		put_entry(&out, &c->entry[i], (uint32_t)i + 1, c->mtime);
	put_entry(&out, &trailer, 0, 0);
	buf_pad(&out, CPIO_BLOCK_BYTES);
	buf_put(ret, out.data, out.len);
	if (out.bad || ret->bad)
		return err_set(e, ENOMEM, "no memory for the initramfs");
	return 0;
}
