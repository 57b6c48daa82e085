/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/fileset.c - what a file system is to hold, described before anything is written */
#include "image-builder/fileset.h"

#include "common/file.h"
#include "image-builder/elf.h"
#include "image-builder/folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void clear(struct fileset_entry *x)
{
	free(x->path);
	free(x->source);
	free(x->data);
}

void fileset_free(struct fileset *f)
{
	for (size_t i = 0; i < f->n; i++)
		clear(&f->v[i]);
	free(f->v);
	f->v = NULL;
	f->n = 0;
}

static bool same(const struct fileset_entry *a, const struct fileset_entry *b)
{
	return a->kind == b->kind && a->mode == b->mode && !a->source == !b->source &&
	       (!a->source || !strcmp(a->source, b->source)) && a->len == b->len &&
	       (!a->len || !memcmp(a->data, b->data, a->len));
}

static const struct fileset_entry *find(const struct fileset *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].path, path))
			return &f->v[i];
	return NULL;
}

/* Takes over what @x points to, whatever is returned. */
static int add(struct fileset *f, struct fileset_entry *x, struct err *e)
{
	const struct fileset_entry *there;
	struct fileset_entry *v;
	int r = 0;

	if (!x->path || (x->kind != FILESET_FOLDER && x->kind != FILESET_DATA && !x->source) || (x->len && !x->data))
		r = err_set(e, ENOMEM, "no memory for the list of files");
	if (!r && (!*x->path || *x->path == '/' || strstr(x->path, "..")))
		r = err_set(e, EINVAL, "\"%.100s\" is no path within a file system", x->path);
	there = r ? NULL : find(f, x->path);
	if (there) {
		r = same(there, x) ? 0 : err_set(e, EEXIST, "two different things are to stand at /%s", x->path);
		clear(x);
		return r;
	}
	v = r ? NULL : realloc(f->v, (f->n + 1) * sizeof(*v));
	if (!v) {
		clear(x);
		return r ? r : err_set(e, ENOMEM, "no memory for the list of files");
	}
	f->v = v;
	f->v[f->n++] = *x;
	return 0;
}

int fileset_folder(struct fileset *f, const char *path, mode_t mode, struct err *e)
{
	struct fileset_entry x = { .kind = FILESET_FOLDER, .mode = mode, .path = strdup(path) };

	return add(f, &x, e);
}

int fileset_copy(struct fileset *f, const char *path, mode_t mode, const char *source, struct err *e)
{
	struct fileset_entry x = { .kind = FILESET_COPY, .mode = mode, .path = strdup(path), .source = strdup(source) };

	return add(f, &x, e);
}

int fileset_data(struct fileset *f, const char *path, mode_t mode, const struct buf *data, struct err *e)
{
	struct fileset_entry x = { .kind = FILESET_DATA, .mode = mode, .path = strdup(path), .len = data->len };

	if (data->bad)
		x.len = 1; /* without data: add() says so */
	else if (x.len)
		x.data = malloc(x.len);
	if (x.data)
		memcpy(x.data, data->data, x.len);
	return add(f, &x, e);
}

int fileset_text(struct fileset *f, const char *path, const char *text, struct err *e)
{
	const struct buf data = { .data = (uint8_t *)text, .len = strlen(text) };

	return fileset_data(f, path, 0644, &data, e);
}

int fileset_link(struct fileset *f, const char *path, const char *target, struct err *e)
{
	struct fileset_entry x = { .kind = FILESET_LINK, .mode = 0777, .path = strdup(path), .source = strdup(target) };

	return add(f, &x, e);
}

int fileset_merged_usr(struct fileset *f, struct err *e)
{
	static const char *const merged[][2] = {
		{ "bin", "usr/bin" }, { "sbin", "usr/sbin" }, { "lib", "usr/lib" }, { "lib64", "usr/lib64" }
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(merged); i++) {
		r = fileset_folder(f, merged[i][1], 0755, e);
		r = r ? r : fileset_link(f, merged[i][0], merged[i][1], e);
	}
	return r;
}

