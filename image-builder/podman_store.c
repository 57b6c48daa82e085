/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/podman_store.c - an additional image store for podman */
#include "image-builder/podman_store.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"
#include "image-builder/folder.h"
#include "verity/layer.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#define HEX_BYTES  (2 * HASH_SHA256_BYTES + 1)
#define LINK_BYTES 26 /* of an overlay/l name: short, for mount(2)'s options are one page */
#define CREATED    "1970-01-01T00:00:00Z"
#define IMAGES_DIR PODMAN_STORE_DIR "/overlay-images"
#define LAYERS_DIR PODMAN_STORE_DIR "/overlay-layers"
#define DRIVER_DIR PODMAN_STORE_DIR "/overlay"

void podman_store_free(struct podman_store *s)
{
	(void)json_object_put(s->images); /* accepts NULL */
	(void)json_object_put(s->layers);
	*s = (struct podman_store){ 0 };
}

static void put_text(json_object *o, const char *key, const char *value)
{
	(void)json_object_object_add(o, key, json_object_new_string(value)); /* out of memory shows as a missing member */
}

static void put_digest(json_object *o, const char *key, const uint8_t digest[static HASH_SHA256_BYTES])
{
	char text[HEX_BYTES + 7] = "sha256:";

	hex_encode(digest, HASH_SHA256_BYTES, text + 7);
	put_text(o, key, text);
}

/* The id that podman itself gives a layer: its diffID if it is the lowest, else a digest of the parent's id and that. */
static void layer_id(const uint8_t diff_id[static HASH_SHA256_BYTES], const char *parent, char ret[static HEX_BYTES])
{
	uint8_t digest[HASH_SHA256_BYTES];
	char hex[HEX_BYTES], text[2 * HEX_BYTES + 1];

	hex_encode(diff_id, HASH_SHA256_BYTES, hex);
	if (*parent) {
		(void)snprintf(text, sizeof(text), "%s+%s", parent, hex); /* fits */
		hash_sha256(text, strlen(text), digest);
		hex_encode(digest, sizeof(digest), hex);
	}
	memcpy(ret, hex, HEX_BYTES);
}

static void link_name(const char *id, char ret[static LINK_BYTES + 1])
{
	for (size_t i = 0; i < LINK_BYTES; i++)
		ret[i] = (char)(id[i] >= 'a' ? id[i] - 'a' + 'A' : id[i]);
	ret[LINK_BYTES] = '\0';
}

static bool has_layer(const struct podman_store *s, const char *id)
{
	for (size_t i = 0; i < json_object_array_length(s->layers); i++) {
		json_object *have = NULL;

		(void)json_object_object_get_ex(json_object_array_get_idx(s->layers, i), "id", &have); /* we wrote it */
		if (!strcmp(json_object_get_string(have), id))
			return true;
	}
	return false;
}

/* overlay/<id>: where the files are, the short name, the short names of what lies below (@lower, topmost first). */
static int put_driver_files(struct fileset *root, const char *id, const uint8_t *root_hash, const char *lower, struct err *e)
{
	char path[PATH_MAX], target[VERITY_LAYER_PATH_BYTES + HEX_BYTES], name[LINK_BYTES + 1];
	int r;

	link_name(id, name);
	(void)snprintf(path, sizeof(path), DRIVER_DIR "/%s/diff", id); /* constants and an id: fits, as all below */
	if (root_hash)
		verity_layer_path(root_hash, target);
	r = root_hash ? fileset_link(root, path, target, e) : fileset_folder(root, path, 0755, e);
	(void)snprintf(path, sizeof(path), DRIVER_DIR "/%s/link", id);
	r = r ? r : fileset_text(root, path, name, e);
	(void)snprintf(path, sizeof(path), DRIVER_DIR "/%s/lower", id);
	r = r || !*lower ? r : fileset_text(root, path, lower, e);
	(void)snprintf(path, sizeof(path), DRIVER_DIR "/l/%s", name);
	(void)snprintf(target, sizeof(target), "../%s/diff", id);
	return r ? r : fileset_link(root, path, target, e);
}

