/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/believe.c - steps 2 and 3 of every enrolment: keys are held to templates and believed */
#include "attest/believe.h"

#include <string.h>

void believed_free(struct believed *b)
{
	ek_public_free(&b->ek);
	quote_ak_free(&b->ak);
}

/* "Could not read it" about a thing that the host showed as its own is "checked and bad". */
static int bad(struct err *e, int rc)
{
	if (rc != -EINVAL)
		return rc;
	e->code = EBADMSG;
	return -EBADMSG;
}

/* The chain to , and whether it is still believed. */
static int believe_chain(const struct believe_input *in, const struct ek_public *ek, X509 *cert, const char *roots,
			 struct enrolment *rec, struct err *e)
{
	uint8_t issuer[HASH_SHA256_BYTES];
	int rc = ek_cert_verify(cert, ek, roots, e);

	rc = rc ? rc : ek_revoked_origin(cert, roots, issuer, rec->certificate_id, e);
	rec->has_certificate_id = !rc;
	return rc || !in->revoked ? rc : ek_revoked_may_enrol(in->revoked, issuer, in->now_s, e);
}

static int believe_certificate(const struct believe_input *in, const struct ek_public *ek, struct enrolment *rec, struct err *e)
{
	cleanup_x509 X509 *cert = NULL;
	struct err first = ERR_INIT;
	int rc = ek_cert_parse(&in->ek_certificate, &cert, e);

	if (rc < 0)
		return bad(e, rc);
	rec->ek = ENROLMENT_EK_CERTIFICATE;
	rc = in->roots ? believe_chain(in, ek, cert, in->roots, rec, e) : -EBADMSG;
	if (rc != -EBADMSG || !in->provider_roots)
		return rc;
	rec->ek = ENROLMENT_EK_PROVIDER;
	rc = believe_chain(in, ek, cert, in->provider_roots, rec, in->roots ? &first : e);
	if (rc && in->roots && rc != -EBADMSG)
		*e = first; /* the maker's sentence stays, but for what we could not check */
	return rc;
}

static int believe_ek(const struct believe_input *in, const struct ek_public *ek, struct enrolment *rec, struct err *e)
{
	for (size_t i = 0; i < in->n_pinned; i++)
		if (hash_equal(ek->identity, sizeof(ek->identity), in->pinned[i], HASH_SHA256_BYTES)) {
			rec->ek = ENROLMENT_EK_PINNED;
			return 0;
		}
	if (in->roots || in->provider_roots)
		return believe_certificate(in, ek, rec, e);
	return err_set(e, EBADMSG, "the host's EK is not %s digest was given", in->n_pinned == 1 ? "the one whose" : "one whose");
}

static int not_revoked(const struct believe_input *in, const struct enrolment *rec, struct err *e)
{
	const char *why = in->revoked ? ek_revoked_why(in->revoked, rec) : NULL;

	return why ? err_set(e, EBADMSG, "%s", why) : 0;
}

static int fill(const struct believe_input *in, struct believed *b, struct err *e)
{
	struct enrolment *rec = &b->record;

	if (in->ek_public.n > sizeof(rec->ek_public) || in->ak_public.n > sizeof(rec->ak_public))
		return err_set(e, EBADMSG, "a public area is larger than %zu bytes", sizeof(rec->ek_public));
	rec->ek_public_bytes = in->ek_public.n;
	rec->ak_public_bytes = in->ak_public.n;
	memcpy(rec->identity, b->ek.identity, sizeof(rec->identity));
	memcpy(rec->ek_public, in->ek_public.p, in->ek_public.n);
	memcpy(rec->ak_public, in->ak_public.p, in->ak_public.n);
	return 0;
}

int believe_keys(const struct believe_input *in, struct believed *ret, struct err *e)
{
	cleanup_believed struct believed b = {0};
	int rc;

	if (!in->roots && !in->provider_roots && !in->n_pinned)
		return err_set(e, EINVAL,
			       "an EK is believed by pinned roots or by its digest: one of the two must be given");
	rc = ek_public_parse(&in->ek_public, &b.ek, e);
	if (rc == 0)
		rc = quote_ak_parse(in->ak_public, &b.ak, e);
	if (rc < 0)
		return bad(e, rc);
	rc = believe_ek(in, &b.ek, &b.record, e);
	if (rc == 0)
		rc = fill(in, &b, e);
	if (rc == 0)
		rc = not_revoked(in, &b.record, e);
	if (rc < 0)
		return rc;
	*ret = b;
	b = (struct believed){0}; /* owned by the caller now */
	return 0;
}
