/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/quote_check.c - one quote against what was asked for, apart from any log */
#include "attest/quote_check.h"

#include "common/file.h"
#include "common/hex.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CLEANUP_DEFINE(bio, BIO *, BIO_free_all)

enum { MAX_KEY_FILE_BYTES = 16384 };

/* --- what is wanted ------------------------------------------------------------------------------------------------
 */

/* "0-15", "7": sets the bits; moves *@p behind it. */
static bool take_range(const char **p, uint32_t *pcrs)
{
	unsigned long from, to;
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	from = to = strtoul(*p, &end, 10);
	if (*end == '-') {
		if (end[1] < '0' || end[1] > '9')
			return false;
		to = strtoul(end + 1, &end, 10);
	}
	if (from > to || to >= REPLAY_PCRS)
		return false;
	for (unsigned long i = from; i <= to; i++) {
		if (*pcrs & 1u << i)
			return false; /* named twice */
		*pcrs |= 1u << i;
	}
	*p = end;
	return true;
}

static bool take_bank(const char **p, struct quote_select *s)
{
	char name[16] = {0};
	size_t n = strcspn(*p, ":");

	if (!n || n >= sizeof(name) || (*p)[n] != ':')
		return false;
	memcpy(name, *p, n);
	s->alg = hash_by_name(name);
	*p += n;
	do {
		++*p; /* the colon, then each comma */
		if (!take_range(p, &s->pcrs))
			return false;
	} while (**p == ',');
	return s->alg != HASH_NONE;
}

int quote_select_parse(const char *text, struct quote_want *ret, struct err *e)
{
	struct quote_want w = {.hash = ret->hash};
	const char *p = text;

	for (;;) {
		struct quote_select *s = &w.select[w.n];

		if (w.n == QUOTE_MAX_SELECTIONS || !take_bank(&p, s))
			return err_set(e, EINVAL, "cannot read the selection at \"%.40s\", wanted ALG:LIST[+ALG:LIST]", p);
		for (size_t i = 0; i < w.n; i++)
			if (w.select[i].alg == s->alg)
				return err_set(e, EINVAL, "the selection names bank %s twice", hash_name(s->alg));
		w.n++;
		if (!*p)
			break;
		if (*p++ != '+')
			return err_set(e, EINVAL, "cannot read the selection at \"%.40s\"", p - 1);
	}
	*ret = w;
	return 0;
}

static int ak_from_pem(const struct buf *b, const struct quote_scheme *scheme, struct quote_ak *ret, struct err *e)
{
	__attribute__((cleanup(cleanup_bio_fn))) BIO *bio = BIO_new_mem_buf(b->data, (int)b->len);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long n = 0;
	int rc;

	if (!bio || PEM_read_bio(bio, &name, &header, &der, &n) != 1 || strcmp(name, PEM_STRING_PUBLIC))
		rc = err_set(e, EINVAL, "is no public key in PEM");
	else
		rc = quote_ak_from_spki((struct bytes){der, (size_t)n}, scheme, ret, e);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	return rc;
}

int quote_ak_load(const char *path, const struct quote_scheme *scheme, struct quote_ak *ret, struct err *e)
{
	static const char pem[] = "-----BEGIN";
	cleanup_buf struct buf b = BUF_INIT;
	int rc = file_read(path, MAX_KEY_FILE_BYTES, &b, e);

	if (rc)
		return rc;
	if (b.len > strlen(pem) && !memcmp(b.data, pem, strlen(pem))) {
		rc = ak_from_pem(&b, scheme, ret, e);
		return rc ? err_context(e, "%s", path) : 0;
	}
	rc = quote_ak_parse((struct bytes){b.data, b.len}, ret, e);
	if (!rc && ((scheme->alg && ret->scheme != scheme->alg) || ret->hash != scheme->hash)) {
		rc = err_set(e, EINVAL, "AK: its scheme is %s with %s, wanted %s with %s", quote_scheme_str(ret->scheme),
			     hash_name(ret->hash), quote_scheme_str(scheme->alg), hash_name(scheme->hash));
		quote_ak_free(ret);
	}
	return rc ? err_context(e, "%s", path) : 0;
}

