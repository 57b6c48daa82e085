/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/server.c - connections of the verifier's service: TLS, deadlines, bounds */
#include "attest/server.h"

#include "common/clock.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>

#define HANDSHAKE_MS  5000
#define REQUEST_MS    10000
#define WRITE_MS      10000
#define IDLE_MS       60000
#define BUSY_IDLE_MS  10000 /* while all places are in use */
#define TICK_MS       250
#define MAX_EVENTS    64
#define MAX_ACCEPTS   16 /* in one turn */
#define TURN_REQUESTS 8 /* of one connection, then it is the others' turn */
#define PIECE_BYTES   16384
#define KEEP_BYTES    8192

enum conn_state { CONN_HANDSHAKE, CONN_IDLE, CONN_REQUEST, CONN_COMMIT, CONN_WRITE };

/**
 * struct conn - one connection
 * @in:   bytes of the request in hand, and perhaps of the next
 * @need: head and body of the request in hand, 0 while its head is not whole
 * @out:  the answer, @sent of it written
 * @key:  digest of the client's key, if it showed one
 * @more: it was put off: bytes may wait that epoll will not tell of, of the next request or inside OpenSSL
 * @turn: the worker's turn in which it last had its own
 */
struct conn {
	int fd;
	SSL *tls;
	enum conn_state state;
	uint64_t client;
	int64_t deadline_ms;
	struct buf in;
	size_t need;
	struct http_request http;
	struct buf out;
	size_t sent;
	uint64_t turn;
	bool has_key, close_after, wants_write, more;
	struct channel_shown shown;
};

struct worker {
	struct server *server;
	pthread_t thread;
	int epoll;
	bool listening;
	size_t n, max;
	struct conn **conn; /* @n of them */
	struct service_answer answer;
	struct judge_result *scratch;
	uint64_t batch;
	uint64_t turn; /* counted from 1: each connection has its own at most once in it */
	bool dirty;    /* verdicts wait for a commit */
	bool more;     /* of some connection */
	int64_t now_ms;
};

struct server {
	struct server_params p;
	atomic_bool stop;
	unsigned n_workers;
	struct worker worker[SERVER_MAX_WORKERS];
};

static void count(const struct worker *w, enum service_count what)
{
	service_count(w->server->p.service, what);
}

/* ---- the log ----------------------------------------------------------------------------------------------------- */

/* {"time":...,"client":...,MEMBERS} */
static void log_members(const struct worker *w, uint64_t client, const struct buf *members)
{
	cleanup_buf struct buf line = BUF_INIT;
	int64_t ms = clock_ms(CLOCK_REALTIME);

	if (!members->len)
		return;
	buf_printf(&line, "{\"time\":%lld.%03lld,\"client\":\"%llx\",", (long long)ms / 1000, (long long)ms % 1000,
		   (unsigned long long)client);
	buf_put(&line, members->data, members->len);
	buf_str(&line, "}\n");
	if (!line.bad)
		w->server->p.log((const char *)line.data, line.len);
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

static void conn_free(struct conn *c)
{
	ERR_clear_error();
	if (c->tls && c->state != CONN_HANDSHAKE)
		(void)SSL_shutdown(c->tls); /* says goodbye if it can be said at once */
	SSL_free(c->tls);
	channel_shown_free(&c->shown);
	ERR_clear_error();
	if (c->fd >= 0)
		(void)close(c->fd); /* leaves the epoll set, too */
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

static void conn_drop(struct worker *w, struct conn *c)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->conn[i] == c) {
			w->conn[i] = w->conn[--w->n];
			break;
		}
	conn_free(c);
}

/* Ask epoll for what the connection waits for, if that has changed. */
static bool watch(struct worker *w, struct conn *c, bool write)
{
	struct epoll_event ev = {.events = write ? EPOLLOUT : EPOLLIN, .data.ptr = c};

	if (c->wants_write == write)
		return true;
	c->wants_write = write;
	return epoll_ctl(w->epoll, EPOLL_CTL_MOD, c->fd, &ev) == 0;
}

/* What OpenSSL wants after a call that gave @rc. Return: true to wait for it, false if the connection has ended. */
static bool wait_for(struct worker *w, struct conn *c, int rc)
{
	int why = SSL_get_error(c->tls, rc);

	ERR_clear_error();
	return (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) && watch(w, c, why == SSL_ERROR_WANT_WRITE);
}

