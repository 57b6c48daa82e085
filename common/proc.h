/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/proc.h - run another program and wait for it (build machine and gate; never PID 1)
 */
#ifndef COMMON_PROC_H
#define COMMON_PROC_H

#include "common/buf.h"
#include "common/err.h"

/**
 * struct proc_params - zero it, then set what is needed
 * @argv:     NULL-terminated; argv[0] is looked up in PATH
 * @env:      NULL-terminated "K=V" added to (and overriding) our environment, or NULL
 * @dir:      working folder, or NULL
 * @stdin_fd: descriptor to use as standard input; 0 means /dev/null
 * @out:      where standard output goes, bounded by @out_max bytes; NULL sends it to standard error
 * @sink:     if set, standard output is given to it piece by piece instead of to @out; what it returns ends the program
 * @sink_arg: its first argument
 * @quiet:    standard error is kept and shown in the error only if the program fails
 */
struct proc_params {
	const char *const *argv;
	const char *const *env;
	const char *dir;
	int stdin_fd;
	struct buf *out;
	size_t out_max;
	int quiet;
	int (*sink)(void *arg, const uint8_t *data, size_t n, struct err *e);
	void *sink_arg;
};

/**
 * proc_run() - run and wait
 *
 * Return: 0 if the program exited 0; -ENOENT if it is not installed; -ECHILD with its status and the last
 * line it wrote to standard error if it exited otherwise, -EIO likewise if a signal ended it; -EINTR, the program and what it started having been ended, if a
 * signal came (common/interrupt.h).
 */
int proc_run(const struct proc_params *p, struct err *e) WARN_UNUSED;

#endif
