/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/channel.c - the proof that a TLS key lives in the TPM of a known AK and is good in signed states only */
#include "attest/channel.h"

#include "attest/cbor.h"
#include "common/reader.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

/* Ours alone: below 2.25 each UUID has its arc (ITU-T X.667). */
#define PROOF_OID "2.25.155275023872742649267475005561657808163"

#define PROOF_VERSION    1
#define MAX_PUBLIC_BYTES 256
#define EXTRA            "holdfast-channel/1"

/* TPM 2.0 Library part 2, tables 6.2, 6.3, 6.9, 6.4. */
enum {
	TPM_ALG_NULL = 0x0010,
	TPM_ALG_ECDSA = 0x0018,
	TPM_ALG_ECC = 0x0023,
	TPM_ECC_NIST_P256 = 0x0003,
	TPM_ST_ATTEST_CERTIFY = 0x8017,
	NUMBER_BYTES = 32,
	MAX_NAME_BYTES = 68,
};
#define TPM_GENERATED_VALUE   0xff544347u
#define TPM_RH_ENDORSEMENT_BE {0x40, 0x00, 0x00, 0x0b}

void channel_shown_free(struct channel_shown *c)
{
	buf_free(&c->proof);
	*c = (struct channel_shown){0};
}

void channel_extra(uint8_t ret[static HASH_SHA256_BYTES])
{
	hash_sha256(EXTRA, sizeof(EXTRA), ret); /* with its NUL */
}

void channel_key_digest(const uint8_t point[static CHANNEL_POINT_BYTES], uint8_t ret[static HASH_SHA256_BYTES])
{
	/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING point }: RFC 5480 section 2 */
	static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
				       0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
	uint8_t der[sizeof(head) + CHANNEL_POINT_BYTES];

	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), point, CHANNEL_POINT_BYTES);
	hash_sha256(der, sizeof(der), ret);
}

/* ---- the extension ----------------------------------------------------------------------------------------------- */

int channel_add_proof(X509 *cert, struct bytes proof, struct err *e)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(PROOF_OID, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;
	bool ok = oid && value && proof.n <= CHANNEL_MAX_PROOF_BYTES &&
		  ASN1_OCTET_STRING_set(value, proof.p, (int)proof.n) == 1 &&
		  (extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value)) && X509_add_ext(cert, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
	return ok ? 0 : pki_openssl_error(e, EIO, "cannot put the TLS key's proof into its certificate");
}

/* The one extension of our name, or NULL. -EINVAL if there are more. */
static int find_proof(X509 *cert, const ASN1_OCTET_STRING **ret, struct err *e)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(PROOF_OID, 1);
	int at = oid ? X509_get_ext_by_OBJ(cert, oid, -1) : -1;
	int more = at >= 0 ? X509_get_ext_by_OBJ(cert, oid, at) : -1;

	ASN1_OBJECT_free(oid);
	if (!oid)
		return pki_openssl_error(e, ENOMEM, "no memory for a certificate's extension");
	if (more >= 0)
		return err_set(e, EINVAL, "the TLS certificate has two proofs of its key");
	*ret = at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(cert, at)) : NULL;
	return 0;
}

int channel_shown_load(X509 *cert, struct channel_shown *ret, struct err *e)
{
	const ASN1_OCTET_STRING *proof = NULL;
	struct channel_shown c = {0};
	int rc = pki_cert_key_digest(cert, c.key, e);

	if (!rc)
		rc = find_proof(cert, &proof, e);
	if (rc)
		return rc;
	if (proof && ASN1_STRING_length(proof) > CHANNEL_MAX_PROOF_BYTES)
		return err_set(e, EINVAL, "the proof in the TLS certificate has %d bytes, at most %d are accepted",
			       ASN1_STRING_length(proof), CHANNEL_MAX_PROOF_BYTES);
	if (proof)
		buf_put(&c.proof, ASN1_STRING_get0_data(proof), (size_t)ASN1_STRING_length(proof));
	if (c.proof.bad)
		return err_set(e, ENOMEM, "no memory for a TLS key's proof");
	*ret = c;
	return 0;
}

int channel_shown_read(const char *path, struct channel_shown *ret, struct err *e)
{
	cleanup_x509 X509 *cert = NULL;
	int rc = pki_cert_load(path, &cert, e);

	return rc ? rc : channel_shown_load(cert, ret, e);
}

/* ---- the proof --------------------------------------------------------------------------------------------------- */

