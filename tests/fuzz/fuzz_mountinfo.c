/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/fuzz/fuzz_mountinfo.c - any list of mounts names the entry of exactly its layers, or none */
#include "policy/gate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOT "/var/lib/containers/storage/overlay/x/merged"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy_layer layer = { .data_bytes = 4096 };
	static struct policy_image image = { .name = (char *)"root", .layer = &layer, .n_layers = 1 };
	static struct policy policy = { .image = &image, .n_images = 1 };
	char path[32];
	int fd = memfd_create("mountinfo", MFD_CLOEXEC);

	/* No folder below /usr has a root hash for a name: whatever stands there, nothing may be found. */
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* fits */
	if (gate_identify(path, "/usr", &policy, ROOT))
		abort();
	(void)close(fd); /* of memory */
	return 0;
}
