/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/gate.c - the gate: an OCI runtime that checks, replaces the root by verified layers, then becomes crun */
#include "policy/gate.h"

#include "policy/oci_spec.h"
#include "verity/layer.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CRUN_SIGNALLED 128

/* One call of the gate that needs the policy. @code is where a refusal puts its number. */
struct job {
	const struct gate_host *host;
	const struct gate_command *cmd;
	const struct policy *policy;
	enum code *code;
};

/* --- crun ----------------------------------------------------------------------------------------------------------
 */

/* Descriptors of the engine's that are none of crun's business must not reach the container. */
static void close_on_exec_from(unsigned first)
{
	(void)close_range(first, ~0u, CLOSE_RANGE_CLOEXEC); /* crun does the same later; this is the earlier of two */
}

/* Does not return if it can be helped. */
static int become_crun(const struct gate_host *host, const struct gate_command *cmd, const char *extra, struct err *e)
{
	const char *argv[GATE_LOADER_ARGS + 3 * GATE_MAX_ARGS];

	gate_command_argv(cmd, host->crun, extra, argv + gate_crun_words(host, argv));
	close_on_exec_from(3);
	(void)execv(argv[0], (char *const *)argv);
	return err_errno(e, "cannot execute %s", host->crun);
}

/* Run crun as it was called and wait. Return: its exit status, or -errno. */
static int run_crun(const struct gate_host *host, const struct gate_command *cmd, struct err *e)
{
	struct err ignored = ERR_INIT;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return err_errno(e, "cannot start %s", host->crun);
	if (pid == 0) {
		(void)!become_crun(host, cmd, NULL, &ignored); /* the parent sees the status */
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "cannot wait for %s", host->crun);
	return WIFEXITED(status) ? WEXITSTATUS(status) : CRUN_SIGNALLED + WTERMSIG(status);
}

/* Does crun know a container of this id below this --root? Could-not-ask counts as yes: then nothing is cleaned up. */
static bool crun_knows(const struct gate_host *host, const char *root, const char *id)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	return gate_crun_ask(host, root, id, &out, &e) != -ECHILD;
}

/* --- create --------------------------------------------------------------------------------------------------------
 */

/*
 * Our folder for a new container. One that a dead container left (crun --detach=no, a crash) is taken away first; one
 * of a container that crun still knows, or of another --root, refuses: its entry decides what may be executed in it.
 */
static int make_state(const struct gate_host *host, const struct gate_command *cmd, struct gate_state *s, struct err *e)
{
	const char *id = cmd->operand[0];
	struct gate_entry old;
	int r = gate_state_make(host, id, s, e);

	if (r != -EEXIST)
		return r;
	r = gate_state_open(host, id, s, e);
	if (r)
		return r;
	/* Without an entry its preparation was cut short: nothing was started from it. */
	if (gate_entry_read(s, &old, e) == 0 && (strcmp(old.root, cmd->root) || crun_knows(host, old.root, id)))
		r = err_set(e, EEXIST, "container \"%s\" is already there (runtime root %.100s)", id, old.root);
	else
		r = gate_state_remove(s, e);
	gate_state_close(s);
	return r ? r : gate_state_make(host, id, s, e);
}

/* The steps from the folder to the measurement; @s is open. The caller removes the folder on failure. */
static int prepare(const struct job *job, const struct policy_image *image, const struct gate_state *s, struct err *e)
{
	struct gate_entry entry = {.pid = (uint64_t)getpid(), .start = gate_process_start(getpid())};
	int r;

	*job->code = CODE_GATE_CLASS;
	r = gate_class_check(job->host, s, &(struct gate_class_asked){job->policy, image->class_name}, e);
	if (r)
		return r;
	*job->code = CODE_GATE_LAYER;
	(void)snprintf(entry.image, sizeof(entry.image), "%s", image->name);  /* names are bounded by the policy */
	(void)snprintf(entry.root, sizeof(entry.root), "%s", job->cmd->root); /* by the command line's parser */
	r = gate_entry_write(s, &entry, e);
	if (!r)
		r = gate_rootfs_mount(job->host, job->policy, image, s, e);
	if (r)
		return r;
	*job->code = CODE_GATE_MEASURE;
	return gate_measure_container(job->host->measure, image, job->policy, e);
}

static const struct policy_image *identify(const struct policy *policy, const char *root)
{
	return gate_identify("/proc/self/mountinfo", VERITY_LAYER_RUN_DIR, policy, root);
}

/* Read and check the bundle; @ret_json is ours. */
static int check_bundle(const struct job *job, const struct policy_image **ret_image, struct buf *ret_json,
			struct err *e)
{
	char rootfs[sizeof(((struct gate_state *)0)->path) + 8];
	struct oci_spec_input in = {.name = "config.json", .id = job->cmd->operand[0], .policy = job->policy, .identify = identify};
	cleanup_buf struct buf config = BUF_INIT;
	int r;

	*job->code = CODE_GATE_BUNDLE;
	r = gate_bundle_read(job->cmd->bundle, job->host->owner, &config, e);
	if (r)
		return r;
	(void)snprintf(rootfs, sizeof(rootfs), "%s/" GATE_FOLDER "/%s/rootfs", job->host->run_dir,
		       in.id); /* both are bounded */
	in.rootfs = rootfs;
	in.bytes = config.data;
	in.len = config.len;
	return oci_spec_create(&in, ret_image, ret_json, job->code, e);
}

