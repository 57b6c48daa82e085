/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/write_uki.c - initramfs, UKI, and what they will leave in the TPM (declared in write.h) */
#include "common/file.h"
#include "common/hex.h"
#include "common/pcr_policy.h"
#include "image-builder/authenticode.h"
#include "image-builder/folder.h"
#include "image-builder/loader.h"
#include "image-builder/pcrsig.h"
#include "image-builder/predict.h"
#include "image-builder/refvalues_write.h"
#include "image-builder/uki.h"
#include "image-builder/write.h"
#include "policy/policy.h"

#include <string.h>
#include <zstd.h>

#define MAX_KERNEL_BYTES (256u << 20)
#define MAX_STUB_BYTES   (16u << 20)
#define MAX_LOADER_BYTES (4u << 20)
#define INITRAMFS_LEVEL  19 /* each of its bytes is hashed four times on the way, and it is compressed once */
#define MAX_ENGINE_WORDS 32

static int compress(const struct buf *in, struct buf *ret, struct err *e)
{
	size_t room = ZSTD_compressBound(in->len), n;
	cleanup_free uint8_t *out = malloc(room);

	if (!out)
		return err_set(e, ENOMEM, "no memory to compress the initramfs");
	n = ZSTD_compress(out, room, in->data, in->len, INITRAMFS_LEVEL);
	if (ZSTD_isError(n))
		return err_set(e, EIO, "cannot compress the initramfs: %s", ZSTD_getErrorName(n));
	buf_put(ret, out, n);
	return ret->bad ? err_set(e, ENOMEM, "no memory for the initramfs") : 0;
}

static int make_initramfs(struct write *w, struct buf *ret, struct err *e)
{
	cleanup_buf struct buf conf = BUF_INIT, archive = BUF_INIT;
	cleanup_cpio struct cpio cpio = { .mtime = (uint32_t)w->plan->epoch };
	int r = plan_boot_conf(w->plan, &conf, e);

	if (!r)
		hash_sha256(conf.data, conf.len, w->boot_conf);
	r = r ? r : fileset_data(&w->plan->initramfs, "etc/holdfast/boot.conf", 0644, &conf, e);
	r = r ? r : fileset_to_cpio(&w->plan->initramfs, &cpio, e);
	r = r ? r : cpio_add_char(&cpio, "dev/console", 0600, 5, 1, e);
	r = r ? r : cpio_write(&cpio, &archive, e);
	r = r ? r : compress(&archive, ret, e);
	if (r)
		return r;
	w->sizes.initramfs = ret->len;
	progress_say(w->plan->p->say, "initramfs: %zu files and folders, %zu modules, %.1f MB, zstd -%d %.1f MB",
		     w->plan->initramfs.n, w->plan->n_boot_modules, (double)archive.len / 1e6, INITRAMFS_LEVEL,
		     (double)ret->len / 1e6);
	return 0;
}

static int make_cmdline(struct write *w, struct err *e)
{
	const char *own = w->plan->board.cmdline;
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(w->root_hash, HASH_SHA256_BYTES, hex);
	if (snprintf(w->cmdline, sizeof(w->cmdline), "%s%sroothash=%s holdfast.profile=%s", own, *own ? " " : "", hex,
		     plan_profile(w->plan)) >= (int)sizeof(w->cmdline))
		return err_set(e, EINVAL, "the command line is longer than %zu characters", sizeof(w->cmdline) - 1);
	return 0;
}

static int write_file(const struct write *w, const char *name, const void *data, size_t len, struct err *e)
{
	char path[PATH_MAX];
	int r = folder_join(w->out, name, path, e);

	return r ? r : file_write(path, data, len, 0644, e);
}

