/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/oci_layout.c - strict reader of an OCI image layout folder: index, manifest, configuration */
#include "policy/oci_layout.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"
#include "policy/oci_blob.h"

#include <limits.h>
#include <string.h>

#define MEDIA_INDEX    "application/vnd.oci.image.index.v1+json"
#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_CONFIG   "application/vnd.oci.image.config.v1+json"
#define MEDIA_LAYER    "application/vnd.oci.image.layer.v1.tar"
#define REF_NAME       "org.opencontainers.image.ref.name"

#define MAX_MEDIA_BYTES 256
#define MAX_TEXT_BYTES  4096
#define MAX_STRINGS     256
#define MAX_MANIFESTS   1024
#define MAX_INDEX_DEPTH 2 /* index.json, and one multi-platform index below it */

static void free_strings(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
}

void policy_oci_free(struct policy_oci_image *i)
{
	if (!i)
		return;
	free(i->folder);
	free(i->layer);
	free_strings(i->entrypoint);
	free_strings(i->cmd);
	free_strings(i->env);
	free(i->cwd);
	free(i->user);
	free(i);
}

const char *policy_oci_arch(const char *arch)
{
	static const char *const names[][2] = {
		{"x86_64", "amd64"},
		{"amd64", "amd64"},
		{"arm64", "arm64"},
		{"aarch64", "arm64"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i][0], arch))
			return names[i][1];
	return NULL;
}

/* --- descriptors ---------------------------------------------------------------------------------------------- */

/* struct descriptor - OCI descriptor.md; @media is borrowed from the tree */
struct descriptor {
	const char *media;
	uint8_t digest[HASH_SHA256_BYTES];
	uint64_t bytes;
};

static int get_digest(json_object *o, const char *where, const char *key, uint8_t ret[static HASH_SHA256_BYTES],
		      struct err *e)
{
	const char *s = NULL;
	int r = json_get_str(o, where, key, 7 + 2 * HASH_SHA256_BYTES, &s, e);

	if (r)
		return r;
	if (strncmp(s, "sha256:", 7) || !hex_decode(s + 7, ret, HASH_SHA256_BYTES))
		return err_set(e, EINVAL, "%s: field \"%s\" is not \"sha256:\" and 64 lower-case hex digits", where,
			       key);
	return 0;
}

static int get_descriptor(json_object *o, const char *where, uint64_t max_bytes, struct descriptor *ret, struct err *e)
{
	int r = json_get_str(o, where, "mediaType", MAX_MEDIA_BYTES, &ret->media, e);

	r = r ? r : get_digest(o, where, "digest", ret->digest, e);
	return r ? r : json_get_u64(o, where, "size", max_bytes, &ret->bytes, e);
}

/* A blob that is a JSON document, checked against its descriptor. @ret_where is what messages call it. */
static int read_json_blob(const char *folder, const struct descriptor *d, const char *what, char ret_where[static 64],
			  json_object **ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char hex[2 * HASH_SHA256_BYTES + 1];
	int r = policy_oci_blob_read(folder, d->digest, d->bytes, &b, e);

	hex_encode(d->digest, HASH_SHA256_BYTES, hex);
	(void)snprintf(ret_where, 64, "%s %.12s", what, hex); /* short on purpose */
	return r ? r : json_parse(b.data, b.len, ret_where, ret, e);
}

/* --- which manifest ------------------------------------------------------------------------------------------- */

/* struct choice - what is looked for in an index, and what was found so far */
struct choice {
	const char *tag;
	const char *arch;
	struct descriptor found;
	unsigned n_found;
};

static int check_schema(json_object *o, const char *where, const char *media, struct err *e)
{
	json_object *m = NULL;
	uint64_t version = 0;
	int r = json_get_u64(o, where, "schemaVersion", 2, &version, e);

	if (!r && version != 2)
		return err_set(e, EINVAL, "%s: schemaVersion is %llu, wanted 2", where, (unsigned long long)version);
	r = r ? r : json_get_opt(o, where, "mediaType", json_type_string, &m, e);
	if (!r && m && strcmp(json_object_get_string(m), media))
		return err_set(e, EINVAL, "%s: mediaType is \"%.80s\", wanted %s", where, json_object_get_string(m),
			       media);
	return r;
}

