/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/cmd_machine.c - `holdfast-image machine`: describe a board's machine, once for all images of it */
#include "common/cli.h"
#include "common/file.h"
#include "common/interrupt.h"
#include "image-builder/cmd.h"
#include "image-builder/machine.h"

#include <stdio.h>

#define TIMEOUT_S 300

static int describe(const char *board, struct machine_params *p, const char *out)
{
	cleanup_machine struct machine_description m = { 0 };
	cleanup_board struct board b = { 0 };
	cleanup_buf struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	int r = interrupt_catch(&e);

	p->board = &b;
	r = r ? r : board_load(board, &b, &e);
	r = r ? r : machine_make(p, &m, &e);
	r = r ? r : machine_write(&m, &text, &e);
	r = r ? r : file_write(out, text.data, text.len, 0644, &e);
	if (r)
		return cli_fail(r == -EBADMSG ? CLI_BAD : CLI_COULD_NOT, "machine", &e);
	printf("machine: %s: PCR 0 has %zu events, PCR 1 %zu; %s\n", out, m.pcr[0].n, m.pcr[1].n,
	       m.recorded ? "the PEI volume and the ACPI tables are a record of one run of the firmware, proved against its TPM" :
			    "computed; no guest code was run");
	return CLI_PASSED;
}

int cmd_machine(int argc, char **argv)
{
	struct machine_params p = { .timeout_s = TIMEOUT_S };
	const char *board = NULL, *out = NULL;
	const struct cli_opt opts[] = {
		{ .name = "board", .arg = "DIR", .help = "the machine (boards/...)", .value = &board },
		{ .name = "tree", .arg = "TREE", .help = "packages with the firmware", .value = &p.tree },
		{ .name = "keys", .arg = "DIR", .help = "owner keys to enrol in the firmware", .value = &p.keys },
		{ .name = "state", .arg = "DIR", .help = "its variables and TPM while it is asked; made if missing", .value = &p.state },
		{ .name = "out", .arg = "FILE", .help = "the description, for build --machine", .value = &out },
		{ 0 },
	};
	int n = cli_options(argc, argv, "", "describe what a board's firmware and QEMU leave in PCR 0, 1", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("machine", "operand \"%s\" is not wanted", argv[1]);
	if (!board || !p.tree || !p.keys || !p.state || !out)
		return cli_usage("machine", "--board, --tree, --keys, --state and --out are needed");
	return describe(board, &p, out);
}
