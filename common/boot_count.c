/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/boot_count.c - how often the boot loader may still try a UKI, which stands in the UKI's file name */
#include "common/boot_count.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SUFFIX     ".efi"
#define MAX_DIGITS 4

/* One to MAX_DIGITS digits. Return: what stands behind them, or NULL. */
static const char *number(const char *at, unsigned *ret)
{
	unsigned v = 0, n = 0;

	for (; at[n] >= '0' && at[n] <= '9'; n++) {
		if (n == MAX_DIGITS)
			return NULL;
		v = v * 10 + (unsigned)(at[n] - '0');
	}
	*ret = v;
	return n ? at + n : NULL;
}

/* "LEFT" or "LEFT-DONE" up to @end. */
static bool counter(const char *at, const char *end, struct boot_count *ret)
{
	at = number(at, &ret->left);
	if (at && *at == '-')
		at = number(at + 1, &ret->done);
	return at == end;
}

bool boot_count_parse(const char *file, struct boot_count *ret)
{
	struct boot_count c = { .counted = false };
	size_t n = strlen(file);
	const char *end, *plus;

	if (n <= strlen(SUFFIX) || n >= sizeof(c.base) || strcasecmp(file + n - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	end = file + n - strlen(SUFFIX);
	plus = strrchr(file, '+');
	c.counted = plus && counter(plus + 1, end, &c);
	if (c.counted)
		end = plus;
	else
		c.left = c.done = 0;
	if (end == file)
		return false;
	memcpy(c.base, file, (size_t)(end - file)); /* shorter than @file, which fits */
	*ret = c;
	return true;
}

bool boot_count_base(const char *name, uint64_t version, char ret[static BOOT_COUNT_NAME_BYTES])
{
	return snprintf(ret, BOOT_COUNT_NAME_BYTES, "%s_%llu", name, (unsigned long long)version) < BOOT_COUNT_NAME_BYTES;
}

bool boot_count_file(const char *base, char ret[static BOOT_COUNT_NAME_BYTES])
{
	return snprintf(ret, BOOT_COUNT_NAME_BYTES, "%s+%d" SUFFIX, base, BOOT_COUNT_TRIES) < BOOT_COUNT_NAME_BYTES;
}
