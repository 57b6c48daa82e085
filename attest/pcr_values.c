/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/pcr_values.c - PCR values from a file, in each form in which people have them */
#include "attest/pcr_values.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/reader.h"

#include <stdio.h>
#include <string.h>

enum {
	MAX_LINE_BYTES = 256,
	SELECTIONS = 16,       /* TPML_PCR_SELECTION in memory */
	SELECT_MAX = 4,        /* TPM2_PCR_SELECT_MAX of tpm2-tss */
	LIST_DIGESTS = 8,      /* TPML_DIGEST */
	SERIALIZED_LEAST = 4 + SELECTIONS * 8 + 4,
};

const struct pcr_value *pcr_values_find(const struct pcr_values *v, enum hash_alg alg, uint32_t pcr)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].alg == alg && v->v[i].pcr == pcr)
			return &v->v[i];
	return NULL;
}

/* A place for one more value, or an error. */
static int add(struct pcr_values *v, enum hash_alg alg, uint32_t pcr, struct pcr_value **ret, struct err *e)
{
	if (pcr >= REPLAY_PCRS || v->n == PCR_VALUES_MAX || pcr_values_find(v, alg, pcr))
		return err_set(e, EINVAL, "%s:%u %s", hash_name(alg), (unsigned)pcr,
			       pcr >= REPLAY_PCRS ? "is no PCR: wanted 0 to 23" : "stands there twice");
	*ret = &v->v[v->n++];
	**ret = (struct pcr_value){.alg = alg, .pcr = pcr};
	return 0;
}

/* --- text ----------------------------------------------------------------------------------------------------------
 */

static int add_hex(struct pcr_values *v, enum hash_alg alg, unsigned pcr, char *hex, struct err *e)
{
	struct pcr_value *value;
	int rc;

	for (char *c = hex; *c; c++) /* tpm2_pcrread prints upper case */
		*c = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
	rc = add(v, alg, pcr, &value, e);
	if (!rc && !hex_decode(hex, value->digest, hash_bytes(alg)))
		rc = err_set(e, EINVAL, "%s:%u has %zu digits, wanted %zu hex digits", hash_name(alg), pcr, strlen(hex),
			     2 * hash_bytes(alg));
	return rc;
}

/* @bank: of the last "ALG:" line. */
static int parse_line(struct pcr_values *v, char *line, enum hash_alg *bank, struct err *e)
{
	char hex[2 * HASH_MAX_BYTES + 2], name[16], more;
	int end = 0;
	unsigned pcr;

	if (line[strspn(line, " \t\r")] == '\0' || line[strspn(line, " \t")] == '#')
		return 0;
	if (sscanf(line, " %15[a-z0-9_]:%n", name, &end) == 1 && end && !line[end + (int)strspn(line + end, " \t\r")]) {
		*bank = hash_by_name(name);
		return *bank == HASH_NONE ? err_set(e, EINVAL, "no bank is called \"%s\"", name) : 0;
	}
	if (sscanf(line, " %2u : 0x%129[0-9A-Fa-f] %c", &pcr, hex, &more) == 2) {
		if (*bank == HASH_NONE)
			return err_set(e, EINVAL, "a value stands before the name of its bank");
		return add_hex(v, *bank, pcr, hex, e);
	}
	if (sscanf(line, " %15[a-z0-9_] %2u %129[0-9A-Fa-f] %c", name, &pcr, hex, &more) != 3)
		return err_set(e, EINVAL, "wanted \"ALG INDEX HEX\", or as tpm2_pcrread prints it");
	if (hash_by_name(name) == HASH_NONE)
		return err_set(e, EINVAL, "no bank is called \"%s\"", name);
	return add_hex(v, hash_by_name(name), pcr, hex, e);
}

static int parse_text(struct bytes b, struct pcr_values *v, struct err *e)
{
	enum hash_alg bank = HASH_NONE;
	size_t number = 1;

	for (size_t at = 0; at < b.n; number++) {
		const uint8_t *end = memchr(b.p + at, '\n', b.n - at);
		size_t n = end ? (size_t)(end - b.p) - at : b.n - at;
		char line[MAX_LINE_BYTES] = {0};
		int rc;

		if (n >= sizeof(line) || memchr(b.p + at, 0, n))
			return err_set(e, EINVAL, "line %zu has a NUL or more than %d bytes", number, MAX_LINE_BYTES - 1);
		memcpy(line, b.p + at, n);
		rc = parse_line(v, line, &bank, e);
		if (rc)
			return err_context(e, "line %zu", number);
		at += n + 1;
	}
	return 0;
}