static struct conn *conn_new(struct worker *w, int fd, uint64_t client)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		(void)close(fd); /* nothing was said on it */
		return NULL;
	}
	*c = (struct conn){.fd = fd, .client = client, .deadline_ms = w->now_ms + HANDSHAKE_MS};
	ev.data.ptr = c;
	c->tls = SSL_new(w->server->p.tls);
	if (!c->tls || SSL_set_fd(c->tls, fd) != 1 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		conn_free(c);
		return NULL;
	}
	SSL_set_accept_state(c->tls);
	return c;
}

static void accept_some(struct worker *w)
{
	for (int i = 0; i < MAX_ACCEPTS && w->n < w->max; i++) {
		struct sockaddr_storage from = {0};
		socklen_t len = sizeof(from);
		int fd = accept4(w->server->p.listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		uint64_t client;
		struct conn *c;

		if (fd < 0)
			return; /* none is waiting, another worker had it, or no descriptors are left: look again later */
		client = limit_client(&from);
		if (!limit_take(w->server->p.limit, client, w->now_ms)) { /* a handshake costs more than a request */
			count(w, SERVICE_CONNECTIONS_REFUSED);
			(void)close(fd); /* nothing was said on it */
			continue;
		}
		c = conn_new(w, fd, client);
		if (!c)
			return;
		w->conn[w->n++] = c;
		count(w, SERVICE_CONNECTIONS);
	}
}

/* With all places in use the listener is left alone: it would wake us for nothing. */
static void listen_if_room(struct worker *w)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = NULL};
	bool want = w->n < w->max;

	if (want == w->listening)
		return;
	if (epoll_ctl(w->epoll, want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, w->server->p.listener, &ev) == 0)
		w->listening = want;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void give_back(struct buf *b)
{
	if (b->cap > KEEP_BYTES && !b->len)
		buf_free(b);
}

/* Head and body of @a as the bytes to send. */
static void prepare_answer(struct conn *c, const struct service_answer *a)
{
	struct http_response head = {.status = a->status, .body_bytes = a->body.len, .close = c->close_after};

	(void)snprintf(head.type, sizeof(head.type), "%s", a->type); /* ours, and short */
	c->out.len = c->sent = 0;
	http_put_response(&c->out, &head);
	buf_put(&c->out, a->body.data, a->body.len);
	c->state = a->commit ? CONN_COMMIT : CONN_WRITE;
}

static void answer_plain(struct worker *w, struct conn *c, unsigned status, const char *sentence)
{
	struct service_answer *a = &w->answer;

	a->status = status;
	a->type = "text/plain; charset=utf-8";
	a->commit = false;
	a->body.len = a->log.len = 0;
	buf_printf(&a->body, "%s\n", sentence);
	prepare_answer(c, a);
}

static void answer_request(struct worker *w, struct conn *c, size_t head_bytes)
{
	const struct service_request r = {.http = c->http,
					  .body = {c->in.data + head_bytes, c->http.body_bytes},
					  .shown = c->has_key ? &c->shown : NULL,
					  .mono_ms = w->now_ms,
					  .wall_ms = clock_ms(CLOCK_REALTIME),
					  .scratch = w->scratch};

	c->close_after = c->http.close;
	if (!limit_take(w->server->p.limit, c->client, w->now_ms)) {
		count(w, SERVICE_LIMITED);
		answer_plain(w, c, 429, "this client asks too often");
		return;
	}
	if (!w->dirty)
		w->batch = hosts_batch(service_hosts(w->server->p.service));
	service_answer(w->server->p.service, &r, &w->answer);
	w->dirty |= w->answer.commit;
	log_members(w, c->client, &w->answer.log);
	prepare_answer(c, &w->answer);
}

