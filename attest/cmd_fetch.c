/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd_fetch.c - `holdfast-attest fetch`: ask a host for evidence over a nonce and keep it */
#include "attest/client.h"
#include "attest/cmd.h"
#include "attest/cmd_timeout.h"
#include "attest/evidence_files.h"

#include "common/cli.h"
#include "common/file.h"
#include "common/hex.h"

#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <signal.h>

/* The certificate of the host's end, for `verify --channel-cert`. */
static int write_cert(const struct client_connection *c, const char *path, struct err *e)
{
	X509 *cert = c->stream.tls ? SSL_get0_peer_certificate(c->stream.tls) : NULL;
	unsigned char *der = NULL;
	int n = cert ? i2d_X509(cert, &der) : 0, rc;

	if (n <= 0)
		return err_set(e, EINVAL, "there is no TLS certificate to write to %s: the connection is not tls:", path);
	rc = file_write(path, der, (size_t)n, 0644, e);
	OPENSSL_free(der);
	return rc;
}

/* A fresh nonce, and its 64 hex digits with a newline as @path. */
static int new_nonce(const char *path, uint8_t ret[static EVIDENCE_NONCE_BYTES], struct err *e)
{
	char text[2 * EVIDENCE_NONCE_BYTES + 2];

	if (RAND_bytes(ret, EVIDENCE_NONCE_BYTES) != 1)
		return err_set(e, EIO, "no random numbers for a nonce");
	hex_encode(ret, EVIDENCE_NONCE_BYTES, text);
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	return file_write(path, text, sizeof(text) - 1, 0644, e);
}

/* @nonce: 32 bytes; @ak: the host's record, NULL without --enrolment */
struct fetch_options {
	const char *connect, *hex, *nonce_file, *out, *dir, *enrolment, *cert, *timeout;
	uint8_t nonce[EVIDENCE_NONCE_BYTES];
	const struct enrolment *ak;
};

static int write_evidence(const struct fetch_options *o, const struct client_connection *c, const struct buf *evidence,
			  enum evidence_replay *ret, struct err *e)
{
	const struct evidence_files_input in = {.evidence = {evidence->data, evidence->len},
						.nonce = o->nonce,
						.channel_key = c->has_key ? c->channel_key : NULL,
						.ak = o->ak};
	int rc = o->cert ? write_cert(c, o->cert, e) : 0;

	if (!rc && o->out)
		rc = file_write(o->out, evidence->data, evidence->len, 0644, e);
	return !rc && o->dir ? evidence_files_write(&in, o->dir, ret, e) : rc;
}

static int fetch(const struct fetch_options *o, int timeout_ms)
{
	cleanup_buf struct buf evidence = BUF_INIT;
	char text[2 * EVIDENCE_NONCE_BYTES + 1];
	enum evidence_replay replayed = EVIDENCE_REPLAY_UNSET;
	struct err e = ERR_INIT;
	cleanup_client_connection struct client_connection c = {.fd = -1};
	int rc = attest_client_connect(o->connect, timeout_ms, &c, &e);

	if (rc == 0)
		rc = attest_client_evidence(&c, timeout_ms, o->nonce, &evidence, &e);
	if (rc == 0)
		rc = write_evidence(o, &c, &evidence, &replayed, &e);
	if (rc < 0)
		return cli_fail(CLI_COULD_NOT, "fetch", &e);
	hex_encode(o->nonce, EVIDENCE_NONCE_BYTES, text);
	printf("nonce %s\n", text);
	if (c.has_key) {
		hex_encode(c.channel_key, sizeof(c.channel_key), text);
		printf("channel %s\n", text);
	}
	if (o->out)
		printf("%zu bytes of evidence written to %s; nothing of it was judged\n", evidence.len, o->out);
	if (o->dir)
		printf("its parts written to %s, judged by nobody: %s\n", o->dir, evidence_replay_str(replayed));
	return CLI_PASSED;
}

/* What does not fit together. Return: false after it was said. */
static bool options_fit(const struct fetch_options *o)
{
	const char *wrong = !o->connect			  ? "--connect is needed"
			    : !o->out && !o->dir	  ? "--out or --out-dir is needed"
			    : o->enrolment && !o->dir	  ? "--enrolment is for --out-dir: the AK stands there"
			    : !o->hex == !o->nonce_file ? "one of --nonce and --new-nonce is needed"
							  : NULL;

	if (wrong)
		(void)cli_usage("fetch", "%s", wrong); /* its code is returned by the caller */
	return !wrong;
}

int cmd_fetch(int argc, char **argv)
{
	struct fetch_options o = {.connect = NULL};
	const struct cli_opt opts[] = {
		{.name = "connect", .arg = "WHERE", .help = "the host's agent: unix:PATH or tls:HOST:PORT", .value = &o.connect},
		{.name = "nonce",
		 .arg = "HEX",
		 .help = "32 bytes that no evidence was ever asked for with",
		 .value = &o.hex},
		{.name = "new-nonce",
		 .arg = "FILE",
		 .help = "make such a nonce and write it there first",
		 .value = &o.nonce_file},
		{.name = "out", .arg = "FILE", .help = "evidence to write", .value = &o.out},
		{.name = "out-dir",
		 .arg = "DIR",
		 .help = "a folder to make, for its parts: logs, quote, signature, PCR values",
		 .value = &o.dir},
		{.name = "enrolment", .arg = "FILE", .help = "the host's record: its AK goes into DIR, too", .value = &o.enrolment},
		{.name = "channel-cert", .arg = "FILE", .help = "the host's TLS certificate to write (DER)", .value = &o.cert},
		{.name = "timeout", .arg = "SECONDS", .help = "for each answer (30)", .value = &o.timeout},
		{0},
	};
	struct enrolment record;
	struct err e = ERR_INIT;
	int timeout_ms = 0;
	int n = cli_options(argc, argv, "", "ask a host for evidence, for `verify` to judge", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("fetch", "operand \"%s\" is not wanted", argv[1]);
	if (!options_fit(&o))
		return CLI_USAGE;
	if (o.hex && !hex_decode(o.hex, o.nonce, sizeof(o.nonce)))
		return cli_usage("fetch", "--nonce \"%s\" is not 64 lower-case hex digits", o.hex);
	if (!cmd_timeout_parse(o.timeout, &timeout_ms))
		return cli_usage("fetch", "--timeout \"%s\" is not a number of seconds from 1 to %d", o.timeout,
				 CLIENT_MAX_SECONDS);
	if (o.enrolment && enrolment_load(o.enrolment, &record, &e))
		return cli_fail(CLI_COULD_NOT, "fetch", &e);
	o.ak = o.enrolment ? &record : NULL;
	if (o.nonce_file && new_nonce(o.nonce_file, o.nonce, &e) < 0)
		return cli_fail(CLI_COULD_NOT, "fetch", &e);
	(void)signal(SIGPIPE, SIG_IGN); /* write() says it */
	return fetch(&o, timeout_ms);
}
