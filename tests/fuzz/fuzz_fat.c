/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_fat.c - any bytes are an ESP or none; whatever they are, blessing changes their length never and their content in one name's entries at most */
#include "init/bless.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIN_BYTES    (5u << 20) /* of a FAT16: what follows the input is zeros */
#define MOST_CHANGED (20 * 32)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t after[1 << 16];
	int fd = memfd_create("esp", MFD_CLOEXEC);
	struct pid1_bless b;
	struct err e = ERR_INIT;
	size_t changed = 0;
	ssize_t n;

	if (size > sizeof(after))
		size = sizeof(after);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || ftruncate(fd, MIN_BYTES) < 0)
		abort();
	(void)!pid1_bless(fd, "demo_1", &b, &e); /* either is fine */
	n = pread(fd, after, size, 0);
	if (n != (ssize_t)size || lseek(fd, 0, SEEK_END) != MIN_BYTES)
		abort();
	for (size_t i = 0; i < size; i++)
		changed += after[i] != data[i];
	if (changed > MOST_CHANGED)
		abort();
	(void)close(fd);
	return 0;
}
