/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/interrupt.c - ctrl-C and its kin end a tool in order: children first, then what is half-written */
#include "common/interrupt.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int fd = -1; /* open while signals are caught; never read: they stay pending */
static sigset_t before;
static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

int interrupt_catch(struct err *e)
{
	sigset_t set;

	(void)sigemptyset(&set); /* these two cannot fail with these signals */
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction now;

		/* What is ignored (nohup, a shell's background job) is to stay so. */
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaddset(&set, signals[i]);
	}
	if (fd < 0)
		fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, &before) < 0)
		return err_errno(e, "cannot wait for signals");
	return 0;
}

int interrupt_check(struct err *e)
{
	sigset_t pending;

	if (fd < 0 || sigpending(&pending) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigismember(&pending, signals[i]) == 1)
			return err_set(e, EINTR, "interrupted by signal %d", signals[i]);
	return 0;
}

int interrupt_fd(void)
{
	return fd;
}

void interrupt_child(void)
{
	if (fd < 0)
		return;
	(void)setpgid(0, 0); /* the parent does it too; whoever is first */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}
