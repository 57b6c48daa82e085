/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_derive.c - holdfast-policy derive: what follows from a policy */
#include "policy/cmd.h"

#include "common/cli.h"
#include "common/file.h"
#include "policy/ipe.h"
#include "policy/policy_write.h"

#include <string.h>

static int ipe_bytes(const struct policy *p, const char *key, const char *cert, struct buf *ret, struct err *e)
{
	struct pki_signer by = {0};
	int r;

	if (!key)
		return policy_ipe_text(p, ret, e);
	r = policy_cmd_signer(key, cert, &by, e);
	r = r ? r : policy_ipe_signed(p, &by, ret, e);
	policy_cmd_signer_free(&by);
	return r;
}

int policy_cmd_derive(int argc, char **argv)
{
	const char *out = NULL, *key = NULL, *cert = NULL;
	const struct cli_opt opts[] = {
		{"out", "PATH", "write it there, not to standard output", &out, NULL, 0},
		{"key", "KEY", "sign it (with --cert and --out): what the kernel takes", &key, NULL, 0},
		{"cert", "CERT", "certificate of that key, enrolled in the firmware's db", &cert, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "ipe FILE", "print the kernel's IPE policy that belongs to a layer policy",
			    opts);
	cleanup_policy struct policy *p = NULL;
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 2 || strcmp(argv[1], "ipe"))
		return cli_usage(argv[0], "wants what to derive (ipe) and one FILE");
	if (!key != !cert || (key && !out))
		return cli_usage(argv[0], "--key, --cert and --out belong together");
	r = policy_load_unverified(argv[2], &p, &e);
	r = r ? r : ipe_bytes(p, key, cert, &b, &e);
	if (!r && out)
		r = file_write(out, b.data, b.len, 0644, &e);
	if (r)
		return policy_cmd_exit(argv[0], r, &e);
	if (!out)
		(void)fwrite(b.data, 1, b.len, stdout); /* cli_main() checks standard output */
	return CLI_PASSED;
}
