/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/fdt.c - one number out of a flattened device tree's /chosen */
#include "init/fdt.h"

#include "common/reader.h"

#include <string.h>

#define MAGIC       0xd00dfeedu
#define VERSION     17 /* the first whose header has the structure's size; later ones say whether they are compatible */
#define MAX_DEPTH   64
#define CHOSEN_NODE "chosen"

enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOTHING = 4, END = 9 };

/* struct walk - where we are in the structure, and what was found */
struct walk {
	struct reader r;
	const uint8_t *strings;
	size_t strings_bytes;
	unsigned depth; /* 1: in the root node, 2: in a child of it */
	bool in_chosen, found;
	uint32_t value;
};

static int malformed(const struct walk *w, const char *what, struct err *e)
{
	return err_set(e, EBADMSG, "device tree: offset %zu: %s (Devicetree Specification 5.4)", reader_offset(&w->r), what);
}

static int open_blocks(const void *fdt, size_t len, struct walk *w, struct err *e)
{
	struct reader r = reader_init(fdt, len);
	uint32_t magic = reader_u32be(&r), total = reader_u32be(&r);
	uint32_t structure = reader_u32be(&r), strings = reader_u32be(&r);
	uint32_t version, compatible, strings_bytes, structure_bytes;

	(void)reader_u32be(&r); /* memory reservations */
	version = reader_u32be(&r);
	compatible = reader_u32be(&r);
	(void)reader_u32be(&r); /* boot CPU */
	strings_bytes = reader_u32be(&r);
	structure_bytes = reader_u32be(&r);
	if (r.bad || magic != MAGIC)
		return err_set(e, EBADMSG, "device tree: %zu bytes, magic 0x%08x, wanted 0x%08x", len, magic, MAGIC);
	if (version < VERSION || compatible > VERSION)
		return err_set(e, EBADMSG, "device tree: version %u, compatible with %u, wanted %d", version, compatible, VERSION);
	if (total > len || structure > total || structure_bytes > total - structure || strings > total ||
	    strings_bytes > total - strings)
		return err_set(e, EBADMSG, "device tree: a block lies outside its %zu bytes (Devicetree Specification 5.2)", len);
	w->strings = (const uint8_t *)fdt + strings;
	w->strings_bytes = strings_bytes;
	w->r = reader_init(fdt, (size_t)structure + structure_bytes);
	(void)reader_bytes(&w->r, structure);
	return 0;
}

/* @n bytes and what fills their last word. NULL if there are fewer. */
static const uint8_t *take_padded(struct reader *r, size_t n)
{
	const uint8_t *p = reader_bytes(r, n);

	(void)reader_bytes(r, (4 - n % 4) % 4);
	return r->bad ? NULL : p;
}

static int begin_node(struct walk *w, struct err *e)
{
	const uint8_t *nul = w->r.left ? memchr(w->r.p, 0, w->r.left) : NULL, *name;

	if (!nul || w->depth == MAX_DEPTH)
		return malformed(w, "a node without end of its name, or too deep", e);
	name = take_padded(&w->r, (size_t)(nul - w->r.p) + 1);
	if (!name)
		return malformed(w, "a node's name is cut off", e);
	w->depth++;
	if (w->depth == 2)
		w->in_chosen = !strcmp((const char *)name, CHOSEN_NODE);
	return 0;
}

static int property(struct walk *w, const char *wanted, struct err *e)
{
	uint32_t n = reader_u32be(&w->r), name = reader_u32be(&w->r);
	const uint8_t *data = take_padded(&w->r, n);
	struct reader value = reader_init(data, data ? n : 0);
	size_t room = strlen(wanted) + 1;

	if (w->r.bad || !w->depth || name >= w->strings_bytes)
		return malformed(w, "a property is cut off, nameless or outside any node", e);
	if (w->depth != 2 || !w->in_chosen || w->strings_bytes - name < room || memcmp(w->strings + name, wanted, room) != 0)
		return 0;
	if (n != 4 || w->found)
		return malformed(w, "the property wanted has not four bytes, or stands twice", e);
	w->value = reader_u32be(&value);
	w->found = true;
	return 0;
}

static int end_node(struct walk *w, struct err *e)
{
	if (!w->depth)
		return malformed(w, "the end of a node that did not begin", e);
	w->depth--;
	return 0;
}

int pid1_fdt_chosen_u32(const void *fdt, size_t len, const char *name, uint32_t *ret, struct err *e)
{
	struct walk w = { 0 };
	uint32_t token = NOTHING;
	int r = open_blocks(fdt, len, &w, e);

	while (!r && token != END) {
		token = reader_u32be(&w.r);
		if (w.r.bad)
			r = malformed(&w, "the structure ends without its end", e);
		else if (token == BEGIN_NODE)
			r = begin_node(&w, e);
		else if (token == END_NODE)
			r = end_node(&w, e);
		else if (token == PROPERTY)
			r = property(&w, name, e);
		else if (token != NOTHING && token != END)
			r = malformed(&w, "a word that begins nothing", e);
	}
	if (!r && w.depth)
		r = malformed(&w, "a node does not end", e);
	if (!r && !w.found)
		r = err_set(e, ENOENT, "device tree: /" CHOSEN_NODE " has no property %s", name);
	if (!r)
		*ret = w.value;
	return r;
}
