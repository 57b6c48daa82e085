/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/write_policy.c - layers, layer policy, IPE policy, and the engine's archives (declared in write.h) */
#include "common/file.h"
#include "common/hex.h"
#include "image-builder/folder.h"
#include "image-builder/oci_make.h"
#include "image-builder/podman_store.h"
#include "image-builder/write.h"
#include "policy/ipe.h"
#include "policy/oci_layout.h"
#include "policy/policy_add.h"
#include "policy/policy_write.h"
#include "verity/layer.h"

#include <string.h>

#define MAX_WORDS   64
#define MAX_VECTORS 16

/* struct extras - what the command line adds to one image's entry; vectors are cut from copies in @text */
struct extras {
	char *text[2 * MAX_VECTORS];
	const char *words[2 * MAX_VECTORS][MAX_WORDS + 1];
	const char *const *argv[MAX_VECTORS], *const *exec[MAX_VECTORS];
	const char *tmpfs[PLAN_MAX_EXTRAS + 1];
	bool jit;
	size_t n_texts, n_argv, n_exec, n_tmpfs;
};

/* The part behind "NAME=" if @option is for the image @name, else NULL. */
static const char *for_image(const char *option, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(option, name, n) && option[n] == '=' ? option + n + 1 : NULL;
}

/* Cut at blanks, without quoting, as all our configuration. */
static int cut_vector(struct extras *x, const char *text, const char *const **ret, struct err *e)
{
	size_t n = 0, slot = x->n_texts;
	char *save = NULL;

	if (slot == ARRAY_SIZE(x->text))
		return err_set(e, E2BIG, "more than %d argument vectors for one image", MAX_VECTORS);
	x->text[slot] = strdup(text);
	if (!x->text[slot])
		return err_set(e, ENOMEM, "no memory for arguments");
	x->n_texts++;
	for (char *w = strtok_r(x->text[slot], " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (n == MAX_WORDS)
			return err_set(e, E2BIG, "\"%.60s...\" has more than %d words", text, MAX_WORDS);
		x->words[slot][n++] = w;
	}
	if (!n)
		return err_set(e, EINVAL, "an argument vector is empty");
	*ret = x->words[slot];
	return 0;
}

static int find_extras(const struct plan_params *p, const char *name, struct extras *x, struct err *e)
{
	const char *v;
	int r = 0;

	for (size_t i = 0; !r && i < p->n_argv; i++)
		if ((v = for_image(p->argv[i], name)))
			r = x->n_argv == MAX_VECTORS
				    ? err_set(e, E2BIG, "more than %d --argv for %s", MAX_VECTORS, name)
				    : cut_vector(x, v, &x->argv[x->n_argv++], e);
	for (size_t i = 0; !r && i < p->n_exec; i++)
		if ((v = for_image(p->exec[i], name)))
			r = x->n_exec == MAX_VECTORS
				    ? err_set(e, E2BIG, "more than %d --exec for %s", MAX_VECTORS, name)
				    : cut_vector(x, v, &x->exec[x->n_exec++], e);
	for (size_t i = 0; !r && i < p->n_tmpfs; i++)
		if ((v = for_image(p->tmpfs[i], name)))
			x->tmpfs[x->n_tmpfs++] = v;
	for (size_t i = 0; i < p->n_jit; i++)
		x->jit |= !strcmp(p->jit[i], name);
	return r;
}

static int add_entry(struct write *w, const struct plan_image *image, struct err *e)
{
	const struct plan *plan = w->plan;
	cleanup_free struct extras *x = calloc(1, sizeof(*x));
	struct policy_add_params a = { .layout = image->layout, .tag = image->tag, .name = image->name };
	int r;

	if (!x)
		return err_set(e, ENOMEM, "no memory for a policy entry");
	r = find_extras(plan->p, image->name, x, e);
	a.arch = policy_oci_arch(plan->board.arch);
	a.convert = (struct policy_convert_params){ .folder = w->layers,
						    .by = { .key = plan->keys.key[KEYS_DB],
							    .cert = plan->keys.cert[KEYS_DB] } };
	a.argv = x->n_argv ? x->argv : NULL;
	a.n_argv = x->n_argv;
	a.exec = x->n_exec ? x->exec : NULL;
	a.n_exec = x->n_exec;
	a.tmpfs = x->n_tmpfs ? x->tmpfs : NULL;
	a.jit = x->jit;
	r = r ? r : policy_add_image(w->policy, &a, e);
	for (size_t i = 0; i < x->n_texts; i++)
		free(x->text[i]);
	if (!r)
		progress_say(plan->p->say, "image %s: %zu layer(s) converted and signed", image->name,
			     w->policy->image[w->policy->n_images - 1].n_layers);
	return r;
}

/* The policy from the images named, or the one given. */
static int make_policy(struct write *w, struct buf *ret, struct err *e)
{
	const struct plan *plan = w->plan;
	int r;

	if (plan->p->policy) {
		r = policy_load_unverified(plan->p->policy, &w->policy, e);
		return r ? r : file_read(plan->p->policy, POLICY_MAX_BYTES, ret, e);
	}
	r = policy_new(plan->p->name, &w->policy, e);
	for (size_t i = 0; !r && i < plan->n_images; i++)
		if (!plan->image[i].foreign)
			r = add_entry(w, &plan->image[i], e);
	if (r)
		return r;
	w->policy->version = plan->p->version;
	return policy_write(w->policy, ret, e);
}

/* Does the engine bring that layer? Not if an image that is in the root has it too. */
static bool is_pulled(const struct write *w, const struct policy_layer *layer)
{
	const struct plan *plan = w->plan;

	if (plan->p->policy)
		return verity_layer_is_elsewhere(plan->p->layers, layer->root_hash);
	for (size_t i = 0; i < plan->n_images; i++) {
		const struct policy_image *image =
			plan->image[i].foreign || plan->image[i].pulled ? NULL : policy_image_find(w->policy, plan->image[i].name);

		for (size_t k = 0; image && k < image->n_layers; k++)
			if (hash_equal(image->layer[k].root_hash, HASH_SHA256_BYTES, layer->root_hash, HASH_SHA256_BYTES))
				return false;
	}
	return true;
}

/* Layer files of the policy into the root; from where they were made, or from the folder given. Of a pulled one the signature. */
static int add_layers(struct write *w, struct err *e)
{
	static const char *const suffixes[] = { "p7s", "erofs" };
	const char *from = w->plan->p->policy ? w->plan->p->layers : w->layers;
	int r = 0;

	for (size_t i = 0; i < w->policy->n_images; i++)
		for (size_t k = 0; k < w->policy->image[i].n_layers; k++)
			for (size_t s = 0; !r && s < ARRAY_SIZE(suffixes); s++) {
				char hex[2 * HASH_SHA256_BYTES + 1], name[80], source[PATH_MAX], path[PATH_MAX];

				if (s == 1 && is_pulled(w, &w->policy->image[i].layer[k]))
					continue;
				hex_encode(w->policy->image[i].layer[k].root_hash, HASH_SHA256_BYTES, hex);
				(void)snprintf(name, sizeof(name), "%s.%s", hex, suffixes[s]); /* 64 + 6 */
				r = folder_join(from, name, source, e);
				r = r ? r : folder_need(source, e);
				r = r ? r : folder_join(&POLICY_LAYER_DIR[1], name, path, e);
				r = r ? r : fileset_copy(&w->plan->root, path, 0644, source, e);
			}
	return r;
}

static int add_archive(struct write *w, const struct plan_image *image, struct err *e)
{
	char name[128], file[96], path[PATH_MAX], dest[PATH_MAX];
	const struct oci_archive_params p = { .layout = image->layout,
					      .tag = image->tag,
					      .arch = policy_oci_arch(w->plan->board.arch),
					      .name = name,
					      .path = path };
	int r;

	(void)snprintf(name, sizeof(name), PLAN_ENGINE_NAME, image->name); /* name is bounded */
	(void)snprintf(file, sizeof(file), "%s.tar", image->name);         /* likewise */
	r = folder_join(w->work, file, path, e);
	r = r ? r : folder_join(PLAN_IMAGE_DIR, file, dest, e);
	r = r ? r : oci_archive(&p, e);
	return r ? r : fileset_copy(&w->plan->root, dest, 0644, path, e);
}

/* Every image, by name, for an engine that knows none by archive. The policy's have entries; with a policy made elsewhere by name. */
static int add_podman_store(struct write *w, struct err *e)
{
	struct podman_store store = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < w->plan->n_images; i++) {
		const struct plan_image *image = &w->plan->image[i];
		cleanup_policy_oci struct policy_oci_image *oci = NULL;
		char name[128];

		(void)snprintf(name, sizeof(name), PLAN_ENGINE_NAME, image->name); /* name is bounded */
		r = policy_oci_load(image->layout, image->tag, policy_oci_arch(w->plan->board.arch), &oci, e);
		r = r ? r : podman_store_add(&store, &w->plan->root, oci, policy_image_find(w->policy, image->name), name, e);
	}
	r = r ? r : podman_store_finish(&store, &w->plan->root, e);
	podman_store_free(&store);
	return r;
}

