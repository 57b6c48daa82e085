/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/service.c - the verifier's service: what each request is answered with */
#include "attest/service.h"

#include "attest/believe.h"
#include "attest/credential.h"
#include "attest/message.h"
#include "common/hex.h"
#include "common/reader.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define TYPE_CBOR    "application/cbor"
#define TYPE_JWT     "application/eat+jwt"
#define TYPE_JSON    "application/json"
#define TYPE_TEXT    "text/plain; charset=utf-8"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define RESULT_PATH  "/v1/result/"

/* A set in use; the last user frees it. */
struct shared_set {
	atomic_size_t users;
	struct judge_set set;
};

struct service {
	pthread_mutex_t lock; /* of @set, the pointer */
	struct shared_set *set;
	struct hosts *hosts;
	struct ticket_box *tickets;
	struct ear_key ear_key;
	const char *ek_roots;
	const char *provider_roots;
	const uint8_t (*ek_pinned)[HASH_SHA256_BYTES];
	size_t n_ek_pinned;
	atomic_ullong count[SERVICE_COUNTS_];
};

/* ---- life -------------------------------------------------------------------------------------------------------- */

static struct shared_set *set_get(struct service *s)
{
	struct shared_set *set;

	(void)pthread_mutex_lock(&s->lock); /* a plain mutex, never taken twice: cannot fail, here and below */
	set = s->set;
	atomic_fetch_add(&set->users, 1);
	(void)pthread_mutex_unlock(&s->lock);
	return set;
}

static void set_put(struct shared_set *set)
{
	if (set && atomic_fetch_sub(&set->users, 1) == 1) {
		judge_set_free(&set->set);
		free(set);
	}
}

/* @set is taken, and freed if there is no memory. */
static struct shared_set *set_share(struct judge_set *set)
{
	struct shared_set *shared = calloc(1, sizeof(*shared));

	if (shared) {
		shared->set = *set;
		atomic_init(&shared->users, 1);
		*set = (struct judge_set){0};
	}
	judge_set_free(set);
	return shared;
}

int service_new(struct service_params *p, struct service **ret, struct err *e)
{
	struct service *s = calloc(1, sizeof(*s));
	struct err ignored = ERR_INIT; /* of closing what never did anything */
	int rc = 0;

	if (!s) {
		judge_set_free(&p->set);
		ear_key_free(&p->ear_key);
		return err_set(e, ENOMEM, "no memory for the service");
	}
	(void)pthread_mutex_init(&s->lock, NULL); /* cannot fail with default attributes */
	s->ear_key = p->ear_key;
	p->ear_key = (struct ear_key){0};
	s->ek_roots = p->ek_roots;
	s->provider_roots = p->provider_roots;
	s->ek_pinned = p->ek_pinned;
	s->n_ek_pinned = p->n_ek_pinned;
	s->set = set_share(&p->set);
	s->tickets = ticket_box_new(SERVICE_TICKET_MS);
	if (!s->set || !s->tickets)
		rc = err_set(e, ENOMEM, "no memory for the service");
	if (!rc)
		rc = hosts_open(p->state_path, p->max_hosts, &s->hosts, e);
	if (rc) {
		(void)service_free(s, &ignored);
		return rc;
	}
	*ret = s;
	return 0;
}

int service_free(struct service *s, struct err *e)
{
	int rc;

	if (!s)
		return 0;
	rc = hosts_close(s->hosts, e);
	set_put(s->set);
	ticket_box_free(s->tickets);
	ear_key_free(&s->ear_key);
	(void)pthread_mutex_destroy(&s->lock); /* nobody holds it */
	free(s);
	return rc;
}

void service_reload(struct service *s, struct judge_set *set)
{
	struct shared_set *fresh = set_share(set), *old;

	service_count(s, fresh ? SERVICE_RELOADS : SERVICE_RELOADS_FAILED);
	if (!fresh)
		return;
	(void)pthread_mutex_lock(&s->lock);
	old = s->set;
	s->set = fresh;
	(void)pthread_mutex_unlock(&s->lock);
	set_put(old);
}

struct hosts *service_hosts(struct service *s)
{
	return s->hosts;
}

