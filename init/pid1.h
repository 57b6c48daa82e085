/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/pid1.h - what the stages of PID 1 share: the state of this boot, and the stages themselves
 *
 * Theory of operation
 *   A stage is `int pid1_stage_x(struct pid1 *, struct err *)`. It does one thing of the boot's story (main.c), says
 *   facts with pid1_log(), and on failure returns -errno with a sentence. The runner has preset pid1.code to the
 *   stage's own failure code; a stage that can fail in more than one way sets another before it returns.
 *   Nothing of this structure survives the change of root but what init/state.c writes down.
 */
#ifndef INIT_PID1_H
#define INIT_PID1_H

#include "common/cleanup.h"
#include "common/codes.h"
#include "common/err.h"
#include "common/hash.h"
#include "common/cmdline.h"
#include "init/bpf_lsm.h"
#include "init/lastfail.h"
#include "init/floor.h"
#include "init/manifest.h"
#include "init/measure_log.h"
#include "init/spawner.h"
#include "init/status.h"
#include "init/times.h"
#include "init/watchdog.h"
#include "policy/policy.h"
#include "verity/activate.h"
#include "verity/discover.h"
#include "verity/sigrecord.h"

#define PID1_RUN_DIR        "/run/holdfast"
#define PID1_SELF           "/usr/lib/holdfast/holdfast-init"
#define PID1_SYSROOT        "/sysroot"
#define PID1_CGROUP         "/sys/fs/cgroup"
#define PID1_MEASURE_SOCKET "/run/holdfast/measure.sock"
#define PID1_BOOT_CONF      "/etc/holdfast/boot.conf"
#define PID1_SIGNER         "/etc/holdfast/signer.der" /* profile direct, in initramfs and root */

/** struct pid1 - one boot; a single zeroed static object, so nothing here is ever freed */
struct pid1 {
	const char *stage;
	unsigned code;
	struct cmdline cmdline;
	struct pid1_boot_manifest boot;
	struct pid1_host_manifest host;
	struct pid1_measure_log log;
	struct pid1_times times;
	int uevents;
	struct verity_root_devices root_devices;
	struct verity_sigrecord root_signature;
	struct verity_device root;
	struct policy *policy;
	struct pid1_lsm lsm;
	struct pid1_jit jit;
	struct pid1_lastfail lastfail; /* what pid1_lastfail_take() found; code 0: none */
	bool lastfail_cleared, efivars_gone; /* it was told; nobody can mount efivarfs any more */
	struct pid1_tpm_wire floor_armed; /* n 0: the floor need not be raised */
	int signals;
	int measure_socket;
	int control_socket;
	pid_t engine;
	struct pid1_spawner spawner;
	struct pid1_watchdog watchdog;
	struct pid1_live live;
};

/** struct pid1_stage - one row of a stage table; a row without name ends it */
struct pid1_stage {
	const char *name;
	unsigned code;
	int (*run)(struct pid1 *p, struct err *e);
};

/* On what a program of PID 1 must stand: the initramfs is on ramfs or tmpfs, the root is not. */
enum pid1_ground {
	PID1_ON_INITRAMFS,
	PID1_ON_ROOT,
};

/** pid1_run() - the stages of @s in their order; one that fails ends the boot (pid1_fail()) */
void pid1_run(struct pid1 *p, const struct pid1_stage *s, enum pid1_ground ground);

/* The environment of everything PID 1 executes, itself included. */
extern const char *const pid1_environment[];

