/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/module_strip.c - kernel modules as a boot wants them: what is loaded, and nothing else */
#include "image-builder/module_strip.h"

#include "common/cleanup.h"
#include "common/reader.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ALIGN 65536

/* struct section - a header, and where it goes; @to 0: it is cut (number 0 stays 0) */
struct section {
	Elf64_Shdr h;
	const uint8_t *bytes;
	uint32_t to;
};

/* struct symbol - @used by a relocation; @to: new number, 0 if it is cut */
struct symbol {
	Elf64_Sym s;
	const char *name;
	bool used;
	uint32_t to;
};

/* struct strip - one run */
struct strip {
	const uint8_t *data;
	size_t len;
	const char *name;
	Elf64_Ehdr head;
	struct section *sec;
	size_t n_sec, symtab, n_kept;
	struct symbol *sym;
	size_t n_sym, n_local, n_sym_kept;
	bool keep_types;
	struct buf symbols, strings; /* anew */
	struct err *e;
};

static void strip_free(struct strip *s)
{
	free(s->sec);
	free(s->sym);
	buf_free(&s->symbols);
	buf_free(&s->strings);
}

#define cleanup_strip __attribute__((cleanup(strip_free)))

static struct reader at(const struct strip *s, uint64_t offset, uint64_t bytes)
{
	struct reader r = reader_init(s->data, s->len);

	if (offset > s->len || bytes > s->len - offset)
		return (struct reader){ .bad = true };
	(void)reader_bytes(&r, (size_t)offset); /* inside, by the test above */
	return reader_sub(&r, (size_t)bytes);
}

static int read_head(struct strip *s)
{
	struct reader r = at(s, 0, EI_NIDENT + 48);
	Elf64_Ehdr *h = &s->head;

	reader_copy(&r, h->e_ident, EI_NIDENT);
	h->e_type = reader_u16le(&r);
	h->e_machine = reader_u16le(&r);
	h->e_version = reader_u32le(&r);
	(void)reader_bytes(&r, 16); /* entry point and program headers: a module has neither; `bad` is checked below */
	h->e_shoff = reader_u64le(&r);
	h->e_flags = reader_u32le(&r);
	(void)reader_bytes(&r, 4);
	h->e_phnum = reader_u16le(&r);
	h->e_shentsize = reader_u16le(&r);
	h->e_shnum = reader_u16le(&r);
	h->e_shstrndx = reader_u16le(&r);
	if (r.bad || memcmp(h->e_ident, ELFMAG, SELFMAG))
		return err_set(s->e, EINVAL, "%s: no ELF header in %zu bytes", s->name, s->len);
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_type != ET_REL || h->e_phnum)
		return err_set(s->e, EINVAL, "%s: ELF class %u, byte order %u, type %u, %u program headers; a module is 64-bit, little-endian, "
			       "relocatable, without", s->name, h->e_ident[EI_CLASS], h->e_ident[EI_DATA], h->e_type, h->e_phnum);
	if (h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shnum < 2 || h->e_shnum > MODULE_STRIP_MAX_SECTIONS || h->e_shstrndx >= h->e_shnum)
		return err_set(s->e, EINVAL, "%s: %u section headers of %u bytes, names in %u; wanted 2 to %d of 64, names in one of them", s->name,
			       h->e_shnum, h->e_shentsize, h->e_shstrndx, MODULE_STRIP_MAX_SECTIONS);
	return 0;
}

static int read_section(struct strip *s, size_t i, struct reader *table)
{
	Elf64_Shdr *h = &s->sec[i].h;
	struct reader bytes;

	h->sh_name = reader_u32le(table);
	h->sh_type = reader_u32le(table);
	h->sh_flags = reader_u64le(table);
	h->sh_addr = reader_u64le(table);
	h->sh_offset = reader_u64le(table);
	h->sh_size = reader_u64le(table);
	h->sh_link = reader_u32le(table);
	h->sh_info = reader_u32le(table);
	h->sh_addralign = reader_u64le(table);
	h->sh_entsize = reader_u64le(table);
	if (table->bad)
		return err_set(s->e, EINVAL, "%s: section header %zu lies outside the file", s->name, i);
	if (h->sh_addralign > MAX_ALIGN || (h->sh_addralign & (h->sh_addralign - 1)) || h->sh_link >= s->n_sec)
		return err_set(s->e, EINVAL, "%s: section %zu has alignment %llu and refers to section %u of %zu", s->name, i,
			       (unsigned long long)h->sh_addralign, h->sh_link, s->n_sec);
	if ((h->sh_type == SHT_NULL) != (i == 0) || h->sh_type == SHT_GROUP || h->sh_type == SHT_SYMTAB_SHNDX || h->sh_type == SHT_REL || h->sh_type == SHT_DYNSYM)
		return err_set(s->e, EINVAL, "%s: section %zu is of type %u, which modules do not have", s->name, i, h->sh_type);
	if (i == 0 || h->sh_type == SHT_NOBITS)
		return 0;
	bytes = at(s, h->sh_offset, h->sh_size);
	if (bytes.bad)
		return err_set(s->e, EINVAL, "%s: section %zu has %llu bytes at offset %llu, the file %zu", s->name, i,
			       (unsigned long long)h->sh_size, (unsigned long long)h->sh_offset, s->len);
	s->sec[i].bytes = bytes.p;
	return 0;
}

