/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/cmd_serve.c - `holdfast-attest serve`: the agent, over a virtio port, a UNIX socket or TLS, for ever
 *
 * Theory of operation
 *   On a virtio port the same descriptor is kept while the host's end comes and goes: what a new peer has sent
 *   between our closing and opening would be lost. While nobody is there, poll() returns at once with POLLHUP, so the
 *   loop pauses PAUSE_MS between two looks: five wake-ups a second, and never a spin. Only after a broken message,
 *   whose rest may still be under way, or a failure of the port, is it closed (the kernel then drops what was queued)
 *   and opened again. A UNIX socket serves one connection after another; it is for tests and for hosts without a
 *   hypervisor. So does TLS, over TCP or vsock: its key lives in the TPM and is good only in
 *   states that the owner signed (attest/agent_channel.h), and every evidence that leaves over it is bound to it. While there
 *   is no such key (no TPM, a slow one, one in another state) connections wait, and it is tried again. With a port beside
 *   it TLS is a process of its own.
 *
 * Runs as: the agent's user (common/agent_user.h), a child of PID 1, which starts it again if it ends.
 */
#include "attest/agent.h"
#include "attest/agent_channel.h"
#include "attest/cmd.h"
#include "attest/net.h"
#include "attest/stream.h"
#include "attest/tls.h"
#include "attest/tpm.h"

#include "common/cel.h"
#include "common/cli.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define PAUSE_MS       200
#define HANDSHAKE_MS   5000
#define SOCKET_IDLE_MS 10000 /* whoever connects and says nothing keeps all others waiting */
#define SOCKET_TALK_MS 60000 /* and so does who never stops asking: an enrolment and evidence take a slow TPM less */
#define RETRY_S        5 /* between two tries to get the TLS key */
#define PORTS_SYSFS    "/sys/class/virtio-ports"
#define PORTS_DEV      "/dev"

static void pause_a_little(void)
{
	const struct timespec t = {.tv_nsec = PAUSE_MS * 1000000L};

	(void)nanosleep(&t, NULL); /* shorter after a signal: no harm */
}

/* Each sentence once in a row: a port that stays away must not fill the console. */
static void say(const struct err *e)
{
	static char last[ERR_MSG_MAX];

	if (strcmp(last, e->msg) == 0)
		return;
	memcpy(last, e->msg, sizeof(last));
	fprintf(stderr, "serve: %s; going on\n", e->msg);
}

/* Open the port and talk until it breaks; @e says why. */
static void serve_port_once(struct attest_agent *a, const char *name, struct err *e)
{
	cleanup_fd int fd = -1;
	int rc = attest_agent_port(PORTS_SYSFS, PORTS_DEV, name, &fd, e);

	if (rc < 0)
		return;
	while (attest_agent_talk(a, STREAM_FD(fd), STREAM_FOREVER, e) == -EPIPE)
		pause_a_little();
}

static void serve_port(struct attest_agent *a, const char *name)
{
	for (;;) {
		struct err e = ERR_INIT;

		serve_port_once(a, name, &e);
		say(&e);
		pause_a_little();
	}
}

/* struct tls_options - where, and by what key */
struct tls_options {
	const char *where, *pcr_key, *pcr_signature, *key;
};

static int serve_socket(struct attest_agent *a, const char *path)
{
	struct err e = ERR_INIT;
	cleanup_fd int listener = -1;

	if (attest_stream_listen(path, &listener, &e) < 0)
		return cli_fail(CLI_COULD_NOT, "serve", &e);
	for (;;) {
		cleanup_fd int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			(void)err_errno(&e, "cannot accept a connection at %s", path);
			say(&e);
			pause_a_little();
		} else if (attest_agent_talk(a, STREAM_FD(fd), SOCKET_IDLE_MS, &e) != -EPIPE) {
			say(&e);
		}
	}
}

/* The key in the TPM, however long it takes: whoever starts us waits for nothing, and a TPM may come back. */
static int wait_for_key(struct agent_channel *c, struct attest_agent *a, const struct tls_options *o, struct err *e)
{
	const struct timespec pause = {.tv_sec = RETRY_S};

	if (o->key && !strcmp(o->key, "memory")) {
		int rc = tls_identity_new(&c->id, e);

		a->channel_key = c->id.digest;
		return rc;
	}
	while (agent_channel_open(c, a, o->pcr_key, o->pcr_signature, e)) {
		say(e);
		attest_agent_close(a);
		(void)nanosleep(&pause, NULL); /* shorter after a signal: no harm */
	}
	return 0;
}

