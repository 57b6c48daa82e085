/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/enrolment.c - the enrolment record: what a verifier trusts about one host */
#include "attest/enrolment.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"
#include "common/reader.h"

#include <string.h>

static const char *const ek_text[] = {
	[ENROLMENT_EK_UNSET] = "unset",
	[ENROLMENT_EK_CERTIFICATE] = "certificate",
	[ENROLMENT_EK_PINNED] = "pinned",
	[ENROLMENT_EK_PROVIDER] = "provider",
};
_Static_assert(ARRAY_SIZE(ek_text) == ENROLMENT_EK_PROVIDER + 1, "each kind of trust has its word");

const char *enrolment_ek_str(enum enrolment_ek ek)
{
	return ek_text[(size_t)ek < ARRAY_SIZE(ek_text) ? ek : ENROLMENT_EK_UNSET];
}

int enrolment_identity(const void *tpm2b, size_t len, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	struct reader r = reader_init(tpm2b, len);
	uint16_t size = reader_u16be(&r);

	if (r.bad || !size || size != r.left)
		return err_set(e, EINVAL,
			       "TPM2B_PUBLIC of %zu bytes says that %u follow its size (TPM 2.0 part 2, 12.2.5)", len,
			       (unsigned)size);
	hash_sha256(r.p, r.left, ret);
	return 0;
}

static int get_public(json_object *o, const char *where, const char *key, uint8_t *ret, size_t *ret_bytes,
		      struct err *e)
{
	const char *hex;
	int rc = json_get_str(o, where, key, 2 * ENROLMENT_MAX_PUBLIC_BYTES, &hex, e);

	if (rc)
		return rc;
	if (!*hex || !hex_decode(hex, ret, strlen(hex) / 2))
		return err_set(e, EINVAL, "%s: %s is not an even number of lower-case hex digits", where, key);
	*ret_bytes = strlen(hex) / 2;
	return 0;
}

static int parse_object(json_object *o, const char *name, struct enrolment *rec, struct err *e)
{
	static const char *const keys[] = {"holdfast", "identity", "ek", "ek_public", "ak_public", "ek_certificate_id", NULL};
	uint8_t identity[HASH_SHA256_BYTES];
	const char *kind, *ek;
	int rc;

	if ((rc = json_check_keys(o, name, keys, e)) || (rc = json_get_str(o, name, "holdfast", 64, &kind, e)))
		return rc;
	if (strcmp(kind, "enrolment/1"))
		return err_set(e, EINVAL, "%s: holdfast is \"%s\", wanted \"enrolment/1\"", name, kind);
	if ((rc = json_get_hex(o, name, "identity", rec->identity, sizeof(rec->identity), e)) ||
	    (rc = json_get_str(o, name, "ek", 32, &ek, e)) ||
	    (rc = get_public(o, name, "ek_public", rec->ek_public, &rec->ek_public_bytes, e)) ||
	    (rc = get_public(o, name, "ak_public", rec->ak_public, &rec->ak_public_bytes, e)))
		return rc;
	for (size_t i = ENROLMENT_EK_CERTIFICATE; i < ARRAY_SIZE(ek_text); i++)
		if (!strcmp(ek, ek_text[i]))
			rec->ek = (enum enrolment_ek)i;
	if (rec->ek == ENROLMENT_EK_UNSET)
		return err_set(e, EINVAL, "%s: ek is \"%s\", wanted \"certificate\", \"pinned\" or \"provider\"", name, ek);
	rec->has_certificate_id = json_object_object_get_ex(o, "ek_certificate_id", NULL);
	if (rec->has_certificate_id &&
	    (rc = json_get_hex(o, name, "ek_certificate_id", rec->certificate_id, sizeof(rec->certificate_id), e)))
		return rc;
	rc = enrolment_identity(rec->ek_public, rec->ek_public_bytes, identity, e);
	if (rc)
		return err_context(e, "%s: ek_public", name);
	if (!hash_equal(identity, sizeof(identity), rec->identity, sizeof(rec->identity)))
		return err_set(e, EINVAL, "%s: identity is not the SHA-256 of the EK's public area", name);
	return 0;
}

int enrolment_parse(const void *text, size_t len, const char *name, struct enrolment *ret, struct err *e)
{
	cleanup_json json_object *o = NULL;
	struct enrolment rec = {0};
	int rc;

	if (len > ENROLMENT_MAX_BYTES)
		return err_set(e, E2BIG, "%s has %zu bytes, wanted at most %d", name, len, ENROLMENT_MAX_BYTES);
	rc = json_parse(text, len, name, &o, e);
	if (!rc)
		rc = parse_object(o, name, &rec, e);
	if (rc)
		return rc;
	*ret = rec;
	return 0;
}

int enrolment_load(const char *path, struct enrolment *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int rc = file_read(path, ENROLMENT_MAX_BYTES, &b, e);

	return rc ? rc : enrolment_parse(b.data, b.len, path, ret, e);
}

int enrolment_write(const char *path, const struct enrolment *rec, struct err *e)
{
	char identity[2 * HASH_SHA256_BYTES + 1], ek[2 * ENROLMENT_MAX_PUBLIC_BYTES + 1],
		ak[2 * ENROLMENT_MAX_PUBLIC_BYTES + 1];
	cleanup_buf struct buf b = BUF_INIT;

	if (rec->ek == ENROLMENT_EK_UNSET || rec->ek_public_bytes > ENROLMENT_MAX_PUBLIC_BYTES ||
	    rec->ak_public_bytes > ENROLMENT_MAX_PUBLIC_BYTES)
		return err_set(e, EINVAL, "%s: the enrolment record is not complete", path);
	hex_encode(rec->identity, sizeof(rec->identity), identity);
	hex_encode(rec->ek_public, rec->ek_public_bytes, ek);
	hex_encode(rec->ak_public, rec->ak_public_bytes, ak);
	buf_printf(&b,
		   "{\"holdfast\":\"enrolment/"
		   "1\",\"identity\":\"%s\",\"ek\":\"%s\",\"ek_public\":\"%s\",\"ak_public\":\"%s\"",
		   identity, enrolment_ek_str(rec->ek), ek, ak);
	if (rec->has_certificate_id) {
		hex_encode(rec->certificate_id, sizeof(rec->certificate_id), identity);
		buf_printf(&b, ",\"ek_certificate_id\":\"%s\"", identity);
	}
	buf_str(&b, "}\n");
	if (b.bad)
		return err_set(e, ENOMEM, "no memory for %s", path);
	return file_write(path, b.data, b.len, 0644, e);
}
