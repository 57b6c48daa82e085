/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/client.c - the verifier's questions: who are you, prove it, show me */
#include "attest/client.h"

#include "attest/believe.h"
#include "attest/credential.h"
#include "attest/message.h"
#include "attest/net.h"
#include "attest/quote.h"
#include "attest/stream.h"
#include "attest/tls.h"

#include <openssl/rand.h>
#include <string.h>

#define SCHEME        "unix:"
#define SCHEME_TLS    "tls:"
#define MAX_STRANGERS 4

/* TLS over what net_connect() knows; the host's key is learned here and believed by its evidence. */
static int connect_tls(const char *where, int timeout_ms, struct client_connection *c, struct err *e)
{
	cleanup_ssl_ctx SSL_CTX *ctx = NULL;
	int rc = tls_asker_ctx(&ctx, e);

	if (!rc)
		rc = net_connect(where, timeout_ms, &c->fd, e);
	if (rc)
		return rc;
	c->stream = (struct stream){c->fd, SSL_new(ctx)};
	if (!c->stream.tls || SSL_set_fd(c->stream.tls, c->fd) != 1)
		return pki_openssl_error(e, ENOMEM, "no memory for TLS");
	SSL_set_connect_state(c->stream.tls);
	rc = attest_stream_handshake(c->stream, timeout_ms, e);
	if (!rc)
		rc = tls_peer_digest(c->stream.tls, c->channel_key, e);
	c->has_key = !rc;
	return rc;
}

int attest_client_connect(const char *where, int timeout_ms, struct client_connection *ret, struct err *e)
{
	int rc;

	if (!strncmp(where, SCHEME_TLS, strlen(SCHEME_TLS)))
		return connect_tls(where + strlen(SCHEME_TLS), timeout_ms, ret, e);
	if (strncmp(where, SCHEME, strlen(SCHEME)) != 0)
		return err_set(e, EINVAL, "\"%s\" is no address we know: wanted unix:PATH or tls:HOST:PORT", where);
	rc = attest_stream_connect(where + strlen(SCHEME), timeout_ms, &ret->fd, e);
	ret->stream = STREAM_FD(ret->fd);
	return rc;
}

void client_connection_close(struct client_connection *c)
{
	SSL_free(c->stream.tls);
	if (c->fd >= 0)
		(void)close(c->fd); /* nothing is under way */
	*c = (struct client_connection){.fd = -1};
}

/**
 * struct conversation - one connection
 * @timeout_ms: for each answer
 * @key:        what evidence must be bound to, or NULL
 * @storage:    the last answer's bytes; @answer views them
 */
struct conversation {
	struct stream s;
	int timeout_ms;
	const uint8_t *key;
	struct buf storage;
	struct message answer;
};

static void conversation_free(struct conversation *c)
{
	buf_free(&c->storage);
}
#define cleanup_conversation __attribute__((cleanup(conversation_free)))

/* Evidence over another nonce. What cannot be read is not for us to judge: it is taken for the answer. */
static bool is_for_another_nonce(const struct conversation *c, const struct message *question)
{
	const struct message *answer = &c->answer;
	struct err ignored = ERR_INIT;
	struct evidence ev;
	struct quote quote;
	uint8_t binding[HASH_SHA256_BYTES];

	if (question->kind != MESSAGE_ASK_EVIDENCE || answer->kind != MESSAGE_EVIDENCE)
		return false;
	if (evidence_parse(answer->field[0].p, answer->field[0].n, &ev, &ignored) < 0 ||
	    quote_parse(ev.attest, &quote, &ignored) < 0)
		return false;
	if (c->key)
		evidence_channel_binding(question->field[0].p, c->key, &ev, binding);
	else
		evidence_binding(question->field[0].p, &ev, binding);
	return !hash_equal(quote.extra, sizeof(quote.extra), binding, sizeof(binding));
}

static int receive(struct conversation *c, struct err *e)
{
	int rc = attest_stream_recv(c->s, c->timeout_ms, c->timeout_ms, &c->storage, e);

	return rc < 0 ? rc : message_parse(MESSAGE_ANSWER, c->storage.data, c->storage.len, &c->answer, e);
}

/*
 * One question and its answer, which must be of kind @want. A port does not tell its guest's agent that one verifier
 * went and another came: the answer to a question whose asker gave up goes to whoever is there. So answers that are
 * plainly to another question are passed over, a few times.
 */
