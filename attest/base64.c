/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/base64.c - base64url without padding, as JOSE wants it */
#include "attest/base64.h"

#include <string.h>

/* Four digits of three bytes, the missing ones of which are zero. */
static void put_group(const uint8_t p[static 3], char ret[static 4])
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

	ret[0] = digit[v >> 18];
	ret[1] = digit[v >> 12 & 63];
	ret[2] = digit[v >> 6 & 63];
	ret[3] = digit[v & 63];
}

/* A result has a thousand digits and more: they are written to the buffer by pieces, not by groups. */
void base64_put(struct buf *out, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint8_t last[3] = {0};
	char text[256] = "";
	size_t used = 0;

	for (; n >= 3; n -= 3, p += 3, used += 4) {
		if (used == sizeof(text)) {
			buf_put(out, text, used);
			used = 0;
		}
		put_group(p, text + used);
	}
	buf_put(out, text, used);
	if (!n)
		return;
	memcpy(last, p, n);
	put_group(last, text);
	buf_put(out, text, n + 1);
}
