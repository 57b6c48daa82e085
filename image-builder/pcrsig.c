/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/pcrsig.c - signed PCR policies: in which states of a boot the TPM shall obey this image */
#include "image-builder/pcrsig.h"

#include "common/hex.h"
#include "common/json.h"
#include "common/pcr_policy.h"
#include "common/pki.h"

#include <string.h>

#define PCR_SECURE_BOOT   7
#define MAX_SIG_BYTES     512
#define CPIO_DIR          ".extra"

void pcrsig_policy(uint32_t pcrs, const uint8_t (*values)[HASH_SHA256_BYTES], uint8_t ret[static HASH_SHA256_BYTES])
{
	pcr_policy_digest(pcrs, values, ret);
}

static int key_fingerprint(EVP_PKEY *key, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	unsigned char *der = NULL;
	int n = EVP_PKEY_is_a(key, "RSA") ? i2d_PublicKey(key, &der) : -1;

	if (n <= 0)
		return pki_openssl_error(e, EINVAL, "the PCR key is not an RSA key");
	hash_sha256(der, (size_t)n, ret);
	OPENSSL_free(der);
	return 0;
}

/* RSASSA-PKCS1-v1_5, as text in base64. */
static int sign(EVP_PKEY *key, const uint8_t policy[static HASH_SHA256_BYTES], char ret[static 2 * MAX_SIG_BYTES],
		struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[MAX_SIG_BYTES];
	size_t n = sizeof(sig);
	bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestSign(ctx, sig, &n, policy, HASH_SHA256_BYTES) == 1;

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return pki_openssl_error(e, EIO, "cannot sign a PCR policy");
	(void)EVP_EncodeBlock((unsigned char *)ret, sig, (int)n); /* cannot fail; 4/3 of the size and a NUL */
	return 0;
}

static bool put(json_object *o, const char *key, json_object *value)
{
	if (value && json_object_object_add(o, key, value) == 0)
		return true;
	(void)json_object_put(value); /* drops our reference; accepts NULL */
	return false;
}

static bool put_hex(json_object *o, const char *key, const uint8_t digest[static HASH_SHA256_BYTES])
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(digest, HASH_SHA256_BYTES, hex);
	return put(o, key, json_object_new_string(hex));
}

static json_object *pcr_list(uint32_t pcrs)
{
	cleanup_json json_object *list = json_object_new_array();
	bool ok = list;

	for (int i = 0; ok && i < 24; i++)
		if (pcrs & 1u << i)
			ok = json_object_array_add(list, json_object_new_int(i)) == 0;
	return ok ? take_ptr(list) : NULL;
}

/* What all policies of an image share, and where they go. */
struct signing {
	EVP_PKEY *key;
	uint8_t print[HASH_SHA256_BYTES];
	uint32_t pcrs;
	uint8_t value[2][HASH_SHA256_BYTES]; /* ascending: PCR 7, if it counts, then PCR 11 */
	json_object *list;
};

static int add_policy(struct signing *s, struct err *e)
{
	cleanup_json json_object *o = json_object_new_object();
	uint8_t policy[HASH_SHA256_BYTES];
	char sig[2 * MAX_SIG_BYTES];
	int r;

	pcrsig_policy(s->pcrs, (const uint8_t(*)[HASH_SHA256_BYTES])s->value, policy);
	r = sign(s->key, policy, sig, e);
	if (r)
		return r;
	if (!o || !put(o, "pcrs", pcr_list(s->pcrs)) || !put_hex(o, "pkfp", s->print) || !put_hex(o, "pol", policy) ||
	    !put(o, "sig", json_object_new_string(sig)) || json_object_array_add(s->list, o) != 0)
		return err_set(e, ENOMEM, "no memory for PCR policies");
	(void)take_ptr(o); /* the list's */
	return 0;
}

/* The prediction ends with the phases up to `ready`: back to before the first, then one policy after each. */
static int add_phases(struct signing *s, const struct predict *predicted, struct err *e)
{
	const struct predict_list *l = &predicted->pcr[MEASURE_PCR_PHASE].event;
	uint8_t *pcr11 = s->value[s->pcrs >> PCR_SECURE_BOOT & 1];
	size_t first = l->n - (MEASURE_READY + 1);
	int r = 0;

	if (l->n < MEASURE_READY + 1)
		return err_set(e, EINVAL, "PCR 11 is predicted with %zu events, fewer than there are phases", l->n);
	for (size_t i = 0; !r && i < first + PCRSIG_PHASES; i++) {
		if (!hash_extend(HASH_SHA256, pcr11, l->v[i].digest))
			return err_set(e, EINVAL, "SHA-256 cannot be computed");
		if (i >= first)
			r = add_policy(s, e);
	}
	return r;
}

