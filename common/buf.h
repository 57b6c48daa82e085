/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/buf.h - bytes we produce, growing as they are appended
 *
 * The writing twin of common/reader.h. Running out of memory is sticky: append a whole record,
 * then check `bad` once. Not for PID 1 after the point of no return (it allocates).
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include "common/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct buf - an owned, growing byte string
 * @data: the bytes (NULL while empty)
 * @len:  bytes in use
 * @cap:  bytes allocated
 * @bad:  an allocation failed, or the size would exceed SIZE_MAX / 2; stays set
 */
struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool bad;
};

#define BUF_INIT { 0 }

/** buf_free() - release and reset; accepts an empty one. */
void buf_free(struct buf *b);

#define cleanup_buf __attribute__((cleanup(buf_free)))

/** buf_put() - append @n bytes. buf_zero() appends @n zeros. buf_pad() appends zeros up to a multiple of @align. */
void buf_put(struct buf *b, const void *data, size_t n);
void buf_zero(struct buf *b, size_t n);
void buf_pad(struct buf *b, size_t align);

/** buf_str() - append a C string without its NUL. buf_printf() appends formatted text. */
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** buf_u8() and its kin - append one integer of the named width and byte order. */
void buf_u8(struct buf *b, uint8_t v);
void buf_u16le(struct buf *b, uint16_t v);
void buf_u32le(struct buf *b, uint32_t v);
void buf_u64le(struct buf *b, uint64_t v);
void buf_u16be(struct buf *b, uint16_t v);
void buf_u32be(struct buf *b, uint32_t v);
void buf_u64be(struct buf *b, uint64_t v);

/** buf_utf16() - append ASCII @s as UTF-16LE with its terminating NUL (UEFI strings). */
void buf_utf16(struct buf *b, const char *s);

#endif
