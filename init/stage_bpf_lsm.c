/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init/stage_bpf_lsm.c - profiles `direct` and `enforce-jit`: execution only from the volumes that are open now, and prove it
 *
 * Runs when the layers are open and nothing of the root but PID 1 has run: what is allowed is final, but for what pid1_jit_open()
 * adds in `enforce-jit`. At last anonymous executable memory must be refused to PID 1 itself.
 */
#include "init/pid1.h"

#include "init/io.h"
#include "init/log.h"
#include "init/sys.h"
#include "verity/layer.h"

#include <string.h>

/* struct devices - what may hold executable files: the root, then each layer */
struct devices {
	struct pid1_volume v[PID1_LSM_MAX_DEVICES];
	size_t n;
};

static int add_device(struct devices *d, const char *path, uint32_t use, struct err *e)
{
	int r;

	if (d->n == PID1_LSM_MAX_DEVICES)
		return err_set(e, E2BIG, "more than %d volumes", PID1_LSM_MAX_DEVICES);
	r = sys_dev(path, &d->v[d->n].dev);
	if (r)
		return pid1_err(e, r, "cannot stat %s", path);
	d->v[d->n++].use = use;
	return 0;
}

/* What is run from this layer: by all, and as images that may make executable memory. */
static uint32_t use_of(const struct pid1_jit *jit, const uint8_t *root_hash)
{
	uint32_t use = BPF_CODE_USE_RUN;

	for (size_t i = 0; i < jit->n; i++)
		for (size_t k = 0; k < jit->image[i]->n_layers; k++)
			if (!memcmp(jit->image[i]->layer[k].root_hash, root_hash, HASH_SHA256_BYTES))
				use |= PID1_JIT_USE(i);
	return use;
}

static int add_layers(const struct pid1 *p, struct devices *d, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < p->policy->n_images; i++)
		for (size_t k = 0; !r && k < p->policy->image[i].n_layers; k++) {
			const uint8_t *root_hash = p->policy->image[i].layer[k].root_hash;
			char path[VERITY_LAYER_PATH_BYTES];

			if (policy_layer_is_revoked(p->policy, root_hash))
				continue;
			verity_layer_path(root_hash, path);
			r = add_device(d, path, use_of(&p->jit, root_hash), e);
		}
	return r;
}

int pid1_stage_bpf_lsm(struct pid1 *p, struct err *e)
{
	static struct devices devices;
	int r;

	if (!pid1_holds_execution(p))
		return 0;
	devices.n = 0;
	for (size_t i = 0; i < p->policy->n_images && !pid1_is_direct(p); i++) /* the parser sees to it that they fit */
		if (p->policy->image[i].run.jit)
			p->jit.image[p->jit.n++] = &p->policy->image[i];
	r = add_device(&devices, "/", BPF_CODE_USE_RUN, e);
	if (!r)
		r = add_layers(p, &devices, e);
	if (!r)
		r = pid1_lsm_enforce(devices.v, devices.n, &p->jit, &p->lsm, e);
	if (r)
		return r;
	r = sys_exec_memory_is_denied();
	if (r < 0)
		return pid1_err(e, r, "cannot try anonymous executable memory");
	if (r == 0)
		return err_set(e, EPERM, "anonymous executable memory was given although BPF-LSM programs are attached");
	pid1_log(p->stage, "enforcing: execution from %zu volumes only, no new sysctl, no bpf(2); images that may make code: %zu", devices.n,
		 p->jit.n);
	return 0;
}
