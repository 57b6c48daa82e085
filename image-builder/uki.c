/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/uki.c - unified kernel image: the systemd stub with command line, initramfs and kernel as sections */
#include "image-builder/uki.h"

#include <string.h>

#define SCN_CODE               0x00000020u
#define SCN_INITIALIZED_DATA   0x00000040u
#define SCN_READ               0x40000000u
#define COFF_N_SECTIONS_OFFSET 6 /* from the PE signature */
#define UNAME_MAX_BYTES        64
#define OSREL_MAX_BYTES        4096

/* Order in which stub 257 measures (systemd src/fundamental/uki.c); .pcrsig is never measured. */
static const char *const measured[] = {
	".linux", ".osrel", ".cmdline", ".initrd",  ".ucode",   ".splash", ".dtb",
	".uname", ".sbat",  ".pcrpkey", ".profile", ".dtbauto", ".hwids",
};

/* struct section - one section to append: @data_bytes of data, zeros up to @len */
struct section {
	const char *name;
	const void *data;
	size_t data_bytes, len;
	uint32_t characteristics;
};

static uint64_t round_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) / align * align;
}

static void put_u16le(uint8_t *p, uint32_t v)
{
	p[0] = v & 0xff;
	p[1] = v >> 8 & 0xff;
}

static void put_u32le(uint8_t *p, uint32_t v)
{
	put_u16le(p, v);
	put_u16le(p + 2, v >> 16);
}

