/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/oci_make.c - folders to a container image in OCI layout */
#include "image-builder/oci_make.h"

#include "common/file.h"
#include "common/hash.h"
#include "common/hex.h"
#include "common/json.h"
#include "image-builder/folder.h"
#include "image-builder/tar_write.h"
#include "policy/oci_layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LAYOUT_TEXT   "{\"imageLayoutVersion\":\"1.0.0\"}\n"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar"
#define INDEX_TYPE    "application/vnd.oci.image.index.v1+json"
#define REF_NAME      "org.opencontainers.image.ref.name"
#define MAX_LAYERS    16

/* struct blob - one stored thing: what a descriptor says of it */
struct blob {
	char digest[sizeof("sha256:") + 2 * HASH_SHA256_BYTES];
	uint64_t bytes;
};

static void add_text(json_object *o, const char *key, const char *value)
{
	(void)json_object_object_add(o, key,
				     json_object_new_string(value)); /* out of memory shows as a missing member */
}

static json_object *descriptor(const char *type, const struct blob *b)
{
	json_object *o = json_object_new_object();

	add_text(o, "mediaType", type);
	add_text(o, "digest", b->digest);
	(void)json_object_object_add(o, "size", json_object_new_int64((int64_t)b->bytes)); /* as above */
	return o;
}

static json_object *text_array(const char *const *v, size_t n)
{
	json_object *a = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		(void)json_object_array_add(a, json_object_new_string(v[i])); /* as above */
	return a;
}

static void set_digest(struct blob *b, const uint8_t digest[static HASH_SHA256_BYTES])
{
	memcpy(b->digest, "sha256:", 7);
	hex_encode(digest, HASH_SHA256_BYTES, b->digest + 7);
}

static int blob_path(const char *folder, const struct blob *b, char ret[static PATH_MAX], struct err *e)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", b->digest + 7); /* 13 + 64 */
	return folder_join(folder, name, ret, e);
}

static int put_json(const char *folder, json_object *o, struct blob *ret, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	uint8_t digest[HASH_SHA256_BYTES];
	char path[PATH_MAX];
	int r = json_write(&text, o, e);

	if (r)
		return r;
	hash_sha256(text.data, text.len, digest);
	set_digest(ret, digest);
	ret->bytes = text.len;
	r = blob_path(folder, ret, path, e);
	return r ? r : file_write(path, text.data, text.len, 0644, e);
}

static int put_layer(const char *folder, const char *tree, uint64_t epoch, struct blob *ret, struct err *e)
{
	char tmp[PATH_MAX], path[PATH_MAX];
	uint8_t digest[HASH_SHA256_BYTES];
	struct stat st;
	int fd, r = folder_join(folder, "blobs/sha256/layer.tmp", tmp, e);

	if (r)
		return r;
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(e, "cannot create %s", tmp);
	r = tar_write_folder(fd, tmp, tree, epoch, e);
	if (!r && fstat(fd, &st) < 0)
		r = err_errno(e, "cannot look at %s", tmp);
	if (close(fd) < 0 && !r)
		r = err_errno(e, "cannot close %s", tmp);
	r = r ? r : hash_sha256_file(tmp, digest, e);
	if (r)
		return r;
	set_digest(ret, digest);
	ret->bytes = (uint64_t)st.st_size;
	r = blob_path(folder, ret, path, e);
	return !r && rename(tmp, path) < 0 ? err_errno(e, "cannot rename %s", tmp) : r;
}

