/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/fat.c - give a file of a FAT file system another name, by its bytes, without mounting it */
#include "init/fat.h"

#include "common/reader.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	ENTRY_BYTES = 32,
	ENTRIES_OF_SECTOR = PID1_FAT_SECTOR_BYTES / ENTRY_BYTES,
	SHORT_BYTES = 11,
	MOST_FAT12 = 4084, /* clusters; the type follows from their number alone (3.5) */
	MOST_FAT16 = 65524,
	UNITS = 13, /* of a name in one long entry */
	MAX_LONG = 20,
	ATTR_VOLUME = 0x08,
	ATTR_FOLDER = 0x10,
	ATTR_LONG = 0x0f,
	LAST_LONG = 0x40,
	FREE = 0xe5,
	ENTRY_ATTR = 11,
	ENTRY_SUM = 13,
};

/* Where the 13 UTF-16 units of a long entry stand. */
static const uint8_t unit_at[UNITS] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };

static int read_at(const struct pid1_fat *f, uint64_t at_bytes, void *buf, size_t n, struct err *e)
{
	ssize_t got = pread(f->fd, buf, n, (off_t)at_bytes);

	if (got < 0)
		return err_errno(e, "cannot read the ESP at byte %llu", (unsigned long long)at_bytes);
	return (size_t)got == n ? 0 : err_set(e, EBADMSG, "the ESP ends before byte %llu", (unsigned long long)(at_bytes + n));
}

/* --- boot sector ------------------------------------------------------------------------------------------------------- */

/* struct bpb - the numbers of the boot sector that count here */
struct bpb {
	unsigned sector_bytes, cluster_sectors, reserved, tables, root_entries, sectors_16, table_16, signature;
	uint32_t sectors_32, table_32, root_cluster;
};

static struct bpb read_bpb(const uint8_t *sector)
{
	struct reader r = reader_init(sector, PID1_FAT_SECTOR_BYTES);
	struct bpb b;

	(void)reader_bytes(&r, 11);
	b.sector_bytes = reader_u16le(&r);
	b.cluster_sectors = reader_u8(&r);
	b.reserved = reader_u16le(&r);
	b.tables = reader_u8(&r);
	b.root_entries = reader_u16le(&r);
	b.sectors_16 = reader_u16le(&r);
	(void)reader_bytes(&r, 1);
	b.table_16 = reader_u16le(&r);
	(void)reader_bytes(&r, 8);
	b.sectors_32 = reader_u32le(&r);
	b.table_32 = reader_u32le(&r); /* of FAT32, as the next two */
	(void)reader_bytes(&r, 4);
	b.root_cluster = reader_u32le(&r);
	(void)reader_bytes(&r, 510 - 48);
	b.signature = reader_u16le(&r);
	return b;
}

int pid1_fat_open(int fd, struct pid1_fat *ret, struct err *e)
{
	struct pid1_fat f = { .fd = fd };
	uint8_t sector[PID1_FAT_SECTOR_BYTES];
	uint64_t sectors, table_sectors;
	struct bpb b;
	int r = read_at(&f, 0, sector, sizeof(sector), e);

	if (r)
		return r;
	b = read_bpb(sector);
	if (b.signature != 0xaa55 || b.sector_bytes != PID1_FAT_SECTOR_BYTES || !b.cluster_sectors ||
	    (b.cluster_sectors & (b.cluster_sectors - 1)) || !b.reserved || !b.tables || b.tables > 2 ||
	    b.root_entries % ENTRIES_OF_SECTOR)
		return err_set(e, EBADMSG, "the ESP's boot sector is none of a FAT with sectors of %d bytes (3.1)", PID1_FAT_SECTOR_BYTES);
	sectors = b.sectors_16 ? b.sectors_16 : b.sectors_32;
	table_sectors = b.table_16 ? b.table_16 : b.table_32;
	f.table = b.reserved;
	f.root = f.table + b.tables * table_sectors;
	f.root_sectors = b.root_entries / ENTRIES_OF_SECTOR;
	f.data = f.root + f.root_sectors;
	f.cluster_sectors = b.cluster_sectors;
	f.root_cluster = b.root_cluster;
	if (!table_sectors || f.data >= sectors)
		return err_set(e, EBADMSG, "the ESP's tables leave no room for data: %llu of %llu sectors (3.1)",
			       (unsigned long long)f.data, (unsigned long long)sectors);
	f.clusters = (uint32_t)((sectors - f.data) / f.cluster_sectors);
	f.is_32 = f.clusters > MOST_FAT16;
	f.table_entries = table_sectors * (PID1_FAT_SECTOR_BYTES / (f.is_32 ? 4 : 2));
	if (f.clusters <= MOST_FAT12 || f.is_32 != !f.root_sectors || (f.is_32 && b.table_16) || f.table_entries < f.clusters + 2ull)
		return err_set(e, EBADMSG, "the ESP has %u clusters, which do not fit its tables: wanted FAT16 or FAT32 (3.5)", (unsigned)f.clusters);
	*ret = f;
	return 0;
}

