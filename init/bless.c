/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/bless.c - this boot came well: the running UKI gets all its tries back */
#include "init/bless.h"

#include "init/fat.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ESP_LABEL      "PARTNAME=esp\n"
#define MAX_NAME_BYTES 64 /* IMAGE_ID */

CLEANUP_DEFINE(dir, DIR *, closedir)
#define cleanup_dir __attribute__((cleanup(cleanup_dir_fn)))

/* Value of "KEY=" at the beginning of a line, up to its end. Return: its length, 0 if there is none. */
static size_t value_of(const char *text, const char *key, const char **ret)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (!strncmp(line, key, strlen(key))) {
			*ret = line + strlen(key);
			return strcspn(*ret, "\n");
		}
	return 0;
}

int pid1_bless_base(const char *text, char ret[static BOOT_COUNT_NAME_BYTES], struct err *e)
{
	const char *name = "", *version = "";
	size_t name_bytes = value_of(text, "IMAGE_ID=", &name), digits = value_of(text, "IMAGE_VERSION=", &version);
	char id[MAX_NAME_BYTES + 1];

	if (!name_bytes || name_bytes > MAX_NAME_BYTES || !digits || digits > 19 || strspn(version, "0123456789") != digits)
		return err_set(e, EINVAL, "os-release has no IMAGE_ID of 1 to %d characters and IMAGE_VERSION of 1 to 19 digits", MAX_NAME_BYTES);
	(void)snprintf(id, sizeof(id), "%.*s", (int)name_bytes, name); /* checked */
	return boot_count_base(id, strtoull(version, NULL, 10), ret) ? 0 : err_set(e, EINVAL, "the image's name is too long");
}

/* --- the ESP -------------------------------------------------------------------------------------------------------------- */

static bool is_esp(const char *disk, const char *name)
{
	char path[2 * PATH_MAX], text[1024] = "";
	cleanup_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/%s/uevent", disk, name); /* sysfs's names are short */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strstr(text, ESP_LABEL) != NULL;
}

/* The disk below a dm-verity device: the folder above that of any partition it is made of. */
static int find_disk(const char *sys_dir, dev_t dev, char ret[static PATH_MAX], struct err *e)
{
	char path[PATH_MAX], part[2 * PATH_MAX];
	cleanup_dir DIR *d = NULL;
	const struct dirent *entry;

	(void)snprintf(path, sizeof(path), "%.200s/dev/block/%u:%u/slaves", sys_dir, major(dev), minor(dev)); /* fits */
	d = opendir(path);
	if (!d)
		return err_errno(e, "cannot list %s", path);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(part, sizeof(part), "%s/%s/..", path, entry->d_name); /* fits */
		return realpath(part, ret) ? 0 : err_errno(e, "cannot resolve %.200s", part);
	}
	return err_set(e, ENOENT, "%s names no partition", path);
}

int pid1_bless_find_esp(const char *sys_dir, dev_t root_dev, char ret[static 64], struct err *e)
{
	char disk[PATH_MAX];
	cleanup_dir DIR *d = NULL;
	const struct dirent *entry;
	int r = find_disk(sys_dir, root_dev, disk, e);

	if (r)
		return r;
	d = opendir(disk);
	if (!d)
		return err_errno(e, "cannot list %s", disk);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < 64 && is_esp(disk, entry->d_name)) {
			(void)snprintf(ret, 64, "%.63s", entry->d_name); /* checked */
			return 0;
		}
	return err_set(e, ENOENT, "%s has no partition labelled esp", disk);
}

/* --- the UKI -------------------------------------------------------------------------------------------------------------- */

/* struct own - the UKI that runs, and what else was seen */
struct own {
	struct pid1_fat_file file;
	struct boot_count count;
	bool found;
};

static int find_own(const struct pid1_fat_folder *folder, const char *base, struct own *own, struct pid1_bless *ret, struct err *e)
{
	struct boot_count c;
	struct pid1_fat_file f;

	for (size_t at = 0; pid1_fat_next(folder, &at, &f);) {
		if (f.folder || !boot_count_parse(f.name, &c))
			continue;
		if (strcasecmp(c.base, base) != 0) {
			if (c.counted && !c.left)
				(void)snprintf(ret->spent, sizeof(ret->spent), "%.*s", (int)sizeof(ret->spent) - 1, f.name); /* parsed: it fits */
			continue;
		}
		if (own->found)
			return err_set(e, ENOTUNIQ, "the ESP has two UKIs of %s, %s and %s", base, own->file.name, f.name);
		*own = (struct own){ f, c, true };
	}
	return own->found ? 0 : err_set(e, ENOENT, "the ESP has no UKI of %s in " BOOT_COUNT_FOLDER, base);
}

int pid1_bless(int fd, const char *base, struct pid1_bless *ret, struct err *e)
{
	static struct pid1_fat_folder folder; /* 130 KiB */
	struct pid1_bless b = { .spent = "" };
	struct own own = { .found = false };
	struct pid1_fat fat;
	int r = pid1_fat_open(fd, &fat, e);

	r = r ? r : pid1_fat_read(&fat, BOOT_COUNT_FOLDER, &folder, e);
	r = r ? r : find_own(&folder, base, &own, &b, e);
	if (r)
		return r;
	if (!boot_count_file(own.count.base, b.to))
		return err_set(e, ENAMETOOLONG, "%s is too long for a file name with a counter", own.count.base);
	(void)snprintf(b.from, sizeof(b.from), "%.*s", (int)sizeof(b.from) - 1, own.file.name); /* parsed: it fits */
	if (strcmp(b.from, b.to) != 0)
		r = pid1_fat_rename(&fat, &folder, &own.file, b.to, e);
	if (!r)
		*ret = b;
	return r;
}