static int has_tag(json_object *entry, const char *where, const char *tag, bool *ret, struct err *e)
{
	json_object *notes = NULL, *ref = NULL;
	int r = json_get_opt(entry, where, "annotations", json_type_object, &notes, e);

	*ret = !tag;
	if (r || !tag || !notes)
		return r;
	r = json_get_opt(notes, where, REF_NAME, json_type_string, &ref, e);
	*ret = !r && ref && json_str(ref) && !strcmp(json_str(ref), tag);
	return r;
}

/* An entry without a platform fits: the configuration is asked later. Attestation entries say "unknown". */
static int has_arch(json_object *entry, const char *where, const char *arch, bool *ret, struct err *e)
{
	json_object *platform = NULL;
	const char *a = NULL, *os = NULL;
	int r = json_get_opt(entry, where, "platform", json_type_object, &platform, e);

	*ret = !platform;
	if (r || !platform)
		return r;
	r = json_get_str(platform, where, "architecture", MAX_MEDIA_BYTES, &a, e);
	r = r ? r : json_get_str(platform, where, "os", MAX_MEDIA_BYTES, &os, e);
	*ret = !r && !strcmp(a, arch) && !strcmp(os, "linux");
	return r;
}

static int choose(json_object *index, const char *where, struct choice *c, struct err *e)
{
	json_object *list = NULL;
	size_t n;
	int r = check_schema(index, where, MEDIA_INDEX, e);

	r = r ? r : json_get(index, where, "manifests", json_type_array, &list, e);
	if (r)
		return r;
	n = json_object_array_length(list);
	if (n > MAX_MANIFESTS)
		return err_set(e, EINVAL, "%s: names %zu manifests, wanted at most %d", where, n, MAX_MANIFESTS);
	for (size_t i = 0; i < n; i++) {
		json_object *entry = json_object_array_get_idx(list, i);
		struct descriptor d = {0};
		bool tag = false, arch = false;
		char at[96];

		(void)snprintf(at, sizeof(at), "%.60s: manifests[%zu]", where, i);
		r = get_descriptor(entry, at, POLICY_OCI_MAX_JSON_BYTES, &d, e);
		r = r ? r : has_tag(entry, at, c->tag, &tag, e);
		r = r ? r : has_arch(entry, at, c->arch, &arch, e);
		if (r)
			return r;
		if (!tag || !arch || (strcmp(d.media, MEDIA_MANIFEST) && strcmp(d.media, MEDIA_INDEX)))
			continue;
		if (c->n_found && memcmp(d.digest, c->found.digest, HASH_SHA256_BYTES))
			return err_set(e, EINVAL, "%s: more than one image fits%s%s", where,
				       c->tag ? " tag " : "; name one by its tag", c->tag ? c->tag : "");
		c->found = d;
		c->n_found = 1;
	}
	return 0;
}

/* From index.json down to one manifest; @ret_where and *@ret are that manifest's. */
static int find_manifest(const char *folder, struct choice *c, char ret_where[static 64], json_object **ret,
			 struct err *e)
{
	cleanup_json json_object *doc = NULL;
	cleanup_buf struct buf b = BUF_INIT;
	char path[PATH_MAX];
	int r = policy_oci_path(folder, "index.json", path, e);

