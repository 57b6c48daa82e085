/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/plan.c - what an image will be, described and checked before anything is written */
#include "image-builder/plan.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/measure.h"
#include "image-builder/epoch.h"
#include "image-builder/folder.h"
#include "image-builder/module_strip.h"
#include "policy/oci_layout.h"
#include "policy/policy_write.h"

#include <string.h>
#include <sys/stat.h>

void plan_free(struct plan *plan)
{
	board_free(&plan->board);
	machine_free(&plan->machine);
	board_engine_free(&plan->engine);
	keys_free(&plan->keys);
	modules_free(&plan->module);
	fileset_free(&plan->initramfs);
	fileset_free(&plan->root);
	free(plan->release);
	plan->release = NULL;
}

/* "[NAME=]LAYOUT:TAG" */
static int parse_image(const char *spec, struct plan_image *ret, struct err *e)
{
	const char *eq = strchr(spec, '='), *layout = eq ? eq + 1 : spec, *colon = strrchr(layout, ':');
	size_t name_bytes;

	if (!colon || colon == layout || !colon[1])
		return err_set(e, EINVAL, "image \"%.100s\": wanted [NAME=]LAYOUT:TAG", spec);
	ret->tag = colon + 1;
	name_bytes = eq ? (size_t)(eq - spec) : strlen(ret->tag);
	if (name_bytes >= sizeof(ret->name) || (size_t)(colon - layout) >= sizeof(ret->layout))
		return err_set(e, EINVAL, "image \"%.100s\": name or folder is too long", spec);
	(void)snprintf(ret->name, sizeof(ret->name), "%.*s", (int)name_bytes, eq ? spec : ret->tag); /* checked */
	(void)snprintf(ret->layout, sizeof(ret->layout), "%.*s", (int)(colon - layout), layout);     /* checked */
	if (!measure_name_is_valid(ret->name))
		return err_set(e, EINVAL,
			       "image name \"%.80s\": wanted 1 to %d of [a-z0-9._-], a letter or digit first",
			       ret->name, MEASURE_MAX_NAME_BYTES);
	return 0;
}

static int add_image(struct plan *plan, const char *spec, bool foreign, struct err *e)
{
	struct plan_image *image = &plan->image[plan->n_images];
	cleanup_policy_oci struct policy_oci_image *oci = NULL;
	int r = parse_image(spec, image, e);

	for (size_t i = 0; !r && i < plan->n_images; i++)
		if (!strcmp(plan->image[i].name, image->name))
			r = err_set(e, EEXIST, "two images have the name \"%s\"", image->name);
	r = r ? r : policy_oci_load(image->layout, image->tag, policy_oci_arch(plan->board.arch), &oci, e);
	if (r)
		return r;
	image->foreign = foreign;
	plan->n_images++;
	return 0;
}

const char *plan_profile(const struct plan *plan)
{
	return plan->p->profile ? plan->p->profile : plan->board.profile;
}

bool plan_is_jit(const struct plan *plan)
{
	return !strcmp(plan_profile(plan), "enforce-jit");
}

/* "NAME=..." of --argv and its kin, "NAME" of --jit, must name an image that goes into the policy. */
static int check_extras(const struct plan *plan, const char *option, const char *const *v, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const char *eq = strcmp(option, "jit") ? strchr(v[i], '=') : strchr(v[i], '\0');
		bool found = false;

		for (size_t k = 0; eq && k < plan->n_images; k++)
			found |= !plan->image[k].foreign && strlen(plan->image[k].name) == (size_t)(eq - v[i]) &&
				 !strncmp(plan->image[k].name, v[i], (size_t)(eq - v[i]));
		if (!found)
			return err_set(e, EINVAL, "--%s \"%.100s\": wanted NAME%s, NAME one of the --image ones",
				       option, v[i], strcmp(option, "jit") ? "=..." : "");
	}
	return 0;
}

static bool has_program(const struct engine *g, const char *path)
{
	for (size_t i = 0; i < g->program.n; i++)
		if (!strcmp(g->program.v[i], path))
			return true;
	return false;
}

