/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/pe.c - bounded reader of PE32+ images */
#include "image-builder/pe.h"

#include "common/reader.h"

#include <string.h>

#define DOS_LFANEW_OFFSET 0x3c
#define COFF_BYTES        24  /* signature and COFF header */
#define OPT_MIN_BYTES     152 /* PE32+ up to and with the certificate table's directory entry */
#define OPT_MAGIC_PE32P   0x20b
#define OPT_DIRECTORIES   112
#define DIR_CERTIFICATE   4
#define DIR_BYTES         8
#define CERT_ALIGN        8

static bool is_power_of_two(uint32_t v)
{
	return v && !(v & (v - 1));
}

/* COFF header: how many sections, how long the optional header. */
static int parse_coff(struct reader *r, const char *name, struct pe *pe, size_t *ret_opt_bytes, struct err *e)
{
	uint32_t signature = reader_u32le(r);
	size_t opt_bytes;

	pe->machine = reader_u16le(r);
	pe->n_sections = reader_u16le(r);
	(void)reader_bytes(r, 12); /* time stamp and symbol table: of no interest; `bad` is checked below */
	opt_bytes = reader_u16le(r);
	(void)reader_u16le(r); /* characteristics: the same */
	if (r->bad || signature != 0x00004550)
		return err_set(e, EINVAL, "%s: no PE signature at offset %zu", name, pe->pe_offset);
	if (pe->n_sections == 0 || pe->n_sections > PE_MAX_SECTIONS)
		return err_set(e, EINVAL, "%s: %zu sections, wanted 1 to %d", name, pe->n_sections, PE_MAX_SECTIONS);
	if (opt_bytes < OPT_MIN_BYTES || opt_bytes > r->left)
		return err_set(e, EINVAL, "%s: optional header of %zu bytes, wanted at least %d, inside the file", name,
			       opt_bytes, OPT_MIN_BYTES);
	*ret_opt_bytes = opt_bytes;
	return 0;
}

/* Optional header, PE32+. @r holds exactly its bytes, at least OPT_MIN_BYTES of them. */
static int parse_optional(struct reader r, const char *name, struct pe *pe, struct err *e)
{
	uint16_t magic = reader_u16le(&r);
	uint32_t n_dirs;

	(void)reader_bytes(&r, 30); /* linker version, sizes, entry point, code base, image base */
	pe->section_alignment = reader_u32le(&r);
	pe->file_alignment = reader_u32le(&r);
	(void)reader_bytes(&r, 16); /* versions */
	pe->image_bytes = reader_u32le(&r);
	pe->header_bytes = reader_u32le(&r);
	pe->checksum = reader_u32le(&r);
	(void)reader_u16le(&r); /* subsystem */
	pe->dll_characteristics = reader_u16le(&r);
	(void)reader_bytes(&r, 36); /* stack, heap, loader flags */
	n_dirs = reader_u32le(&r);
	(void)reader_bytes(&r, DIR_CERTIFICATE * DIR_BYTES); /* `bad` is checked next */
	pe->cert_offset = reader_u32le(&r);
	pe->cert_bytes = reader_u32le(&r);
	if (r.bad || magic != OPT_MAGIC_PE32P)
		return err_set(e, EINVAL, "%s: optional header magic 0x%x, wanted 0x20b (PE32+)", name, magic);
	if (n_dirs <= DIR_CERTIFICATE)
		return err_set(e, EINVAL, "%s: %u data directories, too few to hold a certificate table", name, n_dirs);
	if (!is_power_of_two(pe->section_alignment) || !is_power_of_two(pe->file_alignment))
		return err_set(e, EINVAL, "%s: alignments %u and %u, wanted powers of two", name, pe->section_alignment,
			       pe->file_alignment);
	return 0;
}

static int parse_section(struct reader *r, struct pe_section *s, const char *name, size_t len, struct err *e)
{
	reader_copy(r, s->name, 8);
	s->name[8] = '\0';
	s->virtual_bytes = reader_u32le(r);
	s->virtual_address = reader_u32le(r);
	s->raw_bytes = reader_u32le(r);
	s->raw_offset = reader_u32le(r);
	(void)reader_bytes(r, 12); /* relocations and line numbers of object files */
	s->characteristics = reader_u32le(r);
	if (r->bad)
		return err_set(e, EINVAL, "%s: section table is cut short at offset %zu", name, reader_offset(r));
	if (s->raw_bytes > len || s->raw_offset > len - s->raw_bytes)
		return err_set(e, EINVAL, "%s: section %s has %u bytes at offset %u, file has %zu", name, s->name,
			       s->raw_bytes, s->raw_offset, len);
	if (s->virtual_bytes > UINT32_MAX - s->virtual_address)
		return err_set(e, EINVAL, "%s: section %s ends beyond 4 GiB", name, s->name);
	return 0;
}

