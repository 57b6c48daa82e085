/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/ticket.c - freshness without state: what the verifier gave out comes back sealed */
#include "attest/ticket.h"

#include "common/pki.h"
#include "common/reader.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#define KEY_BYTES   32
#define ID_BYTES    4
#define AAD_BYTES   (ID_BYTES + 1)
#define IV_BYTES    12
#define TIME_BYTES  8
#define TAG_BYTES   16
#define PLAIN_BYTES (TIME_BYTES + TICKET_MAX_CONTENT_BYTES)
_Static_assert(TICKET_OVERHEAD_BYTES == AAD_BYTES + IV_BYTES + TIME_BYTES + TAG_BYTES, "the drawing in the header");

struct ticket_key {
	bool there;
	int64_t since_ms;
	uint8_t id[ID_BYTES];
	uint8_t key[KEY_BYTES];
};

struct ticket_box {
	pthread_mutex_t lock;
	int64_t lifetime_ms;
	EVP_CIPHER *gcm; /* fetched once: that costs as much as using it */
	struct ticket_key now, before;
};

static bool new_key(struct ticket_key *k, int64_t now_ms)
{
	k->since_ms = now_ms;
	k->there = RAND_bytes(k->id, sizeof(k->id)) == 1 && RAND_bytes(k->key, sizeof(k->key)) == 1;
	return k->there;
}

struct ticket_box *ticket_box_new(int64_t lifetime_ms)
{
	struct ticket_box *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->lifetime_ms = lifetime_ms;
	b->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (!b->gcm) {
		free(b);
		return NULL;
	}
	(void)pthread_mutex_init(&b->lock, NULL); /* cannot fail with default attributes */
	return b;
}

void ticket_box_free(struct ticket_box *b)
{
	if (!b)
		return;
	(void)pthread_mutex_destroy(&b->lock); /* nobody holds it */
	EVP_CIPHER_free(b->gcm);
	OPENSSL_cleanse(b, sizeof(*b));
	free(b);
}

/* The key to seal with at @now_ms. Keys older than a lifetime become the one before; what that opened is expired. */
static bool sealing_key(struct ticket_box *b, int64_t now_ms, struct ticket_key *ret)
{
	bool ok = true;

	(void)pthread_mutex_lock(&b->lock); /* a plain mutex, never taken twice: cannot fail, here and below */
	if (!b->now.there || now_ms - b->now.since_ms >= b->lifetime_ms) {
		b->before = b->now;
		ok = new_key(&b->now, now_ms);
	}
	*ret = b->now;
	(void)pthread_mutex_unlock(&b->lock);
	return ok;
}

static bool opening_key(struct ticket_box *b, const uint8_t *id, struct ticket_key *ret)
{
	bool found = true;

	(void)pthread_mutex_lock(&b->lock);
	if (b->now.there && !memcmp(b->now.id, id, ID_BYTES))
		*ret = b->now;
	else if (b->before.there && !memcmp(b->before.id, id, ID_BYTES))
		*ret = b->before;
	else
		found = false;
	(void)pthread_mutex_unlock(&b->lock);
	return found;
}

