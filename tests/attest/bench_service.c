/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/bench_service.c - how many verdicts a second a core the verifier gives, how late, in how much memory
 *
 *   bench_service [VERDICTS]     (100000; a tenth of that without the fast path)
 *
 * The verifier is the program, one worker, on the loopback device; eight kept TLS connections of eight enrolled hosts
 * with RSA-2048 AKs in software send evidence with a firmware log of 36 events. Each connection signs once a ticket and
 * shows that evidence again and again while the ticket lasts: making quotes would cost this side more than judging
 * costs the other. "A core" is the verifier's own CPU time, so that what else the machine does does not count; latency
 * is by the clock, at half the rate that was reached. The verifier has one core for itself and this side the other, or each
 * would measure the other; what other programs take away from the verifier's core is shown beside the latency: how
 * long the verifier was ready to run and did not (schedstat), of the time of the run.
 *
 * Wanted, as the service is by default: 5,000 verdicts a second a core, p99 under 20 ms at half load, memory that does not grow.
 * Exits 1 if one is missed.
 */
#include "tests/attest/fleet_lab.h"

#include "attest/hosts.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#define HOSTS        8
#define TICKET_S     40 /* they last for 60 */
#define FIRMWARE     36
#define MAX_LATENCY  2000000
#define LEAST_RATE   5000
#define MOST_P99_MS  20
#define MOST_GROWTH_KIB 1024 /* from half of a run to its end */

struct client {
	pthread_t thread;
	struct world *w;
	struct report report;
	struct tls_identity tls;
	SSL_CTX *ctx;
	uint8_t identity[32];
	struct buf request;
	double signed_at;
};

static struct client clients[HOSTS];
static atomic_ulong left, done, refused, next_latency;
static float *latency_ms;
static double pace_s; /* between two requests of one client; 0: as fast as it goes */

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU seconds and resident KiB of the verifier. */
static double cpu_s(void)
{
	char path[64], text[1024] = "";
	unsigned long user = 0, system = 0;
	const char *p;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)lab.verifier);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	(void)!fgets(text, sizeof(text), f);
	(void)fclose(f);
	p = strrchr(text, ')');
	assert_int_equal(sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system), 2);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Seconds that the verifier's threads were ready and waited for their core. */
static double waited_s(void)
{
	char path[320];
	double ns = 0;
	struct dirent *d;
	DIR *tasks;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)lab.verifier);
	tasks = opendir(path);
	assert_non_null(tasks);
	while ((d = readdir(tasks))) {
		unsigned long long ran, waited;
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)lab.verifier, d->d_name);
		f = *d->d_name == '.' ? NULL : fopen(path, "r");
		if (f && fscanf(f, "%llu %llu", &ran, &waited) == 2)
			ns += (double)waited;
		if (f)
			(void)fclose(f);
	}
	(void)closedir(tasks);
	return ns / 1e9;
}

/* The @n-th of the cores that we may use is ours, and our children's, from now on. */
static void take_core(const cpu_set_t *may, int n)
{
	cpu_set_t one;

	if (CPU_COUNT(may) < 2)
		return;
	CPU_ZERO(&one);
	for (size_t i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, may) && n-- == 0)
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static long resident_kib(void)
{
	char path[64], line[256];
	long kib = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)lab.verifier);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		(void)sscanf(line, "VmRSS: %ld", &kib);
	(void)fclose(f);
	return kib;
}

/* ---- hosts in software ------------------------------------------------------------------------------------------- */

static void enlarge(struct world *w)
{
	static const uint8_t filler[600];

	while (w->firmware.n < FIRMWARE)
		w_add(&w->firmware, 1, 0x80000002, filler, sizeof(filler), "boot variable");
	w_ima_sound(w);
}

static void make_host(struct client *c, int i, EVP_PKEY *ak, struct hosts *hosts)
{
	struct buf pub = BUF_INIT;
	struct enrolment *rec;
	struct err e = ERR_INIT;

	c->w = world_sound();
	enlarge(c->w);
	c->w->key = ak;
	w_public(ak, 0x00050472, &pub);
	rec = &c->w->enrolment;
	memcpy(rec->ak_public, pub.data, pub.len);
	rec->ak_public_bytes = pub.len;
	rec->ek_public[0] = 0; /* an EK of nobody: nothing looks at it after enrolment but its digest */
	rec->ek_public[1] = 1;
	rec->ek_public[2] = (uint8_t)i;
	rec->ek_public_bytes = 3;
	assert_ok(enrolment_identity(rec->ek_public, 3, rec->identity, &e), &e);
	memcpy(c->identity, rec->identity, 32);
	assert_ok(hosts_enrol(hosts, rec, &e), &e);
	buf_free(&pub);
}

