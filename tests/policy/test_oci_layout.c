/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_oci_layout.c - OCI layouts: what is read, and each lie in one of their files
 *
 * The layouts are made here: a good one of two layers (tar+gzip, tar), and for each bad case the same with one text
 * changed.
 */
#include "tests/policy/oci_make.h"
#include "tests/policy/tar_make.h"

#include "policy/oci_layout.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define MEDIA(what) "application/vnd.oci.image." what
#define DESCRIPTOR  "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}"

static char dir[] = "/tmp/holdfast-oci-XXXXXX";

/* struct layout - the texts that change from case to case; NULL: as in the good one */
struct layout {
	const char *marker;
	const char *index_media, *platform, *tag, *schema;
	const char *manifest_schema;
	const char *config_media, *config_arch, *config_tail, *rootfs_type;
	const char *layer_media;
	const char *diff_id;
	const char *digest;
	size_t extra_bytes;
};

static struct oci_blob tar_blob, gzip_blob;
static struct buf tar_bytes;

static int setup(void **state)
{
	cleanup_buf struct buf packed = BUF_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	oci_begin(dir);
	tar_put(&tar_bytes, &(struct tar_entry){.name = "bin/app", .content = "an application", .mode = "0000755"});
	tar_end(&tar_bytes);
	tar_blob = oci_put(dir, tar_bytes.data, tar_bytes.len);
	oci_pack("gzip -nc", &tar_bytes, &packed);
	gzip_blob = oci_put(dir, packed.data, packed.len);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&tar_bytes);
	owner_remove_folder(dir);
	return 0;
}

static const char *either(const char *a, const char *b)
{
	return a ? a : b;
}

static struct oci_blob put_image(const struct layout *l)
{
	char text[4096];
	struct oci_blob config;

	(void)snprintf(
		text, sizeof(text),
		"{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Entrypoint\":[\"/bin/app\"],\"Cmd\":[\"-f\"],"
		"\"Env\":[\"A=b\"],\"WorkingDir\":\"/srv\",\"User\":\"7:8\"},"
		"\"rootfs\":{\"type\":\"%s\",\"diff_ids\":[\"%s\",\"%s\"]}%s}",
		either(l->config_arch, "amd64"), either(l->rootfs_type, "layers"), either(l->diff_id, tar_blob.digest),
		tar_blob.digest, either(l->config_tail, ""));
	config = oci_put_text(dir, text);
	(void)snprintf(text, sizeof(text),
		       "{\"schemaVersion\":%s,\"mediaType\":\"" MEDIA("manifest.v1+json") "\",\"config\":" DESCRIPTOR
											  ",\"layers\":[" DESCRIPTOR
											  "," DESCRIPTOR "]}",
		       either(l->manifest_schema, "2"), either(l->config_media, MEDIA("config.v1+json")), config.digest,
		       config.bytes, either(l->layer_media, MEDIA("layer.v1.tar+gzip")),
		       either(l->digest, gzip_blob.digest), gzip_blob.bytes + l->extra_bytes, MEDIA("layer.v1.tar"),
		       tar_blob.digest, tar_blob.bytes);
	return oci_put_text(dir, text);
}

static void put_index(const char *folder, const char *text)
{
	oci_write(folder, "index.json", text, strlen(text));
}

static void make(const struct layout *l)
{
	struct oci_blob manifest = put_image(l);
	char text[4096];

	oci_write(dir, "oci-layout", either(l->marker, "{\"imageLayoutVersion\":\"1.0.0\"}"),
		  strlen(either(l->marker, "{\"imageLayoutVersion\":\"1.0.0\"}")));
	(void)snprintf(text, sizeof(text),
		       "{\"schemaVersion\":%s,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu,"
		       "\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}%s}]}",
		       either(l->schema, "2"), either(l->index_media, MEDIA("manifest.v1+json")), manifest.digest,
		       manifest.bytes, either(l->tag, "latest"),
		       either(l->platform, ",\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}"));
	put_index(dir, text);
}

