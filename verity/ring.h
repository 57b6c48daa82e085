/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/ring.h - reads that the kernel does while we hash: the little of io_uring that this takes
 *
 * By system calls, without liburing: one kind of request, one thread a ring. Where the kernel has no io_uring, or it is
 * forbidden (kernel.io_uring_disabled, seccomp), verity_ring_open() says so and the caller reads with pread().
 *
 * Spec: io_uring(7), io_uring_setup(2), io_uring_enter(2); IORING_OP_READ, since Linux 5.6.
 */
#ifndef VERITY_RING_H
#define VERITY_RING_H

#include "common/cleanup.h"

#include <stddef.h>
#include <stdint.h>

struct verity_ring;

/** verity_ring_open() - for up to @depth reads at a time (a power of two). Return: 0; -errno: there is none to be had. */
int verity_ring_open(unsigned depth, struct verity_ring **ret) WARN_UNUSED;

/** verity_ring_read() - begin to read @n bytes at @at into @buf, which must live until it is done. Return: 0 or -errno. */
int verity_ring_read(struct verity_ring *r, int fd, void *buf, uint32_t n, uint64_t at, uint64_t tag) WARN_UNUSED;

/** verity_ring_wait() - for one read to end. @ret_tag: which; @ret_res: bytes read, or -errno. Return: 0 or -errno. */
int verity_ring_wait(struct verity_ring *r, uint64_t *ret_tag, int32_t *ret_res) WARN_UNUSED;

/** verity_ring_close() - all reads must have ended; accepts NULL. */
void verity_ring_close(struct verity_ring *r);

#endif
