/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/fail.c - the end of a boot: tell why, then power off, reboot or halt */
#include "init/pid1.h"

#include "init/log.h"
#include "init/sys.h"

#include <sys/reboot.h>

_Noreturn void pid1_end(enum pid1_action action)
{
	static const int commands[] = { RB_POWER_OFF, RB_AUTOBOOT, RB_HALT_SYSTEM };

	for (;;) {
		(void)sys_reboot(commands[action]);  /* does not return if it works */
		(void)sys_reboot(RB_AUTOBOOT);       /* a machine that cannot be powered off */
		(void)sys_poll(NULL, 0, 1000000000); /* PID 1 must not end: the kernel would panic; try again */
	}
}

_Noreturn void pid1_fail(struct pid1 *p, const struct err *e)
{
	pid1_log_refusal(p->code, e->msg);
	pid1_lastfail_write(p, e->msg);
	/* The initramfs knows only its own manifest, the host only its own: before either is read both say power off. */
	if (p->host.on_failure == PID1_HALT)
		pid1_watchdog_close(&p->watchdog); /* it would restart what is to stand still */
	pid1_end(p->host.on_failure != PID1_POWEROFF ? p->host.on_failure : p->boot.on_failure);
}