/* --- folders ------------------------------------------------------------------------------------------------------------ */

static int add_sectors(const struct pid1_fat *f, uint64_t first, uint64_t n, struct pid1_fat_folder *io, struct err *e)
{
	int r = 0;

	for (uint64_t i = 0; !r && i < n; i++) {
		if (io->sectors == PID1_FAT_MAX_SECTORS)
			return err_set(e, EBADMSG, "a folder of the ESP has more than %d sectors", PID1_FAT_MAX_SECTORS);
		r = read_at(f, (first + i) * PID1_FAT_SECTOR_BYTES, io->bytes + io->sectors * PID1_FAT_SECTOR_BYTES,
			    PID1_FAT_SECTOR_BYTES, e);
		io->place[io->sectors++] = first + i;
	}
	return r;
}

/* What the table says of cluster @n, which is in range: the next one. */
static int next_cluster(const struct pid1_fat *f, uint32_t n, uint32_t *ret, struct err *e)
{
	unsigned width = f->is_32 ? 4 : 2;
	uint8_t bytes[4];
	struct reader rd;
	int r = read_at(f, f->table * PID1_FAT_SECTOR_BYTES + (uint64_t)n * width, bytes, width, e);

	rd = reader_init(bytes, width);
	if (!r)
		*ret = f->is_32 ? reader_u32le(&rd) & 0x0fffffff : reader_u16le(&rd);
	return r;
}

/* The chain of a folder; a loop in it ends at PID1_FAT_MAX_SECTORS. @cluster 0: FAT16's root. */
static int read_folder(const struct pid1_fat *f, uint32_t cluster, struct pid1_fat_folder *ret, struct err *e)
{
	const uint32_t end = f->is_32 ? 0x0ffffff8 : 0xfff8;
	int r = 0;

	ret->sectors = 0;
	if (!cluster && !f->is_32)
		return add_sectors(f, f->root, f->root_sectors, ret, e);
	for (cluster = cluster ? cluster : f->root_cluster; !r && cluster < end;) {
		if (cluster < 2 || cluster - 2 >= f->clusters)
			return err_set(e, EBADMSG, "a folder of the ESP goes on at cluster %u, wanted 2 to %u (4)", (unsigned)cluster,
				       (unsigned)f->clusters + 1);
		r = add_sectors(f, f->data + (uint64_t)(cluster - 2) * f->cluster_sectors, f->cluster_sectors, ret, e);
		r = r ? r : next_cluster(f, cluster, &cluster, e);
	}
	return r;
}

int pid1_fat_read(const struct pid1_fat *fat, const char *path, struct pid1_fat_folder *ret, struct err *e)
{
	int r = read_folder(fat, 0, ret, e);

	while (!r && *path) {
		size_t n = strcspn(path, "/"), at = 0;
		struct pid1_fat_file f;
		bool found = false;

		while (!found && pid1_fat_next(ret, &at, &f))
			found = f.folder && strlen(f.name) == n && !strncasecmp(f.name, path, n);
		if (!found)
			return err_set(e, ENOENT, "the ESP has no folder %.*s", (int)n, path);
		r = read_folder(fat, f.cluster, ret, e);
		path += n + (path[n] == '/');
	}
	return r;
}

/* --- entries ------------------------------------------------------------------------------------------------------------ */

/* struct long_name - what the entries before a short name's have said. @n: of them, @due: number of the next; 0: none, or broken */
struct long_name {
	char text[MAX_LONG * UNITS + 1];
	unsigned n, due, sum;
	bool ascii;
};

static unsigned short_sum(const uint8_t *entry)
{
	unsigned sum = 0;

	for (int i = 0; i < SHORT_BYTES; i++)
		sum = (((sum & 1) << 7 | sum >> 1) + entry[i]) & 0xff;
	return sum;
}

static void take_long(const uint8_t *entry, struct long_name *io)
{
	unsigned number = entry[0] & ~(unsigned)LAST_LONG;

	if (entry[0] & LAST_LONG) {
		*io = (struct long_name){ .n = number, .due = number, .sum = entry[ENTRY_SUM], .ascii = true };
		if (!number || number > MAX_LONG)
			io->due = io->n = 0;
	}
	if (!io->due || number != io->due || entry[ENTRY_SUM] != io->sum) {
		io->n = io->due = 0;
		return;
	}
	for (int i = 0; i < UNITS; i++) {
		unsigned unit = entry[unit_at[i]] | (unsigned)entry[unit_at[i] + 1] << 8;
		bool behind = unit == 0xffff; /* what is left of the last entry */

		io->ascii &= behind || unit < 0x7f;
		io->text[(number - 1) * UNITS + (unsigned)i] = behind ? '\0' : (char)(unit & 0x7f);
	}
	io->due--;
}

