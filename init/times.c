/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/times.c - how long each stage took, across the change of root */
#include "init/times.h"

#include "init/log.h"
#include "init/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define RUN_INIT          "Run /init as init process"
#define OURS              "holdfast: "
#define KMSG_RECORD_BYTES 1024

void pid1_times_mark(struct pid1_times *t, const char *name)
{
	struct pid1_mark *m;

	if (t->n == PID1_MAX_MARKS)
		return;
	m = &t->mark[t->n++];
	(void)snprintf(m->name, sizeof(m->name), "%s", name); /* a cut name still names it */
	m->ns = sys_now_ns();
}

/* "<prio>,<seq>,<microseconds>,<flags>;<text>\n ...". Kernel: Documentation/ABI/testing/dev-kmsg. */
static const char *record_parse(const char *rec, uint64_t *ret_us)
{
	const char *p = strchr(rec, ','), *text = strchr(rec, ';');
	uint64_t us = 0;

	p = p ? strchr(p + 1, ',') : NULL;
	if (!p || !text || p > text)
		return NULL;
	for (p++; *p >= '0' && *p <= '9' && us < UINT64_MAX / 100; p++)
		us = us * 10 + (uint64_t)(*p - '0');
	*ret_us = us;
	return text + 1;
}

uint64_t pid1_times_before_ns(size_t (*next)(void *arg, char *buf, size_t room), void *arg)
{
	char rec[KMSG_RECORD_BYTES];
	uint64_t run_us = 0, us;
	bool found = false;

	while (next(arg, rec, sizeof(rec))) {
		const char *text = record_parse(rec, &us);

		if (!text)
			continue;
		if (!strncmp(text, RUN_INIT, strlen(RUN_INIT))) {
			run_us = us;
			found = true;
		} else if (found && !strncmp(text, OURS, strlen(OURS))) {
			return (us - run_us) * 1000;
		}
	}
	return UINT64_MAX;
}

static size_t kmsg_next(void *arg, char *buf, size_t room)
{
	ssize_t n;

	do
		n = sys_read(*(int *)arg, buf, room - 1);
	while (n == -EPIPE || n == -EINVAL); /* overwritten meanwhile, or too long for us: the next one */
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	return (size_t)n;
}

static uint64_t boot_begin(const struct pid1_times *t)
{
	int fd = sys_open("/dev/kmsg", O_RDONLY | O_NONBLOCK, 0);
	uint64_t before = UINT64_MAX;

	if (fd >= 0) {
		before = pid1_times_before_ns(kmsg_next, &fd);
		sys_close(fd);
	}
	return before < t->kmsg_ns ? t->kmsg_ns - before : UINT64_MAX;
}

static void report_line(const char *name, uint64_t ns)
{
	pid1_log("boot", "%s %" PRIu64 ".%03" PRIu64 " ms", name, ns / 1000000, ns / 1000 % 1000);
}

void pid1_times_report(const struct pid1_times *t)
{
	uint64_t begin = boot_begin(t), last;

	if (begin <= t->main_ns) {
		report_line("loader", t->main_ns - begin);
	} else {
		pid1_log("boot", "the kernel's log has no \"" RUN_INIT "\": times begin with main()");
		begin = t->main_ns;
	}
	last = t->main_ns;
	for (size_t i = 0; i < t->n; i++) {
		report_line(t->mark[i].name, t->mark[i].ns - last);
		last = t->mark[i].ns;
	}
	pid1_log("boot",
		 "total %" PRIu64 ".%03" PRIu64 " ms (%" PRIu64 " ns; under -icount shift=0 one ns is one instruction)",
		 (last - begin) / 1000000, (last - begin) / 1000 % 1000, last - begin);
}