	r = r ? r : file_read(path, POLICY_OCI_MAX_JSON_BYTES, &b, e);
	r = r ? r : json_parse(b.data, b.len, "index.json", &doc, e);
	(void)snprintf(ret_where, 64, "index.json"); /* always fits */
	for (int depth = 0; !r && depth < MAX_INDEX_DEPTH; depth++) {
		struct descriptor d;
		bool leaf;

		c->n_found = 0;
		r = choose(doc, ret_where, c, e);
		if (r)
			return r;
		if (!c->n_found)
			return err_set(e, ENOENT, "%s: %s: no image for linux/%s%s%s", folder, ret_where, c->arch,
				       c->tag ? " with tag " : "", c->tag ? c->tag : "");
		d = c->found;
		leaf = !strcmp(d.media, MEDIA_MANIFEST);
		c->tag = NULL;         /* the tag was on the outer entry */
		c->found.media = NULL; /* borrowed from the tree that goes now */
		cleanup_json_fn(&doc);
		doc = NULL;
		r = read_json_blob(folder, &d, leaf ? "manifest" : "index", ret_where, &doc, e);
		if (!r && leaf) {
			*ret = take_ptr(doc);
			return 0;
		}
	}
	return r ? r : err_set(e, EINVAL, "%s: index within index within index", ret_where);
}

/* --- manifest ------------------------------------------------------------------------------------------------- */

static int get_packing(const char *media, const char *where, enum policy_oci_packing *ret, struct err *e)
{
	static const struct {
		const char *media;
		enum policy_oci_packing packing;
	} known[] = {
		{MEDIA_LAYER, POLICY_OCI_TAR},
		{MEDIA_LAYER "+gzip", POLICY_OCI_GZIP},
		{MEDIA_LAYER "+zstd", POLICY_OCI_ZSTD},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].media, media)) {
			*ret = known[i].packing;
			return 0;
		}
	return err_set(e, EINVAL, "%s: layer of media type \"%.80s\", wanted tar, tar+gzip or tar+zstd", where, media);
}

static int read_manifest(json_object *m, const char *where, struct policy_oci_image *i, struct descriptor *ret_config,
			 struct err *e)
{
	json_object *config = NULL, *layers = NULL;
	int r = check_schema(m, where, MEDIA_MANIFEST, e);

	r = r ? r : json_get(m, where, "config", json_type_object, &config, e);
	r = r ? r : get_descriptor(config, where, POLICY_OCI_MAX_JSON_BYTES, ret_config, e);
	if (!r && strcmp(ret_config->media, MEDIA_CONFIG))
		return err_set(e, EINVAL, "%s: configuration of media type \"%.80s\", wanted %s", where,
			       ret_config->media, MEDIA_CONFIG);
	r = r ? r : json_get(m, where, "layers", json_type_array, &layers, e);
	if (r)
		return r;
	i->n_layers = json_object_array_length(layers);
	if (i->n_layers == 0 || i->n_layers > POLICY_OCI_MAX_LAYERS)
		return err_set(e, EINVAL, "%s: has %zu layers, wanted 1 to %d", where, i->n_layers,
			       POLICY_OCI_MAX_LAYERS);
	i->layer = calloc(i->n_layers, sizeof(*i->layer));
	if (!i->layer)
		return err_set(e, ENOMEM, "no memory for layers");
	for (size_t k = 0; !r && k < i->n_layers; k++) {
		struct policy_oci_layer *l = &i->layer[k];
		struct descriptor d = {0};
		char at[96];

		(void)snprintf(at, sizeof(at), "%.60s: layers[%zu]", where, k);
		r = get_descriptor(json_object_array_get_idx(layers, k), at, POLICY_OCI_MAX_BLOB_BYTES, &d, e);
		r = r ? r : get_packing(d.media, at, &l->packing, e);
		memcpy(l->digest, d.digest, HASH_SHA256_BYTES);
		l->bytes = d.bytes;
	}
	return r;
}

/* --- configuration -------------------------------------------------------------------------------------------- */

