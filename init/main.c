/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/main.c - PID 1: the story of the boot
 *
 * Theory of operation
 *   The same program runs twice: as /init of the initramfs, which the firmware checked as part of the UKI, and, after it
 *   has found, verified, measured and entered the root, as PID 1 of the host. Which of the two it is follows from
 *   the file system it stands on. Each stage checks the next link of the chain before it is used, measures it, and
 *   says in one sentence why it refuses. Until pid1_serve() a failure ends the boot as the manifest says; from
 *   there on, the point of no return, PID 1 lives until the machine is off.
 *
 * Runs as: PID 1. Never starts a shell.
 */
#include "init/control.h"
#include "init/log.h"
#include "init/pid1.h"
#include "init/sys.h"

#include <linux/magic.h>
#include <unistd.h>

static const struct pid1_stage initramfs[] = {
	{ "api", CODE_API_FS, pid1_stage_api },
	{ "console", CODE_CONSOLE, pid1_stage_console },
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
	{ "switch-root", CODE_SWITCH_ROOT, pid1_stage_switch_root }, /* goes on in the table below */
	{ 0 },
};

static const struct pid1_stage host[] = {
	{ "resume", CODE_HOST_MANIFEST, pid1_stage_resume },
	{ "mounts", CODE_HOST_MOUNT, pid1_stage_host_mounts },
	{ "layer-policy", CODE_LAYER_POLICY, pid1_stage_layer_policy },
	{ "host-modules", CODE_HOST_MODULE, pid1_stage_host_modules }, /* the last: IPE's policy denies any later one */
	{ "ipe", CODE_IPE_POLICY, pid1_stage_ipe },
	{ "harden", CODE_HARDENING, pid1_stage_harden },
	{ "layers", CODE_LAYER, pid1_stage_layers },
	{ "bpf-lsm", CODE_BPF_LSM, pid1_stage_bpf_lsm }, /* after the layers: the volumes it allows are then final */
	{ "measure", CODE_HOST_MEASURE, pid1_stage_measure_host },
	{ "confine", CODE_CONFINE, pid1_stage_confine },
	{ "doctor", CODE_DOCTOR, pid1_stage_doctor },
	{ "engine", CODE_ENGINE_START, pid1_stage_engine },
	{ "watchdog", CODE_WATCHDOG, pid1_stage_watchdog },
	{ "seal", CODE_HARDENING, pid1_stage_seal }, /* what runs now has PID 1 as it will be to the end */
	{ 0 },
};

static void run_stages(struct pid1 *p, const struct pid1_stage *s)
{
	for (; s->name; s++) {
		struct err e = ERR_INIT;

		p->stage = s->name;
		p->code = s->code;
		if (s->run(p, &e))
			pid1_fail(p, &e);
		if (!p->times.kmsg_ns)
			p->times.kmsg_ns = pid1_log_first_ns();
		pid1_times_mark(&p->times, s->name);
	}
}

int main(int argc, char **argv)
{
	static struct pid1 p; /* without an initialiser: 48 KiB that the file need not hold */
	struct err e = ERR_INIT;
	uint64_t magic;

	if (getpid() != 1)
		return pid1_client_main(argc, argv);
	p.times.main_ns = sys_now_ns();
	p.code = CODE_INTERNAL;
	if (sys_fs_magic("/", &magic)) {
		(void)err_set(&e, EIO, "cannot tell what file system / is");
		pid1_fail(&p, &e);
	}
	if (magic == RAMFS_MAGIC || magic == TMPFS_MAGIC)
		run_stages(&p, initramfs);
	else
		run_stages(&p, host);
	pid1_serve(&p);
}
