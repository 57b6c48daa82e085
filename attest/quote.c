/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/quote.c - attestation keys and quotes: parse, hold to one shape, verify */
#include "attest/quote.h"

#include "attest/rsassa.h"
#include "common/reader.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <string.h>

/* TPM 2.0 Library part 2, tables 6.2, 6.3, 6.9, 6.4. */
enum {
	TPM_ALG_RSA = 0x0001,
	TPM_ALG_NULL = 0x0010,
	TPM_ALG_ECC = 0x0023,
	TPM_ECC_NIST_P256 = 0x0003,
	TPM_ST_ATTEST_QUOTE = 0x8018,
	RSA_MIN_BITS = 2048,
	RSA_MAX_BITS = 4096,
	RSA_EXPONENT = 65537,
	P256_BYTES = 32,
	ECC_MAX_BYTES = 66, /* P-521 */
	MAX_NAME_BYTES = 68,   /* TPM2B_NAME of the largest hash, with its algorithm */
	MAX_POLICY_BYTES = 64, /* authPolicy */
	SELECT_BYTES = 3,      /* PCR 0 to 23 */
};
#define TPM_GENERATED_VALUE 0xff544347u

CLEANUP_DEFINE(bn, BIGNUM *, BN_free)
CLEANUP_DEFINE(bld, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
CLEANUP_DEFINE(params, OSSL_PARAM *, OSSL_PARAM_free)
CLEANUP_DEFINE(pctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
CLEANUP_DEFINE(esig, ECDSA_SIG *, ECDSA_SIG_free)
#define CLEANUP(name) __attribute__((cleanup(cleanup_##name##_fn)))

/* TPM2B: u16 size and bytes; more than @max is bad. */
struct bytes quote_take_2b(struct reader *r, size_t max)
{
	struct bytes b;

	b.n = reader_u16be(r);
	if (b.n > max)
		r->bad = true;
	b.p = reader_bytes(r, b.n);
	if (!b.p)
		b.n = 0;
	return b;
}

/* The TPMT_PUBLIC inside a TPM2B_PUBLIC. */
static int open_public(struct bytes tpm2b, struct reader *ret, struct err *e)
{
	struct reader r = reader_init(tpm2b.p, tpm2b.n);
	uint16_t size = reader_u16be(&r);

	if (r.bad || size != r.left)
		return err_set(e, EINVAL,
			       "public area of %zu bytes says that %u follow its size (TPM 2.0 part 2, 12.2.5)",
			       tpm2b.n, (unsigned)size);
	*ret = r;
	return 0;
}

int quote_name(struct bytes tpm2b, uint8_t ret[static QUOTE_NAME_BYTES], struct err *e)
{
	struct reader r, body;
	uint16_t name_alg;
	int rc = open_public(tpm2b, &r, e);

	if (rc)
		return rc;
	body = r;
	(void)reader_u16be(&r); /* type */
	name_alg = reader_u16be(&r);
	if (r.bad || name_alg != HASH_SHA256)
		return err_set(e, EINVAL, "public area has nameAlg 0x%x, wanted SHA-256", (unsigned)name_alg);
	ret[0] = HASH_SHA256 >> 8;
	ret[1] = HASH_SHA256 & 0xff;
	hash_sha256(body.p, body.left, ret + 2);
	return 0;
}

static int make_key(const char *type, OSSL_PARAM_BLD *bld, EVP_PKEY **ret, struct err *e)
{
	CLEANUP(params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	CLEANUP(pctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return pki_openssl_error(e, EINVAL, "AK: its public key cannot be used");
	*ret = key;
	return 0;
}

bool quote_rsa_is_roca(const uint8_t *modulus, size_t len)
{
	/* The weak generator makes primes k * M + 65537^a mod M: N is then a power of 65537 modulo each small prime of
	 * M. */
	static const uint8_t primes[] = {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157};

	for (size_t i = 0; i < sizeof(primes); i++) {
		unsigned p = primes[i], n = 0, power = 1;
		bool in_group = false;

		for (size_t j = 0; j < len; j++)
			n = (n * 256 + modulus[j]) % p;
		for (unsigned j = 0; j < p && !in_group; j++) {
			in_group = power == n;
			power = power * (RSA_EXPONENT % p) % p;
		}
		if (!in_group)
			return false;
	}
	return true;
}

/* TPMS_RSA_PARMS and unique, behind the symmetric algorithm. */
static int parse_rsa(struct reader *r, struct quote_ak *ak, struct err *e)
{
	CLEANUP(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	CLEANUP(bn) BIGNUM *n = NULL, *exp = NULL;
	uint16_t scheme = reader_u16be(r), hash = reader_u16be(r);
	uint32_t exponent;
	struct bytes modulus;

	ak->bits = reader_u16be(r);
	exponent = reader_u32be(r);
	modulus = quote_take_2b(r, RSA_MAX_BITS / 8);
	if (!reader_done(r) || scheme != QUOTE_RSASSA || hash != HASH_SHA256)
		return err_set(e, EINVAL, "AK: RSA key with scheme 0x%x and hash 0x%x, wanted RSASSA and SHA-256",
			       (unsigned)scheme, (unsigned)hash);
	if (ak->bits < RSA_MIN_BITS || ak->bits > RSA_MAX_BITS || modulus.n != ak->bits / 8 || !(modulus.p[0] & 0x80) ||
	    (exponent && exponent != RSA_EXPONENT))
		return err_set(e, EINVAL,
			       "AK: RSA key of %u bits, %zu bytes and exponent %u, wanted %d to %d bits and 65537",
			       ak->bits, modulus.n, (unsigned)exponent, RSA_MIN_BITS, RSA_MAX_BITS);
	if (quote_rsa_is_roca(modulus.p, modulus.n))
		return err_set(e, EINVAL,
			       "AK: its RSA modulus bears the mark of a weak generator (ROCA, CVE-2017-15361)");
	n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
	exp = BN_new();
	if (!bld || !n || !exp || !BN_set_word(exp, RSA_EXPONENT) ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exp))
		return err_set(e, ENOMEM, "no memory for the AK");
	ak->type = QUOTE_KEY_RSA;
	ak->scheme = QUOTE_RSASSA;
	return make_key("RSA", bld, &ak->key, e);
}

/* TPMS_ECC_PARMS and unique, behind the symmetric algorithm. A point off the curve is refused by OpenSSL. */
static int parse_ecc(struct reader *r, struct quote_ak *ak, struct err *e)
{
	CLEANUP(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * P256_BYTES] = {4}; /* uncompressed */
	uint16_t scheme = reader_u16be(r), hash = reader_u16be(r), curve = reader_u16be(r), kdf = reader_u16be(r);
	struct bytes x = quote_take_2b(r, P256_BYTES), y = quote_take_2b(r, P256_BYTES);

	if (!reader_done(r) || scheme != QUOTE_ECDSA || hash != HASH_SHA256 || curve != TPM_ECC_NIST_P256 ||
	    kdf != TPM_ALG_NULL)
		return err_set(e, EINVAL,
			       "AK: ECC key with scheme 0x%x, hash 0x%x, curve 0x%x, wanted ECDSA, SHA-256, P-256",
			       (unsigned)scheme, (unsigned)hash, (unsigned)curve);
	memcpy(point + 1 + P256_BYTES - x.n, x.p, x.n);
	memcpy(point + 1 + 2 * P256_BYTES - y.n, y.p, y.n);
	if (!bld || !OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) ||
	    !OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)))
		return err_set(e, ENOMEM, "no memory for the AK");
	ak->type = QUOTE_KEY_P256;
	ak->scheme = QUOTE_ECDSA;
	ak->bits = 8 * P256_BYTES;
	return make_key("EC", bld, &ak->key, e);
}

/*
 * What a signature scheme needs of a key, done once: RSASSA by attest/rsassa.h, the others by EVP, whose looking up of
 * methods and digests by name costs a third of a verification. It is copied for each use, so that threads may share the key.
 */
static int prepare(struct quote_ak *ak, struct err *e)
{
	const EVP_MD *md = ak->hash == HASH_SHA512 ? EVP_sha512() : ak->hash == HASH_SHA384 ? EVP_sha384() : EVP_sha256();
	CLEANUP(bn) BIGNUM *n = NULL, *exp = NULL;

	if (ak->scheme == QUOTE_RSASSA) {
		if (EVP_PKEY_get_bn_param(ak->key, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
		    EVP_PKEY_get_bn_param(ak->key, OSSL_PKEY_PARAM_RSA_E, &exp) != 1)
			return pki_openssl_error(e, EINVAL, "AK: its public key cannot be read");
		return rsassa_new(n, exp, &ak->rsassa, e) ? err_context(e, "AK") : 0;
	}
	ak->verify = EVP_PKEY_CTX_new_from_pkey(NULL, ak->key, NULL);
	if (!ak->verify || EVP_PKEY_verify_init(ak->verify) != 1 ||
	    (ak->scheme == QUOTE_RSAPSS && EVP_PKEY_CTX_set_rsa_padding(ak->verify, RSA_PKCS1_PSS_PADDING) != 1) ||
	    EVP_PKEY_CTX_set_signature_md(ak->verify, md) != 1 ||
	    /* a TPM takes the largest salt that fits, or the hash's size */
	    (ak->scheme == QUOTE_RSAPSS && EVP_PKEY_CTX_set_rsa_pss_saltlen(ak->verify, RSA_PSS_SALTLEN_AUTO) != 1))
		return pki_openssl_error(e, EINVAL, "AK: cannot be made ready to verify with");
	return 0;
}

int quote_ak_parse(struct bytes tpm2b, struct quote_ak *ret, struct err *e)
{
	struct quote_ak ak = {.hash = HASH_SHA256};
	uint16_t type, symmetric;
	uint32_t attributes;
	struct reader r;
	int rc;

	if ((rc = quote_name(tpm2b, ak.name, e)) || (rc = open_public(tpm2b, &r, e)))
		return err_context(e, "AK");
	type = reader_u16be(&r);
	(void)reader_u16be(&r); /* nameAlg, seen by quote_name() */
	attributes = reader_u32be(&r);
	(void)quote_take_2b(&r, MAX_POLICY_BYTES);
	symmetric = reader_u16be(&r);
	if (r.bad)
		return err_set(e, EINVAL, "AK: its public area is cut short (TPM 2.0 part 2, 12.2.4)");
	if ((attributes & ~QUOTE_AK_OPTIONAL) != QUOTE_AK_REQUIRED)
		return err_set(e, EINVAL,
			       "AK: attributes 0x%08x, wanted 0x%08x: restricted, signing, fixed, made in the TPM "
			       "(TPM 2.0 part 2, 8.3)",
			       (unsigned)attributes, (unsigned)QUOTE_AK_REQUIRED);
	if (symmetric != TPM_ALG_NULL)
		return err_set(e, EINVAL, "AK: symmetric algorithm 0x%x, wanted none", (unsigned)symmetric);
	if (type == TPM_ALG_RSA)
		rc = parse_rsa(&r, &ak, e);
	else if (type == TPM_ALG_ECC)
		rc = parse_ecc(&r, &ak, e);
	else
		rc = err_set(e, EINVAL, "AK: key type 0x%x, wanted RSA or ECC", (unsigned)type);
	if (!rc)
		rc = prepare(&ak, e);
	if (rc) {
		quote_ak_free(&ak);
		return rc;
	}
	*ret = ak;
	return 0;
}

bool quote_ak_dup(const struct quote_ak *ak, struct quote_ak *ret)
{
	struct quote_ak copy = *ak;

	copy.rsassa = ak->rsassa ? rsassa_share(ak->rsassa) : NULL;
	copy.verify = ak->verify ? EVP_PKEY_CTX_dup(ak->verify) : NULL;
	copy.key = ak->key && EVP_PKEY_up_ref(ak->key) == 1 ? ak->key : NULL;
	if ((!copy.rsassa && !copy.verify) || !copy.key) {
		quote_ak_free(&copy);
		*ret = (struct quote_ak){0};
		return false;
	}
	*ret = copy;
	return true;
}

void quote_ak_free(struct quote_ak *ak)
{
	rsassa_free(ak->rsassa);
	ak->rsassa = NULL;
	EVP_PKEY_CTX_free(ak->verify);
	ak->verify = NULL;
	EVP_PKEY_free(ak->key);
	ak->key = NULL;
}

/* One TPMS_PCR_SELECTION as a mask; bad if it is not of PCR 0 to 23. */
static struct quote_select take_select(struct reader *r)
{
	struct quote_select s = {.alg = reader_u16be(r)};

	if (reader_u8(r) != SELECT_BYTES)
		r->bad = true;
	for (unsigned i = 0; i < SELECT_BYTES; i++)
		s.pcrs |= (uint32_t)reader_u8(r) << 8 * i;
	return s;
}

/* TPMS_QUOTE_INFO: exactly the wanted selections, in their order. */
static int parse_quote_info(struct reader *r, const struct quote_want *want, struct quote *q, struct err *e)
{
	uint32_t count = reader_u32be(r);

	if (r->bad || count != want->n)
		return err_set(e, EINVAL,
			       "quote: its PCR selection is of %u banks, wanted exactly %zu (TPM 2.0 part 2, 10.12.1)",
			       (unsigned)count, want->n);
	for (size_t i = 0; i < want->n; i++) {
		struct quote_select s = take_select(r), w = want->select[i];

		if (r->bad || s.alg != w.alg || s.pcrs != w.pcrs)
			return err_set(e, EINVAL,
				       "quote: its PCR selection is bank 0x%x, mask %02x%02x%02x, wanted exactly %s "
				       "%02x%02x%02x (TPM 2.0 part 2, 10.12.1)",
				       (unsigned)s.alg, (unsigned)s.pcrs & 0xff, (unsigned)s.pcrs >> 8 & 0xff,
				       (unsigned)s.pcrs >> 16 & 0xff, hash_name(w.alg), (unsigned)w.pcrs & 0xff,
				       (unsigned)w.pcrs >> 8 & 0xff, (unsigned)w.pcrs >> 16 & 0xff);
	}
	q->digest = quote_take_2b(r, HASH_MAX_BYTES);
	if (!reader_done(r) || q->digest.n != hash_bytes(want->hash))
		return err_set(e, EINVAL, "quote: PCR digest of %zu bytes, %zu bytes behind it, wanted %zu and none",
			       q->digest.n, r->left, hash_bytes(want->hash));
	return 0;
}

int quote_parse_as(struct bytes attest, const struct quote_want *want, struct quote *ret, struct err *e)
{
	struct reader r = reader_init(attest.p, attest.n);
	struct quote q = {0};
	uint32_t magic;
	uint16_t type;
	uint8_t safe;
	int rc;

	if (attest.n > QUOTE_MAX_ATTEST_BYTES)
		return err_set(e, EINVAL, "quote: has %zu bytes, wanted at most %d", attest.n, QUOTE_MAX_ATTEST_BYTES);
	magic = reader_u32be(&r);
	type = reader_u16be(&r);
	if (r.bad || magic != TPM_GENERATED_VALUE)
		return err_set(e, EINVAL,
			       "quote: magic is 0x%08x, wanted 0x%08x: no TPM made this (TPM 2.0 part 2, 10.12.8)",
			       (unsigned)magic, TPM_GENERATED_VALUE);
	if (type != TPM_ST_ATTEST_QUOTE)
		return err_set(e, EINVAL, "quote: type is 0x%04x, wanted 0x8018 (TPM 2.0 part 2, 6.9)", (unsigned)type);
	q.signer = quote_take_2b(&r, MAX_NAME_BYTES);
	q.nonce = quote_take_2b(&r, HASH_MAX_BYTES);
	q.clock_ms = reader_u64be(&r);
	q.reset_count = reader_u32be(&r);
	q.restart_count = reader_u32be(&r);
	safe = reader_u8(&r);
	q.firmware_version = reader_u64be(&r);
	if (r.bad || safe > 1)
		return err_set(e, EINVAL,
			       "quote: is cut short, or its safe flag is neither 0 nor 1 (TPM 2.0 part 2, 10.12.8)");
	q.safe = safe == 1;
	rc = parse_quote_info(&r, want, &q, e);
	if (rc)
		return rc;
	*ret = q;
	return 0;
}

int quote_parse(struct bytes attest, struct quote *ret, struct err *e)
{
	static const struct quote_want want = {1, {{HASH_SHA256, 0xffff}}, HASH_SHA256};
	struct quote q;
	int rc = quote_parse_as(attest, &want, &q, e);

	if (rc)
		return rc;
	if (q.nonce.n != sizeof(q.extra))
		return err_set(e, EINVAL, "quote: extraData has %zu bytes, wanted 32", q.nonce.n);
	memcpy(q.extra, q.nonce.p, q.nonce.n);
	memcpy(q.pcr_digest, q.digest.p, q.digest.n);
	*ret = q;
	return 0;
}

/* --- qualified names ------------------------------------------------------------------------------------------------
 */

void quote_qualified_name(const uint8_t *parent, size_t parent_bytes, const uint8_t name[static QUOTE_NAME_BYTES],
			  uint8_t ret[static QUOTE_NAME_BYTES])
{
	uint8_t both[2 * QUOTE_NAME_BYTES], h[HASH_SHA256_BYTES];

	memcpy(both, parent, parent_bytes);
	memcpy(both + parent_bytes, name, QUOTE_NAME_BYTES);
	hash_sha256(both, parent_bytes + QUOTE_NAME_BYTES, h);
	ret[0] = HASH_SHA256 >> 8;
	ret[1] = HASH_SHA256 & 0xff;
	memcpy(ret + 2, h, sizeof(h));
}

bool quote_signer_is_endorsed(const struct quote *q, const struct quote_ak *ak, const uint8_t *ek_name)
{
	static const uint8_t endorsement[] = {0x40, 0x00, 0x00, 0x0b}; /* TPM_RH_ENDORSEMENT */
	uint8_t qn[QUOTE_NAME_BYTES], parent[QUOTE_NAME_BYTES];

	quote_qualified_name(endorsement, sizeof(endorsement), ak->name, qn);
	if (hash_equal(qn, sizeof(qn), q->signer.p, q->signer.n))
		return true;
	if (!ek_name)
		return false;
	quote_qualified_name(endorsement, sizeof(endorsement), ek_name, parent);
	quote_qualified_name(parent, sizeof(parent), ak->name, qn);
	return hash_equal(qn, sizeof(qn), q->signer.p, q->signer.n);
}

/* --- signatures -----------------------------------------------------------------------------------------------------
 */

/* TPMS_SIGNATURE_ECDSA as DER, which is what OpenSSL verifies. */
static int ecdsa_to_der(struct reader *r, size_t bytes, struct buf *ret, struct err *e)
{
	struct bytes r_bytes = quote_take_2b(r, bytes), s_bytes = quote_take_2b(r, bytes);
	CLEANUP(esig) ECDSA_SIG *sig = ECDSA_SIG_new();
	CLEANUP(bn) BIGNUM *rn = NULL, *sn = NULL;
	unsigned char *der = NULL;
	int n;

	if (!reader_done(r))
		return err_set(e, EBADMSG, "quote signature: is not two numbers of at most %zu bytes and nothing more", bytes);
	rn = BN_bin2bn(r_bytes.p, (int)r_bytes.n, NULL);
	sn = BN_bin2bn(s_bytes.p, (int)s_bytes.n, NULL);
	if (!sig || !rn || !sn || !ECDSA_SIG_set0(sig, rn, sn))
		return err_set(e, ENOMEM, "no memory for the quote's signature");
	rn = sn = NULL; /* owned by sig now */
	n = i2d_ECDSA_SIG(sig, &der);
	if (n <= 0)
		return pki_openssl_error(e, ENOMEM, "cannot encode the quote's signature");
	buf_put(ret, der, (size_t)n);
	OPENSSL_free(der);
	return ret->bad ? err_set(e, ENOMEM, "no memory for the quote's signature") : 0;
}

/* TPMT_SIGNATURE in the one shape that @ak's type allows, as the bytes OpenSSL wants. */
static int parse_signature(const struct quote_ak *ak, struct bytes signature, struct buf *ret, struct err *e)
{
	struct reader r = reader_init(signature.p, signature.n);
	uint16_t scheme = reader_u16be(&r), hash = reader_u16be(&r);
	struct bytes rsa;

	if (r.bad || scheme != ak->scheme || hash != ak->hash)
		return err_set(e, EBADMSG,
			       "quote signature: scheme 0x%x and hash 0x%x, wanted 0x%x and %s for this AK",
			       (unsigned)scheme, (unsigned)hash, (unsigned)ak->scheme, hash_name(ak->hash));
	if (ak->scheme == QUOTE_ECDSA)
		return ecdsa_to_der(&r, (ak->bits + 7) / 8, ret, e);
	rsa = quote_take_2b(&r, RSA_MAX_BITS / 8);
	if (!reader_done(&r) || rsa.n != ak->bits / 8)
		return err_set(e, EBADMSG, "quote signature: has %zu bytes, wanted %u and nothing behind them", rsa.n,
			       ak->bits / 8);
	buf_put(ret, rsa.p, rsa.n);
	return ret->bad ? err_set(e, ENOMEM, "no memory for the quote's signature") : 0;
}

int quote_verify(const struct quote_ak *ak, struct bytes attest, struct bytes signature, struct err *e)
{
	uint8_t h[HASH_MAX_BYTES];
	CLEANUP(pctx) EVP_PKEY_CTX *ctx = NULL;
	cleanup_buf struct buf sig = BUF_INIT;
	int rc;

	if (ak->type == QUOTE_KEY_UNSET || (!ak->rsassa && !ak->verify))
		return err_set(e, EINVAL, "there is no AK to verify with");
	rc = parse_signature(ak, signature, &sig, e);
	if (rc)
		return rc;
	if (!hash_once(ak->hash, attest.p, attest.n, h))
		return err_set(e, EINVAL, "quote signature: hash %s cannot be computed", hash_name(ak->hash));
	if (ak->rsassa) {
		rc = rsassa_verify(ak->rsassa, ak->hash, h, sig.data, sig.len, e);
		return rc == -EBADMSG ? err_context(e, "quote signature: is not that of the enrolled AK over this quote") : rc;
	}
	ctx = EVP_PKEY_CTX_dup(ak->verify);
	if (!ctx)
		return pki_openssl_error(e, ENOMEM, "cannot verify the quote's signature");
	if (EVP_PKEY_verify(ctx, sig.data, sig.len, h, hash_bytes(ak->hash)) != 1)
		return pki_openssl_error(e, EBADMSG, "quote signature: is not that of the enrolled AK over this quote");
	return 0;
}

/* --- keys that come without their public area ----------------------------------------------------------------------
 */

int quote_ak_from_key(EVP_PKEY *key, const struct quote_scheme *scheme, struct quote_ak *ret, struct err *e)
{
	bool rsa = EVP_PKEY_is_a(key, "RSA"), ec = EVP_PKEY_is_a(key, "EC");
	struct quote_ak ak = {.hash = scheme->hash, .scheme = scheme->alg, .bits = (unsigned)EVP_PKEY_get_bits(key)};

	if (!rsa && !ec)
		return err_set(e, EINVAL, "AK: is neither an RSA nor an ECC key");
	if (!ak.scheme)
		ak.scheme = rsa ? QUOTE_RSASSA : QUOTE_ECDSA;
	if ((ak.scheme == QUOTE_ECDSA) != ec)
		return err_set(e, EINVAL, "AK: is an %s key, which the scheme %s is not for", rsa ? "RSA" : "ECC",
			       quote_scheme_str(scheme->alg));
	if ((rsa && (ak.bits < RSA_MIN_BITS || ak.bits > RSA_MAX_BITS)) ||
	    (ec && (ak.bits < 8 * P256_BYTES || (ak.bits + 7) / 8 > ECC_MAX_BYTES)))
		return err_set(e, EINVAL, "AK: has %u bits, wanted RSA of %d to %d or ECC of 256 to 521", ak.bits,
			       RSA_MIN_BITS, RSA_MAX_BITS);
	if (!EVP_PKEY_up_ref(key))
		return err_set(e, ENOMEM, "no memory for the AK");
	ak.type = rsa ? QUOTE_KEY_RSA : QUOTE_KEY_P256;
	ak.key = key;
	if (prepare(&ak, e)) {
		quote_ak_free(&ak);
		return -EINVAL;
	}
	*ret = ak;
	return 0;
}

static const struct {
	uint16_t alg;
	const char *name;
} scheme_table[] = {{QUOTE_RSASSA, "rsassa"}, {QUOTE_RSAPSS, "rsapss"}, {QUOTE_ECDSA, "ecdsa"}};

const char *quote_scheme_str(uint16_t alg)
{
	for (size_t i = 0; i < ARRAY_SIZE(scheme_table); i++)
		if (scheme_table[i].alg == alg)
			return scheme_table[i].name;
	return "unknown";
}

bool quote_scheme_parse(const char *text, struct quote_scheme *ret)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	enum hash_alg hash = colon ? hash_by_name(colon + 1) : HASH_SHA256;

	if (hash != HASH_SHA256 && hash != HASH_SHA384 && hash != HASH_SHA512)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(scheme_table); i++)
		if (strlen(scheme_table[i].name) == n && !memcmp(scheme_table[i].name, text, n)) {
			*ret = (struct quote_scheme){scheme_table[i].alg, hash};
			return true;
		}
	return false;
}

