/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/gate.h - the gate: an OCI runtime that checks, replaces the root by verified layers, then becomes crun
 *
 * Theory of operation
 *   The engine calls us as its runtime. The command line is read by a table of verbs and options and written anew for
 *   crun; what has no row is refused. Verbs that only look at or end a container pass. `create` and `run`:
 *
 *     policy (signature) -> bundle (read once) -> oci_spec_create() -> layers (opened, proved) -> overlay -> our bundle
 *                                    (those that the engine pulled: converted and opened, policy/gate_pull.c)
 *       -> measured by PID 1 -> execve(crun)
 *
 *   so crun never sees the engine's bundle, and a container that PID 1 did not measure is not started. `exec` is held
 *   to the entry that the container was created from, which a file in our folder names. `delete` also takes down
 *   what we made. Each refusal goes to PID 1 as a violation, to the engine's log and to standard error.
 *
 *     /run/holdfast/gate/         root only
 *       lock                      held while a container is prepared
 *       <id>/entry                which entry, which runtime root
 *       <id>/config.json          ours; what crun reads
 *       <id>/process-<pid>.json   ours; one an exec
 *       <id>/rootfs               the overlay: layers, bottom folder; no upper layer
 *
 * Input: the command line and the bundle are the engine's, hostile. Our folder is root's.
 * Runs as: root, in the engine's context and mount namespace.
 * Spec: OCI Runtime Specification 1.2.0 "runtime.md"; the command line of runc(8) and crun(1).
 */
#ifndef POLICY_GATE_H
#define POLICY_GATE_H

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/codes.h"
#include "common/err.h"
#include "policy/policy.h"

#include <stdbool.h>
#include <sys/types.h>

#define GATE_MAX_ARGS      64
#define GATE_MAX_ARG_BYTES 1024
#define GATE_FOLDER        "gate" /* below run_dir */

/**
 * struct gate_host - where things are; tests have their own
 * @run_dir:     of holdfast, owned by @owner and writable by nobody else
 * @policy_root: prefix for policy_load_verified()
 * @layer_dir:   files of the layers
 * @bottom:      folder of empty mount points, lowest in every root
 * @crun:        the real runtime: a file without an execute bit, so that no client of the engine can name it in our place
 * @loader:      the dynamic loader that starts it all the same; NULL in tests: it is executed
 * @measure:     socket of PID 1
 * @content:     where the engine keeps what it pulled: blobs/sha256/<digest>, untrusted
 * @pulled_dir:  files of the layers that the gate converts from that, untrusted
 * @opener:      socket of holdfast-layer (policy/layer_service.h), which opens them
 * @owner:       who must own @run_dir and the bundle
 */
struct gate_host {
	const char *run_dir;
	const char *policy_root;
	const char *layer_dir;
	const char *bottom;
	const char *crun;
	const char *loader;
	const char *measure;
	const char *content;
	const char *pulled_dir;
	const char *opener;
	uid_t owner;
};

enum gate_verb {
	GATE_UNSET,
	GATE_PASS,   /* to crun as it is */
	GATE_CREATE, /* create, run */
	GATE_EXEC,
	GATE_DELETE,
};

/**
 * struct gate_command - a command line that was understood
 * @global:   what crun gets before the verb: "--root=/x" and so on; @n_global of them
 * @verb:     the verb's word
 * @option:   what crun gets after the verb; without the bundle and the process file
 * @operand:  id first
 * @bundle:   the engine's folder; "." if it named none. @process: the engine's process.json
 * @root:     value of --root, crun's default if absent
 * @log, @log_json: where refusals are written too, and how; NULL: nowhere
 * All strings but @global and @option are borrowed from argv; those are owned.
 */
struct gate_command {
	enum gate_verb kind;
	char *global[GATE_MAX_ARGS];
	size_t n_global;
	const char *verb;
	char *option[GATE_MAX_ARGS];
	size_t n_option;
	const char *operand[3];
	size_t n_operand;
	const char *bundle;
	const char *process;
	const char *root;
	const char *log;
	bool log_json;
};

/**
 * gate_command_parse() - read the engine's command line
 * @argv: from argv[0] on, NULL-terminated
 * @ret:  zeroed by the caller; written also on failure as far as it was understood (the log is needed for the refusal)
 *
 * Return: 0; -EPERM with the sentence: CODE_GATE_VERB; -ENOMEM.
 */
