/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/interrupt.h - ctrl-C and its kin end a tool in order: children first, then what is half-written (never PID 1)
 *
 * Theory of operation
 *   After interrupt_catch() SIGINT, SIGTERM and SIGHUP are blocked and so stay pending; nothing runs in a handler. What
 *   takes long looks whether one is: proc_run() while it waits, which then ends the program and all it started; loops
 *   over many bytes by interrupt_check(). They fail with -EINTR like with any other error, and the usual way back
 *   removes what was made.
 *   A tool that does not call interrupt_catch() ends at once, as ever.
 */
#ifndef COMMON_INTERRUPT_H
#define COMMON_INTERRUPT_H

#include "common/cleanup.h"
#include "common/err.h"

/** interrupt_catch() - from now on. Return: 0 or -errno. */
int interrupt_catch(struct err *e) WARN_UNUSED;

/** interrupt_check() - Return: 0; -EINTR with "interrupted by signal N" if one has come. Always 0 without interrupt_catch(). */
int interrupt_check(struct err *e) WARN_UNUSED;

/** interrupt_fd() - readable once a signal has come, to wait for together with others; -1 without interrupt_catch(). */
int interrupt_fd(void);

/** interrupt_child() - in a child, before execve: a process group of its own, and signals as they were. */
void interrupt_child(void);

#endif
