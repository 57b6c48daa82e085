/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/ek_revoked.c - endorsement keys that are not believed any more */
#include "attest/ek_revoked.h"

#include "attest/ek_cert.h"
#include "common/file.h"
#include "common/hex.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES (2 * HASH_SHA256_BYTES + 1)

CLEANUP_DEFINE(crl, X509_CRL *, X509_CRL_free)

/* ---- the set ----------------------------------------------------------------------------------------------------- */

static int add(struct ek_revoked *r, const uint8_t id[static HASH_SHA256_BYTES], struct err *e)
{
	if (r->n == EK_REVOKED_MAX_ENTRIES)
		return err_set(e, EINVAL, "more than %d revoked EKs", EK_REVOKED_MAX_ENTRIES);
	if (!(r->n & (r->n + 1))) { /* 0, 1, 3, 7: as full as it was made */
		void *more = reallocarray(r->id, 2 * (r->n + 1), sizeof(*r->id));

		if (!more)
			return err_set(e, ENOMEM, "no memory for revoked EKs");
		r->id = more;
	}
	memcpy(r->id[r->n++], id, HASH_SHA256_BYTES);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, HASH_SHA256_BYTES);
}

static bool has(const struct ek_revoked *r, const uint8_t *id)
{
	return r->n && bsearch(id, r->id, r->n, sizeof(*r->id), by_bytes);
}

void ek_revoked_free(struct ek_revoked *r)
{
	free(r->id);
	*r = (struct ek_revoked){0};
}

/* One digest a line. */
static int load_deny(const char *path, struct ek_revoked *r, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char *line, *rest;
	size_t number = 0;
	int rc = file_read(path, EK_REVOKED_MAX_ENTRIES * LINE_BYTES, &b, e);

	buf_u8(&b, 0);
	if (rc || b.bad)
		return rc ? rc : err_set(e, ENOMEM, "no memory for %s", path);
	rest = (char *)b.data;
	while (!rc && (line = strsep(&rest, "\n")) && (rest || *line)) {
		uint8_t id[HASH_SHA256_BYTES];

		number++;
		rc = hex_decode(line, id, sizeof(id)) ? add(r, id, e)
						     : err_set(e, EINVAL, "%s: line %zu is not 64 lower-case hex digits", path, number);
	}
	return rc;
}

/* ---- who signed, and which serial --------------------------------------------------------------------------------- */

/* SHA-256("holdfast-ek-certificate/1" NUL issuer's key digest, DER of the serial number). */
static int id_of(const uint8_t *issuer, const ASN1_INTEGER *serial, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	static const char tag[] = "holdfast-ek-certificate/1";
	cleanup_buf struct buf b = BUF_INIT;
	unsigned char *der = NULL;
	int n = i2d_ASN1_INTEGER(serial, &der);

	if (n <= 0)
		return pki_openssl_error(e, EINVAL, "cannot read a serial number");
	buf_put(&b, tag, sizeof(tag));
	buf_put(&b, issuer, HASH_SHA256_BYTES);
	buf_put(&b, der, (size_t)n);
	OPENSSL_free(der);
	if (b.bad)
		return err_set(e, ENOMEM, "no memory for an EK certificate's id");
	hash_sha256(b.data, b.len, ret);
	return 0;
}

/* What was signed: one of the two. */
struct signed_thing {
	X509 *cert;
	X509_CRL *crl;
};

static bool signed_by(const struct signed_thing *t, X509 *root)
{
	EVP_PKEY *key = X509_get0_pubkey(root);

	if (t->cert)
		return !X509_NAME_cmp(X509_get_subject_name(root), X509_get_issuer_name(t->cert)) && X509_verify(t->cert, key) == 1;
	/* Without the extension get_key_usage() has all bits. */
	return !X509_NAME_cmp(X509_get_subject_name(root), X509_CRL_get_issuer(t->crl)) &&
	       X509_get_key_usage(root) & KU_CRL_SIGN && X509_CRL_verify(t->crl, key) == 1;
}

