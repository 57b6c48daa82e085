/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init/tpm_session.c - TPM commands under salted sessions: what PID 1 does with the TPM besides measuring */
#include "init/tpm_session.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/random.h>

enum {
	TPM_ST_NO_SESSIONS = 0x8001,
	TPM_ST_SESSIONS = 0x8002,
	TPM_CC_EVICT_CONTROL = 0x120,
	TPM_CC_CREATE_PRIMARY = 0x131,
	TPM_CC_FLUSH_CONTEXT = 0x165,
	TPM_CC_READ_PUBLIC = 0x173,
	TPM_CC_START_AUTH_SESSION = 0x176,
	TPM_RS_PW = 0x40000009,
	SESSION_CONTINUE = 1,
	SESSION_DECRYPT = 0x20, /* the TPM decrypts: the command's parameter */
	SESSION_ENCRYPT = 0x40,
	DIGEST = HASH_SHA256_BYTES,
	POINT_BYTES = 65, /* 04, x, y */
	MAX_HASHED = TPM_IO_MAX_BYTES + 2 * PID1_TPM_NAME_BYTES + 4,
};

void pid1_tpm_put_bytes(struct pid1_tpm_cmd *c, const void *data, size_t n)
{
	c->bad |= n > sizeof(c->param) - c->n;
	if (c->bad || !n)
		return;
	memcpy(c->param + c->n, data, n);
	c->n += n;
}

void pid1_tpm_put(struct pid1_tpm_cmd *c, uint64_t v, size_t width)
{
	uint8_t b[8];

	for (size_t i = 0; i < width; i++)
		b[i] = (uint8_t)(v >> 8 * (width - 1 - i));
	pid1_tpm_put_bytes(c, b, width);
}

void pid1_tpm_put_2b(struct pid1_tpm_cmd *c, const void *data, size_t n)
{
	pid1_tpm_put(c, n, 2);
	pid1_tpm_put_bytes(c, data, n);
}

const uint8_t *pid1_tpm_2b(struct reader *r, size_t max, size_t *ret_n)
{
	size_t n = reader_u16be(r);

	r->bad |= n > max;
	*ret_n = r->bad ? 0 : n;
	return r->bad ? NULL : reader_bytes(r, n);
}

void pid1_tpm_name(const void *public, size_t n, uint8_t ret[static PID1_TPM_NAME_BYTES])
{
	ret[0] = 0;
	ret[1] = HASH_SHA256;
	hash_sha256(public, n, ret + 2);
}

/* --- keyed hashes ------------------------------------------------------------------------------------------------- */

/* Bytes that are hashed together. Its users are bounded by what fits a command; more is a bug, and then nothing fits. */
struct joined {
	uint8_t b[MAX_HASHED];
	size_t n;
};

static void join(struct joined *j, const void *data, size_t n)
{
	if (n > sizeof(j->b) - j->n)
		n = sizeof(j->b) - j->n;
	memcpy(j->b + j->n, data, n);
	j->n += n;
}

static void join_u32(struct joined *j, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	join(j, b, sizeof(b));
}

/* Key of a session's HMACs and encryption: the session key, then the entity's authValue. */
static size_t session_value(const struct pid1_tpm_session *s, const uint8_t *value, uint8_t ret[static 2 * DIGEST])
{
	memcpy(ret, s->key, DIGEST);
	if (value)
		memcpy(ret + DIGEST, value, DIGEST);
	return value ? 2 * DIGEST : DIGEST;
}

static int hmac(const uint8_t *key, size_t n, const struct joined *j, uint8_t ret[static DIGEST], struct err *e)
{
	return HMAC(EVP_sha256(), key, (int)n, j->b, j->n, ret, NULL) ? 0 : err_set(e, ENOMEM, "HMAC cannot be computed");
}

/* Part 1, 11.4.10.2, one round: 256 bits of @label (its NUL counts), @u, @v. */
static int kdfa(const uint8_t *key, size_t n, const char *label, const uint8_t *uv[2], uint8_t ret[static DIGEST], struct err *e)
{
	struct joined j = { .n = 0 };

	join_u32(&j, 1);
	join(&j, label, strlen(label) + 1);
	join(&j, uv[0], DIGEST);
	join(&j, uv[1], DIGEST);
	join_u32(&j, 8 * DIGEST);
	return hmac(key, n, &j, ret, e);
}

