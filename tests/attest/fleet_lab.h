/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/fleet_lab.h - a fleet on one machine: hosts with a TPM emulator each, and the verifier's program
 *
 * A host is a swtpm with an EK certificate of a throw-away CA, extended with what tests/attest/world.h measured, and the
 * logs of it. The verifier is holdfast-attest itself, as a child on a free port of the loopback device. Reports are made
 * by attest/report.h in this process, so that a test can be the host that lies, and see each answer.
 * All of it lives in one temporary folder; every child dies with the test. Without swtpm the tests are skipped, loudly.
 */
#ifndef TESTS_ATTEST_FLEET_LAB_H
#define TESTS_ATTEST_FLEET_LAB_H

#include "tests/attest/world.h"

#include "attest/agent.h"
#include "attest/message.h"
#include "attest/report.h"
#include "attest/tpm.h"
#include "common/file.h"
#include "common/proc.h"
#include "common/tpm_cmd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LAB_MS        20000
#define LAB_MAX_HOSTS 2

struct lab_host {
	char dir[96]; /* the TPM's state */
	char tcti[64];
	int port;
	pid_t swtpm;
	struct world *world;
	char firmware_log[112], os_log[112], ima_log[112];
	struct attest_agent agent;
	struct tls_identity tls;
	SSL_CTX *ctx;
	struct report report;
};

static struct {
	bool there;
	char dir[64];
	char program[PATH_MAX];
	struct lab_host host[LAB_MAX_HOSTS];
	pid_t verifier;
	char where[32];
	char log[96];
} lab;

static inline const char *lab_path(const char *name)
{
	static char path[4][128];
	static int i;

	i = (i + 1) % 4;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", lab.dir, name);
	return path[i];
}

static inline void lab_write(const char *name, const void *data, size_t n)
{
	struct err e = ERR_INIT;

	assert_ok(file_write(lab_path(name), data, n, 0600, &e), &e);
}

static inline void lab_run(const char *const *argv)
{
	cleanup_buf struct buf out = BUF_INIT;
	const struct proc_params p = {.argv = argv, .quiet = 1, .out = &out, .out_max = 1 << 20};
	struct err e = ERR_INIT;

	assert_ok(proc_run(&p, &e), &e);
}

/* ---- TPMs -------------------------------------------------------------------------------------------------------- */

