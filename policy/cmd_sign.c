/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_sign.c - holdfast-policy sign: write FILE.p7s */
#include "policy/cmd.h"

#include "common/cli.h"
#include "policy/policy_write.h"

int policy_cmd_sign(int argc, char **argv)
{
	const char *key = NULL, *cert = NULL;
	const struct cli_opt opts[] = {
		{"key", "KEY", "private key: PEM file or provider URI (pkcs11:...)", &key, NULL, 0},
		{"cert", "CERT", "its certificate", &cert, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "FILE", "parse FILE, then sign its exact bytes into FILE.p7s", opts);
	struct pki_signer by = {0};
	struct err e = ERR_INIT;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1 || !key || !cert)
		return cli_usage(argv[0], "wants --key, --cert and one FILE");
	if (policy_cmd_signer(key, cert, &by, &e))
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	r = policy_sign_file(argv[1], &by, &e);
	policy_cmd_signer_free(&by);
	return r ? policy_cmd_exit(argv[0], r, &e) : CLI_PASSED;
}
