/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cbor.c - the little CBOR that evidence and the agent's messages use */
#include "attest/cbor.h"

#include "attest/evidence.h"

#include <string.h>

/* The high three bits of a head; RFC 8949 section 3.1. */
enum cbor_major {
	MAJOR_UINT = 0,
	MAJOR_BYTES = 2,
	MAJOR_TEXT = 3,
	MAJOR_MAP = 5,
};

#define INFO_U8  24
#define INFO_U16 25
#define INFO_U32 26
#define INFO_U64 27

static void put_head(struct buf *b, enum cbor_major major, uint64_t v)
{
	uint8_t top = (uint8_t)(major << 5);

	if (v < INFO_U8) {
		buf_u8(b, (uint8_t)(top | v));
	} else if (v <= UINT8_MAX) {
		buf_u8(b, top | INFO_U8);
		buf_u8(b, (uint8_t)v);
	} else if (v <= UINT16_MAX) {
		buf_u8(b, top | INFO_U16);
		buf_u16be(b, (uint16_t)v);
	} else if (v <= UINT32_MAX) {
		buf_u8(b, top | INFO_U32);
		buf_u32be(b, (uint32_t)v);
	} else {
		buf_u8(b, top | INFO_U64);
		buf_u64be(b, v);
	}
}

void cbor_put_map(struct buf *b, size_t n)
{
	put_head(b, MAJOR_MAP, n);
}

void cbor_put_uint(struct buf *b, uint64_t v)
{
	put_head(b, MAJOR_UINT, v);
}

void cbor_put_text(struct buf *b, const char *s)
{
	put_head(b, MAJOR_TEXT, strlen(s));
	buf_str(b, s);
}

void cbor_put_bytes(struct buf *b, const void *data, size_t n)
{
	put_head(b, MAJOR_BYTES, n);
	buf_put(b, data, n);
}

static int refuse(struct reader *r, struct err *e, const char *what, size_t at, const char *why)
{
	r->bad = true;
	return err_set(e, EINVAL, "%s at byte %zu: %s", what, at, why);
}

/* One head of the wanted major type, shortest form, definite length. */
static int head(struct reader *r, const char *what, enum cbor_major major, uint64_t *ret, struct err *e)
{
	static const struct {
		uint64_t above;
		const char *name;
	} least[] = {{INFO_U8 - 1, "one"}, {UINT8_MAX, "two"}, {UINT16_MAX, "four"}, {UINT32_MAX, "eight"}};
	size_t at = reader_offset(r);
	uint8_t first = reader_u8(r);
	unsigned info = first & 31;
	uint64_t v = info;

	if (r->bad)
		return refuse(r, e, what, at, "the input ends here");
	if (first >> 5 != major)
		return refuse(r, e, what, at, "an item of another type stands here (RFC 8949 section 3.1)");
	if (info == 31)
		return refuse(r, e, what, at, "indefinite lengths are refused (RFC 8949 section 4.2.1)");
	if (info > INFO_U64)
		return refuse(r, e, what, at, "reserved additional information (RFC 8949 section 3)");
	if (info == INFO_U8)
		v = reader_u8(r);
	else if (info == INFO_U16)
		v = reader_u16be(r);
	else if (info == INFO_U32)
		v = reader_u32be(r);
	else if (info == INFO_U64)
		v = reader_u64be(r);
	if (r->bad)
		return refuse(r, e, what, at, "the input ends inside its head");
	if (info >= INFO_U8 && v <= least[info - INFO_U8].above)
		return refuse(r, e, what, at, "not in its shortest form (RFC 8949 section 4.2.1)");
	*ret = v;
	return 0;
}

int cbor_map_any(struct reader *r, size_t max, size_t *ret, struct err *e)
{
	size_t at = reader_offset(r);
	uint64_t n;
	int rc = head(r, "map", MAJOR_MAP, &n, e);

	if (rc < 0)
		return rc;
	if (n < 1 || n > max) {
		r->bad = true;
		return err_set(e, EINVAL, "map at byte %zu has %llu members, wanted 1 to %zu", at,
			       (unsigned long long)n, max);
	}
	*ret = (size_t)n;
	return 0;
}

int cbor_map(struct reader *r, size_t n, struct err *e)
{
	size_t at = reader_offset(r);
	uint64_t have;
	int rc = head(r, "map", MAJOR_MAP, &have, e);

	if (rc < 0)
		return rc;
	if (have != n) {
		r->bad = true;
		return err_set(e, EINVAL, "map at byte %zu has %llu members, wanted exactly %zu", at,
			       (unsigned long long)have, n);
	}
	return 0;
}

/* A byte string or text of at most @max bytes. */
static int string(struct reader *r, const char *what, enum cbor_major major, size_t max, struct bytes *ret,
		  struct err *e)
{
	size_t at = reader_offset(r);
	struct bytes v;
	uint64_t n;
	int rc = head(r, what, major, &n, e);

	if (rc < 0)
		return rc;
	if (n > max) {
		r->bad = true;
		return err_set(e, EINVAL, "%s at byte %zu has %llu bytes, at most %zu are accepted", what, at,
			       (unsigned long long)n, max);
	}
	v.n = (size_t)n;
	v.p = reader_bytes(r, v.n);
	if (r->bad)
		return refuse(r, e, what, at, "the input ends inside it");
	*ret = v;
	return 0;
}

int cbor_bytes(struct reader *r, const char *what, size_t max, struct bytes *ret, struct err *e)
{
	return string(r, what, MAJOR_BYTES, max, ret, e);
}

int cbor_text(struct reader *r, const char *what, size_t max, struct bytes *ret, struct err *e)
{
	size_t at = reader_offset(r);
	struct bytes v;
	int rc = string(r, what, MAJOR_TEXT, max, &v, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return refuse(r, e, what, at, "only printable ASCII is accepted");
	*ret = v;
	return 0;
}

int cbor_key(struct reader *r, const char *key, struct err *e)
{
	size_t at = reader_offset(r);
	struct bytes v;
	int rc = cbor_text(r, "key", SIZE_MAX, &v, e);

	if (rc < 0)
		return err_context(e, "wanted key \"%s\"", key);
	if (v.n != strlen(key) || memcmp(v.p, key, v.n) != 0) {
		r->bad = true;
		return err_set(e, EINVAL,
			       "key at byte %zu is not \"%s\": the order of keys is fixed and none may come twice", at,
			       key);
	}
	return 0;
}

int cbor_uint(struct reader *r, const char *what, uint64_t max, uint64_t *ret, struct err *e)
{
	size_t at = reader_offset(r);
	uint64_t v;
	int rc = head(r, what, MAJOR_UINT, &v, e);

	if (rc < 0)
		return rc;
	if (v > max) {
		r->bad = true;
		return err_set(e, EINVAL, "%s at byte %zu is %llu, at most %llu is accepted", what, at,
			       (unsigned long long)v, (unsigned long long)max);
	}
	*ret = v;
	return 0;
}

int cbor_end(struct reader *r, struct err *e)
{
	if (reader_done(r))
		return 0;
	r->bad = true;
	return err_set(e, EINVAL, "%zu bytes stand behind the end of the map at byte %zu", r->left, reader_offset(r));
}
