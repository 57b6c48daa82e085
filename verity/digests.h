/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verity/digests.h - read a row of blocks and hash them all, by several threads, as fast as they can be read
 *
 * Theory of operation
 *   The row (the data, or one level of the tree) is cut into runs of up to 1 MiB. Each thread takes the next run, reads
 *   it, hashes its blocks into the bytes that the level above has for them (its stripe: digests, and the zeros between
 *   and behind them), and hands the stripe to whoever asked: to be written (build) or compared (verify).
 *
 *   How a run is read is decided for each. One that the page cache has: by pread() in pieces that stay in the second level
 *   cache, or where it lies, mapped (verity/mapped.h), whichever costs less; the mapping does where the page cache has
 *   2 MiB folios, else the copy does (8 % against 25 % of the hashing), so it is measured. One that the page cache has
 *   not: by O_DIRECT through io_uring, some runs ahead of the hashing, which costs neither a copy nor the cache. Where
 *   that cannot be had (file system, kernel, odd offsets): by pread() and readahead. The bytes are the same in any case.
 *
 *   Memory: VERITY_DIGESTS_MEMORY_BYTES for all threads together, whatever the size of the row.
 *
 * Invariant: threads share nothing but the number of the next run, the first error, and what @done does.
 */
#ifndef VERITY_DIGESTS_H
#define VERITY_DIGESTS_H

#include "common/progress.h"
#include "verity/geometry.h"
#include "verity/io.h"
#include "verity/lanes.h"

#include <stdatomic.h>

#define VERITY_DIGESTS_MEMORY_BYTES (10 << 20)
#define VERITY_MAX_THREADS          64

/* How data is read; AUTO decides for each run. */
enum verity_read_mode { VERITY_READ_AUTO, VERITY_READ_PREAD, VERITY_READ_MAP, VERITY_READ_DIRECT };

/**
 * struct verity_run - some neighbouring blocks, hashed
 * @first:     number of the first
 * @blocks:    how many
 * @stripe:    @stripe_bytes that stand @stripe_at bytes from the start of the level above
 */
struct verity_run {
	uint64_t first;
	uint64_t blocks;
	const uint8_t *stripe;
	uint64_t stripe_at;
	size_t stripe_bytes;
};

/**
 * struct verity_digests_params - zero it, then set what is needed
 * @lanes:        how to hash; of the row's block size
 * @geo:          how the level above lays digests out
 * @src:          where the row is: @blocks of them from @src_offset_bytes
 * @threads:      0: one for each processor this process may use
 * @meter:        NULL, or told how far it is; @meter_done_bytes are added to
 * @end:          NULL, or: runs that begin at or behind this block need not be done any more. @done may lower it
 * @done:         called for each run, by any thread and in any order; not 0 ends the work with that error
 */
struct verity_digests_params {
	const struct verity_lanes *lanes;
	const struct verity_geometry *geo;
	const struct verity_file *src;
	uint64_t src_offset_bytes;
	uint64_t blocks;
	unsigned threads;
	enum verity_read_mode mode;
	struct progress_meter *meter;
	uint64_t meter_done_bytes;
	_Atomic uint64_t *end;
	int (*done)(void *arg, const struct verity_run *run, struct err *e);
	void *arg;
};

/**
 * verity_digests_run() - the whole row
 *
 * Return: 0; -ENODATA if the row ends early; -EINTR (interrupt_check()); what @done or the system said.
 */
int verity_digests_run(const struct verity_digests_params *p, struct err *e) WARN_UNUSED;

/** verity_digests_lanes() - how to hash blocks of @block_bytes of a tree: sets up @ret from @sb. */
int verity_digests_lanes(const struct verity_sb *sb, uint32_t block_bytes, struct verity_lanes *ret,
			 struct err *e) WARN_UNUSED;

#endif