/* Is section @i one of @wanted, by its name? */
static bool is_named(const struct strip *s, size_t i, const char *const *wanted, size_t n_wanted)
{
	const struct section *names = &s->sec[s->head.e_shstrndx];
	uint32_t at = s->sec[i].h.sh_name;

	for (size_t k = 0; names->bytes && k < n_wanted; k++) {
		size_t n = strlen(wanted[k]) + 1;

		if (at < names->h.sh_size && n <= names->h.sh_size - at && !memcmp(names->bytes + at, wanted[k], n))
			return true;
	}
	return false;
}

/* ORC tables serve to print a backtrace. The kernel takes a module without them (arch/x86/kernel/module.c, module_finalize()). */
static bool is_unwinding(const struct strip *s, size_t i)
{
	static const char *const tables[] = { ".orc_unwind", ".orc_unwind_ip", ".orc_header" };

	return is_named(s, i, tables, ARRAY_SIZE(tables));
}

/* Not loaded as other sections are, but taken by the kernel (kernel/module/main.c, find_module_sections()). */
static bool is_types(const struct strip *s, size_t i)
{
	static const char *const types[] = { ".BTF", ".BTF.base" };

	return is_named(s, i, types, ARRAY_SIZE(types));
}

static bool is_loaded(const struct strip *s, size_t i)
{
	return (s->sec[i].h.sh_flags & SHF_ALLOC) && !is_unwinding(s, i);
}

/* What is loaded, and what loading needs. Numbers keep their order. */
static int number_sections(struct strip *s)
{
	for (size_t i = 1; i < s->n_sec; i++) {
		const Elf64_Shdr *h = &s->sec[i].h;
		bool keep = is_loaded(s, i) || (s->keep_types && is_types(s, i)) || i == s->symtab || i == s->sec[s->symtab].h.sh_link || i == s->head.e_shstrndx;

		if (h->sh_type == SHT_RELA) {
			if (h->sh_info == 0 || h->sh_info >= s->n_sec || h->sh_entsize != sizeof(Elf64_Rela) || h->sh_size % sizeof(Elf64_Rela) ||
			    h->sh_link != s->symtab)
				return err_set(s->e, EINVAL, "%s: section %zu relocates section %u by entries of %llu bytes and the symbols of section %u",
					       s->name, i, h->sh_info, (unsigned long long)h->sh_entsize, h->sh_link);
			keep = is_loaded(s, h->sh_info); /* what is not loaded is cut, relocations with it */
		}
		if (keep)
			s->sec[i].to = (uint32_t)++s->n_kept;
	}
	return 0;
}

static int read_sections(struct strip *s)
{
	struct reader table = at(s, s->head.e_shoff, (uint64_t)s->head.e_shnum * sizeof(Elf64_Shdr));
	int r = 0;

	s->n_sec = s->head.e_shnum;
	s->sec = calloc(s->n_sec, sizeof(*s->sec));
	if (!s->sec)
		return err_set(s->e, ENOMEM, "no memory for the sections of %s", s->name);
	for (size_t i = 0; !r && i < s->n_sec; i++) {
		r = read_section(s, i, &table);
		if (!r && s->sec[i].h.sh_type == SHT_SYMTAB) {
			if (s->symtab)
				return err_set(s->e, EINVAL, "%s: sections %zu and %zu are both symbol tables", s->name, s->symtab, i);
			s->symtab = i;
		}
	}
	if (!r && (!s->symtab || s->sec[s->symtab].h.sh_link == s->head.e_shstrndx || s->sec[s->symtab].h.sh_link == 0))
		return err_set(s->e, EINVAL, "%s: no symbol table, or without names of its own", s->name);
	return r ? r : number_sections(s);
}

