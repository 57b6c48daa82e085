/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/vm/boot/floor.c - /init of an initramfs that does the least: what a boot to a verity root costs at any rate
 *
 * Theory of operation
 *   The kernel is asked for what cannot be left out, by raw system calls: the boot manifest's modules in their order, a
 *   dm-verity device with the table and root hash signature that the bench has written into the initramfs, its mount,
 *   the change of root, the next program. No library, no TPM, no measurement, no search for the disk, no log but the marks
 *   that the next program (end.c) finds in the kernel's. Whatever holdfast-initramfs needs beyond it is holdfast's.
 *
 * Runs as: PID 1, in tests/bench-boot alone.
 */
#include "tests/vm/boot/raw.h"

#include <linux/dm-ioctl.h>
#include <linux/keyctl.h>
#include <sys/ioctl.h> /* the numbers alone */

#define MS_RDONLY 1
#define MS_MOVE   8192
#define O_RDWR    2
#define O_WRONLY  1

static int kmsg;

static void mark(const char *text)
{
	(void)RAW(write, kmsg, text, raw_len(text), 0, 0);
}

static _Noreturn void die(const char *what)
{
	mark(what);
	for (;;)
		(void)RAW(exit, 1, 0, 0, 0, 0); /* the kernel panics, which ends the run */
}

/* "module = [-]path[ params]": '-' may be refused, '+' is not for now. Cut in place. */
static void load_module(char *line)
{
	static char path[256] = "/usr/lib/modules/";
	char *to = path + 17, *params;
	int may_fail = *line == '-', fd;

	if (*line == '+')
		return;
	line += may_fail;
	for (params = line; *params && *params != ' '; params++)
		*to++ = *params;
	*to = '\0';
	params += *params == ' ';
	fd = raw_open(path, 0);
	if (fd < 0 || (RAW(finit_module, fd, params, 0, 0, 0) < 0 && !may_fail))
		die("bench: FAILED module\n");
	(void)RAW(close, fd, 0, 0, 0, 0);
}

static void load_modules(void)
{
	static const char key[] = "module = ";
	static char text[16384];

	if (raw_read("/etc/holdfast/boot.conf", text, sizeof(text)) <= 0)
		die("bench: FAILED boot.conf\n");
	for (char *line = text, *next; *line; line = next) {
		size_t n = 0;

		for (next = line; *next && *next != '\n'; next++)
			;
		if (*next)
			*next++ = '\0';
		while (n < sizeof(key) - 1 && line[n] == key[n])
			n++;
		if (n == sizeof(key) - 1)
			load_module(line + n);
	}
}

static struct {
	struct dm_ioctl io;
	struct dm_target_spec spec;
	char params[1024];
} rq;

static void dm(int fd, unsigned long what, unsigned targets, unsigned flags)
{
	rq.io = (struct dm_ioctl){ .target_count = targets };
	rq.io.version[0] = DM_VERSION_MAJOR;
	rq.io.data_size = sizeof(rq);
	rq.io.data_start = offsetof(__typeof__(rq), spec);
	rq.io.flags = flags;
	__builtin_memcpy(rq.io.name, "root", 5);
	if (RAW(ioctl, fd, what, &rq, 0, 0) < 0)
		die("bench: FAILED dm\n");
}

/* /bench/sectors, /bench/table, /bench/signature: made by the bench from the image. */
static void open_root(void)
{
	static char signature[4096], sectors[32];
	long n = raw_read("/bench/signature", signature, sizeof(signature));
	int fd = raw_open("/dev/mapper/control", O_RDWR);

	if (n <= 0 || fd < 0 || RAW(add_key, "user", "bench:root", signature, n, KEY_SPEC_THREAD_KEYRING) < 0)
		die("bench: FAILED key\n");
	dm(fd, DM_DEV_CREATE, 0, 0);
	if (raw_read("/bench/sectors", sectors, sizeof(sectors)) <= 0 || raw_read("/bench/table", rq.params, sizeof(rq.params)) <= 0)
		die("bench: FAILED table\n");
	for (const char *c = sectors; *c >= '0' && *c <= '9'; c++)
		rq.spec.length = rq.spec.length * 10 + (unsigned)(*c - '0');
	__builtin_memcpy(rq.spec.target_type, "verity", 7);
	dm(fd, DM_TABLE_LOAD, 1, DM_READONLY_FLAG);
	dm(fd, DM_DEV_SUSPEND, 0, 0); /* without DM_SUSPEND_FLAG it resumes */
	(void)RAW(close, fd, 0, 0, 0, 0);
}

void raw_main(void)
{
	static const char *const argv[] = { "/sbin/init", NULL }, *const env[] = { NULL };

	(void)RAW(mkdirat, -100, "/dev", 0755, 0, 0);
	if (RAW(mount, "devtmpfs", "/dev", "devtmpfs", 0, 0) < 0)
		die("bench: FAILED /dev\n");
	kmsg = raw_open("/dev/kmsg", O_WRONLY);
	mark("bench: main\n");
	load_modules();
	mark("bench: modules\n");
	open_root();
	mark("bench: activate\n");
	(void)RAW(mkdirat, -100, "/newroot", 0755, 0, 0);
	if (RAW(mount, "/dev/dm-0", "/newroot", "erofs", MS_RDONLY, 0) < 0)
		die("bench: FAILED mount\n");
	mark("bench: mount-root\n");
	if (RAW(mount, "/dev", "/newroot/dev", 0, MS_MOVE, 0) < 0 || RAW(chdir, "/newroot", 0, 0, 0, 0) < 0 || RAW(mount, ".", "/", 0, MS_MOVE, 0) < 0 ||
	    RAW(chroot, ".", 0, 0, 0, 0) < 0)
		die("bench: FAILED switch-root\n");
	mark("bench: switch-root\n");
	(void)RAW(execve, argv[0], argv, env, 0, 0);
	die("bench: FAILED exec\n");
}
