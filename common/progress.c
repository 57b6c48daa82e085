/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/progress.c - how library code tells a person how far it is, without printing itself */
#include "common/progress.h"

#include "common/clock.h"

#include <stdarg.h>
#include <stdio.h>

#define SILENT_MS 1000
#define EVERY_MS  250

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

void progress_begin(struct progress_meter *m, progress_fn *say, const char *what, uint64_t all_bytes)
{
	*m = (struct progress_meter){ .say = say, .what = what, .all_bytes = all_bytes, .began_ms = clock_ms(CLOCK_MONOTONIC) };
}

void progress_done(struct progress_meter *m, uint64_t done_bytes)
{
	int64_t now = m->say ? clock_ms(CLOCK_MONOTONIC) : 0;

	if (!m->say || now - m->began_ms < SILENT_MS || now - m->said_ms < EVERY_MS)
		return;
	m->said_ms = now;
	progress_say(m->say, "%s %.1f of %.1f GB, %.0f %%", m->what, (double)done_bytes / 1e9, (double)m->all_bytes / 1e9,
		     m->all_bytes ? 100.0 * (double)done_bytes / (double)m->all_bytes : 100.0);
}
