/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/mapped.h - a row of blocks as memory: to ask what the page cache has, and to hash it there without a copy
 *
 * Theory of operation
 *   The whole row is mapped, which costs addresses only. mincore() then tells what is cached without touching it. A piece
 *   is borrowed by populating its page tables, hashed where it lies, and given back, so that no more than the pieces
 *   borrowed count as memory.
 *
 *   A mapping that shrinks, or whose pages cannot be read, raises SIGBUS. While a piece is borrowed a handler answers:
 *   it puts zeros in its place and notes it, and verity_mapped_return() says that the bytes were not the file's. Any other
 *   SIGBUS goes where it went before. The handler is the process's, and is there only while a row is open.
 *
 * Spec: madvise(2), MADV_POPULATE_READ (since Linux 5.14; without it nothing can be borrowed).
 */
#ifndef VERITY_MAPPED_H
#define VERITY_MAPPED_H

#include "common/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct verity_mapped - zero: nothing is mapped. @row: first byte of the row */
struct verity_mapped {
	uint8_t *reserved;
	size_t reserved_bytes;
	uint8_t *row;
	size_t row_bytes;
	size_t page_bytes;
};

/** verity_mapped_open() - map @bytes of @fd from @offset_bytes on. False: it cannot be mapped, then @ret is zero. */
bool verity_mapped_open(int fd, uint64_t offset_bytes, uint64_t bytes, struct verity_mapped *ret);

/** verity_mapped_is_cached() - does the page cache have @n bytes from @at on? A few pages are asked; true if in doubt. */
bool verity_mapped_is_cached(const struct verity_mapped *m, uint64_t at, size_t n);

/** verity_mapped_borrow() - @n bytes from @at on, readable until returned; NULL: not to be had. One a thread at a time. */
const uint8_t *verity_mapped_borrow(const struct verity_mapped *m, uint64_t at, size_t n);

/** verity_mapped_return() - give them back. True: they were the file's all the time. */
bool verity_mapped_return(const struct verity_mapped *m, uint64_t at, size_t n);

/** verity_mapped_close() - nothing may be borrowed any more; a zero @m is fine. */
void verity_mapped_close(struct verity_mapped *m);

#endif
