/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/evidence.c - what a host sends so that a verifier can judge it */
#include "attest/evidence.h"

#include "attest/cbor.h"

#include <stddef.h>
#include <string.h>

#define EVIDENCE_VERSION 1
#define MAX_LABEL_BYTES  32

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

/* SHA-256 of @label with its NUL, @nonce, @key if there is one, and the digest of each log. */
static void bind(const char *label, const uint8_t *nonce, const uint8_t *key, const struct evidence *ev,
		 uint8_t ret[static HASH_SHA256_BYTES])
{
	const struct bytes *log[] = {&ev->firmware_log, &ev->os_log, &ev->ima_log};
	uint8_t text[MAX_LABEL_BYTES + EVIDENCE_NONCE_BYTES + (1 + ARRAY_SIZE(log)) * HASH_SHA256_BYTES];
	uint8_t *p = mempcpy(text, label, strlen(label) + 1);

	p = mempcpy(p, nonce, EVIDENCE_NONCE_BYTES);
	if (key)
		p = mempcpy(p, key, HASH_SHA256_BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(log); i++, p += HASH_SHA256_BYTES)
		hash_sha256(log[i]->p, log[i]->n, p);
	hash_sha256(text, (size_t)(p - text), ret);
}

void evidence_binding(const uint8_t nonce[static EVIDENCE_NONCE_BYTES], const struct evidence *ev,
		      uint8_t ret[static HASH_SHA256_BYTES])
{
	bind("holdfast-evidence/1", nonce, NULL, ev, ret);
}

void evidence_channel_binding(const uint8_t nonce[static EVIDENCE_NONCE_BYTES],
			      const uint8_t key[static HASH_SHA256_BYTES], const struct evidence *ev,
			      uint8_t ret[static HASH_SHA256_BYTES])
{
	bind("holdfast-evidence/2", nonce, key, ev, ret);
}
