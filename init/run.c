/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/run.c - a table of stages, from its first to its last */
#include "init/pid1.h"

#include "init/log.h"
#include "init/sys.h"

#include <linux/magic.h>

static void must_stand_on(struct pid1 *p, enum pid1_ground ground)
{
	struct err e = ERR_INIT;
	uint64_t magic;

	if (sys_fs_magic("/", &magic))
		(void)err_set(&e, EIO, "cannot tell what file system / is");
	else if ((magic == RAMFS_MAGIC || magic == TMPFS_MAGIC) != (ground == PID1_ON_INITRAMFS))
		(void)err_set(&e, EINVAL, "/ is %s initramfs (file system 0x%llx)", ground == PID1_ON_INITRAMFS ? "no" : "an", (unsigned long long)magic);
	else
		return;
	pid1_fail(p, &e);
}

void pid1_run(struct pid1 *p, const struct pid1_stage *s, enum pid1_ground ground)
{
	p->times.main_ns = sys_now_ns();
	p->code = CODE_INTERNAL;
	must_stand_on(p, ground);
	for (; s->name; s++) {
		struct err e = ERR_INIT;

		p->stage = s->name;
		p->code = s->code;
		if (s->run(p, &e))
			pid1_fail(p, &e);
		if (!p->times.kmsg_ns)
			p->times.kmsg_ns = pid1_log_first_ns();
		pid1_times_mark(&p->times, s->name);
	}
}
