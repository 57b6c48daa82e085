/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/report.c - a host that goes to its verifier: enrol once, then show evidence and take the result */
#include "attest/report.h"

#include "common/clock.h"

#include "attest/enrolment.h"
#include "attest/message.h"
#include "attest/net.h"
#include "attest/stream.h"
#include "attest/tpm.h"

#include <openssl/x509v3.h>
#include <string.h>

#define PIECE_BYTES     16384
#define TICKET_GOOD_MS  30000 /* half of what the verifier gives: making evidence takes time, too */
#define STATUS_OK       200
#define STATUS_STRANGER 404
#define STATUS_TICKET   409

static struct bytes view(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

/* ---- the connection ---------------------------------------------------------------------------------------------- */

static int expect_name(SSL *ssl, const char *name, struct err *e)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
		return 0;
	if (SSL_set1_host(ssl, name) != 1 || SSL_set_tlsext_host_name(ssl, name) != 1)
		return pki_openssl_error(e, EINVAL, "cannot expect the verifier's name");
	return 0;
}

int report_connect(struct report *r, const char *name, struct err *e)
{
	int rc;

	report_close(r);
	rc = net_host(r->where, r->host, e);
	if (rc || (rc = net_connect(r->where, r->timeout_ms, &r->fd, e)))
		return rc;
	r->ssl = SSL_new(r->tls);
	if (!r->ssl || SSL_set_fd(r->ssl, r->fd) != 1)
		return pki_openssl_error(e, ENOMEM, "no memory for TLS");
	SSL_set_connect_state(r->ssl);
	rc = expect_name(r->ssl, name ? name : r->host, e);
	return rc ? rc : attest_stream_handshake((struct stream){r->fd, r->ssl}, r->timeout_ms, e);
}

void report_close(struct report *r)
{
	if (r->ssl)
		(void)SSL_shutdown(r->ssl); /* says goodbye if it can be said at once */
	if (r->fd >= 0)
		(void)close(r->fd); /* everything that counts was answered */
	SSL_free(r->ssl);
	r->ssl = NULL;
	r->fd = -1;
	buf_free(&r->in);
	buf_free(&r->ticket);
	r->used = 0;
}

/* Read until head and body of an answer are whole. */
static int receive(struct report *r, struct http_response *ret, struct bytes *ret_body, struct err *e)
{
	int64_t until = clock_ms(CLOCK_BOOTTIME) + r->timeout_ms;
	uint8_t piece[PIECE_BYTES];

	for (;;) {
		int head = http_response_parse(r->in.data, r->in.len, REPORT_MAX_ANSWER_BYTES, ret, e), rc;
		int64_t left = until - clock_ms(CLOCK_BOOTTIME);
		size_t n = 0;

		if (head < 0)
			return head;
		if (head && r->in.len >= (size_t)head + ret->body_bytes) {
			*ret_body = (struct bytes){r->in.data + head, ret->body_bytes};
			r->used = (size_t)head + ret->body_bytes;
			return 0;
		}
		rc = attest_stream_read((struct stream){r->fd, r->ssl}, left > 0 ? (int)left : 0, piece, sizeof(piece), &n,
					e);
		if (rc)
			return rc;
		buf_put(&r->in, piece, n);
		if (r->in.bad)
			return err_set(e, ENOMEM, "no memory for an answer");
	}
}

int report_ask(struct report *r, const struct report_question *q, struct http_response *ret, struct bytes *ret_body,
	       struct err *e)
{
	cleanup_buf struct buf out = BUF_INIT;
	int rc;

