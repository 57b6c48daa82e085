/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/elf_tree.c - links and the closure of shared libraries within a tree (declared in elf.h) */
#include "common/file.h"
#include "image-builder/elf.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_LINKS 40

void elf_files_free(struct elf_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->path[i]);
	free(f->path);
	*f = (struct elf_files){0};
}

static bool has(const struct elf_files *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->path[i], path))
			return true;
	return false;
}

static int add(struct elf_files *f, const char *path, struct err *e)
{
	char **p;

	if (has(f, path))
		return 0;
	if (f->n == ELF_MAX_CLOSURE)
		return err_set(e, EFBIG, "more than %d files are needed", ELF_MAX_CLOSURE);
	p = reallocarray(f->path, f->n + 1, sizeof(*p));
	if (!p)
		return err_set(e, ENOMEM, "no memory for the list of libraries");
	f->path = p;
	f->path[f->n] = strdup(path);
	if (!f->path[f->n])
		return err_set(e, ENOMEM, "no memory for the list of libraries");
	f->n++;
	return 0;
}

/* "a/b" and "c" to "a/b/c" in place. */
static int join(char path[static ELF_MAX_PATH_BYTES], const char *part, size_t n, struct err *e)
{
	size_t len = strlen(path);

	if (len + 1 + n >= ELF_MAX_PATH_BYTES)
		return err_set(e, ENAMETOOLONG, "path in the tree is too long: %.100s/...", path);
	if (len)
		path[len++] = '/';
	memcpy(path + len, part, n);
	path[len + n] = '\0';
	return 0;
}

static void go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
	else
		path[0] = '\0';
}

/* Put link target @to before @rest, which is what was still to be walked. */
static int prepend(char rest[static ELF_MAX_PATH_BYTES], const char *to, struct err *e)
{
	char both[2 * ELF_MAX_PATH_BYTES];

	if (snprintf(both, sizeof(both), "%s/%s", to, rest) >= ELF_MAX_PATH_BYTES)
		return err_set(e, ENAMETOOLONG, "link target in the tree is too long: %.100s...", to);
	memcpy(rest, both, strlen(both) + 1);
	return 0;
}

int elf_resolve(const char *root, const char *path, char ret[static ELF_MAX_PATH_BYTES], struct err *e)
{
	char done[ELF_MAX_PATH_BYTES] = "", rest[ELF_MAX_PATH_BYTES] = "", full[PATH_MAX], to[ELF_MAX_PATH_BYTES];
	unsigned links = 0;
	int r = prepend(rest, path, e);

	while (!r && rest[strspn(rest, "/")]) {
		char *part = rest + strspn(rest, "/");
		size_t n = strcspn(part, "/");
		ssize_t got;

		if (n == 2 && !strncmp(part, "..", 2))
			go_up(done);
		else if (n != 1 || *part != '.')
			r = join(done, part, n, e);
		memmove(rest, part + n, strlen(part + n) + 1);
		if (r)
			return r;
		if (snprintf(full, sizeof(full), "%s/%s", root, done) >= (int)sizeof(full))
			return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", full);
		got = readlink(full, to, sizeof(to) - 1);
		if (got < 0 && errno == EINVAL)
			continue; /* no link */
		if (got < 0)
			return err_errno(e, "%s is not in the tree %s", path, root);
		if (++links > MAX_LINKS)
			return err_set(e, ELOOP, "more than %d links on the way to %s in the tree", MAX_LINKS, path);
		to[got] = '\0';
		go_up(done);
		if (to[0] == '/')
			done[0] = '\0';
		r = prepend(rest, to, e);
	}
	if (r)
		return r;
	memcpy(ret, done, strlen(done) + 1);
	return 0;
}

/* struct walk - what the closure's functions share */
struct walk {
	const char *root, *arch;
	uint16_t machine;
	struct elf_files *ret, *seen; /* @seen: resolved paths, parsed or waiting to be */
};

/* @path with its folder's links followed, but not its own. */
static int resolve_folder(const char *root, const char *path, char ret[static ELF_MAX_PATH_BYTES], struct err *e)
{
	const char *slash = strrchr(path, '/');
	char folder[ELF_MAX_PATH_BYTES];
	int r;

	if (snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 0, path) >= (int)sizeof(folder))
		return err_set(e, ENAMETOOLONG, "path in the tree is too long: %.100s...", path);
	r = elf_resolve(root, folder, ret, e);
	return r ? r : join(ret, slash ? slash + 1 : path, strlen(slash ? slash + 1 : path), e);
}

