/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/initramfs_main.c - holdfast-initramfs, /init of the initramfs: the story of the boot as far as the root
 *
 * Its last stage executes the root's holdfast-init (main.c), which is told what was found (state.h).
 *
 * Runs as: PID 1. Never starts a shell.
 */
#include "init/pid1.h"

#include <stdio.h>
#include <unistd.h>

static const struct pid1_stage initramfs[] = {
	{ "api", CODE_API_FS, pid1_stage_api },
	{ "console", CODE_CONSOLE, pid1_stage_console },
	{ "hurry", CODE_INTERNAL, pid1_stage_hurry }, /* cannot fail */
	{ "manifest", CODE_MANIFEST, pid1_stage_boot_manifest },
	{ "command-line", CODE_COMMAND_LINE, pid1_stage_cmdline },
	{ "secure-boot", CODE_SECURE_BOOT, pid1_stage_secure_boot },
	{ "ima", CODE_IMA_POLICY, pid1_stage_ima },
	{ "modules", CODE_MODULE, pid1_stage_boot_modules },
	{ "last-failure", CODE_INTERNAL, pid1_stage_last_failure }, /* cannot fail */
	{ "tpm", CODE_TPM_ABSENT, pid1_stage_tpm },
	{ "disk", CODE_DISK_ABSENT, pid1_stage_disk },
	{ "signature", CODE_ROOT_SIGNATURE_RECORD, pid1_stage_signature },
	{ "activate", CODE_ROOT_VERITY, pid1_stage_activate },
	{ "identity", CODE_MEASURE, pid1_stage_identity },
	{ "mount-root", CODE_ROOT_MOUNT, pid1_stage_mount_root },
	{ "switch-root", CODE_SWITCH_ROOT, pid1_stage_switch_root }, /* goes on in main.c */
	{ 0 },
};

int main(void)
{
	static struct pid1 p; /* without an initialiser: 48 KiB that the file need not hold */
	struct err e = ERR_INIT;

	if (getpid() != 1) {
		fputs("holdfast-initramfs: this is PID 1 of the initramfs and nothing else; see holdfast-init(8)\n", stderr);
		return 2;
	}
	pid1_run(&p, initramfs, PID1_ON_INITRAMFS);
	(void)err_set(&e, EIO, "the last stage came back");
	pid1_fail(&p, &e);
}