static inline int lab_connect(int port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static inline bool lab_can_bind(int port)
{
	const struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
}

/* Two ports side by side, as swtpm's transport wants them. */
static inline int lab_free_ports(int index)
{
	int port = 20000 + (int)(getpid() % 5000) * 4 + 2 * index;

	while (!lab_can_bind(port) || !lab_can_bind(port + 1))
		port += 4;
	return port;
}

static inline int lab_manufacture(struct lab_host *h, struct err *e)
{
	char text[512], log[128];
	const char *config = lab_path("setup.conf");
	const char *const argv[] = {"swtpm_setup",      "--tpm2",    "--tpmstate", h->dir,
				    "--create-ek-cert", "--config",  config,       "--pcr-banks",
				    "sha256",           "--logfile", log,          NULL};
	cleanup_buf struct buf out = BUF_INIT;
	const struct proc_params p = {.argv = argv, .quiet = 1, .out = &out, .out_max = 4096};
	static const char options[] = "--platform-manufacturer holdfast\n--platform-version 1\n--platform-model test\n";

	(void)snprintf(log, sizeof(log), "%s/setup.log", lab.dir);
	assert_ok(file_mkdirs(h->dir, e), e);
	assert_ok(file_mkdirs(lab_path("ca"), e), e);
	(void)snprintf(text, sizeof(text),
		       "statedir = %s/ca\nsigningkey = %s/ca/key.pem\nissuercert = %s/ca/issuer.pem\ncertserial = "
		       "%s/ca/serial\n",
		       lab.dir, lab.dir, lab.dir, lab.dir);
	lab_write("ca.conf", text, strlen(text));
	lab_write("ca.options", options, strlen(options));
	(void)snprintf(text, sizeof(text),
		       "create_certs_tool = swtpm_localca\ncreate_certs_tool_config = "
		       "%s/ca.conf\ncreate_certs_tool_options = %s/ca.options\n",
		       lab.dir, lab.dir);
	lab_write("setup.conf", text, strlen(text));
	return proc_run(&p, e);
}

static inline void lab_power_on(struct lab_host *h)
{
	char state[112], server[64], ctrl[64];
	int fd = -1;

	(void)snprintf(state, sizeof(state), "dir=%s", h->dir);
	(void)snprintf(server, sizeof(server), "type=tcp,port=%d,bindaddr=127.0.0.1", h->port);
	(void)snprintf(ctrl, sizeof(ctrl), "type=tcp,port=%d,bindaddr=127.0.0.1", h->port + 1);
	h->swtpm = fork();
	assert_true(h->swtpm >= 0);
	if (h->swtpm == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* not even a crash of the test leaves it behind */
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server, "--ctrl", ctrl,
		       "--flags", "startup-clear", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 200 && (fd = lab_connect(h->port + 1)) < 0; i++)
		(void)poll(NULL, 0, 50);
	assert_true(fd >= 0);
	close(fd);
}

/* As a power cut: no TPM2_Shutdown. */
static inline void lab_power_cut(struct lab_host *h)
{
	attest_agent_close(&h->agent);
	assert_int_equal(kill(h->swtpm, SIGKILL), 0);
	assert_int_equal(waitpid(h->swtpm, NULL, 0), h->swtpm);
	h->swtpm = 0;
}

/* One TPM2 command without handles or sessions of ours; its response code. */
static inline uint32_t lab_command(struct lab_host *h, const void *command, size_t n)
{
	uint8_t answer[4096];
	cleanup_fd int fd = lab_connect(h->port);
	ssize_t got;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, command, n), n);
	got = read(fd, answer, sizeof(answer));
	assert_true(got >= 10);
	return (uint32_t)answer[6] << 24 | (uint32_t)answer[7] << 16 | (uint32_t)answer[8] << 8 | answer[9];
}

/* TPM2_Shutdown(CLEAR) first. */
static inline void lab_power_off(struct lab_host *h)
{
	static const uint8_t shutdown[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x45, 0, 0};

	attest_agent_close(&h->agent);
	assert_int_equal(lab_command(h, shutdown, sizeof(shutdown)), 0);
	lab_power_cut(h);
}

static inline void lab_extend_all(struct lab_host *h, const struct events *l)
{
	struct err e = ERR_INIT;
	cleanup_fd int fd = lab_connect(h->port);

	assert_true(fd >= 0);
	for (size_t i = 0; i < l->n; i++) {
		struct tpm_digest d = {.alg = HASH_SHA256};

		if (l->v[i].type == 3 && l != &h->world->ima)
			continue;
		memcpy(d.digest, l->v[i].digest, 32);
		assert_ok(tpm_cmd_extend(fd, LAB_MS, l->v[i].pcr, &d, 1, &e), &e);
	}
}

/* The boot of a sound host: the TPM is extended with what its logs say. */
static inline void lab_boot(struct lab_host *h)
{
	struct world *w = h->world;

	w->firmware_log.len = w->os_log.len = w->ima_log.len = 0;
	w_seal_firmware(w);
	w_seal_os(w);
	w_seal_ima(w);
	lab_extend_all(h, &w->firmware);
	lab_extend_all(h, &w->os);
	lab_extend_all(h, &w->ima);
	lab_write(basename(h->firmware_log), w->firmware_log.data, w->firmware_log.len);
	lab_write(basename(h->os_log), w->os_log.data, w->os_log.len);
	lab_write(basename(h->ima_log), w->ima_log.data, w->ima_log.len);
}

/* ---- the verifier ------------------------------------------------------------------------------------------------ */