static void put_layer(struct podman_store *s, const struct policy_oci_layer *layer, const char *id, const char *parent)
{
	json_object *o = json_object_new_object(), *owner = json_object_new_array(), *group = json_object_new_array();

	put_text(o, "id", id);
	if (*parent)
		put_text(o, "parent", parent);
	put_text(o, "created", CREATED);
	put_digest(o, "compressed-diff-digest", layer->digest);
	(void)json_object_object_add(o, "compressed-size", json_object_new_int64((int64_t)layer->bytes)); /* as above */
	put_digest(o, "diff-digest", layer->diff_id);
	(void)json_object_array_add(owner, json_object_new_int(0)); /* as above, and the next ones */
	(void)json_object_array_add(group, json_object_new_int(0));
	(void)json_object_object_add(o, "uidset", owner);
	(void)json_object_object_add(o, "gidset", group);
	(void)json_object_array_add(s->layers, o);
}

/* All layers of an image; @ret_top is the id of the topmost. */
static int put_layers(struct podman_store *s, struct fileset *root, const struct policy_oci_image *oci,
		      const struct policy_image *entry, char ret_top[static HEX_BYTES], struct err *e)
{
	cleanup_buf struct buf lower = BUF_INIT;
	char parent[HEX_BYTES] = "", id[HEX_BYTES], name[LINK_BYTES + 1];
	int r = 0;

	for (size_t i = 0; !r && i < oci->n_layers; i++) {
		cleanup_buf struct buf below = BUF_INIT;

		layer_id(oci->layer[i].diff_id, parent, id);
		buf_printf(&below, "%s", lower.len ? (const char *)lower.data : "");
		buf_u8(&below, 0);
		if (below.bad)
			return err_set(e, ENOMEM, "no memory for podman's store");
		if (!has_layer(s, id)) {
			put_layer(s, &oci->layer[i], id, parent);
			r = put_driver_files(root, id, entry ? entry->layer[i].root_hash : NULL, (const char *)below.data, e);
		}
		link_name(id, name);
		lower.len = 0;
		buf_printf(&lower, "l/%s%s%s", name, below.len > 1 ? ":" : "", (const char *)below.data);
		buf_u8(&lower, 0);
		if (lower.bad)
			return err_set(e, ENOMEM, "no memory for podman's store");
		memcpy(parent, id, sizeof(parent));
	}
	memcpy(ret_top, parent, sizeof(parent));
	return r;
}

/* containers/storage writes a name with other characters than [0-9a-z.] so. */
static void data_file(const char *key, char *ret, size_t size)
{
	unsigned char b64[160];

	if (key[strspn(key, "0123456789abcdefghijklmnopqrstuvwxyz.")] == '\0') {
		(void)snprintf(ret, size, "%s", key);
		return;
	}
	(void)EVP_EncodeBlock(b64, (const unsigned char *)key, (int)strlen(key)); /* keys have 80 bytes at most */
	(void)snprintf(ret, size, "=%s", (const char *)b64);
}