/* A list of strings that may be absent or null (Go writes both). Always an owned list in the end. */
static int get_strings(json_object *o, const char *where, const char *key, char ***ret, struct err *e)
{
	json_object *a = NULL;
	size_t n;

	if (o && json_object_object_get_ex(o, key, &a) && a && !json_object_is_type(a, json_type_array))
		return err_set(e, EINVAL, "%s: field \"%s\" is no list", where, key);
	n = a ? json_object_array_length(a) : 0;
	if (n > MAX_STRINGS)
		return err_set(e, EINVAL, "%s: field \"%s\" has %zu strings, wanted at most %d", where, key, n,
			       MAX_STRINGS);
	*ret = calloc(n + 1, sizeof(**ret));
	for (size_t i = 0; *ret && i < n; i++) {
		const char *s = json_str(json_object_array_get_idx(a, i));

		if (!s)
			return err_set(e, EINVAL, "%s: field \"%s\" holds something that is no string", where, key);
		(*ret)[i] = strdup(s);
		if (!(*ret)[i])
			return err_set(e, ENOMEM, "no memory for %s", key);
	}
	return *ret ? 0 : err_set(e, ENOMEM, "no memory for %s", key);
}

static int get_text(json_object *o, const char *where, const char *key, char **ret, struct err *e)
{
	json_object *v = NULL;
	const char *s = "";

	if (o && json_object_object_get_ex(o, key, &v) && v)
		s = json_str(v);
	if (!s || strlen(s) > MAX_TEXT_BYTES)
		return err_set(e, EINVAL, "%s: field \"%s\" is no string of at most %d bytes", where, key,
			       MAX_TEXT_BYTES);
	*ret = strdup(s);
	return *ret ? 0 : err_set(e, ENOMEM, "no memory for %s", key);
}

static int get_diff_ids(json_object *c, const char *where, struct policy_oci_image *i, struct err *e)
{
	json_object *rootfs = NULL, *ids = NULL;
	const char *type = NULL;
	int r = json_get(c, where, "rootfs", json_type_object, &rootfs, e);

	r = r ? r : json_get_str(rootfs, where, "type", MAX_MEDIA_BYTES, &type, e);
	if (!r && strcmp(type, "layers"))
		return err_set(e, EINVAL, "%s: rootfs.type is \"%.40s\", wanted \"layers\"", where, type);
	r = r ? r : json_get(rootfs, where, "diff_ids", json_type_array, &ids, e);
	if (r)
		return r;
	if (json_object_array_length(ids) != i->n_layers)
		return err_set(e, EINVAL, "%s: has %zu diff_ids, the manifest has %zu layers", where,
			       json_object_array_length(ids), i->n_layers);
	for (size_t k = 0; k < i->n_layers; k++) {
		const char *s = json_str(json_object_array_get_idx(ids, k));

		if (!s || strncmp(s, "sha256:", 7) || !hex_decode(s + 7, i->layer[k].diff_id, HASH_SHA256_BYTES))
			return err_set(e, EINVAL, "%s: diff_ids[%zu] is not \"sha256:\" and 64 lower-case hex digits",
				       where, k);
	}
	return 0;
}

