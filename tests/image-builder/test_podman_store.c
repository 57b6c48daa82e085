/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/image-builder/test_podman_store.c - the store that podman reads: lists, files, links
 *
 * That podman itself reads it is the VM case `podman`'s. Known answers: the name of a layer's folder is what podman 5.4 gives a
 * layer that it pulls; `printf %s sha256:00... | base64` for the file of a configuration.
 */
#include "tests/image-builder/make.h"

#include "common/json.h"
#include "image-builder/epoch.h"
#include "image-builder/oci_make.h"
#include "image-builder/podman_store.h"

#define HASH "1111111111111111111111111111111111111111111111111111111111111111"

static const struct fileset_entry *find(const struct fileset *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].path, path))
			return &f->v[i];
	return NULL;
}

static json_object *list(const struct fileset *f, const char *path)
{
	const struct fileset_entry *entry = find(f, path);
	json_object *o = NULL;
	struct err e = ERR_INIT;

	assert_non_null(entry);
	assert_ok(json_parse(entry->data, entry->len, path, &o, &e), &e);
	return o;
}

static const char *text(json_object *o, const char *pointer)
{
	json_object *v = NULL;

	return json_pointer_get(o, pointer, &v) ? NULL : json_object_get_string(v);
}

/* An image of two layers in @folder/layout. */
static struct policy_oci_image *make_image(const char *folder)
{
	static const char *const entrypoint[] = { "/x" };
	const char *const tree[] = { in(folder, "low"), in(folder, "high") };
	struct oci_make_params p = { .tree = tree, .n_trees = 2, .out = in(folder, "layout"), .tag = "1", .arch = "amd64",
				     .entrypoint = entrypoint, .n_entrypoint = 1, .epoch = EPOCH_DEFAULT };
	struct policy_oci_image *image = NULL;
	struct err e = ERR_INIT;

	make_file(folder, "low/x", "x", 1);
	make_file(folder, "high/y", "y", 1);
	assert_ok(oci_make(&p, &e), &e);
	assert_ok(policy_oci_load(p.out, "1", "amd64", &image, &e), &e);
	return image;
}

static void layers_are_links_to_where_the_verified_ones_are_mounted(void **state)
{
	struct policy_layer layer[2] = { { .data_bytes = 4096 }, { .data_bytes = 4096 } };
	const struct policy_image entry = { .name = (char *)"app", .layer = layer, .n_layers = 2 };
	struct podman_store s = { 0 };
	struct fileset root = { .tree = "/", .arch = "x86_64" };
	struct policy_oci_image *image;
	struct err e = ERR_INIT;
	json_object *layers, *images;
	char folder[64], path[512];
	const char *id[2];

	(void)state;
	make_folder(folder);
	image = make_image(folder);
	memset(layer[0].root_hash, 0x11, HASH_SHA256_BYTES);
	memset(layer[1].root_hash, 0x22, HASH_SHA256_BYTES);
	assert_ok(podman_store_add(&s, &root, image, &entry, "example.org/app:1", &e), &e);
	assert_ok(podman_store_finish(&s, &root, &e), &e);
	podman_store_free(&s);

	layers = list(&root, PODMAN_STORE_DIR "/overlay-layers/layers.json");
	assert_int_equal(json_object_array_length(layers), 2);
	id[0] = text(layers, "/0/id");
	id[1] = text(layers, "/1/id");
	assert_string_equal(text(layers, "/0/diff-digest") + 7, id[0]); /* the lowest layer's id is its diffID */
	assert_null(text(layers, "/0/parent"));
	assert_string_equal(text(layers, "/1/parent"), id[0]);
	assert_string_not_equal(text(layers, "/1/diff-digest") + 7, id[1]);

	(void)snprintf(path, sizeof(path), PODMAN_STORE_DIR "/overlay/%s/diff", id[0]);
	assert_non_null(find(&root, path));
	assert_string_equal(find(&root, path)->source, "/run/holdfast/layers/" HASH);
	(void)snprintf(path, sizeof(path), PODMAN_STORE_DIR "/overlay/%s/lower", id[0]);
	assert_null(find(&root, path));
	(void)snprintf(path, sizeof(path), PODMAN_STORE_DIR "/overlay/%s/lower", id[1]);
	assert_int_equal(find(&root, path)->len, 2 + 26);

	images = list(&root, PODMAN_STORE_DIR "/overlay-images/images.json");
	assert_int_equal(json_object_array_length(images), 1);
	assert_string_equal(text(images, "/0/names/0"), "example.org/app:1");
	assert_string_equal(text(images, "/0/layer"), id[1]);
	assert_string_equal(text(images, "/0/big-data-names/2"), "manifest");
	(void)snprintf(path, sizeof(path), PODMAN_STORE_DIR "/overlay-images/%s/manifest", text(images, "/0/id"));
	assert_non_null(find(&root, path));
	(void)json_object_put(layers);
	(void)json_object_put(images);
	policy_oci_free(image);
	fileset_free(&root);
	drop_folder(folder);
}

static void an_image_that_the_policy_does_not_name_has_empty_folders(void **state)
{
	struct podman_store s = { 0 };
	struct fileset root = { .tree = "/", .arch = "x86_64" };
	struct policy_oci_image *image;
	struct err e = ERR_INIT;
	json_object *layers;
	char folder[64], path[512];

	(void)state;
	make_folder(folder);
	image = make_image(folder);
	assert_ok(podman_store_add(&s, &root, image, NULL, "example.org/rogue:1", &e), &e);
	/* The same layers under a second name stand there once. */
	assert_ok(podman_store_add(&s, &root, image, NULL, "example.org/rogue:2", &e), &e);
	assert_ok(podman_store_finish(&s, &root, &e), &e);
	podman_store_free(&s);
	layers = list(&root, PODMAN_STORE_DIR "/overlay-layers/layers.json");
	assert_int_equal(json_object_array_length(layers), 2);
	(void)snprintf(path, sizeof(path), PODMAN_STORE_DIR "/overlay/%s/diff", text(layers, "/0/id"));
	assert_int_equal(find(&root, path)->kind, FILESET_FOLDER);
	(void)json_object_put(layers);
	policy_oci_free(image);
	fileset_free(&root);
	drop_folder(folder);
}

static void an_entry_of_other_layers_is_refused(void **state)
{
	struct policy_layer layer[1] = { { .data_bytes = 4096 } };
	const struct policy_image entry = { .name = (char *)"app", .layer = layer, .n_layers = 1 };
	struct podman_store s = { 0 };
	struct fileset root = { .tree = "/", .arch = "x86_64" };
	struct policy_oci_image *image;
	struct err e = ERR_INIT;
	char folder[64];

	(void)state;
	make_folder(folder);
	image = make_image(folder);
	assert_refused(podman_store_add(&s, &root, image, &entry, "example.org/app:1", &e), &e, EINVAL, "has 2 layers, its entry in the policy 1");
	assert_refused(podman_store_finish(&s, &root, &e), &e, EINVAL, "has no image");
	podman_store_free(&s);
	policy_oci_free(image);
	fileset_free(&root);
	drop_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_links_to_where_the_verified_ones_are_mounted),
		cmocka_unit_test(an_image_that_the_policy_does_not_name_has_empty_folders),
		cmocka_unit_test(an_entry_of_other_layers_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
