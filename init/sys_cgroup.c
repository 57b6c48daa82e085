/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/sys_cgroup.c - the seam, third part: every process of some cgroups, without heap (opendir() allocates) */
#include "init/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_DEPTH 16 /* of cgroups below each other; what is deeper gets its SIGKILL like all */

struct walk {
	const char *const *skip; /* names right below the top, NULL at the end */
	int sig;
	int found;
};

/* Linux: getdents64(2). */
struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static int open_at(int dir, const char *name, int flags)
{
	return openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW);
}

/* Decimal numbers, a line each, whatever the pieces that read(2) cuts them into. 0 is a process of a namespace we do not see. */
static void signal_procs(int dir, struct walk *w)
{
	int fd = open_at(dir, "cgroup.procs", O_RDONLY);
	char piece[512];
	pid_t pid = 0;
	ssize_t n;

	while (fd >= 0 && (n = sys_read(fd, piece, sizeof(piece))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (piece[i] >= '0' && piece[i] <= '9') {
				pid = pid * 10 + piece[i] - '0';
				continue;
			}
			if (pid > 1 && kill(pid, w->sig) == 0)
				w->found++;
			pid = 0;
		}
	sys_close(fd);
}

static bool is_skipped(const struct walk *w, const char *name)
{
	for (size_t i = 0; w->skip[i]; i++)
		if (!strcmp(w->skip[i], name))
			return true;
	return false;
}

/* Owns @dir. */
static void walk_below(int dir, struct walk *w, unsigned depth)
{
	_Alignas(struct entry) char buf[1024];
	long n;

	while ((n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n;) {
			const struct entry *ent = (const struct entry *)(buf + at);
			int sub;

			at += ent->reclen;
			if (ent->name[0] == '.' || (depth == 0 && is_skipped(w, ent->name)))
				continue;
			sub = open_at(dir, ent->name, O_RDONLY | O_DIRECTORY);
			if (sub < 0)
				continue; /* a file, or gone */
			signal_procs(sub, w);
			if (depth < MAX_DEPTH)
				walk_below(sub, w, depth + 1);
			else
				sys_close(sub);
		}
	sys_close(dir);
}

int sys_cgroup_signal(const char *top, const char *const skip[], int sig)
{
	struct walk w = { .skip = skip, .sig = sig };
	int dir = open_at(AT_FDCWD, top, O_RDONLY | O_DIRECTORY);

	if (dir < 0)
		return -errno;
	walk_below(dir, &w, 0);
	return w.found;
}
