/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/world.h - a host in memory: what it measured, its logs, and a software key that plays its TPM's AK
 *
 * world_sound() is a host as it should be, with reference values made from it. A test changes what was measured before
 * world_seal(), as an attacker who acts on the host would, or the sealed bytes after it, as one on the way would.
 * The replay here is the test's own, over OpenSSL's EVP.
 */
#ifndef TESTS_ATTEST_WORLD_H
#define TESTS_ATTEST_WORLD_H

#include "tests/common/check.h"

#include "attest/appraise.h"
#include "common/cel.h"
#include "common/hex.h"
#include "common/measure.h"
#include "common/pki.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>

#define WORLD_MAX_EVENTS 48
#define SEPARATOR        4u
#define ACTION           0x80000007u

/* One measurement; its digest is H(data) unless @forged. */
struct event {
	uint32_t pcr, type;
	uint8_t data[700];
	size_t n;
	char what[64];
	bool forged;
	uint8_t digest[32];
};

struct events {
	size_t n;
	struct event v[WORLD_MAX_EVENTS];
};

struct world {
	struct events firmware, os, ima; /* of ima, data is the template data and what the template's name */
	uint8_t nonce[32];
	int locality; /* -1: no StartupLocality event */
	bool spec_names_sha1;
	/* the quote's fields */
	uint32_t magic;
	uint16_t attest_type, bank;
	uint8_t select[3];
	size_t trailing;
	bool not_safe;
	bool other_signer; /* the qualified signer is another key's */
	bool keep_aggregate; /* IMA entry 0 stays as it is, instead of being made from the PCRs */
	bool ima_without_tpm; /* the kernel's IMA found no TPM: it logs, and extends nothing */
	/* sealed */
	struct buf firmware_log, os_log, ima_log, attest, signature, evidence;
	uint8_t pcr[24][32];
	EVP_PKEY *key;
	struct enrolment enrolment;
	char refvalues[16384];
};

static inline void w_sha256(const void *data, size_t n, uint8_t ret[static 32])
{
	assert_int_equal(EVP_Digest(data, n, ret, NULL, EVP_sha256(), NULL), 1);
}

static inline struct event *w_add(struct events *l, uint32_t pcr, uint32_t type, const void *data, size_t n,
				  const char *what)
{
	struct event *ev = &l->v[l->n++];

	assert_true(l->n <= WORLD_MAX_EVENTS && n <= sizeof(ev->data));
	*ev = (struct event){.pcr = pcr, .type = type, .n = n};
	memcpy(ev->data, data, n);
	(void)snprintf(ev->what, sizeof(ev->what), "%s", what);
	w_sha256(data, n, ev->digest);
	return ev;
}

static inline struct event *w_text(struct events *l, uint32_t pcr, uint32_t type, const char *text)
{
	return w_add(l, pcr, type, text, strlen(text), text);
}

/* Put a copy of event @from before place @to. */
static inline void w_insert(struct events *l, size_t to, const struct event *from)
{
	struct event copy = *from;

	assert_true(l->n < WORLD_MAX_EVENTS && to <= l->n);
	memmove(&l->v[to + 1], &l->v[to], (l->n - to) * sizeof(copy));
	l->v[to] = copy;
	l->n++;
}

static inline void w_remove(struct events *l, size_t at)
{
	memmove(&l->v[at], &l->v[at + 1], (l->n - at - 1) * sizeof(l->v[0]));
	l->n--;
}

/* The first event of @pcr, from place @from on, whose label begins with @what. */
static inline size_t w_find(const struct events *l, uint32_t pcr, const char *what)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].pcr == pcr && !strncmp(l->v[i].what, what, strlen(what)))
			return i;
	fail_msg("no event %s in PCR %u", what, (unsigned)pcr);
	return 0;
}

static inline void w_measure(struct events *l, struct measure_event m)
{
	w_add(l, m.pcr, 0, m.data, m.data_bytes, m.name);
}

/* --- IMA --- */

static inline void w_field(struct buf *b, const void *data, size_t n)
{
	buf_u32le(b, (uint32_t)n);
	buf_put(b, data, n);
}