void service_count(struct service *s, enum service_count what)
{
	atomic_fetch_add_explicit(&s->count[what], 1, memory_order_relaxed);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* A sentence, with its line for the log if @event. */
static void say(struct service_answer *a, unsigned status, const char *event, const char *sentence)
{
	a->status = status;
	a->type = TYPE_TEXT;
	a->body.len = 0;
	buf_printf(&a->body, "%s\n", sentence);
	if (!event)
		return;
	a->log.len = 0;
	buf_printf(&a->log, "\"event\":\"%s\",\"status\":%u,\"why\":\"", event, status);
	for (; *sentence; sentence++)
		buf_printf(&a->log, *sentence < 0x20 || *sentence > 0x7e ? "?" : *sentence == '"' || *sentence == '\\' ? "'" :
			   "%c", *sentence);
	buf_str(&a->log, "\"");
}

static void fail(struct service_answer *a, int rc, const struct err *e)
{
	say(a, rc == -EBADMSG || rc == -EINVAL || rc == -E2BIG ? 403 : 503, "refused", e->msg);
}

static void send_message(struct service_answer *a, const struct message *m)
{
	struct err e = ERR_INIT;

	a->status = 200;
	a->type = TYPE_CBOR;
	if (message_encode(m, &a->body, &e))
		say(a, 503, "failed", e.msg);
}

static struct bytes view(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

static int new_ticket(struct service *s, const struct service_request *r, struct buf *ret, struct err *e)
{
	service_count(s, SERVICE_TICKETS);
	return ticket_seal(s->tickets, TICKET_CHALLENGE, r->mono_ms, (struct bytes){0}, ret, e);
}

static void answer_ticket(struct service *s, const struct service_request *r, struct service_answer *a)
{
	cleanup_buf struct buf ticket = BUF_INIT;
	struct message m = {.kind = MESSAGE_TICKET};
	struct err e = ERR_INIT;

	if (new_ticket(s, r, &ticket, &e)) {
		say(a, 503, "failed", e.msg);
		return;
	}
	m.field[0] = view(&ticket);
	send_message(a, &m);
}

/* ---- enrolment --------------------------------------------------------------------------------------------------- */

/* The content of a token: SHA-256 of the credential, why the EK is believed, its certificate's id, then both public areas with their sizes. */
static void put_token(const struct enrolment *rec, const uint8_t *credential, struct buf *out)
{
	uint8_t digest[HASH_SHA256_BYTES];

	hash_sha256(credential, CREDENTIAL_MAX_BYTES, digest);
	buf_put(out, digest, sizeof(digest));
	buf_u8(out, (uint8_t)rec->ek);
	buf_u8(out, rec->has_certificate_id);
	buf_put(out, rec->certificate_id, HASH_SHA256_BYTES);
	buf_u16be(out, (uint16_t)rec->ek_public_bytes);
	buf_put(out, rec->ek_public, rec->ek_public_bytes);
	buf_u16be(out, (uint16_t)rec->ak_public_bytes);
	buf_put(out, rec->ak_public, rec->ak_public_bytes);
}

static bool take_public(struct reader *r, uint8_t *ret, size_t *ret_bytes)
{
	uint16_t n = reader_u16be(r);

	if (n > ENROLMENT_MAX_PUBLIC_BYTES)
		return false;
	reader_copy(r, ret, n);
	*ret_bytes = n;
	return !r->bad;
}

/* It is our own, authenticated; so a malformed one is a fault of ours and not a finding. */
static int take_token(const struct buf *token, struct bytes credential, struct enrolment *rec, struct err *e)
{
	struct reader r = reader_init(token->data, token->len);
	uint8_t wanted[HASH_SHA256_BYTES], shown[HASH_SHA256_BYTES];

	reader_copy(&r, wanted, sizeof(wanted));
	*rec = (struct enrolment){.ek = (enum enrolment_ek)reader_u8(&r)};
	rec->has_certificate_id = reader_u8(&r);
	reader_copy(&r, rec->certificate_id, HASH_SHA256_BYTES);
	if (!take_public(&r, rec->ek_public, &rec->ek_public_bytes) ||
	    !take_public(&r, rec->ak_public, &rec->ak_public_bytes) || !reader_done(&r))
		return err_set(e, EIO, "our own token is malformed");
	hash_sha256(credential.p, credential.n, shown);
	if (!hash_equal(wanted, sizeof(wanted), shown, sizeof(shown)))
		return err_set(e, EBADMSG, "the host did not prove that its AK lives in the TPM of its EK: it showed "
			       "another credential than was wrapped for it");
	return enrolment_identity(rec->ek_public, rec->ek_public_bytes, rec->identity, e);
}

static int challenge(struct service *s, const struct service_request *r, const struct believed *b, struct buf part[static 4],
		     struct err *e)
{
	cleanup_buf struct buf content = BUF_INIT;
	uint8_t credential[CREDENTIAL_MAX_BYTES];
	int rc;

	if (RAND_bytes(credential, sizeof(credential)) != 1)
		return pki_openssl_error(e, EIO, "no random numbers");
	rc = credential_make(b->ek.key, b->ak.name, (struct bytes){credential, sizeof(credential)}, &part[0], &part[1], e);
	put_token(&b->record, credential, &content);
	OPENSSL_cleanse(credential, sizeof(credential));
	if (!rc && content.bad)
		rc = err_set(e, ENOMEM, "no memory for a token");
	if (!rc)
		rc = ticket_seal(s->tickets, TICKET_ENROLMENT, r->mono_ms, view(&content), &part[2], e);
	return rc ? rc : new_ticket(s, r, &part[3], e);
}

static void answer_enrol(struct service *s, const struct service_request *r, const struct message *m,
			 struct service_answer *a)
{
	struct shared_set *set = set_get(s);
	const struct believe_input in = {.ek_public = m->field[0],
					 .ek_certificate = m->field[1],
					 .ak_public = m->field[2],
					 .roots = s->ek_roots,
					 .provider_roots = s->provider_roots,
					 .revoked = &set->set.revoked,
					 .now_s = r->wall_ms / 1000,
					 .pinned = s->ek_pinned,
					 .n_pinned = s->n_ek_pinned};
	cleanup_believed struct believed b = {0};
	struct buf part[4] = {BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT};
	struct message out = {.kind = MESSAGE_CHALLENGE};
	struct err e = ERR_INIT;
	int rc = believe_keys(&in, &b, &e);

	set_put(set);
	if (!rc)
		rc = challenge(s, r, &b, part, &e);
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		out.field[i] = view(&part[i]);
	if (rc) {
		service_count(s, SERVICE_ENROL_REFUSED);
		fail(a, rc, &e);
	} else {
		send_message(a, &out);
	}
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		buf_free(&part[i]);
}

/* The second half, if the request brings one: the credential is shown, the host is written down. */
static int finish_enrolment(struct service *s, const struct service_request *r, const struct message *m, struct err *e)
{
	cleanup_buf struct buf token = BUF_INIT;
	struct enrolment rec;
	int rc;

	if (!m->field[3].n)
		return 0;
	rc = ticket_open(s->tickets, TICKET_ENROLMENT, r->mono_ms, m->field[3], &token, e);
	if (!rc)
		rc = take_token(&token, m->field[4], &rec, e);
	if (!rc && !hash_equal(rec.identity, sizeof(rec.identity), m->field[1].p, m->field[1].n))
		rc = err_set(e, EBADMSG, "the identity is not that of the keys in the token");
	if (!rc)
		rc = hosts_enrol(s->hosts, &rec, e);
	service_count(s, rc ? SERVICE_ENROL_REFUSED : SERVICE_ENROLLED);
	return rc;
}

/* ---- attestation ------------------------------------------------------------------------------------------------- */

/* What is known while one piece of evidence is judged. */
struct case_file {
	const struct service_request *r;
	const struct message *m;
	const struct hosts_entry *host;
	const struct judge_set *set;
	uint8_t nonce[EVIDENCE_NONCE_BYTES];
};

/* A host's standing changes by a proven quote only. The clock is kept if it went forward. */
static int remember(struct service *s, const struct case_file *c, int64_t expires_s, struct bytes ear, struct err *e)
{
	const struct judge_result *j = c->r->scratch;
	const struct quote *q = &j->appraisal.quote;
	const struct judge_clock clock = {true, q->reset_count, q->restart_count, q->clock_ms, c->r->wall_ms};
	const struct hosts_verdict v = {.identity = c->host->enrolment.identity,
					.clock = j->clock_ok ? &clock : NULL,
					.verdict = j->appraisal.verdict,
					.expires_s = expires_s,
					.ear = ear};

	return j->appraisal.quoted ? hosts_judged(s->hosts, &v, e) : 0;
}

/* Refusals, and whatever is not what it was the last time. */
static void log_verdict(const struct case_file *c, struct service_answer *a)
{
	const struct appraisal *ap = &c->r->scratch->appraisal;
	const bool accepted = ap->verdict == APPRAISE_ACCEPT;
	char hex[2 * HASH_SHA256_BYTES + 1];

	if (accepted && c->host->verdict == APPRAISE_ACCEPT)
		return;
	hex_encode(c->host->enrolment.identity, HASH_SHA256_BYTES, hex);
	buf_printf(&a->log, "\"event\":\"verdict\",\"host\":\"%s\",\"verdict\":\"%s\",\"proven\":%s,\"reasons\":%zu,\"why\":\"",
		   hex, accepted ? "ACCEPT" : "REFUSE", ap->quoted ? "true" : "false", ap->reasons.n);
	for (const char *p = ap->reasons.n ? ap->reasons.line[0] : ""; *p; p++)
		buf_printf(&a->log, *p < 0x20 || *p > 0x7e ? "?" : *p == '"' || *p == '\\' ? "'" : "%c", *p);
	buf_str(&a->log, "\"");
}

static int decide(struct service *s, const struct case_file *c, struct service_answer *a, struct err *e)
{
	const struct judge_input in = {.evidence = c->m->field[2],
				       .nonce = c->nonce,
				       .channel_key = c->r->shown->key,
				       .shown = c->r->shown,
				       .enrolment = &c->host->enrolment,
				       .ak = &c->host->ak,
				       .last = &c->host->clock,
				       .now_ms = c->r->wall_ms};
	const uint64_t life = c->set->fleet.n_rules ? c->set->fleet.result_seconds : FLEET_DEFAULT_SECONDS;
	struct ear_input ear = {c->r->scratch, &c->host->enrolment, c->nonce, &c->set->fleet, c->r->wall_ms / 1000, 0};
	cleanup_buf struct buf claims = BUF_INIT, jwt = BUF_INIT, ticket = BUF_INIT;
	struct message out = {.kind = MESSAGE_RESULT};
	const char *verdict;
	int rc = judge(c->set, &in, c->r->scratch, e);

	ear.expires_s = ear.issued_s + (int64_t)life;
	if (rc || (rc = ear_claims(&ear, &claims, e)) || (rc = ear_sign(&s->ear_key, view(&claims), &jwt, e)) ||
	    (rc = new_ticket(s, c->r, &ticket, e)) || (rc = remember(s, c, ear.expires_s, view(&jwt), e)))
		return rc;
	service_count(s, c->r->scratch->appraisal.verdict == APPRAISE_ACCEPT ? SERVICE_ACCEPTED : SERVICE_REFUSED);
	if (c->r->scratch->appraisal.fast)
		service_count(s, SERVICE_FAST);
	log_verdict(c, a);
	verdict = c->r->scratch->appraisal.verdict == APPRAISE_ACCEPT ? "ACCEPT" : "REFUSE";
	out.field[0] = (struct bytes){(const uint8_t *)verdict, strlen(verdict)};
	out.field[1] = view(&jwt);
	out.field[2] = view(&ticket);
	a->commit = true;
	send_message(a, &out);
	return 0;
}

static void answer_attest(struct service *s, const struct service_request *r, const struct message *m,
			  struct service_answer *a)
{
	cleanup_hosts_entry struct hosts_entry host = {0};
	struct case_file c = {.r = r, .m = m, .host = &host};
	struct shared_set *set;
	struct err e = ERR_INIT;
	int rc;

	if (!r->shown) {
		say(a, 403, "refused", "evidence is bound to the host's TLS key: show a client certificate");
		return;
	}
	if (ticket_open(s->tickets, TICKET_CHALLENGE, r->mono_ms, m->field[0], NULL, &e)) {
		say(a, 409, "ticket", e.msg);
		return;
	}
	rc = finish_enrolment(s, r, m, &e);
	if (rc) {
		fail(a, rc, &e);
		return;
	}
	if (!hosts_get(s->hosts, m->field[1].p, &host)) {
		say(a, 404, "stranger", "no host of this identity is enrolled");
		return;
	}
	ticket_nonce(m->field[0], c.nonce);
	set = set_get(s);
	c.set = &set->set;
	rc = decide(s, &c, a, &e);
	set_put(set);
	if (rc)
		say(a, 503, "failed", e.msg);
}

/* ---- everything else --------------------------------------------------------------------------------------------- */

/* A result lives for minutes; what the operator revokes is not trusted from that moment on. */
static bool is_revoked(struct service *s, const uint8_t *identity, struct hosts_entry *host)
{
	struct shared_set *set = set_get(s);
	bool revoked = hosts_get(s->hosts, identity, host) && ek_revoked_why(&set->set.revoked, &host->enrolment);

	set_put(set);
	return revoked;
}

static void answer_result(struct service *s, const struct service_request *r, struct service_answer *a)
{
	cleanup_hosts_entry struct hosts_entry host = {0};
	uint8_t identity[HASH_SHA256_BYTES];

	a->status = 200;
	a->type = TYPE_JWT;
	if (!hex_decode(r->http.path + strlen(RESULT_PATH), identity, sizeof(identity)))
		say(a, 404, NULL, "an identity is 64 lower-case hex digits");
	else if (is_revoked(s, identity, &host) || !hosts_result(s->hosts, identity, r->wall_ms / 1000, &a->body))
		say(a, 404, NULL, "no result of this host is in force: it is not trusted");
}

static void answer_keys(struct service *s, struct service_answer *a)
{
	struct err e = ERR_INIT;

	a->status = 200;
	a->type = TYPE_JSON;
	if (ear_key_jwks(&s->ear_key, &a->body, &e))
		say(a, 503, "failed", e.msg);
}

static void answer_metrics(struct service *s, const struct service_request *r, struct service_answer *a)
{
	static const char *const names[] = {
		[SERVICE_ACCEPTED] = "verdicts_total{verdict=\"accept\"}",
		[SERVICE_REFUSED] = "verdicts_total{verdict=\"refuse\"}",
		[SERVICE_FAST] = "fast_path_total",
		[SERVICE_TICKETS] = "tickets_total",
		[SERVICE_ENROLLED] = "enrolments_total{result=\"enrolled\"}",
		[SERVICE_ENROL_REFUSED] = "enrolments_total{result=\"refused\"}",
		[SERVICE_BAD_REQUESTS] = "bad_requests_total",
		[SERVICE_LIMITED] = "limited_total",
		[SERVICE_CONNECTIONS] = "connections_total",
		[SERVICE_CONNECTIONS_REFUSED] = "connections_refused_total",
		[SERVICE_TIMEOUTS] = "timeouts_total",
		[SERVICE_HANDSHAKES_FAILED] = "handshakes_failed_total",
		[SERVICE_RELOADS] = "reloads_total{result=\"done\"}",
		[SERVICE_RELOADS_FAILED] = "reloads_total{result=\"failed\"}",
	};
	_Static_assert(ARRAY_SIZE(names) == SERVICE_COUNTS_, "each count has its name");

	a->status = 200;
	a->type = TYPE_METRICS;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		buf_printf(&a->body, "holdfast_verifier_%s %llu\n", names[i],
			   atomic_load_explicit(&s->count[i], memory_order_relaxed));
	buf_printf(&a->body, "holdfast_verifier_hosts %zu\nholdfast_verifier_hosts_trusted %zu\n", hosts_count(s->hosts),
		   hosts_trusted(s->hosts, r->wall_ms / 1000));
}

static void answer_post(struct service *s, const struct service_request *r, enum message_kind kind,
			struct service_answer *a)
{
	struct err e = ERR_INIT;
	struct message m;

	if (r->http.method != HTTP_POST) {
		say(a, 405, NULL, "this path wants POST");
	} else if (message_parse(MESSAGE_SERVICE_REQUEST, r->body.p, r->body.n, &m, &e) || m.kind != kind) {
		service_count(s, SERVICE_BAD_REQUESTS);
		say(a, 400, "bad request", *e.msg ? e.msg : "the message is not of this path");
	} else if (kind == MESSAGE_ENROL) {
		answer_enrol(s, r, &m, a);
	} else {
		answer_attest(s, r, &m, a);
	}
}

void service_answer(struct service *s, const struct service_request *r, struct service_answer *ret)
{
	const char *path = r->http.path;

	ret->body.len = ret->log.len = 0;
	ret->commit = false;
	if (!strcmp(path, "/v1/attest"))
		answer_post(s, r, MESSAGE_ATTEST, ret);
	else if (!strcmp(path, "/v1/enrol"))
		answer_post(s, r, MESSAGE_ENROL, ret);
	else if (r->http.method != HTTP_GET)
		say(ret, 405, NULL, "this path wants GET");
	else if (!strcmp(path, "/v1/ticket"))
		answer_ticket(s, r, ret);
	else if (!strncmp(path, RESULT_PATH, strlen(RESULT_PATH)))
		answer_result(s, r, ret);
	else if (!strcmp(path, "/v1/keys"))
		answer_keys(s, ret);
	else if (!strcmp(path, "/metrics"))
		answer_metrics(s, r, ret);
	else if (!strcmp(path, "/healthz"))
		say(ret, 200, NULL, "ok");
	else
		say(ret, 404, NULL, "there is no such path");
}
