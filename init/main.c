/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/main.c - holdfast-init, PID 1 of the host: the story of the boot from the verified root on
 *
 * Theory of operation
 *   PID 1 is two programs, so that neither carries what only the other needs: holdfast-initramfs (initramfs_main.c), which
 *   the firmware checked as part of the UKI, and this one, which the former executes once it has found, verified, measured
 *   and entered the root. Each stage checks the next link of the chain before it is used, measures it, and says in one
 *   sentence why it refuses. Until pid1_serve() a failure ends the boot as the manifest says; from there on, the point of
 *   no return, PID 1 lives until the machine is off.
 *
 * Runs as: PID 1; otherwise it is the client of PID 1's control socket. Never starts a shell.
 */
#include "init/control.h"
#include "init/pid1.h"

#include <unistd.h>

static const struct pid1_stage host[] = {
	{ "resume", CODE_HOST_MANIFEST, pid1_stage_resume },
	{ "mounts", CODE_HOST_MOUNT, pid1_stage_host_mounts },
	{ "layer-policy", CODE_LAYER_POLICY, pid1_stage_layer_policy },
	{ "host-modules", CODE_HOST_MODULE, pid1_stage_host_modules }, /* the last: IPE's policy denies any later one */
	{ "ipe", CODE_IPE_POLICY, pid1_stage_ipe },
	{ "floor", CODE_FLOOR_UNREAD, pid1_stage_floor }, /* all versions are known, and nothing unverified has run */
	{ "state", CODE_STATE, pid1_stage_state }, /* the floor's secret is there, and nothing unverified has run */
	{ "lock-modules", CODE_HOST_MODULE, pid1_stage_lock_modules }, /* the stage before unloads one */
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

int main(int argc, char **argv)
{
	static struct pid1 p; /* without an initialiser: 48 KiB that the file need not hold */

	if (getpid() != 1)
		return pid1_client_main(argc, argv);
	pid1_run(&p, host, PID1_ON_ROOT);
	pid1_serve(&p);
}