/* A packed layer is unpacked on the host, by the same programs as here. */
static int check_unpackers(const struct plan *plan, const struct plan_image *image, struct err *e)
{
	static const char *const program[] = { [POLICY_OCI_GZIP] = "usr/bin/gzip", [POLICY_OCI_ZSTD] = "usr/bin/zstd" };
	cleanup_policy_oci struct policy_oci_image *oci = NULL;
	int r = policy_oci_load(image->layout, image->tag, policy_oci_arch(plan->board.arch), &oci, e);

	for (size_t k = 0; !r && k < oci->n_layers; k++) {
		const char *wanted = program[oci->layer[k].packing];

		if (wanted && !has_program(&plan->engine, wanted))
			r = err_set(e, ENOENT, "--pulled %s: to unpack layer %zu the host needs /%s: the engine's folder has no `program` line for it",
				    image->name, k, wanted);
	}
	return r;
}

/* Who pulls must leave the blobs where the gate finds them, and the volumes must not be settled when the engine starts. */
static int check_pulled(const struct plan *plan, struct err *e)
{
	int r = 0;

	if (!plan->p->n_pulled)
		return 0;
	if (plan->p->policy)
		return err_set(e, EINVAL, "--pulled with --policy: of a policy made elsewhere the layers without an .erofs in --layers are those");
	if (board_is_direct(&plan->board) || plan_is_jit(plan))
		return err_set(e, EINVAL, "--pulled: a host of the profile %s can open no volume to execute from once its engine runs", plan_profile(plan));
	if (!strcmp(plan->engine.store, "podman"))
		return err_set(e, EINVAL, "--pulled: this engine keeps no blobs of what it pulls; containerd does");
	for (size_t i = 0; !r && i < plan->n_images; i++)
		if (plan->image[i].pulled)
			r = check_unpackers(plan, &plan->image[i], e);
	return r;
}

static int find_images(struct plan *plan, struct err *e)
{
	const struct plan_params *p = plan->p;
	int r = 0;

	for (size_t i = 0; !r && i < p->n_images; i++)
		r = add_image(plan, p->image[i], p->policy != NULL,
			      e); /* with a policy of its own, this adds nothing to it */
	for (size_t i = 0; !r && i < p->n_pulled; i++) {
		r = add_image(plan, p->pulled[i], false, e);
		if (!r)
			plan->image[plan->n_images - 1].pulled = true;
	}
	for (size_t i = 0; !r && i < p->n_foreign; i++)
		r = add_image(plan, p->foreign[i], true, e);
	r = r ? r : check_pulled(plan, e);
	r = r ? r : check_extras(plan, "argv", p->argv, p->n_argv, e);
	r = r ? r : check_extras(plan, "exec", p->exec, p->n_exec, e);
	r = r ? r : check_extras(plan, "tmpfs", p->tmpfs, p->n_tmpfs, e);
	r = r ? r : check_extras(plan, "jit", p->jit, p->n_jit, e);
	if (!r && p->policy) {
		cleanup_policy struct policy *policy = NULL;

		r = policy_load_unverified(p->policy, &policy, e);
		if (!r && !p->layers)
			r = err_set(e, EINVAL, "--policy needs --layers, the folder with its layers");
	}
	for (size_t i = 0; !r && i < p->n_tasks; i++)
		if (p->task[i][0] != '/' || strchr(p->task[i], '\n'))
			r = err_set(e, EINVAL, "--task \"%.80s\": wanted one line that begins with an absolute path",
				    p->task[i]);
	if (!r && !p->policy && !p->n_images && !p->n_pulled)
		r = err_set(e, EINVAL, "no image is named: the host could run nothing");
	return r;
}

/* The name in "[-|+]NAME [parameter=value ...]". */
static int module_name(const char *spec, char *ret, size_t room, struct err *e)
{
	const char *name = spec + (*spec == '-' || *spec == '+');
	size_t n = strcspn(name, " ");

	if (!n || n >= room)
		return err_set(e, EINVAL, "module line \"%.80s\" has no name", spec);
	(void)snprintf(ret, room, "%.*s", (int)n, name); /* checked */
	return 0;
}

static int resolve(struct plan *plan, const struct board_list *a, const struct board_list *b, struct modules *ret,
		   struct err *e)
{
	char names[2 * BOARD_MAX_LIST][64];
	const char *v[2 * BOARD_MAX_LIST];
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; !r && i < a->n; i++, n++)
		r = module_name(a->v[i], names[n], sizeof(names[n]), e);
	for (size_t i = 0; !r && b && i < b->n; i++, n++)
		r = module_name(b->v[i], names[n], sizeof(names[n]), e);
	for (size_t i = 0; i < n; i++)
		v[i] = names[i];
	return r ? r : modules_resolve(plan->p->tree, plan->release, v, n, ret, e);
}

