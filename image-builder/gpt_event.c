/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/gpt_event.c - what firmware measures of a disk's partition table (declared in gpt.h) */
#include "image-builder/gpt.h"

#include "common/cleanup.h"
#include "common/reader.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
	HEADER_BYTES = 92,
	ENTRY_BYTES = 128,
	ENTRIES_SECTOR = 2,
	TABLE_BYTES = ENTRIES_SECTOR * GPT_SECTOR_BYTES + GPT_MAX_PARTITIONS * ENTRY_BYTES,
};

static bool in_use(const uint8_t *entry)
{
	static const uint8_t no_type[GPT_UUID_BYTES];

	return memcmp(entry, no_type, sizeof(no_type)) != 0;
}

int gpt_event_digest(const char *path, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free uint8_t *table = malloc(TABLE_BYTES);
	cleanup_buf struct buf event = BUF_INIT;
	struct reader r;
	uint64_t at, n = 0;
	uint32_t entries, bytes, header;

	if (!table)
		return err_set(e, ENOMEM, "no memory for the partition table");
	if (fd < 0 || pread(fd, table, TABLE_BYTES, 0) != TABLE_BYTES)
		return err_errno(e, "cannot read the partition table of %s", path);
	r = reader_init(table + GPT_SECTOR_BYTES, HEADER_BYTES);
	(void)reader_bytes(&r, 12);
	header = reader_u32le(&r);
	(void)reader_bytes(&r, 72 - 16);
	at = reader_u64le(&r);
	entries = reader_u32le(&r);
	bytes = reader_u32le(&r);
	if (memcmp(table + GPT_SECTOR_BYTES, "EFI PART", 8) || header != HEADER_BYTES || at != ENTRIES_SECTOR ||
	    entries != GPT_MAX_PARTITIONS || bytes != ENTRY_BYTES)
		return err_set(e, EINVAL, "%s: no partition table as this program writes it (UEFI 5.3.2)", path);
	for (size_t i = 0; i < entries; i++)
		n += in_use(table + TABLE_BYTES - (GPT_MAX_PARTITIONS - i) * ENTRY_BYTES);
	buf_put(&event, table + GPT_SECTOR_BYTES, HEADER_BYTES);
	buf_u64le(&event, n);
	for (size_t i = 0; i < entries; i++) {
		const uint8_t *entry = table + TABLE_BYTES - (GPT_MAX_PARTITIONS - i) * ENTRY_BYTES;

		if (in_use(entry))
			buf_put(&event, entry, ENTRY_BYTES);
	}
	if (event.bad)
		return err_set(e, ENOMEM, "no memory for the partition table");
	hash_sha256(event.data, event.len, ret);
	return 0;
}
