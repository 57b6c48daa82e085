/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/write.c - carry out a plan: the order of the steps, root */
#include "image-builder/write.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/proc.h"
#include "image-builder/erofs.h"
#include "image-builder/fetch.h"
#include "image-builder/folder.h"
#include "policy/policy.h"
#include "verity/sigrecord.h"

#include <string.h>
#include <sys/stat.h>

#define MAX_PACKAGES_BYTES (4u << 20)

int write_signed(const struct write *w, const char *name, const struct buf *data, enum keys_name key, struct err *e)
{
	const struct pki_signer by = { .key = w->plan->keys.key[key], .cert = w->plan->keys.cert[key] };
	cleanup_buf struct buf signature = BUF_INIT;
	char path[PATH_MAX], sig_name[64];
	int r = folder_join(w->out, name, path, e);

	if (!r && data->bad)
		r = err_set(e, ENOMEM, "no memory for %s", name);
	r = r ? r : file_write(path, data->data, data->len, 0644, e);
	r = r ? r : pki_sign(&by, data->data, data->len, PKI_DETACHED, &signature, e);
	(void)snprintf(sig_name, sizeof(sig_name), "%s.p7s", name); /* names are short constants */
	r = r ? r : folder_join(w->out, sig_name, path, e);
	return r ? r : file_write(path, signature.data, signature.len, 0644, e);
}

static int sign_root(struct write *w, struct err *e)
{
	const struct pki_signer by = { .key = w->plan->keys.key[KEYS_DB], .cert = w->plan->keys.cert[KEYS_DB] };
	cleanup_buf struct buf signature = BUF_INIT, record_bytes = BUF_INIT;
	cleanup_free struct verity_sigrecord *record = calloc(1, sizeof(*record));
	char hex[2 * HASH_SHA256_BYTES + 1], path[PATH_MAX];
	int r;

	if (!record)
		return err_set(e, ENOMEM, "no memory for the root's signature record");
	hex_encode(w->root_hash, HASH_SHA256_BYTES, hex);
	r = pki_sign(&by, hex, strlen(hex), PKI_DETACHED, &signature, e);
	r = r ? r : pki_cert_fingerprint(by.cert, w->root_signer, e);
	if (!r && signature.len > sizeof(record->signature))
		r = err_set(e, EFBIG, "the root's signature has %zu bytes, more than a record holds", signature.len);
	if (r)
		return r;
	memcpy(record->root_hash, w->root_hash, HASH_SHA256_BYTES);
	memcpy(record->fingerprint, w->root_signer, HASH_SHA256_BYTES);
	memcpy(record->signature, signature.data, signature.len);
	record->signature_bytes = signature.len;
	r = verity_sigrecord_encode(record, VERITY_SIGRECORD_PARTITION_BYTES, &record_bytes, e);
	r = r ? r : folder_join(w->work, "root.sig", path, e);
	r = r ? r : file_write(path, record_bytes.data, record_bytes.len, 0644, e);
	if (!r)
		progress_say(w->plan->p->say, "root hash %s, signed with db", hex);
	return r;
}

static int copy_overlays(const struct plan_params *p, const char *folder, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < p->n_overlays; i++) {
		char from[PATH_MAX];
		const char *const argv[] = { "cp", "-R", "--remove-destination", "--", from, folder, NULL };
		const struct proc_params proc = { .argv = argv, .quiet = 1 };

		r = folder_join(p->overlay[i], ".", from, e);
		r = r ? r : proc_run(&proc, e);
	}
	return r;
}