int pcrsig_make(EVP_PKEY *key, const struct predict *predicted, struct buf *ret, struct err *e)
{
	struct signing s = { .key = key, .pcrs = 1u << MEASURE_PCR_PHASE };
	cleanup_json json_object *doc = json_object_new_object();
	int r = key_fingerprint(key, s.print, e);

	if (!r && predicted->pcr[PCR_SECURE_BOOT].rule == PREDICT_SEQUENCE) {
		s.pcrs |= 1u << PCR_SECURE_BOOT;
		r = predict_value(predicted, PCR_SECURE_BOOT, s.value[0], e);
	}
	if (r)
		return r;
	s.list = json_object_new_array();
	if (!doc || !put(doc, "sha256", s.list))
		return err_set(e, ENOMEM, "no memory for PCR policies");
	r = add_phases(&s, predicted, e);
	return r ? r : json_write(ret, doc, e);
}

/* PCR 11 just after ; the prediction ends with `ready`. */
static int value_after(const struct predict *predicted, enum measure_phase phase, uint8_t ret[static HASH_SHA256_BYTES],
		       struct err *e)
{
	const struct predict_list *l = &predicted->pcr[MEASURE_PCR_PHASE].event;

	if (l->n < MEASURE_READY + 1)
		return err_set(e, EINVAL, "PCR 11 is predicted with %zu events, fewer than there are phases", l->n);
	memset(ret, 0, HASH_SHA256_BYTES);
	for (size_t i = 0; i < l->n - (MEASURE_READY - phase); i++)
		if (!hash_extend(HASH_SHA256, ret, l->v[i].digest))
			return err_set(e, EINVAL, "SHA-256 cannot be computed");
	return 0;
}

int pcrsig_add_channel(EVP_PKEY *key, const struct predict *predicted, struct buf *doc, struct err *e)
{
	static const enum measure_phase phases[] = { MEASURE_SYSINIT, MEASURE_READY };
	struct pcr_policies p = { 0 };
	uint8_t value[2][HASH_SHA256_BYTES];
	const bool uefi = predicted->pcr[PCR_SECURE_BOOT].rule == PREDICT_SEQUENCE;
	int r = uefi ? predict_value(predicted, PCR_SECURE_BOOT, value[0], e) : 0;

	for (; !r && p.n < ARRAY_SIZE(phases); p.n++) {
		struct pcr_policy *one = &p.v[p.n];

		one->pcrs = 1u << MEASURE_PCR_PHASE | (uefi ? 1u << PCR_SECURE_BOOT : 0);
		r = value_after(predicted, phases[p.n], value[uefi], e);
		if (r)
			break;
		pcr_policy_digest(one->pcrs, (const uint8_t(*)[HASH_SHA256_BYTES])value, one->digest);
		r = pcr_policy_sign(key, one, e);
	}
	return r ? r : pcr_policy_add(&p, key, doc, e);
}

/* One header of a cpio, as stub 257 writes it: nothing but type, size and name differs from entry to entry. */
static void cpio_header(struct buf *b, unsigned inode, unsigned mode, size_t size, const char *name)
{
	buf_printf(b, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s", inode, mode, 0u, 0u, 1u, 0u, size, 0u,
		   0u, 0u, 0u, strlen(name) + 1, 0u, name);
	buf_u8(b, 0);
	buf_pad(b, 4);
}

int pcrsig_cpio(const char *file, const uint8_t *data, size_t len, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char path[64];

	(void)snprintf(path, sizeof(path), CPIO_DIR "/%s", file); /* one of the two below */
	cpio_header(&b, 1, 0040555, 0, CPIO_DIR);
	cpio_header(&b, 2, 0100444, len, path);
	buf_put(&b, data, len);
	buf_pad(&b, 4);
	buf_str(&b, "070701" "00000000" "00000000" "00000000" "00000000" "00000001" /* links */ "00000000" "00000000" "00000000"
		    "00000000" "00000000" "00000000" "0000000B" /* size of the name */ "00000000" "TRAILER!!!");
	buf_zero(&b, 4);
	buf_put(ret, b.data, b.len);
	return b.bad || ret->bad ? err_set(e, ENOMEM, "no memory for the initramfs") : 0;
}