/* --- SubjectPublicKeyInfo -------------------------------------------------------------------------------------------
 */

/* The value of a DER element that must have @tag; lengths of at most two bytes, in their shortest form (X.690 10.1). */
static struct reader take_der(struct reader *r, uint8_t tag)
{
	uint8_t found = reader_u8(r), first = reader_u8(r);
	size_t n = first;
	struct reader v;

	if (first == 0x81)
		n = reader_u8(r);
	else if (first == 0x82)
		n = reader_u16be(r);
	if (found != tag || (first == 0x81 && n < 0x80) || (first == 0x82 && n < 0x100) || (first > 0x7f && first != 0x81 && first != 0x82))
		r->bad = true;
	v = reader_sub(r, n);
	v.bad = v.bad || r->bad;
	return v;
}

static bool reader_is(const struct reader *r, const char *bytes, size_t n)
{
	return !r->bad && r->left == n && !memcmp(r->p, bytes, n);
}

static int rsa_from_spki(struct reader bits, EVP_PKEY **ret, struct err *e)
{
	CLEANUP(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	CLEANUP(bn) BIGNUM *n = NULL, *exp = NULL;
	struct reader key = take_der(&bits, 0x30), modulus = take_der(&key, 2), exponent = take_der(&key, 2);

	if (!reader_done(&bits) || !reader_done(&key) || modulus.bad || exponent.bad || modulus.left > 1 + RSA_MAX_BITS / 8 ||
	    exponent.left > sizeof(uint32_t))
		return err_set(e, EINVAL, "AK: is no RSAPublicKey (RFC 8017, A.1.1)");
	n = BN_bin2bn(modulus.p, (int)modulus.left, NULL);
	exp = BN_bin2bn(exponent.p, (int)exponent.left, NULL);
	if (!bld || !n || !exp || !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exp))
		return err_set(e, ENOMEM, "no memory for the AK");
	return make_key("RSA", bld, ret, e);
}

