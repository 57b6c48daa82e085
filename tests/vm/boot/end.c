/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/vm/boot/end.c - the next program on the verity root: where the clock of tests/bench-boot stops
 *
 * Theory of operation
 *   It stands in the same verity root under the name that each initramfs executes (holdfast-init, /sbin/init), so all of them are
 *   measured to the same instruction. Its first act is a line in the kernel's log; then it shows each record from the
 *   kernel's "Run /init" on, as "bench-kmsg: <microseconds since the boot> <text>", and ends the machine. Given the word
 *   "pss" in the kernel's command line it first tells what an idle process costs: its own and a static C library's.
 *
 * Runs as: PID 1; as another process (a task of holdfast-init's, a service of systemd's) it tells what PID 1 costs, and ends.
 */
#include "tests/vm/boot/raw.h"

#include <linux/reboot.h>

#define MS_NOSUID     2
#define O_RDWR        2
#define O_WRONLY      1
#define O_NONBLOCK    04000
#define SIGCHLD       17
#define TCSBRK        0x5409
#define IDLE          "/usr/lib/holdfast/test/idle"

static char text[8192];

static void say(int fd, const char *s, size_t n)
{
	(void)RAW(write, fd, s, n, 0, 0);
}

static const char *find(const char *in, const char *what)
{
	size_t n = raw_len(what);

	for (; *in; in++) {
		size_t k = 0;

		while (k < n && in[k] == what[k])
			k++;
		if (k == n)
			return in;
	}
	return NULL;
}

/* "bench: pss NAME Pss: ... kB" */
static void pss(int fd, const char *name, const char *path)
{
	const char *p = raw_read(path, text, sizeof(text)) > 0 ? find(text, "\nPss:") : NULL;
	char line[128] = "bench: pss ";
	size_t n = raw_len(line);

	while (*name)
		line[n++] = *name++;
	line[n++] = ' ';
	for (p = p ? p + 1 : "not readable"; *p && *p != '\n' && n < sizeof(line) - 1; p++)
		line[n++] = *p;
	line[n++] = '\n';
	say(fd, line, n);
}

/* A record is "<prio>,<seq>,<microseconds>,<flags>;<text>\n ...". */
static void show_log(int console)
{
	int fd = raw_open("/dev/kmsg", O_NONBLOCK), on = 0;
	static char rec[8192], line[512];
	long got;

	while ((got = RAW(read, fd, rec, sizeof(rec) - 1, 0, 0)) > 0 || got == -32 /* EPIPE: overwritten meanwhile */) {
		static const char head[] = "bench-kmsg: ";
		size_t n = sizeof(head) - 1;
		const char *p = rec;

		if (got < 0)
			continue;
		rec[got] = '\0';
		on |= find(rec, "Run /init as init") != NULL;
		for (int commas = 0; *p && commas < 2; p++)
			commas += *p == ',';
		__builtin_memcpy(line, head, sizeof(head));
		while (*p >= '0' && *p <= '9' && n < 40)
			line[n++] = *p++;
		line[n++] = ' ';
		while (*p && *p != ';')
			p++;
		for (p += *p == ';'; *p && *p != '\n' && n < 200; p++)
			line[n++] = *p;
		line[n++] = '\n';
		if (on)
			say(console, line, n);
	}
}

static void idle_processes(int console)
{
	static const char *const argv[] = { IDLE, NULL }, *const env[] = { NULL };
	struct { long s, ns; } second = { 1, 0 };
	char path[] = "/proc/00/smaps_rollup";
	long pid;

	(void)RAW(mount, "proc", "/proc", "proc", MS_NOSUID, 0); /* it is there if the initramfs moved it */
	pss(console, "raw", "/proc/self/smaps_rollup");
	pid = raw_call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		(void)RAW(execve, argv[0], argv, env, 0, 0);
		(void)RAW(exit, 1, 0, 0, 0, 0);
	}
	(void)RAW(nanosleep, &second, 0, 0, 0, 0); /* the bench's own wait, after the clock has stopped */
	if (pid < 10 || pid > 99)
		say(console, "bench: pss idle has another pid\n", 32);
	path[6] = (char)('0' + pid / 10 % 10);
	path[7] = (char)('0' + pid % 10);
	pss(console, "static-idle", path);
}

void raw_main(void)
{
	int kmsg = raw_open("/dev/kmsg", O_WRONLY), console;

	if (RAW(getpid, 0, 0, 0, 0, 0) != 1) {
		pss(kmsg, "pid1", "/proc/1/smaps_rollup"); /* a service of systemd's has no console */
		pss(1, "pid1", "/proc/1/smaps_rollup");
		(void)RAW(exit, 0, 0, 0, 0, 0);
	}
	say(kmsg, "bench: end\n", 11); /* without a newline the kernel would wait for the rest of the line */
	console = raw_open("/dev/console", O_RDWR);
	show_log(console);
	(void)RAW(mount, "proc", "/proc", "proc", MS_NOSUID, 0);
	if (raw_read("/proc/cmdline", text, sizeof(text)) > 0 && find(text, " bench.pss"))
		idle_processes(console);
	say(console, "bench: done\n", 12);
	(void)RAW(ioctl, console, TCSBRK, 1, 0, 0); /* or the last line can be lost */
	for (;;)
		(void)RAW(reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0, 0);
}