bool plan_module_is_late(const struct plan *plan, size_t i)
{
	const struct board_list *list = &plan->board.boot_module;
	bool late = false;

	for (size_t k = 0; k < list->n; k++) {
		struct err none = ERR_INIT;
		char name[64];

		if (*list->v[k] != '+' || module_name(list->v[k], name, sizeof(name), &none))
			continue; /* find_modules() has refused a line without a name before */
		for (char *c = name; *c; c++)
			*c = *c == '-' ? '_' : *c;
		late |= !strcmp(name, plan->module.v[i].name);
	}
	return late;
}

/*
 * Cut to what is loaded, and signed by db, which the kernel takes from the firmware. Without UEFI it knows the distribution's key alone.
 * PID 1's programs of enforce-jit read overlayfs's structures, by its types.
 */
static int own_modules(struct plan *plan, struct err *e)
{
	const struct pki_signer by = { .key = plan->keys.key[KEYS_DB], .cert = plan->keys.cert[KEYS_DB] };
	int r = 0;

	for (size_t i = 0; !r && !board_is_direct(&plan->board) && i < plan->module.n; i++) {
		struct module *m = &plan->module.v[i];
		cleanup_buf struct buf own = BUF_INIT;

		r = module_strip(m->data.data, m->data.len, m->path, plan_is_jit(plan) && !strcmp(m->name, "overlay"), &own, e);
		r = r ? r : module_sign(&by, &own, e);
		if (!r) {
			buf_free(&m->data);
			m->data = own;
			own = (struct buf)BUF_INIT;
		}
	}
	return r;
}

/* All modules; the closure of the initramfs's alone tells how many of them, the first ones, are its own. */
static int find_modules(struct plan *plan, struct err *e)
{
	cleanup_modules struct modules boot = { 0 };
	int r = resolve(plan, &plan->board.boot_module, NULL, &boot, e);

	r = r ? r : resolve(plan, &plan->board.boot_module, &plan->board.host_module, &plan->module, e);
	if (r)
		return r;
	plan->n_boot_modules = boot.n;
	for (size_t i = 0; i < boot.n; i++)
		if (i >= plan->module.n || strcmp(boot.v[i].name, plan->module.v[i].name))
			return err_set(e, EINVAL, "module %s would be loaded out of order: name it under module.boot",
				       boot.v[i].name);
	return own_modules(plan, e);
}

/* Debian keeps libraries in a folder named after the architecture. */
static int check_tree_arch(const struct plan *plan, struct err *e)
{
	static const char *const folders[] = { "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu" };
	bool arm64 = !strcmp(plan->board.arch, "arm64");
	char own[PATH_MAX], other[PATH_MAX];
	int r = folder_join(plan->p->tree, folders[arm64], own, e);

	r = r ? r : folder_join(plan->p->tree, folders[!arm64], other, e);
	if (!r && access(own, F_OK) < 0 && access(other, F_OK) == 0)
		r = err_set(e, EINVAL, "%s holds packages of another architecture than the board's, %s", plan->p->tree,
			    plan->board.arch);
	return r;
}

static int find_inputs(struct plan *plan, struct err *e)
{
	const char *tools = plan->p->tools ? plan->p->tools : plan->p->tree;
	char name[PATH_MAX];
	int r = folder_need(plan->p->tree, e);

	r = r ? r : check_tree_arch(plan, e);
	r = r ? r : modules_release(plan->p->tree, &plan->release, e);
	if (r)
		return r;
	if (snprintf(name, sizeof(name), "boot/vmlinuz-%s", plan->release) >= (int)sizeof(name))
		return err_set(e, ENAMETOOLONG, "the kernel's release is too long");
	r = folder_join(plan->p->tree, name, plan->kernel, e);
	r = r ? r : folder_need(plan->kernel, e);
	if (!r && !board_is_direct(&plan->board)) {
		r = folder_join(plan->p->tree, plan->board.stub, plan->stub, e);
		r = r ? r : folder_need(plan->stub, e);
		r = r ? r : folder_join(plan->p->tree, plan->board.loader, plan->loader, e);
		r = r ? r : folder_need(plan->loader, e);
	}
	for (size_t i = 0; !r && i < plan->p->n_overlays; i++)
		r = folder_need(plan->p->overlay[i], e);
	return r ? r : tree_program_init(&plan->mkfs, tools, "usr/bin/mkfs.erofs", e);
}