int gate_command_parse(int argc, char *const argv[], struct gate_command *ret, struct err *e) WARN_UNUSED;

/** gate_command_free() - release what it owns. */
void gate_command_free(struct gate_command *cmd);

#define GATE_LOADER_ARGS 3

/**
 * gate_crun_words() - the words that start crun, before its own arguments
 * Return: how many words stand before crun's path (0 without a loader).
 */
size_t gate_crun_words(const struct gate_host *host, const char *ret[static GATE_LOADER_ARGS]);

/**
 * gate_command_argv() - the command line for crun
 * @cmd:   understood
 * @crun:  argv[0]
 * @extra: one option more after the verb ("--bundle=/..."), or NULL
 * @ret:   room for all, NULL-terminated; borrowed strings
 */
void gate_command_argv(const struct gate_command *cmd, const char *crun, const char *extra,
		       const char *ret[static 3 * GATE_MAX_ARGS]);

/**
 * gate_run() - do what @cmd says
 * @code: set on refusal
 *
 * Should: become crun (create, run, exec, passed verbs), or run it and clean up (delete). Must not: start anything that
 *         was not checked and measured; leave mounts or files of a container that was refused.
 * Return: crun's exit status after delete; -errno refused. Does not return once it is crun.
 */
int gate_run(const struct gate_host *host, const struct gate_command *cmd, enum code *code, struct err *e) WARN_UNUSED;

/**
 * gate_cni() - what is a network to CRI: nothing is attached, and the pod is said to have an address
 * @command, @ifname, @netns: CNI_COMMAND, CNI_IFNAME, CNI_NETNS of the environment; NULL: not there
 * @ret: the answer, for standard output; empty where there is none
 *
 * CRI starts no pod without a network that has an address on its first interface. No policy allows any network but a
 * loopback of the container's own, so the plugin that it is told to call (cni.conf) is the gate, and the address is the
 * loopback's.
 * Return: 0; -EINVAL. Spec: CNI 1.0.0, sections 2 and 5.
 */
int gate_cni(const char *command, const char *ifname, const char *netns, struct buf *ret, struct err *e) WARN_UNUSED;
#define GATE_CNI_NAME     "holdfast-none" /* the gate's name as that plugin */
#define GATE_CNI_LOOPBACK "loopback"      /* CRI calls this one too, for each pod, without being told to */

/** gate_report() - the sentence of a refusal: into the engine's log (if it named one) as text or JSON. Return: 0 or
 * -errno. */
int gate_report(const struct gate_command *cmd, enum code code, const char *msg, struct err *e) WARN_UNUSED;

/** gate_sentence() - "E61 <what happened>: <msg>" without control characters, into @ret. */
void gate_sentence(enum code code, const char *msg, char *ret, size_t size);

/**
 * gate_measure_container() - have PID 1 measure that @image of @policy is started
 *
 * Return: 0; -EPERM PID 1 refused; -errno (it was not there, or silent for GATE_MEASURE_SECONDS).
 */
int gate_measure_container(const char *socket_path, const struct policy_image *image, const struct policy *policy,
			   struct err *e) WARN_UNUSED;
#define GATE_MEASURE_SECONDS 10

/** gate_measure_violation() - tell PID 1 of a refusal, and of container @id's (NULL: unknown). Best effort: it is refused anyway. */
void gate_measure_violation(const char *socket_path, enum code code, const char *id);

/**
 * gate_bundle_read() - config.json of the engine's bundle, once
 * @path: folder; its last part must be no symbolic link, and it and the file must be @owner's and nobody else's to
 * write
 *
 * Return: 0; -errno.
 */
int gate_bundle_read(const char *path, uid_t owner, struct buf *ret, struct err *e) WARN_UNUSED;

/** gate_file_read() - the same for one file (process.json), at most OCI_SPEC_MAX_BYTES. */
int gate_file_read(const char *path, uid_t owner, struct buf *ret, struct err *e) WARN_UNUSED;

/**
 * struct gate_state - our folder of one container
 * @dir:   descriptor of <run_dir>/gate; @lock: held until closed; @fd: of <run_dir>/gate/<id>
 * @path:  of <run_dir>/gate/<id>
 */
struct gate_state {
	int dir;
	int lock;
	int fd;
	char path[512];
	const char *id;
};

#define GATE_STATE_INIT                                                                                                \
	{                                                                                                              \
		.dir = -1, .lock = -1, .fd = -1                                                                        \
	}