/* What the firmware's and the stub's part of a boot depends on. @uki: NULL without UEFI */
static int know_boot(const struct write *w, const struct buf *uki, struct predict_params *ret, struct err *e)
{
	const struct plan *plan = w->plan;

	*ret = (struct predict_params){ .pk = plan->keys.cert[KEYS_PK],
					.kek = plan->keys.cert[KEYS_KEK],
					.db = plan->keys.cert[KEYS_DB],
					.secure_boot_off = plan->p->secure_boot_off,
					.uki = uki,
					.jit = plan_is_jit(plan),
					.loader = &w->loader,
					.loader_conf = LOADER_CONF,
					.cmdline = w->cmdline };
	memcpy(ret->boot_manifest, w->boot_conf, HASH_SHA256_BYTES);
	memcpy(ret->root_hash, w->root_hash, HASH_SHA256_BYTES);
	memcpy(ret->root_signer, w->root_signer, HASH_SHA256_BYTES);
	return efivar_uuid_parse(KEYS_OWNER_GUID, &ret->owner, e);
}

/* The states of this image's boot in which the TPM shall obey it; also left as OUT/pcr-signature.json. */
static int make_pcrsig(struct write *w, const struct buf *uki, struct buf *ret, struct err *e)
{
	cleanup_predict struct predict states = { 0 };
	struct predict_params p;
	int r = know_boot(w, uki, &p, e);

	r = r ? r : predict_boot(&p, &states, e);
	r = r ? r : pcrsig_make(w->plan->keys.key[KEYS_PCR], &states, ret, e);
	r = r ? r : write_file(w, "pcr-signature.json", ret->data, ret->len, e);
	if (!r)
		progress_say(w->plan->p->say, "pcr-signature.json: PCR policies of the phases before ready, signed with pcr");
	return r;
}

/* Without UEFI: what a boot loader, or QEMU, is given. Nothing signs them. The stub's part is done here. */
static int write_direct(struct write *w, struct buf *initrd, struct err *e)
{
	cleanup_buf struct buf pcrsig = BUF_INIT;
	char path[PATH_MAX];
	int r = make_pcrsig(w, NULL, &pcrsig, e);

	buf_pad(initrd, 4);
	r = r ? r : pcrsig_cpio(PCRSIG_FILE, pcrsig.data, pcrsig.len, initrd, e);
	r = r ? r : folder_join(w->out, "kernel", path, e);
	r = r ? r : folder_copy_file(w->plan->kernel, path, 0644, e);
	r = r ? r : write_file(w, "initramfs", initrd->data, initrd->len, e);
	r = r ? r : write_file(w, "cmdline", w->cmdline, strlen(w->cmdline), e);
	if (!r)
		progress_say(w->plan->p->say, "kernel %s, initramfs, cmdline: not signed, for a machine without UEFI",
			     w->plan->release);
	return r;
}

/* systemd-boot, which the firmware starts: signed as the UKI is. */
static int make_loader(struct write *w, struct err *e)
{
	const struct keys *keys = &w->plan->keys;
	cleanup_buf struct buf plain = BUF_INIT;
	int r = file_read(w->plan->loader, MAX_LOADER_BYTES, &plain, e);

	r = r ? r : authenticode_sign(keys->key[KEYS_DB], keys->cert[KEYS_DB], plain.data, plain.len, &w->loader, e);
	r = r ? r : write_file(w, "loader.efi", w->loader.data, w->loader.len, e);
	return r ? err_context(e, "the boot loader %s", w->plan->loader) : 0;
}

