/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/log.c - one line, once on the console and once in the kernel's log */
#include "init/log.h"

#include "common/codes.h"
#include "init/io.h"
#include "init/sys.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 600
#define CONSOLE_LEVEL  "4" /* the kernel itself speaks on the console from KERN_ERR on */
#define REFUSAL_LEVEL  "1" /* only KERN_EMERG: the refusal's own line is already there */

static int console = 2;
static int kmsg = -1;
static uint64_t first_ns;

/* @level: KERN_* of the copy in the kernel's log. @line has room for the newline behind @len. */
static void put_line(unsigned level, char *line, size_t len)
{
	char tagged[LINE_MAX_BYTES + 8];
	int n = snprintf(tagged, sizeof(tagged), "<%u>%s", level, line);

	line[len] = '\n';
	(void)sys_write(console, line, len + 1); /* there is no other place to say that the console is gone */
	if (kmsg >= 0 && n > 0) {
		if (!first_ns)
			first_ns = sys_now_ns();
		(void)sys_write(kmsg, tagged, (size_t)n); /* likewise */
	}
}

static void say(unsigned level, const char *fmt, va_list ap, char *line, int n)
{
	int m = vsnprintf(line + n, (size_t)(LINE_MAX_BYTES - 1 - n), fmt, ap);

	n = m < 0 ? n : n + m < LINE_MAX_BYTES - 2 ? n + m : LINE_MAX_BYTES - 2;
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?'; /* one line stays one line, whatever a sentence quotes */
	put_line(level, line, (size_t)n);
}

int pid1_log_open(struct err *e)
{
	int fd = sys_open("/dev/console", O_WRONLY | O_NOCTTY, 0), r;

	if (fd < 0)
		return pid1_err(e, fd, "cannot open /dev/console");
	console = fd;
	sys_console_unstoppable(console); /* else a ctrl-S at the console would hold PID 1 */
	fd = sys_open("/dev/kmsg", O_WRONLY | O_NOCTTY, 0);
	if (fd < 0)
		return pid1_err(e, fd, "cannot open /dev/kmsg");
	kmsg = fd;
	r = pid1_write("/proc/sys/kernel/printk_devkmsg", "on\n", 3,
		       e); /* else the kernel drops lines when we are quick */
	return r ? r : pid1_write("/proc/sys/kernel/printk", CONSOLE_LEVEL, 1, e);
}

int pid1_log_console(void)
{
	return console;
}

uint64_t pid1_log_first_ns(void)
{
	return first_ns;
}

void pid1_log(const char *stage, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES + 1];
	int n = snprintf(line, LINE_MAX_BYTES, "holdfast: %.40s%s", stage ? stage : "", stage ? ": " : "");
	va_list ap;

	va_start(ap, fmt);
	say(6, fmt, ap, line, n);
	va_end(ap);
}

static void refusal_line(unsigned level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES + 1];
	va_list ap;

	va_start(ap, fmt);
	say(level, fmt, ap, line, 0);
	va_end(ap);
}

void pid1_log_refusal(unsigned code, const char *sentence)
{
	struct err ignored = ERR_INIT;
	bool quiet = kmsg >= 0 && pid1_write("/proc/sys/kernel/printk", REFUSAL_LEVEL, 1, &ignored) == 0;

	refusal_line(quiet ? 1 : 6, "holdfast: E%u %s: %s", code, code_text(code), sentence);
	sys_console_drain(console);
}
