/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/elf.c - bounded reader of ELF64 files, and the closure of shared libraries in a tree */
#include "image-builder/elf.h"

#include <string.h>

#define EHDR_BYTES 64
#define PHDR_BYTES 56
#define SHDR_BYTES 64
#define MAX_PHDRS  128
#define MAX_DYN    4096

enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3 };
enum { DT_NULL = 0, DT_NEEDED = 1, DT_STRTAB = 5, DT_STRSZ = 10, DT_SONAME = 14, DT_RPATH = 15, DT_RUNPATH = 29 };

/* struct image - the file and the header fields that point into it */
struct image {
	const uint8_t *data;
	size_t len;
	const char *name;
	uint16_t machine, type;
	uint64_t phoff, shoff;
	uint16_t n_ph, n_sh, sh_names;
};

/* struct segment - one program header */
struct segment {
	uint32_t type;
	uint64_t offset, address, file_bytes;
};

/* A reader over bytes [@offset, @offset + @n) of the file; a bad one if they are not all there. */
static struct reader slice(const struct image *im, uint64_t offset, uint64_t n)
{
	struct reader r = reader_init(im->data, im->len);

	if (offset > im->len || n > im->len - offset) {
		r.bad = true;
		r.left = 0;
		return r;
	}
	(void)reader_bytes(&r, (size_t)offset); /* inside, by the test above */
	r.left = (size_t)n;
	return r;
}

bool elf_is(const void *data, size_t len)
{
	return len >= 4 && !memcmp(data, "\177ELF", 4);
}

static int parse_header(const void *data, size_t len, const char *name, struct image *ret, struct err *e)
{
	struct image im = {.data = data, .len = len, .name = name};
	struct reader r = slice(&im, 0, len < EHDR_BYTES ? UINT64_MAX : EHDR_BYTES);
	const uint8_t *ident = reader_bytes(&r, 16);
	uint16_t ph_bytes, sh_bytes;

	im.type = reader_u16le(&r);
	im.machine = reader_u16le(&r);
	(void)reader_bytes(&r, 12); /* version and entry point; `bad` is checked below */
	im.phoff = reader_u64le(&r);
	im.shoff = reader_u64le(&r);
	(void)reader_bytes(&r, 6); /* flags and this header's size */
	ph_bytes = reader_u16le(&r);
	im.n_ph = reader_u16le(&r);
	sh_bytes = reader_u16le(&r);
	im.n_sh = reader_u16le(&r);
	im.sh_names = reader_u16le(&r);
	if (r.bad || !elf_is(data, len))
		return err_set(e, EINVAL, "%s: no ELF header in %zu bytes", name, len);
	if (ident[4] != 2 || ident[5] != 1)
		return err_set(e, EINVAL, "%s: ELF class %u, byte order %u, wanted 64-bit little-endian", name,
			       ident[4], ident[5]);
	if (im.n_ph > MAX_PHDRS || (im.n_ph && ph_bytes != PHDR_BYTES) || (im.n_sh && sh_bytes != SHDR_BYTES))
		return err_set(
			e, EINVAL,
			"%s: %u program headers of %u bytes, section headers of %u, wanted at most %d of %d, and %d",
			name, im.n_ph, ph_bytes, sh_bytes, MAX_PHDRS, PHDR_BYTES, SHDR_BYTES);
	*ret = im;
	return 0;
}

static int read_segment(const struct image *im, size_t i, struct segment *ret, struct err *e)
{
	struct reader table = slice(im, im->phoff, (uint64_t)im->n_ph * PHDR_BYTES), r;

	(void)reader_bytes(&table, i * PHDR_BYTES); /* `bad` is checked below */
	r = reader_sub(&table, PHDR_BYTES);
	ret->type = reader_u32le(&r);
	(void)reader_u32le(&r); /* flags */
	ret->offset = reader_u64le(&r);
	ret->address = reader_u64le(&r);
	(void)reader_u64le(&r); /* physical address */
	ret->file_bytes = reader_u64le(&r);
	if (r.bad)
		return err_set(e, EINVAL, "%s: program header %zu lies outside the file", im->name, i);
	if (slice(im, ret->offset, ret->file_bytes).bad)
		return err_set(e, EINVAL, "%s: segment %zu has %llu bytes at offset %llu, file has %zu", im->name, i,
			       (unsigned long long)ret->file_bytes, (unsigned long long)ret->offset, im->len);
	return 0;
}

/* Where @n bytes at virtual @address stand in the file. Return: a reader, bad if no segment holds them. */
static int slice_address(const struct image *im, uint64_t address, uint64_t n, struct reader *ret, struct err *e)
{
	for (size_t i = 0; i < im->n_ph; i++) {
		struct segment s;
		int r = read_segment(im, i, &s, e);

		if (r)
			return r;
		if (s.type != PT_LOAD || address < s.address || address - s.address > s.file_bytes ||
		    n > s.file_bytes - (address - s.address))
			continue;
		*ret = slice(im, s.offset + (address - s.address), n);
		return 0;
	}
	return err_set(e, EINVAL, "%s: no segment holds the %llu bytes of the string table", im->name,
		       (unsigned long long)n);
}