/* One entry; @buf NULL for ima-ng. */
static inline struct event *w_ima(struct events *l, const uint8_t file[static 32], const char *name, const char *text)
{
	struct buf d = BUF_INIT, t = BUF_INIT;
	struct event *ev;

	buf_put(&d, "sha256:", 8);
	buf_put(&d, file, 32);
	w_field(&t, d.data, d.len);
	w_field(&t, name, strlen(name) + 1);
	if (text)
		w_field(&t, text, strlen(text));
	ev = w_add(l, 10, 0, t.data, t.len, text ? "ima-buf" : "ima-ng");
	buf_free(&d);
	buf_free(&t);
	return ev;
}

#define W_DEVICE "dm_version=4.48.0;name=root,uuid=CRYPT-VERITY-0a-root,major=254,minor=0,minor_count=1,num_targets=1;"
#define W_TARGET                                                                                                       \
	"target_index=0,target_begin=0,target_len=2048,target_name=verity,target_version=1.10.0,hash_failed=V,verity_" \
	"version=1,"                                                                                                   \
	"data_device_name=253:2,hash_device_name=253:3,verity_algorithm=sha256,root_digest=%s,salt=-,ignore_zero_"     \
	"blocks=n,"                                                                                                    \
	"check_at_most_once=n,root_hash_sig_key_desc=cryptsetup:root,verity_mode=panic_on_corruption;"

/* A table load of @root, with @format in place of W_DEVICE W_TARGET if given; and its resumption. */
static inline void w_ima_table(struct events *l, const uint8_t root[static 32], const char *format)
{
	char hex[65], text[1024], resume[512];
	uint8_t h[32];

	hex_encode(root, 32, hex);
	(void)snprintf(text, sizeof(text), format ? format : W_DEVICE W_TARGET, hex);
	w_sha256(text, strlen(text), h);
	w_ima(l, h, "dm_table_load", text);
	hex_encode(h, 32, hex);
	(void)snprintf(resume, sizeof(resume), "%sactive_table_hash=sha256:%s;current_device_capacity=2048;", W_DEVICE,
		       hex);
	w_sha256(resume, strlen(resume), h);
	w_ima(l, h, "dm_device_resume", resume);
}

/* --- a sound host --- */

static inline void w_firmware(struct events *f)
{
	static const uint8_t zero[4],
		secure_boot[] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03,
				 0x2b, 0x8c, 10,   0,    0,    0,    0,    0,    0,    0,    1,    0,    0,    0,
				 0,    0,    0,    0,    'S',  0,    'e',  0,    'c',  0,    'u',  0,    'r',  0,
				 'e',  0,    'B',  0,    'o',  0,    'o',  0,    't',  0,    1};

	w_text(f, 0, 8, "firmware version");
	w_add(f, 7, 0x80000001, secure_boot, sizeof(secure_boot), "SecureBoot");
	w_text(f, 7, 0x80000001, "db");
	w_text(f, 1, 0x8000000c, "boot order");
	w_text(f, 4, ACTION, "Calling EFI Application from Boot Option");
	for (uint32_t i = 0; i < 8; i++)
		w_add(f, i, SEPARATOR, zero, sizeof(zero), "separator");
	w_text(f, 7, 0x800000e0, "authority");
	w_text(f, 5, 0x80000006, "GPT");
	w_text(f, 4, 0x80000003, "UKI");
	w_text(f, 11, 0xd, ".linux");
	w_text(f, 9, 6, "command line");
	w_text(f, 5, ACTION, "Exit Boot Services Invocation");
	w_text(f, 5, ACTION, "Exit Boot Services Returned with Success");
}

static inline void w_root_hash(uint8_t ret[static 32])
{
	memset(ret, 0xa5, 32);
}

static inline void w_os(struct events *o)
{
	uint8_t root[32], d[32] = {7};

	w_root_hash(root);
	w_measure(o, measure_phase(MEASURE_ENTER_INITRD));
	w_measure(o, measure_root_hash(root));
	w_measure(o, measure_root_signer(d));
	w_measure(o, measure_phase(MEASURE_LEAVE_INITRD));
	w_measure(o, measure_phase(MEASURE_SYSINIT));
	w_measure(o, measure_layer_policy(d, 3));
	w_measure(o, measure_file("ipe-policy", d));
	w_measure(o, measure_file("engine", d));
	w_measure(o, measure_separator());
	w_measure(o, measure_phase(MEASURE_READY));
	w_measure(o, measure_container("hello", d));
}