/* The initramfs. */
int pid1_stage_api(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_console(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_hurry(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_boot_manifest(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_cmdline(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_secure_boot(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_ima(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_boot_modules(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_last_failure(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_tpm(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_disk(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_signature(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_activate(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_identity(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_mount_root(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_switch_root(struct pid1 *p, struct err *e) WARN_UNUSED;

/* The host. */
int pid1_stage_resume(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_host_mounts(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_layer_policy(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_ipe(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_host_modules(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_lock_modules(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_floor(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_state(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_harden(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_layers(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_bpf_lsm(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_measure_host(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_confine(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_doctor(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_engine(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_watchdog(struct pid1 *p, struct err *e) WARN_UNUSED;
int pid1_stage_seal(struct pid1 *p, struct err *e) WARN_UNUSED;

/**
 * pid1_phase() - measure a phase of the boot into PCR 11
 *
 * Return: 0 or -errno with pid1.code set to CODE_MEASURE.
 */
int pid1_phase(struct pid1 *p, enum measure_phase phase, struct err *e) WARN_UNUSED;

/** pid1_is_direct() - does this boot run in the profile `direct`? */
bool pid1_is_direct(const struct pid1 *p);

/** pid1_holds_execution() - is it a profile in which programs of PID 1 do (init/bpf_lsm.h), not IPE? `direct`, `enforce-jit`. */
bool pid1_holds_execution(const struct pid1 *p);

/**
 * pid1_direct_begin() - profile `direct`: PID 1 judges signatures by PID1_SIGNER, which must be
 * what the boot manifest names as root.signer
 */
int pid1_direct_begin(struct pid1 *p, struct err *e) WARN_UNUSED;

/** pid1_direct_resume() - the same after the change of root: the certificate is the verified root's. */
int pid1_direct_resume(struct err *e) WARN_UNUSED;

/** pid1_direct_measure() - profile `direct`: what nobody below PID 1 has measured, into PCR 11 */
int pid1_direct_measure(struct pid1 *p, struct err *e) WARN_UNUSED;

/**
 * pid1_profile_measure() - PID 1's first events of PCR 11: the profile, if PID 1 holds execution; in `direct` also what nobody
 * below it has measured
 */
int pid1_profile_measure(struct pid1 *p, struct err *e) WARN_UNUSED;

/** pid1_floor_host_is_healthy() - raise the floor to what runs, if that is newer. No heap; a failure is told */
void pid1_floor_host_is_healthy(struct pid1 *p);

/** pid1_state_close() - the state volume is unmounted: take it from the device-mapper, and its key from the kernel. No heap; told if it fails. */
void pid1_state_close(void);

/** pid1_modules_load() - load @n modules in order; an optional one that is refused is only told. */
int pid1_modules_load(const struct pid1_module *m, size_t n, const char *stage, struct err *e) WARN_UNUSED;

/** pid1_modules_load_late() - load what the boot manifest keeps for a failure ('+'); a refusal is told. On the host there are none. */
void pid1_modules_load_late(const struct pid1 *p);

/**
 * pid1_lastfail_write() - PID 1 refuses: store p->code, p->stage and @sentence
 * pid1_lastfail_take() - on the host, before modules are locked: the stored failure into p->lastfail, "told" into its place. The last
 *                        use of EFI variables in this boot: what follows is left to the kernel's log
 * pid1_lastfail_report() - the host is ready: tell p->lastfail
 * pid1_lastfail_orderly() - this boot ends in order: the kernel need not keep its log
 *
 * See init/lastfail.h. No heap; errors are told, and nothing else comes of them.
 */
void pid1_lastfail_take(struct pid1 *p);
void pid1_lastfail_write(struct pid1 *p, const char *sentence);
void pid1_lastfail_report(struct pid1 *p);
void pid1_lastfail_orderly(void);

#define PID1_ENGINE_CGROUP "/sys/fs/cgroup/engine/cgroup.procs"
#define PID1_AGENT_CGROUP  "/sys/fs/cgroup/agent/cgroup.procs"

/** pid1_spawn_engine(), pid1_spawn_task(), pid1_spawn_agent(), pid1_spawn_bless() - for the helper of init/spawner.h: start one in its cgroup with its privileges. */
int pid1_spawn_engine(struct pid1 *p, pid_t *ret_pid, struct err *e) WARN_UNUSED;
int pid1_spawn_task(struct pid1 *p, size_t task, pid_t *ret_pid, struct err *e) WARN_UNUSED;
int pid1_spawn_agent(struct pid1 *p, pid_t *ret_pid, struct err *e) WARN_UNUSED;
int pid1_spawn_bless(struct pid1 *p, pid_t *ret_pid, struct err *e) WARN_UNUSED;

/**
 * pid1_fail() - tell why, then do what the manifest says of failures
 *
 * Should: write "holdfast: E<code> <text>: <sentence>" to the console once, and to the kernel's log, wait until
 *         the console has sent it, and store it for the next boot. Must not: return, allocate, or start anything.
 */
_Noreturn void pid1_fail(struct pid1 *p, const struct err *e);

/** pid1_end() - power off, reboot or halt; if the kernel will not, try for ever. */
_Noreturn void pid1_end(enum pid1_action action);

/**
 * pid1_shutdown() - orderly: containers, then engine, tasks and agent are asked to end, then everything is made to; unmount; the end
 * @services: pids (0: none) that get SIGTERM and their deadline
 *
 * Should: measure the phase `shutdown` first. Must not: wait without a deadline.
 */
_Noreturn void pid1_shutdown(struct pid1 *p, enum pid1_action action, pid_t services[], size_t n);

/** pid1_serve() - the point of no return: one loop until the machine is off. No heap, no streams, no exit. */
_Noreturn void pid1_serve(struct pid1 *p);

#endif
