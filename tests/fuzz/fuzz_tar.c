/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_tar.c - the tar walker; an accepted tar with its missing folders in front must be accepted again */
#include "common/file.h"
#include "policy/tar_check.h"

#include <stdlib.h>
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_tar_facts facts = {0}, again = {0};
	cleanup_fd int fd = memfd_create("fuzz", MFD_CLOEXEC);
	cleanup_fd int whole = memfd_create("fuzz", MFD_CLOEXEC);
	cleanup_free uint8_t *copy = malloc(size + 1);
	struct err e = ERR_INIT;

	if (!copy || fd < 0 || whole < 0)
		return 0;
	for (size_t i = 0; i < size; i++)
		copy[i] = data[i];
	fix_checksums(copy, size);
	if (file_write_all(fd, copy, size, "fuzz", &e) || policy_tar_check(fd, "fuzz", &facts, &e))
		return 0;
	if (file_write_all(whole, facts.folders.data, facts.folders.len, "fuzz", &e) ||
	    file_write_all(whole, copy, size, "fuzz", &e) || policy_tar_check(whole, "again", &again, &e) ||
	    again.folders.len)
		abort();
	buf_free(&facts.folders);
	return 0;
}
