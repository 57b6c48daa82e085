/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/folder.c - folders as results: made beside their place, published whole, or not at all */
#include "image-builder/folder.h"

#include "common/file.h"
#include "common/interrupt.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define COPY_BYTES   (1 << 20)
#define OPEN_FOLDERS 32
#define FULL_BYTES   (64u << 10)

int folder_join(const char *folder, const char *name, char ret[static PATH_MAX], struct err *e)
{
	if (snprintf(ret, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s/%.60s", folder, name);
	return 0;
}

int folder_absolute(const char *path, char ret[static PATH_MAX], struct err *e)
{
	char here[PATH_MAX];

	if (!*path)
		return err_set(e, EINVAL, "an empty path names nothing");
	if (*path == '/') {
		if (snprintf(ret, PATH_MAX, "%s", path) >= PATH_MAX)
			return err_set(e, ENAMETOOLONG, "path is too long: %.100s", path);
		return 0;
	}
	if (!getcwd(here, sizeof(here)))
		return err_errno(e, "cannot find the working folder");
	return folder_join(here, path, ret, e);
}

int folder_need(const char *path, struct err *e)
{
	return access(path, R_OK) < 0 ? err_errno(e, "cannot read %s", path) : 0;
}

int folder_is_empty(const char *path, struct err *e)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	int n = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_errno(e, "cannot open folder %s", path);
	while ((entry = readdir(d)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	(void)closedir(d); /* only read */
	return n ? err_set(e, ENOTEMPTY, "%s is not empty", path) : 0;
}

int folder_may_replace(const char *path, const char *marker, struct err *e)
{
	char file[PATH_MAX];
	int r = folder_is_empty(path, e);

	if (r != -ENOTEMPTY)
		return r;
	r = folder_join(path, marker, file, e);
	if (r)
		return r;
	if (access(file, F_OK) < 0)
		return err_set(e, EEXIST, "%s holds other things than an earlier result (no %s); it is not touched",
			       path, marker);
	*e = (struct err)ERR_INIT; /* that it is not empty was the answer, not an error */
	return 0;
}

/* @path without slashes at its end, so that a name can be put behind it. */
static int trim(const char *path, char ret[static PATH_MAX], struct err *e)
{
	size_t n;

	if (snprintf(ret, PATH_MAX, "%s", path) >= PATH_MAX - 32)
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", path);
	for (n = strlen(ret); n > 1 && ret[n - 1] == '/'; n--)
		ret[n - 1] = '\0';
	return n ? 0 : err_set(e, EINVAL, "an empty path names nothing");
}

int folder_begin(const char *path, char ret_tmp[static PATH_MAX], struct err *e)
{
	char base[PATH_MAX], parent[PATH_MAX];
	char *slash;
	int r = trim(path, base, e);

	if (r)
		return r;
	memcpy(parent, base, sizeof(parent));
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = '\0';
		r = file_mkdirs(parent, e);
	}
	if (!r && snprintf(ret_tmp, PATH_MAX, "%s.tmp-%d", base, (int)getpid()) >= PATH_MAX)
		r = err_set(e, ENAMETOOLONG, "path is too long: %.100s", path);
	r = r ? r : folder_remove(ret_tmp, e); /* of an earlier process of this number that was killed */
	if (!r && mkdir(ret_tmp, 0755) < 0)
		r = err_errno(e, "cannot make folder %s", ret_tmp);
	return r;
}

static int publish(const char *path, const char *tmp, struct err *e)
{
	char base[PATH_MAX], old[PATH_MAX];
	int r = trim(path, base, e);

	if (r)
		return r;
	if (snprintf(old, sizeof(old), "%s.old-%d", base, (int)getpid()) >= (int)sizeof(old))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", path);
	if (rename(base, old) < 0 && errno != ENOENT)
		return err_errno(e, "cannot move %s aside", base);
	if (rename(tmp, base) < 0) {
		r = err_errno(e, "cannot rename %s to %s", tmp, base);
		(void)rename(old, base); /* what stood there comes back; the first error is the one to tell */
		return r;
	}
	return folder_remove(old, e);
}

/* Tools tend to end with a line on what follows from a full disk (tar: "wrote only 7680 of 10240 bytes"): name the cause. */
static void name_full_disk(const char *path, struct err *e)
{
	const char *cause = strerror(ENOSPC);
	struct statvfs v;

	if (strstr(e->msg, cause) || statvfs(path, &v) < 0 || !v.f_frsize || v.f_bavail >= FULL_BYTES / v.f_frsize)
		return;
	(void)err_context(e, "%s: %s", path, cause); /* keeps the code */
}

int folder_finish(const char *path, const char *tmp, int result, struct err *e)
{
	int r = result ? result : interrupt_check(e);

	r = r ? r : publish(path, tmp, e);
	if (r && r != -EINTR)
		name_full_disk(tmp, e);
	if (r)
		folder_discard(tmp);
	return r;
}

static int open_up(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_D && (st->st_mode & 0700) != 0700)
		(void)chmod(path, 0700); /* remove_one() will say so if it was not enough */
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int folder_remove(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(e, "cannot look at %s", path);
	(void)nftw(path, open_up, OPEN_FOLDERS, FTW_PHYS); /* what it cannot open, the next walk tells */
	if (nftw(path, remove_one, OPEN_FOLDERS, FTW_PHYS | FTW_DEPTH) < 0)
		return err_errno(e, "cannot remove %s", path);
	return 0;
}

void folder_discard(const char *path)
{
	struct err ignored = ERR_INIT;

	if (folder_remove(path, &ignored))
		return; /* nobody to tell */
}

int folder_copy_file(const char *from, const char *to, mode_t mode, struct err *e)
{
	cleanup_free uint8_t *block = malloc(COPY_BYTES);
	cleanup_fd int in = open(from, O_RDONLY | O_CLOEXEC);
	int out, r = 0;
	ssize_t n;

	if (!block)
		return err_set(e, ENOMEM, "no memory to copy %s", from);
	if (in < 0)
		return err_errno(e, "cannot open %s", from);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (out < 0)
		return err_errno(e, "cannot create %s", to);
	while (!r && (n = read(in, block, COPY_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? err_errno(e, "cannot read %s", from) : interrupt_check(e);
		r = r ? r : file_write_all(out, block, (size_t)n, to, e);
	}
	if (!r && fchmod(out, mode) < 0)
		r = err_errno(e, "cannot set the mode of %s", to);
	if (close(out) < 0 && !r)
		r = err_errno(e, "cannot close %s", to);
	return r;
}
