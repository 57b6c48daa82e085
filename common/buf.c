/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/buf.c - bytes we produce, growing as they are appended */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_free(struct buf *b)
{
	int saved = errno;

	free(b->data);
	memset(b, 0, sizeof(*b));
	errno = saved;
}

/* Room for @n more bytes, or the sticky flag. Capacity doubles, so appending is linear over all. */
static bool buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;
	uint8_t *p;

	if (b->bad || n > SIZE_MAX / 2 - b->len) {
		b->bad = true;
		return false;
	}
	if (b->data && b->len + n <= b->cap)
		return true;
	while (cap < b->len + n)
		cap *= 2;
	p = realloc(b->data, cap);
	if (!p) {
		b->bad = true;
		return false;
	}
	b->data = p;
	b->cap = cap;
	return true;
}

void buf_put(struct buf *b, const void *data, size_t n)
{
	if (!n || !buf_reserve(b, n))
		return;
	memcpy(b->data + b->len, data, n);
	b->len += n;
}

void buf_zero(struct buf *b, size_t n)
{
	if (!n || !buf_reserve(b, n))
		return;
	memset(b->data + b->len, 0, n);
	b->len += n;
}

void buf_pad(struct buf *b, size_t align)
{
	if (b->len % align)
		buf_zero(b, align - b->len % align);
}

void buf_str(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	/* The terminating NUL needs a byte of room but is not part of the length. */
	if (n < 0)
		b->bad = true;
	else if (buf_reserve(b, (size_t)n + 1)) {
		(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

static void put_int(struct buf *b, uint64_t v, size_t n, bool big)
{
	uint8_t out[8];

	for (size_t i = 0; i < n; i++)
		out[big ? n - 1 - i : i] = (uint8_t)(v >> 8 * i);
	buf_put(b, out, n);
}

void buf_u8(struct buf *b, uint8_t v)
{
	put_int(b, v, 1, false);
}

void buf_u16le(struct buf *b, uint16_t v)
{
	put_int(b, v, 2, false);
}

void buf_u32le(struct buf *b, uint32_t v)
{
	put_int(b, v, 4, false);
}

void buf_u64le(struct buf *b, uint64_t v)
{
	put_int(b, v, 8, false);
}

void buf_u16be(struct buf *b, uint16_t v)
{
	put_int(b, v, 2, true);
}

void buf_u32be(struct buf *b, uint32_t v)
{
	put_int(b, v, 4, true);
}

void buf_u64be(struct buf *b, uint64_t v)
{
	put_int(b, v, 8, true);
}

void buf_utf16(struct buf *b, const char *s)
{
	do
		buf_u16le(b, (uint8_t)*s);
	while (*s++);
}
