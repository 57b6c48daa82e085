/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/main.c - holdfast-attest: the command table */
#include "attest/cmd.h"

#include "common/cli.h"

static const struct cli_command commands[] = {
	{"enrol", cmd_enrol, "prove which attestation key a host has, and record it"},
	{"explain", cmd_explain, "say which event of a host differs, of which artefact, and why"},
	{"fetch", cmd_fetch, "ask a host for evidence over a nonce"},
	{"log", cmd_log, "show an event log (TCG or CEL) and the PCRs it replays to"},
	{"quote-check", cmd_quote_check, "check one quote against key, nonce, selection and PCR values"},
	{"report", cmd_report, "on a host: go to a verifier's service with evidence, and take the result"},
	{"serve", cmd_serve, "be a host's agent: answer the two above"},
	{"verify", cmd_verify, "judge a host's evidence: ACCEPT or REFUSE, and why"},
#ifndef HOLDFAST_GUEST
	{"verifier", cmd_verifier, "be a fleet's verifier: challenges, enrolment, verdicts, over TLS"},
#endif
	{"wait", cmd_wait, "on a host: wait until a verifier has fetched evidence"},
	{NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
	return cli_main(argc, argv, "holdfast-attest", "Attest a host and judge what it says.", commands);
}
