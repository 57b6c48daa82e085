/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/reader.h - the only way hostile bytes are read
 *
 * Theory of operation
 *   A reader walks a buffer it does not own. A read past the end returns zero (or NULL), sets the
 *   sticky flag and consumes nothing more: a parser reads a whole record and checks `bad` once.
 *   Nothing is ever added to a pointer before it was compared with what is left. Byte order is
 *   decided at the call and nowhere else.
 *
 * Input: hostile.
 */
#ifndef COMMON_READER_H
#define COMMON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct reader - a place in a buffer
 * @p:    next byte
 * @left: bytes from @p to the end
 * @base: first byte of the outermost buffer, so that reader_offset() can say where we are
 * @bad:  a read went past the end; stays set
 */
struct reader {
	const uint8_t *p;
	size_t left;
	const uint8_t *base;
	bool bad;
};

/** reader_init() - a reader over @len bytes at @buf (may be NULL when @len is 0). */
struct reader reader_init(const void *buf, size_t len);

/** reader_u8() and its kin - one integer of the named width and byte order; 0 and bad past the end. */
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16le(struct reader *r);
uint32_t reader_u32le(struct reader *r);
uint64_t reader_u64le(struct reader *r);
uint16_t reader_u16be(struct reader *r);
uint32_t reader_u32be(struct reader *r);
uint64_t reader_u64be(struct reader *r);

/** reader_bytes() - @n bytes in place. Return: pointer into the buffer, NULL and bad if fewer are left. */
const uint8_t *reader_bytes(struct reader *r, size_t n);

/** reader_copy() - copy exactly @n bytes to @dst; @dst is zeroed and bad set if fewer are left. */
void reader_copy(struct reader *r, void *dst, size_t n);

/** reader_sub() - a reader over the next @n bytes, which @r skips; an empty bad one if fewer are left. */
struct reader reader_sub(struct reader *r, size_t n);

/** reader_offset() - bytes consumed since the outermost buffer's start, for messages. */
size_t reader_offset(const struct reader *r);

/** reader_done() - true when nothing went wrong and no byte is left. */
bool reader_done(const struct reader *r);

#endif