int write_uki(struct write *w, struct err *e)
{
	const struct plan *plan = w->plan;
	cleanup_buf struct buf stub = BUF_INIT, kernel = BUF_INIT, initrd = BUF_INIT, unsigned_uki = BUF_INIT,
			       pcrsig = BUF_INIT, first = BUF_INIT;
	char osrel[PLAN_OS_RELEASE_BYTES];
	struct uki_params uki = { .arch = plan->board.arch,
					.stub = &stub,
					.kernel = &kernel,
					.initrd = &initrd,
					.osrel = osrel,
					.cmdline = w->cmdline,
					.uname = plan->release };
	int r = make_initramfs(w, &initrd, e);

	r = r ? r : make_cmdline(w, e);
	if (!r && board_is_direct(&plan->board))
		return write_direct(w, &initrd, e);
	plan_os_release(plan, osrel);
	r = r ? r : file_read(plan->stub, MAX_STUB_BYTES, &stub, e);
	r = r ? r : file_read(plan->kernel, MAX_KERNEL_BYTES, &kernel, e);
	r = r ? r : uki_build(&uki, &first, e);
	r = r ? r : make_pcrsig(w, &first, &pcrsig, e);
	uki.pcrsig = &pcrsig;
	r = r ? r : uki_build(&uki, &unsigned_uki, e);
	r = r ? r
	      : authenticode_sign(plan->keys.key[KEYS_DB], plan->keys.cert[KEYS_DB], unsigned_uki.data,
				  unsigned_uki.len, &w->uki, e);
	r = r ? r : make_loader(w, e);
	r = r ? r : write_file(w, "uki.efi", w->uki.data, w->uki.len, e);
	if (r)
		return r;
	w->sizes.uki = w->uki.len;
	progress_say(plan->p->say, "uki.efi: kernel %s, %.1f MB, signed with db", plan->release,
		     (double)w->uki.len / 1e6);
	return 0;
}

/* --- reference values -------------------------------------------------------------------------------------------- */

/* struct known - lists for the prediction, sized by the plan */
struct known {
	struct predict_file *module, config[BOARD_MAX_LIST];
	const char **container;
	uint8_t (*verity_root)[HASH_SHA256_BYTES];
	size_t n_roots;
	char *argv_text;
	const char *argv[MAX_ENGINE_WORDS + 1];
};

static void known_free(struct known *k)
{
	free(k->module);
	free(k->container);
	free(k->verity_root);
	free(k->argv_text);
}

/* Cut as PID 1 cuts it: at blanks, without quoting. */
static int cut_argv(struct known *k, const char *text, struct err *e)
{
	char *save = NULL;
	size_t n = 0;

	k->argv_text = strdup(text);
	if (!k->argv_text)
		return err_set(e, ENOMEM, "no memory for the engine's arguments");
	for (char *word = strtok_r(k->argv_text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (n == MAX_ENGINE_WORDS)
			return err_set(e, E2BIG, "the engine has more than %d arguments", MAX_ENGINE_WORDS);
		k->argv[n++] = word;
	}
	return 0;
}

static int know_volumes(const struct write *w, struct known *k, struct err *e)
{
	const struct policy *policy = w->policy;
	size_t n = 1;

	for (size_t i = 0; i < policy->n_images; i++)
		n += policy->image[i].n_layers;
	k->verity_root = calloc(n, sizeof(*k->verity_root));
	k->container = calloc(policy->n_images + 1, sizeof(*k->container));
	if (!k->verity_root || !k->container)
		return err_set(e, ENOMEM, "no memory for the reference values");
	memcpy(k->verity_root[k->n_roots++], w->root_hash, HASH_SHA256_BYTES);
	for (size_t i = 0; i < policy->n_images; i++) {
		k->container[i] = policy->image[i].name;
		for (size_t l = 0; l < policy->image[i].n_layers; l++) {
			const uint8_t *hash = policy->image[i].layer[l].root_hash;
			bool twice = false;

			for (size_t s = 0; s < k->n_roots; s++)
				twice |= !memcmp(k->verity_root[s], hash, HASH_SHA256_BYTES);
			if (!twice)
				memcpy(k->verity_root[k->n_roots++], hash, HASH_SHA256_BYTES);
		}
	}
	return 0;
}

static int know_files(const struct write *w, struct known *k, struct predict_params *p, struct err *e)
{
	const struct plan *plan = w->plan;
	int r = cut_argv(k, plan->engine.argv, e);

	k->module = calloc(plan->module.n, sizeof(*k->module));
	if (!r && !k->module)
		r = err_set(e, ENOMEM, "no memory for the reference values");
	for (size_t i = 0; !r && i < plan->module.n; i++) {
		const struct module *m = &plan->module.v[i];
		const char *slash = strrchr(m->path, '/');

		k->module[i].name = slash ? slash + 1 : m->path;
		hash_sha256(m->data.data, m->data.len, k->module[i].digest);
	}
	for (size_t i = 0; !r && i < plan->engine.config.n; i++) {
		k->config[i].name = plan->engine.config.v[i];
		r = fileset_sha256(&plan->root, plan->engine.config.v[i], k->config[i].digest, e);
	}
	r = r ? r : fileset_sha256(&plan->root, k->argv[0], p->engine, e);
	return r ? r : know_volumes(w, k, e);
}

/* See predict.h. A name that is built into the kernel is not among the modules. */
static bool tpm_is_late(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_boot_modules; i++)
		if (strstr(plan->module.v[i].path, "/drivers/char/tpm/"))
			return true;
	return false;
}

