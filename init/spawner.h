/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/spawner.h - the one way in which PID 1 starts processes
 *
 * Theory of operation
 *   PID 1 will be under a system call filter that is too narrow for any of them, and filters are inherited. So before
 *   the engine is started a helper is forked that knows the manifests as PID 1 does. PID 1 names what is to be started; the
 *   helper does it with the privileges that stage_engine.c gives it, and answers with the pid of a process that is
 *   PID 1's child. It can be asked for nothing else, and is out of the OOM
 *   killer's reach. If it does not answer in time, or is gone,
 *   it is given up: nothing can be started in that boot any more, and an engine that ends then ends the boot with its code.
 */
#ifndef INIT_SPAWNER_H
#define INIT_SPAWNER_H

#include "common/cleanup.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pid1;

enum pid1_start { PID1_START_ENGINE, PID1_START_AGENT, PID1_START_TASK, PID1_START_BLESS };

/** struct pid1_spawner - @fd of its socket, -1 when it was given up */
struct pid1_spawner {
	int fd;
	pid_t pid;
	uint32_t number;
};

/** pid1_spawner_start() - fork the helper. The manifests must be parsed, the console open. */
int pid1_spawner_start(struct pid1 *p, struct err *e) WARN_UNUSED;

/** pid1_spawner_gone() - it ended. */
void pid1_spawner_gone(struct pid1 *p);

/**
 * pid1_start() - start one in its cgroup with its privileges
 * @task: its index, for PID1_START_TASK
 *
 * No heap. Return: 0, or -errno of the step that failed; the child, if there was one, is then reaped as a stranger.
 */
int pid1_start(struct pid1 *p, enum pid1_start what, size_t task, pid_t *ret_pid, struct err *e) WARN_UNUSED;

#endif
