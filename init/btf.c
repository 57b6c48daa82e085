/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/btf.c - the kernel's own description of its types: ids by name, offsets of members */
#include "init/btf.h"

#include "common/reader.h"

#include <stdbool.h>
#include <string.h>

#define MAGIC        0xeb9f
#define VERSION      1
#define HEADER_BYTES 24
#define TYPE_BYTES   12
#define MEMBER_BYTES 12
#define UNION        5
#define KINDS        20
#define MAX_MEMBERS  65536

/* What follows a type: @fixed bytes, and @each for every one of its vlen. Kind 0 is none of a file's types. */
static const struct extent {
	uint8_t fixed, each;
} extents[KINDS] = {
	[1] = { 4, 0 },             /* INT */
	[3] = { 12, 0 },            /* ARRAY */
	[4] = { 0, MEMBER_BYTES },  /* STRUCT */
	[UNION] = { 0, MEMBER_BYTES },
	[6] = { 0, 8 },             /* ENUM */
	[13] = { 0, 8 },            /* FUNC_PROTO */
	[14] = { 4, 0 },            /* VAR */
	[15] = { 0, 12 },           /* DATASEC */
	[17] = { 4, 0 },            /* DECL_TAG */
	[19] = { 0, 12 },           /* ENUM64 */
};

/* struct type - one record; @more: a reader over what follows it */
struct type {
	uint32_t name, kind, vlen;
	bool bits; /* kind_flag: members say in their upper eight bits how many bits they have */
	struct reader more;
};

static bool take_type(struct reader *r, struct type *ret)
{
	uint32_t info;

	ret->name = reader_u32le(r);
	info = reader_u32le(r);
	(void)reader_u32le(r); /* size, or another type */
	ret->vlen = info & 0xffff;
	ret->kind = info >> 24 & 0x1f;
	ret->bits = info >> 31;
	if (r->bad || !ret->kind || ret->kind >= KINDS)
		return false;
	ret->more = reader_sub(r, extents[ret->kind].fixed + (size_t)extents[ret->kind].each * ret->vlen);
	return !r->bad;
}

static size_t strings_end(const struct pid1_btf *b)
{
	return (b->base ? b->base->strings_len : 0) + b->strings_len;
}

/* The string at @off, which was checked to be inside. */
static const char *string(const struct pid1_btf *b, uint32_t off)
{
	if (b->base && off < b->base->strings_len)
		return b->base->strings + off;
	return b->strings + (off - (b->base ? b->base->strings_len : 0));
}

/* Type @id, of @b or of its base. */
static bool get_type(const struct pid1_btf *b, uint32_t id, struct type *ret)
{
	struct reader r;

	if (b->base && id < b->first)
		b = b->base;
	if (id < b->first || id - b->first >= b->n)
		return false;
	r = reader_init(b->types + b->at[id - b->first], b->types_len - b->at[id - b->first]);
	return take_type(&r, ret);
}

/* The two sections that the header names, checked to lie behind it and inside. */
static int find_sections(struct pid1_btf *b, const uint8_t *bytes, size_t len, struct err *e)
{
	struct reader r = reader_init(bytes, len);
	uint32_t magic = reader_u16le(&r), version = reader_u8(&r), header, type_off, type_len, str_off, str_len;
	size_t rest;

	(void)reader_u8(&r); /* flags: none is defined */
	header = reader_u32le(&r);
	type_off = reader_u32le(&r);
	type_len = reader_u32le(&r);
	str_off = reader_u32le(&r);
	str_len = reader_u32le(&r);
	if (r.bad || magic != MAGIC || version != VERSION || header < HEADER_BYTES || header > len)
		return err_set(e, EBADMSG, "%s: no BTF of version %d (%zu bytes, magic %04x)", b->name, VERSION, len,
			       (unsigned)magic);
	rest = len - header;
	if (type_off > rest || type_len > rest - type_off || str_off > rest || str_len > rest - str_off)
		return err_set(e, EBADMSG, "%s: its types or strings lie outside its %zu bytes", b->name, len);
	b->types = bytes + header + type_off;
	b->types_len = type_len;
	b->strings = (const char *)bytes + header + str_off;
	b->strings_len = str_len;
	if (b->base ? str_len && b->strings[str_len - 1] : !str_len || b->strings[0] || b->strings[str_len - 1])
		return err_set(e, EBADMSG, "%s: its strings are not ended by NUL, or the first is not empty", b->name);
	return 0;
}

int pid1_btf_parse(struct pid1_btf *b, const void *bytes, size_t len, struct err *e)
{
	struct reader r;
	int rc = find_sections(b, bytes, len, e);

	if (rc)
		return rc;
	b->first = b->base ? b->base->first + b->base->n : 1;
	b->n = 0;
	r = reader_init(b->types, b->types_len);
	while (r.left) {
		size_t off = reader_offset(&r);
		struct type t;

		if (b->n == b->room)
			return err_set(e, E2BIG, "%s: more than %zu types", b->name, b->room);
		if (!take_type(&r, &t) || t.name >= strings_end(b))
			return err_set(e, EBADMSG, "%s: the type at offset %zu is malformed", b->name, off);
		b->at[b->n++] = (uint32_t)off;
	}
	return 0;
}

uint32_t pid1_btf_find(const struct pid1_btf *b, const char *name, enum pid1_btf_kind kind)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const uint8_t *p = b->types + b->at[i]; /* 12 bytes at least; byte 7 has the kind */
		struct reader r = reader_init(p, 4);

		if ((p[7] & 0x1f) == kind && !strcmp(string(b, reader_u32le(&r)), name))
			return b->first + i;
	}
	return 0;
}

/* struct search - for ; : how many members may still be looked at, for types can name each other */
struct search {
	const char *member;
	unsigned left;
};

/* Offset in bits, counted from @from, or -1 (not there), -2 (a bit field). */
static int64_t find_member(const struct pid1_btf *b, uint32_t id, struct search *s, int64_t from, unsigned depth)
{
	struct type t;

	if (depth == PID1_BTF_MAX_DEPTH || !get_type(b, id, &t) || (t.kind != PID1_BTF_STRUCT && t.kind != UNION))
		return -1;
	for (uint32_t i = 0; i < t.vlen && s->left; i++, s->left--) {
		uint32_t name = reader_u32le(&t.more), type = reader_u32le(&t.more), at = reader_u32le(&t.more);
		uint32_t bits = t.bits ? at >> 24 : 0;
		int64_t found = from + (t.bits ? at & 0xffffff : at);

		if (name >= strings_end(b))
			return -1;
		if (*string(b, name)) {
			if (!strcmp(string(b, name), s->member))
				return bits || found % 8 ? -2 : found;
			continue;
		}
		found = find_member(b, type, s, found, depth + 1);
		if (found != -1)
			return found;
	}
	return -1;
}

int pid1_btf_offset(const struct pid1_btf *b, const char *type, const char *member, uint32_t *ret, struct err *e)
{
	uint32_t id = pid1_btf_find(b, type, PID1_BTF_STRUCT);
	struct search s = { .member = member, .left = MAX_MEMBERS };
	int64_t bits = id ? find_member(b, id, &s, 0, 0) : -1;

	if (bits == -2)
		return err_set(e, EBADMSG, "the kernel's struct %s: %s is a bit field", type, member);
	if (bits < 0 || bits / 8 > INT16_MAX)
		return err_set(e, ENOENT, "the kernel's struct %s has no %s near its start", type, member);
	*ret = (uint32_t)(bits / 8);
	return 0;
}