static json_object *make_config(const struct oci_make_params *p, const struct blob *layer)
{
	json_object *o = json_object_new_object(), *run = json_object_new_object(), *fs = json_object_new_object();
	json_object *ids = json_object_new_array();
	char created[32];
	time_t t = (time_t)p->epoch;
	struct tm tm;

	(void)strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ",
		       gmtime_r(&t, &tm)); /* fits up to the year 9999 */
	add_text(o, "created", created);
	add_text(o, "architecture", p->arch);
	add_text(o, "os", "linux");
	if (p->user)
		add_text(run, "User", p->user);
	(void)json_object_object_add(run, "Env", text_array(p->env, p->n_env));                      /* as above */
	(void)json_object_object_add(run, "Entrypoint", text_array(p->entrypoint, p->n_entrypoint)); /* as above */
	if (p->cwd)
		add_text(run, "WorkingDir", p->cwd);
	(void)json_object_object_add(o, "config", run); /* as above */
	for (size_t i = 0; i < p->n_trees; i++)
		(void)json_object_array_add(
			ids, json_object_new_string(layer[i].digest)); /* uncompressed: diffID = digest */
	add_text(fs, "type", "layers");
	(void)json_object_object_add(fs, "diff_ids", ids); /* as above */
	(void)json_object_object_add(o, "rootfs", fs);     /* as above */
	return o;
}

static json_object *make_manifest(const struct blob *config, const struct blob *layer, size_t n)
{
	json_object *o = json_object_new_object(), *layers = json_object_new_array();

	(void)json_object_object_add(o, "schemaVersion", json_object_new_int(2)); /* as above */
	add_text(o, "mediaType", MANIFEST_TYPE);
	(void)json_object_object_add(o, "config", descriptor(CONFIG_TYPE, config)); /* as above */
	for (size_t i = 0; i < n; i++)
		(void)json_object_array_add(layers, descriptor(LAYER_TYPE, &layer[i])); /* as above */
	(void)json_object_object_add(o, "layers", layers);                              /* as above */
	return o;
}

static json_object *make_index(const struct oci_make_params *p, const struct blob *manifest)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array(),
		    *d = descriptor(MANIFEST_TYPE, manifest);
	json_object *platform = json_object_new_object(), *notes = json_object_new_object();

	add_text(platform, "architecture", p->arch);
	add_text(platform, "os", "linux");
	add_text(notes, REF_NAME, p->tag);
	(void)json_object_object_add(d, "platform", platform);                    /* as above */
	(void)json_object_object_add(d, "annotations", notes);                    /* as above */
	(void)json_object_array_add(list, d);                                     /* as above */
	(void)json_object_object_add(o, "schemaVersion", json_object_new_int(2)); /* as above */
	add_text(o, "mediaType", INDEX_TYPE);
	(void)json_object_object_add(o, "manifests", list); /* as above */
	return o;
}

static int put_file(const char *folder, const char *name, json_object *o, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	char path[PATH_MAX];
	int r = json_write(&text, o, e);

	r = r ? r : folder_join(folder, name, path, e);
	return r ? r : file_write(path, text.data, text.len, 0644, e);
}

static int fill(const struct oci_make_params *p, const char *folder, struct err *e)
{
	struct blob layer[MAX_LAYERS], config, manifest;
	cleanup_json json_object *c = NULL, *m = NULL, *index = NULL;
	char path[PATH_MAX];
	int r = folder_join(folder, "blobs/sha256", path, e);

	r = r ? r : file_mkdirs(path, e);
	for (size_t i = 0; !r && i < p->n_trees; i++)
		r = put_layer(folder, p->tree[i], p->epoch, &layer[i], e);
	if (r)
		return r;
	c = make_config(p, layer);
	r = put_json(folder, c, &config, e);
	if (r)
		return r;
	m = make_manifest(&config, layer, p->n_trees);
	r = put_json(folder, m, &manifest, e);
	if (r)
		return r;
	index = make_index(p, &manifest);
	r = put_file(folder, "index.json", index, e);
	r = r ? r : folder_join(folder, "oci-layout", path, e);
	return r ? r : file_write(path, LAYOUT_TEXT, strlen(LAYOUT_TEXT), 0644, e);
}

