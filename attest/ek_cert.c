/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/ek_cert.c - endorsement keys: the one public area that is accepted, and the certificate that vouches for it */
#include "attest/ek_cert.h"

#include "attest/evidence.h"
#include "attest/quote.h"
#include "common/file.h"
#include "common/reader.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define EK_EXPONENT          65537
#define EKU_EK_CERTIFICATE   "2.23.133.8.1"
#define LEAST_SIGNATURE_BITS 112 /* SHA-256 with RSA-2048; SHA-1 has 63 */

/* ---- public area ------------------------------------------------------------------------------------------------ */

/*
 * Template L-1 between the size of the TPM2B and the modulus:
 *   type RSA, nameAlg SHA-256, attributes, authPolicy PolicySecret(endorsement), AES-128-CFB, no scheme, 2048 bits,
 *   exponent 0 (means 65537), size of the modulus
 */
static const uint8_t template_l1[] = {
	0x00, 0x01, 0x00, 0x0b, 0x00, 0x03, 0x00, 0xb2, 0x00, 0x20, 0x83, 0x71, 0x97, 0x67, 0x44,
	0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e,
	0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa, 0x00, 0x06, 0x00,
	0x80, 0x00, 0x43, 0x00, 0x10, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
};

static int rsa_key(const uint8_t *modulus, EVP_PKEY **ret, struct err *e)
{
	BIGNUM *n = BN_bin2bn(modulus, EK_MODULUS_BYTES, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (n && build && ctx && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_uint(build, OSSL_PKEY_PARAM_RSA_E, EK_EXPONENT) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params); /* key stays NULL on failure */
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	if (!key)
		return pki_openssl_error(e, EINVAL, "the EK is no RSA key");
	*ret = key;
	return 0;
}

int ek_public_parse(const struct bytes *tpm2b, struct ek_public *ret, struct err *e)
{
	struct reader r = reader_init(tpm2b->p, tpm2b->n);
	struct ek_public ek = {0};
	uint16_t size = reader_u16be(&r);
	const uint8_t *area = r.p;
	const uint8_t *fixed = reader_bytes(&r, sizeof(template_l1));
	int rc;

	ek.modulus = reader_bytes(&r, EK_MODULUS_BYTES);
	if (!reader_done(&r) || size != sizeof(template_l1) + EK_MODULUS_BYTES)
		return err_set(e, EINVAL,
			       "EK: TPM2B_PUBLIC has %zu bytes and says %u, wanted 2 + %zu (template L-1, EK "
			       "Credential Profile B.3.3)",
			       tpm2b->n, size, sizeof(template_l1) + EK_MODULUS_BYTES);
	for (size_t i = 0; i < sizeof(template_l1); i++)
		if (fixed[i] != template_l1[i])
			return err_set(e, EINVAL,
				       "EK: byte %zu of the public area is %02x, wanted %02x (template L-1, EK "
				       "Credential Profile B.3.3)",
				       i, fixed[i], template_l1[i]);
	if (!(ek.modulus[0] & 0x80) || !(ek.modulus[EK_MODULUS_BYTES - 1] & 1))
		return err_set(e, EINVAL, "EK: the modulus is not an odd number of 2048 bits");
	if (quote_rsa_is_roca(ek.modulus, EK_MODULUS_BYTES))
		return err_set(
			e, EINVAL,
			"EK: the modulus bears the mark of ROCA (CVE-2017-15361): its private key can be computed");
	rc = rsa_key(ek.modulus, &ek.key, e);
	if (rc < 0)
		return rc;
	hash_sha256(area, size, ek.identity);
	*ret = ek;
	return 0;
}

void ek_public_free(struct ek_public *ek)
{
	EVP_PKEY_free(ek->key);
	*ek = (struct ek_public){0};
}

/* ---- reading the certificate ------------------------------------------------------------------------------------ */

/*
 * TCG_PCCLIENT_STORED_CERT in front of a certificate, as TPM 1.2 kept it:
 *   10 01 tag, 00 full certificate, LL LL size of the rest, 10 02 tag of TCG_FULL_CERT
 */
static void skip_header(struct reader *r)
{
	struct reader t = *r;

	if (reader_u16be(&t) != 0x1001 || reader_u8(&t) != 0)
		return;
	(void)reader_u16be(&t); /* what follows says its own size */
	if (reader_u16be(&t) == 0x1002 && !t.bad)
		*r = t;
}

/* The DER SEQUENCE at @r; what stands behind it may only be padding. */
static int cut_der(struct reader *r, struct bytes *ret, struct err *e)
{
	struct reader t = *r;
	struct bytes der = {.p = r->p};
	uint8_t tag = reader_u8(&t);
	uint8_t form = reader_u8(&t);
	size_t size = form == 0x82 ? reader_u16be(&t) : form == 0x81 ? reader_u8(&t) : form;
	const uint8_t *pad;

	if (t.bad || tag != 0x30 || form > 0x82 || form == 0x80 || size > t.left)
		return err_set(e, EINVAL, "EK certificate: no whole DER SEQUENCE at byte %zu of %zu", reader_offset(r),
			       reader_offset(r) + r->left);
	(void)reader_bytes(&t, size); /* was compared above */
	der.n = (size_t)(t.p - der.p);
	pad = t.p;
	for (size_t i = 0; i < t.left; i++)
		if ((pad[i] != 0x00 && pad[i] != 0xff) || pad[i] != pad[0])
			return err_set(e, EINVAL,
				       "EK certificate: byte %zu behind its end is neither 00 nor ff padding", i);
	*ret = der;
	return 0;
}

int ek_cert_parse(const struct bytes *nv, X509 **ret, struct err *e)
{
	struct reader r = reader_init(nv->p, nv->n);
	struct bytes der = {0};
	const uint8_t *p;
	X509 *cert;
	int rc;

	if (!nv->n)
		return err_set(e, EINVAL, "the TPM has no EK certificate");
	if (nv->n > EK_CERT_MAX_BYTES)
		return err_set(e, EINVAL, "EK certificate: %zu bytes, at most %d are accepted", nv->n,
			       EK_CERT_MAX_BYTES);
	skip_header(&r);
	rc = cut_der(&r, &der, e);
	if (rc < 0)
		return rc;
	p = der.p;
	cert = d2i_X509(NULL, &p, (long)der.n);
	if (!cert)
		return pki_openssl_error(e, EINVAL, "EK certificate is no X.509 certificate");
	if (p != der.p + der.n) {
		X509_free(cert);
		return err_set(e, EINVAL, "EK certificate: bytes stand behind its end inside its SEQUENCE");
	}
	*ret = cert;
	return 0;
}

/* ---- judging it ------------------------------------------------------------------------------------------------- */

/* The subject's key. OpenSSL knows no key of type id-RSAES-OAEP; the bits inside are a plain RSAPublicKey. */
static EVP_PKEY *subject_key(X509 *cert)
{
	const uint8_t *bits;
	ASN1_OBJECT *type;
	int len;

	if (X509_PUBKEY_get0_param(&type, &bits, &len, NULL, X509_get_X509_PUBKEY(cert)) != 1)
		return NULL;
	if (OBJ_obj2nid(type) == NID_rsaesOaep || OBJ_obj2nid(type) == NID_rsaEncryption)
		return d2i_PublicKey(EVP_PKEY_RSA, NULL, &bits, len);
	return NULL;
}

static int check_key(X509 *cert, const struct ek_public *ek, struct err *e)
{
	cleanup_pkey EVP_PKEY *key = subject_key(cert);

	ERR_clear_error();
	if (!key)
		return err_set(e, EBADMSG, "EK certificate: its key is no RSA key");
	if (EVP_PKEY_eq(key, ek->key) != 1)
		return err_set(e, EBADMSG, "EK certificate: its key is not the TPM's EK");
	return 0;
}

static bool has_ek_usage(X509 *cert)
{
	EXTENDED_KEY_USAGE *uses = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	ASN1_OBJECT *want = OBJ_txt2obj(EKU_EK_CERTIFICATE, 1);
	bool found = false;

	for (int i = 0; want && uses && i < sk_ASN1_OBJECT_num(uses); i++)
		found |= OBJ_cmp(sk_ASN1_OBJECT_value(uses, i), want) == 0;
	ASN1_OBJECT_free(want);
	EXTENDED_KEY_USAGE_free(uses);
	ERR_clear_error();
	return found;
}

static int check_usage(X509 *cert, struct err *e)
{
	if (X509_get_extension_flags(cert) & EXFLAG_INVALID)
		return err_set(e, EBADMSG, "EK certificate: an extension is malformed or stands twice");
	if (X509_get_extension_flags(cert) & EXFLAG_CA)
		return err_set(e, EBADMSG, "EK certificate: it is a CA certificate");
	if (!(X509_get_extension_flags(cert) & EXFLAG_KUSAGE) || !(X509_get_key_usage(cert) & KU_KEY_ENCIPHERMENT))
		return err_set(
			e, EBADMSG,
			"EK certificate: its key usage does not name key encipherment (EK Credential Profile 3.2)");
	if (!has_ek_usage(cert))
		return err_set(e, EBADMSG,
			       "EK certificate: extended key usage " EKU_EK_CERTIFICATE
			       " (tcg-kp-EKCertificate) is missing");
	return 0;
}

static int add_roots(X509_STORE *store, const char *path, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	BIO *bio;
	X509 *root;
	size_t n = 0;
	int rc = file_read(path, EK_CERT_MAX_ROOTS_BYTES, &text, e);

	if (rc < 0)
		return rc;
	bio = BIO_new_mem_buf(text.data, (int)text.len);
	while (bio && n <= EK_CERT_MAX_ROOTS && (root = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		n += X509_STORE_add_cert(store, root) == 1;
		X509_free(root);
	}
	BIO_free(bio);
	if (n && n <= EK_CERT_MAX_ROOTS && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		rc = err_set(e, EINVAL, "%s: a certificate behind number %zu is malformed", path, n);
	else if (n < 1 || n > EK_CERT_MAX_ROOTS)
		rc = err_set(e, EINVAL, "%s has %s PEM certificates, wanted 1 to %d", path, n ? "too many" : "no",
			     EK_CERT_MAX_ROOTS);
	ERR_clear_error(); /* the end of the file is an error to the PEM reader */
	return rc;
}

/* Every signature of the chain below its anchor. OpenSSL's own levels would also judge keys it cannot read. */
static int check_signatures(X509_STORE_CTX *ctx, struct err *e)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);

	for (int i = 0; i < sk_X509_num(chain) - 1; i++) {
		int bits = 0;

		if (X509_get_signature_info(sk_X509_value(chain, i), NULL, NULL, &bits, NULL) != 1 ||
		    bits < LEAST_SIGNATURE_BITS)
			return err_set(e, EBADMSG,
				       "EK certificate: the signature of number %d of its chain has a hash weaker than "
				       "SHA-256",
				       i);
	}
	return 0;
}

/*
 * X509_verify_cert() wants to read every key, and cannot read one of type id-RSAES-OAEP. So it is given a copy with the
 * same key as a plain RSA key, whose signature cannot be right; that one error, at the leaf, is passed over, and the
 * signature of the certificate itself is checked afterwards.
 */
static int pass_leaf_signature(int ok, X509_STORE_CTX *ctx)
{
	if (ok || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_CERT_SIGNATURE_FAILURE ||
	    X509_STORE_CTX_get_error_depth(ctx))
		return ok;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static int readable_copy(X509 *cert, const struct ek_public *ek, X509 **ret, struct err *e)
{
	cleanup_x509 X509 *copy = X509_dup(cert);

	if (!copy || X509_set_pubkey(copy, ek->key) != 1)
		return pki_openssl_error(e, ENOMEM, "cannot copy the EK certificate");
	*ret = take_ptr(copy);
	return 0;
}

/* The chain of what @ctx holds, which is @cert or its readable copy; then @cert's own signature by the certificate
 * above it. */
static int verify_chain(X509_STORE_CTX *ctx, X509 *cert, const char *roots, struct err *e)
{
	STACK_OF(X509) * chain;

	if (X509_verify_cert(ctx) != 1)
		return err_set(e, EBADMSG, "EK certificate: no chain to a certificate of %s: %s", roots,
			       X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	chain = X509_STORE_CTX_get0_chain(ctx);
	if (sk_X509_num(chain) < 2)
		return err_set(e, EBADMSG, "EK certificate: it stands in %s itself; its issuer must", roots);
	if (X509_verify(cert, X509_get0_pubkey(sk_X509_value(chain, 1))) != 1)
		return err_set(e, EBADMSG, "EK certificate: certificate signature failure");
	return check_signatures(ctx, e);
}

static int check_chain(X509 *cert, const struct ek_public *ek, const char *roots, struct err *e)
{
	const bool readable = X509_get0_pubkey(cert);
	cleanup_x509 X509 *copy = NULL;
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int rc = store && ctx ? add_roots(store, roots, e)
			      : err_set(e, ENOMEM, "no memory for the EK certificate's chain");

	if (rc == 0 && !readable)
		rc = readable_copy(cert, ek, &copy, e);
	if (rc == 0 && (X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) != 1 ||
			X509_STORE_CTX_init(ctx, store, readable ? cert : copy, NULL) != 1))
		rc = pki_openssl_error(e, ENOMEM, "cannot prepare the EK certificate's chain");
	if (rc == 0 && !readable)
		X509_STORE_CTX_set_verify_cb(ctx, pass_leaf_signature);
	if (rc == 0)
		rc = verify_chain(ctx, cert, roots, e);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return rc;
}

int ek_cert_verify(X509 *cert, const struct ek_public *ek, const char *roots, struct err *e)
{
	int rc = check_key(cert, ek, e);

	if (rc < 0)
		return rc;
	rc = check_usage(cert, e);
	return rc < 0 ? rc : check_chain(cert, ek, roots, e);
}