static int ec_from_spki(struct reader curve, struct reader bits, EVP_PKEY **ret, struct err *e)
{
	CLEANUP(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	const char *name = reader_is(&curve, "\x2a\x86\x48\xce\x3d\x03\x01\x07", 8) ? "P-256" :
			   reader_is(&curve, "\x2b\x81\x04\x00\x22", 5)		    ? "P-384" :
			   reader_is(&curve, "\x2b\x81\x04\x00\x23", 5)		    ? "P-521" :
										      NULL;

	if (!name || bits.bad || bits.left > 1 + 2 * ECC_MAX_BYTES)
		return err_set(e, EINVAL, "AK: is no ECC key on P-256, P-384 or P-521 (RFC 5480)");
	if (!bld || !OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, name, 0) ||
	    !OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, bits.p, bits.left))
		return err_set(e, ENOMEM, "no memory for the AK");
	return make_key("EC", bld, ret, e);
}

int quote_ak_from_spki(struct bytes der, const struct quote_scheme *scheme, struct quote_ak *ret, struct err *e)
{
	struct reader r = reader_init(der.p, der.n), spki = take_der(&r, 0x30), alg = take_der(&spki, 0x30);
	struct reader oid = take_der(&alg, 6), bits = take_der(&spki, 3);
	cleanup_pkey EVP_PKEY *key = NULL;
	int rc;

	if (!reader_done(&r) || !reader_done(&spki) || oid.bad || reader_u8(&bits) != 0 || bits.bad)
		return err_set(e, EINVAL, "AK: is no SubjectPublicKeyInfo (RFC 5280, 4.1)");
	if (reader_is(&oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9)) {
		rc = reader_is(&alg, "\x05\x00", 2) ? rsa_from_spki(bits, &key, e) :
						      err_set(e, EINVAL, "AK: an RSA key with parameters (RFC 3279, 2.3.1)");
	} else if (reader_is(&oid, "\x2a\x86\x48\xce\x3d\x02\x01", 7)) {
		struct reader curve = take_der(&alg, 6);

		rc = reader_done(&alg) ? ec_from_spki(curve, bits, &key, e) :
					 err_set(e, EINVAL, "AK: an ECC key without a named curve (RFC 5480)");
	} else {
		rc = err_set(e, EINVAL, "AK: is neither an RSA nor an ECC key");
	}
	return rc ? rc : quote_ak_from_key(key, scheme, ret, e);
}
