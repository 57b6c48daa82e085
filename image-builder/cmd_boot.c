/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/cmd_boot.c - `holdfast-image boot`: start an image in QEMU, stream its console, end with its verdict
 *
 * The exit status is the guest's: 0 for an orderly end after "holdfast: ready" (or when --until came), the two digits
 * of its failure code if it refused.
 */
#include "common/cli.h"
#include "common/file.h"
#include "image-builder/board.h"
#include "image-builder/boot.h"
#include "image-builder/cmd.h"
#include "image-builder/folder.h"

#include <stdio.h>
#include <string.h>

#define MAX_TIMEOUT_S     86400
#define MAX_CMDLINE_BYTES 4096

/* struct options - what the command line gave */
struct options {
	const char *image, *disk, *board, *keys, *tree, *state, *attest, *console, *until, *timeout, *cmdline;
	int no_secure_boot, no_tpm, keep_writes, keep_variables, icount, quiet;
};

static void echo(const char *line)
{
	printf("%s\n", line);
	(void)fflush(stdout); /* a lost console line is not worth ending the guest; the end checks stdout */
}

static int parse_seconds(const char *text, unsigned *ret, struct err *e)
{
	struct conf c = { .name = "boot", .n = 1 };
	uint64_t n = 0;
	int r;

	c.line[0] = (struct conf_line){ .key = "--timeout", .value = text };
	r = conf_u64(&c, "--timeout", 0, MAX_TIMEOUT_S, &n, e);
	*ret = (unsigned)n;
	return r;
}

static int verdict_exit(const struct options *o, const struct boot_verdict *v)
{
	if (v->code != CODE_NONE) {
		const struct code_info *info = code_info(v->code);

		printf("boot: refused: E%d %s\nboot:   %s\n", (int)v->code, info->text, v->sentence);
		return (int)v->code;
	}
	if (o->until && v->until) {
		printf("boot: \"%s\" came\n", o->until);
		return CLI_PASSED;
	}
	if (v->ready && v->done && !o->until) {
		printf("boot: ready, and ended in order\n");
		return CLI_PASSED;
	}
	printf("boot: the guest ended without \"%s\"\n",
	       o->until	 ? o->until :
	       v->ready ? "holdfast: shutdown: done" :
			   "holdfast: ready");
	return CLI_BAD;
}

/* Without UEFI QEMU starts the three files that `build` made beside the disk. */
static int find_direct(const struct options *o, char kernel[static PATH_MAX], char initramfs[static PATH_MAX],
		       struct buf *ret_cmdline, struct err *e)
{
	char path[PATH_MAX];
	int r;

	if (!o->image)
		return err_set(e, EINVAL, "a board without UEFI needs --image, for kernel, initramfs and command line");
	r = folder_join(o->image, "kernel", kernel, e);
	r = r ? r : folder_join(o->image, "initramfs", initramfs, e);
	r = r ? r : folder_join(o->image, "cmdline", path, e);
	r = r ? r : file_read(o->cmdline ? o->cmdline : path, MAX_CMDLINE_BYTES, ret_cmdline, e);
	buf_u8(ret_cmdline, 0);
	if (!r && ret_cmdline->bad)
		r = err_set(e, ENOMEM, "no memory for the command line");
	return r;
}

static int boot(const struct options *o, struct boot_verdict *v, struct err *e)
{
	cleanup_board struct board b = { 0 };
	struct boot_params p = { .keys = o->keys, .tree = o->tree, .state = o->state,
				 .secure_boot = !o->no_secure_boot, .tpm = !o->no_tpm, .keep_writes = o->keep_writes, .keep_variables = o->keep_variables,
				 .icount = o->icount, .attest_socket = o->attest, .console = o->console, .until = o->until,
				 .echo = o->quiet ? NULL : echo };
	cleanup_buf struct buf cmdline = BUF_INIT;
	char disk[PATH_MAX], kernel[PATH_MAX], initramfs[PATH_MAX];
	int r = board_load(o->board, &b, e);

	if (!r)
		r = parse_seconds(o->timeout, &p.timeout_s, e);
	if (!r && !o->disk)
		r = folder_join(o->image, "disk.img", disk, e);
	if (!r && board_is_direct(&b)) {
		p.kernel = kernel;
		p.initramfs = initramfs;
		r = find_direct(o, kernel, initramfs, &cmdline, e);
		p.cmdline = (const char *)cmdline.data;
	}
	if (r)
		return r;
	p.disk = o->disk ? o->disk : disk;
	p.firmware_code = b.firmware_code;
	p.firmware_vars = b.firmware_vars;
	p.system = b.qemu;
	p.machine = b.qemu_machine;
	p.cpu = b.qemu_cpu;
	p.memory = b.qemu_memory;
	p.tpm_device = b.qemu_tpm;
	p.extra = b.qemu_arg.v;
	p.n_extra = b.qemu_arg.n;
	return boot_run(&p, v, e);
}

int cmd_boot(int argc, char **argv)
{
	struct options o = { .timeout = "300" };
	const struct cli_opt opts[] = {
		{ .name = "image", .arg = "DIR", .help = "what `build` made", .value = &o.image },
		{ .name = "disk", .arg = "FILE", .help = "disk image to attach instead of DIR/disk.img", .value = &o.disk },
		{ .name = "cmdline", .arg = "FILE", .help = "command line instead of DIR/cmdline (a board without UEFI)", .value = &o.cmdline },
		{ .name = "board", .arg = "DIR", .help = "the image's board", .value = &o.board },
		{ .name = "keys", .arg = "DIR", .help = "owner keys to enrol in the firmware", .value = &o.keys },
		{ .name = "tree", .arg = "DIR", .help = "packages with the firmware", .value = &o.tree },
		{ .name = "state", .arg = "DIR", .help = "the machine: its variables and TPM; made if missing", .value = &o.state },
		{ .name = "attest-socket", .arg = "PATH", .help = "UNIX socket to the guest's agent", .value = &o.attest },
		{ .name = "console", .arg = "FILE", .help = "keep the console here too", .value = &o.console },
		{ .name = "until", .arg = "TEXT", .help = "end, with success, when a console line holds TEXT", .value = &o.until },
		{ .name = "timeout", .arg = "S", .help = "deadline in seconds (300)", .value = &o.timeout },
		{ .name = "no-secure-boot", .help = "switch Secure Boot off in the firmware", .value = &o.no_secure_boot },
		{ .name = "no-tpm", .help = "no TPM in the machine", .value = &o.no_tpm },
		{ .name = "keep-writes", .help = "let the guest change the disk image", .value = &o.keep_writes },
		{ .name = "keep-variables", .help = "go on with the firmware's variables as the last boot left them", .value = &o.keep_variables },
		{ .name = "icount", .help = "one guest nanosecond an instruction: repeatable times", .value = &o.icount },
		{ .name = "quiet", .help = "do not show the console", .value = &o.quiet },
		{ 0 },
	};
	struct boot_verdict v = { 0 };
	struct err e = ERR_INIT;
	int n = cli_options(argc, argv, "", "boot an image in QEMU; exit 0, or the guest's failure code (10 to 99)", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n > 0)
		return cli_usage("boot", "operand \"%s\" is not wanted", argv[1]);
	if ((!o.image && !o.disk) || !o.board || !o.keys || !o.tree || !o.state)
		return cli_usage("boot", "--image (or --disk), --board, --keys, --tree and --state are needed");
	if (boot(&o, &v, &e))
		return cli_fail(CLI_COULD_NOT, "boot", &e);
	return verdict_exit(&o, &v);
}