static int create(const struct job *job, struct err *e)
{
	const struct policy_image *image = NULL;
	struct gate_state s = GATE_STATE_INIT;
	cleanup_buf struct buf json = BUF_INIT;
	struct err ignored = ERR_INIT;
	char bundle[sizeof(s.path) + 16];
	int r = check_bundle(job, &image, &json, e);

	if (r)
		return r;
	/* Before the lock: what takes long holds up nobody else. */
	r = gate_pull(job->host, job->policy, image, job->code, e);
	if (r)
		return r;
	*job->code = CODE_GATE_BUNDLE;
	r = make_state(job->host, job->cmd, &s, e);
	if (r)
		return r;
	r = gate_state_write(&s, "config.json", &json, e);
	if (!r)
		r = prepare(job, image, &s, e);
	if (!r) {
		*job->code = CODE_INTERNAL;
		(void)snprintf(bundle, sizeof(bundle), "--bundle=%s", s.path); /* fits by its size */
		r = become_crun(job->host, job->cmd, bundle, e);
	}
	(void)!gate_state_remove(&s, &ignored); /* what refused is the sentence to tell; the next create tries again */
	gate_state_close(&s);
	return r;
}

/* --- exec ----------------------------------------------------------------------------------------------------------
 */

/* The entry that the container was created from, if the policy still has it. */
static int find_entry(const struct job *job, const struct gate_state *s, const struct policy_image **ret, struct err *e)
{
	struct gate_entry entry;
	int r = gate_entry_read(s, &entry, e);

	if (r)
		return r;
	if (strcmp(entry.root, job->cmd->root))
		return err_set(e, EPERM, "container \"%s\" was created with another --root", job->cmd->operand[0]);
	*ret = policy_image_find(job->policy, entry.image);
	return *ret ? 0 : err_set(e, ENOENT, "the layer policy has no image \"%s\" any more", entry.image);
}

/* Check process.json and write ours as @file. */
static int exec_prepare(const struct job *job, const struct gate_state *s, const char *file, struct err *e)
{
	struct oci_spec_input in = {.name = "process.json", .id = job->cmd->operand[0], .policy = job->policy};
	const struct policy_image *image = NULL;
	cleanup_buf struct buf request = BUF_INIT, json = BUF_INIT;
	int r = find_entry(job, s, &image, e);

	if (!r)
		r = gate_file_read(job->cmd->process, job->host->owner, &request, e);
	if (r)
		return r;
	in.bytes = request.data;
	in.len = request.len;
	r = oci_spec_exec(&in, image, &json, job->code, e);
	return r ? r : gate_state_write(s, file, &json, e);
}

static int exec(const struct job *job, struct err *e)
{
	struct gate_state s = GATE_STATE_INIT;
	char file[32], option[sizeof(s.path) + sizeof(file) + 16];
	int r;

	*job->code = CODE_GATE_EXEC;
	r = gate_state_open(job->host, job->cmd->operand[0], &s, e);
	if (r)
		return err_context(e, "\"%s\" is no container of the gate", job->cmd->operand[0]);
	/* Removed with the folder at delete; the number comes round again, so they do not pile up. */
	(void)snprintf(file, sizeof(file), "process-%d.json", (int)getpid());    /* fits */
	(void)snprintf(option, sizeof(option), "--process=%s/%s", s.path, file); /* fits by its size */
	r = exec_prepare(job, &s, file, e);
	if (!r) {
		*job->code = CODE_INTERNAL;
		r = become_crun(job->host, job->cmd, option, e);
	}
	gate_state_close(&s);
	return r;
}

/* --- delete --------------------------------------------------------------------------------------------------------
 */

/* crun first: the root is unmounted only when it says that the container is gone. Another --root's folder is not ours.
 */
static int delete (const struct gate_host *host, const struct gate_command *cmd, struct err *e)
{
	struct gate_state s = GATE_STATE_INIT;
	struct gate_entry entry;
	struct err ignored = ERR_INIT;
	int status = run_crun(host, cmd, e);

	if (status)
		return status;
	if (gate_state_open(host, cmd->operand[0], &s, &ignored))
		return 0; /* a container that was refused, or never there */
	if (gate_entry_read(&s, &entry, &ignored) == 0 && !strcmp(entry.root, cmd->root))
		status = gate_state_remove(&s, e);
	gate_state_close(&s);
	return status;
}

/* -------------------------------------------------------------------------------------------------------------------
 */

/* What needs the policy. Each refusal is told to PID 1. */
static int checked(const struct gate_host *host, const struct gate_command *cmd, enum code *code, struct err *e)
{
	cleanup_policy struct policy *policy = NULL;
	struct job job = {.host = host, .cmd = cmd, .code = code};
	int r;

	*code = CODE_GATE_POLICY;
	r = policy_load_verified(host->policy_root, &policy, e);
	if (r)
		return r;
	job.policy = policy;
	return cmd->kind == GATE_EXEC ? exec(&job, e) : create(&job, e);
}

int gate_run(const struct gate_host *host, const struct gate_command *cmd, enum code *code, struct err *e)
{
	*code = CODE_INTERNAL;
	switch (cmd->kind) {
	case GATE_CREATE:
	case GATE_EXEC:
		return checked(host, cmd, code, e);
	case GATE_DELETE:
		return delete (host, cmd, e);
	case GATE_PASS:
		return become_crun(host, cmd, NULL, e);
	case GATE_UNSET:
		break;
	}
	*code = CODE_GATE_VERB;
	return err_set(e, EPERM, "no command");
}