	if (r->used) {
		memmove(r->in.data, r->in.data + r->used, r->in.len - r->used);
		r->in.len -= r->used;
		r->used = 0;
	}
	http_put_request(&out, q->method, q->path, r->host, q->body.n);
	buf_put(&out, q->body.p, q->body.n);
	if (out.bad)
		return err_set(e, ENOMEM, "no memory for a request");
	rc = attest_stream_write((struct stream){r->fd, r->ssl}, r->timeout_ms, out.data, out.len, e);
	if (!rc)
		rc = receive(r, ret, ret_body, e);
	return rc ? err_context(e, "%s %s", r->where, q->path) : 0;
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

/* What the verifier said in words, made printable. */
static int refused(const struct report_question *q, const struct http_response *h, struct bytes body, struct err *e)
{
	char text[160];
	size_t n = 0;

	for (; n < body.n && n < sizeof(text) - 1 && body.p[n] != '\n'; n++)
		text[n] = body.p[n] >= 0x20 && body.p[n] <= 0x7e ? (char)body.p[n] : '?';
	text[n] = '\0';
	return err_set(e, EBADMSG, "%s: the verifier answers %u: %s", q->path, h->status, text);
}

/* Ask; an answer of status 200 must be of kind @want. Return: the status, or -errno. */
static int ask(struct report *r, const struct report_question *q, enum message_kind want, struct message *ret,
	       struct err *e)
{
	struct http_response h;
	struct bytes body;
	int rc = report_ask(r, q, &h, &body, e);