/* One thing of the tree as it is there: a link stays one, a file keeps whether it may be executed. */
static int add_from_tree(struct fileset *f, const char *path, struct err *e)
{
	char full[PATH_MAX], target[PATH_MAX];
	struct stat st;
	ssize_t n;
	int r = folder_join(f->tree, path, full, e);

	if (r)
		return r;
	if (lstat(full, &st) < 0)
		return err_errno(e, "cannot look at %s", full);
	if (S_ISREG(st.st_mode))
		return fileset_copy(f, path, st.st_mode & 0111 ? 0755 : 0644, full, e);
	if (!S_ISLNK(st.st_mode))
		return err_set(e, EINVAL, "%s is neither file nor link", full);
	n = readlink(full, target, sizeof(target) - 1);
	if (n < 0)
		return err_errno(e, "cannot read link %s", full);
	target[n] = '\0';
	return fileset_link(f, path, target, e);
}

static int add_closure(struct fileset *f, const char *const *path, size_t n, struct err *e)
{
	cleanup_elf_files struct elf_files files = { 0 };
	int r = elf_closure(f->tree, f->arch, path, n, &files, e);

	for (size_t i = 0; !r && i < files.n; i++)
		r = add_from_tree(f, files.path[i], e);
	return r;
}

/* @path, the links beside it that lead on, and the file that is finally meant. */
static int add_with_links(struct fileset *f, const char *path, struct err *e)
{
	char real[ELF_MAX_PATH_BYTES], at[ELF_MAX_PATH_BYTES];
	int r = elf_resolve(f->tree, path, real, e);

	if (!r && snprintf(at, sizeof(at), "%s", path) >= (int)sizeof(at))
		r = err_set(e, ENAMETOOLONG, "path in the tree is too long: %.100s", path);
	while (!r && strcmp(at, real)) { /* ends: elf_resolve() has refused circles */
		const struct fileset_entry *x;
		char *slash = strrchr(at, '/');

		r = add_from_tree(f, at, e);
		x = r ? NULL : find(f, at);
		if (!x || x->kind != FILESET_LINK || strchr(x->source, '/') || !slash ||
		    (size_t)(slash + 1 - at) + strlen(x->source) >= sizeof(at))
			break; /* it leads elsewhere: the file itself is what counts */
		(void)snprintf(slash + 1, sizeof(at) - (size_t)(slash + 1 - at), "%s", x->source); /* checked */
	}
	return r ? r : add_from_tree(f, real, e);
}

int fileset_from_tree(struct fileset *f, const char *const *path, size_t n, struct err *e)
{
	int r = add_closure(f, path, n, e);

	for (size_t i = 0; !r && i < n; i++)
		r = add_with_links(f, path[i], e);
	return r;
}

/* Where the tree has the library of that soname, as ld.so would look for it there. */
static int find_library(const struct fileset *f, const char *soname, const char *by, char *ret, struct err *e)
{
	const char *const folders[] = { strcmp(f->arch, "arm64") ? "usr/lib/x86_64-linux-gnu"
								 : "usr/lib/aarch64-linux-gnu",
					"usr/lib", "usr/lib64" };
	char real[ELF_MAX_PATH_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		struct err none = ERR_INIT;

		if (snprintf(ret, ELF_MAX_PATH_BYTES, "%s/%s", folders[i], soname) < ELF_MAX_PATH_BYTES &&
		    !elf_resolve(f->tree, ret, real, &none))
			return 0;
	}
	return err_set(e, ENOENT, "%s needs %.60s, which is not in the tree %s", by, soname, f->tree);
}

int fileset_chmod(struct fileset *f, const char *path, mode_t mode, struct err *e)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].path, path)) {
			f->v[i].mode = mode;
			return 0;
		}
	return err_set(e, ENOENT, "%s is not among the files", path);
}

