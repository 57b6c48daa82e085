/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/evidence.c - what a host sends so that a verifier can judge it */
#include "attest/evidence.h"

#include "attest/cbor.h"

#include <stddef.h>
#include <string.h>

#define EVIDENCE_VERSION 1

static const struct {
	const char *key;
	size_t offset;
	size_t least_bytes;
} members[] = {
	{"attest", offsetof(struct evidence, attest), 1},
	{"signature", offsetof(struct evidence, signature), 1},
	{"firmware-log", offsetof(struct evidence, firmware_log), 0}, /* for the reference values to allow, or not */
	{"os-log", offsetof(struct evidence, os_log), 1},
	{"ima-log", offsetof(struct evidence, ima_log), 0},
};

int evidence_encode(const struct evidence *ev, struct buf *out, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	cbor_put_map(&b, ARRAY_SIZE(members) + 1);
	cbor_put_text(&b, "v");
	cbor_put_uint(&b, EVIDENCE_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct bytes *v = (const void *)((const char *)ev + members[i].offset);

		if (v->n < members[i].least_bytes)
			return err_set(e, EINVAL, "evidence member \"%s\" is empty", members[i].key);
		cbor_put_text(&b, members[i].key);
		cbor_put_bytes(&b, v->p, v->n);
	}
	if (!b.bad && b.len > EVIDENCE_MAX_BYTES)
		return err_set(e, E2BIG,
			       "the evidence would be %zu bytes (firmware log %zu, OS log %zu, IMA log %zu), at most "
			       "%d are accepted",
			       b.len, ev->firmware_log.n, ev->os_log.n, ev->ima_log.n, EVIDENCE_MAX_BYTES);
	buf_put(out, b.data, b.len);
	if (b.bad || out->bad)
		return err_set(e, ENOMEM, "no memory for the evidence");
	return 0;
}

int evidence_parse(const void *data, size_t len, struct evidence *ret, struct err *e)
{
	struct reader r = reader_init(data, len);
	struct evidence ev = {0};
	uint64_t version = 0;
	int rc;

	if (len > EVIDENCE_MAX_BYTES)
		return err_set(e, EINVAL, "evidence has %zu bytes, at most %d are accepted", len, EVIDENCE_MAX_BYTES);
	if ((rc = cbor_map(&r, ARRAY_SIZE(members) + 1, e)) < 0 || (rc = cbor_key(&r, "v", e)) < 0 ||
	    (rc = cbor_uint(&r, "v", UINT32_MAX, &version, e)) < 0)
		return err_context(e, "evidence");
	if (version != EVIDENCE_VERSION)
		return err_set(e, EINVAL, "evidence is of version %u, wanted %d", (unsigned)version, EVIDENCE_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct bytes *v = (void *)((char *)&ev + members[i].offset);

		if ((rc = cbor_key(&r, members[i].key, e)) < 0 ||
		    (rc = cbor_bytes(&r, members[i].key, EVIDENCE_MAX_BYTES, v, e)) < 0)
			return err_context(e, "evidence");
		if (v->n < members[i].least_bytes)
			return err_set(e, EINVAL, "evidence: %s at byte %zu is empty", members[i].key,
				       reader_offset(&r));
	}
	rc = cbor_end(&r, e);
	if (rc < 0)
		return err_context(e, "evidence");
	*ret = ev;
	return 0;
}

void evidence_binding(const uint8_t nonce[static EVIDENCE_NONCE_BYTES], const struct evidence *ev,
		      uint8_t ret[static HASH_SHA256_BYTES])
{
	static const char label[] = "holdfast-evidence/1"; /* hashed with its NUL */
	const struct bytes *log[] = {&ev->firmware_log, &ev->os_log, &ev->ima_log};
	uint8_t text[sizeof(label) + EVIDENCE_NONCE_BYTES + ARRAY_SIZE(log) * HASH_SHA256_BYTES];
	uint8_t *p = text;

	memcpy(p, label, sizeof(label));
	p += sizeof(label);
	memcpy(p, nonce, EVIDENCE_NONCE_BYTES);
	p += EVIDENCE_NONCE_BYTES;
	for (size_t i = 0; i < ARRAY_SIZE(log); i++, p += HASH_SHA256_BYTES)
		hash_sha256(log[i]->p, log[i]->n, p);
	hash_sha256(text, sizeof(text), ret);
}