static int read_config(json_object *c, const char *where, const char *arch, struct policy_oci_image *i, struct err *e)
{
	const char *a = NULL, *os = NULL;
	json_object *run = NULL;
	int r = json_get_str(c, where, "architecture", MAX_MEDIA_BYTES, &a, e);

	r = r ? r : json_get_str(c, where, "os", MAX_MEDIA_BYTES, &os, e);
	if (!r && (strcmp(a, arch) || strcmp(os, "linux")))
		return err_set(e, EINVAL, "%s: is for %.40s/%.40s, wanted linux/%s", where, os, a, arch);
	r = r ? r : get_diff_ids(c, where, i, e);
	r = r ? r : json_get_opt(c, where, "config", json_type_object, &run, e);
	r = r ? r : get_strings(run, where, "Entrypoint", &i->entrypoint, e);
	r = r ? r : get_strings(run, where, "Cmd", &i->cmd, e);
	r = r ? r : get_strings(run, where, "Env", &i->env, e);
	r = r ? r : get_text(run, where, "WorkingDir", &i->cwd, e);
	return r ? r : get_text(run, where, "User", &i->user, e);
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static int check_marker(const char *folder, struct err *e)
{
	cleanup_json json_object *doc = NULL;
	cleanup_buf struct buf b = BUF_INIT;
	const char *version = NULL;
	char path[PATH_MAX];
	int r = policy_oci_path(folder, "oci-layout", path, e);

	r = r ? r : file_read(path, MAX_TEXT_BYTES, &b, e);
	r = r ? r : json_parse(b.data, b.len, "oci-layout", &doc, e);
	r = r ? r : json_get_str(doc, "oci-layout", "imageLayoutVersion", MAX_MEDIA_BYTES, &version, e);
	if (!r && strcmp(version, "1.0.0"))
		r = err_set(e, EINVAL, "oci-layout: imageLayoutVersion is \"%.40s\", wanted \"1.0.0\"", version);
	return r;
}

/* The manifest, and the configuration that it names. */
static int read_parts(const char *folder, const char *arch, json_object *manifest, const char *where,
		      struct policy_oci_image *i, struct err *e)
{
	cleanup_json json_object *config = NULL;
	struct descriptor d = {0};
	char config_where[64];
	int r = read_manifest(manifest, where, i, &d, e);

	if (r)
		return r;
	memcpy(i->config, d.digest, HASH_SHA256_BYTES);
	r = read_json_blob(folder, &d, "configuration", config_where, &config, e);
	return r ? r : read_config(config, config_where, arch, i, e);
}

static int load(const char *folder, struct choice *c, struct policy_oci_image *i, struct err *e)
{
	cleanup_json json_object *manifest = NULL;
	char where[64];
	int r = check_marker(folder, e);

	r = r ? r : find_manifest(folder, c, where, &manifest, e);
	if (r)
		return r;
	memcpy(i->manifest, c->found.digest, HASH_SHA256_BYTES);
	return read_parts(folder, c->arch, manifest, where, i, e);
}

static int load_manifest(const char *folder, const char *arch, struct policy_oci_image *i, struct err *e)
{
	cleanup_json json_object *manifest = NULL;
	struct descriptor d = {0};
	char where[64];
	int r;

	memcpy(d.digest, i->manifest, HASH_SHA256_BYTES);
	r = policy_oci_blob_size(folder, d.digest, &d.bytes, e);
	if (!r && d.bytes > POLICY_OCI_MAX_JSON_BYTES)
		return err_set(e, EINVAL, "the manifest has %llu bytes, wanted at most %d", (unsigned long long)d.bytes,
			       POLICY_OCI_MAX_JSON_BYTES);
	r = r ? r : read_json_blob(folder, &d, "manifest", where, &manifest, e);
	return r ? r : read_parts(folder, arch, manifest, where, i, e);
}

static struct policy_oci_image *image_new(const char *folder)
{
	cleanup_policy_oci struct policy_oci_image *i = calloc(1, sizeof(*i));

	if (i)
		i->folder = strdup(folder);
	return i && i->folder ? take_ptr(i) : NULL;
}

int policy_oci_load(const char *folder, const char *tag, const char *arch, struct policy_oci_image **ret, struct err *e)
{
	cleanup_policy_oci struct policy_oci_image *i = image_new(folder);
	struct choice c = {.tag = tag, .arch = arch};
	int r;

	if (!i)
		return err_set(e, ENOMEM, "no memory for an image");
	r = load(folder, &c, i, e);
	if (r)
		return r == -ENOENT ? r : err_context(e, "%s", folder);
	*ret = take_ptr(i);
	return 0;
}

int policy_oci_load_manifest(const char *folder, const uint8_t manifest[static HASH_SHA256_BYTES], const char *arch,
			     struct policy_oci_image **ret, struct err *e)
{
	cleanup_policy_oci struct policy_oci_image *i = image_new(folder);
	int r;

	if (!i)
		return err_set(e, ENOMEM, "no memory for an image");
	memcpy(i->manifest, manifest, HASH_SHA256_BYTES);
	r = load_manifest(folder, arch, i, e);
	if (!r)
		*ret = take_ptr(i);
	return r;
}