/* One thing that the store keeps of an image: listed under @key, its bytes the layout's blob @digest. */
static int put_data(struct fileset *root, json_object *image, const char *key, const char *layout,
		    const uint8_t digest[static HASH_SHA256_BYTES], struct err *e)
{
	json_object *id = NULL, *names = NULL, *sizes = NULL, *digests = NULL;
	char hex[HEX_BYTES], blob[128], from[PATH_MAX], to[PATH_MAX], file[256];
	cleanup_buf struct buf bytes = BUF_INIT;
	int r;

	hex_encode(digest, HASH_SHA256_BYTES, hex);
	(void)snprintf(blob, sizeof(blob), "blobs/sha256/%s", hex); /* fits */
	r = folder_join(layout, blob, from, e);
	r = r ? r : file_read(from, POLICY_OCI_MAX_JSON_BYTES, &bytes, e);
	if (r)
		return r;
	(void)json_object_object_get_ex(image, "id", &id); /* put_image() made all four */
	(void)json_object_object_get_ex(image, "big-data-names", &names);
	(void)json_object_object_get_ex(image, "big-data-sizes", &sizes);
	(void)json_object_object_get_ex(image, "big-data-digests", &digests);
	(void)json_object_array_add(names, json_object_new_string(key)); /* as above */
	(void)json_object_object_add(sizes, key, json_object_new_int64((int64_t)bytes.len));
	put_digest(digests, key, digest);
	data_file(key, file, sizeof(file));
	(void)snprintf(to, sizeof(to), IMAGES_DIR "/%s/%s", json_object_get_string(id), file); /* fits */
	return fileset_data(root, to, 0644, &bytes, e);
}

static int put_image(struct podman_store *s, struct fileset *root, const struct policy_oci_image *oci, const char *name,
		     const char *top, struct err *e)
{
	json_object *o = json_object_new_object(), *names = json_object_new_array();
	char id[HEX_BYTES], config[HEX_BYTES + 7] = "sha256:", manifest[HEX_BYTES + 16] = "manifest-sha256:";
	int r;

	hex_encode(oci->config, HASH_SHA256_BYTES, id);
	hex_encode(oci->config, HASH_SHA256_BYTES, config + 7);
	hex_encode(oci->manifest, HASH_SHA256_BYTES, manifest + 16);
	put_text(o, "id", id);
	put_digest(o, "digest", oci->manifest);
	(void)json_object_array_add(names, json_object_new_string(name)); /* as above, and the next ones */
	(void)json_object_object_add(o, "names", names);
	put_text(o, "layer", top);
	put_text(o, "metadata", "{}");
	(void)json_object_object_add(o, "big-data-names", json_object_new_array());
	(void)json_object_object_add(o, "big-data-sizes", json_object_new_object());
	(void)json_object_object_add(o, "big-data-digests", json_object_new_object());
	put_text(o, "created", CREATED);
	(void)json_object_array_add(s->images, o);
	r = put_data(root, o, config, oci->folder, oci->config, e);
	r = r ? r : put_data(root, o, manifest, oci->folder, oci->manifest, e);
	return r ? r : put_data(root, o, "manifest", oci->folder, oci->manifest, e);
}

int podman_store_add(struct podman_store *s, struct fileset *root, const struct policy_oci_image *oci,
		     const struct policy_image *entry, const char *name, struct err *e)
{
	char top[HEX_BYTES];
	int r;

	if (entry && entry->n_layers != oci->n_layers)
		return err_set(e, EINVAL, "image %s has %zu layers, its entry in the policy %zu", name, oci->n_layers, entry->n_layers);
	if (!s->images)
		s->images = json_object_new_array();
	if (!s->layers)
		s->layers = json_object_new_array();
	if (!s->images || !s->layers)
		return err_set(e, ENOMEM, "no memory for podman's store");
	r = put_layers(s, root, oci, entry, top, e);
	return r ? r : put_image(s, root, oci, name, top, e);
}

int podman_store_finish(struct podman_store *s, struct fileset *root, struct err *e)
{
	cleanup_buf struct buf images = BUF_INIT, layers = BUF_INIT;
	int r = s->images ? json_write(&images, s->images, e) : err_set(e, EINVAL, "podman's store has no image");

	r = r ? r : json_write(&layers, s->layers, e);
	r = r ? r : fileset_data(root, IMAGES_DIR "/images.json", 0644, &images, e);
	r = r ? r : fileset_data(root, LAYERS_DIR "/layers.json", 0644, &layers, e);
	/* Readers lock, and could not make the files here. */
	r = r ? r : fileset_text(root, IMAGES_DIR "/images.lock", "", e);
	return r ? r : fileset_text(root, LAYERS_DIR "/layers.lock", "", e);
}
