/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/fuzz/fuzz_oci_archive.c - what `docker save` writes, made into a layout
 *
 * The input is a text as in tests/policy/archive_make.h. What is unpacked
 * must be files below blobs/sha256 and the two at the top, nothing else, and must be gone afterwards.
 */
#include "tests/policy/archive_make.h"

#include "common/file.h"
#include "policy/oci_archive.h"
#include "policy/oci_layout.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/holdfast-fuzz-archive-XXXXXX";

static void end(void)
{
	(void)rmdir(dir); /* what stays is in /tmp */
}

static size_t names_in(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	if (!d)
		abort();
	for (struct dirent *f; (f = readdir(d));)
		n += strcmp(f->d_name, ".") && strcmp(f->d_name, "..");
	(void)closedir(d);
	return n;
}

static void unpack(const char *path)
{
	cleanup_policy_oci struct policy_oci_image *image = NULL;
	char folder[PATH_MAX] = "", marker[PATH_MAX + 16];
	bool tagged = false;
	struct err e = ERR_INIT;

	if (!policy_oci_archive_unpack(path, dir, NULL, folder, &tagged, &e)) {
		(void)snprintf(marker, sizeof(marker), "%s/oci-layout", folder);
		if (names_in(folder) != 3 || access(marker, F_OK))
			abort();
		(void)policy_oci_load(folder, NULL, "amd64", &image, &e); /* any verdict; the sanitizers judge */
	}
	policy_oci_archive_remove(folder);
	if (names_in(dir))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int begun;
	cleanup_buf struct buf tar = BUF_INIT;
	char text[8192], path[64];
	cleanup_fd int fd = -1;
	struct err e = ERR_INIT;

	if (size >= sizeof(text) || memchr(data, '\0', size))
		return 0;
	if (!begun++ && (!mkdtemp(dir) || atexit(end)))
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (!archive_make(text, &tar))
		return 0;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || file_write_all(fd, tar.data, tar.len, "fuzz", &e))
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	unpack(path);
	return 0;
}
