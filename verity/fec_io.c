/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/fec_io.c - what error correction covers: the numbers, and the covered bytes */
#include "verity/fec_io.h"

#include "verity/superblock.h"

#include <string.h>
#include <sys/stat.h>

int verity_fec_read_message(const struct verity_fec *f, uint64_t at, uint8_t *dst, size_t n, struct err *e)
{
	const uint64_t data_end = f->data_blocks * f->block_bytes, end = data_end + f->hash_blocks * f->block_bytes;

	while (n) {
		bool is_data = at < data_end;
		uint64_t left = is_data ? data_end - at : end - at;
		size_t part = n < left ? n : (size_t)left;
		int r;

		if (at >= end) {
			memset(dst, 0, n);
			return 0;
		}
		r = verity_io_read(is_data ? &f->data : &f->hash, dst, part,
				   is_data ? at : f->hash_start_bytes + (at - data_end), e);
		if (r)
			return r;
		dst += part;
		at += part;
		n -= part;
	}
	return 0;
}

bool verity_fec_same_file(int a, int b)
{
	struct stat sa, sb;

	if (a < 0 || b < 0 || fstat(a, &sa) < 0 || fstat(b, &sb) < 0)
		return false;
	if (S_ISBLK(sa.st_mode) && S_ISBLK(sb.st_mode))
		return sa.st_rdev == sb.st_rdev;
	return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static int check_numbers(const struct verity_fec *f, struct err *e)
{
	const uint64_t most = VERITY_MAX_DATA_BYTES / 2;
	uint32_t bs = f->block_bytes;

	if (f->roots < VERITY_FEC_MIN_ROOTS || f->roots > VERITY_FEC_MAX_ROOTS)
		return err_set(e, EINVAL, "%u parity bytes a codeword, wanted %d to %d (verity.rst, fec_roots)",
			       f->roots, VERITY_FEC_MIN_ROOTS, VERITY_FEC_MAX_ROOTS);
	if (bs < 512 || bs > VERITY_MAX_BLOCK_BYTES || (bs & (bs - 1)))
		return err_set(e, EINVAL, "data blocks of %u bytes, wanted a power of two from 512 on", bs);
	if (f->hash_block_bytes != bs)
		return err_set(e, EINVAL, "data blocks of %u and hash blocks of %u bytes: error correction wants them equal "
			       "(verity.rst, use_fec_from_device)", bs, f->hash_block_bytes);
	if (!f->data_blocks || f->data_blocks > most / bs || f->tree_blocks > most / bs || f->hash_start_bytes > most)
		return err_set(e, EINVAL, "%llu data blocks and %llu hash blocks cannot be covered",
			       (unsigned long long)f->data_blocks, (unsigned long long)f->tree_blocks);
	if (f->hash_start_bytes % bs)
		return err_set(e, EINVAL, "the hash tree begins at %llu, wanted a multiple of %u",
			       (unsigned long long)f->hash_start_bytes, bs);
	if (f->parity_offset_bytes % bs || f->parity_offset_bytes > most)
		return err_set(e, EINVAL, "the parity begins at %llu, wanted a multiple of %u (verity.rst, fec_start)",
			       (unsigned long long)f->parity_offset_bytes, bs);
	return 0;
}

int verity_fec_cover(struct verity_fec *f, struct err *e)
{
	uint64_t data_end, tree_end, end, bs = f->block_bytes;
	int r = check_numbers(f, e);
	off_t size;

	if (r)
		return r;
	data_end = f->data_blocks * bs;
	tree_end = f->hash_start_bytes + f->tree_blocks * bs;
	if (verity_fec_same_file(f->parity.fd, f->data.fd) && f->parity_offset_bytes < data_end)
		return err_set(e, EINVAL, "the parity would begin at %llu of %s, inside the data, which ends at %llu",
			       (unsigned long long)f->parity_offset_bytes, f->data.name, (unsigned long long)data_end);
	if (verity_fec_same_file(f->hash.fd, f->data.fd) && f->hash_start_bytes < data_end)
		return err_set(e, EINVAL, "the hash tree begins at %llu of %s, inside the data, which ends at %llu",
			       (unsigned long long)f->hash_start_bytes, f->data.name, (unsigned long long)data_end);
	size = lseek(f->hash.fd, 0, SEEK_END);
	if (size < 0)
		return err_errno(e, "cannot find the size of %s", f->hash.name);
	end = verity_fec_same_file(f->parity.fd, f->hash.fd) ? f->parity_offset_bytes : (uint64_t)size;
	if (f->tree_blocks && end < tree_end)
		return err_set(e, EINVAL, "%s: %s at %llu, the hash tree at %llu", f->hash.name,
			       end == (uint64_t)size ? "ends" : "the parity begins", (unsigned long long)end,
			       (unsigned long long)tree_end);
	f->hash_blocks = end / bs > f->hash_start_bytes / bs ? end / bs - f->hash_start_bytes / bs : 0;
	if (f->hash_blocks > VERITY_MAX_DATA_BYTES / 2 / bs)
		return err_set(e, EINVAL, "%s is too large to be covered", f->hash.name);
	return 0;
}