int oci_make(const struct oci_make_params *p, struct err *e)
{
	char tmp[PATH_MAX];
	int r = folder_may_replace(p->out, "oci-layout", e);

	if (!r && (!p->n_trees || p->n_trees > MAX_LAYERS))
		r = err_set(e, EINVAL, "an image has 1 to %d layers, not %zu", MAX_LAYERS, p->n_trees);
	if (!r && strcmp(p->arch, "amd64") && strcmp(p->arch, "arm64"))
		r = err_set(e, EINVAL, "architecture \"%.20s\" is unknown, wanted amd64 or arm64", p->arch);
	for (size_t i = 0; !r && i < p->n_trees; i++)
		r = folder_need(p->tree[i], e);
	r = r ? r : folder_begin(p->out, tmp, e);
	return r ? r : folder_finish(p->out, tmp, fill(p, tmp, e), e);
}

/* Copy the blob of @digest from one layout to another. */
static int copy_blob(const char *from, const char *to, const uint8_t digest[static HASH_SHA256_BYTES], struct blob *ret,
		     struct err *e)
{
	char source[PATH_MAX], target[PATH_MAX];
	struct stat st;
	int r;

	set_digest(ret, digest);
	r = blob_path(from, ret, source, e);
	r = r ? r : blob_path(to, ret, target, e);
	if (r)
		return r;
	if (access(target, F_OK) == 0)
		return 0; /* a layer that stands twice in its image */
	r = folder_copy_file(source, target, 0644, e);
	if (!r && stat(target, &st) < 0)
		r = err_errno(e, "cannot look at %s", target);
	if (!r)
		ret->bytes = (uint64_t)st.st_size;
	return r;
}

static int put_archive_index(const struct oci_archive_params *p, const char *folder, const struct blob *manifest,
			     struct err *e)
{
	cleanup_json json_object *o = json_object_new_object();
	json_object *list = json_object_new_array(), *d = descriptor(MANIFEST_TYPE, manifest),
		    *notes = json_object_new_object();

	add_text(notes, "io.containerd.image.name", p->name);
	add_text(notes, REF_NAME, p->name);
	(void)json_object_object_add(d, "annotations", notes);                    /* as above */
	(void)json_object_array_add(list, d);                                     /* as above */
	(void)json_object_object_add(o, "schemaVersion", json_object_new_int(2)); /* as above */
	(void)json_object_object_add(o, "manifests", list);                       /* as above */
	return put_file(folder, "index.json", o, e);
}

static int fill_archive(const struct oci_archive_params *p, const struct policy_oci_image *image, const char *folder,
			struct err *e)
{
	struct blob manifest, other;
	char path[PATH_MAX];
	int r = folder_join(folder, "blobs/sha256", path, e);

	r = r ? r : file_mkdirs(path, e);
	r = r ? r : copy_blob(p->layout, folder, image->config, &other, e);
	for (size_t i = 0; !r && i < image->n_layers; i++)
		r = copy_blob(p->layout, folder, image->layer[i].digest, &other, e);
	r = r ? r : copy_blob(p->layout, folder, image->manifest, &manifest, e);
	r = r ? r : put_archive_index(p, folder, &manifest, e);
	r = r ? r : folder_join(folder, "oci-layout", path, e);
	return r ? r : file_write(path, LAYOUT_TEXT, strlen(LAYOUT_TEXT), 0644, e);
}

static int pack(const char *folder, const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), r;

	if (fd < 0)
		return err_errno(e, "cannot create %s", path);
	r = tar_write_folder(fd, path, folder, 0, e);
	if (close(fd) < 0 && !r)
		r = err_errno(e, "cannot close %s", path);
	return r;
}

int oci_archive(const struct oci_archive_params *p, struct err *e)
{
	cleanup_policy_oci struct policy_oci_image *image = NULL;
	char folder[PATH_MAX];
	int r = policy_oci_load(p->layout, p->tag, p->arch, &image, e);

	if (!r && snprintf(folder, sizeof(folder), "%s.d", p->path) >= (int)sizeof(folder))
		r = err_set(e, ENAMETOOLONG, "path is too long: %.100s", p->path);
	if (r)
		return r;
	r = file_mkdirs(folder, e);
	r = r ? r : fill_archive(p, image, folder, e);
	r = r ? r : pack(folder, p->path, e);
	if (!r)
		return folder_remove(folder, e);
	folder_discard(folder);
	return r;
}
