/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/modules.c - kernel modules of a package tree: load order and bytes */
#include "image-builder/modules.h"

#include "common/file.h"
#include "common/proc.h"
#include "image-builder/elf.h"

#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <string.h>

#define MAX_FILES         20000
#define MAX_BUILTIN_BYTES (1u << 20)
#define NAME_BYTES        64

/* One module file of the tree; @path is below usr/lib/modules, as packed. */
struct file {
	char name[NAME_BYTES];
	char *path;
};

/* struct walk - what the closure's functions share; @stack holds the names on the way, to see a cycle */
struct walk {
	const char *base; /* <root>/usr/lib/modules */
	struct file *file;
	size_t n_files;
	char *builtin; /* text of modules.builtin */
	struct modules *ret;
	const char *stack[MODULES_MAX];
};

void modules_free(struct modules *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].name);
		free(m->v[i].path);
		buf_free(&m->v[i].data);
	}
	free(m->v);
	*m = (struct modules){0};
}

static void walk_free(struct walk *w)
{
	for (size_t i = 0; i < w->n_files; i++)
		free(w->file[i].path);
	free(w->file);
	free(w->builtin);
}

/* Module name of a path or name: the last part up to ".ko", '-' as '_'. False if it is too long. */
static bool name_of(const char *path, size_t len, char ret[static NAME_BYTES])
{
	const char *end = path + len, *start = end, *dot;

	while (start > path && start[-1] != '/')
		start--;
	dot = memmem(start, (size_t)(end - start), ".ko", 3);
	if (dot)
		end = dot;
	if (end - start >= NAME_BYTES || end == start)
		return false;
	for (size_t i = 0; i < (size_t)(end - start); i++)
		ret[i] = start[i] == '-' ? '_' : start[i];
	ret[end - start] = '\0';
	return true;
}

static int add_file(struct walk *w, const char *path, struct err *e)
{
	struct file f = {0}, *p;

	if (!name_of(path, strlen(path), f.name))
		return err_set(e, EINVAL, "module file %s has no usable name", path);
	if (w->n_files == MAX_FILES)
		return err_set(e, EFBIG, "more than %d modules in %s", MAX_FILES, w->base);
	if (w->n_files % 256 == 0) {
		p = reallocarray(w->file, w->n_files + 256, sizeof(*p));
		if (!p)
			return err_set(e, ENOMEM, "no memory for the list of modules");
		w->file = p;
	}
	f.path = strdup(path);
	if (!f.path)
		return err_set(e, ENOMEM, "no memory for the list of modules");
	w->file[w->n_files++] = f;
	return 0;
}

static bool is_module(const char *name)
{
	const char *dot = strstr(name, ".ko");

	return dot && (!dot[3] || !strcmp(dot, ".ko.xz"));
}

static int by_name(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : strcmp(x->path, y->path);
}

/* All module files below kernel/ of one release. */
static int index_files(struct walk *w, const char *release, struct err *e)
{
	char top[PATH_MAX];
	char *const paths[] = {top, NULL};
	FTSENT *n;
	FTS *fts;
	int r = 0;

	if (snprintf(top, sizeof(top), "%s/%s/kernel", w->base, release) >= (int)sizeof(top))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", top);
	if (access(top, R_OK) < 0)
		return err_errno(e, "no kernel modules in %s", top);
	fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!fts)
		return err_errno(e, "cannot walk %s", top);
	while (!r && (n = fts_read(fts)))
		if (n->fts_info == FTS_F && is_module(n->fts_name))
			r = add_file(w, n->fts_path + strlen(w->base) + 1, e);
	(void)fts_close(fts); /* nothing was written */
	if (!r && w->n_files)
		qsort(w->file, w->n_files, sizeof(*w->file), by_name);
	for (size_t i = 1; i < w->n_files && !r; i++)
		if (!strcmp(w->file[i - 1].name, w->file[i].name))
			r = err_set(e, EINVAL, "module %s is there twice: %s and %s", w->file[i].name,
				    w->file[i - 1].path, w->file[i].path);
	return r;
}

static int read_builtin(struct walk *w, const char *release, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/%s/modules.builtin", w->base, release) >= (int)sizeof(path))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", path);
	r = file_read(path, MAX_BUILTIN_BYTES, &b, e);
	if (r)
		return r;
	w->builtin = strndup((const char *)b.data, b.len);
	return w->builtin ? 0 : err_set(e, ENOMEM, "no memory for %s", path);
}

static bool is_builtin(const struct walk *w, const char *name)
{
	for (const char *line = w->builtin; *line;) {
		size_t n = strcspn(line, "\n");
		char found[NAME_BYTES];

		if (name_of(line, n, found) && !strcmp(found, name))
			return true;
		line += n + (line[n] == '\n');
	}
	return false;
}

/* The module's bytes, decompressed. */
static int read_module(const struct walk *w, const struct file *f, struct buf *ret, struct err *e)
{
	char path[PATH_MAX];
	const char *argv[] = {"xz", "-dc", "--single-stream", "--", path, NULL};
	struct proc_params p = {.argv = argv, .out = ret, .out_max = MODULES_MAX_BYTES, .quiet = 1};
	int r;

	if (snprintf(path, sizeof(path), "%s/%s", w->base, f->path) >= (int)sizeof(path))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", path);
	if (!strcmp(f->path + strlen(f->path) - 3, ".xz"))
		r = proc_run(&p, e);
	else
		r = file_read(path, MODULES_MAX_BYTES, ret, e);
	if (!r && ret->bad)
		r = err_set(e, ENOMEM, "no memory for the module");
	return r ? err_context(e, "module %s", f->name) : 0;
}