/* Everything about the policy that stands in the root's /etc/holdfast. */
static int add_policy_files(struct write *w, struct err *e)
{
	static const struct {
		const char *file, *dest;
	} files[] = { { "policy.json", POLICY_PATH },
		      { "policy.json.p7s", POLICY_SIG_PATH },
		      { "policy-cert.der", POLICY_CERT_PATH } };
	const struct pki_signer by = { .key = w->plan->keys.key[KEYS_DB], .cert = w->plan->keys.cert[KEYS_DB] };
	const enum policy_ipe_for profile = plan_is_jit(w->plan) ? POLICY_IPE_ENFORCE_JIT : POLICY_IPE_ENFORCE;
	cleanup_buf struct buf ipe = BUF_INIT, conf = BUF_INIT;
	char source[PATH_MAX];
	int r = policy_ipe_signed(w->policy, profile, &by, &ipe, e);

	for (size_t i = 0; !r && i < ARRAY_SIZE(files); i++) {
		r = folder_join(w->out, files[i].file, source, e);
		r = r ? r : fileset_copy(&w->plan->root, files[i].dest + 1, 0644, source, e);
	}
	if (!r && !board_is_direct(&w->plan->board)) /* there the kernel has no key to judge it by */
		r = fileset_data(&w->plan->root, "etc/holdfast/ipe.p7b", 0644, &ipe, e);
	if (r)
		return r;
	hash_sha256(ipe.data, ipe.len, w->ipe);
	r = plan_host_conf(w->plan, &conf, e);
	return r ? r : fileset_data(&w->plan->root, "etc/holdfast/host.conf", 0644, &conf, e);
}