/* --- serialized ----------------------------------------------------------------------------------------------------
 */

struct selection {
	uint16_t alg;
	uint8_t n;
	uint8_t mask[SELECT_MAX];
};

static int parse_selections(struct reader *r, struct selection sel[static SELECTIONS], size_t *ret_n, struct err *e)
{
	uint32_t n = reader_u32le(r);

	for (size_t i = 0; i < SELECTIONS; i++) {
		sel[i].alg = reader_u16le(r);
		sel[i].n = reader_u8(r);
		reader_copy(r, sel[i].mask, SELECT_MAX);
		(void)reader_u8(r); /* padding of the structure */
		if (i < n && (!hash_bytes(sel[i].alg) || sel[i].n > SELECT_MAX))
			return err_set(e, EINVAL, "its selection %zu is of bank 0x%x with %u bytes", i,
				       (unsigned)sel[i].alg, (unsigned)sel[i].n);
	}
	if (r->bad || !n || n > SELECTIONS)
		return err_set(e, EINVAL, "it has %u selections, wanted 1 to %d", (unsigned)n, SELECTIONS);
	*ret_n = n;
	return 0;
}

/* The next digest of the lists; a list holds up to eight, in places of a fixed size. */
struct lists {
	struct reader r;
	uint32_t left_lists;
	uint32_t left_here; /* used places of this list */
	uint32_t places;    /* all places of this list not yet read */
};

static struct bytes take_digest(struct lists *l)
{
	struct bytes b = {NULL, 0};

	if (!l->left_here) {
		(void)reader_bytes(&l->r, l->places * (2u + HASH_MAX_BYTES));
		l->left_here = l->left_lists ? reader_u32le(&l->r) : 0;
		l->places = LIST_DIGESTS;
		if (!l->left_lists || !l->left_here || l->left_here > LIST_DIGESTS) {
			l->r.bad = true;
			return b;
		}
		l->left_lists--;
	}
	b.n = reader_u16le(&l->r);
	b.p = reader_bytes(&l->r, HASH_MAX_BYTES);
	l->left_here--;
	l->places--;
	return b;
}

static int parse_serialized(struct bytes b, struct pcr_values *v, struct err *e)
{
	struct selection sel[SELECTIONS];
	struct lists l = {.r = reader_init(b.p, b.n)};
	size_t n = 0;
	int rc = parse_selections(&l.r, sel, &n, e);

	if (rc)
		return rc;
	l.left_lists = reader_u32le(&l.r);
	for (size_t i = 0; i < n; i++)
		for (uint32_t pcr = 0; pcr < 8u * sel[i].n; pcr++) {
			struct pcr_value *value;
			struct bytes d;

			if (!(sel[i].mask[pcr / 8] & 1 << pcr % 8))
				continue;
			d = take_digest(&l);
			if (l.r.bad || d.n != hash_bytes(sel[i].alg))
				return err_set(e, EINVAL, "its digest of %s:%u has %zu bytes, or is missing",
					       hash_name(sel[i].alg), (unsigned)pcr, d.n);
			rc = add(v, sel[i].alg, pcr, &value, e);
			if (rc)
				return rc;
			memcpy(value->digest, d.p, d.n);
		}
	(void)reader_bytes(&l.r, l.places * (2u + HASH_MAX_BYTES));
	if (l.left_here || l.left_lists || !reader_done(&l.r))
		return err_set(e, EINVAL, "it has more digests, or more bytes, than its selection names");
	return 0;
}

int pcr_values_parse(struct bytes b, const char *name, struct pcr_values *ret, struct err *e)
{
	bool serialized = b.n >= SERIALIZED_LEAST && memchr(b.p, 0, 4);
	int rc;

	ret->n = 0;
	rc = serialized ? parse_serialized(b, ret, e) : parse_text(b, ret, e);
	if (!rc && !ret->n)
		rc = err_set(e, EINVAL, "it names no PCR");
	return rc ? err_context(e, "%s", name) : 0;
}

int pcr_values_load(const char *path, struct pcr_values *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int rc = file_read(path, PCR_VALUES_MAX_FILE_BYTES, &b, e);

	return rc ? rc : pcr_values_parse((struct bytes){b.data, b.len}, path, ret, e);
}
