/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_init.c - holdfast-policy init: an empty policy */
#include "policy/cmd.h"

#include "common/cleanup.h"
#include "common/cli.h"
#include "policy/policy_add.h"
#include "policy/policy_write.h"

int policy_cmd_init(int argc, char **argv)
{
	const char *name = NULL;
	const struct cli_opt opts[] = {
		{"name", "NAME", "name of the policy", &name, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "FILE", "write an empty policy of version 1", opts);
	cleanup_policy struct policy *p = NULL;
	struct err e = ERR_INIT;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1 || !name)
		return cli_usage(argv[0], "wants --name and one FILE");
	if (!access(argv[1], F_OK)) {
		(void)err_set(&e, EEXIST, "%s is there already", argv[1]);
		return cli_fail(CLI_BAD, argv[0], &e);
	}
	r = policy_new(name, &p, &e);
	if (r == -EINVAL)
		return cli_usage(argv[0], "--name: %s", e.msg);
	r = r ? r : policy_save(p, argv[1], &e);
	return r ? policy_cmd_exit(argv[0], r, &e) : CLI_PASSED;
}