/* Note @path, each link on the way to the file that it names, and that file, which then waits in @seen for its turn. */
static int note(struct walk *w, const char *path, struct err *e)
{
	char at[ELF_MAX_PATH_BYTES], to[ELF_MAX_PATH_BYTES], full[PATH_MAX];
	int r = resolve_folder(w->root, path, at, e);

	for (unsigned links = 0; !r && links < MAX_LINKS; links++) {
		ssize_t got;

		r = add(w->ret, at, e);
		if (r)
			return r;
		if (snprintf(full, sizeof(full), "%s/%s", w->root, at) >= (int)sizeof(full))
			return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", full);
		got = readlink(full, to, sizeof(to) - 1);
		if (got < 0 && errno == EINVAL)
			return add(w->seen, at, e);
		if (got < 0)
			return err_errno(e, "%s is not in the tree %s", path, w->root);
		to[got] = '\0';
		if (to[0] == '/')
			at[0] = '\0';
		else
			go_up(at);
		r = join(at, to + strspn(to, "/"), strlen(to + strspn(to, "/")), e);
		if (!r)
			r = resolve_folder(w->root, memcpy(full, at, strlen(at) + 1), at, e);
	}
	return r ? r : err_set(e, ELOOP, "more than %d links on the way to %s in the tree", MAX_LINKS, path);
}

/* The library of that soname, looked for as ld.so would in this tree. */
static int find_library(struct walk *w, const char *soname, const char *by, struct err *e)
{
	const char *gnu = strcmp(w->arch, "arm64") ? "x86_64" : "aarch64";
	const char *const format[] = {"usr/lib/%s-linux-gnu/%s", "usr/lib/%.0s%s", "usr/lib64/%.0s%s"};

	if (strchr(soname, '/'))
		return err_set(e, EINVAL, "%s needs \"%.100s\": a path, not a name, is not followed", by, soname);
	for (size_t i = 0; i < ARRAY_SIZE(format); i++) {
		char path[ELF_MAX_PATH_BYTES], real[ELF_MAX_PATH_BYTES];
		struct err none = ERR_INIT;

		if (snprintf(path, sizeof(path), format[i], gnu, soname) >= (int)sizeof(path))
			return err_set(e, ENAMETOOLONG, "%s needs a library with a name of %zu bytes", by,
				       strlen(soname));
		if (!elf_resolve(w->root, path, real, &none))
			return note(w, path, e);
	}
	return err_set(e, ENOENT, "%s needs %s, which is not in the tree", by, soname);
}

/* One file of the queue: the right machine, then all it names. */
static int visit(struct walk *w, const char *path, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char full[PATH_MAX];
	struct elf elf;
	int r;

	if (snprintf(full, sizeof(full), "%s/%s", w->root, path) >= (int)sizeof(full))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", full);
	r = file_read(full, ELF_MAX_BYTES, &b, e);
	if (r)
		return r;
	if (!elf_is(b.data, b.len))
		return 0;
	r = elf_parse(b.data, b.len, path, &elf, e);
	if (r)
		return r;
	if (elf.machine != w->machine)
		return err_set(e, EINVAL, "%s is for ELF machine %u, wanted %u (%s)", path, elf.machine, w->machine,
			       w->arch);
	if (elf.runpath)
		return err_set(e, EINVAL, "%s wants libraries from \"%.100s\" (RUNPATH), which is not followed", path,
			       elf.runpath);
	if (elf.interp)
		r = note(w, elf.interp + strspn(elf.interp, "/"), e);
	if (r)
		return err_context(e, "loader of %s", path);
	for (size_t i = 0; i < elf.n_needed && !r; i++)
		r = find_library(w, elf.needed[i], path, e);
	return r;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int elf_closure(const char *root, const char *arch, const char *const *file, size_t n, struct elf_files *ret,
		struct err *e)
{
	cleanup_elf_files struct elf_files found = {0}, seen = {0};
	struct walk w = {.root = root, .arch = arch, .ret = &found, .seen = &seen};
	int r = 0;

	w.machine = !strcmp(arch, "x86_64") ? ELF_MACHINE_X86_64 : !strcmp(arch, "arm64") ? ELF_MACHINE_ARM64 : 0;
	if (!w.machine)
		return err_set(e, EINVAL, "architecture %s is not known, wanted x86_64 or arm64", arch);
	for (size_t i = 0; i < n && !r; i++) {
		char real[ELF_MAX_PATH_BYTES];

		r = elf_resolve(root, file[i], real, e);
		if (!r)
			r = add(&seen, real, e);
	}
	/* The queue grows while it is worked off: each file once, so it ends. */
	for (size_t i = 0; i < seen.n && !r; i++)
		r = visit(&w, seen.path[i], e);
	if (r)
		return r;
	if (found.n)
		qsort(found.path, found.n, sizeof(*found.path), by_text);
	*ret = found;
	found = (struct elf_files){0};
	return 0;
}
