/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_host.c - the first steps in the root: who we are, the host's file systems, the layer policy
 *
 * Nothing is taken over on trust: that "/" is a dm-verity volume of the command line's root hash, with a signature the
 * kernel checked, is asked from the kernel again.
 */
#include "init/pid1.h"

#include "common/tpm_cmd.h"
#include "init/io.h"
#include "init/log.h"
#include "init/state.h"
#include "init/sys.h"
#include "policy/layer_service.h"
#include "verity/layer.h"
#include "verity/trust.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define HOST_CONF "/etc/holdfast/host.conf"
#define CGROUP    "/sys/fs/cgroup"

#define OPENER_CAPS      (1ull << CAP_SYS_ADMIN | 1ull << CAP_MKNOD) /* mount, loop device, table; a node if devtmpfs has none yet */
#define OPENER_WITHIN_NS (60ull * 1000000000)

static int resume_measuring(struct pid1 *p, bool tpm_required, struct err *e)
{
	int fd, r = tpm_cmd_open(&fd, e);

	if (r == -ENOENT && !tpm_required) {
		fd = -1;
		r = 0;
	}
	return r ? r : pid1_measure_open(&p->log, fd, e);
}

int pid1_stage_resume(struct pid1 *p, struct err *e)
{
	static struct pid1_state state;
	char text[CMDLINE_MAX_BYTES];
	size_t len;
	int r;

	if (clearenv())
		return err_set(e, ENOMEM, "cannot clear the environment");
	for (size_t i = 0; pid1_environment[i]; i++)
		if (putenv((char *)pid1_environment[i]))
			return err_set(e, ENOMEM, "cannot set the environment");
	r = sys_hold_stdio();
	if (r)
		return pid1_err(e, r, "cannot open /dev/null");
	r = pid1_log_open(e);
	if (!r)
		r = pid1_state_load(&state, e);
	if (r)
		return r;
	p->times = state.times;
	p->boot.tpm_required = state.tpm_required;
	r = pid1_read("/proc/cmdline", text, sizeof(text), &len, e);
	if (!r)
		r = cmdline_parse(text, len, &p->cmdline, e);
	if (!r && pid1_is_direct(p))
		verity_trust_direct(NULL);
	if (!r)
		r = verity_prove_mount("/", p->cmdline.root_hash, 0, e);
	if (!r && pid1_is_direct(p))
		r = pid1_direct_resume(e);
	if (r) {
		p->code = CODE_ROOT_UNPROVED;
		return r;
	}
	r = pid1_read(HOST_CONF, p->host.text, sizeof(p->host.text), &len, e);
	if (!r)
		r = pid1_host_manifest_parse(&p->host, len, e);
	if (r)
		return r;
	p->code = CODE_HOST_MEASURE;
	return resume_measuring(p, state.tpm_required, e);
}