/* AES-128-CFB in place; @newer and @older are the nonces in the order of the direction. */
static int crypt_first(const struct pid1_tpm_cmd *c, uint8_t *data, size_t n, bool encrypt, struct err *e)
{
	const struct pid1_tpm_session *s = c->session;
	const uint8_t *nonces[2] = { encrypt ? s->our_nonce : s->tpm_nonce, encrypt ? s->tpm_nonce : s->our_nonce };
	uint8_t value[2 * DIGEST], key_iv[DIGEST];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int out, r = kdfa(value, session_value(s, c->value, value), "CFB", nonces, key_iv, e);

	if (!r && (!ctx || EVP_CipherInit_ex(ctx, EVP_aes_128_cfb128(), NULL, key_iv, key_iv + 16, encrypt) != 1 ||
		   EVP_CipherUpdate(ctx, data, &out, data, (int)n) != 1))
		r = err_set(e, ENOMEM, "AES cannot be computed");
	EVP_CIPHER_CTX_free(ctx);
	explicit_bzero(value, sizeof(value));
	explicit_bzero(key_iv, sizeof(key_iv));
	return r;
}

/* --- a command and its answer --------------------------------------------------------------------------------------- */

static uint8_t attributes(const struct pid1_tpm_cmd *c)
{
	if (!c->session)
		return 0;
	return (uint8_t)((c->last ? 0 : SESSION_CONTINUE) | (c->hide ? SESSION_DECRYPT : 0) | (c->hidden ? SESSION_ENCRYPT : 0));
}

/* HMAC of a command's or an answer's hash: key as above, the sender's nonce first. */
static int authorise(const struct pid1_tpm_cmd *c, const struct joined *what, const uint8_t *nonces[2], const uint8_t *value,
		     uint8_t ret[static DIGEST], struct err *e)
{
	struct joined j = { .n = DIGEST };
	uint8_t key[2 * DIGEST], attr = attributes(c);
	int r;

	hash_sha256(what->b, what->n, j.b);
	join(&j, nonces[0], DIGEST);
	join(&j, nonces[1], DIGEST);
	join(&j, &attr, 1);
	r = hmac(key, session_value(c->session, value, key), &j, ret, e);
	explicit_bzero(key, sizeof(key));
	return r;
}

static int authorise_command(struct pid1_tpm_cmd *c, uint8_t ret[static DIGEST], struct err *e)
{
	struct pid1_tpm_session *s = c->session;
	const uint8_t *nonces[2] = { s->our_nonce, s->tpm_nonce };
	struct joined j = { .n = 0 };
	int r = 0;

	if (getrandom(s->our_nonce, DIGEST, 0) != DIGEST)
		return err_set(e, EIO, "no random bytes from the kernel");
	if (c->hide)
		r = crypt_first(c, c->param + 2, (size_t)(c->param[0] << 8 | c->param[1]), true, e);
	join_u32(&j, c->code);
	for (size_t i = 0; i < c->n_on; i++) {
		if (c->on[i]->handle >> 24 == 0x40) /* a hierarchy is its own name */
			join_u32(&j, c->on[i]->handle);
		else
			join(&j, c->on[i]->name, PID1_TPM_NAME_BYTES);
	}
	join(&j, c->param, c->n);
	return r ? r : authorise(c, &j, nonces, c->value, ret, e);
}