/* A ticket, evidence over it and this channel, and the request that carries both. */
static void sign_anew(struct client *c)
{
	const struct report_question q = {.method = HTTP_GET, .path = "/v1/ticket"};
	struct message m = {.kind = MESSAGE_ATTEST}, a;
	cleanup_buf struct buf body = BUF_INIT;
	struct http_response r;
	struct evidence ev;
	struct bytes b;
	uint8_t binding[32];
	struct err e = ERR_INIT;

	assert_ok(report_ask(&c->report, &q, &r, &b, &e), &e);
	assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, b.p, b.n, &a, &e), &e);
	m.field[0] = a.field[0];
	ticket_nonce(a.field[0], c->w->nonce);
	c->w->firmware_log.len = c->w->os_log.len = c->w->ima_log.len = 0;
	world_seal(c->w);
	ev = w_evidence(c->w);
	evidence_channel_binding(c->w->nonce, c->tls.digest, &ev, binding);
	w_attest(c->w, binding, sizeof(binding));
	w_sign(c->w, c->w->key);
	w_encode(c->w);
	m.field[1] = (struct bytes){c->identity, 32};
	m.field[2] = (struct bytes){c->w->evidence.data, c->w->evidence.len};
	assert_ok(message_encode(&m, &body, &e), &e);
	c->request.len = 0;
	buf_put(&c->request, body.data, body.len);
	c->signed_at = now_s();
}

static void *run_client(void *arg)
{
	struct client *c = arg;
	struct report_question q = {.method = HTTP_POST, .path = "/v1/attest"};
	double due = now_s();

	while (atomic_fetch_sub(&left, 1) - 1 < (1ul << 40)) {
		struct http_response r;
		struct message a;
		struct bytes b;
		struct err e = ERR_INIT;
		double begun;

		if (now_s() - c->signed_at > TICKET_S)
			sign_anew(c);
		if (pace_s > 0) {
			double wait = (due += pace_s) - now_s();

			if (wait > 0)
				(void)nanosleep(&(struct timespec){.tv_nsec = (long)(wait * 1e9)}, NULL);
		}
		begun = now_s();
		q.body = (struct bytes){c->request.data, c->request.len};
		assert_ok(report_ask(&c->report, &q, &r, &b, &e), &e);
		assert_int_equal(r.status, 200);
		assert_ok(message_parse(MESSAGE_SERVICE_ANSWER, b.p, b.n, &a, &e), &e);
		if (a.field[0].n != 6 || memcmp(a.field[0].p, "ACCEPT", 6))
			atomic_fetch_add(&refused, 1);
		unsigned long at = atomic_fetch_add(&next_latency, 1);

		if (at < MAX_LATENCY)
			latency_ms[at] = (float)((now_s() - begun) * 1000);
		atomic_fetch_add(&done, 1);
	}
	return NULL;
}

/* ---- a run ------------------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

struct measured {
	double rate, per_core, p99_ms;
	long growth_kib;
};

/* @n verdicts at @rate a second (0: all that goes). */
static struct measured run(const char *what, unsigned long n, double rate)
{
	double begun = now_s(), cpu = cpu_s(), waited = waited_s(), wall;
	long early, half, late;
	unsigned long count;

	atomic_store(&left, n);
	atomic_store(&done, 0);
	atomic_store(&next_latency, 0);
	pace_s = rate > 0 ? HOSTS / rate : 0;
	for (int i = 0; i < HOSTS; i++)
		assert_int_equal(pthread_create(&clients[i].thread, NULL, run_client, &clients[i]), 0);
	while (atomic_load(&done) < n / 10)
		(void)poll(NULL, 0, 5);
	early = resident_kib();
	while (atomic_load(&done) < n / 2)
		(void)poll(NULL, 0, 5);
	half = resident_kib();
	for (int i = 0; i < HOSTS; i++)
		(void)pthread_join(clients[i].thread, NULL);
	late = resident_kib();
	wall = now_s() - begun;
	cpu = cpu_s() - cpu;
	waited = waited_s() - waited;
	count = atomic_load(&next_latency) < MAX_LATENCY ? atomic_load(&next_latency) : MAX_LATENCY;
	qsort(latency_ms, count, sizeof(*latency_ms), by_size);
	printf("%-26s %8lu verdicts  %7.0f a second a core (CPU)  %6.0f by the clock  p50 %.2f ms  p99 %.2f ms  resident %ld KiB "
	       "after a tenth, %ld after half, %ld at the end  its core was others' for %.0f %% of the time\n",
	       what, n, (double)n / cpu, (double)n / wall, latency_ms[count / 2], latency_ms[count * 99 / 100], early, half, late,
	       waited / wall * 100);
	(void)fflush(stdout);
	if (atomic_load(&refused))
		fail_msg("%lu verdicts were REFUSE", atomic_load(&refused));
	return (struct measured){(double)n / wall, (double)n / cpu, latency_ms[count * 99 / 100], late - half};
}

