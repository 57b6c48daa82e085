/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_tar.c - tar to EROFS; wherever the input is cut in two, verdict and bytes are the same */
#include "common/file.h"
#include "policy/erofs_write.h"
#include "policy/tar_read.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Make each whole block's checksum fit, or the fuzzer would have to guess sums all day. */
static void fix_checksums(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + 512 <= size; at += 512) {
		unsigned sum = 8 * ' ';

		if (data[at + 257] != 'u')
			continue;
		for (size_t i = 0; i < 512; i++)
			sum += i >= 148 && i < 156 ? 0 : data[at + i];
		for (size_t i = 0; i < 6; i++)
			data[at + 148 + i] = (uint8_t)('0' + (sum >> 3 * (5 - i) & 7));
		data[at + 154] = '\0';
		data[at + 155] = ' ';
	}
}

/* All of it at once, or cut in two at @cut. */
static int convert(const uint8_t *data, size_t size, size_t cut, struct buf *ret, struct err *e)
{
	cleanup_fd int fd = memfd_create("fuzz", MFD_CLOEXEC);
	cleanup_policy_erofs struct policy_erofs *w = NULL;
	cleanup_policy_tar struct policy_tar *t = NULL;
	struct policy_tar_params p = {.name = "fuzz", .max_bytes = 1 << 20, .devices = true};
	uint64_t bytes = 0;
	int r = fd < 0 ? -EMFILE : policy_erofs_begin(fd, "fuzz", &w, e);

	if (!r)
		p.sink = policy_erofs_sink(w);
	r = r ? r : policy_tar_begin(&p, &t, e);
	r = r ? r : policy_tar_push(t, data, cut, e);
	r = r ? r : policy_tar_push(t, data + cut, size - cut, e);
	r = r ? r : policy_tar_end(t, NULL, e);
	r = r ? r : policy_erofs_end(w, &bytes, e);
	if (r)
		return r;
	if (bytes % POLICY_EROFS_BLOCK || lseek(fd, 0, SEEK_SET) != 0 || file_read_fd(fd, "fuzz", 64 << 20, ret, e) ||
	    ret->len != bytes)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free uint8_t *copy = malloc(size + 1);
	cleanup_buf struct buf one = BUF_INIT;
	cleanup_buf struct buf two = BUF_INIT;
	struct err e = ERR_INIT;
	int r;

	if (!copy || !size)
		return 0;
	for (size_t i = 0; i < size; i++)
		copy[i] = data[i];
	fix_checksums(copy, size);
	r = convert(copy, size, size, &one, &e);
	if (convert(copy, size, data[0] * size / 256, &two, &e) != r ||
	    (!r && (one.len != two.len || memcmp(one.data, two.data, one.len))))
		abort();
	return 0;
}