/* Nothing may be executed, no device opened, no set-user-id bit honoured in anything that can be written. */
static const struct host_mount {
	const char *type;
	const char *target;
	unsigned long flags;
	const char *data;
	bool make;
} host_mounts[] = {
	{ "tmpfs", "/tmp", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777", false },
	{ "tmpfs", "/var", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW, "mode=0755", false },
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5", true },
	{ "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777", true },
	{ "mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, true },
	{ "cgroup2", CGROUP, MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate", false },
};

/* Folders that programs expect in a /var that begins empty. */
static const char *const var_folders[] = { "/var/lib", "/var/log", "/var/tmp", "/var/cache" };

/* Give every controller of @parent to its children: "+a +b ..." in one write each, so that one that cannot be is named. */
static int delegate_controllers(const char *parent, struct err *e)
{
	char path[128], list[512], word[64], *save = NULL;
	size_t len;
	int r;

	(void)snprintf(path, sizeof(path), "%s/cgroup.controllers", parent); /* constants, they fit */
	r = pid1_read(path, list, sizeof(list), &len, e);
	(void)snprintf(path, sizeof(path), "%s/cgroup.subtree_control", parent); /* likewise */
	for (char *c = strtok_r(list, " \n", &save); !r && c; c = strtok_r(NULL, " \n", &save)) {
		(void)snprintf(word, sizeof(word), "+%s", c); /* a name that is cut is refused by the kernel */
		r = pid1_write(path, word, strlen(word), e);
		if (r)
			(void)err_context(e, "cgroup controller %s", c);
	}
	return r;
}

int pid1_stage_host_mounts(struct pid1 *p, struct err *e)
{
	int r = 0;

	(void)p;
	for (size_t i = 0; i < ARRAY_SIZE(host_mounts); i++) {
		const struct host_mount *m = &host_mounts[i];

		if (m->make)
			r = sys_mkdir(m->target, 0755);
		if (!r)
			r = sys_mount(m->type, m->target, m->type, m->flags, m->data);
		if (r)
			return pid1_err(e, r, "cannot mount %s on %s", m->type, m->target);
	}
	for (size_t i = 0; i < ARRAY_SIZE(var_folders); i++) {
		r = sys_mkdir(var_folders[i], 0755);
		if (r)
			return pid1_err(e, r, "cannot make %s", var_folders[i]);
	}
	r = sys_mkdir(CGROUP "/engine", 0755);
	if (!r)
		r = sys_mkdir(CGROUP "/agent", 0755);
	if (r)
		return pid1_err(e, r, "cannot make a cgroup");
	return delegate_controllers(CGROUP, e);
}

int pid1_stage_layer_policy(struct pid1 *p, struct err *e)
{
	int r = policy_load_verified("", &p->policy, e);

	if (r == -EBADMSG)
		p->code = CODE_LAYER_POLICY_SIGNATURE;
	if (!r)
		pid1_log(p->stage, "%s version %llu, %zu image(s)", p->policy->name,
			 (unsigned long long)p->policy->version, p->policy->n_images);
	return r;
}

/*
 * Whoever may give the device-mapper tables must be what the root has under that name, and the engine could mount anything over
 * it: so this is started now, once, and not again. It ends when it listens, and leaves a child that answers.
 */
static int start_opener(struct pid1 *p, size_t n_pulled, struct err *e)
{
	static const char *const argv[] = { POLICY_LAYER_PROGRAM, NULL };
	const struct sys_child c = { .argv = argv, .env = pid1_environment, .cgroup_procs = PID1_ENGINE_CGROUP, .keep_caps = OPENER_CAPS,
				     .console = pid1_log_console(), .volumes = true, .within_ns = OPENER_WITHIN_NS };
	const char *step;
	ssize_t n = sys_ask(c, NULL, 0, &step);

	if (n < 0)
		return pid1_err(e, (int)n, "%s (%s)", argv[0], step);
	pid1_log(p->stage, "%zu more for the engine to pull", n_pulled);
	return 0;
}

int pid1_stage_layers(struct pid1 *p, struct err *e)
{
	size_t n = 0, n_pulled = 0;

	for (size_t i = 0; i < p->policy->n_images; i++) {
		const struct policy_image *img = &p->policy->image[i];

		for (size_t k = 0; k < img->n_layers; k++) {
			char path[VERITY_LAYER_PATH_BYTES];
			int r;

			/* Not in `direct` and `enforce-jit`: the volumes that may be executed from are settled when the engine starts. */
			if (!pid1_holds_execution(p) && verity_layer_is_elsewhere(POLICY_LAYER_DIR, img->layer[k].root_hash)) {
				n_pulled++;
				continue;
			}
			r = verity_layer_open(POLICY_LAYER_DIR, img->layer[k].root_hash, img->layer[k].data_bytes,
						  VERITY_CORRUPTION_EIO, path, e);

			if (verity_is_signature_error(r))
				p->code = CODE_LAYER_SIGNATURE;
			if (r)
				return err_context(e, "image %s, layer %zu", img->name, k);
			n++;
		}
	}
	pid1_log(p->stage, "%zu open, each from a signed dm-verity volume%s", n,
		 pid1_is_direct(p) ? " (signatures checked by PID 1)" : "");
	return n_pulled ? start_opener(p, n_pulled, e) : 0;
}