static int ask(struct conversation *c, const struct message *question, enum message_kind want, struct err *e)
{
	cleanup_buf struct buf request = BUF_INIT;
	const char *op = message_kind_str(question->kind);
	int strangers = 0;
	int rc = message_encode(question, &request, e);

	if (rc < 0)
		return rc;
	rc = attest_stream_send(c->s, c->timeout_ms, request.data, request.len, e);
	while (rc == 0 && (rc = receive(c, e)) == 0) {
		if (c->answer.kind == MESSAGE_ERROR)
			return err_set(e, EREMOTEIO, "%s: the agent says: %.*s", op, (int)c->answer.field[0].n,
				       (const char *)c->answer.field[0].p);
		if (c->answer.kind == want && !is_for_another_nonce(c, question))
			return 0;
		if (++strangers > MAX_STRANGERS)
			return err_set(e, EPROTO, "%s: %d answers came to questions that we did not ask", op,
				       strangers);
	}
	return strangers ? err_context(e, "%s, after %d answers to questions that we did not ask", op, strangers)
			 : err_context(e, "%s", op);
}

/* Steps 4 and 5. */
static int prove(struct stream s, int timeout_ms, const struct believed *b, struct err *e)
{
	cleanup_conversation struct conversation c = {.s = s, .timeout_ms = timeout_ms};
	cleanup_buf struct buf blob = BUF_INIT, secret = BUF_INIT;
	struct message question = {.kind = MESSAGE_ACTIVATE};
	uint8_t credential[CREDENTIAL_MAX_BYTES];
	int rc;

	if (RAND_bytes(credential, sizeof(credential)) != 1)
		return pki_openssl_error(e, EIO, "no random numbers");
	rc = credential_make(b->ek.key, b->ak.name, (struct bytes){credential, sizeof(credential)}, &blob, &secret, e);
	if (rc < 0)
		return rc;
	question.field[0] = (struct bytes){blob.data, blob.len};
	question.field[1] = (struct bytes){secret.data, secret.len};
	rc = ask(&c, &question, MESSAGE_ACTIVATED, e);
	if (rc == -EREMOTEIO) {
		e->code = EBADMSG;
		return err_context(e, "the host did not prove that its AK lives in the TPM of its EK");
	}
	if (rc < 0)
		return rc;
	if (!hash_equal(c.answer.field[0].p, c.answer.field[0].n, credential, sizeof(credential)))
		return err_set(
			e, EBADMSG,
			"the host did not prove that its AK lives in the TPM of its EK: it returned another secret");
	return 0;
}

int attest_client_enrol(struct stream s, const struct client_params *p, struct enrolment *ret, struct err *e)
{
	cleanup_believed struct believed b = {0};
	cleanup_conversation struct conversation c = {.s = s, .timeout_ms = p->timeout_ms};
	const struct message question = {.kind = MESSAGE_IDENTIFY};
	struct believe_input in = {.roots = p->ek_roots,
				   .provider_roots = p->provider_roots,
				   .revoked = p->revoked,
				   .now_s = p->now_s};
	int rc;

	if (!p->ek_roots + !p->provider_roots + !p->ek_sha256 != 2)
		return err_set(e, EINVAL,
			       "an EK is believed by pinned roots (of makers or of providers) or by its digest: one of the two must be given");
	rc = ask(&c, &question, MESSAGE_IDENTITY, e);
	if (rc < 0)
		return rc;
	in.ek_public = c.answer.field[0];
	in.ek_certificate = c.answer.field[1];
	in.ak_public = c.answer.field[2];
	in.pinned = (const void *)p->ek_sha256;
	in.n_pinned = p->ek_sha256 ? 1 : 0;
	rc = believe_keys(&in, &b, e);
	if (rc == 0)
		rc = prove(s, p->timeout_ms, &b, e);
	if (rc == 0)
		*ret = b.record;
	return rc;
}

int attest_client_evidence(const struct client_connection *by, int timeout_ms, const uint8_t nonce[static EVIDENCE_NONCE_BYTES], struct buf *ret,
			   struct err *e)
{
	cleanup_conversation struct conversation c = {
		.s = by->stream, .timeout_ms = timeout_ms, .key = by->has_key ? by->channel_key : NULL};
	struct message question = {.kind = MESSAGE_ASK_EVIDENCE};
	int rc;

	question.field[0] = (struct bytes){nonce, EVIDENCE_NONCE_BYTES};
	rc = ask(&c, &question, MESSAGE_EVIDENCE, e);
	if (rc < 0)
		return rc;
	buf_put(ret, c.answer.field[0].p, c.answer.field[0].n);
	return ret->bad ? err_set(e, ENOMEM, "no memory for the evidence") : 0;
}
