/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/gate_state.c - our folder of one container
 *
 * Every step goes through a descriptor of the folder above it and follows no symbolic link; every folder on the way is
 * proved to be the owner's and closed to others before anything in it is used.
 */
#include "policy/gate.h"

#include "common/conf.h"
#include "common/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define ENTRY_MAX_BYTES 4096
#define LOCK_FILE       "lock"
#define ENTRY_FILE      "entry"
#define ROOTFS          "rootfs"

/* Open folder @name below @at; its owner must be @owner and @forbidden mode bits must not be set. */
static int open_folder(int at, const char *name, uid_t owner, mode_t forbidden, int *ret, struct err *e)
{
	cleanup_fd int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_errno(e, "cannot open folder %s", name);
	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot look at folder %s", name);
	if (st.st_uid != owner || (st.st_mode & forbidden))
		return err_set(e, EPERM, "folder %s is of user %u, mode %04o: wanted user %u and none of %04o", name,
			       st.st_uid, st.st_mode & 07777u, owner, forbidden);
	*ret = take_fd(&fd);
	return 0;
}

/* <run_dir>/gate, made if it is not there, and the lock in it. */
static int open_gate(const struct gate_host *host, struct gate_state *s, struct err *e)
{
	cleanup_fd int run = -1;
	int r = open_folder(AT_FDCWD, host->run_dir, host->owner, S_IWGRP | S_IWOTH, &run, e);

	if (r)
		return r;
	if (mkdirat(run, GATE_FOLDER, 0700) < 0 && errno != EEXIST)
		return err_errno(e, "cannot make folder %s/%s", host->run_dir, GATE_FOLDER);
	r = open_folder(run, GATE_FOLDER, host->owner, 0077, &s->dir, e);
	if (r)
		return r;
	s->lock = openat(s->dir, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return err_errno(e, "cannot open the lock of %s/%s", host->run_dir, GATE_FOLDER);
	while (flock(s->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot lock %s/%s", host->run_dir, GATE_FOLDER);
	return 0;
}

void gate_state_close(struct gate_state *s)
{
	cleanup_fd_fn(&s->fd);
	cleanup_fd_fn(&s->lock);
	cleanup_fd_fn(&s->dir);
	*s = (struct gate_state)GATE_STATE_INIT;
}

/* The lock file stands beside the containers: its name is no container's. */
static int prepare(const struct gate_host *host, const char *id, struct gate_state *s, struct err *e)
{
	s->id = id;
	if (!strcmp(id, LOCK_FILE))
		return err_set(e, EPERM, "a container cannot be named \"%s\"", id);
	if (snprintf(s->path, sizeof(s->path), "%s/%s/%s", host->run_dir, GATE_FOLDER, id) >= (int)sizeof(s->path))
		return err_set(e, ENAMETOOLONG, "path of the container's folder is too long");
	return open_gate(host, s, e);
}

int gate_state_open(const struct gate_host *host, const char *id, struct gate_state *ret, struct err *e)
{
	struct gate_state s = GATE_STATE_INIT;
	int r = prepare(host, id, &s, e);

	if (!r)
		r = open_folder(s.dir, id, host->owner, 0077, &s.fd, e);
	if (r)
		gate_state_close(&s);
	else
		*ret = s;
	return r;
}

int gate_state_make(const struct gate_host *host, const char *id, struct gate_state *ret, struct err *e)
{
	struct gate_state s = GATE_STATE_INIT;
	int r = prepare(host, id, &s, e);

	if (!r && mkdirat(s.dir, id, 0700) < 0)
		r = err_errno(e, "cannot make folder %s", s.path);
	if (!r)
		r = open_folder(s.dir, id, host->owner, 0077, &s.fd, e);
	if (!r && mkdirat(s.fd, ROOTFS, 0700) < 0)
		r = err_errno(e, "cannot make folder %s/%s", s.path, ROOTFS);
	if (r)
		gate_state_close(&s);
	else
		*ret = s;
	return r;
}

/* Unmount what is on rootfs, as often as there is something. EINVAL: nothing is (left). EPERM: a test without root. */
static int unmount_rootfs(const struct gate_state *s, struct err *e)
{
	char path[sizeof(s->path) + sizeof(ROOTFS) + 1];

	(void)snprintf(path, sizeof(path), "%s/%s", s->path, ROOTFS); /* fits by its size */
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno == EINVAL || errno == ENOENT || errno == EPERM)
		return 0;
	return err_errno(e, "cannot unmount %s", path);
}

/* All names in the folder; there are only files beside rootfs, which is empty now. */
static int remove_files(const struct gate_state *s, struct err *e)
{
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *ent;
	int r = 0;

	if (!d) {
		cleanup_fd_fn(&fd);
		return err_errno(e, "cannot list %s", s->path);
	}
	rewinddir(d);
	while (!r && (ent = readdir(d))) {
		if (!strcmp(ent->d_name, ".") || !strcmp(ent->d_name, ".."))
			continue;
		if (unlinkat(s->fd, ent->d_name, strcmp(ent->d_name, ROOTFS) ? 0 : AT_REMOVEDIR) < 0)
			r = err_errno(e, "cannot remove %s/%.60s", s->path, ent->d_name);
	}
	(void)closedir(d); /* it was only read */
	return r;
}

int gate_state_remove(struct gate_state *s, struct err *e)
{
	int r = unmount_rootfs(s, e);

	if (!r)
		r = remove_files(s, e);
	if (!r && unlinkat(s->dir, s->id, AT_REMOVEDIR) < 0)
		r = err_errno(e, "cannot remove %s", s->path);
	return r;
}

int gate_state_write(const struct gate_state *s, const char *name, const struct buf *data, struct err *e)
{
	char tmp[64];
	cleanup_fd int fd = -1;
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp", name) >= (int)sizeof(tmp))
		return err_set(e, ENAMETOOLONG, "file name %.40s is too long", name);
	if (unlinkat(s->fd, tmp, 0) < 0 && errno != ENOENT)
		return err_errno(e, "cannot remove %s/%s", s->path, tmp);
	fd = openat(s->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "cannot create %s/%s", s->path, tmp);
	r = file_write_all(fd, data->data, data->len, tmp, e);
	if (!r && renameat(s->fd, tmp, s->fd, name) < 0)
		r = err_errno(e, "cannot rename %s/%s", s->path, tmp);
	return r;
}

int gate_entry_write(const struct gate_state *s, const struct gate_entry *entry, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	buf_printf(&b, "image = %s\nroot = %s\npid = %llu\nstart = %llu\n", entry->image, entry->root,
		   (unsigned long long)entry->pid, (unsigned long long)entry->start);
	if (b.bad)
		return err_set(e, ENOMEM, "no memory to write %s/%s", s->path, ENTRY_FILE);
	return gate_state_write(s, ENTRY_FILE, &b, e);
}

int gate_entry_read(const struct gate_state *s, struct gate_entry *ret, struct err *e)
{
	static const char *const keys[] = {"image", "root", "pid", "start", NULL};
	cleanup_fd int fd = openat(s->fd, ENTRY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_buf struct buf text = BUF_INIT;
	const char *image, *root;
	struct conf c;
	int r;

	if (fd < 0)
		return err_errno(e, "cannot open %s/%s", s->path, ENTRY_FILE);
	r = file_read_fd(fd, ENTRY_FILE, ENTRY_MAX_BYTES, &text, e);
	if (!r)
		r = conf_parse((char *)text.data, text.len, ENTRY_FILE, &c, e);
	if (!r)
		r = conf_check(&c, keys, e);
	if (!r)
		r = conf_need(&c, "image", &image, e);
	if (!r)
		r = conf_need(&c, "root", &root, e);
	if (!r)
		r = conf_u64(&c, "pid", 0, INT32_MAX, &ret->pid, e);
	if (!r)
		r = conf_u64(&c, "start", 0, UINT64_MAX, &ret->start, e);
	if (r)
		return r;
	if (strlen(image) >= sizeof(ret->image) || strlen(root) >= sizeof(ret->root))
		return err_set(e, EINVAL, "%s: a value is too long", ENTRY_FILE);
	(void)snprintf(ret->image, sizeof(ret->image), "%s", image); /* fits, checked above */
	(void)snprintf(ret->root, sizeof(ret->root), "%s", root);
	return 0;
}
