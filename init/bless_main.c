/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/bless_main.c - holdfast-bless: tell the boot loader that this boot came well, on PID 1's behalf
 *
 * It takes no arguments; what it did is one line on the console. Exit: 0 done, 2 usage, 3 could not. Theory of operation: init/bless.h.
 */
#include "init/bless.h"

#include "common/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OS_RELEASE     "/usr/lib/os-release"
#define MAX_TEXT_BYTES 4096

static int bless(struct pid1_bless *ret, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	char base[BOOT_COUNT_NAME_BYTES], name[64], path[80];
	cleanup_fd int fd = -1;
	struct stat st;
	int r = file_read(OS_RELEASE, MAX_TEXT_BYTES, &text, e);

	r = r ? r : pid1_bless_base((const char *)text.data, base, e);
	if (!r && stat("/", &st) < 0)
		r = err_errno(e, "cannot look at /");
	r = r ? r : pid1_bless_find_esp("/sys", st.st_dev, name, e);
	if (r)
		return r;
	(void)snprintf(path, sizeof(path), "/dev/%s", name); /* fits */
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "cannot open %s", path);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ENOTBLK, "%s is no block device", path);
	r = pid1_bless(fd, base, ret, e);
	return r ? err_context(e, "%s", path) : 0;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct pid1_bless done;

	(void)argv;
	if (argc != 1)
		return 2;
	if (bless(&done, &e)) {
		printf("bless: not done, the boot loader will count this boot as a failed try: %s\n", e.msg);
		return 3;
	}
	if (*done.spent)
		printf("bless: the other slot has no try left: %s\n", done.spent);
	if (strcmp(done.from, done.to) != 0)
		printf("bless: %s is %s again\n", done.from, done.to);
	else
		printf("bless: %s has all its tries\n", done.to);
	return 0;
}
