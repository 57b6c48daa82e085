/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd_fetch.c - `holdfast-attest fetch`: ask a host for evidence over a nonce and keep it */
#include "attest/client.h"
#include "attest/cmd.h"
#include "attest/cmd_timeout.h"

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

static int fetch(const char *connect, int timeout_ms, const uint8_t *nonce, const char *out, const char *cert)
{
	cleanup_buf struct buf evidence = BUF_INIT;
	char text[2 * EVIDENCE_NONCE_BYTES + 1];
	struct err e = ERR_INIT;
	cleanup_client_connection struct client_connection c = {.fd = -1};
	int rc = attest_client_connect(connect, timeout_ms, &c, &e);

	if (rc == 0)
		rc = attest_client_evidence(&c, timeout_ms, nonce, &evidence, &e);
	if (rc == 0 && cert)
		rc = write_cert(&c, cert, &e);
	if (rc == 0)
		rc = file_write(out, evidence.data, evidence.len, 0644, &e);
	if (rc < 0)
		return cli_fail(CLI_COULD_NOT, "fetch", &e);
	hex_encode(nonce, EVIDENCE_NONCE_BYTES, text);
	printf("nonce %s\n", text);
	if (c.has_key) {
		hex_encode(c.channel_key, sizeof(c.channel_key), text);
		printf("channel %s\n", text);
	}
	printf("%zu bytes of evidence written to %s; nothing of it was judged\n", evidence.len, out);
	return CLI_PASSED;
}

int cmd_fetch(int argc, char **argv)
{
	const char *connect = NULL, *hex = NULL, *nonce_file = NULL, *out = NULL, *timeout = NULL, *cert = NULL;
	const struct cli_opt opts[] = {
		{.name = "connect", .arg = "WHERE", .help = "the host's agent: unix:PATH or tls:HOST:PORT", .value = &connect},
		{.name = "nonce",
		 .arg = "HEX",
		 .help = "32 bytes that no evidence was ever asked for with",
		 .value = &hex},
		{.name = "new-nonce",
		 .arg = "FILE",
		 .help = "make such a nonce and write it there first",
		 .value = &nonce_file},
		{.name = "out", .arg = "FILE", .help = "evidence to write", .value = &out},
		{.name = "channel-cert", .arg = "FILE", .help = "the host's TLS certificate to write (DER)", .value = &cert},
		{.name = "timeout", .arg = "SECONDS", .help = "for each answer (30)", .value = &timeout},
		{0},
	};
	uint8_t nonce[EVIDENCE_NONCE_BYTES];
	struct err e = ERR_INIT;
	int timeout_ms = 0;
	int n = cli_options(argc, argv, "", "ask a host for evidence, for `verify` to judge", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("fetch", "operand \"%s\" is not wanted", argv[1]);
	if (!connect || !out)
		return cli_usage("fetch", "--connect and --out are needed");
	if (!hex == !nonce_file)
		return cli_usage("fetch", "one of --nonce and --new-nonce is needed");
	if (hex && !hex_decode(hex, nonce, sizeof(nonce)))
		return cli_usage("fetch", "--nonce \"%s\" is not 64 lower-case hex digits", hex);
	if (!cmd_timeout_parse(timeout, &timeout_ms))
		return cli_usage("fetch", "--timeout \"%s\" is not a number of seconds from 1 to %d", timeout,
				 CLIENT_MAX_SECONDS);
	if (nonce_file && new_nonce(nonce_file, nonce, &e) < 0)
		return cli_fail(CLI_COULD_NOT, "fetch", &e);
	(void)signal(SIGPIPE, SIG_IGN); /* write() says it */
	return fetch(connect, timeout_ms, nonce, out, cert);
}
