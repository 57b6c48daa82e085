/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/cmd_keys.c - `holdfast-image keys DIR` */
#include "common/cli.h"
#include "common/interrupt.h"
#include "image-builder/cmd.h"
#include "image-builder/keys.h"

int cmd_keys(int argc, char **argv)
{
	const struct cli_opt opts[] = { { 0 } };
	struct err e = ERR_INIT;
	int n = cli_options(argc, argv, "DIR", "make throw-away owner keys: PK, KEK, db, policy and pcr", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n != 1)
		return cli_usage("keys", "wanted one folder, got %d", n);
	cmd_progress_verb("keys");
	if (interrupt_catch(&e) || keys_make(argv[1], cmd_progress, &e))
		return cli_fail(CLI_COULD_NOT, "keys", &e);
	return CLI_PASSED;
}