static inline void w_extend(uint8_t pcr[static 32], const uint8_t digest[static 32])
{
	uint8_t both[64];

	memcpy(both, pcr, 32);
	memcpy(both + 32, digest, 32);
	w_sha256(both, sizeof(both), pcr);
}

/* PCR values as the TPM would have them; IMA entries of all-zero recorded SHA-1 (type 1) extend ff. */
static inline void w_replay(struct world *w)
{
	uint8_t ff[32];

	memset(ff, 0xff, sizeof(ff));
	memset(w->pcr, 0, sizeof(w->pcr));
	w->pcr[0][31] = w->locality > 0 ? (uint8_t)w->locality : 0;
	for (size_t i = 0; i < w->firmware.n; i++)
		if (w->firmware.v[i].type != 3)
			w_extend(w->pcr[w->firmware.v[i].pcr], w->firmware.v[i].digest);
	for (size_t i = 0; i < w->os.n; i++)
		w_extend(w->pcr[w->os.v[i].pcr], w->os.v[i].digest);
	for (size_t i = 0; i < w->ima.n && !w->ima_without_tpm; i++)
		w_extend(w->pcr[10], w->ima.v[i].type ? ff : w->ima.v[i].digest);
}

static inline void w_ima_sound(struct world *w)
{
	uint8_t root[32], file[32], aggregate[32];

	w->ima.n = 0;
	w_replay(w);
	w_sha256(w->pcr, 10 * 32, aggregate);
	w_ima(&w->ima, aggregate, "boot_aggregate", NULL);
	w_sha256("dm-verity.ko", 12, file);
	w_ima(&w->ima, file, "/usr/lib/modules/dm-verity.ko", NULL);
	w_root_hash(root);
	w_ima_table(&w->ima, root, NULL);
}

/* The events of @pcr in places @from to @to of @l, as members of a JSON list that was opened at *@p. */
static inline void w_json_list(char **p, char *end, const struct events *l, uint32_t pcr, size_t from, size_t to)
{
	char hex[65];

	for (size_t i = from; i < l->n && i < to; i++) {
		if (l->v[i].pcr != pcr || l->v[i].type == 3)
			continue;
		hex_encode(l->v[i].digest, 32, hex);
		*p += snprintf(*p, (size_t)(end - *p), "%s{\"digest\":\"%s\",\"what\":\"%s\"}",
			       (*p)[-1] == '[' ? "" : ",", hex, l->v[i].what);
		assert_true(*p < end);
	}
}

static inline void w_refvalues(struct world *w)
{
	char *p = w->refvalues, *end = p + sizeof(w->refvalues), root[65], file[65];
	uint8_t h[32];

	w_root_hash(h);
	hex_encode(h, 32, root);
	w_sha256("dm-verity.ko", 12, h);
	hex_encode(h, 32, file);
	p += snprintf(
		p, (size_t)(end - p),
		"{\"holdfast\":\"reference-values/1\",\"image\":{\"name\":\"demo\",\"version\":1,"
		"\"arch\":\"x86_64\",\"profile\":\"enforce\",\"root_hash\":\"%s\"},\"bank\":\"sha256\",\"pcrs\":{",
		root);
	for (uint32_t i = 0; i < 16; i++) {
		p += snprintf(p, (size_t)(end - p), "%s\"%u\":", i ? "," : "", (unsigned)i);
		if (i == 0 || i == 1 || i == 5) {
			p += snprintf(p, (size_t)(end - p), "{\"unjudged\":\"machine\"}");
		} else if (i == 8 || i == 12 || i == 14) {
			p += snprintf(p, (size_t)(end - p), "{\"zero\":true}");
		} else if (i == 10) {
			p += snprintf(p, (size_t)(end - p),
				      "{\"ima\":{\"files\":[{\"digest\":\"%s\",\"what\":\"dm-verity.ko\"}],"
				      "\"verity_root_digests\":[\"%s\"]}}",
				      file, root);
		} else {
			p += snprintf(p, (size_t)(end - p), "{\"sequence\":[");
			w_json_list(&p, end, &w->firmware, i, 0, w->firmware.n);
			w_json_list(&p, end, &w->os, i, 0, w->os.n - 1);
			p += snprintf(p, (size_t)(end - p), "]");
			if (i == 13) {
				p += snprintf(p, (size_t)(end - p), ",\"then\":[");
				w_json_list(&p, end, &w->os, i, w->os.n - 1, w->os.n);
				p += snprintf(p, (size_t)(end - p), "]");
			}
			p += snprintf(p, (size_t)(end - p), "}");
		}
	}
	(void)snprintf(p, (size_t)(end - p),
		       "},\"describe\":{\"command_line\":\"command line\",\"layer_policy_version\":3},"
		       "\"sbom\":{\"sha256\":\"%s\",\"packages\":{\"busybox-static\":\"1:1.37.0-6+b9\","
		       "\"libssl3t64\":\"3.5.1-1+deb13u1\"}}}",
		       root);
}