static int read_symbol(struct strip *s, size_t i, struct reader *table, const struct section *names)
{
	struct symbol *y = &s->sym[i];

	y->s.st_name = reader_u32le(table);
	y->s.st_info = reader_u8(table);
	y->s.st_other = reader_u8(table);
	y->s.st_shndx = reader_u16le(table);
	y->s.st_value = reader_u64le(table);
	y->s.st_size = reader_u64le(table);
	if (y->s.st_name >= names->h.sh_size || !memchr(names->bytes + y->s.st_name, 0, names->h.sh_size - y->s.st_name))
		return err_set(s->e, EINVAL, "%s: the name of symbol %zu lies outside its table", s->name, i);
	y->name = (const char *)names->bytes + y->s.st_name;
	if (y->s.st_shndx >= s->n_sec && (y->s.st_shndx < SHN_LORESERVE || y->s.st_shndx == SHN_XINDEX))
		return err_set(s->e, EINVAL, "%s: symbol %zu is in section %u of %zu", s->name, i, y->s.st_shndx, s->n_sec);
	if ((ELF64_ST_BIND(y->s.st_info) == STB_LOCAL) != (i < s->n_local))
		return err_set(s->e, EINVAL, "%s: symbol %zu stands among the wrong ones, %zu are local (gABI, Symbol Table)", s->name, i, s->n_local);
	return 0;
}

static int read_symbols(struct strip *s)
{
	const Elf64_Shdr *h = &s->sec[s->symtab].h;
	const struct section *names = &s->sec[h->sh_link];
	struct reader table = at(s, h->sh_offset, h->sh_size);
	int r = 0;

	s->n_sym = (size_t)(h->sh_size / sizeof(Elf64_Sym));
	s->n_local = h->sh_info;
	if (h->sh_entsize != sizeof(Elf64_Sym) || h->sh_size % sizeof(Elf64_Sym) || !s->n_sym || s->n_sym > MODULE_STRIP_MAX_SYMBOLS || !names->bytes ||
	    names->h.sh_type != SHT_STRTAB)
		return err_set(s->e, EINVAL, "%s: symbol table of %llu bytes, %llu each, names in section %u", s->name, (unsigned long long)h->sh_size,
			       (unsigned long long)h->sh_entsize, h->sh_link);
	s->sym = calloc(s->n_sym, sizeof(*s->sym));
	if (!s->sym)
		return err_set(s->e, ENOMEM, "no memory for the symbols of %s", s->name);
	for (size_t i = 0; !r && i < s->n_sym; i++)
		r = read_symbol(s, i, &table, names);
	return r;
}

/* Which symbols do relocations of kept sections name? */
static int mark_used(struct strip *s)
{
	for (size_t i = 1; i < s->n_sec; i++) {
		const Elf64_Shdr *h = &s->sec[i].h;
		struct reader r = at(s, h->sh_offset, h->sh_size);

		if (h->sh_type != SHT_RELA || !s->sec[i].to)
			continue;
		for (size_t k = 0; k < h->sh_size / sizeof(Elf64_Rela); k++) {
			uint64_t info;

			(void)reader_u64le(&r); /* offset */
			info = reader_u64le(&r);
			(void)reader_u64le(&r); /* addend */
			if (ELF64_R_SYM(info) >= s->n_sym)
				return err_set(s->e, EINVAL, "%s: relocation %zu of section %zu names symbol %llu of %zu", s->name, k, i,
					       (unsigned long long)ELF64_R_SYM(info), s->n_sym);
			s->sym[ELF64_R_SYM(info)].used = true;
		}
	}
	return 0;
}

static void put_symbol(struct strip *s, const struct symbol *y)
{
	uint16_t in = y->s.st_shndx;

	buf_u32le(&s->symbols, *y->name ? (uint32_t)s->strings.len : 0);
	buf_u8(&s->symbols, y->s.st_info);
	buf_u8(&s->symbols, y->s.st_other);
	buf_u16le(&s->symbols, in < s->n_sec ? (uint16_t)s->sec[in].to : in);
	buf_u64le(&s->symbols, y->s.st_value);
	buf_u64le(&s->symbols, y->s.st_size);
	if (*y->name)
		buf_put(&s->strings, y->name, strlen(y->name) + 1);
}

/* All but the local ones that nothing names, in their order. */
static int keep_symbols(struct strip *s)
{
	size_t local = 0;

	buf_u8(&s->strings, 0);
	for (size_t i = 0; i < s->n_sym; i++) {
		struct symbol *y = &s->sym[i];
		bool in_cut = y->s.st_shndx && y->s.st_shndx < s->n_sec && !s->sec[y->s.st_shndx].to;

		if (i && !y->used && (i < s->n_local || in_cut))
			continue;
		if (in_cut)
			return err_set(s->e, EINVAL, "%s: a relocation names symbol %zu of section %u, which is not loaded", s->name, i, y->s.st_shndx);
		local += i < s->n_local;
		y->to = (uint32_t)s->n_sym_kept++;
		put_symbol(s, y);
		if (s->strings.len > s->len) /* names of one another's end, over and over */
			return err_set(s->e, EINVAL, "%s: the names of %zu symbols take more bytes than the file's %zu", s->name, i + 1, s->len);
	}
	s->n_local = local;
	return s->symbols.bad || s->strings.bad ? err_set(s->e, ENOMEM, "no memory for the symbols of %s", s->name) : 0;
}