/* The result's parent must be a folder we can write to, and what stands there must be ours to replace. */
static int check_out(const struct plan_params *p, struct err *e)
{
	char tmp[PATH_MAX];
	int r = folder_may_replace(p->out, "refvalues.json", e);

	r = r ? r : folder_begin(p->out, tmp, e);
	if (r)
		return r;
	return rmdir(tmp) < 0 ? err_errno(e, "cannot remove %s", tmp) : 0;
}

/* A machine description fits board and firmware, or it is of another machine. */
static int find_machine(struct plan *plan, struct err *e)
{
	const char *path = plan->p->machine;
	cleanup_buf struct buf text = BUF_INIT;
	char firmware[PATH_MAX];
	int r;

	if (!path)
		return 0;
	if (board_is_direct(&plan->board))
		return err_set(e, EINVAL, "--machine: the board is one without UEFI, nothing of its firmware is judged");
	r = file_read(path, MACHINE_MAX_FILE_BYTES, &text, e);
	r = r ? r : machine_parse(text.data, text.len, path, &plan->machine, e);
	r = r ? r : folder_join(plan->p->tree, plan->board.firmware_code, firmware, e);
	r = r ? r : machine_check(&plan->machine, &plan->board, firmware, e);
	return r ? err_context(e, "--machine %s", path) : 0;
}

/* Whoever builds for machines without Secure Boot says so: such reference values accept what no firmware checked. */
static int check_secure_boot(const struct plan *plan, struct err *e)
{
	const char *profile = plan_profile(plan);

	if (plan->p->secure_boot_off && strcmp(profile, "audit"))
		return err_set(e, EINVAL, "--secure-boot off: wanted the profile audit, this is %s: enforce refuses to boot without Secure "
			       "Boot (E23), direct has no UEFI", profile);
	return 0;
}

int plan_make(struct plan *plan, const struct plan_params *p, struct err *e)
{
	int r;

	plan->p = p;
	r = epoch_get(&plan->epoch, e);
	r = r ? r : board_load(p->board, &plan->board, e);
	r = r ? r : board_engine_load(p->engine, &plan->engine, e);
	r = r ? r : keys_load(p->keys, &plan->keys, e);
	if (!r && p->profile && board_is_direct(&plan->board))
		r = err_set(e, EINVAL, "--profile %s: the board is one without UEFI, its profile is direct", p->profile);
	if (!r && !measure_name_is_valid(p->name))
		r = err_set(e, EINVAL, "--name \"%.80s\": wanted 1 to %d of [a-z0-9._-], a letter or digit first",
			    p->name, MEASURE_MAX_NAME_BYTES);
	r = r ? r : check_secure_boot(plan, e);
	r = r ? r : check_out(p, e);
	r = r ? r : find_inputs(plan, e);
	r = r ? r : find_images(plan, e);
	r = r ? r : find_modules(plan, e);
	r = r ? r : find_machine(plan, e);
	if (r)
		return r;
	plan->initramfs.tree = plan->root.tree = p->tree;
	plan->initramfs.arch = plan->root.arch = plan->board.arch;
	r = plan_initramfs_files(plan, e);
	return r ? r : plan_root_files(plan, e);
}

/* "module = ..." lines of modules [from, to), with the parameters and the sign that the board gives them. */
static void module_lines(const struct plan *plan, const struct board_list *list, size_t from, size_t to, struct buf *ret)
{
	for (size_t i = from; i < to; i++) {
		const struct module *m = &plan->module.v[i];
		const char *params = "";
		const char *sign = "";

		for (size_t k = 0; k < list->n; k++) {
			struct err none = ERR_INIT;
			char name[64];

			if (module_name(list->v[k], name, sizeof(name), &none))
				continue; /* find_modules() has refused it before */
			for (char *c = name; *c; c++)
				*c = *c == '-' ? '_' : *c;
			if (strcmp(name, m->name))
				continue;
			sign = *list->v[k] == '-' ? "-" : *list->v[k] == '+' ? "+" : "";
			params = strchr(list->v[k], ' ') ? strchr(list->v[k], ' ') : "";
		}
		buf_printf(ret, "module = %s%s%s\n", sign, m->path, params);
	}
}

static int end_text(struct buf *text, struct err *e)
{
	buf_u8(text, 0);
	if (text->bad)
		return err_set(e, ENOMEM, "no memory for a manifest");
	text->len--;
	return 0;
}

