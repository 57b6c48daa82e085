/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/cmd_enrol.c - `holdfast-attest enrol`: learn, once, which attestation key a host has, with proof */
#include "attest/client.h"
#include "attest/cmd.h"
#include "attest/cmd_timeout.h"
#include "attest/ek_revoked.h"

#include "common/cli.h"
#include "common/hex.h"

#include <signal.h>
#include <time.h>

static int enrol(const char *connect, const char *out, const struct client_params *p)
{
	char identity[2 * HASH_SHA256_BYTES + 1];
	struct err e = ERR_INIT;
	struct enrolment rec;
	cleanup_client_connection struct client_connection c = {.fd = -1};
	int rc = attest_client_connect(connect, p->timeout_ms, &c, &e);

	if (rc == 0)
		rc = attest_client_enrol(c.stream, p, &rec, &e);
	if (rc == 0)
		rc = enrolment_write(out, &rec, &e);
	if (rc < 0)
		return cli_fail(rc == -EBADMSG ? CLI_BAD : CLI_COULD_NOT, "enrol", &e);
	hex_encode(rec.identity, sizeof(rec.identity), identity);
	printf("identity %s\n", identity);
	printf("EK believed by %s\n", rec.ek == ENROLMENT_EK_PINNED	  ? "the digest that was given"
			      : rec.ek == ENROLMENT_EK_PROVIDER ? "its certificate's chain to a provider of virtual machines"
								: "its certificate's chain to a pinned root");
	printf("AK proved to live in that TPM by credential activation\n");
	printf("record written to %s\n", out);
	return CLI_PASSED;
}

int cmd_enrol(int argc, char **argv)
{
	const char *connect = NULL, *roots = NULL, *digest = NULL, *out = NULL, *timeout = NULL, *provider = NULL;
	struct ek_revoked_files files = {0};
	cleanup_ek_revoked struct ek_revoked revoked = {0};
	const char *crl[EK_REVOKED_MAX_FILES];
	struct err e = ERR_INIT;
	const struct cli_opt opts[] = {
		{.name = "connect", .arg = "WHERE", .help = "the host's agent: unix:PATH or tls:HOST:PORT", .value = &connect},
		{.name = "ek-roots",
		 .arg = "PEM",
		 .help = "believe an EK whose certificate chains to one of these",
		 .value = &roots},
		{.name = "ek-sha256",
		 .arg = "HEX",
		 .help = "believe the EK whose TPMT_PUBLIC has this SHA-256",
		 .value = &digest},
		{.name = "provider-roots",
		 .arg = "PEM",
		 .help = "the same, of providers of virtual machines",
		 .value = &provider},
		{.name = "ek-deny", .arg = "FILE", .help = "never EKs of these SHA-256, one a line", .value = &files.deny},
		{.name = "ek-crl",
		 .arg = "FILE",
		 .help = "CRL of who certifies EKs; may be repeated",
		 .value = crl,
		 .count = &files.n_crls,
		 .max = EK_REVOKED_MAX_FILES},
		{.name = "out", .arg = "FILE", .help = "enrolment record to write", .value = &out},
		{.name = "timeout", .arg = "SECONDS", .help = "for each answer (30)", .value = &timeout},
		{0},
	};
	struct client_params p = {0};
	uint8_t pinned[HASH_SHA256_BYTES];
	int n = cli_options(argc, argv, "", "prove which attestation key a host has, and record it", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("enrol", "operand \"%s\" is not wanted", argv[1]);
	if (!connect || !out)
		return cli_usage("enrol", "--connect and --out are needed");
	if (!roots + !provider + !digest != 2)
		return cli_usage(
			"enrol",
			"one of --ek-roots, --provider-roots and --ek-sha256 is needed: an EK is not believed because a host showed it");
	if (digest && !hex_decode(digest, pinned, sizeof(pinned)))
		return cli_usage("enrol", "--ek-sha256 \"%s\" is not 64 lower-case hex digits", digest);
	if (!cmd_timeout_parse(timeout, &p.timeout_ms))
		return cli_usage("enrol", "--timeout \"%s\" is not a number of seconds from 1 to %d", timeout,
				 CLIENT_MAX_SECONDS);
	(void)signal(SIGPIPE, SIG_IGN); /* write() says it */
	files.crl = crl;
	files.roots[0] = roots;
	files.roots[1] = provider;
	p.now_s = (int64_t)time(NULL);
	if (ek_revoked_load(&files, p.now_s, &revoked, &e))
		return cli_fail(CLI_COULD_NOT, "enrol", &e);
	p.revoked = &revoked;
	p.provider_roots = provider;
	p.ek_roots = roots;
	p.ek_sha256 = digest ? pinned : NULL;
	return enrol(connect, out, &p);
}
