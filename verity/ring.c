/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/ring.c - reads that the kernel does while we hash: the little of io_uring that this takes */
#include "verity/ring.h"

#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/*
 * struct verity_ring - one submission queue and one completion queue, shared with the kernel
 * @sq, @cq: the mappings, @sq_bytes and @cq_bytes of them (one and the same with IORING_FEAT_SINGLE_MMAP)
 */
struct verity_ring {
	int fd;
	void *sq, *cq;
	size_t sq_bytes, cq_bytes, sqe_bytes;
	struct io_uring_sqe *sqe;
	uint32_t *sq_tail, *sq_mask, *sq_array;
	uint32_t *cq_head, *cq_tail, *cq_mask;
	struct io_uring_cqe *cqe;
};

static void *map_ring(int fd, size_t n, uint64_t what)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)what);

	return p == MAP_FAILED ? NULL : p;
}

static int map_queues(struct verity_ring *r, const struct io_uring_params *p)
{
	r->sq_bytes = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	r->cq_bytes = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	r->sqe_bytes = p->sq_entries * sizeof(struct io_uring_sqe);
	r->sq = map_ring(r->fd, r->sq_bytes, IORING_OFF_SQ_RING);
	r->cq = map_ring(r->fd, r->cq_bytes, IORING_OFF_CQ_RING);
	r->sqe = map_ring(r->fd, r->sqe_bytes, IORING_OFF_SQES);
	if (!r->sq || !r->cq || !r->sqe)
		return -ENOMEM;
	r->sq_tail = (uint32_t *)((uint8_t *)r->sq + p->sq_off.tail);
	r->sq_mask = (uint32_t *)((uint8_t *)r->sq + p->sq_off.ring_mask);
	r->sq_array = (uint32_t *)((uint8_t *)r->sq + p->sq_off.array);
	r->cq_head = (uint32_t *)((uint8_t *)r->cq + p->cq_off.head);
	r->cq_tail = (uint32_t *)((uint8_t *)r->cq + p->cq_off.tail);
	r->cq_mask = (uint32_t *)((uint8_t *)r->cq + p->cq_off.ring_mask);
	r->cqe = (struct io_uring_cqe *)((uint8_t *)r->cq + p->cq_off.cqes);
	return 0;
}

int verity_ring_open(unsigned depth, struct verity_ring **ret)
{
	struct verity_ring *r = calloc(1, sizeof(*r));
	struct io_uring_params p = {0};
	int rc;

	if (!r)
		return -ENOMEM;
	r->fd = (int)syscall(SYS_io_uring_setup, depth, &p);
	if (r->fd < 0) {
		rc = -errno;
		free(r);
		return rc;
	}
	rc = map_queues(r, &p);
	if (rc) {
		verity_ring_close(r);
		return rc;
	}
	*ret = r;
	return 0;
}

static int enter(const struct verity_ring *r, unsigned submit, unsigned wait)
{
	for (;;) {
		long n = syscall(SYS_io_uring_enter, r->fd, submit, wait, wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);

		if (n >= 0)
			return submit && n != (long)submit ? -EIO : 0;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

int verity_ring_read(struct verity_ring *r, int fd, void *buf, uint32_t n, uint64_t at, uint64_t tag)
{
	uint32_t tail = *r->sq_tail, i = tail & *r->sq_mask;

	r->sqe[i] = (struct io_uring_sqe){.opcode = IORING_OP_READ,
					  .fd = fd,
					  .addr = (uint64_t)(uintptr_t)buf,
					  .len = n,
					  .off = at,
					  .user_data = tag};
	r->sq_array[i] = i;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	return enter(r, 1, 0);
}

int verity_ring_wait(struct verity_ring *r, uint64_t *ret_tag, int32_t *ret_res)
{
	uint32_t head = *r->cq_head;

	while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == head) {
		int rc = enter(r, 0, 1);

		if (rc)
			return rc;
	}
	*ret_tag = r->cqe[head & *r->cq_mask].user_data;
	*ret_res = r->cqe[head & *r->cq_mask].res;
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	return 0;
}

void verity_ring_close(struct verity_ring *r)
{
	if (!r)
		return;
	if (r->sqe)
		(void)munmap(r->sqe, r->sqe_bytes);
	if (r->cq)
		(void)munmap(r->cq, r->cq_bytes);
	if (r->sq)
		(void)munmap(r->sq, r->sq_bytes);
	(void)close(r->fd);
	free(r);
}