/* "NAME.EXT" of the short name, which has blanks where nothing is. */
static void short_text(const uint8_t *entry, char ret[static PID1_FAT_NAME_BYTES])
{
	size_t n = 0;

	for (int i = 0; i < SHORT_BYTES; i++) {
		if (entry[i] == ' ')
			continue;
		if (i >= 8 && !memchr(ret, '.', n))
			ret[n++] = '.';
		ret[n++] = entry[i] > ' ' && entry[i] < 0x7f ? (char)entry[i] : '?';
	}
	ret[n] = '\0';
}

static void take_short(const uint8_t *entry, size_t index, const struct long_name *l, struct pid1_fat_file *ret)
{
	struct reader r = reader_init(entry, ENTRY_BYTES);
	bool has_long = l->n && !l->due && l->sum == short_sum(entry) && l->ascii;
	uint32_t high;

	*ret = (struct pid1_fat_file){ .folder = entry[ENTRY_ATTR] & ATTR_FOLDER, .first = index };
	(void)reader_bytes(&r, 20);
	high = reader_u16le(&r);
	(void)reader_bytes(&r, 4);
	ret->cluster = high << 16 | reader_u16le(&r);
	short_text(entry, ret->name);
	if (has_long && strlen(l->text) < sizeof(ret->name)) {
		memcpy(ret->name, l->text, strlen(l->text) + 1);
		ret->long_entries = l->n;
		ret->first = index - l->n;
	}
}

bool pid1_fat_next(const struct pid1_fat_folder *folder, size_t *at, struct pid1_fat_file *ret)
{
	struct long_name l = { .n = 0 };

	while (*at < folder->sectors * ENTRIES_OF_SECTOR) {
		size_t index = (*at)++;
		const uint8_t *entry = folder->bytes + index * ENTRY_BYTES;
		unsigned attr = entry[ENTRY_ATTR];

		if (!entry[0]) { /* none after it either */
			*at = folder->sectors * ENTRIES_OF_SECTOR;
			return false;
		}
		if (entry[0] != FREE && (attr & 0x3f) == ATTR_LONG) {
			take_long(entry, &l);
			continue;
		}
		if (entry[0] != FREE && !(attr & ATTR_VOLUME)) {
			take_short(entry, index, &l, ret);
			return true;
		}
		l = (struct long_name){ .n = 0 };
	}
	return false;
}

/* --- another name -------------------------------------------------------------------------------------------------------- */

/* Entry number @number of the long name @name, which has @n of them. */
static void put_long(uint8_t *entry, const char *name, unsigned number, unsigned n)
{
	size_t len = strlen(name);

	entry[0] = (uint8_t)(number | (number == n ? LAST_LONG : 0));
	for (int i = 0; i < UNITS; i++) {
		size_t at = (number - 1) * UNITS + (size_t)i;

		entry[unit_at[i]] = at < len ? (uint8_t)name[at] : at == len ? 0 : 0xff;
		entry[unit_at[i] + 1] = at <= len ? 0 : 0xff;
	}
}

int pid1_fat_rename(const struct pid1_fat *fat, struct pid1_fat_folder *folder, const struct pid1_fat_file *file, const char *name,
		    struct err *e)
{
	size_t n = (strlen(name) + UNITS - 1) / UNITS, last = file->first + file->long_entries;

	if (!n || n > file->long_entries)
		return err_set(e, ENOSPC, "%s: the name %s needs %zu entries of its folder, and there are %zu", file->name, name, n,
			       file->long_entries);
	for (size_t i = file->first; i < last; i++) {
		uint8_t *entry = folder->bytes + i * ENTRY_BYTES;

		if (last - i > n)
			entry[0] = FREE;
		else
			put_long(entry, name, (unsigned)(last - i), (unsigned)n);
	}
	for (size_t s = file->first / ENTRIES_OF_SECTOR; s <= (last - 1) / ENTRIES_OF_SECTOR; s++)
		if (pwrite(fat->fd, folder->bytes + s * PID1_FAT_SECTOR_BYTES, PID1_FAT_SECTOR_BYTES,
			   (off_t)(folder->place[s] * PID1_FAT_SECTOR_BYTES)) != PID1_FAT_SECTOR_BYTES)
			return err_errno(e, "cannot write the ESP's sector %llu", (unsigned long long)folder->place[s]);
	return fsync(fat->fd) < 0 ? err_errno(e, "cannot sync the ESP") : 0;
}