/* Each section behind the one before, in memory and in the file; the first behind the headers. */
static int parse_sections(struct reader *r, const char *name, struct pe *pe, struct err *e)
{
	uint64_t memory = pe->header_bytes, file = pe->header_bytes;

	for (size_t i = 0; i < pe->n_sections; i++) {
		struct pe_section *s = &pe->section[i];
		int ret = parse_section(r, s, name, pe->len, e);

		if (ret)
			return ret;
		if (s->virtual_address < memory || s->virtual_address % pe->section_alignment)
			return err_set(e, EINVAL, "%s: section %s at address 0x%x overlaps or is not aligned to 0x%x",
				       name, s->name, s->virtual_address, pe->section_alignment);
		if (s->raw_bytes && s->raw_offset < file)
			return err_set(e, EINVAL, "%s: section %s at offset %u overlaps what is before it (up to %llu)",
				       name, s->name, s->raw_offset, (unsigned long long)file);
		memory = (uint64_t)s->virtual_address + s->virtual_bytes;
		if (s->raw_bytes)
			file = (uint64_t)s->raw_offset + s->raw_bytes;
	}
	if (memory > pe->image_bytes)
		return err_set(e, EINVAL, "%s: sections end at 0x%llx, SizeOfImage is 0x%x", name,
			       (unsigned long long)memory, pe->image_bytes);
	if (pe->cert_bytes && pe->cert_offset < file)
		return err_set(e, EINVAL, "%s: certificate table at offset %u overlaps a section that ends at %llu",
			       name, pe->cert_offset, (unsigned long long)file);
	return 0;
}

static int check_certificates(const struct pe *pe, const char *name, struct err *e)
{
	if (!pe->cert_bytes && !pe->cert_offset)
		return 0;
	if (!pe->cert_bytes || pe->cert_offset % CERT_ALIGN || (uint64_t)pe->cert_offset + pe->cert_bytes != pe->len)
		return err_set(
			e, EINVAL,
			"%s: certificate table of %u bytes at offset %u, wanted the end of %zu bytes, aligned to 8",
			name, pe->cert_bytes, pe->cert_offset, pe->len);
	return 0;
}

int pe_parse(const void *data, size_t len, const char *name, struct pe *ret, struct err *e)
{
	struct pe pe = {.data = data, .len = len};
	struct reader r = reader_init(data, len);
	size_t opt_bytes = 0;
	int ret_code;

	if (len > PE_MAX_BYTES)
		return err_set(e, EINVAL, "%s: %zu bytes, wanted at most %u", name, len, PE_MAX_BYTES);
	if (reader_u16le(&r) != 0x5a4d || !reader_bytes(&r, DOS_LFANEW_OFFSET - 2))
		return err_set(e, EINVAL, "%s: does not begin with MZ: not an EFI program", name);
	pe.pe_offset = reader_u32le(&r);
	r = reader_init(data, len);
	if (!reader_bytes(&r, pe.pe_offset))
		return err_set(e, EINVAL, "%s: PE header at offset %zu, file has %zu bytes", name, pe.pe_offset, len);
	ret_code = parse_coff(&r, name, &pe, &opt_bytes, e);
	if (ret_code)
		return ret_code;
	pe.optional_offset = pe.pe_offset + COFF_BYTES;
	pe.checksum_offset = pe.optional_offset + PE_OPT_CHECKSUM;
	pe.cert_dir_offset = pe.optional_offset + OPT_DIRECTORIES + DIR_CERTIFICATE * DIR_BYTES;
	pe.section_table_offset = pe.optional_offset + opt_bytes;
	ret_code = parse_optional(reader_sub(&r, opt_bytes), name, &pe, e);
	if (ret_code)
		return ret_code;
	if (pe.header_bytes > len || pe.section_table_offset + pe.n_sections * PE_SECTION_BYTES > pe.header_bytes)
		return err_set(e, EINVAL, "%s: SizeOfHeaders is %u, section table ends at %zu, file has %zu bytes",
			       name, pe.header_bytes, pe.section_table_offset + pe.n_sections * PE_SECTION_BYTES, len);
	ret_code = check_certificates(&pe, name, e);
	if (!ret_code)
		ret_code = parse_sections(&r, name, &pe, e);
	if (ret_code)
		return ret_code;
	*ret = pe;
	return 0;
}

const struct pe_section *pe_find(const struct pe *pe, const char *name)
{
	for (size_t i = 0; i < pe->n_sections; i++)
		if (!strcmp(pe->section[i].name, name))
			return &pe->section[i];
	return NULL;
}

const uint8_t *pe_content(const struct pe *pe, const struct pe_section *s, size_t *ret_len)
{
	*ret_len = s->virtual_bytes < s->raw_bytes ? s->virtual_bytes : s->raw_bytes;
	return pe->data + s->raw_offset;
}

uint32_t pe_checksum(const uint8_t *data, size_t len, size_t checksum_offset)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i += 2) {
		uint32_t word = data[i] | (i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0);

		if (i - checksum_offset < 4 && i >= checksum_offset)
			continue; /* the field itself; it stands at an even offset */
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum + (uint32_t)len;
}

uint16_t pe_machine(const char *arch)
{
	if (!strcmp(arch, "x86_64"))
		return PE_MACHINE_X86_64;
	return !strcmp(arch, "arm64") ? PE_MACHINE_ARM64 : 0;
}
