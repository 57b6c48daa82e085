/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/state.c - what PID 1 tells itself across the change of root */
#include "init/state.h"

#include "common/conf.h"
#include "init/io.h"
#include "init/sys.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t pid1_state_format(const struct pid1_state *s, char *ret, size_t room)
{
	int n = snprintf(ret, room, "tpm_required = %d\nmain_ns = %" PRIu64 "\nkmsg_ns = %" PRIu64 "\n",
			 s->tpm_required, s->times.main_ns, s->times.kmsg_ns);

	for (size_t i = 0; i < s->times.n && n > 0 && (size_t)n < room; i++)
		n += snprintf(ret + n, room - (size_t)n, "mark.%s = %" PRIu64 "\n", s->times.mark[i].name,
			      s->times.mark[i].ns);
	return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

static int parse_marks(const struct conf *c, struct pid1_times *t, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		struct pid1_mark *m = &t->mark[t->n];

		if (strncmp(c->line[i].key, "mark.", 5) != 0)
			continue;
		if (t->n == PID1_MAX_MARKS || strlen(c->line[i].key + 5) >= sizeof(m->name))
			return err_set(e, EINVAL, "%s:%u: one mark too many, or its name is too long", c->name,
				       c->line[i].number);
		(void)snprintf(m->name, sizeof(m->name), "%s", c->line[i].key + 5); /* fits, see above */
		if (conf_u64(c, c->line[i].key, 0, INT64_MAX, &m->ns, e))
			return -EINVAL;
		t->n++;
	}
	return 0;
}

int pid1_state_parse(char *text, size_t len, struct pid1_state *ret, struct err *e)
{
	static const char *const keys[] = { "tpm_required", "main_ns", "kmsg_ns", "mark.*", NULL };
	static struct conf c; /* 6 KiB */
	struct pid1_state s = { 0 };
	uint64_t required = 1;
	const char *v;
	int r = conf_parse(text, len, PID1_STATE_PATH, &c, e);

	if (!r)
		r = conf_check(&c, keys, e);
	if (!r)
		r = conf_need(&c, "tpm_required", &v, e); /* an empty file is no state */
	if (!r)
		r = conf_u64(&c, "tpm_required", 1, 1, &required, e);
	if (!r)
		r = conf_u64(&c, "main_ns", 0, INT64_MAX, &s.times.main_ns, e);
	if (!r)
		r = conf_u64(&c, "kmsg_ns", 0, INT64_MAX, &s.times.kmsg_ns, e);
	if (!r)
		r = parse_marks(&c, &s.times, e);
	if (r)
		return r;
	s.tpm_required = required;
	*ret = s;
	return 0;
}

int pid1_state_save(const struct pid1_state *s, struct err *e)
{
	char text[PID1_MAX_STATE_BYTES];
	size_t len = pid1_state_format(s, text, sizeof(text));
	int fd = sys_open(PID1_STATE_PATH, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	ssize_t n;

	if (fd < 0)
		return pid1_err(e, fd, "cannot create %s", PID1_STATE_PATH);
	n = sys_write(fd, text, len);
	sys_close(fd);
	return len && n == (ssize_t)len ? 0 : err_set(e, EIO, "cannot write %s", PID1_STATE_PATH);
}

int pid1_state_load(struct pid1_state *ret, struct err *e)
{
	char text[PID1_MAX_STATE_BYTES];
	size_t len;
	int r = pid1_read(PID1_STATE_PATH, text, sizeof(text), &len, e);

	if (r)
		return r;
	r = sys_unlink(PID1_STATE_PATH);
	return r ? pid1_err(e, r, "cannot delete %s", PID1_STATE_PATH) : pid1_state_parse(text, len, ret, e);
}