/* The request in @c->in, if it is whole. Return: false while more is wanted. */
static bool take_request(struct worker *w, struct conn *c)
{
	struct err e = ERR_INIT;
	unsigned status = 400;
	int head = http_request_parse(c->in.data, c->in.len, SERVICE_MAX_BODY_BYTES, &c->http, &status, &e);

	if (head < 0) {
		count(w, SERVICE_BAD_REQUESTS);
		c->close_after = true;
		c->in.len = 0;
		answer_plain(w, c, status, e.msg);
		return true;
	}
	if (!head || c->in.len < (size_t)head + c->http.body_bytes)
		return false;
	answer_request(w, c, (size_t)head);
	c->need = (size_t)head + c->http.body_bytes;
	memmove(c->in.data, c->in.data + c->need, c->in.len - c->need);
	c->in.len -= c->need;
	give_back(&c->in);
	return true;
}

/* ---- one connection's turn --------------------------------------------------------------------------------------- */

static bool shake_hands(struct worker *w, struct conn *c)
{
	struct err e = ERR_INIT;
	int rc = SSL_do_handshake(c->tls);

	if (rc != 1) {
		bool going_on = wait_for(w, c, rc);

		if (!going_on)
			count(w, SERVICE_HANDSHAKES_FAILED);
		return going_on;
	}
	c->has_key = tls_peer_shown(c->tls, &c->shown, &e) == 0; /* relying parties have none */
	c->state = CONN_IDLE;
	c->deadline_ms = w->now_ms + IDLE_MS;
	return watch(w, c, false);
}

/* Read until a request is whole or no more is there. */
static bool read_request(struct worker *w, struct conn *c)
{
	while (c->state == CONN_IDLE || c->state == CONN_REQUEST) {
		static _Thread_local uint8_t piece[PIECE_BYTES];
		int n;

		if (c->in.len && take_request(w, c)) {
			c->deadline_ms = w->now_ms + WRITE_MS;
			return true;
		}
		n = SSL_read(c->tls, piece, sizeof(piece));
		if (n <= 0)
			return wait_for(w, c, n);
		if (c->state == CONN_IDLE)
			c->deadline_ms = w->now_ms + REQUEST_MS;
		c->state = CONN_REQUEST;
		if (c->in.len + (size_t)n > SERVICE_MAX_BODY_BYTES + HTTP_MAX_HEAD_BYTES + PIECE_BYTES)
			return false; /* more than any request: pipelined without end */
		buf_put(&c->in, piece, (size_t)n);
		if (c->in.bad)
			return false;
	}
	return true;
}

static bool write_answer(struct worker *w, struct conn *c)
{
	while (c->sent < c->out.len) {
		int n = SSL_write(c->tls, c->out.data + c->sent, (int)(c->out.len - c->sent));

		if (n <= 0)
			return wait_for(w, c, n);
		c->sent += (size_t)n;
	}
	c->out.len = 0;
	give_back(&c->out);
	if (c->close_after)
		return false;
	c->state = c->in.len ? CONN_REQUEST : CONN_IDLE;
	c->deadline_ms = w->now_ms + (c->in.len ? REQUEST_MS : IDLE_MS);
	return watch(w, c, false);
}

/* Others shall have their turn before @c goes on. */
static bool put_off(struct worker *w, struct conn *c)
{
	c->more = w->more = true;
	return true;
}

