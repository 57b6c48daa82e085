/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd_timeout.h - the value of --timeout, the same for each verb that asks an agent */
#ifndef ATTEST_CMD_TIMEOUT_H
#define ATTEST_CMD_TIMEOUT_H

#include "attest/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/** cmd_timeout_parse() - seconds as milliseconds; the default if @text is NULL. Return: false if it is no such number.
 */
static inline bool cmd_timeout_parse(const char *text, int *ret_ms)
{
	char *end;
	long v = CLIENT_DEFAULT_SECONDS;

	if (text) {
		if (*text < '0' || *text > '9')
			return false;
		errno = 0;
		v = strtol(text, &end, 10);
		if (errno || *end)
			return false;
	}
	if (v < 1 || v > CLIENT_MAX_SECONDS)
		return false;
	*ret_ms = (int)v * 1000;
	return true;
}

#endif
