/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/cbor.h - the little CBOR that evidence and the agent's messages use
 *
 * Theory of operation
 *   Only four things exist: unsigned numbers, byte strings, text, and maps whose keys are text in an order that both
 *   sides know. So the reader never looks a key up: it says which key must stand next, and a missing, unknown,
 *   repeated or misplaced key is the same error. Every head must be in its shortest form and of definite length, so one
 *   value has one encoding. Text is printable ASCII, because it ends on somebody's terminal. There is no recursion, and
 *   nothing is allocated.
 *
 *   Each reading function names in its sentence the byte offset and what was wanted; the reader is then `bad`.
 *
 * Input: hostile. Spec: RFC 8949 sections 3 (heads), 4.2.1 (shortest forms), 3.1 (major types).
 */
#ifndef ATTEST_CBOR_H
#define ATTEST_CBOR_H

#include "common/buf.h"
#include "common/err.h"
#include "common/reader.h"

struct bytes;

/** cbor_put_map() - begin a map of @n pairs. The others append one item; @s is printable ASCII. */
void cbor_put_map(struct buf *b, size_t n);
void cbor_put_uint(struct buf *b, uint64_t v);
void cbor_put_text(struct buf *b, const char *s);
void cbor_put_bytes(struct buf *b, const void *data, size_t n);

/** cbor_map() - a map of exactly @n pairs begins here. -EINVAL. */
int cbor_map(struct reader *r, size_t n, struct err *e) WARN_UNUSED;

/** cbor_map_any() - a map of 1 to @max pairs begins here. -EINVAL. */
int cbor_map_any(struct reader *r, size_t max, size_t *ret, struct err *e) WARN_UNUSED;

/** cbor_key() - the text @key stands here. -EINVAL. */
int cbor_key(struct reader *r, const char *key, struct err *e) WARN_UNUSED;

/** cbor_uint() - a number from 0 to @max. -EINVAL. @what names it in the sentence, here and below. */
int cbor_uint(struct reader *r, const char *what, uint64_t max, uint64_t *ret, struct err *e) WARN_UNUSED;

/** cbor_bytes() - a byte string of at most @max bytes, in place. -EINVAL. */
int cbor_bytes(struct reader *r, const char *what, size_t max, struct bytes *ret, struct err *e) WARN_UNUSED;

/** cbor_text() - text of at most @max bytes, in place, printable ASCII, no NUL behind it. -EINVAL. */
int cbor_text(struct reader *r, const char *what, size_t max, struct bytes *ret, struct err *e) WARN_UNUSED;

/** cbor_end() - nothing may be left. -EINVAL. */
int cbor_end(struct reader *r, struct err *e) WARN_UNUSED;

#endif