/* The text behind "depends=" in .modinfo: names with commas between, perhaps none. Copied; NULL if memory is short. */
static int read_depends(const struct file *f, const struct buf *data, char **ret, struct err *e)
{
	static const char key[] = "depends=";
	struct reader info;
	int r = elf_section(data->data, data->len, f->path, ".modinfo", &info, e);

	if (r)
		return r;
	while (info.left) {
		const char *s = (const char *)info.p;
		size_t n = strnlen(s, info.left);

		if (n >= sizeof(key) - 1 && !memcmp(s, key, sizeof(key) - 1)) {
			*ret = strndup(s + sizeof(key) - 1, n - (sizeof(key) - 1));
			return *ret ? 0 : err_set(e, ENOMEM, "no memory for module %s", f->name);
		}
		(void)reader_bytes(&info,
				   n < info.left ? n + 1 : n); /* the string and its NUL: there by the line above */
	}
	return err_set(e, EINVAL, "module %s says nothing of what it depends on (no depends= in .modinfo)", f->name);
}

/* Append to the result. @data changes hands. */
static int append(struct walk *w, const struct file *f, struct buf *data, struct err *e)
{
	struct modules *m = w->ret;
	size_t len = strlen(f->path);
	struct module *p;

	if (m->n == MODULES_MAX)
		return err_set(e, EFBIG, "more than %d modules are needed", MODULES_MAX);
	p = reallocarray(m->v, m->n + 1, sizeof(*p));
	if (!p)
		return err_set(e, ENOMEM, "no memory for module %s", f->name);
	m->v = p;
	if (!strcmp(f->path + len - 3, ".xz"))
		len -= 3;
	p = &m->v[m->n++];
	*p = (struct module){.name = strdup(f->name), .path = strndup(f->path, len), .data = *data};
	*data = (struct buf)BUF_INIT;
	return p->name && p->path ? 0 : err_set(e, ENOMEM, "no memory for module %s", f->name);
}

static bool is_done(const struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->ret->n; i++)
		if (!strcmp(w->ret->v[i].name, name))
			return true;
	return false;
}

static const struct file *find_file(const struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->n_files; i++)
		if (!strcmp(w->file[i].name, name))
			return &w->file[i];
	return NULL;
}

/* Depth first; the depth is bounded by MODULES_MAX, since a name that is on the stack already is a cycle. */
static int resolve(struct walk *w, const char *text, size_t len, size_t depth, struct err *e)
{
	const char *by = depth ? w->stack[depth - 1] : "the board";
	cleanup_buf struct buf data = BUF_INIT;
	cleanup_free char *depends = NULL;
	char name[NAME_BYTES];
	const struct file *f;
	int r;

	if (depth == MODULES_MAX || !name_of(text, len, name))
		return err_set(e, EINVAL, "\"%.*s\", which %s wants, is no module name", (int)(len < 80 ? len : 80),
			       text, by);
	if (is_done(w, name))
		return 0;
	for (size_t i = 0; i < depth; i++)
		if (!strcmp(w->stack[i], name))
			return err_set(e, ELOOP, "module %s depends on itself by way of %s", name, by);
	f = find_file(w, name);
	if (!f)
		return is_builtin(w, name)
			       ? 0
			       : err_set(e, ENOENT, "there is no kernel module %s, which %s wants", name, by);
	r = read_module(w, f, &data, e);
	if (!r)
		r = read_depends(f, &data, &depends, e);
	w->stack[depth] = f->name;
	for (const char *s = depends; !r && s && *s;) {
		size_t n = strcspn(s, ",");

		r = resolve(w, s, n, depth + 1, e);
		s += n + (s[n] == ',');
	}
	return r ? r : append(w, f, &data, e);
}

int modules_resolve(const char *root, const char *release, const char *const *name, size_t n, struct modules *ret,
		    struct err *e)
{
	struct walk w = {.ret = ret};
	char base[PATH_MAX];
	int r;

	if (snprintf(base, sizeof(base), "%s/usr/lib/modules", root) >= (int)sizeof(base))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", root);
	w.base = base;
	r = index_files(&w, release, e);
	if (!r)
		r = read_builtin(&w, release, e);
	for (size_t i = 0; i < n && !r; i++)
		r = resolve(&w, name[i], strlen(name[i]), 0, e);
	walk_free(&w);
	return r;
}

int modules_release(const char *root, char **ret, struct err *e)
{
	char base[PATH_MAX], *found = NULL;
	struct dirent *d;
	int r = 0;
	DIR *dir;

	if (snprintf(base, sizeof(base), "%s/usr/lib/modules", root) >= (int)sizeof(base))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", root);
	dir = opendir(base);
	if (!dir)
		return err_errno(e, "no kernel modules in %s", base);
	while (!r && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		if (found)
			r = err_set(e, EINVAL, "%s holds more than one kernel: %s and %s", base, found, d->d_name);
		else if (!(found = strdup(d->d_name)))
			r = err_set(e, ENOMEM, "no memory for the kernel's name");
	}
	(void)closedir(dir); /* nothing was written */
	if (!r && !found)
		r = err_set(e, ENOENT, "%s is empty", base);
	if (r) {
		free(found);
		return r;
	}
	*ret = found;
	return 0;
}