/* TPM2B_PUBLIC of w->key with @attributes. */
static inline void w_public(EVP_PKEY *key, uint32_t attributes, struct buf *out)
{
	struct buf b = BUF_INIT;
	bool rsa = EVP_PKEY_is_a(key, "RSA");
	uint8_t point[65] = {0};
	BIGNUM *n = NULL;
	size_t len = 0;

	buf_u16be(&b, rsa ? 0x0001 : 0x0023);
	buf_u16be(&b, 0x000b);
	buf_u32be(&b, attributes);
	buf_u16be(&b, 0);
	buf_u16be(&b, 0x0010);
	buf_u16be(&b, rsa ? 0x0014 : 0x0018);
	buf_u16be(&b, 0x000b);
	if (rsa) {
		uint8_t modulus[256];

		assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
		assert_int_equal(BN_bn2binpad(n, modulus, sizeof(modulus)), 256);
		buf_u16be(&b, 2048);
		buf_u32be(&b, 0);
		buf_u16be(&b, 256);
		buf_put(&b, modulus, 256);
	} else {
		assert_int_equal(
			EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len), 1);
		assert_int_equal(len, 65);
		buf_u16be(&b, 3);
		buf_u16be(&b, 0x0010);
		buf_u16be(&b, 32);
		buf_put(&b, point + 1, 32);
		buf_u16be(&b, 32);
		buf_put(&b, point + 33, 32);
	}
	BN_free(n);
	buf_u16be(out, (uint16_t)b.len);
	buf_put(out, b.data, b.len);
	buf_free(&b);
}

static inline EVP_PKEY *w_key(void)
{
	static EVP_PKEY *key; /* one for the whole program: making it is the slow part */

	if (!key)
		key = EVP_EC_gen("P-256");
	assert_non_null(key);
	return key;
}

static inline struct world *world_sound(void)
{
	struct world *w = test_calloc(1, sizeof(*w));
	struct buf pub = BUF_INIT;

	w->locality = -1;
	w->magic = 0xff544347;
	w->attest_type = 0x8018;
	w->bank = 0x000b;
	memcpy(w->select, "\xff\xff\x00", 3);
	memset(w->nonce, 0x42, sizeof(w->nonce));
	w_firmware(&w->firmware);
	w_os(&w->os);
	w_ima_sound(w);
	w_refvalues(w);
	w->key = w_key();
	w_public(w->key, 0x00050472, &pub);
	memcpy(w->enrolment.ak_public, pub.data, pub.len);
	w->enrolment.ak_public_bytes = pub.len;
	w->enrolment.ek = ENROLMENT_EK_CERTIFICATE;
	buf_free(&pub);
	return w;
}

static inline void world_free(struct world *w)
{
	struct buf *all[] = {&w->firmware_log, &w->os_log, &w->ima_log, &w->attest, &w->signature, &w->evidence};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		buf_free(all[i]);
	test_free(w);
}

/* --- sealing --- */

static inline void w_spec_id(struct buf *b, const uint16_t *algs, const uint16_t *sizes, size_t n)
{
	buf_u32le(b, 0);
	buf_u32le(b, 3);
	buf_zero(b, 20);
	buf_u32le(b, (uint32_t)(16 + 4 + 4 + 4 + 4 * n + 1));
	buf_put(b, "Spec ID Event03", 16);
	buf_u32le(b, 0);
	buf_put(b, "\x00\x02\x00\x02", 4);
	buf_u32le(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_u16le(b, algs[i]);
		buf_u16le(b, sizes[i]);
	}
	buf_u8(b, 0);
}

