/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_derive.c - holdfast-policy derive: what follows from a policy */
#include "policy/cmd.h"

#include "common/cli.h"
#include "common/file.h"
#include "policy/ipe.h"
#include "policy/policy_refvalues.h"
#include "policy/policy_write.h"

#include <string.h>

/* struct wanted - what to derive, and the options */
struct wanted {
	const char *out, *key, *cert, *ipe;
	int jit;
};

static int ipe_bytes(const struct policy *p, const struct wanted *w, struct buf *ret, struct err *e)
{
	const enum policy_ipe_for profile = w->jit ? POLICY_IPE_ENFORCE_JIT : POLICY_IPE_ENFORCE;
	struct pki_signer by = {0};
	int r;

	if (!w->key)
		return policy_ipe_text(p, profile, ret, e);
	r = policy_cmd_signer(w->key, w->cert, &by, e);
	r = r ? r : policy_ipe_signed(p, profile, &by, ret, e);
	policy_cmd_signer_free(&by);
	return r;
}

/* The kernel's policy is measured as the signed file that PID 1 loads: without that file its event is not known. */
static int refvalues_bytes(const struct policy *p, const struct wanted *w, struct buf *ret, struct err *e)
{
	uint8_t digest[HASH_SHA256_BYTES];
	int r = w->ipe ? hash_sha256_file(w->ipe, digest, e) : 0;

	return r ? r : policy_refvalues(p, w->ipe ? digest : NULL, ret, e);
}

static int derive(const char *verb, const char *path, bool ipe, const struct wanted *w)
{
	cleanup_policy struct policy *p = NULL;
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int r = policy_load_unverified(path, &p, &e);

	r = r ? r : ipe ? ipe_bytes(p, w, &b, &e) : refvalues_bytes(p, w, &b, &e);
	if (!r && w->out)
		r = file_write(w->out, b.data, b.len, 0644, &e);
	if (r)
		return policy_cmd_exit(verb, r, &e);
	if (!w->out)
		(void)fwrite(b.data, 1, b.len, stdout); /* cli_main() checks standard output */
	return CLI_PASSED;
}

int policy_cmd_derive(int argc, char **argv)
{
	struct wanted w = {0};
	const struct cli_opt opts[] = {
		{"out", "PATH", "write it there, not to standard output", &w.out, NULL, 0},
		{"key", "KEY", "ipe: sign it (with --cert and --out): what the kernel takes", &w.key, NULL, 0},
		{"cert", "CERT", "ipe: certificate of that key, enrolled in the firmware's db", &w.cert, NULL, 0},
		{"jit", NULL, "ipe: for hosts of the profile enforce-jit", &w.jit, NULL, 0},
		{"ipe", "FILE", "refvalues: the signed IPE policy that PID 1 will load, which is measured too", &w.ipe, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "ipe|refvalues FILE",
			    "print a layer policy's IPE policy, or PCR 13's reference values", opts);
	bool ipe;

	if (n < 0)
		return CLI_USAGE;
	if (n != 2 || (strcmp(argv[1], "ipe") && strcmp(argv[1], "refvalues")))
		return cli_usage(argv[0], "wants what to derive (ipe or refvalues) and one FILE");
	ipe = !strcmp(argv[1], "ipe");
	if (!w.key != !w.cert || (w.key && !w.out))
		return cli_usage(argv[0], "--key, --cert and --out belong together");
	if (((w.key || w.jit) && !ipe) || (w.ipe && ipe))
		return cli_usage(argv[0], "--key, --cert and --jit are for ipe, --ipe is for refvalues");
	return derive(argv[0], argv[2], ipe, &w);
}
