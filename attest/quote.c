/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/quote.c - attestation keys and quotes: parse, hold to one shape, verify */
#include "attest/quote.h"

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
	TPM_ALG_RSASSA = 0x0014,
	TPM_ALG_ECDSA = 0x0018,
	TPM_ALG_ECC = 0x0023,
	TPM_ECC_NIST_P256 = 0x0003,
	TPM_ST_ATTEST_QUOTE = 0x8018,
	RSA_MIN_BITS = 2048,
	RSA_MAX_BITS = 4096,
	RSA_EXPONENT = 65537,
	P256_BYTES = 32,
	MAX_NAME_BYTES = 68,   /* TPM2B_NAME of the largest hash, with its algorithm */
	MAX_POLICY_BYTES = 64, /* authPolicy */
	SELECT_BYTES = 3,      /* PCR 0 to 23 */
};
#define TPM_GENERATED_VALUE 0xff544347u

CLEANUP_DEFINE(bn, BIGNUM *, BN_free)
CLEANUP_DEFINE(bld, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
CLEANUP_DEFINE(params, OSSL_PARAM *, OSSL_PARAM_free)
CLEANUP_DEFINE(pctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
CLEANUP_DEFINE(mctx, EVP_MD_CTX *, EVP_MD_CTX_free)
CLEANUP_DEFINE(esig, ECDSA_SIG *, ECDSA_SIG_free)
#define CLEANUP(name) __attribute__((cleanup(cleanup_##name##_fn)))

/* TPM2B: u16 size and bytes; more than @max is bad. */
static struct bytes take_2b(struct reader *r, size_t max)
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
	modulus = take_2b(r, RSA_MAX_BITS / 8);
	if (!reader_done(r) || scheme != TPM_ALG_RSASSA || hash != HASH_SHA256)
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
	return make_key("RSA", bld, &ak->key, e);
}

/* TPMS_ECC_PARMS and unique, behind the symmetric algorithm. A point off the curve is refused by OpenSSL. */
static int parse_ecc(struct reader *r, struct quote_ak *ak, struct err *e)
{
	CLEANUP(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * P256_BYTES] = {4}; /* uncompressed */
	uint16_t scheme = reader_u16be(r), hash = reader_u16be(r), curve = reader_u16be(r), kdf = reader_u16be(r);
	struct bytes x = take_2b(r, P256_BYTES), y = take_2b(r, P256_BYTES);

	if (!reader_done(r) || scheme != TPM_ALG_ECDSA || hash != HASH_SHA256 || curve != TPM_ECC_NIST_P256 ||
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
	return make_key("EC", bld, &ak->key, e);
}

int quote_ak_parse(struct bytes tpm2b, struct quote_ak *ret, struct err *e)
{
	struct quote_ak ak = {0};
	uint16_t type, symmetric;
	uint32_t attributes;
	struct reader r;
	int rc;

	if ((rc = quote_name(tpm2b, ak.name, e)) || (rc = open_public(tpm2b, &r, e)))
		return err_context(e, "AK");
	type = reader_u16be(&r);
	(void)reader_u16be(&r); /* nameAlg, seen by quote_name() */
	attributes = reader_u32be(&r);
	(void)take_2b(&r, MAX_POLICY_BYTES);
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
	if (rc)
		return rc;
	*ret = ak;
	return 0;
}

void quote_ak_free(struct quote_ak *ak)
{
	EVP_PKEY_free(ak->key);
	ak->key = NULL;
}

/* TPMS_QUOTE_INFO: exactly one selection, sha256, PCR 0 to 15. */
static int parse_quote_info(struct reader *r, struct quote *q, struct err *e)
{
	static const uint8_t wanted[SELECT_BYTES] = {0xff, 0xff, 0x00};
	uint32_t count = reader_u32be(r);
	uint16_t bank = reader_u16be(r);
	uint8_t select_bytes = reader_u8(r);
	uint8_t select[SELECT_BYTES];
	struct bytes digest;

	reader_copy(r, select, sizeof(select));
	if (r->bad || count != 1 || bank != HASH_SHA256 || select_bytes != SELECT_BYTES ||
	    memcmp(select, wanted, sizeof(wanted)))
		return err_set(
			e, EINVAL,
			"quote: its PCR selection is %u banks, 0x%x, mask %02x%02x%02x, wanted exactly sha256 ffff00 "
			"(TPM 2.0 part 2, 10.12.1)",
			(unsigned)count, (unsigned)bank, select[0], select[1], select[2]);
	digest = take_2b(r, HASH_MAX_BYTES);
	if (!reader_done(r) || digest.n != sizeof(q->pcr_digest))
		return err_set(e, EINVAL, "quote: PCR digest of %zu bytes, %zu bytes behind it, wanted 32 and none",
			       digest.n, r->left);
	memcpy(q->pcr_digest, digest.p, digest.n);
	return 0;
}

int quote_parse(struct bytes attest, struct quote *ret, struct err *e)
{
	struct reader r = reader_init(attest.p, attest.n);
	struct quote q = {0};
	struct bytes extra;
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
	q.signer = take_2b(&r, MAX_NAME_BYTES);
	extra = take_2b(&r, HASH_MAX_BYTES);
	q.clock_ms = reader_u64be(&r);
	q.reset_count = reader_u32be(&r);
	q.restart_count = reader_u32be(&r);
	safe = reader_u8(&r);
	q.firmware_version = reader_u64be(&r);
	if (r.bad || safe > 1)
		return err_set(e, EINVAL,
			       "quote: is cut short, or its safe flag is neither 0 nor 1 (TPM 2.0 part 2, 10.12.8)");
	if (extra.n != sizeof(q.extra))
		return err_set(e, EINVAL, "quote: extraData has %zu bytes, wanted 32", extra.n);
	memcpy(q.extra, extra.p, extra.n);
	q.safe = safe == 1;
	rc = parse_quote_info(&r, &q, e);
	if (rc)
		return rc;
	*ret = q;
	return 0;
}

/* TPMS_SIGNATURE_ECDSA as DER, which is what OpenSSL verifies. */
static int ecdsa_to_der(struct reader *r, struct buf *ret, struct err *e)
{
	struct bytes r_bytes = take_2b(r, P256_BYTES), s_bytes = take_2b(r, P256_BYTES);
	CLEANUP(esig) ECDSA_SIG *sig = ECDSA_SIG_new();
	CLEANUP(bn) BIGNUM *rn = NULL, *sn = NULL;
	unsigned char *der = NULL;
	int n;

	if (!reader_done(r))
		return err_set(e, EBADMSG, "quote signature: is not two numbers of at most 32 bytes and nothing more");
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
	uint16_t wanted = ak->type == QUOTE_KEY_RSA ? TPM_ALG_RSASSA : TPM_ALG_ECDSA;
	struct reader r = reader_init(signature.p, signature.n);
	uint16_t scheme = reader_u16be(&r), hash = reader_u16be(&r);
	struct bytes rsa;

	if (r.bad || scheme != wanted || hash != HASH_SHA256)
		return err_set(e, EBADMSG,
			       "quote signature: scheme 0x%x and hash 0x%x, wanted 0x%x and SHA-256 for this AK",
			       (unsigned)scheme, (unsigned)hash, (unsigned)wanted);
	if (ak->type != QUOTE_KEY_RSA)
		return ecdsa_to_der(&r, ret, e);
	rsa = take_2b(&r, RSA_MAX_BITS / 8);
	if (!reader_done(&r) || rsa.n != ak->bits / 8)
		return err_set(e, EBADMSG, "quote signature: has %zu bytes, wanted %u and nothing behind them", rsa.n,
			       ak->bits / 8);
	buf_put(ret, rsa.p, rsa.n);
	return ret->bad ? err_set(e, ENOMEM, "no memory for the quote's signature") : 0;
}

int quote_verify(const struct quote_ak *ak, struct bytes attest, struct bytes signature, struct err *e)
{
	CLEANUP(mctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	cleanup_buf struct buf sig = BUF_INIT;
	int rc;

	if (ak->type == QUOTE_KEY_UNSET || !ak->key)
		return err_set(e, EINVAL, "there is no AK to verify with");
	rc = parse_signature(ak, signature, &sig, e);
	if (rc)
		return rc;
	/* For RSA the default padding of EVP is PKCS#1 v1.5, which is RSASSA. */
	if (!ctx || EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, ak->key) != 1)
		return pki_openssl_error(e, EIO, "cannot verify the quote's signature");
	if (EVP_DigestVerify(ctx, sig.data, sig.len, attest.p, attest.n) != 1)
		return pki_openssl_error(e, EBADMSG, "quote signature: is not that of the enrolled AK over this quote");
	return 0;
}
