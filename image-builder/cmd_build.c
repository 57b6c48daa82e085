/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/cmd_build.c - `holdfast-image build`: plan an image, then write it */
#include "common/cli.h"
#include "common/interrupt.h"
#include "image-builder/cmd.h"
#include "image-builder/plan.h"
#include "image-builder/write.h"
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

static void print_sizes(const struct write_sizes *s)
{
	printf("build: sizes in bytes: root %llu raw, %llu in EROFS, %llu hash tree; initramfs %llu; UKI %llu; disk "
	       "%llu\n",
	       (unsigned long long)s->root_raw, (unsigned long long)s->root, (unsigned long long)s->verity,
	       (unsigned long long)s->initramfs, (unsigned long long)s->uki, (unsigned long long)s->disk);
}

static int parse_version(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = *text >= '1' && *text <= '9' ? strtoull(text, &end, 10) : 0;
	return *ret && !errno && !*end && *ret <= POLICY_MAX_VERSION ? 0 : -EINVAL;
}

static int build(const struct plan_params *p)
{
	static struct plan plan; /* large: folder names of all images */
	struct write_sizes sizes;
	struct err e = ERR_INIT;
	int r = interrupt_catch(&e);

	r = r ? r : plan_make(&plan, p, &e);
	r = r ? r : write_run(&plan, &sizes, &e);
	plan_free(&plan);
	if (r)
		return cli_fail(CLI_COULD_NOT, "build", &e);
	print_sizes(&sizes);
	return CLI_PASSED;
}

int cmd_build(int argc, char **argv)
{
	static struct plan_params p;
	const char *version = "1", *secure_boot = "on";
	int stay = 0, unseeded = 0;
	const struct cli_opt opts[] = {
		{ "board", "DIR", "the machine (boards/...)", &p.board, NULL, 0 },
		{ "engine", "DIR", "the container engine (engines/...)", &p.engine, NULL, 0 },
		{ "tree", "TREE", "packages of the guest, by fetch", &p.tree, NULL, 0 },
		{ "tools", "TREE", "packages whose programs run here (--tree)", &p.tools, NULL, 0 },
		{ "programs", "DIR", "holdfast-init, -runtime and -attest for the guest", &p.programs, NULL, 0 },
		{ "keys", "DIR", "owner keys", &p.keys, NULL, 0 },
		{ "image", "[NAME=]LAYOUT:TAG", "container image that may run", p.image, &p.n_images, PLAN_MAX_IMAGES },
		{ "pulled", "[NAME=]LAYOUT:TAG", "one the engine will pull", p.pulled,
		  &p.n_pulled, PLAN_MAX_IMAGES },
		{ "foreign", "[NAME=]LAYOUT:TAG", "one that may not, to be carried", p.foreign,
		  &p.n_foreign, PLAN_MAX_IMAGES },
		{ "argv", "NAME=WORDS", "arguments, in place of the image's own", p.argv, &p.n_argv,
		  PLAN_MAX_EXTRAS },
		{ "exec", "NAME=WORDS", "command that may be run in it", p.exec, &p.n_exec, PLAN_MAX_EXTRAS },
		{ "jit", "NAME", "image that may make code (enforce-jit)", p.jit, &p.n_jit, PLAN_MAX_EXTRAS },
		{ "tmpfs", "NAME=DIR", "folder it may write to", p.tmpfs, &p.n_tmpfs, PLAN_MAX_EXTRAS },
		{ "policy", "FILE", "layer policy made elsewhere; needs --layers", &p.policy, NULL, 0 },
		{ "layers", "DIR", "its layers", &p.layers, NULL, 0 },
		{ "task", "COMMAND", "run once the engine is ready", p.task, &p.n_tasks, PLAN_MAX_TASKS },
		{ "stay", NULL, "go on running after the tasks", &stay, NULL, 0 },
		{ "unseeded", NULL, "do not tell the engine of the images at boot", &unseeded, NULL, 0 },
		{ "profile", "NAME", "enforce, enforce-jit or audit (the board's)", &p.profile, NULL, 0 },
		{ "secure-boot", "STATE", "on, or off: what reference values expect (on)", &secure_boot, NULL, 0 },
		{ "machine", "FILE", "machine description: PCR 0, 1 and 5 are then judged", &p.machine, NULL, 0 },
		{ "compression", "X", "mkfs.erofs -z for the root, or none (" PLAN_COMPRESSION ")",
		  &p.compression, NULL, 0 },
		{ "overlay", "DIR", "put over the root, unknown to refvalues", p.overlay,
		  &p.n_overlays, PLAN_MAX_OVERLAYS },
		{ "name", "NAME", "name of image and policy", &p.name, NULL, 0 },
		{ "version", "N", "their version (1)", &version, NULL, 0 },
		{ "out", "DIR", "where the result goes", &p.out, NULL, 0 },
		{ 0 },
	};
	int n;

	p = (struct plan_params){ .name = "demo", .say = cmd_progress };
	n = cli_options(argc, argv, "", "build a host image: disk, UKI, policy, reference values", opts);
	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("build", "operand \"%s\" is not wanted", argv[1]);
	if (!p.board || !p.engine || !p.tree || !p.programs || !p.keys || !p.out)
		return cli_usage("build", "--board, --engine, --tree, --programs, --keys and --out are needed");
	if (parse_version(version, &p.version))
		return cli_usage("build", "--version \"%s\" is no number from 1 to %u", version, POLICY_MAX_VERSION);
	if (p.profile && strcmp(p.profile, "enforce") && strcmp(p.profile, "enforce-jit") && strcmp(p.profile, "audit"))
		return cli_usage("build", "--profile \"%s\": wanted enforce, enforce-jit or audit", p.profile);
	if (strcmp(secure_boot, "on") && strcmp(secure_boot, "off"))
		return cli_usage("build", "--secure-boot \"%s\": wanted on or off", secure_boot);
	p.secure_boot_off = !strcmp(secure_boot, "off");
	p.stay = stay;
	p.unseeded = unseeded;
	cmd_progress_verb("build");
	return build(&p);
}
