/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/base64.c - base64url without padding, as JOSE wants it */
#include "attest/base64.h"

void base64_put(struct buf *out, const void *data, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *p = data;

	for (; n; n -= n < 3 ? n : 3, p += 3) {
		uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? p[1] : 0) << 8 | (n > 2 ? p[2] : 0);
		char text[4] = {digit[v >> 18], digit[v >> 12 & 63], digit[v >> 6 & 63], digit[v & 63]};

		buf_put(out, text, n < 3 ? n + 1 : 4);
	}
}
