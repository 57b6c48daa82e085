/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/common/scratch.h - a test's own folder: paths in it, and commands run in it */
#ifndef TESTS_COMMON_SCRATCH_H
#define TESTS_COMMON_SCRATCH_H

#include "tests/common/check.h"

#include "common/proc.h"

/* "<dir>/<name>"; a few live at once. */
static inline char *scratch_path(const char *dir, const char *name)
{
	static char paths[16][512];
	static unsigned i;
	char *p = paths[i++ % 16];

	(void)snprintf(p, 512, "%s/%s", dir, name);
	return p;
}

static inline void scratch_run(const char *dir, const char *command)
{
	const char *const argv[] = {"sh", "-c", command, NULL};
	struct proc_params p = {.argv = argv, .dir = dir, .quiet = 1};
	struct err e = ERR_INIT;

	assert_ok(proc_run(&p, &e), &e);
}

#endif