int fileset_program(struct fileset *f, const char *path, const char *source, struct err *e)
{
	cleanup_buf struct buf bytes = BUF_INIT;
	struct elf elf;
	int r = file_read(source, ELF_MAX_BYTES, &bytes, e);

	r = r ? r : elf_parse(bytes.data, bytes.len, source, &elf, e);
	if (r)
		return r;
	if (elf.machine != (strcmp(f->arch, "arm64") ? ELF_MACHINE_X86_64 : ELF_MACHINE_ARM64))
		return err_set(e, EINVAL, "%s is for another architecture (ELF machine %u), wanted %s", source,
			       elf.machine, f->arch);
	for (size_t i = 0; !r && i < elf.n_needed; i++) {
		char library[ELF_MAX_PATH_BYTES];
		const char *one = library;

		r = find_library(f, elf.needed[i], source, library, e);
		r = r ? r : fileset_from_tree(f, &one, 1, e);
	}
	if (!r && elf.interp) {
		char loader[ELF_MAX_PATH_BYTES];
		const char *one = loader;

		/* "/lib64/ld-linux-x86-64.so.2" stands in usr/lib64, to which /lib64 is a link. */
		if (snprintf(loader, sizeof(loader), "usr%s", elf.interp) >= (int)sizeof(loader))
			return err_set(e, ENAMETOOLONG, "the loader's path in %s is too long", source);
		r = fileset_from_tree(f, &one, 1, e);
	}
	return r ? r : fileset_copy(f, path, 0755, source, e);
}

int fileset_sha256(const struct fileset *f, const char *path, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	const struct fileset_entry *x;

	while (*path == '/')
		path++;
	x = find(f, path);
	if (!x)
		return err_set(e, ENOENT, "/%s is to be measured, but the image does not hold it", path);
	if (x->kind == FILESET_COPY)
		return hash_sha256_file(x->source, ret, e);
	if (x->kind != FILESET_DATA)
		return err_set(e, EINVAL, "/%s is to be measured, but is no plain file", path);
	hash_sha256(x->data, x->len, ret);
	return 0;
}

int fileset_bytes(const struct fileset *f, uint64_t *ret, struct err *e)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct stat st;

		sum += f->v[i].len;
		if (f->v[i].kind != FILESET_COPY)
			continue;
		if (stat(f->v[i].source, &st) < 0)
			return err_errno(e, "cannot look at %s", f->v[i].source);
		sum += (uint64_t)st.st_size;
	}
	*ret = sum;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct fileset_entry *)a)->path, ((const struct fileset_entry *)b)->path);
}

static int write_data(const char *to, const struct fileset_entry *x, struct err *e)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, x->mode), r;

	if (fd < 0)
		return err_errno(e, "cannot create %s", to);
	r = file_write_all(fd, x->data, x->len, to, e);
	if (!r && fchmod(fd, x->mode) < 0)
		r = err_errno(e, "cannot set the mode of %s", to);
	if (close(fd) < 0 && !r)
		r = err_errno(e, "cannot close %s", to);
	return r;
}

static int write_one(const char *folder, const struct fileset_entry *x, struct err *e)
{
	char to[PATH_MAX], parent[PATH_MAX];
	int r = folder_join(folder, x->path, to, e);

	if (r)
		return r;
	memcpy(parent, to, sizeof(parent));
	*strrchr(parent, '/') = '\0'; /* folder_join() put one there */
	r = file_mkdirs(parent, e);
	if (r)
		return r;
	switch (x->kind) {
	case FILESET_FOLDER:
		r = file_mkdirs(to, e);
		return !r && chmod(to, x->mode) < 0 ? err_errno(e, "cannot set the mode of %s", to) : r;
	case FILESET_COPY:
		return folder_copy_file(x->source, to, x->mode, e);
	case FILESET_DATA:
		return write_data(to, x, e);
	case FILESET_LINK:
		return symlink(x->source, to) < 0 ? err_errno(e, "cannot make link %s", to) : 0;
	}
	return err_set(e, EINVAL, "entry of unknown kind");
}

int fileset_to_folder(struct fileset *f, const char *folder, struct err *e)
{
	int r = 0;

	qsort(f->v, f->n, sizeof(*f->v), by_path); /* so that links and folders stand before what is below them */
	for (size_t i = 0; !r && i < f->n; i++)
		r = write_one(folder, &f->v[i], e);
	return r;
}

int fileset_to_cpio(const struct fileset *f, struct cpio *c, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < f->n; i++) {
		const struct fileset_entry *x = &f->v[i];

		if (x->kind == FILESET_FOLDER)
			r = cpio_add_dir(c, x->path, x->mode, e);
		else if (x->kind == FILESET_COPY)
			r = cpio_add_copy(c, x->path, x->mode, x->source, e);
		else if (x->kind == FILESET_DATA)
			r = cpio_add_file(c, x->path, x->mode, x->data, x->len, e);
		else
			r = cpio_add_link(c, x->path, x->source, e);
	}
	return r;
}