int write_root(struct write *w, struct err *e)
{
	const struct plan *plan = w->plan;
	char folder[PATH_MAX], image[PATH_MAX], hash[PATH_MAX];
	struct erofs_params erofs = { .mkfs = &plan->mkfs, .folder = folder, .image = image, .epoch = plan->epoch };
	struct stat st;
	int r = folder_join(w->work, "root", folder, e);

	erofs.compression = plan->p->compression ? plan->p->compression : PLAN_COMPRESSION;
	if (!strcmp(erofs.compression, "none"))
		erofs.compression = NULL;
	r = r ? r : folder_join(w->work, "root.erofs", image, e);
	r = r ? r : folder_join(w->work, "root.verity", hash, e);
	r = r ? r : fileset_bytes(&plan->root, &w->sizes.root_raw, e);
	r = r ? r : file_mkdirs(folder, e);
	if (r)
		return r;
	progress_say(plan->p->say, "root: %zu files and folders, %.1f MB; EROFS, %s", plan->root.n,
		     (double)w->sizes.root_raw / 1e6, erofs.compression ? erofs.compression : "uncompressed");
	r = fileset_to_folder(&w->plan->root, folder, e);
	r = r ? r : copy_overlays(plan->p, folder, e);
	r = r ? r : erofs_make(&erofs, &w->sizes.root, e);
	r = r ? r : folder_remove(folder, e);
	r = r ? r : erofs_hash(image, hash, w->root_hash, e);
	if (!r && stat(hash, &st) < 0)
		r = err_errno(e, "cannot look at %s", hash);
	if (r)
		return r;
	w->sizes.verity = (uint64_t)st.st_size;
	progress_say(plan->p->say, "root: %.1f MB, hash tree %.1f MB", (double)w->sizes.root / 1e6,
		     (double)w->sizes.verity / 1e6);
	return sign_root(w, e);
}

/* packages.list as it is in the tree, and the SBOM made of it; both only if fetch.c made the tree. */
static int write_sbom(struct write *w, struct err *e)
{
	struct spdx_image image = { .name = w->plan->p->name,
				    .version = w->plan->p->version,
				    .arch = w->plan->board.arch,
				    .created = w->plan->epoch };
	cleanup_buf struct buf text = BUF_INIT, doc = BUF_INIT;
	char path[PATH_MAX];
	int r = folder_join(w->plan->p->tree, FETCH_LIST, path, e);

	if (r || access(path, F_OK) < 0)
		return r;
	memcpy(image.root_hash, w->root_hash, HASH_SHA256_BYTES);
	r = file_read(path, MAX_PACKAGES_BYTES, &text, e);
	r = r ? r : spdx_packages_parse(&text, path, &w->packages, e);
	r = r ? r : spdx_write(&image, &w->packages, &doc, e);
	r = r ? r : folder_join(w->out, "sbom.spdx.json", path, e);
	r = r ? r : file_write(path, doc.data, doc.len, 0644, e);
	if (r)
		return r;
	hash_sha256(doc.data, doc.len, w->sbom);
	progress_say(w->plan->p->say, "sbom.spdx.json: %zu packages", w->packages.n);
	return 0;
}

/* What the tree was made of, if fetch.c made it. */
static int copy_packages(const struct write *w, struct err *e)
{
	char from[PATH_MAX], to[PATH_MAX];
	int r = folder_join(w->plan->p->tree, FETCH_LIST, from, e);

	r = r ? r : folder_join(w->out, "packages.list", to, e);
	if (r || access(from, F_OK) < 0)
		return r;
	return folder_copy_file(from, to, 0644, e);
}

static int write_all(struct write *w, struct err *e)
{
	int r = folder_join(w->out, ".work", w->work, e);

	r = r ? r : folder_join(w->work, "layers", w->layers, e);
	r = r ? r : file_mkdirs(w->layers, e);
	r = r ? r : write_policy(w, e);
	r = r ? r : write_root(w, e);
	r = r ? r : write_uki(w, e);
	r = r ? r : write_disk(w, e);
	r = r ? r : write_sbom(w, e);
	r = r ? r : write_refvalues(w, e);
	r = r ? r : copy_packages(w, e);
	return r ? r : folder_remove(w->work, e);
}

int write_run(struct plan *plan, struct write_sizes *ret, struct err *e)
{
	struct write w = { .plan = plan };
	int r = folder_begin(plan->p->out, w.out, e);

	if (r)
		return r;
	r = write_all(&w, e);
	policy_free(w.policy);
	spdx_packages_free(&w.packages);
	buf_free(&w.uki);
	buf_free(&w.loader);
	r = folder_finish(plan->p->out, w.out, r, e);
	if (!r)
		*ret = w.sizes;
	return r;
}
