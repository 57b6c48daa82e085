/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verity/cmd_close.c - `holdfast-verity close` */
#include "verity/cmd.h"

#include "verity/open.h"

int verity_cmd_close(int argc, char **argv)
{
	const struct cli_opt opts[] = {{NULL, NULL, NULL, NULL, NULL, 0}};
	int n = cli_options(argc, argv, "NAME", "remove a dm-verity device", opts);
	struct err e = ERR_INIT;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1)
		return cli_usage(argv[0], "wanted one operand, NAME");
	return verity_deactivate(argv[1], &e) ? cli_fail(CLI_COULD_NOT, argv[0], &e) : CLI_PASSED;
}
