/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/oci_archive.c - an image in one tar file: an OCI layout, or what `docker save` writes */
#include "policy/oci_archive.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/hex.h"
#include "common/json.h"
#include "policy/oci_layout.h"
#include "policy/tar_read.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_MEMBERS   65536
#define MAX_TAR_BYTES ((uint64_t)64 << 30)
#define COPY_BYTES    (1 << 18)

/* struct member - by id, from 1; @link: of a symbolic one; @target: of a hard one */
struct member {
	char *path;
	char *link;
	uint32_t target;
	uint64_t at, size;
	bool file;
};

/* struct archive - an open one and where its members are */
struct archive {
	int fd;
	const char *name;
	struct member *m;
	uint32_t n;
	const char *folder; /* of the layout */
};

static void archive_free(struct archive *a)
{
	for (uint32_t i = 1; a->m && i <= a->n; i++) {
		free(a->m[i].path);
		free(a->m[i].link);
	}
	free(a->m);
	if (a->fd >= 0)
		(void)close(a->fd); /* only read from */
}

static int on_member(void *arg, const struct policy_tar_member *m, uint32_t *ret_id, struct err *e)
{
	struct archive *a = arg;
	struct member *to;

	if (m->id || m->type == POLICY_TAR_OPAQUE)
		return 0;
	if (a->n + 1 >= MAX_MEMBERS)
		return err_set(e, E2BIG, "more than %d members", MAX_MEMBERS);
	to = &a->m[++a->n];
	*ret_id = a->n;
	*to = (struct member){.target = m->target, .at = m->at, .size = m->size, .file = m->type == POLICY_TAR_FILE};
	if (m->parent > 1 ? asprintf(&to->path, "%s/%s", a->m[m->parent].path, m->name) < 0 : !(to->path = strdup(m->name)))
		to->path = NULL;
	if (m->type == POLICY_TAR_SYMLINK)
		to->link = strdup(m->link);
	return to->path ? 0 : err_set(e, ENOMEM, "no memory for an archive's members");
}

