/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/uevent.h - wait until the kernel says that a device has come
 *
 * Theory of operation
 *   Subscribe, then look, then wait for news and look again: a device that comes between look and wait has left its
 *   news in the socket. Nothing is polled and nothing sleeps; a deadline ends the waiting.
 *
 * Input: the kernel's (messages of other senders are dropped in init/sys.c), parsed as hostile all the same.
 * Spec: Linux, lib/kobject_uevent.c: "<action>@<path>" NUL, then "KEY=value" NUL each.
 */
#ifndef INIT_UEVENT_H
#define INIT_UEVENT_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PID1_MAX_UEVENT_BYTES 4096

/** pid1_uevent_matches() - does this message say that a device of @subsystem was added or has changed? */
bool pid1_uevent_matches(const void *msg, size_t len, const char *subsystem);

/**
 * pid1_uevent_wait() - wait for news of @subsystem
 * @fd:          of sys_uevent_open()
 * @deadline_ns: by sys_now_ns()
 *
 * Return: 0 when there is news (or when messages were lost, so that looking again is right); -ETIMEDOUT; other -errno.
 */
int pid1_uevent_wait(int fd, const char *subsystem, uint64_t deadline_ns, struct err *e) WARN_UNUSED;

#endif
