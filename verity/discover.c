/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/discover.c - find the root's three partitions on any disk, by the root hash alone */
#include "verity/discover.h"

#include "common/hex.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* Discoverable Partitions Specification, "Defined Partition Type UUIDs". */
static const struct part_info {
	const char *label;
	const char *type_x86_64;
	const char *type_arm64;
} part_table[] = {
	[VERITY_PART_ROOT] = {"root", "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "b921b045-1df0-41c3-af44-4c6f280d3fae"},
	[VERITY_PART_HASH] = {"root-verity", "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
			      "df3300ce-d69f-4c92-978c-9bfb0f38d820"},
	[VERITY_PART_SIG] = {"root-verity-sig", "41092b05-9fc8-4523-994f-2def0408b176",
			     "6db69de6-29f4-4758-a7a5-962190f00ce3"},
};
_Static_assert(ARRAY_SIZE(part_table) == VERITY_PARTS_, "a row for each partition");

CLEANUP_DEFINE(dir, DIR *, closedir)
#define cleanup_dir __attribute__((cleanup(cleanup_dir_fn)))
CLEANUP_DEFINE(probe, blkid_probe, blkid_free_probe)
#define cleanup_probe __attribute__((cleanup(cleanup_probe_fn)))

#if defined(__aarch64__)
#define NATIVE_ARCH "arm64"
#else
#define NATIVE_ARCH "x86_64"
#endif

/*
 * struct search - one look at all disks
 * @type, @uuid: what each partition must say
 * @unread:      a disk that could not be read, for the message
 */
struct search {
	const char *sys_dir, *dev_dir;
	const char *type[VERITY_PARTS_];
	char uuid[VERITY_PARTS_][VERITY_UUID_STR_BYTES];
	struct verity_root_devices found;
	char unread[VERITY_DEV_PATH_BYTES];
};

const char *verity_part_label(enum verity_part part)
{
	return (unsigned)part < VERITY_PARTS_ ? part_table[part].label : "unknown";
}

const char *verity_part_type(enum verity_part part, const char *arch)
{
	if ((unsigned)part >= VERITY_PARTS_)
		return NULL;
	if (!strcmp(arch, "x86_64"))
		return part_table[part].type_x86_64;
	return !strcmp(arch, "arm64") ? part_table[part].type_arm64 : NULL;
}

const char *verity_native_arch(void)
{
	return NATIVE_ARCH;
}

void verity_uuid_derive(const char *label, const uint8_t root_hash[static HASH_SHA256_BYTES],
			uint8_t ret[static VERITY_UUID_BYTES])
{
	char hex[2 * HASH_SHA256_BYTES + 1], text[256];
	uint8_t digest[HASH_SHA256_BYTES];
	int n;

	hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	n = snprintf(text, sizeof(text), "holdfast:%.150s:%s", label, hex);
	hash_sha256(text, (size_t)n, digest);
	memcpy(ret, digest, VERITY_UUID_BYTES);
	ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x80); /* version 8 */
	ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
}

void verity_part_uuid(enum verity_part part, const uint8_t root_hash[static HASH_SHA256_BYTES],
		      uint8_t ret[static VERITY_UUID_BYTES])
{
	if (part == VERITY_PART_ROOT)
		memcpy(ret, root_hash, VERITY_UUID_BYTES);
	else if (part == VERITY_PART_HASH)
		memcpy(ret, root_hash + VERITY_UUID_BYTES, VERITY_UUID_BYTES);
	else
		verity_uuid_derive(verity_part_label(part), root_hash, ret);
}

/* A decimal number from a sysfs file below @dir_fd. Return: false if it is not there or no number. */
static bool read_number(int dir_fd, const char *path, uint64_t *ret)
{
	cleanup_fd int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	char text[32] = "", *end;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0 || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && (*end == '\n' || *end == '\0');
}

