/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/fetch.c - packages of Debian 13, downloaded and checked by apt, extracted without being installed */
#include "image-builder/fetch.h"

#include "common/file.h"
#include "common/hex.h"
#include "image-builder/fetch_apt.h"
#include "image-builder/folder.h"
#include "image-builder/tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LOOK_AGAIN_SECONDS (24 * 3600)
#define MAX_LIST_BYTES     (4u << 20)
#define SAY_EVERY          25

/* What is asked for, as the list's first line. Equal requests give equal lines. */
static void request_line(const struct fetch_params *p, struct buf *ret)
{
	buf_printf(ret, "# Debian %s %s%s:", FETCH_SUITE, p->arch, p->sysroot ? " sysroot" : "");
	for (size_t i = 0; i < p->n_packages; i++)
		buf_printf(ret, " %s", p->package[i]);
	buf_printf(ret, "\n");
}

static void package_lines(const struct fetch_apt *a, struct buf *ret)
{
	for (size_t i = 0; i < a->n; i++) {
		char hex[2 * HASH_SHA256_BYTES + 1];

		hex_encode(a->package[i].sha256, HASH_SHA256_BYTES, hex);
		buf_printf(ret, "%s %s %s\n", a->package[i].name, a->package[i].version, hex);
	}
}

/* Does the tree's list begin with (or, @whole, equal) @want? @ret_fresh: and was it looked at lately? */
static bool tree_has(const char *out, const struct buf *want, bool whole, bool *ret_fresh)
{
	struct err ignored = ERR_INIT;
	cleanup_buf struct buf have = BUF_INIT;
	char path[PATH_MAX];
	struct stat st;

	if (folder_join(out, FETCH_LIST, path, &ignored) || stat(path, &st) < 0 ||
	    file_read(path, MAX_LIST_BYTES, &have, &ignored))
		return false; /* no tree, or none of ours: it is made anew */
	*ret_fresh = time(NULL) - st.st_mtime < LOOK_AGAIN_SECONDS && st.st_mtime <= time(NULL);
	if (have.len < want->len || (whole && have.len != want->len))
		return false;
	return !memcmp(have.data, want->data, want->len);
}

static int unpack_all(const struct fetch_apt *a, const struct fetch_params *p, const char *tmp, struct err *e)
{
	int r = tree_begin(tmp, e);
	size_t links;

	for (size_t i = 0; !r && i < a->n; i++) {
		char path[PATH_MAX];

		r = fetch_apt_file(a, &a->package[i], path, e);
		r = r ? r : fetch_apt_check(&a->package[i], path, e);
		r = r ? r : tree_unpack(tmp, path, e);
		if (!r && ((i + 1) % SAY_EVERY == 0 || i + 1 == a->n))
			progress_say(p->say, "extracted %zu of %zu packages", i + 1, a->n);
	}
	return r ? r : tree_relative_links(tmp, &links, e);
}

static int make_tree(const struct fetch_apt *a, const struct fetch_params *p, const struct buf *list, struct err *e)
{
	char tmp[PATH_MAX], path[PATH_MAX];
	int r = folder_begin(p->out, tmp, e);

	if (r)
		return r;
	r = unpack_all(a, p, tmp, e);
	r = r ? r : folder_join(tmp, FETCH_LIST, path, e);
	r = r ? r : file_write(path, list->data, list->len, 0644, e);
	return folder_finish(p->out, tmp, r, e);
}

/* Remember that the list was found true now. */
static int touch(const char *out, struct err *e)
{
	char path[PATH_MAX];
	int r = folder_join(out, FETCH_LIST, path, e);

	if (!r && utimensat(AT_FDCWD, path, NULL, 0) < 0)
		r = err_errno(e, "cannot touch %s", path);
	return r;
}

static int check_params(const struct fetch_params *p, struct err *e)
{
	if (strcmp(p->arch, "amd64") && strcmp(p->arch, "arm64"))
		return err_set(e, EINVAL, "architecture \"%.20s\" is unknown, wanted amd64 or arm64", p->arch);
	if (!p->n_packages)
		return err_set(e, EINVAL, "no package is named");
	if (access(FETCH_KEYRING, R_OK) < 0)
		return err_errno(e, "cannot read %s (package debian-archive-keyring)", FETCH_KEYRING);
	return folder_may_replace(p->out, FETCH_LIST, e);
}

int fetch_run(const struct fetch_params *p, struct err *e)
{
	cleanup_fetch_apt struct fetch_apt a = { .n = 0 };
	cleanup_buf struct buf list = BUF_INIT;
	bool fresh = false;
	int r = check_params(p, e);

	if (r)
		return r;
	request_line(p, &list);
	if (tree_has(p->out, &list, false, &fresh) && fresh && !p->refresh) {
		progress_say(p->say, "%s is up to date", p->out);
		return 0;
	}
	r = fetch_apt_configure(&a, p, e);
	if (!r && !p->offline) {
		progress_say(p->say, "bringing the package lists of Debian %s up to date", FETCH_SUITE);
		r = fetch_apt_update(&a, e);
	}
	r = r ? r : fetch_apt_resolve(&a, p, e);
	if (r)
		return r;
	package_lines(&a, &list);
	if (list.bad)
		return err_set(e, ENOMEM, "no memory for the list of packages");
	if (tree_has(p->out, &list, true, &fresh)) {
		progress_say(p->say, "%s is up to date", p->out);
		return touch(p->out, e);
	}
	r = fetch_apt_download(&a, p, e);
	return r ? r : make_tree(&a, p, &list, e);
}