/* @head: the associated data, then the IV. */
static bool encrypt(const EVP_CIPHER *gcm, const struct ticket_key *k, const uint8_t *head, uint8_t *text, size_t n,
		    uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int out = 0;
	bool ok = ctx && EVP_EncryptInit_ex2(ctx, gcm, k->key, head + AAD_BYTES, NULL) == 1 &&
		  EVP_EncryptUpdate(ctx, NULL, &out, head, AAD_BYTES) == 1 &&
		  EVP_EncryptUpdate(ctx, text, &out, text, (int)n) == 1 && (size_t)out == n &&
		  EVP_EncryptFinal_ex(ctx, text + n, &out) == 1 &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static bool decrypt(const EVP_CIPHER *gcm, const struct ticket_key *k, const uint8_t *head, uint8_t *text, size_t n,
		    const uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int out = 0;
	bool ok = ctx && EVP_DecryptInit_ex2(ctx, gcm, k->key, head + AAD_BYTES, NULL) == 1 &&
		  EVP_DecryptUpdate(ctx, NULL, &out, head, AAD_BYTES) == 1 &&
		  EVP_DecryptUpdate(ctx, text, &out, text, (int)n) == 1 && (size_t)out == n &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, (void *)(uintptr_t)tag) == 1 &&
		  EVP_DecryptFinal_ex(ctx, text + n, &out) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

int ticket_seal(struct ticket_box *b, enum ticket_kind kind, int64_t now_ms, struct bytes content, struct buf *ret,
		struct err *e)
{
	uint8_t head[AAD_BYTES + IV_BYTES], plain[PLAIN_BYTES + TAG_BYTES], tag[TAG_BYTES];
	struct ticket_key k;
	bool ok;

	if (content.n > TICKET_MAX_CONTENT_BYTES)
		return err_set(e, E2BIG, "a ticket of %zu bytes, at most %d are sealed", content.n,
			       TICKET_MAX_CONTENT_BYTES);
	ok = sealing_key(b, now_ms, &k) && RAND_bytes(head + AAD_BYTES, IV_BYTES) == 1;
	memcpy(head, k.id, ID_BYTES);
	head[ID_BYTES] = (uint8_t)kind;
	for (int i = 0; i < TIME_BYTES; i++)
		plain[i] = (uint8_t)((uint64_t)now_ms >> (56 - 8 * i));
	if (content.n)
		memcpy(plain + TIME_BYTES, content.p, content.n);
	ok = ok && encrypt(b->gcm, &k, head, plain, TIME_BYTES + content.n, tag);
	OPENSSL_cleanse(&k, sizeof(k));
	if (!ok)
		return pki_openssl_error(e, EIO, "cannot seal a ticket");
	buf_put(ret, head, sizeof(head));
	buf_put(ret, plain, TIME_BYTES + content.n);
	buf_put(ret, tag, sizeof(tag));
	return ret->bad ? err_set(e, ENOMEM, "no memory for a ticket") : 0;
}

static int not_ours(struct err *e)
{
	return err_set(e, EBADMSG, "the ticket is not one of ours, or the verifier was started again since: ask for another");
}

int ticket_open(struct ticket_box *b, enum ticket_kind kind, int64_t now_ms, struct bytes ticket,
		struct buf *ret_content, struct err *e)
{
	uint8_t plain[PLAIN_BYTES + TAG_BYTES];
	size_t n = ticket.n - TICKET_OVERHEAD_BYTES; /* of the content; used after the check */
	struct ticket_key k;
	struct reader r;
	int64_t issued;
	bool ok;

	if (ticket.n < TICKET_OVERHEAD_BYTES || n > TICKET_MAX_CONTENT_BYTES || ticket.p[ID_BYTES] != kind ||
	    !opening_key(b, ticket.p, &k))
		return not_ours(e);
	memcpy(plain, ticket.p + AAD_BYTES + IV_BYTES, TIME_BYTES + n);
	ok = decrypt(b->gcm, &k, ticket.p, plain, TIME_BYTES + n, ticket.p + ticket.n - TAG_BYTES);
	OPENSSL_cleanse(&k, sizeof(k));
	if (!ok)
		return not_ours(e);
	r = reader_init(plain, TIME_BYTES);
	issued = (int64_t)reader_u64be(&r);
	if (now_ms < issued || now_ms - issued > b->lifetime_ms)
		return err_set(e, EBADMSG, "the ticket is %lld s old, it was good for %lld: ask for another",
			       (long long)(now_ms - issued) / 1000, (long long)b->lifetime_ms / 1000);
	if (ret_content)
		buf_put(ret_content, plain + TIME_BYTES, n);
	OPENSSL_cleanse(plain, sizeof(plain));
	return ret_content && ret_content->bad ? err_set(e, ENOMEM, "no memory for a ticket") : 0;
}

void ticket_nonce(struct bytes ticket, uint8_t ret[static EVIDENCE_NONCE_BYTES])
{
	static const char label[] = "holdfast-ticket/1"; /* hashed with its NUL */
	uint8_t text[sizeof(label) + TICKET_MAX_BYTES];
	size_t n = ticket.n < TICKET_MAX_BYTES ? ticket.n : TICKET_MAX_BYTES; /* longer ones are not ours anyway */

	memcpy(text, label, sizeof(label));
	memcpy(text + sizeof(label), ticket.p, n);
	hash_sha256(text, sizeof(label) + n, ret);
}
