/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/cmd_report.c - `holdfast-attest report`: a host goes to its verifier, once or for ever
 *
 * With --every it goes on whatever happens: a verifier that is away, or refuses, is asked again at the next time, over a
 * new connection. Runs as: the agent's user, a child of PID 1 or of anything else that starts services.
 */
#include "attest/agent_channel.h"
#include "attest/cmd.h"
#include "attest/cmd_timeout.h"
#include "attest/report.h"
#include "attest/tpm.h"

#include "common/cel.h"
#include "common/cli.h"
#include "common/file.h"

#include <signal.h>
#include <string.h>
#include <time.h>

struct report_options {
	const char *verifier, *roots, *name, *ear, *every, *timeout, *key, *pcr_key, *pcr_signature;
};

static int ask(struct report *r, const struct report_options *o, struct report_result *ret, struct err *e)
{
	int rc = r->ssl ? 0 : report_connect(r, o->name, e);

	return rc ? rc : report_once(r, ret, e);
}

static int one_round(struct report *r, const struct report_options *o, bool *ret_accepted, struct err *e)
{
	struct report_result result = {.ear = BUF_INIT};
	bool kept = r->ssl;
	int rc = ask(r, o, &result, e);

	if (rc == -EPIPE && kept) { /* the verifier keeps no connection for ever: a new one */
		report_close(r);
		rc = ask(r, o, &result, e);
	}
	if (!rc && o->ear)
		rc = file_write(o->ear, result.ear.data, result.ear.len, 0644, e);
	if (!rc) {
		printf("%s%s\n", result.accepted ? "ACCEPT" : "REFUSE", result.enrolled ? " (enrolled)" : "");
		(void)fflush(stdout); /* for whoever reads it as it comes */
		*ret_accepted = result.accepted;
		attest_agent_publish_count(r->agent);
	}
	buf_free(&result.ear);
	return rc;
}

static void for_ever(struct report *r, const struct report_options *o, int every_ms)
{
	const struct timespec pause = {.tv_sec = every_ms / 1000};

	for (;;) {
		struct err e = ERR_INIT;
		bool accepted;

		if (one_round(r, o, &accepted, &e)) {
			fprintf(stderr, "report: %s; trying again in %d s\n", e.msg, every_ms / 1000);
			report_close(r);
		}
		(void)nanosleep(&pause, NULL); /* shorter after a signal: no harm */
	}
}

static int run(struct report *r, const struct report_options *o, int every_ms)
{
	cleanup_agent_channel struct agent_channel channel = {0};
	bool in_memory = o->key && !strcmp(o->key, "memory");
	cleanup_ssl_ctx SSL_CTX *ctx = NULL;
	struct err e = ERR_INIT;
	bool accepted = false;

	if (in_memory ? tls_identity_new(&channel.id, &e) :
			agent_channel_open(&channel, r->agent, o->pcr_key, o->pcr_signature, &e))
		return cli_fail(CLI_COULD_NOT, "report", &e);
	if (tls_host_ctx(&channel.id, o->roots, &ctx, &e))
		return cli_fail(CLI_COULD_NOT, "report", &e);
	r->tls = ctx;
	r->agent->channel_key = channel.id.digest;
	if (every_ms)
		for_ever(r, o, every_ms);
	if (one_round(r, o, &accepted, &e))
		return cli_fail(e.code == EBADMSG ? CLI_BAD : CLI_COULD_NOT, "report", &e);
	return accepted ? CLI_PASSED : CLI_BAD;
}

int cmd_report(int argc, char **argv)
{
	struct attest_agent a = {.tcti = ATTEST_TPM_DEFAULT,
				 .firmware_log = AGENT_FIRMWARE_LOG,
				 .os_log = CEL_PATH,
				 .ima_log = AGENT_IMA_LOG};
	struct report_options o = {.pcr_key = PCR_POLICY_KEY, .pcr_signature = PCR_POLICY_PATH};
	const struct cli_opt opts[] = {
		{.name = "verifier", .arg = "ADDRESS", .help = "HOST:PORT or vsock:CID:PORT", .value = &o.verifier},
		{.name = "roots", .arg = "PEM", .help = "who vouches for the verifier's certificate", .value = &o.roots},
		{.name = "name", .arg = "NAME", .help = "what that certificate must name (HOST)", .value = &o.name},
		{.name = "ear", .arg = "FILE", .help = "write the signed result", .value = &o.ear},
		{.name = "every", .arg = "SECONDS", .help = "go on for ever, so often", .value = &o.every},
		{.name = "timeout", .arg = "SECONDS", .help = "for each answer (30)", .value = &o.timeout},
		{.name = "tcti", .arg = "T", .help = "TPM transport (" ATTEST_TPM_DEFAULT ")", .value = &a.tcti},
		{.name = "firmware-log",
		 .arg = "FILE",
		 .help = "TCG event log (the kernel's)",
		 .value = &a.firmware_log},
		{.name = "os-log", .arg = "FILE", .help = "CEL event log (" CEL_PATH ")", .value = &a.os_log},
		{.name = "ima-log", .arg = "FILE", .help = "IMA log (the kernel's)", .value = &a.ima_log},
		{.name = "tls-key", .arg = "tpm|memory", .help = "where the TLS key lives (tpm)", .value = &o.key},
		{.name = "pcr-key", .arg = "PEM", .help = "who signs the states it is good in (" PCR_POLICY_KEY ")", .value = &o.pcr_key},
		{.name = "pcr-signature", .arg = "FILE", .help = "which are signed (" PCR_POLICY_PATH ")", .value = &o.pcr_signature},
		{.name = "count", .arg = "FILE", .help = "write how often evidence was shown", .value = &a.count_path},
		{0},
	};
	cleanup_report struct report r = {.agent = &a, .fd = -1};
	int n = cli_options(argc, argv, "", "go to a verifier with evidence; exit 0 if it accepts, 1 if it refuses", opts);
	int every_ms = 0, code;

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("report", "operand \"%s\" is not wanted", argv[1]);
	if (!o.verifier || !o.roots)
		return cli_usage("report", "--verifier and --roots are needed");
	if (!cmd_timeout_parse(o.timeout, &r.timeout_ms) || (o.every && !cmd_timeout_parse(o.every, &every_ms)))
		return cli_usage("report", "--timeout and --every are numbers of seconds from 1 to %d", CLIENT_MAX_SECONDS);
	if (o.key && strcmp(o.key, "tpm") != 0 && strcmp(o.key, "memory") != 0)
		return cli_usage("report", "--tls-key \"%s\" is neither tpm nor memory", o.key);
	(void)signal(SIGPIPE, SIG_IGN); /* write() says it */
	/* Our sentences say what the TPM said; the library need not shout it too. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	r.where = o.verifier;
	code = run(&r, &o, every_ms);
	attest_agent_close(&a);
	return code;
}