/* The one of @path that signed it. Return: 1 with @ret, 0 if none did. */
static int find_signer(const char *path, const struct signed_thing *t, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	X509 *root;
	BIO *bio;
	int rc = file_read(path, EK_CERT_MAX_ROOTS_BYTES, &text, e), found = 0;

	if (rc)
		return rc;
	bio = BIO_new_mem_buf(text.data, (int)text.len);
	while (bio && !found && !rc && (root = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		found = signed_by(t, root);
		rc = found ? pki_cert_key_digest(root, ret, e) : 0;
		X509_free(root);
	}
	BIO_free(bio);
	ERR_clear_error(); /* other keys' failures, and the end of the file */
	return rc ? rc : found;
}

int ek_revoked_origin(X509 *cert, const char *roots, uint8_t ret_issuer[static HASH_SHA256_BYTES],
		      uint8_t ret_id[static HASH_SHA256_BYTES], struct err *e)
{
	int rc = find_signer(roots, &(struct signed_thing){.cert = cert}, ret_issuer, e);

	if (!rc)
		return err_set(e, EBADMSG, "EK certificate: no certificate of %s signed it", roots);
	return rc < 0 ? rc : id_of(ret_issuer, X509_get0_serialNumber(cert), ret_id, e);
}

/* ---- CRLs -------------------------------------------------------------------------------------------------------- */

static int seconds_of(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return -EINVAL;
	*ret = timegm(&tm);
	return 0;
}

/* A whole list, not a part of one: what an unknown critical extension takes out is not known. */
static int check_extensions(X509_CRL *crl, const char *path, struct err *e)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);

	if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
		return err_set(e, EINVAL, "%s: is a delta CRL, wanted a whole one (RFC 5280 section 5.2.4)", path);
	if (X509_CRL_get_ext_by_critical(crl, 1, -1) >= 0)
		return err_set(e, EINVAL, "%s: has a critical extension: it may be a part of a CRL (RFC 5280 section 5.2)", path);
	for (int i = 0; i < sk_X509_REVOKED_num(all); i++)
		if (X509_REVOKED_get_ext_by_critical(sk_X509_REVOKED_value(all, i), 1, -1) >= 0)
			return err_set(e, EINVAL, "%s: entry %d has a critical extension: it may be of another issuer (RFC 5280 "
				       "section 5.3)", path, i);
	return 0;
}

static int check_hash(X509_CRL *crl, const char *path, struct err *e)
{
	int md = NID_undef;

	if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &md, NULL) == 1 &&
	    (md == NID_sha256 || md == NID_sha384 || md == NID_sha512))
		return 0;
	return err_set(e, EBADMSG, "%s: its signature's hash is not SHA-256, SHA-384 or SHA-512", path);
}

static int check_crl(X509_CRL *crl, const struct ek_revoked_files *f, const char *path, struct ek_revoked_issuer *ret,
		     struct err *e)
{
	int rc = check_hash(crl, path, e), found = 0;

	for (size_t i = 0; !rc && !found && i < ARRAY_SIZE(f->roots); i++) {
		found = f->roots[i] ? find_signer(f->roots[i], &(struct signed_thing){.crl = crl}, ret->key, e) : 0;
		rc = found < 0 ? found : 0;
	}
	if (!rc && !found)
		rc = err_set(e, EBADMSG, "%s: no certificate of the roots that may sign CRLs signed it", path);
	return rc ? rc : check_extensions(crl, path, e);
}

/* Of two lists of one issuer both count; the longer life is that of the newer. */
static int keep_issuer(struct ek_revoked *r, const struct ek_revoked_issuer *is, const char *path, struct err *e)
{
	for (size_t i = 0; i < r->n_issuers; i++)
		if (!by_bytes(r->issuer[i].key, is->key)) {
			r->issuer[i].until_s = is->until_s > r->issuer[i].until_s ? is->until_s : r->issuer[i].until_s;
			return 0;
		}
	if (r->n_issuers == EK_REVOKED_MAX_FILES)
		return err_set(e, EINVAL, "%s: more than %d issuers of CRLs", path, EK_REVOKED_MAX_FILES);
	r->issuer[r->n_issuers++] = *is;
	return 0;
}