/* One connection after another, each with TLS and bound to our key. */
static int serve_tls(struct attest_agent *a, const struct tls_options *o)
{
	cleanup_agent_channel struct agent_channel channel = {0};
	cleanup_ssl_ctx SSL_CTX *ctx = NULL;
	struct err e = ERR_INIT;
	cleanup_fd int listener = -1;

	if (net_listen(o->where, &listener, &e) || wait_for_key(&channel, a, o, &e) || tls_host_ctx(&channel.id, NULL, &ctx, &e))
		return cli_fail(CLI_COULD_NOT, "serve", &e);
	fprintf(stderr, "serve: TLS at port %u\n", net_port(listener));
	for (;;) {
		cleanup_ssl SSL *tls = SSL_new(ctx);
		struct pollfd p = {.fd = listener, .events = POLLIN};
		cleanup_fd int fd = -1;
		int rc;

		(void)poll(&p, 1, -1); /* a signal at worst: then nobody is there */
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 || !tls || SSL_set_fd(tls, fd) != 1) {
			pause_a_little();
			continue;
		}
		SSL_set_accept_state(tls);
		rc = attest_stream_handshake((struct stream){fd, tls}, HANDSHAKE_MS, &e);
		if (rc && channel.key.last.code)
			e = channel.key.last; /* why the TPM did not sign: more than OpenSSL knows */
		channel.key.last.code = 0;
		if (!rc)
			rc = attest_agent_talk(a, (struct stream){fd, tls}, SOCKET_IDLE_MS, &e);
		if (rc != -EPIPE)
			say(&e);
	}
}

static void end_with_child(int sig)
{
	(void)sig;
	_exit(CLI_COULD_NOT);
}

/* A process for TLS beside the one for the port. Each ends with the other, and PID 1 starts both again. */
static int fork_tls(struct attest_agent *a, const struct tls_options *o)
{
	struct err e = ERR_INIT;
	pid_t parent = getpid(), pid;

	(void)signal(SIGCHLD, end_with_child);
	pid = fork();
	if (pid < 0) {
		(void)err_errno(&e, "cannot make a process for TLS"); /* its code is not needed */
		return cli_fail(CLI_COULD_NOT, "serve", &e);
	}
	if (pid)
		return CLI_PASSED;
	(void)signal(SIGCHLD, SIG_DFL);
	a->count_path = NULL; /* the other one counts */
	a->talk_ms = SOCKET_TALK_MS;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(CLI_COULD_NOT);
	_exit(serve_tls(a, o));
}

int cmd_serve(int argc, char **argv)
{
	struct attest_agent a = {.tcti = ATTEST_TPM_DEFAULT,
				 .firmware_log = AGENT_FIRMWARE_LOG,
				 .os_log = CEL_PATH,
				 .ima_log = AGENT_IMA_LOG,
				 .count_path = AGENT_COUNT_PATH};
	const char *port = NULL, *path = NULL;
	struct tls_options tls = {.pcr_key = PCR_POLICY_KEY, .pcr_signature = PCR_POLICY_PATH};
	const struct cli_opt opts[] = {
		{.name = "port", .arg = "NAME", .help = "answer at the virtio port of that name", .value = &port},
		{.name = "unix", .arg = "PATH", .help = "answer at a UNIX socket", .value = &path},
		{.name = "tls",
		 .arg = "ADDRESS",
		 .help = "answer over TLS 1.3 at HOST:PORT or vsock:CID:PORT",
		 .value = &tls.where},
		{.name = "tls-key", .arg = "tpm|memory", .help = "where the TLS key lives (tpm)", .value = &tls.key},
		{.name = "pcr-key", .arg = "PEM", .help = "who signs the states it is good in (" PCR_POLICY_KEY ")", .value = &tls.pcr_key},
		{.name = "pcr-signature", .arg = "FILE", .help = "which are signed (" PCR_POLICY_PATH ")", .value = &tls.pcr_signature},
		{.name = "tcti", .arg = "T", .help = "TPM transport (" ATTEST_TPM_DEFAULT ")", .value = &a.tcti},
		{.name = "firmware-log",
		 .arg = "FILE",
		 .help = "TCG event log (the kernel's)",
		 .value = &a.firmware_log},
		{.name = "os-log", .arg = "FILE", .help = "CEL event log (" CEL_PATH ")", .value = &a.os_log},
		{.name = "ima-log", .arg = "FILE", .help = "IMA log (the kernel's)", .value = &a.ima_log},
		{0},
	};
	int n = cli_options(argc, argv, "", "answer verifiers for ever", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("serve", "operand \"%s\" is not wanted", argv[1]);
	if ((!port && !path && !tls.where) || (port && path) || (path && tls.where))
		return cli_usage("serve", "one of --port, --unix and --tls is needed, or --port and --tls");
	if (tls.key && strcmp(tls.key, "tpm") != 0 && strcmp(tls.key, "memory") != 0)
		return cli_usage("serve", "--tls-key \"%s\" is neither tpm nor memory", tls.key);
	if (port && (!*port || strlen(port) > AGENT_PORT_NAME_MAX_BYTES))
		return cli_usage("serve", "--port \"%s\" is not 1 to %d bytes", port, AGENT_PORT_NAME_MAX_BYTES);
	(void)signal(SIGPIPE, SIG_IGN); /* write() says it */
	/* Our answers say what the TPM said; the library need not shout it too. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	a.talk_ms = port ? 0 : SOCKET_TALK_MS;
	if (tls.where && !port)
		return serve_tls(&a, &tls);
	if (tls.where && fork_tls(&a, &tls))
		return CLI_COULD_NOT;
	if (path)
		return serve_socket(&a, path);
	serve_port(&a, port);
	return CLI_COULD_NOT; /* not reached */
}