int pid1_tpm_prepare(struct pid1_tpm_cmd *c, struct pid1_tpm_wire *ret, struct err *e)
{
	struct pid1_tpm_session *s = c->session;
	struct joined w = { .n = 0 };
	uint8_t mac[DIGEST];
	int r = 0;

	if (c->bad)
		return err_set(e, EINVAL, "TPM command 0x%x is too long", (unsigned)c->code);
	if (s)
		r = authorise_command(c, mac, e);
	if (r)
		return r;
	join(&w, c->authorised ? "\x80\x02" : "\x80\x01", 2);
	join_u32(&w, 0); /* size, set by tpm_io_transact() */
	join_u32(&w, c->code);
	for (size_t i = 0; i < c->n_on; i++)
		join_u32(&w, c->on[i]->handle);
	if (c->authorised) {
		const uint8_t attr = attributes(c);

		join_u32(&w, s ? 4 + 2 + DIGEST + 1 + 2 + DIGEST : 9);
		join_u32(&w, s ? s->handle : TPM_RS_PW);
		join(&w, s ? "\0\x20" : "\0", 2);
		join(&w, s ? s->our_nonce : mac, s ? DIGEST : 0);
		join(&w, &attr, 1);
		join(&w, s ? "\0\x20" : "\0", 2);
		join(&w, mac, s ? DIGEST : 0);
	}
	join(&w, c->param, c->n);
	if (w.n > sizeof(ret->b))
		return err_set(e, EINVAL, "TPM command 0x%x is too long", (unsigned)c->code);
	memcpy(ret->b, w.b, w.n);
	ret->n = w.n;
	return 0;
}

/* @r stands behind the parameters @p: nonce, attributes, HMAC of the one session. */
static int check_answer(struct pid1_tpm_cmd *c, struct reader p, struct reader *r, struct err *e)
{
	struct pid1_tpm_session *s = c->session;
	const uint8_t *nonces[2] = { s->tpm_nonce, s->our_nonce }, *nonce, *mac;
	struct joined j = { .n = 0 };
	uint8_t want[DIGEST], attr;
	size_t nonce_bytes, mac_bytes;
	int rc;

	nonce = pid1_tpm_2b(r, DIGEST, &nonce_bytes);
	attr = reader_u8(r);
	mac = pid1_tpm_2b(r, DIGEST, &mac_bytes);
	if (!reader_done(r) || nonce_bytes != DIGEST || mac_bytes != DIGEST || attr != attributes(c))
		return err_set(e, EPROTO, "the TPM's answer to command 0x%x has a malformed session", (unsigned)c->code);
	memcpy(s->tpm_nonce, nonce, DIGEST);
	join_u32(&j, 0);
	join_u32(&j, c->code);
	join(&j, p.p, p.left);
	rc = authorise(c, &j, nonces, c->new_value ? c->new_value : c->value, want, e);
	if (!rc && !hash_equal(want, DIGEST, mac, DIGEST))
		rc = err_set(e, EBADMSG, "the TPM's answer to command 0x%x is not authentic", (unsigned)c->code);
	return rc;
}

int pid1_tpm_run(struct tpm_io *t, struct pid1_tpm_cmd *c, struct reader *ret, struct err *e)
{
	struct pid1_tpm_wire w;
	struct reader r, p;
	int rc;

	t->code = 0;
	rc = pid1_tpm_prepare(c, &w, e);
	rc = rc ? rc : tpm_io_transact(t, w.b, w.n, &r, e);
	explicit_bzero(&w, sizeof(w));
	if (rc)
		return rc;
	if (t->code)
		return err_set(e, EPROTO, "the TPM refused command 0x%x with response code 0x%x", (unsigned)c->code,
			       (unsigned)t->code);
	if (c->gives_handle)
		c->handle = reader_u32be(&r);
	p = c->authorised ? reader_sub(&r, reader_u32be(&r)) : r;
	if (r.bad || p.bad)
		return err_set(e, EPROTO, "the TPM's answer to command 0x%x is cut", (unsigned)c->code);
	if (c->session)
		rc = check_answer(c, p, &r, e);
	if (!rc && c->hidden) {
		struct reader first = p;
		size_t n;
		const uint8_t *data = pid1_tpm_2b(&first, p.left, &n);

		rc = data ? crypt_first(c, t->resp + (data - t->resp), n, false, e) :
			    err_set(e, EPROTO, "the TPM's answer to command 0x%x holds no secret", (unsigned)c->code);
	}
	*ret = p;
	return rc;
}

/* --- the storage root key -------------------------------------------------------------------------------------------- */