static inline void w_agile_event(struct buf *b, uint32_t pcr, uint32_t type, const uint8_t digest[static 32],
				 const void *data, size_t n)
{
	buf_u32le(b, pcr);
	buf_u32le(b, type);
	buf_u32le(b, 1);
	buf_u16le(b, 0x000b);
	buf_put(b, digest, 32);
	buf_u32le(b, (uint32_t)n);
	buf_put(b, data, n);
}

static inline void w_seal_firmware(struct world *w)
{
	static const uint16_t algs[] = {0x000b}, sizes[] = {32};
	static const uint8_t zero[32];
	char locality[17] = "StartupLocality";

	w_spec_id(&w->firmware_log, algs, sizes, 1);
	if (w->locality >= 0) {
		locality[16] = (char)w->locality;
		w_agile_event(&w->firmware_log, 0, 3, zero, locality, sizeof(locality));
	}
	for (size_t i = 0; i < w->firmware.n; i++) {
		const struct event *ev = &w->firmware.v[i];

		w_agile_event(&w->firmware_log, ev->pcr, ev->type, ev->digest, ev->data, ev->n);
	}
}

static inline void w_seal_os(struct world *w)
{
	uint8_t bytes[CEL_MAX_RECORD_BYTES];

	for (size_t i = 0; i < w->os.n; i++) {
		const struct event *ev = &w->os.v[i];
		struct cel_record rec = {.recnum = i,
					 .pcr = ev->pcr,
					 .n_digests = 1,
					 .name = ev->what,
					 .name_bytes = strlen(ev->what),
					 .data = ev->data,
					 .data_bytes = ev->n};

		rec.digest[0].alg = HASH_SHA256;
		memcpy(rec.digest[0].digest, ev->digest, 32);
		buf_put(&w->os_log, bytes, cel_encode(&rec, bytes));
	}
}

static inline void w_seal_ima(struct world *w)
{
	for (size_t i = 0; i < w->ima.n; i++) {
		const struct event *ev = &w->ima.v[i];
		uint8_t sha1[20] = {0};

		if (!ev->type)
			assert_int_equal(EVP_Digest(ev->data, ev->n, sha1, NULL, EVP_sha1(), NULL), 1);
		buf_u32le(&w->ima_log, ev->pcr);
		buf_put(&w->ima_log, sha1, sizeof(sha1));
		w_field(&w->ima_log, ev->what, strlen(ev->what));
		w_field(&w->ima_log, ev->data, ev->n);
	}
}

static inline struct evidence w_evidence(const struct world *w)
{
	return (struct evidence){{w->attest.data, w->attest.len},
				 {w->signature.data, w->signature.len},
				 {w->firmware_log.data, w->firmware_log.len},
				 {w->os_log.data, w->os_log.len},
				 {w->ima_log.data, w->ima_log.len}};
}

/* TPMS_ATTEST over @extra and the replayed PCRs. */
static inline void w_attest(struct world *w, const uint8_t *extra, size_t extra_bytes)
{
	uint8_t digest[32], name[38] = {0x40, 0, 0, 0x0b, 0, 0x0b}; /* hierarchy, then the AK's Name */

	w_sha256(w->enrolment.ak_public + 2, w->enrolment.ak_public_bytes - 2, name + 6);
	w_sha256(name, sizeof(name), digest);
	buf_free(&w->attest);
	buf_u32be(&w->attest, w->magic);
	buf_u16be(&w->attest, w->attest_type);
	buf_u16be(&w->attest, 34);
	buf_u16be(&w->attest, 0x000b);
	digest[0] ^= w->other_signer;
	buf_put(&w->attest, digest, 32);

	w_sha256(w->pcr, 16 * 32, digest);
	buf_u16be(&w->attest, (uint16_t)extra_bytes);
	buf_put(&w->attest, extra, extra_bytes);
	buf_u64be(&w->attest, 123456);
	buf_u32be(&w->attest, 7);
	buf_u32be(&w->attest, 2);
	buf_u8(&w->attest, !w->not_safe);
	buf_u64be(&w->attest, 0x2019102300163636);
	buf_u32be(&w->attest, 1);
	buf_u16be(&w->attest, w->bank);
	buf_u8(&w->attest, 3);
	buf_put(&w->attest, w->select, 3);
	buf_u16be(&w->attest, 32);
	buf_put(&w->attest, digest, 32);
	buf_zero(&w->attest, w->trailing);
}