static int add_crl(struct ek_revoked *r, X509_CRL *crl, const struct ek_revoked_files *f, const char *path, int64_t now_s,
		   struct err *e)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);
	struct ek_revoked_issuer is;
	uint8_t id[HASH_SHA256_BYTES];
	int64_t since_s = 0;
	int rc = check_crl(crl, f, path, &is, e);

	if (!rc && (seconds_of(X509_CRL_get0_lastUpdate(crl), &since_s) || seconds_of(X509_CRL_get0_nextUpdate(crl), &is.until_s)))
		rc = err_set(e, EINVAL, "%s: lacks the times from and until which it is in force (RFC 5280 section 5.1.2.5)", path);
	if (!rc && since_s > now_s)
		rc = err_set(e, EINVAL, "%s: is of the future", path);
	for (int i = 0; !rc && i < sk_X509_REVOKED_num(all); i++) {
		rc = id_of(is.key, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i)), id, e);
		rc = rc ? rc : add(r, id, e);
	}
	return rc ? rc : keep_issuer(r, &is, path, e);
}

static int load_crl(struct ek_revoked *r, const struct ek_revoked_files *f, const char *path, int64_t now_s, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	X509_CRL *crl __attribute__((cleanup(cleanup_crl_fn))) = NULL;
	const unsigned char *p;
	BIO *bio;
	int rc = file_read(path, EK_REVOKED_MAX_BYTES, &b, e);

	if (rc)
		return rc;
	p = b.data;
	crl = b.len && *p == 0x30 ? d2i_X509_CRL(NULL, &p, (long)b.len) : NULL;
	if (crl && p != b.data + b.len)
		return err_set(e, EINVAL, "%s: bytes stand behind the CRL", path);
	bio = crl ? NULL : BIO_new_mem_buf(b.data, (int)b.len);
	if (bio)
		crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
	BIO_free(bio);
	if (!crl)
		return pki_openssl_error(e, EINVAL, "a CRL is neither PEM nor DER");
	return add_crl(r, crl, f, path, now_s, e);
}

int ek_revoked_load(const struct ek_revoked_files *f, int64_t now_s, struct ek_revoked *ret, struct err *e)
{
	cleanup_ek_revoked struct ek_revoked r = {0};
	int rc = f->deny ? load_deny(f->deny, &r, e) : 0;

	for (size_t i = 0; !rc && i < f->n_crls; i++) {
		rc = load_crl(&r, f, f->crl[i], now_s, e);
		if (rc && !strstr(e->msg, f->crl[i]))
			rc = err_context(e, "%s", f->crl[i]);
	}
	if (rc)
		return rc;
	if (r.n)
		qsort(r.id, r.n, sizeof(*r.id), by_bytes);
	*ret = r;
	r = (struct ek_revoked){0}; /* owned by the caller now */
	return 0;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

int ek_revoked_may_enrol(const struct ek_revoked *r, const uint8_t issuer[static HASH_SHA256_BYTES], int64_t now_s,
			 struct err *e)
{
	for (size_t i = 0; i < r->n_issuers; i++)
		if (!by_bytes(r->issuer[i].key, issuer))
			return now_s <= r->issuer[i].until_s
				       ? 0
				       : err_set(e, EBADMSG, "EK certificate: its issuer's CRL ended %lld s ago: a newer one is wanted",
						 (long long)(now_s - r->issuer[i].until_s));
	return r->n_issuers ? err_set(e, EBADMSG, "EK certificate: CRLs are wanted, and there is none of its issuer") : 0;
}

const char *ek_revoked_why(const struct ek_revoked *r, const struct enrolment *rec)
{
	if (has(r, rec->identity))
		return "EK: it is on the operator's deny list";
	if (rec->has_certificate_id && has(r, rec->certificate_id))
		return "EK: its certificate is revoked (CRL of its issuer)";
	if (r->n_issuers && rec->ek != ENROLMENT_EK_PINNED && !rec->has_certificate_id)
		return "EK: its certificate was not kept when the host was enrolled, so no CRL can be asked: enrol it again";
	return NULL;
}