int plan_boot_conf(const struct plan *plan, struct buf *ret, struct err *e)
{
	uint8_t signer[HASH_SHA256_BYTES];
	char hex[2 * HASH_SHA256_BYTES + 1];
	int r = pki_cert_fingerprint(plan->keys.cert[KEYS_DB], signer, e);

	if (r)
		return r;
	module_lines(plan, &plan->board.boot_module, 0, plan->n_boot_modules, ret);
	hex_encode(signer, sizeof(signer), hex);
	buf_printf(ret, "root.signer = %s\ntpm = %s\n", hex, plan->board.tpm);
	buf_printf(ret, "deadline.tpm_ms = %llu\ndeadline.disk_ms = %llu\n",
		   (unsigned long long)plan->board.deadline_tpm_ms, (unsigned long long)plan->board.deadline_disk_ms);
	buf_printf(ret, "on_corruption = %s\non_failure = %s\n", plan->board.on_corruption, plan->board.on_failure);
	return end_text(ret, e);
}

/* How many images the engine is told of at boot. */
static size_t n_seeds(const struct plan *plan)
{
	return *plan->engine.seed && !plan->p->unseeded ? plan->p->n_images : 0;
}

/* The engine's command, and the digest of its program: PID 1 measures it without reading 50 MB. */
static int describe_engine(const struct plan *plan, struct buf *ret, struct err *e)
{
	char program[PATH_MAX], hex[2 * HASH_SHA256_BYTES + 1];
	uint8_t digest[HASH_SHA256_BYTES];
	int r;

	(void)snprintf(program, sizeof(program), "%.*s", (int)strcspn(plan->engine.argv, " \t"), plan->engine.argv);
	r = fileset_sha256(&plan->root, program, digest, e);
	if (r)
		return r;
	hex_encode(digest, sizeof(digest), hex);
	buf_printf(ret, "engine.argv = %s\nengine.sha256 = %s\n", plan->engine.argv, hex);
	return 0;
}

int plan_host_conf(const struct plan *plan, struct buf *ret, struct err *e)
{
	const struct engine *g = &plan->engine;
	int r;

	if (n_seeds(plan) + plan->p->n_tasks > PLAN_MAX_TASKS)
		return err_set(e, E2BIG, "%zu images to tell the engine of and %zu tasks: a host manifest has room for %d (--unseeded)", n_seeds(plan),
			       plan->p->n_tasks, PLAN_MAX_TASKS);
	for (size_t i = 0; i < plan->n_boot_modules; i++)
		if (plan_module_is_late(plan, i))
			buf_printf(ret, "module = -%s\n", plan->module.v[i].path); /* the initramfs has left it out; a host can do without */
	module_lines(plan, &plan->board.host_module, plan->n_boot_modules, plan->module.n, ret);
	buf_printf(ret, "version = %llu\nfloor.healthy_ms = %llu\n", (unsigned long long)plan->p->version,
		   (unsigned long long)plan->board.floor_healthy_ms);
	if (strcmp(plan->board.state, "none") != 0)
		buf_printf(ret, "state.argv = /usr/lib/holdfast/holdfast-state %s %s\n", plan->board.state, plan->board.state_recovery);
	r = describe_engine(plan, ret, e);
	if (r)
		return r;
	for (size_t i = 0; i < g->config.n; i++)
		buf_printf(ret, "engine.config = %s\n", g->config.v[i]);
	buf_printf(ret, "engine.ready = %s\nengine.ready_ms = %llu\n", g->ready, (unsigned long long)g->ready_ms);
	if (*plan->board.watchdog)
		buf_printf(ret, "watchdog = %s\nwatchdog_ms = %llu\n", plan->board.watchdog,
			   (unsigned long long)plan->board.watchdog_ms);
	buf_printf(ret, "agent.argv = /usr/bin/holdfast-attest serve --port org.holdfast.attest%s%s\n",
		   *plan->board.agent_tls ? " --tls " : "", plan->board.agent_tls);
	/* Before the tasks, which may use the names. Those of --image come first in the list; --foreign ones are nobody's wish. */
	for (size_t i = 0; i < n_seeds(plan); i++)
		buf_printf(ret, "task = %s /" PLAN_IMAGE_DIR "/%s.tar\n", g->seed, plan->image[i].name);
	for (size_t i = 0; i < plan->p->n_tasks; i++)
		buf_printf(ret, "task = %s\n", plan->p->task[i]);
	buf_printf(ret, "on_tasks_done = %s\non_failure = %s\n", plan->p->stay ? "stay" : "poweroff",
		   plan->board.on_failure);
	return end_text(ret, e);
}