/* TPMT_PUBLIC up to its point: ECC, SHA-256, storage key with user auth and without dictionary protection, no policy, AES-128-CFB, P-256. */
static const uint8_t srk_template[] = { 0, 0x23, 0, 0x0b, 0, 0x03, 0x04, 0x72, 0, 0, 0,	   6,	 0,    128,
					0, 0x43, 0, 0x10, 0, 3,	   0,	 0x10 };

static bool take_coordinate(struct reader *r, uint8_t ret[static 32])
{
	size_t n;
	const uint8_t *p = pid1_tpm_2b(r, 32, &n);

	memset(ret, 0, 32);
	if (p)
		memcpy(ret + 32 - n, p, n);
	return p && n;
}

int pid1_tpm_srk_read(struct tpm_io *t, struct pid1_tpm_srk *ret, struct err *e)
{
	struct pid1_tpm_srk k = { .key.handle = PID1_TPM_SRK };
	const struct pid1_tpm_entity *on = &k.key;
	struct pid1_tpm_cmd c = { .code = TPM_CC_READ_PUBLIC, .on = { on }, .n_on = 1 };
	struct reader r, public;
	const uint8_t *fixed;
	int rc = pid1_tpm_run(t, &c, &r, e);

	if (rc)
		return rc;
	public = reader_sub(&r, reader_u16be(&r));
	pid1_tpm_name(public.p, public.left, k.key.name);
	fixed = reader_bytes(&public, sizeof(srk_template));
	/* what others' SRKs may have differently is NODA (bit 10), in byte 6 */
	if (!fixed || memcmp(fixed, srk_template, 6) || (fixed[6] | 4) != srk_template[6] ||
	    memcmp(fixed + 7, srk_template + 7, sizeof(srk_template) - 7) || !take_coordinate(&public, k.x) ||
	    !take_coordinate(&public, k.y) || !reader_done(&public))
		return err_set(e, ENOTSUP, "the TPM's key 0x%x is not a P-256 storage key", PID1_TPM_SRK);
	*ret = k;
	return 0;
}

int pid1_tpm_srk_make(struct tpm_io *t, struct err *e)
{
	static const uint8_t sensitive[] = { 0, 4, 0, 0, 0, 0 }, zeros[32];
	struct pid1_tpm_entity owner = { .handle = PID1_TPM_RH_OWNER }, key = { 0 };
	struct pid1_tpm_cmd c = { .code = TPM_CC_CREATE_PRIMARY, .on = { &owner }, .n_on = 1, .authorised = true, .gives_handle = true };
	struct pid1_tpm_cmd keep = { .code = TPM_CC_EVICT_CONTROL, .on = { &owner, &key }, .n_on = 2, .authorised = true };
	struct reader r;
	int rc;

	pid1_tpm_put_bytes(&c, sensitive, sizeof(sensitive));
	pid1_tpm_put(&c, sizeof(srk_template) + 2 * 34, 2);
	pid1_tpm_put_bytes(&c, srk_template, sizeof(srk_template));
	pid1_tpm_put_2b(&c, zeros, sizeof(zeros));
	pid1_tpm_put_2b(&c, zeros, sizeof(zeros));
	pid1_tpm_put(&c, 0, 6); /* no outside info, no creation PCRs */
	rc = pid1_tpm_run(t, &c, &r, e);
	if (rc)
		return rc;
	key.handle = c.handle;
	pid1_tpm_put(&keep, PID1_TPM_SRK, 4);
	rc = pid1_tpm_run(t, &keep, &r, e);
	pid1_tpm_flush(t, c.handle);
	return rc;
}

/* --- sessions -------------------------------------------------------------------------------------------------------- */

void pid1_tpm_flush(struct tpm_io *t, uint32_t handle)
{
	struct pid1_tpm_cmd c = { .code = TPM_CC_FLUSH_CONTEXT };
	struct err none = ERR_INIT;
	uint32_t code = t->code;
	struct reader r;

	pid1_tpm_put(&c, handle, 4);
	if (pid1_tpm_run(t, &c, &r, &none))
		(void)none; /* at worst it stays until the next reset */
	t->code = code;
}

