/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/cmd_progress.c - progress lines of the subcommands, on standard output */
#include "image-builder/cmd.h"

#include <stdio.h>

static const char *current = "holdfast-image";

void cmd_progress_verb(const char *verb)
{
	current = verb;
}

void cmd_progress(const char *line)
{
	printf("%s: %s\n", current, line);
	(void)fflush(stdout); /* an error there shows at exit */
}
