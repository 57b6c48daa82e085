/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/err.c - one sentence about what went wrong, carried to whoever prints it */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *err_text(int errnum)
{
	const char *text = strerrordesc_np(errnum);

	return text ? text : "unknown error";
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	e->code = code > 0 ? code : EIO;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap); /* a cut sentence is better than none */
	va_end(ap);
	return -e->code;
}

int err_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno > 0 ? errno : EIO;
	va_list ap;
	int n;

	e->code = saved;
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->msg))
		(void)snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %s", err_text(saved));
	errno = saved;
	return -saved;
}

int err_context(struct err *e, const char *fmt, ...)
{
	char inner[ERR_MSG_MAX];
	va_list ap;
	int n;

	memcpy(inner, e->msg, sizeof(inner));
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->msg)) {
		int room = (int)sizeof(e->msg) - n;

		(void)snprintf(e->msg + n, (size_t)room, ": %.*s", room > 3 ? room - 3 : 0, inner); /* what does not fit is cut */
	}
	return e->code > 0 ? -e->code : err_set(e, EIO, "%s", inner);
}
