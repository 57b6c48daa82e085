/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/cmd_verifier.c - `holdfast-attest verifier`: the service that enrols hosts and says which are sound
 *
 * Everything is read before the first connection; a mistake in a file is a sentence and exit 3, not a service that
 * refuses all. SIGHUP reads reference values, policy set and revoked EKs anew: if one of them is bad, the old ones stay in force and
 * the log says so. SIGTERM and SIGINT end it in order. The log is one line of JSON an event, on standard error.
 */
#include "attest/allowed.h"
#include "attest/cmd.h"
#include "attest/judge_files.h"
#include "attest/net.h"
#include "attest/server.h"

#include "common/cli.h"
#include "common/file.h"
#include "common/hex.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MAX_PINNED      4096
#define OWN_DESCRIPTORS 64

struct verifier_options {
	const char *listen, *tls_cert, *tls_key, *state, *ek_pins, *ear_key;
	const char *crl[EK_REVOKED_MAX_FILES];
	const char *refvalues[JUDGE_MAX_REFVALUES];
	struct judge_files wanted;
	int full;
	const char *workers, *connections, *rate, *burst, *max_hosts;
};

struct numbers {
	unsigned workers, connections, rate, burst, max_hosts;
};

static void log_line(const char *line, size_t n)
{
	struct err ignored = ERR_INIT; /* a log that cannot be written cannot be told */

	if (file_write_all(STDERR_FILENO, line, n, "the log", &ignored)) {
	}
}