static inline void lab_refvalues(const char *text)
{
	cleanup_pkey EVP_PKEY *key = NULL;
	cleanup_x509 X509 *cert = NULL;
	cleanup_buf struct buf sig = BUF_INIT;
	struct err e = ERR_INIT;

	assert_ok(pki_key_load(lab_path("policy.key"), &key, &e), &e);
	assert_ok(pki_cert_load(lab_path("policy.pem"), &cert, &e), &e);
	assert_ok(pki_sign(&(struct pki_signer){key, cert}, text, strlen(text), PKI_DETACHED, &sig, &e), &e);
	lab_write("refvalues.json", text, strlen(text));
	lab_write("refvalues.json.p7s", sig.data, sig.len);
}

static inline void lab_keys(void)
{
	const char *const tls[] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
				   "-nodes", "-days", "30", "-subj", "/CN=verifier", "-addext",
				   "subjectAltName=IP:127.0.0.1", "-keyout", lab_path("tls.key"), "-out",
				   lab_path("tls.pem"), NULL};
	const char *const ear[] = {"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
				   "-out", lab_path("ear.key"), NULL};

	lab_run(tls);
	lab_run(ear);
	const char *const policy[] = {"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
				      "-subj", "/CN=policy", "-addext", "basicConstraints=critical,CA:FALSE", "-addext",
				      "keyUsage=digitalSignature", "-keyout", lab_path("policy.key"), "-out",
				      lab_path("policy.pem"), NULL};
	lab_run(policy);
}

/* The text of the verifier's log. */
static inline const char *lab_log(void)
{
	static char text[1 << 16];
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	text[0] = '\0';
	if (file_read(lab.log, sizeof(text) - 1, &b, &e) == 0 && b.len) {
		memcpy(text, b.data, b.len);
		text[b.len] = '\0';
	}
	return text;
}

static inline bool lab_log_has(const char *part)
{
	for (int i = 0; i < 200; i++) {
		if (strstr(lab_log(), part))
			return true;
		(void)poll(NULL, 0, 50);
	}
	return false;
}

/* @argv behind the words of the runner, where this machine cannot run the program by itself. */
static inline void lab_argv(const char *const *argv, const char **ret, size_t max)
{
	static char words[512];
	size_t n = 0;

	(void)snprintf(words, sizeof(words), "%s", check_runner());
	for (char *w = strtok(words, " "); w && n < max / 2; w = strtok(NULL, " "))
		ret[n++] = w;
	while (*argv && n < max - 1)
		ret[n++] = *argv++;
	ret[n] = NULL;
}

/* Become @argv. */
static inline _Noreturn void lab_exec(const char *const *argv)
{
	const char *all[64];

	lab_argv(argv, all, ARRAY_SIZE(all));
	execvp(all[0], (char *const *)all);
	_exit(127);
}