/* Not an error: hosts of several profiles may have one policy. */
static void say_jit(const struct write *w)
{
	for (size_t i = 0; i < w->policy->n_images && !plan_is_jit(w->plan); i++)
		if (w->policy->image[i].run.jit)
			progress_say(w->plan->p->say, "image %s may make executable memory by the policy, but not here: the profile is %s",
				     w->policy->image[i].name, plan_profile(w->plan));
}

int write_policy(struct write *w, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	char from[PATH_MAX], to[PATH_MAX];
	int r = make_policy(w, &text, e);

	if (r)
		return r;
	hash_sha256(text.data, text.len, w->policy->digest); /* of the bytes as they are written */
	r = write_signed(w, "policy.json", &text, KEYS_POLICY, e);
	r = r ? r : folder_join(w->plan->p->keys, "policy.der", from, e);
	r = r ? r : folder_join(w->out, "policy-cert.der", to, e);
	r = r ? r : folder_copy_file(from, to, 0644, e);
	r = r ? r : add_layers(w, e);
	if (!strcmp(w->plan->engine.store, "podman"))
		r = r ? r : add_podman_store(w, e);
	else
		for (size_t i = 0; !r && i < w->plan->n_images; i++)
			r = w->plan->image[i].pulled ? 0 : add_archive(w, &w->plan->image[i], e);
	r = r ? r : add_policy_files(w, e);
	say_jit(w);
	if (!r)
		progress_say(w->plan->p->say, "layer policy %s version %llu, %zu image(s); IPE policy; both signed",
			     w->policy->name, (unsigned long long)w->policy->version, w->policy->n_images);
	return r;
}
