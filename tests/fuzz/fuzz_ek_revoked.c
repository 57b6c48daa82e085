/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_ek_revoked.c - any bytes as a deny list and as a CRL: refused, or sorted digests that can be asked
 *
 * No CRL can have the signature of the roots, whose keys were thrown away: none may count.
 */
#include "attest/ek_revoked.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_ek_revoked struct ek_revoked r = {0};
	struct enrolment rec = {.ek = ENROLMENT_EK_PINNED};
	struct ek_revoked_files f = {.roots = {"tests/data/ek-cert/roots.pem"}};
	struct err e = ERR_INIT;
	char path[64];
	const char *one = path;
	cleanup_fd int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* fits */
	f.crl = &one;
	f.n_crls = 1;
	if (!ek_revoked_load(&f, 1800000000, &r, &e))
		abort();
	f = (struct ek_revoked_files){.deny = path};
	if (ek_revoked_load(&f, 0, &r, &e))
		return 0;
	for (size_t i = 0; i < r.n; i++) {
		memcpy(rec.identity, r.id[i], sizeof(rec.identity));
		if (!ek_revoked_why(&r, &rec))
			abort();
	}
	return 0;
}
