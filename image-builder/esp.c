/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/esp.c - the EFI system partition's FAT image, by mkfs.vfat and mtools */
#include "image-builder/esp.h"

#include "common/proc.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define MIB                (1ull << 20)
#define MIN_BYTES          (4 * MIB)
#define MIN_FAT32_BYTES    (33 * MIB)
#define MAX_BYTES          (4096 * MIB)
#define MAX_ESP_PATH_BYTES 256

const char *esp_boot_path(const char *arch)
{
	if (!strcmp(arch, "x86_64"))
		return "EFI/BOOT/BOOTX64.EFI";
	return !strcmp(arch, "arm64") ? "EFI/BOOT/BOOTAA64.EFI" : NULL;
}

static int run(const char *const *argv, const struct esp_params *p, struct err *e)
{
	char epoch[48];
	/* mtools and mkfs.vfat write local time: without TZ the same epoch would give other bytes in another zone. */
	const char *env[] = {epoch, "TZ=UTC", "LC_ALL=C", "MTOOLSRC=/dev/null", NULL};
	cleanup_buf struct buf said = BUF_INIT; /* mkfs.vfat greets on standard output */
	struct proc_params pp = {.argv = argv, .env = env, .out = &said, .out_max = 65536, .quiet = 1};

	(void)snprintf(epoch, sizeof(epoch), "SOURCE_DATE_EPOCH=%llu", (unsigned long long)p->epoch); /* fits */
	return proc_run(&pp, e);
}

static int check_params(const struct esp_params *p, struct err *e)
{
	if (p->size_bytes < MIN_BYTES || p->size_bytes > MAX_BYTES || p->size_bytes % MIB)
		return err_set(e, EINVAL, "an ESP of %llu bytes, wanted whole MiB from 16 to 4096",
			       (unsigned long long)p->size_bytes);
	if (!p->volume_id)
		return err_set(e, EINVAL, "the ESP's volume ID is 0; mkfs.vfat would take the time of day");
	if (p->epoch < ESP_MIN_EPOCH || p->epoch > UINT32_MAX)
		return err_set(e, EINVAL, "time stamp %llu, wanted 1980 or later: FAT knows no earlier year",
			       (unsigned long long)p->epoch);
	if (p->n_files > ESP_MAX_FILES)
		return err_set(e, EINVAL, "%zu files for the ESP, wanted at most %d", p->n_files, ESP_MAX_FILES);
	for (size_t i = 0; i < p->n_files; i++)
		if (strlen(p->file[i].path) >= MAX_ESP_PATH_BYTES || p->file[i].path[0] == '/' || !p->file[i].path[0])
			return err_set(e, EINVAL, "ESP path \"%.100s\" is not relative, or too long", p->file[i].path);
	return 0;
}

static int make_empty(const char *tmp, const struct esp_params *p, struct err *e)
{
	char id[16];
	const char *fat32[] = {"mkfs.vfat", "--invariant", "-F", p->size_bytes < MIN_FAT32_BYTES ? "16" : "32",
			       "-n",        "ESP",         "-i", id,
			       tmp,         NULL};
	cleanup_fd int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(e, "cannot create %s", tmp);
	if (ftruncate(fd, (off_t)p->size_bytes) < 0)
		return err_errno(e, "cannot make %s %llu bytes long", tmp, (unsigned long long)p->size_bytes);
	(void)snprintf(id, sizeof(id), "%08x", p->volume_id); /* fits */
	return run(fat32, p, e);
}

/* Each folder of the files' paths, parents first, each once. */
static int make_folders(const char *tmp, const struct esp_params *p, struct err *e)
{
	for (size_t i = 0; i < p->n_files; i++) {
		const char *path = p->file[i].path;

		for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
			char folder[MAX_ESP_PATH_BYTES + 3];
			const char *argv[] = {"mmd", "-i", tmp, folder, NULL};
			size_t n = (size_t)(s - path), k;
			int r;

			/* An earlier file's path that begins the same has made it. */
			for (k = 0; k < i && strncmp(p->file[k].path, path, n + 1) != 0; k++)
				;
			if (k < i)
				continue;
			(void)snprintf(folder, sizeof(folder), "::%.*s", (int)n, path); /* length was checked */
			r = run(argv, p, e);
			if (r)
				return r;
		}
	}
	return 0;
}

/*
 * mcopy without -m stamps files with SOURCE_DATE_EPOCH. The source's name goes in as it is: mtools takes a name
 * with a colon at its second place for a drive, so relative ones are given with "./".
 */
static int copy_files(const char *tmp, const struct esp_params *p, struct err *e)
{
	for (size_t i = 0; i < p->n_files; i++) {
		char source[PATH_MAX], target[MAX_ESP_PATH_BYTES + 3];
		const char *argv[] = {"mcopy", "-i", tmp, source, target, NULL};
		int r;

		if (snprintf(source, sizeof(source), "%s%s", p->file[i].source[0] == '/' ? "" : "./",
			     p->file[i].source) >= (int)sizeof(source))
			return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", p->file[i].source);
		(void)snprintf(target, sizeof(target), "::%s", p->file[i].path); /* length was checked */
		r = run(argv, p, e);
		if (r)
			return err_context(e, "ESP file %s", p->file[i].path);
	}
	return 0;
}

int esp_write(const struct esp_params *p, struct err *e)
{
	char tmp[PATH_MAX];
	int r = check_params(p, e);

	if (r)
		return r;
	if (snprintf(tmp, sizeof(tmp), "%s.tmp-%d", p->path, (int)getpid()) >= (int)sizeof(tmp))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", p->path);
	r = make_empty(tmp, p, e);
	if (!r)
		r = make_folders(tmp, p, e);
	if (!r)
		r = copy_files(tmp, p, e);
	if (!r && rename(tmp, p->path) < 0)
		r = err_errno(e, "cannot rename %s to %s", tmp, p->path);
	if (r)
		(void)unlink(tmp); /* the first error is the one to tell */
	return r;
}