/* Start it; @more: further arguments, NULL-terminated, or NULL. */
static inline void lab_verifier_start(const char *const *more)
{
	const char *argv[48] = {lab.program, "verifier", "--listen", "127.0.0.1:0", "--tls-cert", lab_path("tls.pem")};
	char path[10][128];
	const char *const names[] = {"--tls-key", "tls.key", "--state", "state.db", "--refvalues", "refvalues.json",
				     "--policy-cert", "policy.pem", "--ear-key", "ear.key", "--ek-roots", "ca/roots.pem"};
	size_t n = 5;
	const char *port;
	char tls[128];

	(void)snprintf(tls, sizeof(tls), "%s/tls.pem", lab.dir);
	argv[n++] = tls;
	for (size_t i = 0; i < ARRAY_SIZE(names); i += 2) {
		(void)snprintf(path[i / 2], sizeof(path[0]), "%s/%s", lab.dir, names[i + 1]);
		argv[n++] = names[i];
		argv[n++] = path[i / 2];
	}
	argv[n++] = "--burst";
	argv[n++] = "1000";
	while (more && *more)
		argv[n++] = *more++;
	(void)snprintf(lab.log, sizeof(lab.log), "%s/verifier.log", lab.dir);
	(void)unlink(lab.log);
	lab.verifier = fork();
	assert_true(lab.verifier >= 0);
	if (lab.verifier == 0) {
		int fd = open(lab.log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(fd, 2);
		lab_exec(argv);
	}
	port = lab_log_has("\"listening\"") ? strstr(lab_log(), "port ") : NULL;
	if (!port)
		fail_msg("the verifier does not listen: %s", lab_log());
	(void)snprintf(lab.where, sizeof(lab.where), "127.0.0.1:%d", atoi(port + 5));
}

static inline int lab_verifier_stop(int sig)
{
	int status = 0;

	assert_int_equal(kill(lab.verifier, sig), 0);
	assert_int_equal(waitpid(lab.verifier, &status, 0), lab.verifier);
	lab.verifier = 0;
	return status;
}

/* ---- hosts and reports ------------------------------------------------------------------------------------------- */

/* A new channel: a key of its own and a connection. */
static inline void lab_channel(struct lab_host *h)
{
	struct err e = ERR_INIT;

	report_close(&h->report);
	SSL_CTX_free(h->ctx);
	h->ctx = NULL;
	tls_identity_free(&h->tls);
	assert_ok(tls_identity_new(&h->tls, &e), &e);
	assert_ok(tls_host_ctx(&h->tls, lab_path("tls.pem"), &h->ctx, &e), &e);
	h->agent.channel_key = h->tls.digest;
	h->report = (struct report){
		.agent = &h->agent, .tls = h->ctx, .where = lab.where, .timeout_ms = LAB_MS, .fd = -1};
	assert_ok(report_connect(&h->report, NULL, &e), &e);
}

/* One honest round over the host's channel; 1 accepted, 0 refused, -errno not judged. */
static inline int lab_report(struct lab_host *h, struct buf *ear, struct err *e)
{
	struct report_result r = {.ear = BUF_INIT};
	int rc = report_once(&h->report, &r, e);

	if (!rc && ear) {
		ear->len = 0;
		buf_put(ear, r.ear.data, r.ear.len);
	}
	buf_free(&r.ear);
	return rc ? rc : r.accepted;
}

/* The payload of a JWT as JSON; decoding is the test's own. */
static inline const char *lab_claims(const struct buf *jwt)
{
	static char text[16384];
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *p = memchr(jwt->data, '.', jwt->len), *end;
	uint32_t v = 0;
	size_t n = 0;
	int bits = 0;

	assert_non_null(p);
	p++;
	end = memchr(p, '.', jwt->len - (size_t)(p - jwt->data));
	assert_non_null(end);
	for (; p < end && n < sizeof(text) - 1; p++) {
		v = v << 6 | (uint32_t)(strchr(digits, *p) - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			text[n++] = (char)(v >> bits);
		}
	}
	text[n] = '\0';
	return text;
}

/* The report must be refused by verdict, with @part among the reasons. */
static inline void lab_refused(struct lab_host *h, const char *part)
{
	cleanup_buf struct buf ear = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = lab_report(h, &ear, &e);

	if (rc)
		fail_msg("returned %d \"%s\", wanted a REFUSE", rc, e.msg);
	if (!strstr(lab_claims(&ear), part))
		fail_msg("the result lacks \"%s\": %s", part, lab_claims(&ear));
}

static inline void lab_accepted(struct lab_host *h)
{
	cleanup_buf struct buf ear = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = lab_report(h, &ear, &e);

	if (rc != 1)
		fail_msg("returned %d \"%s\", wanted ACCEPT: %s", rc, e.msg, ear.len ? lab_claims(&ear) : "");
}

/* A metric's value, by its name with labels. */
static inline long lab_metric(struct lab_host *h, const char *name)
{
	const struct report_question q = {.method = HTTP_GET, .path = "/metrics"};
	struct http_response r;
	struct bytes body;
	struct err e = ERR_INIT;
	char text[8192];
	const char *p;

	assert_ok(report_ask(&h->report, &q, &r, &body, &e), &e);
	assert_true(body.n < sizeof(text));
	memcpy(text, body.p, body.n);
	text[body.n] = '\0';
	p = strstr(text, name);
	if (!p)
		fail_msg("no metric %s", name);
	return atol(p + strlen(name) + 1);
}

/* A message to the service, encoded by hand; the status, and the body where it is wanted. */
static inline unsigned lab_post(struct lab_host *h, const char *path, const struct message *m, struct buf *ret_body)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct report_question q = {.method = HTTP_POST, .path = path};
	struct http_response r;
	struct bytes body;
	struct err e = ERR_INIT;

	assert_ok(message_encode(m, &b, &e), &e);
	q.body = (struct bytes){b.data, b.len};
	assert_ok(report_ask(&h->report, &q, &r, &body, &e), &e);
	if (ret_body) {
		ret_body->len = 0;
		buf_put(ret_body, body.p, body.n);
	}
	return r.status;
}