static uint32_t get_u32le(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int check_text(const char *what, const char *text, size_t max, struct err *e)
{
	size_t n = text ? strlen(text) : 0;

	if (n == 0 || n > max)
		return err_set(e, EINVAL, "%s has %zu bytes, wanted 1 to %zu", what, n, max);
	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return err_set(e, EINVAL, "%s has byte 0x%02x at %zu, wanted printable ASCII", what,
				       (unsigned char)text[i], i);
	/* The stub strips blanks at the ends before it hands the text on; PCR 9 is predicted from the text as it
	 * stands. */
	if (text[0] == ' ' || text[n - 1] == ' ')
		return err_set(e, EINVAL, "%s begins or ends with a blank", what);
	return 0;
}

/* The loader takes a UKI for one only if it has this section, and orders UKIs by these two. */
static int check_osrel(const char *text, struct err *e)
{
	size_t n = text ? strlen(text) : 0;

	if (n == 0 || n > OSREL_MAX_BYTES || text[n - 1] != '\n' || !strstr(text, "\nIMAGE_ID=") || !strstr(text, "\nIMAGE_VERSION="))
		return err_set(e, EINVAL, "the os-release has %zu bytes, wanted 1 to %d, whole lines, IMAGE_ID and IMAGE_VERSION among them", n,
			       OSREL_MAX_BYTES);
	return 0;
}

/* An EFI program of the wanted architecture without a signature. */
static int parse_input(const struct buf *b, const char *what, const char *arch, struct pe *ret, struct err *e)
{
	uint16_t machine = pe_machine(arch);
	int r;

	if (!machine)
		return err_set(e, EINVAL, "architecture %s is not known, wanted x86_64 or arm64", arch);
	r = pe_parse(b->data, b->len, what, ret, e);
	if (r)
		return r;
	if (ret->machine != machine)
		return err_set(e, EINVAL, "%s is for machine 0x%04x, wanted 0x%04x (%s)", what, ret->machine, machine,
			       arch);
	return 0;
}

/*
 * Append one section: a row in the table, its data at the end of the file. @last is the section with the highest
 * address so far and becomes this one. The zeros behind the table are free up to SizeOfHeaders, which the caller has
 * checked.
 */
static int append(struct buf *out, const struct pe *stub, size_t index, const struct section *s,
		  struct pe_section *last, struct err *e)
{
	uint64_t address = round_up((uint64_t)last->virtual_address + last->virtual_bytes, stub->section_alignment);
	uint64_t raw_bytes = round_up(s->len, stub->file_alignment);
	uint8_t row[PE_SECTION_BYTES] = {0};

	buf_pad(out, stub->file_alignment);
	if (out->len + raw_bytes > PE_MAX_BYTES || address + s->len > PE_MAX_BYTES)
		return err_set(e, EFBIG, "section %s of %zu bytes makes the UKI larger than %u bytes", s->name, s->len,
			       PE_MAX_BYTES);
	memcpy(row, s->name, strlen(s->name)); /* 8 bytes at most: all names are ours */
	put_u32le(row + 8, (uint32_t)s->len);
	put_u32le(row + 12, (uint32_t)address);
	put_u32le(row + 16, (uint32_t)raw_bytes);
	put_u32le(row + 20, (uint32_t)out->len);
	put_u32le(row + 36, s->characteristics);
	buf_put(out, s->data, s->data_bytes);
	buf_zero(out, raw_bytes - s->data_bytes);
	if (out->bad)
		return err_set(e, ENOMEM, "no memory for the UKI");
	memcpy(out->data + stub->section_table_offset + index * PE_SECTION_BYTES, row, sizeof(row));
	last->virtual_address = (uint32_t)address;
	last->virtual_bytes = (uint32_t)s->len;
	return 0;
}

/* The stub must have room for @n more rows, and those rows must be empty. */
static int check_room(const struct pe *stub, size_t n, struct err *e)
{
	size_t at = stub->section_table_offset + stub->n_sections * PE_SECTION_BYTES;

	if (stub->cert_bytes)
		return err_set(e, EINVAL, "the stub is signed; the signature would be worthless");
	if (stub->n_sections + n > PE_MAX_SECTIONS || at + n * PE_SECTION_BYTES > stub->header_bytes)
		return err_set(e, EINVAL, "the stub's headers have no room for %zu more sections", n);
	for (size_t i = 0; i < n * PE_SECTION_BYTES; i++)
		if (stub->data[at + i])
			return err_set(e, EINVAL, "the stub has data at offset %zu, where a section row must go",
				       at + i);
	return 0;
}

/* Header fields that follow from the sections. */
static void finish(struct buf *out, const struct pe *stub, const struct pe *kernel, const struct section *s, size_t n,
		   const struct pe_section *last)
{
	uint8_t *opt = out->data + stub->optional_offset;
	uint64_t end = (uint64_t)last->virtual_address + last->virtual_bytes;
	uint32_t initialized = get_u32le(opt + PE_OPT_INITIALIZED_BYTES);

	for (size_t i = 0; i < n; i++)
		initialized += (uint32_t)s[i].len;
	put_u16le(out->data + stub->pe_offset + COFF_N_SECTIONS_OFFSET, (uint32_t)(stub->n_sections + n));
	put_u32le(opt + PE_OPT_INITIALIZED_BYTES, initialized);
	put_u32le(opt + PE_OPT_IMAGE_BYTES, (uint32_t)round_up(end, stub->section_alignment));
	/* A kernel that wants memory writable and executable must not be promised the opposite by the UKI around it. */
	if (!(kernel->dll_characteristics & PE_DLL_NX_COMPAT))
		put_u16le(opt + PE_OPT_DLL_CHARACTERISTICS, stub->dll_characteristics & ~PE_DLL_NX_COMPAT);
	put_u32le(out->data + stub->checksum_offset, pe_checksum(out->data, out->len, stub->checksum_offset));
}

int uki_build(const struct uki_params *p, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct pe stub, kernel;
	struct pe_section last;
	struct section all[] = {
		{".osrel", p->osrel, 0, 0, SCN_INITIALIZED_DATA | SCN_READ},
		{".cmdline", p->cmdline, 0, 0, SCN_INITIALIZED_DATA | SCN_READ},
		{".uname", p->uname, 0, 0, SCN_INITIALIZED_DATA | SCN_READ},
		{".linux", p->kernel->data, p->kernel->len, p->kernel->len, SCN_CODE | SCN_READ},
		{".initrd", p->initrd->data, p->initrd->len, round_up(p->initrd->len, 4),
		 SCN_INITIALIZED_DATA | SCN_READ},
		{".pcrsig", NULL, 0, 0, SCN_INITIALIZED_DATA | SCN_READ},
	};
	struct section *s = all + !p->osrel; /* those that there are */
	size_t n = ARRAY_SIZE(all) - !p->osrel - !p->pcrsig;
	int r = check_text("the kernel command line", p->cmdline, UKI_MAX_CMDLINE_BYTES, e);

	if (!r)
		r = check_text("the kernel release", p->uname, UNAME_MAX_BYTES, e);
	if (!r && p->osrel)
		r = check_osrel(p->osrel, e);
	if (!r)
		r = parse_input(p->stub, "the systemd stub", p->arch, &stub, e);
	if (!r)
		r = parse_input(p->kernel, "the kernel", p->arch, &kernel, e);
	if (!r)
		r = check_room(&stub, n, e);
	if (r)
		return r;
	if (p->initrd->len == 0)
		return err_set(e, EINVAL, "the initramfs is empty");
	all[0].data_bytes = all[0].len = p->osrel ? strlen(p->osrel) : 0;
	all[1].data_bytes = all[1].len = strlen(p->cmdline);
	all[2].data_bytes = all[2].len = strlen(p->uname);
	if (p->pcrsig) {
		all[5].data = p->pcrsig->data;
		all[5].data_bytes = all[5].len = p->pcrsig->len;
	}
	last = stub.section[stub.n_sections - 1];
	buf_put(&out, stub.data, stub.len);
	for (size_t i = 0; i < n && !r; i++)
		r = append(&out, &stub, stub.n_sections + i, &s[i], &last, e);
	if (r)
		return r;
	finish(&out, &stub, &kernel, s, n, &last);
	*ret = out;
	out = (struct buf)BUF_INIT;
	return 0;
}

const struct pe_section *uki_measured(const struct pe *pe, size_t i)
{
	for (size_t k = 0; k < ARRAY_SIZE(measured); k++) {
		const struct pe_section *s = pe_find(pe, measured[k]);

		if (s && s->virtual_bytes && i-- == 0)
			return s;
	}
	return NULL;
}