static void put_relocations(const struct strip *s, const Elf64_Shdr *h, struct buf *ret)
{
	struct reader r = at(s, h->sh_offset, h->sh_size);

	while (r.left) {
		uint64_t offset = reader_u64le(&r), info = reader_u64le(&r), addend = reader_u64le(&r);

		buf_u64le(ret, offset);
		buf_u64le(ret, ELF64_R_INFO((uint64_t)s->sym[ELF64_R_SYM(info)].to, ELF64_R_TYPE(info)));
		buf_u64le(ret, addend);
	}
}

/* The bytes of section @i; its header gets its new place and size. */
static void put_section(struct strip *s, size_t i, struct buf *ret)
{
	Elf64_Shdr *h = &s->sec[i].h;
	size_t begin;

	if (h->sh_addralign > 1)
		buf_pad(ret, (size_t)h->sh_addralign);
	begin = ret->len;
	if (i == s->symtab)
		buf_put(ret, s->symbols.data, s->symbols.len);
	else if (i == s->sec[s->symtab].h.sh_link)
		buf_put(ret, s->strings.data, s->strings.len);
	else if (h->sh_type == SHT_RELA)
		put_relocations(s, h, ret);
	else if (h->sh_type != SHT_NOBITS)
		buf_put(ret, s->sec[i].bytes, (size_t)h->sh_size);
	h->sh_offset = begin;
	if (h->sh_type != SHT_NOBITS)
		h->sh_size = ret->len - begin;
}

static void put_shdr(const struct strip *s, size_t i, struct buf *ret)
{
	const Elf64_Shdr *h = &s->sec[i].h;
	uint32_t info = h->sh_info;

	if (i == s->symtab)
		info = (uint32_t)s->n_local;
	else if (h->sh_type == SHT_RELA)
		info = s->sec[info].to;
	buf_u32le(ret, h->sh_name);
	buf_u32le(ret, h->sh_type);
	buf_u64le(ret, h->sh_flags);
	buf_u64le(ret, h->sh_addr);
	buf_u64le(ret, h->sh_offset);
	buf_u64le(ret, h->sh_size);
	buf_u32le(ret, s->sec[h->sh_link].to);
	buf_u32le(ret, info);
	buf_u64le(ret, h->sh_addralign);
	buf_u64le(ret, h->sh_entsize);
}

static void put_head(const struct strip *s, uint64_t shoff, struct buf *ret)
{
	const Elf64_Ehdr *h = &s->head;

	buf_put(ret, h->e_ident, EI_NIDENT);
	buf_u16le(ret, h->e_type);
	buf_u16le(ret, h->e_machine);
	buf_u32le(ret, h->e_version);
	buf_zero(ret, 16); /* no entry point, no program headers */
	buf_u64le(ret, shoff);
	buf_u32le(ret, h->e_flags);
	buf_u16le(ret, sizeof(Elf64_Ehdr));
	buf_zero(ret, 4);
	buf_u16le(ret, sizeof(Elf64_Shdr));
	buf_u16le(ret, (uint16_t)(s->n_kept + 1));
	buf_u16le(ret, (uint16_t)s->sec[s->head.e_shstrndx].to);
}

static int write_all(struct strip *s, struct buf *ret)
{
	cleanup_buf struct buf body = BUF_INIT;

	buf_zero(&body, sizeof(Elf64_Ehdr)); /* for the alignment; the header is known last */
	for (size_t i = 1; i < s->n_sec; i++)
		if (s->sec[i].to)
			put_section(s, i, &body);
	buf_pad(&body, 8);
	put_head(s, body.len, ret);
	buf_put(ret, body.data + sizeof(Elf64_Ehdr), body.bad ? 0 : body.len - sizeof(Elf64_Ehdr));
	for (size_t i = 0; i < s->n_sec; i++)
		if (!i || s->sec[i].to)
			put_shdr(s, i, ret);
	return body.bad || ret->bad ? err_set(s->e, ENOMEM, "no memory for module %s", s->name) : 0;
}

int module_strip(const void *data, size_t len, const char *name, bool keep_types, struct buf *ret, struct err *e)
{
	cleanup_strip struct strip s = { .data = data, .name = name, .keep_types = keep_types, .e = e };
	size_t signature = 0;
	int r = module_signature_bytes(data, len, name, &signature, e);

	s.len = len - signature;
	r = r ? r : read_head(&s);
	r = r ? r : read_sections(&s);
	r = r ? r : read_symbols(&s);
	r = r ? r : mark_used(&s);
	r = r ? r : keep_symbols(&s);
	return r ? r : write_all(&s, ret);
}
