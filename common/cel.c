/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/cel.c - the OS event log: TCG Canonical Event Log records, TLV encoding */
#include "common/cel.h"

#include <string.h>

enum {
	CEL_RECNUM = 0,
	CEL_PCR = 1,
	CEL_DIGESTS = 3,
	CEL_HOLDFAST = 240,
	CEL_HOLDFAST_NAME = 0,
	CEL_HOLDFAST_DATA = 1,
	CEL_HEADER_BYTES = 5,
};

static uint8_t *put_be(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	return p + n;
}

static uint8_t *put_header(uint8_t *p, unsigned type, size_t len)
{
	*p = (uint8_t)type;
	return put_be(p + 1, len, 4);
}

static uint8_t *put_tlv(uint8_t *p, unsigned type, const void *value, size_t len)
{
	p = put_header(p, type, len);
	if (len)
		memcpy(p, value, len);
	return p + len;
}

size_t cel_encode(const struct cel_record *rec, uint8_t ret[static CEL_MAX_RECORD_BYTES])
{
	size_t digests = 0, content = 2 * CEL_HEADER_BYTES + rec->name_bytes + rec->data_bytes;
	uint8_t *p = ret;

	if (rec->name_bytes > CEL_MAX_NAME_BYTES || rec->data_bytes > CEL_MAX_DATA_BYTES || rec->n_digests > CEL_MAX_BANKS)
		return 0;
	for (size_t i = 0; i < rec->n_digests; i++)
		digests += CEL_HEADER_BYTES + hash_bytes(rec->digest[i].alg);
	p = put_header(p, CEL_RECNUM, 8);
	p = put_be(p, rec->recnum, 8);
	p = put_header(p, CEL_PCR, 4);
	p = put_be(p, rec->pcr, 4);
	p = put_header(p, CEL_DIGESTS, digests);
	for (size_t i = 0; i < rec->n_digests; i++)
		p = put_tlv(p, rec->digest[i].alg, rec->digest[i].digest, hash_bytes(rec->digest[i].alg));
	p = put_header(p, CEL_HOLDFAST, content);
	p = put_tlv(p, CEL_HOLDFAST_NAME, rec->name, rec->name_bytes);
	p = put_tlv(p, CEL_HOLDFAST_DATA, rec->data, rec->data_bytes);
	return (size_t)(p - ret);
}

/* The worst record fits its buffer: 5+8 + 5+4 + 5+5*(5+64) + 5+5+64+5+512. */
_Static_assert(13 + 9 + 5 + CEL_MAX_BANKS * (5 + HASH_MAX_BYTES) + 15 + CEL_MAX_NAME_BYTES + CEL_MAX_DATA_BYTES <=
		       CEL_MAX_RECORD_BYTES,
	       "a record must fit its buffer");

/* A TLV that must have @type. Its value as a reader of its own; bad if the type is another or bytes are missing. */
static struct reader take_tlv(struct reader *r, unsigned type)
{
	uint8_t found = reader_u8(r);
	uint32_t len = reader_u32be(r);
	struct reader v = reader_sub(r, len);

	if (found != type)
		v.bad = r->bad = true;
	return v;
}

static int parse_digests(struct reader r, struct cel_record *rec, struct err *e)
{
	while (r.left && !r.bad) {
		size_t at = reader_offset(&r);
		enum hash_alg alg = reader_u8(&r);
		uint32_t len = reader_u32be(&r);
		struct cel_digest *d = &rec->digest[rec->n_digests];

		if (!hash_bytes(alg) || len != hash_bytes(alg))
			return err_set(e, EINVAL, "OS event log: offset %zu: digest of algorithm 0x%x with %u bytes (CEL 5.1)",
				       at, (unsigned)alg, (unsigned)len);
		if (rec->n_digests == CEL_MAX_BANKS)
			return err_set(e, EINVAL, "OS event log: offset %zu: more than %d banks", at, CEL_MAX_BANKS);
		for (size_t i = 0; i < rec->n_digests; i++)
			if (rec->digest[i].alg == alg)
				return err_set(e, EINVAL, "OS event log: offset %zu: bank %s stands twice in a record", at,
					       hash_name(alg));
		d->alg = alg;
		reader_copy(&r, d->digest, len);
		rec->n_digests++;
	}
	if (r.bad || !rec->n_digests)
		return err_set(e, EINVAL, "OS event log: offset %zu: digests are cut short or missing", reader_offset(&r));
	return 0;
}

static int check_digests(const struct cel_record *rec, struct err *e)
{
	for (size_t i = 0; i < rec->n_digests; i++) {
		const struct cel_digest *d = &rec->digest[i];
		uint8_t h[HASH_MAX_BYTES];

		if (!hash_once(d->alg, rec->data, rec->data_bytes, h))
			continue; /* SM3: known by size only; the strong bank is what replay uses */
		if (!hash_equal(h, hash_bytes(d->alg), d->digest, hash_bytes(d->alg)))
			return err_set(e, EINVAL, "OS event log: record %llu: %s digest is not that of its data",
				       (unsigned long long)rec->recnum, hash_name(d->alg));
	}
	return 0;
}

int cel_next(struct reader *r, uint64_t expect, struct cel_record *ret, struct err *e)
{
	struct cel_record rec = { 0 };
	struct reader num, pcr, digests, content, name, data;
	size_t at = reader_offset(r);
	int rc;

	if (reader_done(r))
		return 0;
	num = take_tlv(r, CEL_RECNUM);
	pcr = take_tlv(r, CEL_PCR);
	digests = take_tlv(r, CEL_DIGESTS);
	content = take_tlv(r, CEL_HOLDFAST);
	name = take_tlv(&content, CEL_HOLDFAST_NAME);
	data = take_tlv(&content, CEL_HOLDFAST_DATA);
	rec.recnum = reader_u64be(&num);
	rec.pcr = reader_u32be(&pcr);
	if (r->bad || !reader_done(&num) || !reader_done(&pcr) || !reader_done(&content))
		return err_set(e, EINVAL, "OS event log: record at offset %zu is malformed or cut short (CEL 5.1)", at);
	if (rec.recnum != expect)
		return err_set(e, EINVAL, "OS event log: record at offset %zu has number %llu, wanted %llu", at,
			       (unsigned long long)rec.recnum, (unsigned long long)expect);
	if (rec.pcr > CEL_MAX_PCR || name.left > CEL_MAX_NAME_BYTES || data.left > CEL_MAX_DATA_BYTES)
		return err_set(e, EINVAL, "OS event log: record %llu: PCR %u, %zu bytes of name, %zu of data: over a bound",
			       (unsigned long long)rec.recnum, (unsigned)rec.pcr, name.left, data.left);
	rec.name_bytes = name.left;
	rec.name = (const char *)reader_bytes(&name, name.left);
	rec.data_bytes = data.left;
	rec.data = reader_bytes(&data, data.left);
	rc = parse_digests(digests, &rec, e);
	if (!rc)
		rc = check_digests(&rec, e);
	if (rc)
		return rc;
	*ret = rec;
	return 1;
}
