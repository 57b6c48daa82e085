/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/gate_bundle.c - the engine's files, each read once */
#include "policy/gate.h"

#include "common/file.h"
#include "policy/oci_spec.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The opened thing must be @owner's and nobody else's to write: else a third party could ask in the engine's name. */
static int check_owner(int fd, mode_t type, uid_t owner, const char *name, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot look at %.150s", name);
	if ((st.st_mode & S_IFMT) != type)
		return err_set(e, EINVAL, "%.150s is not a %s", name, type == S_IFDIR ? "folder" : "regular file");
	if (st.st_uid != owner || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, EPERM, "%.150s is of user %u, mode %04o: wanted user %u and no other writers", name,
			       st.st_uid, st.st_mode & 07777u, owner);
	return 0;
}

/* O_NONBLOCK: a FIFO must not hold us up before it is refused. */
static int read_at(int dir, const char *file, uid_t owner, const char *name, struct buf *ret, struct err *e)
{
	cleanup_fd int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_errno(e, "cannot open %.150s", name);
	r = check_owner(fd, S_IFREG, owner, name, e);
	return r ? r : file_read_fd(fd, name, OCI_SPEC_MAX_BYTES, ret, e);
}

int gate_bundle_read(const char *path, uid_t owner, struct buf *ret, struct err *e)
{
	cleanup_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (dir < 0)
		return err_errno(e, "cannot open the bundle %.150s", path);
	r = check_owner(dir, S_IFDIR, owner, path, e);
	return r ? r : read_at(dir, "config.json", owner, "config.json", ret, e);
}

int gate_file_read(const char *path, uid_t owner, struct buf *ret, struct err *e)
{
	return read_at(AT_FDCWD, path, owner, path, ret, e);
}
