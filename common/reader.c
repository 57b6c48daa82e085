/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/reader.c - the only way hostile bytes are read */
#include "common/reader.h"

#include <string.h>

struct reader reader_init(const void *buf, size_t len)
{
	struct reader r = { .p = buf, .left = len, .base = buf, .bad = false };

	return r;
}

const uint8_t *reader_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > r->left) {
		r->bad = true;
		r->left = 0;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

/* Up to eight bytes, most significant first when @big. */
static uint64_t read_int(struct reader *r, size_t n, bool big)
{
	const uint8_t *b = reader_bytes(r, n);
	uint64_t v = 0;

	if (!b)
		return 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | b[big ? i : n - 1 - i];
	return v;
}

uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)read_int(r, 1, false);
}

uint16_t reader_u16le(struct reader *r)
{
	return (uint16_t)read_int(r, 2, false);
}

uint32_t reader_u32le(struct reader *r)
{
	return (uint32_t)read_int(r, 4, false);
}

uint64_t reader_u64le(struct reader *r)
{
	return read_int(r, 8, false);
}

uint16_t reader_u16be(struct reader *r)
{
	return (uint16_t)read_int(r, 2, true);
}

uint32_t reader_u32be(struct reader *r)
{
	return (uint32_t)read_int(r, 4, true);
}

uint64_t reader_u64be(struct reader *r)
{
	return read_int(r, 8, true);
}

void reader_copy(struct reader *r, void *dst, size_t n)
{
	const uint8_t *b = reader_bytes(r, n);

	if (b && n)
		memcpy(dst, b, n);
	else if (n)
		memset(dst, 0, n);
}

struct reader reader_sub(struct reader *r, size_t n)
{
	const uint8_t *b = reader_bytes(r, n);
	struct reader s = { .p = b, .left = b ? n : 0, .base = r->base, .bad = r->bad };

	return s;
}

size_t reader_offset(const struct reader *r)
{
	return r->base && r->p ? (size_t)(r->p - r->base) : 0;
}

bool reader_done(const struct reader *r)
{
	return !r->bad && r->left == 0;
}