int channel_encode(struct bytes public, struct bytes certify, struct bytes signature, struct buf *ret, struct err *e)
{
	cbor_put_map(ret, 4);
	cbor_put_text(ret, "v");
	cbor_put_uint(ret, PROOF_VERSION);
	cbor_put_text(ret, "public");
	cbor_put_bytes(ret, public.p, public.n);
	cbor_put_text(ret, "certify");
	cbor_put_bytes(ret, certify.p, certify.n);
	cbor_put_text(ret, "signature");
	cbor_put_bytes(ret, signature.p, signature.n);
	return ret->bad ? err_set(e, ENOMEM, "no memory for a TLS key's proof") : 0;
}

/* The template, and the point. quote_name() has seen size and nameAlg. */
static int parse_public(struct bytes tpm2b, struct channel_proof *ret, struct err *e)
{
	struct reader r = reader_init(tpm2b.p, tpm2b.n);
	uint16_t type, symmetric, scheme, hash, curve, kdf;
	struct bytes policy, x, y;
	uint32_t attributes;

	(void)reader_u16be(&r);
	type = reader_u16be(&r);
	(void)reader_u16be(&r);
	attributes = reader_u32be(&r);
	policy = quote_take_2b(&r, HASH_MAX_BYTES);
	symmetric = reader_u16be(&r);
	scheme = reader_u16be(&r);
	hash = reader_u16be(&r);
	curve = reader_u16be(&r);
	kdf = reader_u16be(&r);
	x = quote_take_2b(&r, NUMBER_BYTES);
	y = quote_take_2b(&r, NUMBER_BYTES);
	if (!reader_done(&r) || type != TPM_ALG_ECC || symmetric != TPM_ALG_NULL || scheme != TPM_ALG_ECDSA ||
	    hash != HASH_SHA256 || curve != TPM_ECC_NIST_P256 || kdf != TPM_ALG_NULL)
		return err_set(e, EINVAL, "TLS key: its public area is not that of an ECDSA P-256 key with SHA-256 and nothing more");
	if (attributes != CHANNEL_KEY_ATTRIBUTES)
		return err_set(e, EINVAL,
			       "TLS key: attributes 0x%08x, wanted 0x%08x: made in the TPM, fixed, opened by its policy alone "
			       "(TPM 2.0 part 2, 8.3)",
			       (unsigned)attributes, CHANNEL_KEY_ATTRIBUTES);
	if (policy.n != HASH_SHA256_BYTES)
		return err_set(e, EINVAL, "TLS key: a policy of %zu bytes, wanted %d", policy.n, HASH_SHA256_BYTES);
	memcpy(ret->policy, policy.p, policy.n);
	memset(ret->point, 0, sizeof(ret->point));
	ret->point[0] = 4;
	memcpy(ret->point + 1 + NUMBER_BYTES - x.n, x.p ? x.p : ret->point, x.n);
	memcpy(ret->point + 1 + 2 * NUMBER_BYTES - y.n, y.p ? y.p : ret->point, y.n);
	return 0;
}

/* TPMS_ATTEST of type certify: about the key of @ret->name, a primary of the endorsement hierarchy. */
static int parse_certify(struct channel_proof *ret, struct err *e)
{
	static const uint8_t endorsement[] = TPM_RH_ENDORSEMENT_BE;
	struct reader r = reader_init(ret->certify.p, ret->certify.n);
	uint8_t wanted[HASH_SHA256_BYTES], qualified[QUOTE_NAME_BYTES];
	uint32_t magic = reader_u32be(&r);
	uint16_t type = reader_u16be(&r);
	struct bytes extra, name, qn;

	if (r.bad || magic != TPM_GENERATED_VALUE || type != TPM_ST_ATTEST_CERTIFY)
		return err_set(e, EINVAL,
			       "TLS key: magic 0x%08x and type 0x%04x of its certification, wanted 0xff544347 and 0x8017 (TPM 2.0 "
			       "part 2, 10.12.12)",
			       (unsigned)magic, (unsigned)type);
	ret->signer.signer = quote_take_2b(&r, MAX_NAME_BYTES);
	extra = quote_take_2b(&r, HASH_MAX_BYTES);
	(void)reader_bytes(&r, 8 + 4 + 4 + 1 + 8); /* clock, resets, restarts, safe, firmware: the quote says them */
	name = quote_take_2b(&r, MAX_NAME_BYTES);
	qn = quote_take_2b(&r, MAX_NAME_BYTES);
	channel_extra(wanted);
	if (!reader_done(&r) || !hash_equal(extra.p, extra.n, wanted, sizeof(wanted)))
		return err_set(e, EINVAL, "TLS key: its certification is cut short, goes on, or was made for another use");
	if (!hash_equal(name.p, name.n, ret->name, sizeof(ret->name)))
		return err_set(e, EBADMSG, "TLS key: its certification is about another key");
	quote_qualified_name(endorsement, sizeof(endorsement), ret->name, qualified);
	if (!hash_equal(qn.p, qn.n, qualified, sizeof(qualified)))
		return err_set(e, EBADMSG, "TLS key: it is no primary key of the endorsement hierarchy");
	return 0;
}