static int judge_bars(const struct measured *full_load, const struct measured *half_load)
{
	const struct {
		const char *what;
		double found, bar;
		bool ok;
	} bars[] = {
		{"verdicts a second a core", full_load->per_core, LEAST_RATE, full_load->per_core >= LEAST_RATE},
		{"p99 at half load in ms", half_load->p99_ms, MOST_P99_MS, half_load->p99_ms < MOST_P99_MS},
		{"growth of memory in KiB", (double)full_load->growth_kib, MOST_GROWTH_KIB, full_load->growth_kib <= MOST_GROWTH_KIB},
	};
	int missed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bars); i++) {
		printf("%-26s %10.2f, bar %.0f: %s\n", bars[i].what, bars[i].found, bars[i].bar, bars[i].ok ? "ok" : "MISSED");
		missed += !bars[i].ok;
	}
	return missed ? 1 : 0;
}

static void connect_all(void)
{
	struct err e = ERR_INIT;

	for (int i = 0; i < HOSTS; i++) {
		struct client *c = &clients[i];

		report_close(&c->report);
		SSL_CTX_free(c->ctx);
		tls_identity_free(&c->tls);
		assert_ok(tls_identity_new(&c->tls, &e), &e);
		assert_ok(tls_host_ctx(&c->tls, lab_path("tls.pem"), &c->ctx, &e), &e);
		c->report = (struct report){.tls = c->ctx, .where = lab.where, .timeout_ms = LAB_MS, .fd = -1};
		assert_ok(report_connect(&c->report, NULL, &e), &e);
		sign_anew(c);
	}
}

int main(int argc, char **argv)
{
	static const char *const fast[] = {"--rate", "0", NULL}, *const full[] = {"--rate", "0", "--full", NULL};
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	EVP_PKEY *ak = EVP_RSA_gen(2048);
	struct hosts *hosts = NULL;
	struct err e = ERR_INIT;
	struct measured flat_out, half_load;
	cpu_set_t may;
	int missed;

	assert_int_equal(sched_getaffinity(0, sizeof(may), &may), 0);
	latency_ms = calloc(MAX_LATENCY, sizeof(*latency_ms));
	if (!latency_ms || !ak || n < 1000)
		return 2;
	for (int i = 0; i < HOSTS; i++)
		clients[i].report.fd = -1;
	assert_int_equal(lab_set_up(0), 0);
	assert_ok(file_mkdirs(lab_path("ca"), &e), &e);
	assert_ok(hosts_open(lab_path("state.db"), HOSTS, &hosts, &e), &e);
	for (int i = 0; i < HOSTS; i++)
		make_host(&clients[i], i, ak, hosts);
	assert_ok(hosts_close(hosts, &e), &e);
	lab_refvalues(clients[0].w->refvalues);
	const char *const cp[] = {"cp", lab_path("tls.pem"), lab_path("ca/roots.pem"), NULL}; /* nobody enrols here */

	lab_run(cp);
	take_core(&may, 0);
	lab_verifier_start(full);
	take_core(&may, 1);
	connect_all();
	printf("evidence: %zu bytes, %zu firmware events, RSA-2048 AK; one worker%s\n", clients[0].w->evidence.len,
	       clients[0].w->firmware.n, CPU_COUNT(&may) < 2 ? "; ONE CORE for both sides: latency means nothing" : " on a core of its own");
	flat_out = run("full appraisal, flat out", n / 10, 0);
	(void)run("full appraisal, half load", n / 20, flat_out.rate / 2);
	(void)lab_verifier_stop(SIGTERM);
	take_core(&may, 0);
	lab_verifier_start(fast);
	take_core(&may, 1);
	connect_all();
	flat_out = run("fast path, flat out", n, 0);
	half_load = run("fast path, half load", n / 10, flat_out.rate / 2);
	missed = judge_bars(&flat_out, &half_load);
	return lab_tear_down(NULL) || missed;
}