static void log_event(const char *event, const char *why)
{
	char line[512], *p = line;
	int n = snprintf(line, sizeof(line), "{\"event\":\"%s\",\"why\":\"%s\"}\n", event, why);

	for (p += strlen("{\"event\":\"") + strlen(event) + strlen("\",\"why\":\""); why[0] && p < line + n - 3; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
	log_line(line, n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

/* Reference values, each with its signature, the policy set, and which EKs are revoked. */
static int load_set(const struct verifier_options *o, struct judge_set *ret, struct err *e)
{
	struct judge_set set = {0};
	int rc = judge_files_load(&o->wanted, (int64_t)time(NULL), &set, e);

	if (rc)
		return rc;
	set.allowed = o->full ? NULL : allowed_new();
	if (!set.allowed && !o->full) {
		judge_set_free(&set);
		return err_set(e, ENOMEM, "no memory for accepted PCR digests");
	}
	*ret = set;
	return 0;
}

/* One digest a line. */
static int load_pins(const char *path, uint8_t (**ret)[HASH_SHA256_BYTES], size_t *ret_n, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char *line, *rest;
	int rc = file_read(path, MAX_PINNED * (2 * HASH_SHA256_BYTES + 1), &b, e);

	buf_u8(&b, 0);
	*ret = rc || b.bad ? NULL : calloc(MAX_PINNED, sizeof(**ret));
	if (!*ret)
		return rc ? rc : err_set(e, ENOMEM, "no memory for pinned EKs");
	rest = (char *)b.data;
	while ((line = strsep(&rest, "\n")) && (rest || *line)) {
		if (*ret_n == MAX_PINNED || !hex_decode(line, (*ret)[*ret_n], HASH_SHA256_BYTES))
			return err_set(e, EINVAL, "%s: line %zu is not 64 lower-case hex digits, or one too many", path,
				       *ret_n + 1);
		++*ret_n;
	}
	return 0;
}

static void reload(const struct verifier_options *o, struct service *s)
{
	struct judge_set set = {0};
	struct err e = ERR_INIT;

	if (load_set(o, &set, &e)) {
		service_count(s, SERVICE_RELOADS_FAILED);
		log_event("reload failed, the old values stay", e.msg);
		return;
	}
	service_reload(s, &set);
	log_event("reloaded", "");
}

/* Until SIGTERM or SIGINT. The signals are blocked in all threads. */
static void wait_for_the_end(const struct verifier_options *o, struct service *s, const sigset_t *set)
{
	int sig = 0;

	while (!sigwait(set, &sig) && sig == SIGHUP)
		reload(o, s);
	log_event("stopping", sig == SIGTERM ? "SIGTERM" : "SIGINT");
}

static int serve(const struct verifier_options *o, const struct numbers *n, struct service *s, SSL_CTX *tls,
		 struct err *e)
{
	struct limit *limit = limit_new(n->rate, n->burst);
	struct server *server = NULL;
	cleanup_fd int listener = -1;
	sigset_t set;
	char where[64];
	int rc = limit ? net_listen(o->listen, &listener, e) : err_set(e, ENOMEM, "no memory for rate limits");

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (!rc && pthread_sigmask(SIG_BLOCK, &set, NULL))
		rc = err_set(e, EINVAL, "cannot block signals");
	if (!rc) {
		const struct server_params p = {.service = s,
						.tls = tls,
						.limit = limit,
						.listener = listener,
						.workers = n->workers,
						.max_connections = n->connections,
						.log = log_line};

		rc = server_start(&p, &server, e);
	}
	if (!rc) {
		(void)snprintf(where, sizeof(where), "port %u", net_port(listener)); /* fits */
		log_event("listening", where);
		wait_for_the_end(o, s, &set);
	}
	server_stop(server);
	limit_free(limit);
	return rc;
}

/* A descriptor for each connection and some for us: without them accept(2) would fail again and again. */
static int need_descriptors(unsigned connections, struct err *e)
{
	const rlim_t want = connections + OWN_DESCRIPTORS;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return err_errno(e, "cannot ask for the limit of descriptors");
	if (l.rlim_cur >= want)
		return 0;
	l.rlim_cur = want;
	l.rlim_max = l.rlim_max < want ? want : l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0)
		return err_errno(e, "%u connections need %llu descriptors", connections, (unsigned long long)want);
	return 0;
}

static int run(const struct verifier_options *o, const struct numbers *n, struct err *e)
{
	uint8_t (*pins)[HASH_SHA256_BYTES] __attribute__((cleanup(cleanup_free_fn))) = NULL;
	struct service_params p = {.state_path = o->state, .max_hosts = n->max_hosts, .ek_roots = o->wanted.revoked.roots[0],
				   .provider_roots = o->wanted.revoked.roots[1]};
	cleanup_ssl_ctx SSL_CTX *tls = NULL;
	struct service *s = NULL;
	struct err last = ERR_INIT;
	int rc = need_descriptors(n->connections, e);

	if (!rc && o->ek_pins)
		rc = load_pins(o->ek_pins, &pins, &p.n_ek_pinned, e);
	p.ek_pinned = (const void *)pins;
	if (!rc)
		rc = tls_verifier_ctx(o->tls_cert, o->tls_key, &tls, e);
	if (!rc)
		rc = ear_key_load(o->ear_key, &p.ear_key, e);
	if (!rc)
		rc = load_set(o, &p.set, e);
	if (rc) {
		ear_key_free(&p.ear_key);
		return rc;
	}
	rc = service_new(&p, &s, e);
	if (!rc)
		rc = serve(o, n, s, tls, e);
	if (service_free(s, &last) && !rc) {
		*e = last;
		rc = -last.code;
	}
	return rc;
}

static bool take(const char *text, unsigned fallback, unsigned min, unsigned max, unsigned *ret)
{
	char *end;
	unsigned long v;

	*ret = fallback;
	if (!text)
		return true;
	errno = 0;
	v = strtoul(text, &end, 10);
	*ret = (unsigned)v;
	return *text >= '0' && *text <= '9' && !errno && !*end && v >= min && v <= max;
}

static const char *check(const struct verifier_options *o, struct numbers *n)
{
	if (!o->listen || !o->tls_cert || !o->tls_key || !o->state || !o->wanted.policy_cert || !o->wanted.n_refvalues || !o->ear_key)
		return "--listen, --tls-cert, --tls-key, --state, --policy-cert, --refvalues and --ear-key are needed";
	if (!o->wanted.revoked.roots[0] && !o->ek_pins && !o->wanted.revoked.roots[1])
		return "one of --ek-roots, --provider-roots and --ek-pins is needed: an EK is not believed because a host showed it";
	if (judge_files_wrong(&o->wanted))
		return judge_files_wrong(&o->wanted);
	if (!take(o->workers, 1, 1, SERVER_MAX_WORKERS, &n->workers))
		return "--workers is not a number from 1 to 64";
	if (!take(o->connections, 512, 1, 65536, &n->connections))
		return "--max-connections is not a number from 1 to 65536";
	if (!take(o->rate, 20, 0, 1000000, &n->rate))
		return "--rate is not a number from 0 to 1000000";
	if (!take(o->burst, n->rate ? 2 * n->rate : 1, 1, 1000000, &n->burst))
		return "--burst is not a number from 1 to 1000000";
	if (!take(o->max_hosts, 100000, 1, 10000000, &n->max_hosts))
		return "--max-hosts is not a number from 1 to 10000000";
	return NULL;
}

int cmd_verifier(int argc, char **argv)
{
	struct verifier_options o = {0};
	const struct cli_opt opts[] = {
		{.name = "listen", .arg = "ADDRESS", .help = "HOST:PORT or vsock:CID:PORT", .value = &o.listen},
		{.name = "tls-cert", .arg = "PEM", .help = "the service's certificate chain", .value = &o.tls_cert},
		{.name = "tls-key", .arg = "KEY", .help = "its key (PEM, or a provider's URI)", .value = &o.tls_key},
		{.name = "state", .arg = "FILE", .help = "enrolled hosts and their clocks (SQLite)", .value = &o.state},
		{.name = "refvalues",
		 .arg = "FILE",
		 .help = "reference values, FILE.p7s their signature; may be repeated",
		 .value = o.refvalues,
		 .count = &o.wanted.n_refvalues,
		 .max = JUDGE_MAX_REFVALUES},
		{.name = "policy-cert",
		 .arg = "FILE",
		 .help = "certificate that signs reference values",
		 .value = &o.wanted.policy_cert},
		{.name = "policy-set", .arg = "FILE", .help = "which of the sound hosts are wanted", .value = &o.wanted.policy_set},
		{.name = "ek-roots", .arg = "PEM", .help = "believe EKs certified by these", .value = &o.wanted.revoked.roots[0]},
		{.name = "ek-pins", .arg = "FILE", .help = "believe EKs of these SHA-256, one a line", .value = &o.ek_pins},
		{.name = "provider-roots",
		 .arg = "PEM",
		 .help = "believe EKs certified by these providers of virtual machines",
		 .value = &o.wanted.revoked.roots[1]},
		{.name = "ek-deny", .arg = "FILE", .help = "never EKs of these SHA-256, one a line", .value = &o.wanted.revoked.deny},
		{.name = "ek-crl",
		 .arg = "FILE",
		 .help = "CRL of who certifies EKs; may be repeated",
		 .value = o.crl,
		 .count = &o.wanted.revoked.n_crls,
		 .max = EK_REVOKED_MAX_FILES},
		{.name = "ear-key", .arg = "KEY", .help = "P-256 key that signs results", .value = &o.ear_key},
		{.name = "full", .help = "no fast path: replay every log", .value = &o.full},
		{.name = "workers", .arg = "N", .help = "threads (1)", .value = &o.workers},
		{.name = "max-connections", .arg = "N", .help = "at once, in all (512)", .value = &o.connections},
		{.name = "rate", .arg = "N", .help = "requests a second a client, 0: no limit (20)", .value = &o.rate},
		{.name = "burst", .arg = "N", .help = "requests at once a client (twice the rate)", .value = &o.burst},
		{.name = "max-hosts", .arg = "N", .help = "enrolled hosts (100000)", .value = &o.max_hosts},
		{0},
	};
	struct err e = ERR_INIT;
	struct numbers numbers;
	const char *wrong;
	int n = cli_options(argc, argv, "", "serve challenges, enrolment and verdicts over TLS 1.3", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage(argv[0], "operand \"%s\" is not wanted", argv[1]);
	o.wanted.refvalues = o.refvalues;
	o.wanted.revoked.crl = o.crl;
	wrong = check(&o, &numbers);
	if (wrong)
		return cli_usage(argv[0], "%s", wrong);
	(void)signal(SIGPIPE, SIG_IGN); /* write() says it */
	return run(&o, &numbers, &e) ? cli_fail(CLI_COULD_NOT, argv[0], &e) : CLI_PASSED;
}