int channel_parse(struct bytes proof, struct channel_proof *ret, struct err *e)
{
	struct reader r = reader_init(proof.p, proof.n);
	struct channel_proof p = {0};
	struct bytes public;
	uint64_t version = 0;
	int rc;

	if ((rc = cbor_map(&r, 4, e)) || (rc = cbor_key(&r, "v", e)) || (rc = cbor_uint(&r, "v", UINT32_MAX, &version, e)))
		return err_context(e, "TLS key's proof");
	if (version != PROOF_VERSION)
		return err_set(e, EINVAL, "TLS key's proof is of version %u, wanted %d", (unsigned)version, PROOF_VERSION);
	if ((rc = cbor_key(&r, "public", e)) || (rc = cbor_bytes(&r, "public", MAX_PUBLIC_BYTES, &public, e)) ||
	    (rc = cbor_key(&r, "certify", e)) || (rc = cbor_bytes(&r, "certify", QUOTE_MAX_ATTEST_BYTES, &p.certify, e)) ||
	    (rc = cbor_key(&r, "signature", e)) ||
	    (rc = cbor_bytes(&r, "signature", QUOTE_MAX_ATTEST_BYTES, &p.signature, e)) || (rc = cbor_end(&r, e)))
		return err_context(e, "TLS key's proof");
	if ((rc = quote_name(public, p.name, e)))
		return err_context(e, "TLS key");
	if ((rc = parse_public(public, &p, e)) || (rc = parse_certify(&p, e)))
		return rc;
	*ret = p;
	return 0;
}

/* ---- the check --------------------------------------------------------------------------------------------------- */

static bool signer_is_endorsed(const struct channel_proof *p, const struct channel_want *want)
{
	uint8_t ek[QUOTE_NAME_BYTES];
	struct err none = ERR_INIT;

	return quote_signer_is_endorsed(&p->signer, want->ak, NULL) ||
	       (want->ek_public.n && !quote_name(want->ek_public, ek, &none) &&
		quote_signer_is_endorsed(&p->signer, want->ak, ek));
}

int channel_check(struct channel_shown *shown, const struct channel_want *want, struct err *e)
{
	struct channel_proof p;
	uint8_t key[HASH_SHA256_BYTES];
	int rc;

	if (shown->proven && !memcmp(shown->proven_ak, want->ak->name, QUOTE_NAME_BYTES) &&
	    !memcmp(shown->proven_policy, want->policy, HASH_SHA256_BYTES))
		return 0;
	if (!shown->proof.len)
		return err_set(e, EBADMSG, "TLS key: its certificate shows no proof that the host's TPM holds it");
	rc = channel_parse((struct bytes){shown->proof.data, shown->proof.len}, &p, e);
	if (rc)
		return rc;
	channel_key_digest(p.point, key);
	if (!hash_equal(key, sizeof(key), shown->key, sizeof(shown->key)))
		return err_set(e, EBADMSG, "TLS key: the proof in its certificate is of another key");
	if (!hash_equal(p.policy, sizeof(p.policy), want->policy, HASH_SHA256_BYTES))
		return err_set(e, EBADMSG, "TLS key: its policy is not that of the owner's PCR key: states that nobody signed would do");
	if (!signer_is_endorsed(&p, want))
		return err_set(e, EBADMSG, "TLS key: it was certified by another key than the enrolled AK");
	rc = quote_verify(want->ak, p.certify, p.signature, e);
	if (rc)
		return err_context(e, "TLS key's certification");
	memcpy(shown->proven_ak, want->ak->name, QUOTE_NAME_BYTES);
	memcpy(shown->proven_policy, want->policy, HASH_SHA256_BYTES);
	shown->proven = true;
	return 0;
}
