/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/image-builder/test_module_strip.c - what is loaded of a module stays as it was; what is not goes; the signature is the owner's
 *
 * good-module.elf: as -o good-module.elf good-module.s (binutils 2.40, x86_64).
 */
#include "tests/image-builder/make.h"

#include "image-builder/module_strip.h"

#include <elf.h>

#define GOOD "tests/data/module/good-module.elf"

/* struct view - a sound object file of ours, looked at without care */
struct view {
	const uint8_t *data;
	const Elf64_Ehdr *h;
	const Elf64_Shdr *s;
	const Elf64_Sym *sym;
	const char *names, *strings;
	size_t n_sym, n_local;
};

static struct view view(const struct buf *b)
{
	struct view v = { .data = b->data, .h = (const Elf64_Ehdr *)b->data };

	v.s = (const Elf64_Shdr *)(b->data + v.h->e_shoff);
	v.names = (const char *)b->data + v.s[v.h->e_shstrndx].sh_offset;
	for (size_t i = 0; i < v.h->e_shnum; i++)
		if (v.s[i].sh_type == SHT_SYMTAB) {
			v.sym = (const Elf64_Sym *)(b->data + v.s[i].sh_offset);
			v.n_sym = v.s[i].sh_size / sizeof(Elf64_Sym);
			v.n_local = v.s[i].sh_info;
			v.strings = (const char *)b->data + v.s[v.s[i].sh_link].sh_offset;
		}
	return v;
}

static const Elf64_Shdr *section(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->h->e_shnum; i++)
		if (!strcmp(v->names + v->s[i].sh_name, name))
			return &v->s[i];
	return NULL;
}

/* Tables for backtraces alone. */
static bool is_orc(const struct view *v, const Elf64_Shdr *s)
{
	return !strncmp(v->names + s->sh_name, ".orc_", 5);
}

static const Elf64_Sym *symbol(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->n_sym; i++)
		if (!strcmp(v->strings + v->sym[i].st_name, name))
			return &v->sym[i];
	return NULL;
}

/* What a relocation means: name, value and section (by name) of its symbol. */
static void assert_same_symbol(const struct view *a, const Elf64_Sym *x, const struct view *b, const Elf64_Sym *y)
{
	assert_string_equal(a->strings + x->st_name, b->strings + y->st_name);
	assert_string_equal(a->names + a->s[x->st_shndx].sh_name, b->names + b->s[y->st_shndx].sh_name);
	assert_int_equal(x->st_value, y->st_value);
	assert_int_equal(x->st_size, y->st_size);
	assert_int_equal(x->st_info, y->st_info);
}

static void assert_same_relocations(const struct view *a, const Elf64_Shdr *x, const struct view *b, const Elf64_Shdr *y)
{
	const Elf64_Rela *p = (const Elf64_Rela *)(a->data + x->sh_offset), *q = (const Elf64_Rela *)(b->data + y->sh_offset);

	assert_string_equal(a->names + a->s[x->sh_info].sh_name, b->names + b->s[y->sh_info].sh_name);
	assert_int_equal(b->s[y->sh_link].sh_type, SHT_SYMTAB);
	for (size_t i = 0; i < x->sh_size / sizeof(*p); i++) {
		assert_int_equal(p[i].r_offset, q[i].r_offset);
		assert_int_equal(p[i].r_addend, q[i].r_addend);
		assert_int_equal(ELF64_R_TYPE(p[i].r_info), ELF64_R_TYPE(q[i].r_info));
		assert_same_symbol(a, &a->sym[ELF64_R_SYM(p[i].r_info)], b, &b->sym[ELF64_R_SYM(q[i].r_info)]);
	}
}