/* ---- set up ------------------------------------------------------------------------------------------------------ */

static inline void lab_host_init(struct lab_host *h, int i)
{
	(void)snprintf(h->dir, sizeof(h->dir), "%s/tpm%d", lab.dir, i);
	(void)snprintf(h->firmware_log, sizeof(h->firmware_log), "%s/firmware%d.log", lab.dir, i);
	(void)snprintf(h->os_log, sizeof(h->os_log), "%s/os%d.log", lab.dir, i);
	(void)snprintf(h->ima_log, sizeof(h->ima_log), "%s/ima%d.log", lab.dir, i);
	h->port = lab_free_ports(i);
	(void)snprintf(h->tcti, sizeof(h->tcti), "swtpm:host=127.0.0.1,port=%d", h->port);
	h->agent = (struct attest_agent){
		.tcti = h->tcti, .firmware_log = h->firmware_log, .os_log = h->os_log, .ima_log = h->ima_log};
	h->report.fd = -1;
	h->world = world_sound();
}

static inline int lab_set_up(int n_hosts)
{
	char self[PATH_MAX - 64] = "";
	struct err e = ERR_INIT;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)setenv("TSS2_LOG", "all+none", 1);
	(void)snprintf(lab.dir, sizeof(lab.dir), "/tmp/holdfast-fleet-XXXXXX");
	assert_non_null(mkdtemp(lab.dir));
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	(void)snprintf(lab.program, sizeof(lab.program), "%s/../../holdfast-attest", dirname(self));
	for (int i = 0; i < n_hosts; i++) {
		int rc;

		lab_host_init(&lab.host[i], i);
		rc = lab_manufacture(&lab.host[i], &e);
		if (rc == -ENOENT) {
			fprintf(stderr, "\n*** SKIP: no TPM emulator with EK certificates (%s).\n\n", e.msg);
			return 0;
		}
		assert_ok(rc, &e);
		lab_power_on(&lab.host[i]);
		lab_boot(&lab.host[i]);
	}
	const char *const roots[] = {"cp", lab_path("ca/issuer.pem"), lab_path("ca/roots.pem"), NULL};

	if (n_hosts)
		lab_run(roots);
	lab_keys();
	if (n_hosts)
		lab_refvalues(lab.host[0].world->refvalues);
	lab.there = true;
	return 0;
}

static inline int lab_tear_down(void **state)
{
	const char *const argv[] = {"rm", "-rf", lab.dir, NULL};
	const struct proc_params p = {.argv = argv};
	struct err e = ERR_INIT;

	(void)state;
	if (lab.verifier)
		(void)lab_verifier_stop(SIGKILL);
	for (int i = 0; i < LAB_MAX_HOSTS; i++) {
		struct lab_host *h = &lab.host[i];

		if (h->world)
			report_close(&h->report);
		SSL_CTX_free(h->ctx);
		tls_identity_free(&h->tls);
		if (h->swtpm)
			lab_power_cut(h);
		if (h->world)
			world_free(h->world);
	}
	return proc_run(&p, &e);
}

static inline void lab_need(void)
{
	if (!lab.there)
		skip();
}

#endif