/** struct gate_entry - what <id>/entry says; @pid, @start: the process that prepared it, and when that began */
struct gate_entry {
	char image[MEASURE_MAX_NAME_BYTES + 1];
	char root[GATE_MAX_ARG_BYTES];
	uint64_t pid, start;
};

/** gate_state_close() - close descriptors; what is on disk stays. */
void gate_state_close(struct gate_state *s);

/** gate_state_open() - open the folder of @id. -ENOENT if there is none. */
int gate_state_open(const struct gate_host *host, const char *id, struct gate_state *ret, struct err *e) WARN_UNUSED;

/** gate_state_make() - make it, with an empty rootfs, under the lock. -EEXIST if there is one. */
int gate_state_make(const struct gate_host *host, const char *id, struct gate_state *ret, struct err *e) WARN_UNUSED;

/** gate_state_remove() - unmount rootfs, remove files and folder. Return: 0 or -errno of the first that failed. */
int gate_state_remove(struct gate_state *s, struct err *e) WARN_UNUSED;

/** gate_state_write() - write file @name of the folder, replacing it. */
int gate_state_write(const struct gate_state *s, const char *name, const struct buf *data, struct err *e) WARN_UNUSED;

/** gate_entry_write() - write <id>/entry; gate_entry_read() reads it. */
int gate_entry_write(const struct gate_state *s, const struct gate_entry *entry, struct err *e) WARN_UNUSED;
int gate_entry_read(const struct gate_state *s, struct gate_entry *ret, struct err *e) WARN_UNUSED;

/** gate_crun_ask() - crun's `state` of a container, its JSON into @ret. -ECHILD: crun says no. */
int gate_crun_ask(const struct gate_host *host, const char *root, const char *id, struct buf *ret, struct err *e) WARN_UNUSED;

/** gate_process_start() - when a process began, in ticks since boot; 0: there is none of that number. */
uint64_t gate_process_start(pid_t pid);

/** struct gate_class_asked - a container of @class_name is to be started, by @policy */
struct gate_class_asked {
	const struct policy *policy;
	const char *class_name;
};

/**
 * gate_class_check() - may it run beside those that run now?
 * @s: of the new container; its lock is held
 *
 * Return: 0; -EBUSY one runs that it must not meet; -errno could not tell.
 */
int gate_class_check(const struct gate_host *host, const struct gate_state *s, const struct gate_class_asked *a,
		     struct err *e) WARN_UNUSED;

/**
 * gate_identify() - the entry whose layers the engine mounted as an overlay on @root: a hint
 * @mountinfo: "/proc/self/mountinfo"
 * @layers:    folder of the open layers' mounts, VERITY_LAYER_RUN_DIR
 *
 * Return: the entry; NULL if nothing is mounted there, something else than layers of ours, or more than one entry has them.
 */
const struct policy_image *gate_identify(const char *mountinfo, const char *layers, const struct policy *policy,
					 const char *root);

#define GATE_MAX_ANSWER_BYTES 255

/** gate_ask() - one packet to a socket of PID 1's side, one back, NUL-terminated. Return: 0; -errno, after @seconds at the latest. */
int gate_ask(const char *socket_path, const char *request, int seconds, char ret_answer[static GATE_MAX_ANSWER_BYTES + 1],
	     struct err *e) WARN_UNUSED;

/**
 * gate_pull() - see to it that the layers of @image that the engine pulls are open: policy/gate_pull.c
 * @code: set on refusal: CODE_GATE_LAYER, or CODE_GATE_ABSENT if nothing is wrong with what there is, but something is missing
 *
 * Should: open what is there; convert what is not, from the engine's store. Must not: leave a layer that does not open.
 * Return: 0; -errno.
 */
int gate_pull(const struct gate_host *host, const struct policy *policy, const struct policy_image *image, enum code *code,
	      struct err *e) WARN_UNUSED;

/**
 * gate_rootfs_mount() - open and prove the layers of @image, compose them, mount that on @s's rootfs
 *
 * Should: mount read-only, nodev, nosuid, without an upper layer, bottom folder lowest; prove each layer again
 *         once the overlay holds it.
 * Must not: open a revoked layer; leave a mount behind on failure.
 * Return: 0; -EKEYREVOKED; the errors of verity_layer_open(); -errno.
 */
int gate_rootfs_mount(const struct gate_host *host, const struct policy *policy, const struct policy_image *image,
		      const struct gate_state *s, struct err *e) WARN_UNUSED;

#endif