/* Read the whole archive once: its form is checked, and where things are is known. */
static int walk(struct archive *a, struct err *e)
{
	const struct policy_tar_params p = {
		.name = a->name, .max_bytes = MAX_TAR_BYTES, .sink = {.member = on_member, .arg = a}};
	cleanup_policy_tar struct policy_tar *t = NULL;
	cleanup_free uint8_t *block = malloc(COPY_BYTES);
	ssize_t n;
	int r = block ? policy_tar_begin(&p, &t, e) : err_set(e, ENOMEM, "no memory to read %s", a->name);

	while (!r && (n = read(a->fd, block, COPY_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? err_errno(e, "cannot read %s", a->name) : policy_tar_push(t, block, (size_t)n, e);
	}
	return r ? r : policy_tar_end(t, NULL, e);
}

/* The file of that path, through at most one link: docker writes a layer that it wrote already as "../<id>/layer.tar". */
static const struct member *find(const struct archive *a, const char *path)
{
	for (uint32_t i = 1; i <= a->n; i++) {
		const struct member *m = &a->m[i];
		const char *slash = strrchr(m->path, '/'), *to = m->link;

		if (strcmp(m->path, path) != 0)
			continue;
		if (m->target)
			m = &a->m[m->target];
		if (to && slash && !strncmp(to, "../", 3) && !memchr(m->path, '/', (size_t)(slash - m->path)))
			to += 3;
		if (!to)
			return m->file ? m : NULL;
		for (uint32_t k = 1; k <= a->n; k++)
			if (a->m[k].file && !strcmp(a->m[k].path, to))
				return &a->m[k];
		return NULL;
	}
	return NULL;
}

static int read_member(const struct archive *a, const char *path, struct buf *ret, struct err *e)
{
	const struct member *m = find(a, path);

	if (!m)
		return err_set(e, ENOENT, "%s: has no file \"%.100s\"", a->name, path);
	if (m->size > POLICY_OCI_MAX_JSON_BYTES)
		return err_set(e, EINVAL, "%s: \"%.100s\" has %llu bytes, wanted at most %d", a->name, path,
			       (unsigned long long)m->size, POLICY_OCI_MAX_JSON_BYTES);
	buf_zero(ret, (size_t)m->size);
	if (ret->bad)
		return err_set(e, ENOMEM, "no memory to read %s", a->name);
	if (m->size && pread(a->fd, ret->data, (size_t)m->size, (off_t)m->at) != (ssize_t)m->size)
		return err_set(e, EIO, "%s: \"%.100s\" cannot be read whole", a->name, path);
	return 0;
}

static int write_file(const struct archive *a, const char *name, const void *data, size_t n, struct err *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", a->folder, name) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", a->folder);
	return file_write(path, data, n, 0600, e);
}

static int copy_out(const struct archive *a, const struct member *m, const char *name, struct err *e)
{
	char path[PATH_MAX];
	cleanup_fd int to = -1;
	off_t at = (off_t)m->at;
	uint64_t left = m->size;

	if (snprintf(path, sizeof(path), "%s/%s", a->folder, name) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", a->folder);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return errno == EEXIST ? 0 : err_errno(e, "cannot create %s", path); /* a layer that stands twice */
	while (left) {
		ssize_t n = copy_file_range(a->fd, &at, to, NULL, left, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? err_errno(e, "cannot copy %s", name) : err_set(e, EIO, "%s was shortened", a->name);
		left -= (uint64_t)n;
	}
	return 0;
}

/* --- an OCI layout in a tar ----------------------------------------------------------------------------------- */

static int take_layout(const struct archive *a, struct err *e)
{
	int r = 0;

	for (uint32_t i = 1; !r && i <= a->n; i++) {
		const struct member *m = &a->m[i];
		bool blob = !strncmp(m->path, "blobs/sha256/", 13) && !strchr(m->path + 13, '/');

		if (m->file && (blob || !strcmp(m->path, "oci-layout") || !strcmp(m->path, "index.json")))
			r = copy_out(a, m, m->path, e);
	}
	return r;
}

/* --- the older form ------------------------------------------------------------------------------------------- */

static bool has_tag(json_object *entry, const char *tag)
{
	json_object *tags = NULL;

	if (!tag)
		return true;
	(void)json_object_object_get_ex(entry, "RepoTags", &tags); /* absent or null is none */
	for (size_t i = 0; json_object_is_type(tags, json_type_array) && i < json_object_array_length(tags); i++) {
		const char *s = json_str(json_object_array_get_idx(tags, i)), *colon = s ? strrchr(s, ':') : NULL;

		if (s && (!strcmp(s, tag) || (colon && !strcmp(colon + 1, tag))))
			return true;
	}
	return false;
}

static int choose(const struct archive *a, json_object *list, const char *tag, json_object **ret, struct err *e)
{
	*ret = NULL;
	if (!json_object_is_type(list, json_type_array))
		return err_set(e, EINVAL, "%s: manifest.json: wanted a list", a->name);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *entry = json_object_array_get_idx(list, i);

		if (!has_tag(entry, tag))
			continue;
		if (*ret)
			return err_set(e, EINVAL, "%s: more than one image fits; name one by its tag", a->name);
		*ret = entry;
	}
	return *ret ? 0 : err_set(e, ENOENT, "%s: no image%s%s", a->name, tag ? " with tag " : "", tag ? tag : "");
}

/* Layers under the digests of the configuration; the manifest's lines of them go to @manifest. */
static int take_layers(const struct archive *a, json_object *entry, json_object *config, struct buf *manifest, struct err *e)
{
	json_object *layers = NULL, *rootfs = NULL, *ids = NULL;
	int r = json_get(entry, "manifest.json", "Layers", json_type_array, &layers, e);

	r = r ? r : json_get(config, "configuration", "rootfs", json_type_object, &rootfs, e);
	r = r ? r : json_get(rootfs, "configuration", "diff_ids", json_type_array, &ids, e);
	if (!r && json_object_array_length(layers) != json_object_array_length(ids))
		r = err_set(e, EINVAL, "%s: manifest.json has %zu layers, the configuration %zu diff_ids", a->name,
			    json_object_array_length(layers), json_object_array_length(ids));
	for (size_t i = 0; !r && i < json_object_array_length(layers); i++) {
		const char *path = json_str(json_object_array_get_idx(layers, i)), *id = json_str(json_object_array_get_idx(ids, i));
		const struct member *m = path ? find(a, path) : NULL;
		uint8_t digest[HASH_SHA256_BYTES];
		char name[16 + 2 * HASH_SHA256_BYTES];

		if (!m)
			return err_set(e, EINVAL, "%s: has no file \"%.100s\", which manifest.json names", a->name, path ? path : "");
		if (!id || strncmp(id, "sha256:", 7) || !hex_decode(id + 7, digest, sizeof(digest)))
			return err_set(e, EINVAL, "%s: diff_ids[%zu] is not \"sha256:\" and 64 lower-case hex digits", a->name, i);
		(void)snprintf(name, sizeof(name), "blobs/sha256/%s", id + 7); /* was checked */
		buf_printf(manifest, "%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%llu}",
			   i ? "," : "", id, (unsigned long long)m->size);
		r = copy_out(a, m, name, e);
	}
	return r;
}

/* A small blob under its digest, which is told in hex. */
static int put_blob(const struct archive *a, const struct buf *b, char ret_hex[static 2 * HASH_SHA256_BYTES + 1], struct err *e)
{
	uint8_t digest[HASH_SHA256_BYTES];
	char name[16 + 2 * HASH_SHA256_BYTES];

	if (b->bad)
		return err_set(e, ENOMEM, "no memory for an image's manifest");
	hash_sha256(b->data, b->len, digest);
	hex_encode(digest, sizeof(digest), ret_hex);
	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", ret_hex); /* fits */
	return write_file(a, name, b->data, b->len, e);
}

static int take_docker(const struct archive *a, const char *tag, struct err *e)
{
	static const char marker[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_buf struct buf conf = BUF_INIT;
	cleanup_buf struct buf manifest = BUF_INIT;
	cleanup_buf struct buf index = BUF_INIT;
	cleanup_json json_object *list = NULL;
	cleanup_json json_object *config = NULL;
	json_object *entry = NULL;
	const char *path = NULL;
	char hex[2 * HASH_SHA256_BYTES + 1] = "";
	int r = read_member(a, "manifest.json", &text, e);

	r = r ? r : json_parse(text.data, text.len, "manifest.json", &list, e);
	r = r ? r : choose(a, list, tag, &entry, e);
	r = r ? r : json_get_str(entry, "manifest.json", "Config", PATH_MAX - 1, &path, e);
	r = r ? r : read_member(a, path, &conf, e);
	r = r ? r : json_parse(conf.data, conf.len, "configuration", &config, e);
	r = r ? r : put_blob(a, &conf, hex, e);
	if (r)
		return r;
	buf_printf(&manifest,
		   "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":"
		   "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu},\"layers\":[",
		   hex, conf.len);
	r = take_layers(a, entry, config, &manifest, e);
	buf_str(&manifest, "]}");
	r = r ? r : put_blob(a, &manifest, hex, e);
	buf_printf(&index,
		   "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":"
		   "\"sha256:%s\",\"size\":%zu}]}",
		   hex, manifest.len);
	r = r ? r : index.bad ? err_set(e, ENOMEM, "no memory for an index") : write_file(a, "index.json", index.data, index.len, e);
	return r ? r : write_file(a, "oci-layout", marker, sizeof(marker) - 1, e);
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static int unpack(struct archive *a, const char *tag, bool *ret_tagged, struct err *e)
{
	char blobs[PATH_MAX];
	int r;

	if (snprintf(blobs, sizeof(blobs), "%s/blobs/sha256", a->folder) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s", a->folder);
	a->m = calloc(MAX_MEMBERS, sizeof(*a->m));
	if (!a->m)
		return err_set(e, ENOMEM, "no memory to read %s", a->name);
	r = file_mkdirs(blobs, e);
	r = r ? r : walk(a, e);
	*ret_tagged = !r && find(a, "index.json") && find(a, "oci-layout");
	return r ? r : *ret_tagged ? take_layout(a, e) : take_docker(a, tag, e);
}

int policy_oci_archive_unpack(const char *path, const char *parent, const char *tag, char ret_folder[static PATH_MAX],
			      bool *ret_tagged, struct err *e)
{
	struct archive a = {.fd = -1, .name = path};
	char folder[PATH_MAX];
	int r;

	ret_folder[0] = '\0';
	a.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (a.fd < 0)
		return err_errno(e, "cannot open %s", path);
	if (snprintf(folder, sizeof(folder), "%s/.archive-XXXXXX", parent) >= PATH_MAX || !mkdtemp(folder))
		r = err_errno(e, "cannot make a folder in %s", parent);
	else {
		memcpy(ret_folder, folder, sizeof(folder));
		a.folder = folder;
		r = unpack(&a, tag, ret_tagged, e);
	}
	archive_free(&a);
	return r;
}

void policy_oci_archive_remove(const char *folder)
{
	static const char *const names[] = {"/oci-layout", "/index.json", "/blobs/sha256", "/blobs", ""};
	char path[PATH_MAX];
	DIR *d;

	if (!folder[0])
		return;
	(void)snprintf(path, sizeof(path), "%s/blobs/sha256", folder); /* as long as when it was made */
	d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));)
		if (strcmp(f->d_name, ".") && strcmp(f->d_name, ".."))
			(void)unlinkat(dirfd(d), f->d_name, 0); /* ours; what stays is seen by rmdir's failure */
	if (d)
		(void)closedir(d);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", folder, names[i]); /* likewise */
		(void)remove(path); /* the first error of the whole is the one to tell */
	}
}
