/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/cmd_oci_make.c - `holdfast-image oci-make`: a container image from folders */
#include "common/cli.h"
#include "common/interrupt.h"
#include "image-builder/board.h"
#include "image-builder/cmd.h"
#include "image-builder/epoch.h"
#include "image-builder/oci_make.h"
#include "image-builder/tree.h"
#include "policy/oci_layout.h"

#define MAX_WORDS 128
#define MAX_TREES 16

int cmd_oci_make(int argc, char **argv)
{
	const char *tree[MAX_TREES], *entrypoint[MAX_WORDS], *env[MAX_WORDS], *arch = tree_machine_arch();
	struct oci_make_params p = { .tree = tree, .entrypoint = entrypoint, .env = env, .user = "0:0", .cwd = "/" };
	const struct cli_opt opts[] = {
		{ "tree", "DIR", "a layer's files, bottom first", tree, &p.n_trees, MAX_TREES },
		{ "out", "LAYOUT", "OCI layout to make", &p.out, NULL, 0 },
		{ "tag", "TAG", "name of the image in the layout", &p.tag, NULL, 0 },
		{ "arch", "ARCH", "x86_64 or arm64 (this machine's)", &arch, NULL, 0 },
		{ "entrypoint", "WORD", "next word of the command", entrypoint, &p.n_entrypoint, MAX_WORDS },
		{ "env", "K=V", "environment", env, &p.n_env, MAX_WORDS },
		{ "user", "UID:GID", "user (0:0)", &p.user, NULL, 0 },
		{ "cwd", "DIR", "working folder (/)", &p.cwd, NULL, 0 },
		{ 0 },
	};
	struct err e = ERR_INIT;
	int n = cli_options(argc, argv, "", "make a container image from folders", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("oci-make", "operand \"%s\" is not wanted", argv[1]);
	if (!p.n_trees || !p.out || !p.tag || !p.n_entrypoint)
		return cli_usage("oci-make", "--tree, --out, --tag and --entrypoint are needed");
	p.arch = policy_oci_arch(arch);
	if (!p.arch)
		return cli_usage("oci-make", "--arch \"%s\" is unknown, wanted x86_64 or arm64", arch);
	if (interrupt_catch(&e) || epoch_get(&p.epoch, &e) || oci_make(&p, &e))
		return cli_fail(CLI_COULD_NOT, "oci-make", &e);
	return CLI_PASSED;
}
