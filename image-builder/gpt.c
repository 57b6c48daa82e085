/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/gpt.c - write a GPT disk image, partitions included, into a sparse file */
#include "image-builder/gpt.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/reader.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define ENTRY_BYTES     128
#define ENTRIES         128
#define ENTRIES_SECTORS (ENTRIES * ENTRY_BYTES / GPT_SECTOR_BYTES)
#define HEADER_BYTES    92
#define LABEL_UNITS     36
#define COPY_BYTES      (1u << 20)
#define MAX_DISK_BYTES  (1ull << 45)

/* How a partition of each type is called in the Discoverable Partitions Specification, x86_64 and arm64. */
static const char *const type_text[GPT_TYPES_][2] = {
	[GPT_ESP] = {"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"},
	[GPT_ROOT] = {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "b921b045-1df0-41c3-af44-4c6f280d3fae"},
	[GPT_ROOT_VERITY] = {"2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "df3300ce-d69f-4c92-978c-9bfb0f38d820"},
	[GPT_ROOT_VERITY_SIG] = {"41092b05-9fc8-4523-994f-2def0408b176", "6db69de6-29f4-4758-a7a5-962190f00ce3"},
	[GPT_LINUX] = {"0fc63daf-8483-4772-8e79-3d69d8477de4", "0fc63daf-8483-4772-8e79-3d69d8477de4"},
};

/* The whole disk; places are in sectors. */
struct layout {
	const struct gpt_uuid *disk;
	const struct gpt_partition *part;
	size_t n;
	uint64_t sectors, last_usable, backup_entries;
};

/* 32 hex digits with or without dashes, known to be well formed. */
static struct gpt_uuid uuid_of_text(const char *text)
{
	char hex[2 * GPT_UUID_BYTES + 1] = {0};
	struct gpt_uuid u = {0};
	size_t n = 0;

	for (; *text && n < sizeof(hex) - 1; text++)
		if (*text != '-')
			hex[n++] = *text;
	(void)hex_decode(hex, u.b, sizeof(u.b)); /* constants of this file; the tests check each */
	return u;
}

int gpt_type_uuid(enum gpt_type type, const char *arch, struct gpt_uuid *ret, struct err *e)
{
	int arm64 = !strcmp(arch, "arm64");

	if (!arm64 && strcmp(arch, "x86_64") != 0)
		return err_set(e, EINVAL, "architecture %s has no partition types here, wanted x86_64 or arm64", arch);
	if ((unsigned)type >= GPT_TYPES_)
		return err_set(e, EINVAL, "partition type %d is not known", (int)type);
	*ret = uuid_of_text(type_text[type][arm64]);
	return 0;
}

struct gpt_uuid gpt_uuid_root(const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	struct gpt_uuid u;

	memcpy(u.b, root_hash, sizeof(u.b));
	return u;
}

struct gpt_uuid gpt_uuid_verity(const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	struct gpt_uuid u;

	memcpy(u.b, root_hash + HASH_SHA256_BYTES - sizeof(u.b), sizeof(u.b));
	return u;
}

struct gpt_uuid gpt_uuid_derived(const char *label, const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	char hex[2 * HASH_SHA256_BYTES + 1], text[256];
	uint8_t digest[HASH_SHA256_BYTES];
	struct gpt_uuid u;

	hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	(void)snprintf(text, sizeof(text), "holdfast:%.100s:%s", label, hex); /* fits: 10 + 100 + 64 */
	hash_sha256(text, strlen(text), digest);
	memcpy(u.b, digest, sizeof(u.b));
	u.b[6] = (u.b[6] & 0x0f) | 0x80; /* version 8, RFC 9562 5.8 */
	u.b[8] = (u.b[8] & 0x3f) | 0x80; /* variant */
	return u;
}

void gpt_uuid_str(const struct gpt_uuid *u, char ret[static GPT_UUID_STR_BYTES])
{
	char hex[2 * GPT_UUID_BYTES + 1];

	hex_encode(u->b, sizeof(u->b), hex);
	(void)snprintf(ret, GPT_UUID_STR_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		       hex + 20);
}

void gpt_uuid_put(struct buf *b, const struct gpt_uuid *u)
{
	static const uint8_t order[GPT_UUID_BYTES] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (size_t i = 0; i < GPT_UUID_BYTES; i++)
		buf_u8(b, u->b[order[i]]);
}

/* CRC-32 of IEEE 802.3, reflected; GPT headers only, so no table. */
static uint32_t crc32(const uint8_t *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static int check_label(const char *label, struct err *e)
{
	size_t n = strlen(label);

	if (n == 0 || n >= LABEL_UNITS)
		return err_set(e, EINVAL, "partition label \"%.50s\" has %zu characters, wanted 1 to %d", label, n,
			       LABEL_UNITS - 1);
	for (size_t i = 0; i < n; i++)
		if (label[i] < 0x20 || label[i] > 0x7e)
			return err_set(e, EINVAL, "partition label has byte 0x%02x, wanted printable ASCII",
				       (unsigned char)label[i]);
	return 0;
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* Where the backup stands on a disk of so many bytes. */
static void set_end(struct layout *l, uint64_t disk_bytes)
{
	l->sectors = disk_bytes / GPT_SECTOR_BYTES;
	l->backup_entries = l->sectors - 1 - ENTRIES_SECTORS;
	l->last_usable = l->backup_entries - 1;
}

/* Final sizes and places of all partitions. */
static int lay_out(struct gpt_partition *part, size_t n, struct layout *ret, struct err *e)
{
	uint64_t at = GPT_ALIGN_BYTES;

	if (n == 0 || n > GPT_MAX_PARTITIONS)
		return err_set(e, EINVAL, "%zu partitions, wanted 1 to %d", n, GPT_MAX_PARTITIONS);
	for (size_t i = 0; i < n; i++) {
		struct gpt_partition *p = &part[i];
		struct stat st = {0};
		int r = check_label(p->label, e);

		if (r)
			return r;
		if (p->source && stat(p->source, &st) < 0)
			return err_errno(e, "partition %s: cannot look at %s", p->label, p->source);
		if (!p->size_bytes)
			p->size_bytes = (uint64_t)st.st_size;
		if (!p->size_bytes || p->size_bytes > MAX_DISK_BYTES || (uint64_t)st.st_size > p->size_bytes)
			return err_set(e, p->size_bytes && p->size_bytes <= MAX_DISK_BYTES ? ENOSPC : EINVAL,
				       "partition %s: %llu bytes for a content of %llu", p->label,
				       (unsigned long long)p->size_bytes, (unsigned long long)st.st_size);
		p->size_bytes = round_up(p->size_bytes, p->size_bytes < GPT_ALIGN_BYTES ? GPT_SMALL_BYTES : GPT_ALIGN_BYTES);
		p->start_bytes = at;
		at += round_up(p->size_bytes, GPT_ALIGN_BYTES);
		for (size_t k = 0; k < i; k++)
			if (!memcmp(part[k].uuid.b, p->uuid.b, GPT_UUID_BYTES))
				return err_set(e, EINVAL, "partitions %s and %s have one PARTUUID", part[k].label,
					       p->label);
	}
	if (at > MAX_DISK_BYTES)
		return err_set(e, EFBIG, "the disk would have %llu bytes", (unsigned long long)at);
	set_end(ret, at + GPT_ALIGN_BYTES); /* 1 MiB for the backup */
	return 0;
}

/* The table of entries, all 128. */
static void put_entries(struct buf *b, const struct gpt_partition *part, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(part[i].label);

		gpt_uuid_put(b, &part[i].type);
		gpt_uuid_put(b, &part[i].uuid);
		buf_u64le(b, part[i].start_bytes / GPT_SECTOR_BYTES);
		buf_u64le(b, (part[i].start_bytes + part[i].size_bytes) / GPT_SECTOR_BYTES - 1);
		buf_u64le(b, part[i].attributes);
		for (size_t k = 0; k < len; k++)
			buf_u16le(b, (uint8_t)part[i].label[k]);
		buf_zero(b, 2 * (LABEL_UNITS - len));
	}
	buf_zero(b, (ENTRIES - n) * ENTRY_BYTES);
}

/* One header, a whole sector. @self, @other: its own sector and its twin's; @entries: first sector of its table. */
static void put_header(struct buf *b, const struct layout *l, const struct buf *table, uint64_t self, uint64_t entries)
{
	uint64_t other = self == 1 ? l->sectors - 1 : 1;
	size_t start = b->len;
	uint32_t crc;

	buf_str(b, "EFI PART");
	buf_u32le(b, 0x00010000);
	buf_u32le(b, HEADER_BYTES);
	buf_u32le(b, 0); /* CRC of the header, below */
	buf_u32le(b, 0);
	buf_u64le(b, self);
	buf_u64le(b, other);
	buf_u64le(b, 2 + ENTRIES_SECTORS);
	buf_u64le(b, l->last_usable);
	gpt_uuid_put(b, l->disk);
	buf_u64le(b, entries);
	buf_u32le(b, ENTRIES);
	buf_u32le(b, ENTRY_BYTES);
	buf_u32le(b, table->bad ? 0 : crc32(table->data, table->len));
	buf_zero(b, GPT_SECTOR_BYTES - HEADER_BYTES);
	if (b->bad)
		return;
	crc = crc32(b->data + start, HEADER_BYTES);
	for (size_t i = 0; i < 4; i++)
		b->data[start + 16 + i] = crc >> 8 * i & 0xff;
}

/* Protective MBR: one entry of type 0xee from sector 1 to the end. */
static void put_mbr(struct buf *b, const struct layout *l)
{
	uint64_t sectors = l->sectors - 1;

	buf_zero(b, 446);
	buf_put(b, "\x00\x00\x02\x00\xee\xff\xff\xff", 8);
	buf_u32le(b, 1);
	buf_u32le(b, sectors > UINT32_MAX ? UINT32_MAX : (uint32_t)sectors);
	buf_zero(b, 48);
	buf_u16le(b, 0xaa55);
}

static int write_at(int fd, const void *data, size_t len, uint64_t at, const char *name, struct err *e)
{
	if (lseek(fd, (off_t)at, SEEK_SET) < 0)
		return err_errno(e, "cannot seek in %s", name);
	return file_write_all(fd, data, len, name, e);
}

/* What stands at the front of the disk, and at its end. */
static int put_tables(const struct layout *l, struct buf *front, struct buf *back, struct err *e)
{
	cleanup_buf struct buf table = BUF_INIT;

	put_entries(&table, l->part, l->n);
	put_mbr(front, l);
	put_header(front, l, &table, 1, 2);
	buf_put(front, table.data, table.len);
	buf_put(back, table.data, table.len);
	put_header(back, l, &table, l->sectors - 1, l->backup_entries);
	return table.bad || front->bad || back->bad ? err_set(e, ENOMEM, "no memory for the partition table") : 0;
}

static int write_tables(int fd, const char *name, const struct layout *l, struct err *e)
{
	cleanup_buf struct buf front = BUF_INIT, back = BUF_INIT;
	int r = put_tables(l, &front, &back, e);

	if (r)
		return r;
	r = write_at(fd, front.data, front.len, 0, name, e);
	return r ? r : write_at(fd, back.data, back.len, l->backup_entries * GPT_SECTOR_BYTES, name, e);
}

/* One run of data of a source. */
static int copy_run(int in, int out, uint64_t from, uint64_t end, const struct gpt_partition *p, struct err *e)
{
	cleanup_free uint8_t *block = malloc(COPY_BYTES);

	if (!block)
		return err_set(e, ENOMEM, "no memory to copy %s", p->source);
	while (from < end) {
		size_t want = end - from < COPY_BYTES ? (size_t)(end - from) : COPY_BYTES;
		ssize_t n = pread(in, block, want, (off_t)from);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot read %s", p->source);
		if (n == 0)
			return err_set(e, EIO, "%s became shorter while it was copied", p->source);
		r = write_at(out, block, (size_t)n, p->start_bytes + from - p->source_at, p->label, e);
		if (r)
			return r;
		from += (uint64_t)n;
	}
	return 0;
}

/* A source's data; its holes stay holes of the new, still empty image. */
static int copy_source(int out, const struct gpt_partition *p, struct err *e)
{
	cleanup_fd int in = open(p->source, O_RDONLY | O_CLOEXEC);
	struct stat st;
	off_t at = (off_t)p->source_at, end;

	if (in < 0 || fstat(in, &st) < 0)
		return err_errno(e, "partition %s: cannot open %s", p->label, p->source);
	end = p->source_at ? at + (off_t)p->size_bytes : st.st_size; /* a part of a disk, or a whole file */
	if (!S_ISREG(st.st_mode) || end > st.st_size || (uint64_t)(end - at) > p->size_bytes)
		return err_set(e, EINVAL, "partition %s: %s is no file, or of another size", p->label, p->source);
	while (at < end) {
		off_t data = lseek(in, at, SEEK_DATA), hole;
		int r;

		if ((data < 0 && errno == ENXIO) || data >= end)
			return 0; /* only a hole is left */
		if (data < 0)
			return err_errno(e, "partition %s: cannot seek in %s", p->label, p->source);
		hole = lseek(in, data, SEEK_HOLE);
		if (hole < 0)
			return err_errno(e, "partition %s: cannot seek in %s", p->label, p->source);
		r = copy_run(in, out, (uint64_t)data, (uint64_t)(hole < end ? hole : end), p, e);
		if (r)
			return r;
		at = hole;
	}
	return 0;
}

/* The whole image as the new file @path, synced. */
static int write_image(const char *path, const struct layout *l, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), r = 0;

	if (fd < 0)
		return err_errno(e, "cannot create %s", path);
	if (ftruncate(fd, (off_t)(l->sectors * GPT_SECTOR_BYTES)) < 0)
		r = err_errno(e, "cannot make %s %llu bytes long", path,
			      (unsigned long long)l->sectors * GPT_SECTOR_BYTES);
	for (size_t i = 0; i < l->n && !r; i++)
		if (l->part[i].source)
			r = copy_source(fd, &l->part[i], e);
	if (!r)
		r = write_tables(fd, path, l, e);
	if (!r && fsync(fd) < 0)
		r = err_errno(e, "cannot sync %s", path);
	if (close(fd) < 0 && !r)
		r = err_errno(e, "cannot close %s", path);
	if (r)
		(void)unlink(path); /* the first error is the one to tell */
	return r;
}

int gpt_write(const char *path, const struct gpt_uuid *disk, struct gpt_partition *part, size_t n, struct err *e)
{
	char tmp[PATH_MAX];
	struct layout l = {.disk = disk, .part = part, .n = n};
	int r = lay_out(part, n, &l, e);

	if (r)
		return r;
	if (snprintf(tmp, sizeof(tmp), "%s.tmp-%d", path, (int)getpid()) >= (int)sizeof(tmp))
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", path);
	r = write_image(tmp, &l, e);
	if (!r && rename(tmp, path) < 0)
		r = err_errno(e, "cannot rename %s to %s", tmp, path);
	if (r)
		(void)unlink(tmp); /* the first error is the one to tell */
	return r;
}

/* --- a disk that is there ------------------------------------------------------------------------------------------- */

static struct gpt_uuid get_uuid(struct reader *r)
{
	static const uint8_t order[GPT_UUID_BYTES] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	struct gpt_uuid u = {0};

	for (size_t i = 0; i < GPT_UUID_BYTES; i++)
		u.b[order[i]] = reader_u8(r);
	return u;
}

/* Loosely: what is wrong shows when the table is made anew from what was read. */
static void get_entry(const uint8_t *entry, struct gpt_partition *ret, char label[static GPT_LABEL_BYTES])
{
	struct reader r = reader_init(entry, ENTRY_BYTES);
	uint64_t last;

	ret->type = get_uuid(&r);
	ret->uuid = get_uuid(&r);
	ret->start_bytes = reader_u64le(&r) * GPT_SECTOR_BYTES;
	last = reader_u64le(&r);
	ret->size_bytes = (last + 1) * GPT_SECTOR_BYTES - ret->start_bytes;
	ret->attributes = reader_u64le(&r);
	for (size_t i = 0; i < LABEL_UNITS; i++)
		label[i] = (char)reader_u16le(&r);
	label[LABEL_UNITS] = '\0';
	ret->label = label;
}

/* Both tables must be those that we would write, and the partitions one behind the other within the disk. */
static int check_table(int fd, const char *path, const struct gpt_table *t, struct err *e)
{
	struct layout l = {.disk = &t->disk, .part = t->part, .n = t->n};
	cleanup_buf struct buf front = BUF_INIT, back = BUF_INIT, seen = BUF_INIT;
	uint64_t at = GPT_ALIGN_BYTES;
	uint8_t *bytes;
	int r;

	set_end(&l, t->disk_bytes);
	for (size_t i = 0; i < t->n; i++) {
		if (t->part[i].start_bytes < at || t->part[i].size_bytes == 0 || t->part[i].size_bytes > t->disk_bytes ||
		    t->part[i].start_bytes + t->part[i].size_bytes > (l.last_usable + 1) * GPT_SECTOR_BYTES)
			return err_set(e, EBADMSG, "%s: partition %zu does not stand behind the one before it, or leaves the disk (UEFI 5.3.3)",
				       path, i + 1);
		at = t->part[i].start_bytes + t->part[i].size_bytes;
	}
	r = put_tables(&l, &front, &back, e);
	buf_zero(&seen, front.len > back.len ? front.len : back.len);
	if (!r && seen.bad)
		r = err_set(e, ENOMEM, "no memory for the partition table");
	if (r)
		return r;
	bytes = seen.data;
	if (pread(fd, bytes, front.len, 0) != (ssize_t)front.len || memcmp(bytes, front.data, front.len) != 0)
		return err_set(e, EBADMSG, "%s: the partition table is not as this program writes it (UEFI 5.3.2)", path);
	if (pread(fd, bytes, back.len, (off_t)(l.backup_entries * GPT_SECTOR_BYTES)) != (ssize_t)back.len ||
	    memcmp(bytes, back.data, back.len) != 0)
		return err_set(e, EBADMSG, "%s: the backup of the partition table differs from it (UEFI 5.3.2)", path);
	return 0;
}

int gpt_read(const char *path, struct gpt_table *ret, struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	const size_t want = (2 + ENTRIES_SECTORS) * GPT_SECTOR_BYTES;
	cleanup_free uint8_t *front = malloc(want);
	static const uint8_t no_type[GPT_UUID_BYTES];
	struct reader header;
	struct stat st;

	if (!front)
		return err_set(e, ENOMEM, "no memory for the partition table");
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "cannot open %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size % GPT_SECTOR_BYTES || st.st_size < 2 * (off_t)GPT_ALIGN_BYTES ||
	    (uint64_t)st.st_size > MAX_DISK_BYTES || pread(fd, front, want, 0) != (ssize_t)want)
		return err_set(e, EBADMSG, "%s is no disk image that this program has made", path);
	*ret = (struct gpt_table){.disk_bytes = (uint64_t)st.st_size};
	header = reader_init(front + GPT_SECTOR_BYTES, HEADER_BYTES);
	(void)reader_bytes(&header, 56);
	ret->disk = get_uuid(&header);
	for (const uint8_t *entry = front + 2 * GPT_SECTOR_BYTES; ret->n < ENTRIES && memcmp(entry, no_type, sizeof(no_type)) != 0;
	     entry += ENTRY_BYTES, ret->n++)
		get_entry(entry, &ret->part[ret->n], ret->label[ret->n]);
	return check_table(fd, path, ret, e);
}

struct gpt_partition *gpt_find(struct gpt_table *t, const char *label)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->part[i].label, label))
			return &t->part[i];
	return NULL;
}

int gpt_rewrite(const char *path, struct gpt_table *t, struct err *e)
{
	struct layout l = {.disk = &t->disk, .part = t->part, .n = t->n};

	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < i; k++)
			if (!memcmp(t->part[k].uuid.b, t->part[i].uuid.b, GPT_UUID_BYTES))
				return err_set(e, EINVAL, "partitions %s and %s would have one PARTUUID: the root is there already",
					       t->part[k].label, t->part[i].label);
	set_end(&l, t->disk_bytes);
	return write_image(path, &l, e);
}