/* ECDH with a key made for this once: its point, and the salt that follows. */
static int make_salt(const struct pid1_tpm_srk *srk, uint8_t ret_point[static POINT_BYTES], uint8_t ret_salt[static DIGEST],
		     struct err *e)
{
	uint8_t theirs[POINT_BYTES] = { 4 }, z[DIGEST], *mine = NULL;
	EVP_PKEY *key = EVP_EC_gen("P-256"), *peer = EVP_PKEY_new();
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	struct joined j = { .n = 0 };
	size_t n = sizeof(z);
	bool ok;

	memcpy(theirs + 1, srk->x, 32);
	memcpy(theirs + 33, srk->y, 32);
	ok = ctx && peer && EVP_PKEY_copy_parameters(peer, key) == 1 &&
	     EVP_PKEY_set1_encoded_public_key(peer, theirs, sizeof(theirs)) == 1 && EVP_PKEY_derive_init(ctx) == 1 &&
	     EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, z, &n) == 1 && n == sizeof(z) &&
	     EVP_PKEY_get1_encoded_public_key(key, &mine) == POINT_BYTES;
	if (ok) { /* KDFe, one round */
		memcpy(ret_point, mine, POINT_BYTES);
		join_u32(&j, 1);
		join(&j, z, sizeof(z));
		join(&j, "SECRET", 7);
		join(&j, mine + 1, 32);
		join(&j, srk->x, 32);
		hash_sha256(j.b, j.n, ret_salt);
	}
	explicit_bzero(z, sizeof(z));
	explicit_bzero(&j, sizeof(j));
	OPENSSL_free(mine);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(key);
	return ok ? 0 : err_set(e, EIO, "ECDH with the TPM's key 0x%x cannot be computed", PID1_TPM_SRK);
}

int pid1_tpm_begin(struct tpm_io *t, const struct pid1_tpm_srk *srk, bool policy, struct pid1_tpm_session *ret, struct err *e)
{
	static const uint8_t aes_cfb[] = { 0, 6, 0, 128, 0, 0x43 };
	const struct pid1_tpm_entity none = { .handle = PID1_TPM_RH_NULL };
	struct pid1_tpm_cmd c = { .code = TPM_CC_START_AUTH_SESSION, .on = { &srk->key, &none }, .n_on = 2, .gives_handle = true };
	struct pid1_tpm_session s = { 0 };
	const uint8_t *nonces[2] = { s.tpm_nonce, s.our_nonce }, *nonce;
	uint8_t point[POINT_BYTES], salt[DIGEST];
	struct reader r;
	size_t n;
	int rc = make_salt(srk, point, salt, e);

	if (rc)
		return rc;
	if (getrandom(s.our_nonce, DIGEST, 0) != DIGEST)
		return err_set(e, EIO, "no random bytes from the kernel");
	pid1_tpm_put_2b(&c, s.our_nonce, DIGEST);
	pid1_tpm_put(&c, 2 * 34, 2);
	pid1_tpm_put_2b(&c, point + 1, 32);
	pid1_tpm_put_2b(&c, point + 33, 32);
	pid1_tpm_put(&c, policy, 1);
	pid1_tpm_put_bytes(&c, aes_cfb, sizeof(aes_cfb));
	pid1_tpm_put(&c, HASH_SHA256, 2);
	rc = pid1_tpm_run(t, &c, &r, e);
	if (!rc) {
		s.handle = c.handle;
		nonce = pid1_tpm_2b(&r, DIGEST, &n);
		if (!reader_done(&r) || n != DIGEST)
			rc = err_set(e, EPROTO, "the TPM began a session without a nonce of %d bytes", DIGEST);
		else
			memcpy(s.tpm_nonce, nonce, DIGEST);
		rc = rc ? rc : kdfa(salt, DIGEST, "ATH", nonces, s.key, e);
		if (rc)
			pid1_tpm_end(t, &s);
	}
	explicit_bzero(salt, sizeof(salt));
	if (!rc)
		*ret = s;
	return rc;
}

void pid1_tpm_end(struct tpm_io *t, struct pid1_tpm_session *s)
{
	if (s->handle)
		pid1_tpm_flush(t, s->handle);
	explicit_bzero(s, sizeof(*s));
}