/* At most TURN_REQUESTS requests: whoever asks without a pause is put off. Return: false if the connection has ended. */
static bool conn_turn(struct worker *w, struct conn *c)
{
	if (c->turn == w->turn)
		return true; /* put off, and told of by epoll as well, which will tell again */
	c->turn = w->turn;
	if (c->state == CONN_HANDSHAKE && !shake_hands(w, c))
		return false;
	for (int n = 0;; n++) {
		if (c->state == CONN_WRITE && !write_answer(w, c))
			return false;
		if (c->state != CONN_IDLE && c->state != CONN_REQUEST)
			return true; /* the peer must read first, or shake hands, or the commit is waited for */
		if (n == TURN_REQUESTS)
			return put_off(w, c);
		if (!read_request(w, c))
			return false;
		if (c->state != CONN_WRITE)
			return true;
	}
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

/* Bytes that epoll will not tell of: of the next request, or inside OpenSSL. */
static bool has_more(const struct conn *c)
{
	return c->state != CONN_WRITE && (c->in.len || SSL_has_pending(c->tls));
}

/* End the turn's batch: one commit, then the answers that waited for it; they become 503 if it failed. */
static void finish_batch(struct worker *w)
{
	struct err e = ERR_INIT;
	int rc;

	if (!w->dirty)
		return;
	w->dirty = false;
	rc = hosts_commit(service_hosts(w->server->p.service), w->batch, &e);
	for (size_t i = w->n; i-- > 0;) {
		struct conn *c = w->conn[i];

		if (c->state != CONN_COMMIT)
			continue;
		if (rc)
			answer_plain(w, c, 503, e.msg);
		c->state = CONN_WRITE;
		if (!write_answer(w, c))
			conn_drop(w, c);
		else if (has_more(c))
			(void)put_off(w, c); /* true */
	}
}

/* With all places in use, who holds one for nothing gives way sooner. */
static void expire(struct worker *w)
{
	int64_t idle_ms = w->n == w->max ? IDLE_MS - BUSY_IDLE_MS : 0;

	for (size_t i = w->n; i-- > 0;) {
		bool idle = w->conn[i]->state == CONN_IDLE;

		if (w->now_ms < w->conn[i]->deadline_ms - (idle ? idle_ms : 0))
			continue;
		if (!idle)
			count(w, SERVICE_TIMEOUTS);
		conn_drop(w, w->conn[i]);
	}
}

/* Those that were put off. */
static void go_on(struct worker *w)
{
	if (!w->more)
		return;
	w->more = false;
	w->now_ms = clock_ms(CLOCK_BOOTTIME);
	for (size_t i = w->n; i-- > 0;) {
		struct conn *c = w->conn[i];

		if (!c->more)
			continue;
		c->more = false;
		if (!conn_turn(w, c))
			conn_drop(w, c);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct epoll_event ev[MAX_EVENTS];
	int64_t tick_ms = 0;

	while (!atomic_load(&w->server->stop)) {
		int n;

		listen_if_room(w);
		w->turn++;
		go_on(w); /* may drop connections: before epoll names any */
		n = epoll_wait(w->epoll, ev, MAX_EVENTS, w->more || w->dirty ? 0 : TICK_MS);
		w->now_ms = clock_ms(CLOCK_BOOTTIME);
		for (int i = 0; i < n; i++)
			if (!ev[i].data.ptr)
				accept_some(w);
			else if (!conn_turn(w, ev[i].data.ptr))
				conn_drop(w, ev[i].data.ptr);
		finish_batch(w);
		if (w->now_ms - tick_ms >= TICK_MS) {
			tick_ms = w->now_ms;
			expire(w);
		}
	}
	while (w->n)
		conn_drop(w, w->conn[w->n - 1]);
	return NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int worker_prepare(struct server *s, struct worker *w, struct err *e)
{
	w->server = s;
	w->max = s->p.max_connections / s->p.workers;
	w->max = w->max ? w->max : 1;
	w->conn = calloc(w->max, sizeof(struct conn *));
	w->scratch = calloc(1, sizeof(*w->scratch));
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!w->conn || !w->scratch)
		return err_set(e, ENOMEM, "no memory for %zu connections", w->max);
	w->scratch->appraisal.no_facts = true; /* results do not carry them */
	return w->epoll < 0 ? err_errno(e, "cannot make an epoll set") : 0;
}

static void worker_free(struct worker *w)
{
	free(w->conn);
	free(w->scratch);
	buf_free(&w->answer.body);
	buf_free(&w->answer.log);
	if (w->epoll >= 0)
		(void)close(w->epoll); /* its connections are gone */
}

int server_start(const struct server_params *p, struct server **ret, struct err *e)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		return err_set(e, ENOMEM, "no memory for the server");
	s->p = *p;
	atomic_init(&s->stop, false);
	for (unsigned i = 0; !rc && i < p->workers && i < SERVER_MAX_WORKERS; i++) {
		struct worker *w = &s->worker[i];

		rc = worker_prepare(s, w, e);
		if (!rc && (errno = pthread_create(&w->thread, NULL, work, w)))
			rc = err_errno(e, "cannot start a thread");
		if (rc)
			worker_free(w);
		else
			s->n_workers++;
	}
	if (rc) {
		server_stop(s);
		return rc;
	}
	*ret = s;
	return 0;
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	atomic_store(&s->stop, true);
	for (unsigned i = 0; i < s->n_workers; i++) {
		(void)pthread_join(s->worker[i].thread, NULL); /* ends within TICK_MS */
		worker_free(&s->worker[i]);
	}
	free(s);
}
