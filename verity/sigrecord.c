/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/sigrecord.c - the content of a root-verity-sig partition */
#include "verity/sigrecord.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"

#include <string.h>

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_base64(struct buf *b, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)bytes[i] << 16 | (have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
			     (have > 2 ? bytes[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			buf_u8(b, k <= have ? (uint8_t)base64_digits[v >> (18 - 6 * k) & 63] : '=');
	}
}

static int base64_value(char c)
{
	const char *at = c ? strchr(base64_digits, c) : NULL;

	return at ? (int)(at - base64_digits) : -1;
}

/*
 * Canonical base64 (RFC 4648 section 4): groups of four, padding only in the last, unused bits zero.
 * @ret: 3 bytes for each group of @n digits. Return: bytes decoded, or -1.
 */
static ssize_t get_base64(const char *text, size_t n, uint8_t *ret)
{
	size_t out = 0;

	if (n % 4)
		return -1;
	for (size_t i = 0; i < n; i += 4) {
		bool last = i + 4 == n;
		size_t pad = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			int d = k < 4 - pad ? base64_value(text[i + k]) : 0;

			if (d < 0)
				return -1;
			v = v << 6 | (uint32_t)d;
		}
		if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
			return -1;
		for (size_t k = 0; k < 3 - pad; k++)
			ret[out++] = (uint8_t)(v >> (16 - 8 * k));
	}
	return (ssize_t)out;
}

int verity_sigrecord_encode(const struct verity_sigrecord *rec, size_t partition_bytes, struct buf *ret, struct err *e)
{
	char root_hash[2 * HASH_SHA256_BYTES + 1], fingerprint[2 * HASH_SHA256_BYTES + 1];
	cleanup_buf struct buf b = BUF_INIT;

	if (rec->signature_bytes == 0 || rec->signature_bytes > VERITY_SIGRECORD_MAX_SIGNATURE_BYTES)
		return err_set(e, EINVAL, "a root hash signature of %zu bytes, wanted 1 to %d", rec->signature_bytes,
			       VERITY_SIGRECORD_MAX_SIGNATURE_BYTES);
	hex_encode(rec->root_hash, sizeof(rec->root_hash), root_hash);
	hex_encode(rec->fingerprint, sizeof(rec->fingerprint), fingerprint);
	buf_printf(&b, "{\"rootHash\":\"%s\",\"certificateFingerprint\":\"%s\",\"signature\":\"", root_hash,
		   fingerprint);
	put_base64(&b, rec->signature, rec->signature_bytes);
	buf_str(&b, "\"}");
	if (!b.bad && b.len > partition_bytes)
		return err_set(e, EFBIG, "the signature record has %zu bytes, its partition %zu", b.len,
			       partition_bytes);
	if (!b.bad) {
		buf_put(ret, b.data, b.len);
		buf_zero(ret, partition_bytes - b.len);
	}
	return b.bad || ret->bad ? err_set(e, ENOMEM, "no memory for the signature record") : 0;
}

/* The field "signature" of @o. */
static int get_signature(json_object *o, const char *name, struct verity_sigrecord *ret, struct err *e)
{
	const size_t max = (VERITY_SIGRECORD_MAX_SIGNATURE_BYTES + 2) / 3 * 4;
	cleanup_free uint8_t *bytes = malloc(max); /* a group more than the last full one may decode past the limit */
	const char *text = NULL;
	ssize_t n;
	int r;

	if (!bytes)
		return err_set(e, ENOMEM, "no memory to read %s", name);
	r = json_get_str(o, name, "signature", max, &text, e);
	if (r)
		return r;
	n = get_base64(text, strlen(text), bytes);
	if (n <= 0 || n > VERITY_SIGRECORD_MAX_SIGNATURE_BYTES)
		return err_set(e, EINVAL,
			       "%s: field \"signature\" is not canonical base64 of 1 to %d bytes (RFC 4648 section 4)",
			       name, VERITY_SIGRECORD_MAX_SIGNATURE_BYTES);
	memcpy(ret->signature, bytes, (size_t)n);
	ret->signature_bytes = (size_t)n;
	return 0;
}

int verity_sigrecord_parse(const void *bytes, size_t len, const char *name, struct verity_sigrecord *ret, struct err *e)
{
	static const char *const keys[] = {"rootHash", "certificateFingerprint", "signature", NULL};
	const uint8_t *nul = len ? memchr(bytes, 0, len) : NULL;
	size_t text_bytes = nul ? (size_t)(nul - (const uint8_t *)bytes) : len;
	cleanup_json json_object *o = NULL;
	struct verity_sigrecord rec = {0};
	int r;

	if (len > VERITY_SIGRECORD_MAX_BYTES)
		return err_set(e, EINVAL, "%s: %zu bytes, at most %d are read", name, len, VERITY_SIGRECORD_MAX_BYTES);
	if (nul && !hash_is_zero(nul, len - text_bytes))
		return err_set(e, EINVAL, "%s: something other than NUL stands behind the record (offset %zu)", name,
			       text_bytes);
	r = json_parse(bytes, text_bytes, name, &o, e);
	if (!r)
		r = json_check_keys(o, name, keys, e);
	if (!r)
		r = json_get_hex(o, name, "rootHash", rec.root_hash, sizeof(rec.root_hash), e);
	if (!r)
		r = json_get_hex(o, name, "certificateFingerprint", rec.fingerprint, sizeof(rec.fingerprint), e);
	if (!r)
		r = get_signature(o, name, &rec, e);
	if (!r)
		*ret = rec;
	return r;
}

int verity_sigrecord_load(const char *path, struct verity_sigrecord *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int r = file_read(path, VERITY_SIGRECORD_MAX_BYTES, &b, e);

	return r ? r : verity_sigrecord_parse(b.data, b.len, path, ret, e);
}
