/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/progress.c - how library code tells a person how far it is, without printing itself */
#include "image-builder/progress.h"

#include <stdarg.h>
#include <stdio.h>

void progress_say(progress_fn *say, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (!say)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap); /* a longer line is cut: it is for people */
	va_end(ap);
	say(line);
}