static struct policy_oci_image *loaded(const char *tag, const char *arch)
{
	struct policy_oci_image *i = NULL;
	struct err e = ERR_INIT;

	assert_ok(policy_oci_load(dir, tag, arch, &i, &e), &e);
	return i;
}

static void every_field_of_a_good_image_is_read(void **state)
{
	cleanup_policy_oci struct policy_oci_image *i = NULL;
	char hex[2 * HASH_SHA256_BYTES + 1];

	(void)state;
	make(&(struct layout){0});
	i = loaded("latest", "amd64");
	assert_int_equal(i->n_layers, 2);
	assert_int_equal(i->layer[0].packing, POLICY_OCI_GZIP);
	assert_int_equal(i->layer[1].packing, POLICY_OCI_TAR);
	assert_int_equal(i->layer[0].bytes, gzip_blob.bytes);
	hex_encode(i->layer[0].digest, HASH_SHA256_BYTES, hex);
	assert_string_equal(hex, gzip_blob.digest + 7);
	hex_encode(i->layer[0].diff_id, HASH_SHA256_BYTES, hex);
	assert_string_equal(hex, tar_blob.digest + 7);
	hex_encode(i->manifest, HASH_SHA256_BYTES, hex);
	assert_string_equal(hex, put_image(&(struct layout){0}).digest + 7);
	assert_string_equal(i->entrypoint[0], "/bin/app");
	assert_null(i->entrypoint[1]);
	assert_string_equal(i->cmd[0], "-f");
	assert_string_equal(i->env[0], "A=b");
	assert_string_equal(i->cwd, "/srv");
	assert_string_equal(i->user, "7:8");
}

static void what_need_not_be_there_may_be_missing(void **state)
{
	static const struct layout good[] = {
		{.platform = ""}, {.config_tail = ",\"history\":[{\"created_by\":\"x\"}]"}, {.tag = ""}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		make(&good[i]);
		policy_oci_free(loaded(NULL, "amd64"));
	}
}