/* "/dev/<name>"; sysfs writes '/' of a device name as '!'. */
static int dev_path(const char *dev_dir, const char *name, char ret[static PATH_MAX], struct err *e)
{
	size_t at = strlen(dev_dir) + 1;

	if (snprintf(ret, PATH_MAX, "%s/%s", dev_dir, name) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%s/%s: path is too long", dev_dir, name);
	for (char *s = ret + at; *s; s++)
		if (*s == '!')
			*s = '/';
	return 0;
}

/*
 * The kernel's partition number @number of @disk: its name, if its place is that of the table (both in 512-byte
 * sectors). Return: 1 found, 0 the kernel has not got it (yet), -EINVAL its place differs.
 */
static int kernel_partition(int disk_fd, const char *disk, blkid_partition par, char ret[static NAME_MAX + 1],
			    struct err *e)
{
	int fd = openat(disk_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!d)
		return err_errno(e, "cannot list the partitions of %s", disk);
	while ((entry = readdir(d))) {
		char path[NAME_MAX + 16];
		uint64_t number = 0, start = 0, size = 0;

		(void)snprintf(path, sizeof(path), "%s/partition",
			       entry->d_name); /* a name has NAME_MAX bytes at most */
		if (!read_number(dirfd(d), path, &number) || number != (uint64_t)blkid_partition_get_partno(par))
			continue;
		(void)snprintf(path, sizeof(path), "%s/start", entry->d_name);
		if (!read_number(dirfd(d), path, &start))
			return 0;
		(void)snprintf(path, sizeof(path), "%s/size", entry->d_name);
		if (!read_number(dirfd(d), path, &size))
			return 0;
		if (start != (uint64_t)blkid_partition_get_start(par) ||
		    size != (uint64_t)blkid_partition_get_size(par))
			return err_set(e, EINVAL,
				       "%s: the kernel has it at sector %llu (%llu sectors), the GPT of %s elsewhere",
				       entry->d_name, (unsigned long long)start, (unsigned long long)size, disk);
		(void)snprintf(ret, NAME_MAX + 1, "%s", entry->d_name);
		return 1;
	}
	return 0;
}

/* Partition @par is the wanted @part: find its node and store it, unless there is one already. */
static int take_partition(struct search *s, int disk_fd, const char *disk, enum verity_part part, blkid_partition par,
			  struct err *e)
{
	char name[NAME_MAX + 1] = "", path[PATH_MAX];
	char *known = s->found.path[part];
	int r = kernel_partition(disk_fd, disk, par, name, e);

	if (r <= 0)
		return r;
	r = dev_path(s->dev_dir, name, path, e);
	if (r)
		return r;
	if (*known)
		return err_set(e, ENOTUNIQ, "%s and %s both claim to be the %s partition %s", known, path,
			       verity_part_label(part), s->uuid[part]);
	if (snprintf(known, VERITY_DEV_PATH_BYTES, "%s", path) >= VERITY_DEV_PATH_BYTES) {
		*known = '\0';
		return err_set(e, ENAMETOOLONG, "%s: path of a device is too long", path);
	}
	return 0;
}

/* All partitions of a probed disk. */
static int match_partitions(struct search *s, int disk_fd, const char *disk, blkid_partlist list, struct err *e)
{
	int n = blkid_partlist_numof_partitions(list);

	for (int i = 0; i < n; i++) {
		blkid_partition par = blkid_partlist_get_partition(list, i);
		const char *type = blkid_partition_get_type_string(par), *uuid = blkid_partition_get_uuid(par);

		for (unsigned part = 0; type && uuid && part < VERITY_PARTS_; part++) {
			int r;

			if (strcasecmp(type, s->type[part]) || strcasecmp(uuid, s->uuid[part]))
				continue;
			r = take_partition(s, disk_fd, disk, part, par, e);
			if (r)
				return r;
		}
	}
	return 0;
}

/* Is this a disk of its own: not a partition, not on top of another device (loop, dm, zram), not empty, not hidden? */
static bool is_disk(int disk_fd)
{
	uint64_t n = 0;

	if (faccessat(disk_fd, "partition", F_OK, 0) == 0 || faccessat(disk_fd, "device", F_OK, 0) < 0)
		return false;
	if (read_number(disk_fd, "hidden", &n) && n)
		return false;
	return read_number(disk_fd, "size", &n) && n;
}

static int search_disk(struct search *s, int disk_fd, const char *disk, struct err *e)
{
	static char gpt[] = "gpt", *only_gpt[] = {gpt, NULL}; /* of all the tables it reads, an attacker gets to one */
	cleanup_probe blkid_probe probe = NULL;
	char path[PATH_MAX];
	blkid_parttable table;
	blkid_partlist list;
	int r = dev_path(s->dev_dir, disk, path, e);

	if (r)
		return r;
	probe = blkid_new_probe_from_filename(path);
	if (!probe) {
		(void)snprintf(s->unread, sizeof(s->unread), "%.40s", path);
		return 0;
	}
	if (blkid_probe_enable_superblocks(probe, 0) < 0 || blkid_probe_enable_partitions(probe, 1) < 0 ||
	    blkid_probe_filter_partitions_type(probe, BLKID_FLTR_ONLYIN, only_gpt) < 0)
		return err_set(e, ENOMEM, "libblkid cannot be set up for %s", path);
	list = blkid_probe_get_partitions(probe);
	table = list ? blkid_partlist_get_table(list) : NULL;
	if (!table || strcmp(blkid_parttable_get_type(table), "gpt"))
		return 0;
	return match_partitions(s, disk_fd, disk, list, e);
}

static int search_all(struct search *s, struct err *e)
{
	cleanup_dir DIR *d = NULL;
	const struct dirent *entry;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/class/block", s->sys_dir) >= (int)sizeof(path))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", s->sys_dir);
	d = opendir(path);
	if (!d)
		return err_errno(e, "cannot list %s", path);
	while ((entry = readdir(d))) {
		cleanup_fd int disk_fd = -1;
		int r;

		if (entry->d_name[0] == '.')
			continue;
		disk_fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (disk_fd < 0 || !is_disk(disk_fd))
			continue; /* gone meanwhile, or none of ours */
		r = search_disk(s, disk_fd, entry->d_name, e);
		if (r)
			return r;
	}
	return 0;
}

int verity_discover_root(const struct verity_discover_params *p, struct verity_root_devices *ret, struct err *e)
{
	const char *arch = p->arch ? p->arch : verity_native_arch();
	struct search s = {.sys_dir = p->sys_dir ? p->sys_dir : "/sys", .dev_dir = p->dev_dir ? p->dev_dir : "/dev"};
	int r;

	for (unsigned part = 0; part < VERITY_PARTS_; part++) {
		uint8_t uuid[VERITY_UUID_BYTES];

		s.type[part] = verity_part_type(part, arch);
		if (!s.type[part])
			return err_set(e, EINVAL, "architecture %s is not known", arch);
		verity_part_uuid(part, p->root_hash, uuid);
		verity_uuid_str(uuid, s.uuid[part]);
	}
	r = search_all(&s, e);
	if (r)
		return r;
	for (unsigned part = 0; part < VERITY_PARTS_; part++)
		if (!*s.found.path[part])
			return err_set(e, ENOENT, "no %s partition with PARTUUID %s on any disk%s%s",
				       verity_part_label(part), s.uuid[part], *s.unread ? "; cannot read " : "",
				       s.unread);
	*ret = s.found;
	return 0;
}