/* The NUL-terminated string at @at of @table, or NULL. */
static const char *string_at(const struct reader *table, uint64_t at)
{
	if (table->bad || at >= table->left || !memchr(table->p + at, 0, (size_t)(table->left - at)))
		return NULL;
	return (const char *)table->p + at;
}

static int take_string(const struct image *im, const struct reader *strings, uint64_t at, const char **ret,
		       struct err *e)
{
	const char *s = string_at(strings, at);

	if (!s || !*s)
		return err_set(e, EINVAL, "%s: dynamic section names a string at %llu, outside its table", im->name,
			       (unsigned long long)at);
	*ret = s;
	return 0;
}

/* One pass over the dynamic section for each of two things: first where the strings are, then the strings. */
static int parse_dynamic(const struct image *im, const struct segment *dyn, struct elf *ret, struct err *e)
{
	struct reader r = slice(im, dyn->offset, dyn->file_bytes), again = r, strings;
	uint64_t strtab = 0, strsz = 0, tag = 1;
	int code = 0;

	if (dyn->file_bytes / 16 > MAX_DYN)
		return err_set(e, EINVAL, "%s: %llu dynamic entries, wanted at most %d", im->name,
			       (unsigned long long)dyn->file_bytes / 16, MAX_DYN);
	while (tag != DT_NULL && r.left >= 16) {
		uint64_t value;

		tag = reader_u64le(&r);
		value = reader_u64le(&r);
		if (tag == DT_STRTAB)
			strtab = value;
		else if (tag == DT_STRSZ)
			strsz = value;
	}
	if (tag != DT_NULL)
		return err_set(e, EINVAL, "%s: dynamic section has no end", im->name);
	code = slice_address(im, strtab, strsz, &strings, e);
	for (tag = 1; !code && tag != DT_NULL;) {
		uint64_t value;

		tag = reader_u64le(&again);
		value = reader_u64le(&again);
		if (tag == DT_NEEDED && ret->n_needed == ELF_MAX_NEEDED)
			return err_set(e, EINVAL, "%s: more than %d needed libraries", im->name, ELF_MAX_NEEDED);
		if (tag == DT_NEEDED)
			code = take_string(im, &strings, value, &ret->needed[ret->n_needed++], e);
		else if (tag == DT_SONAME)
			code = take_string(im, &strings, value, &ret->soname, e);
		else if (tag == DT_RPATH || tag == DT_RUNPATH)
			code = take_string(im, &strings, value, &ret->runpath, e);
	}
	return code;
}

int elf_parse(const void *data, size_t len, const char *name, struct elf *ret, struct err *e)
{
	struct elf elf = {0};
	struct image im;
	int r = parse_header(data, len, name, &im, e);

	if (r)
		return r;
	elf.machine = im.machine;
	elf.type = im.type;
	for (size_t i = 0; i < im.n_ph; i++) {
		struct segment s;
		struct reader bytes;

		r = read_segment(&im, i, &s, e);
		if (r)
			return r;
		bytes = slice(&im, s.offset, s.file_bytes);
		if (s.type == PT_INTERP)
			r = take_string(&im, &bytes, 0, &elf.interp, e);
		else if (s.type == PT_DYNAMIC)
			r = parse_dynamic(&im, &s, &elf, e);
		if (r)
			return r;
	}
	*ret = elf;
	return 0;
}

/* struct shdr - a section header's fields that are needed here */
struct shdr {
	uint32_t name;
	uint32_t type;
	uint64_t offset, bytes;
};

static int read_shdr(const struct image *im, size_t i, struct shdr *ret, struct err *e)
{
	struct reader table = slice(im, im->shoff, (uint64_t)im->n_sh * SHDR_BYTES), r;

	(void)reader_bytes(&table, i * SHDR_BYTES); /* `bad` is checked below */
	r = reader_sub(&table, SHDR_BYTES);
	ret->name = reader_u32le(&r);
	ret->type = reader_u32le(&r);
	(void)reader_bytes(&r, 16); /* flags and address */
	ret->offset = reader_u64le(&r);
	ret->bytes = reader_u64le(&r);
	return r.bad ? err_set(e, EINVAL, "%s: section header %zu lies outside the file", im->name, i) : 0;
}

int elf_section(const void *data, size_t len, const char *name, const char *section, struct reader *ret, struct err *e)
{
	struct reader strings, bytes;
	struct image im;
	struct shdr s;
	int r = parse_header(data, len, name, &im, e);

	if (!r && im.sh_names >= im.n_sh)
		return err_set(e, EINVAL, "%s: section names are in section %u of %u", name, im.sh_names, im.n_sh);
	if (!r)
		r = read_shdr(&im, im.sh_names, &s, e);
	if (r)
		return r;
	strings = slice(&im, s.offset, s.bytes);
	for (size_t i = 0; i < im.n_sh; i++) {
		const char *found;

		r = read_shdr(&im, i, &s, e);
		if (r)
			return r;
		found = string_at(&strings, s.name);
		if (!found || strcmp(found, section) != 0)
			continue;
		bytes = slice(&im, s.offset, s.bytes);
		if (bytes.bad || s.type == 8 /* SHT_NOBITS */)
			return err_set(e, EINVAL, "%s: section %s lies outside the file", name, section);
		*ret = reader_init(bytes.p, bytes.left);
		return 0;
	}
	return err_set(e, ENOENT, "%s: no section %s", name, section);
}