static void each_lie_is_refused(void **state)
{
	static const struct {
		struct layout layout;
		int code;
		const char *part;
	} bad[] = {
		{{.marker = "{\"imageLayoutVersion\":\"2.0.0\"}"}, EINVAL, "imageLayoutVersion is \"2.0.0\""},
		{{.marker = "{}"}, EINVAL, "\"imageLayoutVersion\" is missing"},
		{{.schema = "1"}, EINVAL, "index.json: schemaVersion is 1"},
		{{.schema = "2,\"schemaVersion\":2"}, EINVAL, "stands twice"},
		{{.schema = "2,\"mediaType\":\"text/plain\""}, EINVAL, "mediaType is \"text/plain\""},
		{{.index_media = "application/vnd.docker.x"}, ENOENT, "no image for linux/amd64 with tag latest"},
		{{.tag = "other"}, ENOENT, "no image for linux/amd64 with tag latest"},
		{{.platform = ",\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\"}"},
		 ENOENT,
		 "no image for linux/amd64"},
		{{.platform = ",\"platform\":{\"architecture\":\"amd64\",\"os\":\"windows\"}"}, ENOENT, "no image for"},
		{{.platform = ",\"platform\":7"}, EINVAL, "\"platform\" is of type int"},
		{{.config_arch = "arm64"}, EINVAL, "is for linux/arm64, wanted linux/amd64"},
		{{.manifest_schema = "3"}, EINVAL, "schemaVersion\" is 3"},
		{{.config_media = "application/vnd.docker.container.image.v1+json"},
		 EINVAL,
		 "configuration of media type"},
		{{.layer_media = "application/vnd.oci.image.layer.v1.tar+xz"},
		 EINVAL,
		 "layers[0]: layer of media type"},
		{{.layer_media = "application/vnd.oci.image.layer.nondistributable.v1.tar"},
		 EINVAL,
		 "layer of media type"},
		{{.digest = "sha512:00"}, EINVAL, "layers[0]: field \"digest\" is not \"sha256:\""},
		{{.digest = "sha256:../../../../etc/passwd"}, EINVAL, "field \"digest\" is not"},
		{{.digest = "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		 EINVAL,
		 "is not"},
		{{.diff_id = "sha256:12"}, EINVAL, "diff_ids[0] is not"},
		{{.rootfs_type = "squash"}, EINVAL, "rootfs.type is \"squash\""},
		{{.config_tail = ",\"os\":\"linux\""}, EINVAL, "stands twice"},
		{{.config_tail = "}"}, EINVAL, "wanted the end of the document"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct policy_oci_image *image = NULL;
		struct err e = ERR_INIT;

		make(&bad[i].layout);
		assert_refused(policy_oci_load(dir, "latest", "amd64", &image, &e), &e, bad[i].code, bad[i].part);
		assert_null(image);
	}
}

/* An index with the image for two architectures, one an index of its own; and attestation beside them, as buildkit
 * does. */
static void the_architecture_chooses(void **state)
{
	struct oci_blob amd = put_image(&(struct layout){0}), arm = put_image(&(struct layout){.config_arch = "arm64"});
	cleanup_policy_oci struct policy_oci_image *one = NULL;
	cleanup_policy_oci struct policy_oci_image *two = NULL;
	struct policy_oci_image *none = NULL;
	struct err e = ERR_INIT;
	struct oci_blob inner;
	char text[4096], hex[2 * HASH_SHA256_BYTES + 1];

	(void)state;
	(void)snprintf(
		text, sizeof(text),
		"{\"schemaVersion\":2,\"manifests\":["
		"{\"mediaType\":\"" MEDIA(
			"manifest.v1+json") "\",\"digest\":\"%s\",\"size\":%zu,"
					    "\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}},"
					    "{\"mediaType\":\"" MEDIA(
						    "manifest.v1+json") "\",\"digest\":\"%s\",\"size\":%zu,"
									"\"platform\":{\"architecture\":\"unknown\","
									"\"os\":\"unknown\"}},"
									"{\"mediaType\":\"" MEDIA(
										"manifest.v1+json") "\",\"digest\":\"%"
												    "s\",\"size\":%zu,"
												    "\"platform\":{"
												    "\"architecture\":"
												    "\"arm64\",\"os\":"
												    "\"linux\","
												    "\"variant\":"
												    "\"v8\"}}]}",
		amd.digest, amd.bytes, gzip_blob.digest, gzip_blob.bytes, arm.digest, arm.bytes);
	inner = oci_put_text(dir, text);
	(void)snprintf(text, sizeof(text),
		       "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA(
			       "index.v1+json") "\",\"digest\":\"%s\",\"size\":%zu,"
						"\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}}]}",
		       inner.digest, inner.bytes);
	make(&(struct layout){0});
	put_index(dir, text);
	one = loaded("v1", "amd64");
	hex_encode(one->manifest, HASH_SHA256_BYTES, hex);
	assert_string_equal(hex, amd.digest + 7);
	two = loaded(NULL, "arm64");
	hex_encode(two->manifest, HASH_SHA256_BYTES, hex);
	assert_string_equal(hex, arm.digest + 7);
	assert_refused(policy_oci_load(dir, "v2", "amd64", &none, &e), &e, ENOENT, "with tag v2");
	assert_refused(policy_oci_load(dir, "v1", "riscv64", &none, &e), &e, ENOENT, "no image for linux/riscv64");
}

static void two_images_without_a_tag_are_ambiguous(void **state)
{
	struct oci_blob a = put_image(&(struct layout){0}),
			b = put_image(&(struct layout){.config_tail = ",\"author\":\"b\""});
	struct policy_oci_image *none = NULL;
	struct err e = ERR_INIT;
	char text[4096];

	(void)state;
	make(&(struct layout){0});
	(void)snprintf(text, sizeof(text),
		       "{\"schemaVersion\":2,\"manifests\":["
		       "{\"mediaType\":\"" MEDIA(
			       "manifest.v1+json") "\",\"digest\":\"%s\",\"size\":%zu,"
						   "\"annotations\":{\"org.opencontainers.image.ref.name\":\"a\"}},"
						   "{\"mediaType\":\"" MEDIA(
							   "manifest.v1+json") "\",\"digest\":\"%s\",\"size\":%zu,"
									       "\"annotations\":{\"org.opencontainers."
									       "image.ref.name\":\"b\"}}]}",
		       a.digest, a.bytes, b.digest, b.bytes);
	put_index(dir, text);
	policy_oci_free(loaded("a", "amd64"));
	policy_oci_free(loaded("b", "amd64"));
	assert_refused(policy_oci_load(dir, NULL, "amd64", &none, &e), &e, EINVAL,
		       "more than one image fits; name one by its tag");
}

/* --- blobs ---------------------------------------------------------------------------------------------------- */

static int put(void *arg, const uint8_t *data, size_t n, struct err *e)
{
	(void)e;
	buf_put(arg, data, n);
	return 0;
}

static int unpack(const struct policy_oci_image *i, size_t index, uint64_t max, struct buf *ret, struct err *e)
{
	const struct policy_oci_sink to = {put, ret};

	return policy_oci_unpack(i, index, &to, max, e);
}

static void layers_unpack_to_the_tar(void **state)
{
	cleanup_policy_oci struct policy_oci_image *i = NULL;

	(void)state;
	make(&(struct layout){0});
	i = loaded("latest", "amd64");
	for (size_t k = 0; k < 2; k++) {
		cleanup_buf struct buf out = BUF_INIT;
		struct err e = ERR_INIT;

		assert_ok(unpack(i, k, tar_bytes.len, &out, &e), &e);
		assert_int_equal(out.len, tar_bytes.len);
		assert_memory_equal(out.data, tar_bytes.data, out.len);
	}
}

static void a_zstd_layer_unpacks_too(void **state)
{
	const char *const argv[] = {"zstd", "--version", NULL};
	cleanup_buf struct buf ignored = BUF_INIT;
	struct proc_params probe = {.argv = argv, .out = &ignored, .out_max = 4096, .quiet = 1};
	cleanup_policy_oci struct policy_oci_image *i = NULL;
	cleanup_buf struct buf packed = BUF_INIT;
	cleanup_buf struct buf out = BUF_INIT;
	struct oci_blob gzip = gzip_blob, zstd;
	struct err e = ERR_INIT;

	(void)state;
	if (proc_run(&probe, &e)) {
		print_message("SKIP: zstd(1) is not installed\n");
		skip();
	}
	oci_pack("zstd -cq", &tar_bytes, &packed);
	zstd = oci_put(dir, packed.data, packed.len);
	gzip_blob = zstd;
	make(&(struct layout){.layer_media = MEDIA("layer.v1.tar+zstd")});
	gzip_blob = gzip;
	i = loaded("latest", "amd64");
	assert_int_equal(i->layer[0].packing, POLICY_OCI_ZSTD);
	assert_ok(unpack(i, 0, tar_bytes.len, &out, &e), &e);
	assert_memory_equal(out.data, tar_bytes.data, tar_bytes.len);
}

/* Endless output would fill the disk: it is cut at the bound, at once. */
static void more_than_the_bound_is_not_unpacked(void **state)
{
	cleanup_policy_oci struct policy_oci_image *i = NULL;

	(void)state;
	make(&(struct layout){0});
	i = loaded("latest", "amd64");
	for (size_t k = 0; k < 2; k++) {
		cleanup_buf struct buf out = BUF_INIT;
		struct err e = ERR_INIT;

		assert_refused(unpack(i, k, tar_bytes.len - 1, &out, &e), &e, EFBIG, "unpacks to more bytes");
	}
}

static void other_content_than_the_diff_id_is_refused(void **state)
{
	cleanup_policy_oci struct policy_oci_image *i = NULL;
	cleanup_buf struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	make(&(struct layout){.diff_id = "sha256:00000000000000000000000000000000000000000000000000000000000000ff"});
	i = loaded("latest", "amd64");
	assert_refused(unpack(i, 0, tar_bytes.len, &out, &e), &e, EINVAL,
		       "layer 0: uncompressed tar (diff_id): digest is");
}

static void something_that_is_not_packed_so_is_refused(void **state)
{
	cleanup_policy_oci struct policy_oci_image *i = NULL;
	struct oci_blob gzip = gzip_blob;
	cleanup_buf struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	gzip_blob = tar_blob;
	make(&(struct layout){0});
	gzip_blob = gzip;
	i = loaded("latest", "amd64");
	assert_refused(unpack(i, 0, tar_bytes.len, &out, &e), &e, ECHILD, "gzip failed");
}

static void a_changed_blob_is_refused(void **state)
{
	struct policy_oci_image *none = NULL;
	cleanup_policy_oci struct policy_oci_image *i = NULL;
	cleanup_buf struct buf out = BUF_INIT;
	struct oci_blob manifest;
	struct err e = ERR_INIT;
	char name[128], path[256];

	(void)state;
	make(&(struct layout){0});
	manifest = put_image(&(struct layout){0});
	i = loaded("latest", "amd64");

	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", tar_blob.digest + 7);
	tar_bytes.data[600] ^= 1;
	oci_write(dir, name, tar_bytes.data, tar_bytes.len);
	assert_refused(unpack(i, 1, tar_bytes.len, &out, &e), &e, EINVAL, "layer 1: blob: digest is");
	oci_write(dir, name, tar_bytes.data, tar_bytes.len - 512);
	assert_refused(unpack(i, 1, tar_bytes.len, &out, &e), &e, EINVAL, "its descriptor says");
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
	assert_refused(unpack(i, 1, tar_bytes.len, &out, &e), &e, ENOENT, "cannot open blob");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(unpack(i, 1, tar_bytes.len, &out, &e), &e, EINVAL, "is no regular file");
	assert_int_equal(unlink(path), 0);
	tar_bytes.data[600] ^= 1;
	oci_write(dir, name, tar_bytes.data, tar_bytes.len);
	assert_ok(unpack(i, 1, tar_bytes.len, &out, &e), &e);

	(void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", dir, manifest.digest + 7);
	assert_int_equal(truncate(path, (off_t)manifest.bytes - 1), 0);
	assert_refused(policy_oci_load(dir, NULL, "amd64", &none, &e), &e, EINVAL, "its descriptor says");
}

static void a_missing_layout_names_its_path(void **state)
{
	struct policy_oci_image *none = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(policy_oci_load("/nonexistent/layout", NULL, "amd64", &none, &e), &e, ENOENT,
		       "/nonexistent/layout/oci-layout");
}

static void architectures_have_one_name(void **state)
{
	(void)state;
	assert_string_equal(policy_oci_arch("x86_64"), "amd64");
	assert_string_equal(policy_oci_arch("aarch64"), "arm64");
	assert_string_equal(policy_oci_arch("arm64"), "arm64");
	assert_null(policy_oci_arch("../amd64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_good_image_is_read),
		cmocka_unit_test(what_need_not_be_there_may_be_missing),
		cmocka_unit_test(each_lie_is_refused),
		cmocka_unit_test(the_architecture_chooses),
		cmocka_unit_test(two_images_without_a_tag_are_ambiguous),
		cmocka_unit_test(layers_unpack_to_the_tar),
		cmocka_unit_test(a_zstd_layer_unpacks_too),
		cmocka_unit_test(more_than_the_bound_is_not_unpacked),
		cmocka_unit_test(other_content_than_the_diff_id_is_refused),
		cmocka_unit_test(something_that_is_not_packed_so_is_refused),
		cmocka_unit_test(a_changed_blob_is_refused),
		cmocka_unit_test(a_missing_layout_names_its_path),
		cmocka_unit_test(architectures_have_one_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