/* Every section that is loaded, its relocations too: the same bytes under the same name, at an address of its alignment. */
static void assert_loads_the_same(const struct buf *before, const struct buf *after)
{
	struct view a = view(before), b = view(after);

	for (size_t i = 1; i < a.h->e_shnum; i++) {
		const Elf64_Shdr *x = &a.s[i], *y = section(&b, a.names + x->sh_name);
		const Elf64_Shdr *of = x->sh_type == SHT_RELA ? &a.s[x->sh_info] : x;
		bool loaded = of->sh_flags & SHF_ALLOC && !is_orc(&a, of);

		if (!loaded) {
			assert_true(!y || x->sh_type == SHT_SYMTAB || x->sh_type == SHT_STRTAB);
			continue;
		}
		assert_non_null(y);
		assert_int_equal(x->sh_type, y->sh_type);
		assert_int_equal(x->sh_flags, y->sh_flags);
		assert_int_equal(x->sh_size, y->sh_size);
		assert_int_equal(x->sh_addralign, y->sh_addralign);
		assert_int_equal(y->sh_offset % (y->sh_addralign ? y->sh_addralign : 1), 0);
		if (x->sh_type == SHT_RELA)
			assert_same_relocations(&a, x, &b, y);
		else if (x->sh_type != SHT_NOBITS)
			assert_memory_equal(a.data + x->sh_offset, b.data + y->sh_offset, x->sh_size);
	}
	for (size_t i = a.n_local; i < a.n_sym; i++)
		assert_same_symbol(&a, &a.sym[i], &b, symbol(&b, a.strings + a.sym[i].st_name));
	for (size_t i = 0; i < b.n_sym; i++)
		assert_int_equal(ELF64_ST_BIND(b.sym[i].st_info) == STB_LOCAL, i < b.n_local);
}

static void what_is_loaded_stays_and_the_rest_goes(void **state)
{
	static const char *const gone[] = { ".BTF", ".debug_x", ".rela.debug_x", ".comment", ".note.GNU-stack", ".orc_unwind", ".orc_unwind_ip",
					  ".rela.orc_unwind_ip", ".orc_header" };
	static const char *const nameless[] = { "local_a", "local_unused", "table", "counter" };
	cleanup_buf struct buf in = load(GOOD), out = BUF_INIT, again = BUF_INIT;
	struct err e = ERR_INIT;
	struct view v;

	(void)state;
	assert_ok(module_strip(in.data, in.len, "good", false, &out, &e), &e);
	assert_true(out.len < in.len);
	assert_loads_the_same(&in, &out);
	v = view(&out);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		assert_null(section(&v, gone[i]));
	for (size_t i = 0; i < ARRAY_SIZE(nameless); i++)
		assert_null(symbol(&v, nameless[i]));
	assert_non_null(symbol(&v, "message")); /* local, but a relocation names it */
	assert_ok(module_strip(out.data, out.len, "again", false, &again, &e), &e);
	assert_int_equal(again.len, out.len);
	assert_memory_equal(again.data, out.data, out.len);
}

static void types_stay_where_they_are_asked_for(void **state)
{
	cleanup_buf struct buf in = load(GOOD), out = BUF_INIT, again = BUF_INIT;
	struct err e = ERR_INIT;
	struct view a = view(&in), b;
	const Elf64_Shdr *x = section(&a, ".BTF"), *y;

	(void)state;
	assert_ok(module_strip(in.data, in.len, "good", true, &out, &e), &e);
	b = view(&out);
	y = section(&b, ".BTF");
	assert_non_null(x);
	assert_non_null(y);
	assert_int_equal(x->sh_size, y->sh_size);
	assert_memory_equal(a.data + x->sh_offset, b.data + y->sh_offset, x->sh_size);
	assert_null(section(&b, ".debug_x"));
	assert_ok(module_strip(out.data, out.len, "again", true, &again, &e), &e);
	assert_int_equal(again.len, out.len);
	assert_memory_equal(again.data, out.data, out.len);
}

