/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/hex.c - bytes to lower-case hex digits and back, strictly */
#include "common/hex.h"

#include <string.h>

void hex_encode(const uint8_t *bytes, size_t n, char *ret_str)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		ret_str[2 * i] = digits[bytes[i] >> 4];
		ret_str[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_str[2 * n] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool hex_decode(const char *str, uint8_t *ret_bytes, size_t n)
{
	if (strlen(str) != 2 * n)
		return false;
	for (size_t i = 0; i < 2 * n; i++)
		if (nibble(str[i]) < 0)
			return false;
	for (size_t i = 0; i < n; i++)
		ret_bytes[i] = (uint8_t)(nibble(str[2 * i]) << 4 | nibble(str[2 * i + 1]));
	return true;
}
