/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/rsassa.c - RSASSA-PKCS1-v1_5 signatures verified by a key that was made ready once */
#include "attest/rsassa.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_BYTES 19 /* of a DigestInfo in DER, before its digest */
#define LEAST_BYTES  (2 + 8 + 1 + PREFIX_BYTES + HASH_MAX_BYTES)

struct rsassa {
	atomic_uint users;
	size_t bytes;
	BN_ULONG exponent;
	BIGNUM *n;
	BN_MONT_CTX *mont;
};

CLEANUP_DEFINE(bnctx, BN_CTX *, BN_CTX_free)

int rsassa_new(const BIGNUM *n, const BIGNUM *exp, struct rsassa **ret, struct err *e)
{
	BN_CTX *ctx __attribute__((cleanup(cleanup_bnctx_fn))) = BN_CTX_new();
	struct rsassa *k = calloc(1, sizeof(*k));

	if (!ctx || !k)
		goto no_memory;
	atomic_init(&k->users, 1);
	k->bytes = (size_t)BN_num_bytes(n);
	k->exponent = BN_get_word(exp);
	if (BN_is_negative(n) || !BN_is_odd(n) || k->bytes < LEAST_BYTES || k->bytes > RSASSA_MAX_BYTES ||
	    BN_is_negative(exp) || !BN_is_odd(exp) || BN_num_bits(exp) > 32 || k->exponent < 3) {
		rsassa_free(k);
		return err_set(e, EINVAL, "RSA key: a modulus of %d bits and an exponent of %d, wanted odd numbers, at most %d bits, "
			       "and 3 to 2^32 - 1 (RFC 8017, 3.1)", BN_num_bits(n), BN_num_bits(exp), 8 * RSASSA_MAX_BYTES);
	}
	k->n = BN_dup(n);
	k->mont = BN_MONT_CTX_new();
	if (!k->n || !k->mont || BN_MONT_CTX_set(k->mont, k->n, ctx) != 1)
		goto no_memory;
	*ret = k;
	return 0;
no_memory:
	rsassa_free(k);
	return err_set(e, ENOMEM, "no memory for an RSA key");
}

struct rsassa *rsassa_share(struct rsassa *k)
{
	atomic_fetch_add(&k->users, 1);
	return k;
}

void rsassa_free(struct rsassa *k)
{
	if (!k || atomic_fetch_sub(&k->users, 1) > 1)
		return;
	BN_MONT_CTX_free(k->mont);
	BN_free(k->n);
	free(k);
}

/* @ret = @s to the exponent: squared for each bit, from the highest down, and times @s for each that is set. */
static bool power(const struct rsassa *k, const BIGNUM *s, BIGNUM *ret, BIGNUM *mont_s, BN_CTX *ctx)
{
	int bit = 31;
	bool ok = BN_to_montgomery(mont_s, s, k->mont, ctx) && BN_copy(ret, mont_s);

	while (!(k->exponent >> bit & 1))
		bit--;
	while (ok && --bit >= 0) {
		ok = BN_mod_mul_montgomery(ret, ret, ret, k->mont, ctx);
		/* The lowest bit is set: times @s itself, not in Montgomery's form, which the result then leaves. */
		if (ok && k->exponent >> bit & 1)
			ok = BN_mod_mul_montgomery(ret, ret, bit ? mont_s : s, k->mont, ctx);
	}
	return ok;
}

/* EMSA-PKCS1-v1_5: 00 01 ff .. ff 00 DigestInfo. rsassa_new() saw that it fits. */
static bool encode(enum hash_alg alg, const uint8_t *digest, uint8_t *ret, size_t n)
{
	uint8_t info[PREFIX_BYTES] = {0x30, 0, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0, 0x05, 0x00, 0x04, 0};
	size_t h = hash_bytes(alg), pad = n - 3 - sizeof(info) - h;

	if (alg != HASH_SHA256 && alg != HASH_SHA384 && alg != HASH_SHA512)
		return false;
	info[1] = (uint8_t)(sizeof(info) - 2 + h);
	info[14] = alg == HASH_SHA256 ? 1 : alg == HASH_SHA384 ? 2 : 3;
	info[18] = (uint8_t)h;
	ret[0] = 0;
	ret[1] = 1;
	memset(ret + 2, 0xff, pad);
	ret[2 + pad] = 0;
	memcpy(ret + 3 + pad, info, sizeof(info));
	memcpy(ret + 3 + pad + sizeof(info), digest, h);
	return true;
}

int rsassa_verify(const struct rsassa *k, enum hash_alg alg, const uint8_t *digest, const uint8_t *sig, size_t len,
		  struct err *e)
{
	BN_CTX *ctx __attribute__((cleanup(cleanup_bnctx_fn))) = BN_CTX_new();
	uint8_t found[RSASSA_MAX_BYTES], wanted[RSASSA_MAX_BYTES];
	BIGNUM *s, *m, *mont_s;
	bool good = false;
	int n = 0;

	if (!encode(alg, digest, wanted, k->bytes))
		return err_set(e, EINVAL, "RSA signature: hash 0x%x, wanted SHA-256, SHA-384 or SHA-512", (unsigned)alg);
	if (len != k->bytes)
		return err_set(e, EBADMSG, "RSA signature: has %zu bytes, wanted %zu (RFC 8017, 8.2.2)", len, k->bytes);
	if (!ctx)
		return err_set(e, ENOMEM, "no memory for an RSA signature");
	BN_CTX_start(ctx);
	s = BN_CTX_get(ctx);
	m = BN_CTX_get(ctx);
	mont_s = BN_CTX_get(ctx); /* NULL if one is */
	if (mont_s && BN_bin2bn(sig, (int)len, s) && BN_ucmp(s, k->n) >= 0) {
		BN_CTX_end(ctx);
		return err_set(e, EBADMSG, "RSA signature: is a number not below the modulus (RFC 8017, 5.2.2)");
	}
	if (mont_s && power(k, s, m, mont_s, ctx))
		n = BN_bn2binpad(m, found, (int)k->bytes);
	good = n == (int)k->bytes && hash_equal(found, k->bytes, wanted, k->bytes);
	BN_CTX_end(ctx);
	if (n != (int)k->bytes)
		return err_set(e, ENOMEM, "no memory for an RSA signature");
	return good ? 0 : err_set(e, EBADMSG, "RSA signature: is not that of the key over this digest (RFC 8017, 8.2.2)");
}
