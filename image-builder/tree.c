/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/tree.c - a tree of extracted packages: making it, and running its programs on this machine */
#include "image-builder/tree.h"

#include "common/proc.h"
#include "image-builder/folder.h"

#include <fts.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define MAX_OUTPUT_BYTES 65536

int tree_begin(const char *root, struct err *e)
{
	static const char *const merged[] = { "bin", "sbin", "lib", "lib64" };
	char path[PATH_MAX], target[32];
	int r = folder_join(root, "usr", path, e);

	if (!r && mkdir(path, 0755) < 0)
		r = err_errno(e, "cannot make folder %s", path);
	for (size_t i = 0; !r && i < ARRAY_SIZE(merged); i++) {
		(void)snprintf(target, sizeof(target), "usr/%s", merged[i]); /* constants, they fit */
		r = folder_join(root, target, path, e);
		if (!r && mkdir(path, 0755) < 0)
			r = err_errno(e, "cannot make folder %s", path);
		r = r ? r : folder_join(root, merged[i], path, e);
		if (!r && symlink(target, path) < 0)
			r = err_errno(e, "cannot make link %s", path);
	}
	return r;
}

int tree_unpack(const char *root, const char *deb, struct err *e)
{
	const char *const argv[] = { "dpkg-deb", "-x", deb, root, NULL };
	struct buf out = BUF_INIT;
	struct proc_params run = { .argv = argv, .quiet = 1, .out = &out, .out_max = MAX_OUTPUT_BYTES };
	int r = proc_run(&run, e);

	buf_free(&out); /* it says nothing of interest when it works */
	if (r == -ECHILD) {
		(void)err_context(e, "package file %s cannot be unpacked", deb);
		e->code = EBADMSG;
		return -EBADMSG;
	}
	return r;
}

/* The link at @path, @depth folders below the root, points to "/x/y": make it "../../x/y". */
static int make_relative(const char *path, int depth, const char *target, struct err *e)
{
	char text[PATH_MAX] = "";
	size_t n = 0;

	while (*target == '/')
		target++;
	for (int i = 0; i < depth && n + 3 < sizeof(text); i++, n += 3)
		memcpy(text + n, "../", 4);
	if (snprintf(text + n, sizeof(text) - n, "%s", *target ? target : ".") >= (int)(sizeof(text) - n))
		return err_set(e, ENAMETOOLONG, "link %s is too long", path);
	if (unlink(path) < 0 || symlink(text, path) < 0)
		return err_errno(e, "cannot change link %s", path);
	return 0;
}

int tree_relative_links(const char *root, size_t *ret_n, struct err *e)
{
	char *const paths[] = { (char *)root, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *f;
	size_t count = 0;
	int r = 0;

	if (!fts)
		return err_errno(e, "cannot walk %s", root);
	while (!r && (f = fts_read(fts))) {
		char target[PATH_MAX];
		ssize_t n;

		if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS) {
			errno = f->fts_errno;
			r = err_errno(e, "cannot read %s", f->fts_path);
		}
		if (f->fts_info != FTS_SL && f->fts_info != FTS_SLNONE)
			continue;
		n = readlink(f->fts_path, target, sizeof(target) - 1);
		if (n < 0)
			r = err_errno(e, "cannot read link %s", f->fts_path);
		if (n <= 0 || target[0] != '/')
			continue;
		target[n] = '\0';
		r = make_relative(f->fts_path, f->fts_level - 1, target, e);
		count++;
	}
	(void)fts_close(fts); /* only read */
	if (!r)
		*ret_n = count;
	return r;
}

const char *tree_machine_arch(void)
{
	static struct utsname u;

	if (uname(&u) < 0)
		return "unknown";
	return strcmp(u.machine, "aarch64") ? u.machine : "arm64";
}

int tree_program_init(struct tree_program *t, const char *root, const char *path, struct err *e)
{
	bool arm64 = !strcmp(tree_machine_arch(), "arm64");
	int r = folder_join(root, path, t->program, e);

	r = r ? r
	      : folder_join(root, arm64 ? "usr/lib/ld-linux-aarch64.so.1" : "usr/lib64/ld-linux-x86-64.so.2", t->loader,
			    e);
	r = r ? r
	      : folder_join(root, arm64 ? "usr/lib/aarch64-linux-gnu" : "usr/lib/x86_64-linux-gnu", t->libraries, e);
	r = r ? r : folder_need(t->program, e);
	r = r ? r : folder_need(t->loader, e);
	if (r)
		return err_context(e, "the tools' tree");
	t->argv[0] = t->loader;
	t->argv[1] = "--library-path";
	t->argv[2] = t->libraries;
	t->argv[3] = t->program;
	t->argv[4] = NULL;
	return 0;
}