/* --- the check -----------------------------------------------------------------------------------------------------
 */

static int check_signer(const struct quote_check *c, const struct quote *q, enum quote_signer *ret, struct err *e)
{
	static const struct {
		uint8_t handle[4];
		enum quote_signer signer;
	} hierarchies[] = {{{0x40, 0, 0, 0x0b}, QUOTE_SIGNER_ENDORSEMENT}, {{0x40, 0, 0, 0x01}, QUOTE_SIGNER_OWNER}};
	uint8_t qn[QUOTE_NAME_BYTES];

	*ret = QUOTE_SIGNER_UNKNOWN;
	if (c->signer.n) {
		if (!hash_equal(c->signer.p, c->signer.n, q->signer.p, q->signer.n))
			return err_set(e, EBADMSG,
				       "quote: its qualified signer is another than the one given: a key in another place "
				       "made it (TPM 2.0 part 1, 16)");
		*ret = QUOTE_SIGNER_GIVEN;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(hierarchies) && c->ak->name[1]; i++) {
		quote_qualified_name(hierarchies[i].handle, 4, c->ak->name, qn);
		if (hash_equal(qn, sizeof(qn), q->signer.p, q->signer.n))
			*ret = hierarchies[i].signer;
	}
	return 0;
}

static int check_values(const struct quote_check *c, const struct quote *q, struct err *e)
{
	uint8_t all[QUOTE_MAX_SELECTIONS * REPLAY_PCRS * HASH_MAX_BYTES], h[HASH_MAX_BYTES];
	char found[2 * HASH_MAX_BYTES + 1], signed_[2 * HASH_MAX_BYTES + 1];
	size_t n = 0;

	for (size_t i = 0; i < c->want.n; i++)
		for (uint32_t pcr = 0; pcr < REPLAY_PCRS; pcr++) {
			enum hash_alg alg = c->want.select[i].alg;
			const struct pcr_value *v;

			if (!(c->want.select[i].pcrs & 1u << pcr))
				continue;
			v = pcr_values_find(c->values, alg, pcr);
			if (!v)
				return err_set(e, ENOENT, "the PCR values lack %s:%u, which was selected",
					       hash_name(alg), (unsigned)pcr);
			memcpy(all + n, v->digest, hash_bytes(alg));
			n += hash_bytes(alg);
		}
	(void)hash_once(c->want.hash, all, n, h); /* quote_scheme_parse() allows only such that can be computed */
	if (hash_equal(h, hash_bytes(c->want.hash), q->digest.p, q->digest.n))
		return 0;
	hex_encode(h, hash_bytes(c->want.hash), found);
	hex_encode(q->digest.p, q->digest.n, signed_);
	return err_set(e, EBADMSG, "quote: the PCR values have digest %.64s, the TPM signed %.64s", found, signed_);
}

int quote_check(const struct quote_check *c, struct quote *ret, enum quote_signer *ret_signer, struct err *e)
{
	char found[2 * HASH_MAX_BYTES + 1];
	enum quote_signer signer;
	struct quote q;
	int rc = quote_parse_as(c->attest, &c->want, &q, e);

	if (rc)
		return rc;
	if (!hash_equal(q.nonce.p, q.nonce.n, c->nonce.p, c->nonce.n)) {
		hex_encode(q.nonce.p, q.nonce.n, found);
		return err_set(e, EBADMSG, "quote: extraData is %s, wanted exactly the nonce: it is old, or another's",
			       q.nonce.n ? found : "empty");
	}
	rc = quote_verify(c->ak, c->attest, c->signature, e);
	if (!rc)
		rc = check_signer(c, &q, &signer, e);
	if (!rc && c->values)
		rc = check_values(c, &q, e);
	if (rc)
		return rc;
	*ret = q;
	*ret_signer = signer;
	return 0;
}
