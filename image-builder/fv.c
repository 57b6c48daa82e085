/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/fv.c - bounded reader of UEFI firmware volumes */
#include "image-builder/fv.h"

#include "common/reader.h"

#include <string.h>

enum {
	VOLUME_HEADER_BYTES = 56,
	VOLUME_SIGNATURE = 0x4856465f, /* "_FVH" */
	EXTENDED_HEADER_BYTES = 20,
	FILE_HEADER_BYTES = 24,
	FILE_HEADER_LARGE_BYTES = 32,
	FILE_LARGE = 0x01,
	FILE_ALIGN = 8,
	SECTION_ALIGN = 4,
	SECTION_LARGE = 0xffffff,
};

static uint32_t u24le(struct reader *r)
{
	uint32_t low = reader_u16le(r);

	return low | (uint32_t)reader_u8(r) << 16;
}

/* The next multiple of @align, or @end if that is nearer: the last one needs no padding. */
static size_t align_up(size_t n, size_t align, size_t end)
{
	size_t rest = n % align;

	return !rest || end - n < align - rest ? (rest ? end : n) : n + align - rest;
}

/* The 16-bit words of a header add up to 0. */
static bool sum16_is_zero(const uint8_t *p, size_t n)
{
	struct reader r = reader_init(p, n);
	uint16_t sum = 0;

	while (r.left >= 2)
		sum = (uint16_t)(sum + reader_u16le(&r));
	return sum == 0;
}

static int parse_extended(const uint8_t *data, size_t len, size_t at, const char *where, struct fv *fv, struct err *e)
{
	struct reader r = reader_init(data, len);
	uint32_t bytes;

	(void)reader_bytes(&r, at);
	reader_copy(&r, fv->name, sizeof(fv->name));
	bytes = reader_u32le(&r);
	if (r.bad || at < fv->files || bytes < EXTENDED_HEADER_BYTES || bytes > len - at)
		return err_set(e, EINVAL, "%s: extended header at 0x%zx does not fit its volume of 0x%zx bytes (PI 3.2.1.2)",
			       where, at, len);
	fv->files = at + bytes;
	return 0;
}

int fv_parse(const uint8_t *data, size_t len, const char *where, struct fv *ret, struct err *e)
{
	struct reader r = reader_init(data, len);
	struct fv fv = { .data = data };
	uint32_t signature;
	uint64_t bytes;
	size_t extended;
	int rc = 0;

	(void)reader_bytes(&r, 32);
	bytes = reader_u64le(&r);
	signature = reader_u32le(&r);
	(void)reader_u32le(&r);
	fv.files = reader_u16le(&r);
	(void)reader_u16le(&r);
	extended = reader_u16le(&r);
	(void)reader_u16le(&r); /* reserved, revision */
	if (r.bad || signature != VOLUME_SIGNATURE)
		return err_set(e, EINVAL, "%s: no firmware volume: no \"_FVH\" at its offset 40 (PI 3.2.1.1)", where);
	if (bytes > len || bytes > FV_MAX_BYTES || fv.files < VOLUME_HEADER_BYTES || fv.files > bytes)
		return err_set(e, EINVAL, "%s: a volume of 0x%llx bytes with a header of 0x%zx, where 0x%zx bytes are left",
			       where, (unsigned long long)bytes, fv.files, len);
	if (fv.files % 2 || !sum16_is_zero(data, fv.files))
		return err_set(e, EINVAL, "%s: the checksum of the volume's header is wrong (PI 3.2.1.1)", where);
	fv.len = (size_t)bytes;
	if (extended)
		rc = parse_extended(data, fv.len, extended, where, &fv, e);
	fv.files = align_up(fv.files, FILE_ALIGN, fv.len);
	if (!rc)
		*ret = fv;
	return rc;
}

/* State and the data's sum are not part of the header's sum. */
static bool file_header_is_sound(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (i != 17 && i != 23)
			sum = (uint8_t)(sum + p[i]);
	return sum == 0;
}

static bool is_erased(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0xff)
			return false;
	return true;
}

int fv_file_next(const struct fv *fv, size_t *at, struct fv_file *ret, struct err *e)
{
	size_t here = *at ? *at : fv->files, header = FILE_HEADER_BYTES;
	struct fv_file f = { .offset = here };
	struct reader r;
	uint64_t bytes;
	uint8_t attributes;

	if (here >= fv->len || fv->len - here < FILE_HEADER_BYTES || is_erased(fv->data + here, FILE_HEADER_BYTES))
		return 0;
	r = reader_init(fv->data + here, fv->len - here);
	reader_copy(&r, f.name, sizeof(f.name));
	(void)reader_u16le(&r);
	f.type = reader_u8(&r);
	attributes = reader_u8(&r);
	bytes = u24le(&r);
	(void)reader_u8(&r);
	if (attributes & FILE_LARGE) {
		bytes = reader_u64le(&r);
		header = FILE_HEADER_LARGE_BYTES;
	}
	if (r.bad || bytes < header || bytes > fv->len - here)
		return err_set(e, EINVAL, "firmware volume: file at 0x%zx has 0x%llx bytes, where 0x%zx are left (PI 3.2.3)",
			       here, (unsigned long long)bytes, fv->len - here);
	if (!file_header_is_sound(fv->data + here, header))
		return err_set(e, EINVAL, "firmware volume: file at 0x%zx: its header's checksum is wrong (PI 3.2.3)", here);
	f.data = fv->data + here + header;
	f.len = (size_t)bytes - header;
	*at = align_up(here + (size_t)bytes, FILE_ALIGN, fv->len);
	*ret = f;
	return 1;
}

/* GUID, offset of the data from the section's first byte, attributes. */
static int parse_guided(struct reader *r, size_t here, size_t header, uint64_t bytes, struct fv_section *s, struct err *e)
{
	size_t offset;

	reader_copy(r, s->guid, sizeof(s->guid));
	offset = reader_u16le(r);
	(void)reader_u16le(r);
	if (r->bad || offset < header + FV_GUID_BYTES + 4 || offset > bytes)
		return err_set(e, EINVAL, "firmware file: guided section at 0x%zx: data at 0x%zx of 0x%llx bytes (PI 3.2.5.7)",
			       here, offset, (unsigned long long)bytes);
	s->data += offset - header;
	s->len -= offset - header;
	return 0;
}

int fv_section_next(const uint8_t *data, size_t len, size_t *at, struct fv_section *ret, struct err *e)
{
	size_t here = *at, header = 4;
	struct fv_section s = { 0 };
	struct reader r;
	uint64_t bytes;
	int rc = 0;

	if (here >= len || len - here < header)
		return 0;
	r = reader_init(data + here, len - here);
	bytes = u24le(&r);
	s.type = reader_u8(&r);
	if (bytes == SECTION_LARGE) {
		bytes = reader_u32le(&r);
		header = 8;
	}
	if (r.bad || bytes < header || bytes > len - here)
		return err_set(e, EINVAL, "firmware file: section at 0x%zx has 0x%llx bytes, where 0x%zx are left (PI 3.2.4)",
			       here, (unsigned long long)bytes, len - here);
	s.data = data + here + header;
	s.len = (size_t)bytes - header;
	if (s.type == FV_SECTION_GUIDED)
		rc = parse_guided(&r, here, header, bytes, &s, e);
	if (rc)
		return rc;
	*at = align_up(here + (size_t)bytes, SECTION_ALIGN, len);
	*ret = s;
	return 1;
}