static void a_signature_is_taken_off_and_the_owners_put_on(void **state)
{
	cleanup_buf struct buf in = load(GOOD), bare = BUF_INIT, out = BUF_INIT, again = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n = 1, tail = 12 + 28;
	cleanup_pkey EVP_PKEY *key = NULL;
	cleanup_x509 X509 *cert = NULL;

	(void)state;
	make_key("db", 0, &key, &cert);
	assert_ok(module_signature_bytes(in.data, in.len, "good", &n, &e), &e);
	assert_int_equal(n, 0);
	assert_ok(module_strip(in.data, in.len, "good", false, &bare, &e), &e);
	buf_put(&out, bare.data, bare.len);
	assert_ok(module_sign(&(struct pki_signer){ .key = key, .cert = cert }, &out, &e), &e);
	assert_ok(module_signature_bytes(out.data, out.len, "signed", &n, &e), &e);
	assert_int_equal(out.len, bare.len + n);
	assert_ok(pki_verify_detached(cert, out.data, bare.len, out.data + bare.len, n - tail, &e), &e);
	out.data[100] ^= 1;
	assert_int_equal(pki_verify_detached(cert, out.data, bare.len, out.data + bare.len, n - tail, &e), -EBADMSG);
	out.data[100] ^= 1;
	assert_ok(module_strip(out.data, out.len, "signed", false, &again, &e), &e);
	assert_int_equal(again.len, bare.len);
	assert_memory_equal(again.data, bare.data, bare.len);
	out.data[out.len - 28 - 10] = 1; /* id type */
	assert_refused(module_strip(out.data, out.len, "bad", false, &again, &e), &e, EINVAL, "wanted type 2");
	out.data[out.len - 28 - 10] = 2;
	out.data[out.len - 28 - 4] = 1; /* more bytes than there are */
	assert_refused(module_strip(out.data, out.len, "bad", false, &again, &e), &e, EINVAL, "struct module_signature");
}

/* tests/data/module/make says what each has wrong. */
static void malformed_modules_are_refused_with_the_rule(void **state)
{
	static const struct {
		const char *name, *part;
	} bad[] = {
		{ "magic", "no ELF header" },
		{ "class32", "a module is 64-bit" },
		{ "big-endian", "little-endian" },
		{ "shared-object", "relocatable" },
		{ "program-headers", "1 program headers" },
		{ "section-header-size", "section headers of 65 bytes" },
		{ "one-section", "1 section headers" },
		{ "section-names-outside", "names in 24" },
		{ "section-headers-outside", "section header 0 lies outside the file" },
		{ "section-outside", "section 1 has 27 bytes at offset" },
		{ "alignment-not-a-power", "alignment 3" },
		{ "link-outside", "refers to section 24 of 24" },
		{ "group", "which modules do not have" },
		{ "first-section", "section 0 is of type 4" },
		{ "section-of-no-type", "section 1 is of type 0" },
		{ "two-symbol-tables", "both symbol tables" },
		{ "no-symbol-table", "no symbol table" },
		{ "relocates-outside", "relocates section 24" },
		{ "relocates-nothing", "relocates section 0" },
		{ "relocations-of-other-symbols", "the symbols of section 3" },
		{ "relocations-cut", "relocates section 1 by entries" },
		{ "symbols-cut", "symbol table of 337 bytes" },
		{ "local-count", "stands among the wrong ones" },
		{ "symbol-in-no-section", "symbol 1 is in section 24 of 24" },
		{ "symbol-name-outside", "the name of symbol 3 lies outside" },
		{ "relocation-of-no-symbol", "names symbol 14 of 14" },
		{ "relocation-of-cut-symbol", "of section 10, which is not loaded" },
	};
	cleanup_buf struct buf in = load(GOOD);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_buf struct buf one = BUF_INIT, out = BUF_INIT;
		struct err e = ERR_INIT;
		char path[128];

		(void)snprintf(path, sizeof(path), "tests/data/module/bad-%s.elf", bad[i].name);
		one = load(path);
		assert_refused(module_strip(one.data, one.len, bad[i].name, false, &out, &e), &e, EINVAL, bad[i].part);
	}
	for (size_t n = 0; n < in.len; n++) {
		cleanup_buf struct buf out = BUF_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(module_strip(in.data, n, "cut", false, &out, &e), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_loaded_stays_and_the_rest_goes),
		cmocka_unit_test(types_stay_where_they_are_asked_for),
		cmocka_unit_test(a_signature_is_taken_off_and_the_owners_put_on),
		cmocka_unit_test(malformed_modules_are_refused_with_the_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