/* TPMT_SIGNATURE of w->attest by @key. */
static inline void w_sign(struct world *w, EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const unsigned char *p;
	uint8_t sig[600], half[32];
	size_t n = sizeof(sig);

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, w->attest.data, w->attest.len), 1);
	EVP_MD_CTX_free(ctx);
	buf_free(&w->signature);
	if (EVP_PKEY_is_a(key, "RSA")) {
		buf_u16be(&w->signature, 0x0014);
		buf_u16be(&w->signature, 0x000b);
		buf_u16be(&w->signature, (uint16_t)n);
		buf_put(&w->signature, sig, n);
		return;
	}
	p = sig;
	ECDSA_SIG *es = d2i_ECDSA_SIG(NULL, &p, (long)n);

	buf_u16be(&w->signature, 0x0018);
	buf_u16be(&w->signature, 0x000b);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(es), half, 32), 32);
	buf_u16be(&w->signature, 32);
	buf_put(&w->signature, half, 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(es), half, 32), 32);
	buf_u16be(&w->signature, 32);
	buf_put(&w->signature, half, 32);
	ECDSA_SIG_free(es);
}

static inline void w_cbor_head(struct buf *b, unsigned major, size_t n)
{
	buf_u8(b, (uint8_t)(major << 5 | (n < 24 ? n : n < 256 ? 24 : 25)));
	if (n >= 256)
		buf_u16be(b, (uint16_t)n);
	else if (n >= 24)
		buf_u8(b, (uint8_t)n);
}

/* The map of attest/evidence.h, written here so that a hostile encoder's freedom is ours. */
static inline void w_encode(struct world *w)
{
	static const char *const keys[] = {"attest", "signature", "firmware-log", "os-log", "ima-log"};
	const struct buf *const parts[] = {&w->attest, &w->signature, &w->firmware_log, &w->os_log, &w->ima_log};
	struct buf *out = &w->evidence;

	buf_free(out);
	buf_u8(out, 5 << 5 | 6);
	buf_put(out, "\x61v\x01", 3);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		w_cbor_head(out, 3, strlen(keys[i]));
		buf_str(out, keys[i]);
		w_cbor_head(out, 2, parts[i]->len);
		buf_put(out, parts[i]->data, parts[i]->len);
	}
}

/*
 * The logs of what was measured, quoted and signed.
 * @lie:  changes events after the TPM has extended them: the logs then tell another story
 * @edit: changes the logs' bytes before they are quoted
 */
static inline void world_seal_lying(struct world *w, void (*lie)(struct world *), void (*edit)(struct world *))
{
	struct evidence ev;
	uint8_t binding[32], aggregate[32];
	struct events rest = w->ima;

	if (!w->keep_aggregate && w->ima.n) {
		w_replay(w);
		w_sha256(w->pcr, 10 * 32, aggregate);
		w->ima.n = 0;
		w_ima(&w->ima, aggregate, "boot_aggregate", NULL);
		for (size_t i = 1; i < rest.n; i++)
			w->ima.v[w->ima.n++] = rest.v[i];
	}
	w_replay(w);
	if (lie)
		lie(w);
	w_seal_firmware(w);
	w_seal_os(w);
	w_seal_ima(w);
	if (edit)
		edit(w);
	ev = w_evidence(w);
	evidence_binding(w->nonce, &ev, binding);
	w_attest(w, binding, sizeof(binding));
	w_sign(w, w->key);
	w_encode(w);
}

static inline void world_seal(struct world *w)
{
	world_seal_lying(w, NULL, NULL);
}

/* Judge what was sealed; the verdict, with @ret for its reasons. */
static inline enum appraise_verdict world_judge(const struct world *w, struct appraisal *ret)
{
	struct refvalues rv = {0};
	struct err e = ERR_INIT;
	struct appraise_input in = {.evidence = {w->evidence.data, w->evidence.len},
				    .nonce = w->nonce,
				    .enrolment = &w->enrolment,
				    .refvalues = &rv};

	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "refvalues.json", &rv, &e), &e);
	assert_ok(appraise(&in, ret, &e), &e);
	refvalues_free(&rv);
	return ret->verdict;
}

#endif