/* Of a machine that was described: its events, and the disk's as its firmware measures it. */
static int know_machine(const struct write *w, struct predict_params *p, struct err *e)
{
	char disk[PATH_MAX];
	int r;

	if (!w->plan->p->machine)
		return 0;
	p->machine = w->plan->machine.pcr;
	r = folder_join(w->out, "disk.img", disk, e);
	return r ? r : gpt_event_digest(disk, p->gpt_event, e);
}

static int predict(const struct write *w, struct known *k, struct predict *ret, struct err *e)
{
	const struct plan *plan = w->plan;
	struct predict_params p;
	int r = know_boot(w, board_is_direct(&plan->board) ? NULL : &w->uki, &p, e);

	r = r ? r : know_files(w, k, &p, e);
	if (r)
		return r;
	r = know_machine(w, &p, e);
	if (r)
		return r;
	memcpy(p.policy_digest, w->policy->digest, HASH_SHA256_BYTES);
	memcpy(p.ipe_policy, w->ipe, HASH_SHA256_BYTES);
	p.policy_version = w->policy->version;
	p.engine_config = k->config;
	p.n_engine_config = plan->engine.config.n;
	p.engine_argv = k->argv;
	p.container = k->container;
	p.n_containers = w->policy->n_images;
	p.ima_file = k->module;
	p.n_ima_files = plan->module.n;
	p.tpm_is_late = tpm_is_late(plan);
	p.state_volume = strcmp(plan->board.state, "none") != 0;
	p.verity_root = (const uint8_t(*)[HASH_SHA256_BYTES])k->verity_root;
	p.n_verity_roots = k->n_roots;
	return predict_make(&p, ret, e);
}

int write_refvalues(struct write *w, struct err *e)
{
	struct refvalues_image image = { .name = w->plan->p->name,
					 .version = w->plan->p->version,
					 .arch = w->plan->board.arch };
	cleanup_predict struct predict rules = { 0 };
	cleanup_buf struct buf text = BUF_INIT;
	struct known k = { 0 };
	int r = predict(w, &k, &rules, e);

	r = r ? r : pcr_policy_authorize(w->plan->keys.key[KEYS_PCR], PCR_POLICY_CHANNEL, image.channel_policy, e);
	image.profile = plan_profile(w->plan);
	image.command_line = w->cmdline;
	image.layer_policy_version = w->policy->version;
	image.packages = w->packages.n ? &w->packages : NULL;
	memcpy(image.sbom, w->sbom, HASH_SHA256_BYTES);
	memcpy(image.root_hash, w->root_hash, HASH_SHA256_BYTES);
	r = r ? r : refvalues_write(&image, &rules, &text, e);
	known_free(&k);
	r = r ? r : write_signed(w, "refvalues.json", &text, KEYS_POLICY, e);
	if (!r)
		progress_say(w->plan->p->say, "refvalues.json: PCR 0 to 15 predicted, signed with the policy key");
	return r;
}
