/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/status.c - what PID 1 is doing, as one JSON object: for /run/holdfast/status.json and whoever asks */
#include "init/status.h"

#include "init/clients.h"
#include "init/log.h"
#include "init/pid1.h"
#include "init/sys.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
	char *at;
	size_t left; /* 0: it did not fit */
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->left) {
		t->left = 0;
		return;
	}
	t->at += n;
	t->left -= (size_t)n;
}

static void put_service(struct text *t, const char *name, const struct pid1_service_state *s)
{
	put(t, "\"%s\":{\"state\":\"%s\",\"pid\":%d,\"starts\":%u,\"stops\":%u,\"last_exit\":%d},", name,
	    s->state ? s->state : "absent", (int)s->pid, s->starts, s->stops, s->last);
}

static void put_stages(struct text *t, const struct pid1_times *times)
{
	uint64_t last = times->main_ns;

	put(t, "\"stages\":[");
	for (size_t i = 0; i < times->n; i++) {
		put(t, "%s{\"name\":\"%s\",\"us\":%" PRIu64 "}", i ? "," : "", times->mark[i].name,
		    (times->mark[i].ns - last) / 1000);
		last = times->mark[i].ns;
	}
	put(t, "],");
}

size_t pid1_status_format(const struct pid1 *p, char *ret, size_t room)
{
	const struct pid1_live *l = &p->live;
	struct text t = { ret, room };

	put(&t, "{\"holdfast\":\"status/1\",\"version\":\"" HOLDFAST_VERSION "\",\"profile\":\"%s\",\"state\":\"%s\",",
	    cmdline_profile_str(p->cmdline.profile), l->state ? l->state : "starting");
	put(&t, "\"policy\":{\"name\":\"%s\",\"version\":%" PRIu64 "},", p->policy && p->policy->name ? p->policy->name : "",
	    p->policy ? p->policy->version : 0);
	for (size_t i = 0; i < l->n_facts; i++)
		put(&t, "\"%s\":\"%s\",", l->fact[i].key, l->fact[i].value);
	put_service(&t, "engine", &l->engine);
	put_service(&t, "agent", &l->agent);
	put_stages(&t, &p->times);
	put(&t,
	    "\"counters\":{\"reaped\":%" PRIu64 ",\"containers\":%" PRIu64 ",\"violations\":%" PRIu64 ",\"refused\":%" PRIu64
	    ",\"watchdog_fed\":%" PRIu64 ",\"tasks\":%zu},\"uptime_ms\":%" PRIu64 "}\n",
	    l->reaped, l->containers, l->violations, l->refused, p->watchdog.fed, l->tasks_done, sys_now_ns() / 1000000);
	return t.left ? room - t.left : 0;
}

void pid1_fact(struct pid1 *p, const char *key, const char *value)
{
	struct pid1_live *l = &p->live;
	size_t i = 0;

	while (i < l->n_facts && strcmp(l->fact[i].key, key) != 0)
		i++;
	if (i == PID1_MAX_FACTS)
		return; /* a mistake of ours; the boot is worth more */
	l->fact[i].key = key;
	(void)snprintf(l->fact[i].value, sizeof(l->fact[i].value), "%s", value); /* cut, as promised */
	for (char *c = l->fact[i].value; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			*c = '?';
	l->n_facts += i == l->n_facts;
	l->changed = true;
}

static int write_file(const char *text, size_t len)
{
	int fd = sys_open(PID1_STATUS_PATH ".new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = sys_write(fd, text, len);
	sys_close(fd);
	if (n != (ssize_t)len)
		return n < 0 ? (int)n : -EIO;
	return sys_rename(PID1_STATUS_PATH ".new", PID1_STATUS_PATH); /* no fsync: /run is memory */
}

void pid1_status_publish(struct pid1 *p)
{
	static char text[PID1_MAX_ANSWER_BYTES];
	static bool told;
	size_t len;
	int r;

	if (!p->live.changed)
		return;
	p->live.changed = false;
	len = pid1_status_format(p, text, sizeof(text));
	r = len ? write_file(text, len) : -ENOSPC;
	if (r && !told)
		pid1_log("status", "cannot write " PID1_STATUS_PATH ": error %d", -r);
	told = r != 0;
}
