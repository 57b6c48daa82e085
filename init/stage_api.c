/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_api.c - the API file systems, then the console
 *
 * They are moved into the root later, so their flags are those of the host.
 */
#include "init/pid1.h"

#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define DM_ENV "DM_DISABLE_UDEV=1" /* else libdevmapper waits for a udev that never comes */

const char *const pid1_environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", DM_ENV, NULL };

static const struct api_mount {
	const char *type;
	const char *target;
	unsigned long flags;
	const char *data;
} api_mounts[] = {
	{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "securityfs", "/sys/kernel/security", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755" },
	{ "tmpfs", "/run", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755" },
};

int pid1_stage_api(struct pid1 *p, struct err *e)
{
	(void)p;
	/* The kernel makes environment variables of command line words it does not know. None is for the libraries we use. */
	if (clearenv() || putenv((char *)DM_ENV))
		return err_set(e, ENOMEM, "cannot set the environment");
	for (size_t i = 0; i < ARRAY_SIZE(api_mounts); i++) {
		const struct api_mount *m = &api_mounts[i];
		int r = strcmp(m->type, "securityfs") ? sys_mkdir(m->target, 0755)
						      : 0; /* that one is sysfs's own folder */

		if (!r)
			r = sys_mount(m->type, m->target, m->type, m->flags, m->data);
		if (r)
			return pid1_err(e, r, "cannot mount %s on %s", m->type, m->target);
	}
	return 0;
}

int pid1_stage_console(struct pid1 *p, struct err *e)
{
	int r = sys_hold_stdio();

	(void)p;
	if (r)
		return pid1_err(e, r, "cannot open /dev/null");
	r = pid1_log_open(e);
	if (r)
		return r;
	r = sys_mkdir(PID1_RUN_DIR, 0755);
	if (r)
		return pid1_err(e, r, "cannot make %s", PID1_RUN_DIR);
	pid1_log("console", "holdfast-init " HOLDFAST_VERSION);
	return 0;
}

int pid1_stage_hurry(struct pid1 *p, struct err *e)
{
	(void)p;
	(void)e;
	pid1_hurry(true); /* until init/stage_seal.c */
	return 0;
}