	if (rc)
		return rc;
	if (h.status != STATUS_OK) {
		rc = refused(q, &h, body, e);
		return h.status == STATUS_STRANGER || h.status == STATUS_TICKET ? (int)h.status : rc;
	}
	rc = message_parse(MESSAGE_SERVICE_ANSWER, body.p, body.n, ret, e);
	if (!rc && ret->kind != want)
		rc = err_set(e, EPROTO, "%s: the answer is \"%s\", wanted \"%s\"", q->path, message_kind_str(ret->kind),
			     message_kind_str(want));
	return rc ? rc : STATUS_OK;
}

static int keep_ticket(struct report *r, struct bytes ticket, struct err *e)
{
	r->ticket.len = 0;
	buf_put(&r->ticket, ticket.p, ticket.n);
	r->ticket_ms = clock_ms(CLOCK_BOOTTIME);
	return r->ticket.bad ? err_set(e, ENOMEM, "no memory for a ticket") : 0;
}

static int need_ticket(struct report *r, struct err *e)
{
	const struct report_question q = {.method = HTTP_GET, .path = "/v1/ticket"};
	struct message m;
	int rc;

	if (r->ticket.len && clock_ms(CLOCK_BOOTTIME) - r->ticket_ms < TICKET_GOOD_MS)
		return 0;
	rc = ask(r, &q, MESSAGE_TICKET, &m, e);
	if (rc != STATUS_OK)
		return rc < 0 ? rc : -EBADMSG;
	return keep_ticket(r, m.field[0], e);
}

/* ---- enrolment and evidence -------------------------------------------------------------------------------------- */

/* What an enrolment in progress adds to the evidence. */
struct proof {
	struct buf token;
	struct buf credential;
};

static void proof_free(struct proof *p)
{
	buf_free(&p->token);
	buf_free(&p->credential);
}
#define cleanup_proof __attribute__((cleanup(proof_free)))

/* The challenge @m, opened by the TPM. */
static int open_challenge(struct report *r, const struct message *m, struct proof *ret, struct err *e)
{
	struct attest_tpm *tpm;
	int rc = attest_agent_tpm(r->agent, &tpm, e);

	if (!rc)
		rc = keep_ticket(r, m->field[3], e);
	if (!rc)
		rc = attest_tpm_activate(tpm, &m->field[0], &m->field[1], &ret->credential, e);
	buf_put(&ret->token, m->field[2].p, m->field[2].n);
	return !rc && ret->token.bad ? err_set(e, ENOMEM, "no memory for a token") : rc;
}

static int enrol(struct report *r, struct proof *ret, struct err *e)
{
	cleanup_buf struct buf ek = BUF_INIT, certificate = BUF_INIT, ak = BUF_INIT, request = BUF_INIT;
	struct message m = {.kind = MESSAGE_ENROL}, answer;
	struct report_question q = {.method = HTTP_POST, .path = "/v1/enrol"};
	struct attest_tpm *tpm;
	int rc = attest_agent_tpm(r->agent, &tpm, e);

	if (!rc)
		rc = attest_tpm_identity(tpm, &ek, &certificate, &ak, e);
	m.field[0] = view(&ek);
	m.field[1] = view(&certificate);
	m.field[2] = view(&ak);
	if (!rc)
		rc = message_encode(&m, &request, e);
	if (rc)
		return rc;
	q.body = view(&request);
	rc = ask(r, &q, MESSAGE_CHALLENGE, &answer, e);
	if (rc != STATUS_OK)
		return rc < 0 ? rc : -EBADMSG;
	return open_challenge(r, &answer, ret, e);
}

static int who_we_are(struct report *r, uint8_t ret[static HASH_SHA256_BYTES], struct err *e)
{
	cleanup_buf struct buf ek = BUF_INIT, certificate = BUF_INIT, ak = BUF_INIT;
	struct attest_tpm *tpm;
	int rc = attest_agent_tpm(r->agent, &tpm, e);

	if (!rc)
		rc = attest_tpm_identity(tpm, &ek, &certificate, &ak, e);
	return rc ? rc : enrolment_identity(ek.data, ek.len, ret, e);
}

/* Evidence over a ticket, with @proof if it is not NULL. Return: status or -errno. */
static int show(struct report *r, const struct proof *proof, struct report_result *ret, struct err *e)
{
	cleanup_buf struct buf evidence = BUF_INIT, request = BUF_INIT;
	struct message m = {.kind = MESSAGE_ATTEST}, answer;
	struct report_question q = {.method = HTTP_POST, .path = "/v1/attest"};
	uint8_t identity[HASH_SHA256_BYTES], nonce[EVIDENCE_NONCE_BYTES];
	int rc;

	if ((rc = who_we_are(r, identity, e)) || (rc = need_ticket(r, e)))
		return rc;
	ticket_nonce(view(&r->ticket), nonce);
	rc = attest_agent_evidence(r->agent, nonce, &evidence, e);
	if (rc)
		return rc;
	m.field[0] = view(&r->ticket);
	m.field[1] = (struct bytes){identity, sizeof(identity)};
	m.field[2] = view(&evidence);
	m.field[3] = proof ? view(&proof->token) : (struct bytes){0};
	m.field[4] = proof ? view(&proof->credential) : (struct bytes){0};
	rc = message_encode(&m, &request, e);
	if (rc)
		return rc;
	q.body = view(&request);
	rc = ask(r, &q, MESSAGE_RESULT, &answer, e);
	r->ticket.len = 0; /* used */
	if (rc != STATUS_OK)
		return rc;
	ret->accepted = answer.field[0].n == 6 && !memcmp(answer.field[0].p, "ACCEPT", 6);
	ret->ear.len = 0;
	buf_put(&ret->ear, answer.field[1].p, answer.field[1].n);
	if (ret->ear.bad)
		return err_set(e, ENOMEM, "no memory for a result");
	rc = keep_ticket(r, answer.field[2], e);
	return rc ? rc : STATUS_OK;
}

int report_once(struct report *r, struct report_result *ret, struct err *e)
{
	cleanup_proof struct proof proof = {BUF_INIT, BUF_INIT};
	int rc = show(r, NULL, ret, e);

	ret->enrolled = false;
	if (rc == STATUS_TICKET)
		rc = show(r, NULL, ret, e);
	if (rc == STATUS_STRANGER) {
		rc = enrol(r, &proof, e);
		if (!rc)
			rc = show(r, &proof, ret, e);
		ret->enrolled = rc == STATUS_OK;
	}
	if (rc == -EIO)
		attest_agent_close(r->agent);
	return rc == STATUS_OK ? 0 : rc < 0 ? rc : -EBADMSG;
}
