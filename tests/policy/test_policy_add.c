/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_policy_add.c - from an OCI image to signed layers and an entry of least privilege
 *
 * Foreign oracles, where installed: fsck.erofs (erofs-utils 1.5 or newer), GNU tar, veritysetup, openssl.
 */
#include "tests/policy/oci_make.h"
#include "tests/policy/tar_make.h"

#include "policy/layer_convert.h"
#include "policy/policy_add.h"
#include "policy/policy_write.h"

#include <dirent.h>
#include <sys/mman.h>

static char dir[] = "/tmp/holdfast-add-XXXXXX";
static char layers[64], layout[64];
static struct owner owner;

/* RSA: its signatures are the same each time, so whole files can be compared. */
static void make_rsa_owner(void)
{
	const char *const argv[] = {"openssl", "req",          "-x509", "-newkey",       "rsa:2048",
				    "-nodes",  "-days",        "1",     "-subj",         "/CN=rsa",
				    "-keyout", owner.key_path, "-out",  owner.cert_path, NULL};
	struct err e = ERR_INIT;

	(void)snprintf(owner.key_path, sizeof(owner.key_path), "%s/rsa.key", dir);
	(void)snprintf(owner.cert_path, sizeof(owner.cert_path), "%s/rsa.crt", dir);
	owner_run(argv);
	assert_ok(pki_key_load(owner.key_path, &owner.by.key, &e), &e);
	assert_ok(pki_cert_load(owner.cert_path, &owner.by.cert, &e), &e);
}

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(layers, sizeof(layers), "%s/layers", dir);
	(void)snprintf(layout, sizeof(layout), "%s/layout", dir);
	assert_ok(file_mkdirs(layers, &e), &e);
	make_rsa_owner();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owner_free(&owner);
	owner_remove_folder(dir);
	return 0;
}

/* --- layers --------------------------------------------------------------------------------------------------- */

/* Push it in pieces that fit nothing. */
static int convert(const struct policy_convert_params *p, const struct buf *tar, const char *name,
		   struct policy_layer *ret, struct err *e)
{
	cleanup_policy_convert struct policy_convert *c = NULL;
	size_t piece = 4099;
	int r = policy_convert_begin(p, name, &c, e);

	for (size_t at = 0; !r && at < tar->len; at += piece)
		r = policy_convert_push(c, tar->data + at, tar->len - at < piece ? tar->len - at : piece, e);
	return r ? r : policy_convert_end(c, ret, e);
}

static void base_tar(struct buf *tar)
{
	static char big[3 * 4096 + 100];

	memset(big, 'b', sizeof(big) - 1);
	tar_put(tar, &(struct tar_entry){.name = "bin/", .type = '5', .mode = "0000755"});
	tar_put(tar, &(struct tar_entry){.name = "bin/app", .mode = "0000755", .content = big});
	tar_put(tar, &(struct tar_entry){.name = "bin/same", .type = '1', .link = "bin/app"});
	tar_put(tar, &(struct tar_entry){.name = "etc/conf", .content = "k=v\n"});
	tar_put(tar, &(struct tar_entry){.name = "etc/.wh.old"});
	tar_put(tar, &(struct tar_entry){.name = "var/.wh..wh..opq"});
	tar_end(tar);
}

static void path_of(const char *folder, const struct policy_layer *l, const char *suffix, char ret[static PATH_MAX])
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(l->root_hash, HASH_SHA256_BYTES, hex);
	(void)snprintf(ret, PATH_MAX, "%s/%s.%s", folder, hex, suffix);
}

static size_t files_in(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	assert_non_null(d);
	for (struct dirent *f; (f = readdir(d));)
		n += strcmp(f->d_name, ".") && strcmp(f->d_name, "..");
	(void)closedir(d);
	return n;
}

static void the_same_tar_gives_the_same_bytes(void **state)
{
	char folders[2][64], path[2][PATH_MAX];
	cleanup_buf struct buf tar = BUF_INIT;
	struct policy_layer l[2] = {0};
	struct err e = ERR_INIT;

	(void)state;
	base_tar(&tar);
	for (int i = 0; i < 2; i++) {
		struct policy_convert_params p = {.folder = folders[i], .by = owner.by};

		if (i)
			(void)sleep(1); /* no time of the day may get in */
		(void)snprintf(folders[i], sizeof(folders[i]), "%s/same%d", dir, i);
		assert_ok(file_mkdirs(folders[i], &e), &e);
		assert_ok(convert(&p, &tar, "layer", &l[i], &e), &e);
		assert_int_equal(files_in(folders[i]), 2);
	}
	assert_memory_equal(&l[0], &l[1], sizeof(l[0]));
	for (int s = 0; s < 2; s++) {
		cleanup_buf struct buf one = BUF_INIT;
		cleanup_buf struct buf two = BUF_INIT;

		path_of(folders[0], &l[0], s ? "p7s" : "erofs", path[0]);
		path_of(folders[1], &l[1], s ? "p7s" : "erofs", path[1]);
		assert_ok(file_read(path[0], 1 << 24, &one, &e), &e);
		assert_ok(file_read(path[1], 1 << 24, &two, &e), &e);
		assert_int_equal(one.len, two.len);
		assert_memory_equal(one.data, two.data, one.len);
	}
}

/* Known answer by another implementation: $ veritysetup verify --hash-offset=DATA_BYTES F F HASH; and openssl smime. */
static void others_agree_on_tree_and_signature(void **state)
{
	char image[PATH_MAX], p7s[PATH_MAX], hex_path[PATH_MAX], hex[2 * HASH_SHA256_BYTES + 1], offset[64];
	const char *const verity[] = {"veritysetup", "verify", offset, image, image, hex, NULL};
	const char *const smime[] = {"openssl",   "smime",     "-verify",  "-binary",   "-inform",   "der",
				     "-in",       p7s,         "-content", hex_path,    "-certfile", owner.cert_path,
				     "-noverify", "-nointern", "-out",     "/dev/null", NULL};
	struct policy_convert_params p = {.folder = layers, .by = owner.by};
	struct proc_params run = {.argv = verity, .quiet = 1};
	cleanup_buf struct buf tar = BUF_INIT;
	struct policy_layer l;
	struct err e = ERR_INIT;

	(void)state;
	base_tar(&tar);
	assert_ok(convert(&p, &tar, "layer", &l, &e), &e);
	hex_encode(l.root_hash, HASH_SHA256_BYTES, hex);
	path_of(layers, &l, "erofs", image);
	path_of(layers, &l, "p7s", p7s);
	(void)snprintf(hex_path, sizeof(hex_path), "%s/hex", dir);
	(void)snprintf(offset, sizeof(offset), "--hash-offset=%llu", (unsigned long long)l.data_bytes);
	assert_ok(file_write(hex_path, hex, strlen(hex), 0644, &e), &e);
	owner_run(smime);
	if (proc_run(&run, &e) == -ENOENT) {
		print_message("SKIP: veritysetup is not installed\n");
		skip();
	}
	assert_int_equal(e.code, 0);
}

/* $ fsck.erofs --extract: names, contents, types, modes and times come out of the image as GNU tar put them in. */
static void fsck_finds_what_tar_put_in(void **state)
{
	static const char make[] =
		"set -e; cd \"$0\"; mkdir -p in/a/b in/many in/.deep/er; umask 022; echo hi > in/a/f; ln in/a/f in/a/g; "
		"ln -s ../x in/a/s; : > in/a/empty; i=0; while [ $i -lt 900 ]; do echo $i > in/many/a-name-that-is-long-enough-$i; "
		"i=$((i+1)); done; for n in 1 2047 2048 2049 4095 4096 4097 70000; do head -c $n /dev/zero | tr '\\0' x > "
		"in/.deep/er/$n; done; truncate -s 300000 in/sparse; echo end >> in/sparse; chmod 711 in/a/f; chmod 700 in/a/b; "
		"touch -d @86400 in/a/empty; tar -S --format=posix -C in -cf in.tar .";
	static const char compare[] =
		"set -e; cd \"$0\"; rm -rf out; fsck.erofs --extract=out \"$1\" >fsck.log 2>&1; diff -r --no-dereference in out; "
		"for d in in out; do (cd $d; find . ! -type d -printf '%p %y %m %s %Ts %l\\n' | sort) > $d.list; "
		"(cd $d; find . -type d -printf '%p %m\\n' | sort) > $d.folders; done; diff in.list out.list; diff in.folders out.folders";
	char image[PATH_MAX], path[128];
	const char *const argv[] = {"sh", "-c", make, dir, NULL}, *const check[] = {"sh", "-c", compare, dir, image, NULL},
			  *const probe[] = {"fsck.erofs", "-V", NULL};
	struct policy_convert_params p = {.folder = layers, .by = owner.by};
	struct proc_params run = {.argv = probe, .quiet = 1};
	cleanup_buf struct buf tar = BUF_INIT;
	struct policy_layer l = {0};
	struct err e = ERR_INIT;

	(void)state;
	if (proc_run(&run, &e) == -ENOENT) {
		print_message("SKIP: fsck.erofs is not installed\n");
		skip();
	}
	owner_run(argv);
	(void)snprintf(path, sizeof(path), "%s/in.tar", dir);
	assert_ok(file_read(path, 16 << 20, &tar, &e), &e);
	assert_ok(convert(&p, &tar, "layer", &l, &e), &e);
	path_of(layers, &l, "erofs", image);
	owner_run(check);
}

static void a_refused_tar_leaves_nothing(void **state)
{
	struct policy_convert_params p = {.folder = layers, .by = owner.by};
	cleanup_buf struct buf tar = BUF_INIT;
	size_t before = files_in(layers);
	struct policy_layer l;
	struct err e = ERR_INIT;

	(void)state;
	tar_put(&tar, &(struct tar_entry){.name = "../etc/passwd"});
	tar_end(&tar);
	assert_refused(convert(&p, &tar, "layer 3", &l, &e), &e, EINVAL,
		       "layer 3: member \"../etc/passwd\" at offset 0");
	assert_int_equal(files_in(layers), before);
}

static void a_full_or_absent_folder_leaves_nothing(void **state)
{
	struct policy_convert_params p = {.folder = "/nonexistent/layers", .by = owner.by};
	cleanup_buf struct buf tar = BUF_INIT;
	size_t before = files_in(layers);
	struct policy_layer l;
	struct err e = ERR_INIT;

	(void)state;
	base_tar(&tar);
	assert_refused(convert(&p, &tar, "layer", &l, &e), &e, ENOENT, "temporary file in /nonexistent/layers");
	p.folder = layers;
	p.max_bytes = tar.len - 1;
	assert_refused(convert(&p, &tar, "layer", &l, &e), &e, EFBIG, "unpacks to more bytes than the");
	p.max_bytes = 0;
	p.by.cert = NULL;
	assert_int_not_equal(files_in(layers), before + 1);
	assert_int_equal(files_in(layers), before);
}

/* --- entries -------------------------------------------------------------------------------------------------- */

/* An image of base, a layer on it, and base again. @config is what stands in the configuration's "config". */
static void make_layout(const char *config)
{
	cleanup_buf struct buf base = BUF_INIT;
	cleanup_buf struct buf top = BUF_INIT;
	struct oci_blob tars[2], c, m;
	char text[4096];

	oci_begin(layout);
	base_tar(&base);
	tar_put(&top, &(struct tar_entry){.name = "etc/conf", .content = "k=w\n"});
	tar_put(&top, &(struct tar_entry){.name = "etc/passwd", .content = "app:x:1033:1034::/:\n"});
	tar_put(&top, &(struct tar_entry){.name = "share/group", .content = "www:x:33:\n"});
	tar_put(&top, &(struct tar_entry){.name = "etc/group", .type = '2', .link = "../../../share/group"});
	tar_end(&top);
	tars[0] = oci_put(layout, base.data, base.len);
	tars[1] = oci_put(layout, top.data, top.len);
	(void)snprintf(text, sizeof(text),
		       "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":%s,\"rootfs\":{\"type\":\"layers\","
		       "\"diff_ids\":[\"%s\",\"%s\",\"%s\"]}}",
		       config, tars[0].digest, tars[1].digest, tars[0].digest);
	c = oci_put_text(layout, text);
#define LAYER "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}"
	(void)snprintf(text, sizeof(text),
		       "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		       "\"digest\":\"%s\",\"size\":%zu},\"layers\":[" LAYER "," LAYER "," LAYER "]}",
		       c.digest, c.bytes, tars[0].digest, tars[0].bytes, tars[1].digest, tars[1].bytes, tars[0].digest,
		       tars[0].bytes);
	m = oci_put_text(layout, text);
	(void)snprintf(
		text, sizeof(text),
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		"\"digest\":\"%s\",\"size\":%zu}]}",
		m.digest, m.bytes);
	oci_write(layout, "index.json", text, strlen(text));
}

static struct policy_add_params plain(const char *name)
{
	return (struct policy_add_params){.layout = layout,
					  .arch = "amd64",
					  .name = name,
					  .convert = {.folder = layers, .by = owner.by}};
}

static struct policy *new_policy(void)
{
	struct policy *p = NULL;
	struct err e = ERR_INIT;

	assert_ok(policy_new("demo", &p, &e), &e);
	assert_int_equal(p->version, 1);
	return p;
}

static void an_entry_has_what_the_image_says_and_no_more(void **state)
{
	cleanup_policy struct policy *p = new_policy();
	struct policy_add_params a = plain("hello");
	const struct policy_image *i;
	uint8_t digest[HASH_SHA256_BYTES];
	cleanup_buf struct buf text = BUF_INIT;
	char path[PATH_MAX];
	struct err e = ERR_INIT;

	(void)state;
	make_layout("{\"Entrypoint\":[\"/bin/app\",\"-x\"],\"Cmd\":[\"-x\"],\"Env\":[\"A=b\"],\"User\":\"5:6\"}");
	assert_ok(policy_add_image(p, &a, &e), &e);
	assert_int_equal(p->version, 2);
	i = policy_image_find(p, "hello");
	assert_non_null(i);
	assert_string_equal(i->class_name, "default");
	assert_int_equal(i->n_layers, 2); /* base stands twice: the upper one counts */
	assert_memory_not_equal(i->layer[0].root_hash, i->layer[1].root_hash, HASH_SHA256_BYTES);
	path_of(layers, &i->layer[0], "erofs", path);
	assert_int_equal(access(path, R_OK), 0);
	path_of(layers, &i->layer[1], "p7s", path);
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(i->run.n_argv, 1);
	assert_string_equal(i->run.argv[0][0], "/bin/app");
	assert_string_equal(i->run.argv[0][1], "-x");
	assert_string_equal(i->run.argv[0][2], "-x");
	assert_null(i->run.argv[0][3]);
	assert_int_equal(i->run.n_exec, 0);
	assert_int_equal(i->run.n_env, 2);
	assert_string_equal(i->run.env[0], "A=b");
	assert_string_equal(i->run.env[1], POLICY_ADD_DEFAULT_PATH);
	assert_string_equal(i->run.cwd, "/");
	assert_int_equal(i->run.uid, 5);
	assert_int_equal(i->run.gid, 6);
	assert_int_equal(i->run.n_caps, 0);
	assert_int_equal(i->run.n_tmpfs, 0);
	assert_int_equal(i->run.network, POLICY_NETWORK_NONE);
	assert_int_equal(i->run.seccomp, POLICY_SECCOMP_DEFAULT);
	assert_ok(policy_write(p, &text, &e), &e);
	hash_sha256(text.data, text.len, digest);
	assert_memory_equal(digest, p->digest, sizeof(digest));
}

static void more_must_be_asked_for(void **state)
{
	static const char *const tmpfs[] = {"/tmp", NULL}, *const caps[] = {"CAP_NET_BIND_SERVICE", NULL},
				 *const env[] = {"PATH=/bin", NULL}, *const one[] = {"/bin/app", NULL},
				 *const two[] = {"/bin/app", "two", NULL};
	static const char *const *const argv[] = {one, two};
	cleanup_policy struct policy *p = new_policy();
	struct policy_add_params a = plain("hello");
	const struct policy_image *i;
	struct err e = ERR_INIT;

	(void)state;
	make_layout("{\"Cmd\":[\"/bin/other\"],\"User\":\"app\"}");
	a.argv = argv;
	a.n_argv = 2;
	a.exec = argv;
	a.n_exec = 1;
	a.tmpfs = tmpfs;
	a.caps = caps;
	a.env = env;
	a.user = "0";
	a.class_name = "edge";
	assert_ok(policy_add_image(p, &a, &e), &e);
	i = policy_image_find(p, "hello");
	assert_int_equal(i->run.n_argv, 2);
	assert_string_equal(i->run.argv[1][1], "two");
	assert_int_equal(i->run.n_exec, 1);
	assert_string_equal(i->run.tmpfs[0], "/tmp");
	assert_string_equal(i->run.caps[0], "CAP_NET_BIND_SERVICE");
	assert_int_equal(i->run.n_env, 1);
	assert_int_equal(i->run.uid, 0);
	assert_string_equal(i->class_name, "edge");
}

static void a_user_s_name_is_looked_up_in_the_image(void **state)
{
	static const struct {
		const char *config, *user;
		uint32_t uid, gid;
	} cases[] = {
		{"{\"Cmd\":[\"/x\"],\"User\":\"app\"}", NULL, 1033, 1034},
		{"{\"Cmd\":[\"/x\"],\"User\":\"app:www\"}", NULL, 1033, 33},
		{"{\"Cmd\":[\"/x\"],\"User\":\"7:www\"}", NULL, 7, 33},
		{"{\"Cmd\":[\"/x\"],\"User\":\"1033\"}", NULL, 1033, 1034},
		{"{\"Cmd\":[\"/x\"],\"User\":\"nobody\"}", "app:5", 1033, 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_policy struct policy *p = new_policy();
		struct policy_add_params a = plain("hello");
		struct err e = ERR_INIT;

		make_layout(cases[i].config);
		a.user = cases[i].user;
		assert_ok(policy_add_image(p, &a, &e), &e);
		assert_int_equal(p->image[0].run.uid, cases[i].uid);
		assert_int_equal(p->image[0].run.gid, cases[i].gid);
	}
}

static void what_would_not_be_a_policy_is_not_added(void **state)
{
	static const char *const top[] = {"/", NULL}, *const unknown[] = {"CAP_ALL", NULL};
	static const struct {
		const char *config;
		struct policy_add_params change;
		int code;
		const char *part;
	} bad[] = {
		{"{}", {0}, EINVAL, "names no program to run"},
		{"{\"Cmd\":[\"/x\"],\"User\":\"www-data\"}", {0}, EINVAL, "of the image does not name \"www-data\""},
		{"{\"Cmd\":[\"/x\"],\"User\":\"33\"}", {0}, EINVAL, "user \"33\" has no group"},
		{"{\"Cmd\":[\"/x\"],\"User\":\"1:4294967295\"}", {0}, EINVAL, "is no number below"},
		{"{\"Cmd\":[\"/x\"],\"User\":\"1:2:3\"}", {0}, EINVAL, "neither U nor U:G"},
		{"{\"Cmd\":[\"/x\"],\"User\":\"-1:0\"}", {0}, EINVAL, "does not name \"-1\""},
		{"{\"Cmd\":[\"/x\"],\"WorkingDir\":\"/a/../..\"}", {0}, EINVAL, "run.cwd: \"/a/../..\" has a part"},
		{"{\"Cmd\":[\"/x\"],\"Env\":[\"A\"]}", {0}, EINVAL, "run.env[0]: \"A\" is not of the form K=V"},
		{"{\"Cmd\":[\"\"]}", {0}, EINVAL, "the program's name is empty"},
		{"{\"Cmd\":\"/x\"}", {0}, EINVAL, "field \"Cmd\" is no list"},
		{"{\"Cmd\":[\"/x\"]}", {.tmpfs = top}, EINVAL, "would hide the image"},
		{"{\"Cmd\":[\"/x\"]}", {.caps = unknown}, EINVAL, "no capability of Linux"},
		{"{\"Cmd\":[\"/x\"]}", {.name = "A B"}, EINVAL, "\"A B\" is no name"},
		{"{\"Cmd\":[\"/x\"]}", {.arch = "arm64"}, EINVAL, "is for linux/amd64, wanted linux/arm64"},
		{"{\"Cmd\":[\"/x\"]}", {.convert.max_bytes = 512}, EFBIG, "unpacks to more bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_policy struct policy *p = new_policy();
		struct policy_add_params a = plain(bad[i].change.name ? bad[i].change.name : "hello");
		struct err e = ERR_INIT;

		make_layout(bad[i].config);
		a.tmpfs = bad[i].change.tmpfs;
		a.caps = bad[i].change.caps;
		a.arch = bad[i].change.arch ? bad[i].change.arch : a.arch;
		a.convert.max_bytes = bad[i].change.convert.max_bytes;
		assert_refused(policy_add_image(p, &a, &e), &e, bad[i].code, bad[i].part);
		assert_int_equal(p->n_images, 0);
		assert_int_equal(p->version, 1);
	}
}

static void a_name_is_taken_once(void **state)
{
	cleanup_policy struct policy *p = new_policy();
	struct policy_add_params a = plain("hello");
	struct err e = ERR_INIT;

	(void)state;
	make_layout("{\"Cmd\":[\"/bin/app\"]}");
	assert_ok(policy_add_image(p, &a, &e), &e);
	assert_refused(policy_add_image(p, &a, &e), &e, EEXIST, "\"hello\" already");
	a.name = "hello2";
	assert_ok(policy_add_image(p, &a, &e), &e);
	assert_int_equal(p->n_images, 2);
	assert_int_equal(p->version, 3);
	p->version = POLICY_MAX_VERSION;
	a.name = "hello3";
	assert_refused(policy_add_image(p, &a, &e), &e, EOVERFLOW, "version is at its end");
}

/* The same image as a folder, as that folder in a tar, and as docker save wrote it before it had layouts. */
static void archives_give_the_same_layers(void **state)
{
	/* base is "a/layer.tar", then top, then base again as docker links it; the configuration is the layout's own. */
	static const char make[] =
		"set -e; cd \"$0\"; rm -rf d o.tar d.tar; tar -C layout -cf o.tar oci-layout index.json blobs; mkdir -p d/a d/b d/c; "
		"hex=$(grep -l '\"rootfs\"' layout/blobs/sha256/*); cp $hex d/config.json; "
		"set -- $(grep -o 'sha256:[0-9a-f]*' d/config.json | cut -d: -f2); cp layout/blobs/sha256/$1 d/a/layer.tar; "
		"cp layout/blobs/sha256/$2 d/b/layer.tar; ln -s ../a/layer.tar d/c/layer.tar; "
		"echo '[{\"Config\":\"config.json\",\"RepoTags\":[\"hello:v1\"],\"Layers\":[\"a/layer.tar\",\"b/layer.tar\",\"c/layer.tar\"]}]' > "
		"d/manifest.json; tar -C d -cf d.tar .; printf x | dd of=d/b/layer.tar bs=1 seek=100 conv=notrunc 2>/dev/null; tar -C d -cf bad.tar .; "
		"rm -r d/a; tar -C d -cf cut.tar .";
	const char *const argv[] = {"sh", "-c", make, dir, NULL};
	cleanup_policy struct policy *p = new_policy();
	struct policy_add_params a = plain("folder");
	char path[4][128];
	struct err e = ERR_INIT;
	size_t before;

	(void)state;
	owner_remove_folder(layout); /* other tests' blobs */
	make_layout("{\"Cmd\":[\"/bin/app\"]}");
	owner_run(argv);
	for (int i = 0; i < 4; i++)
		(void)snprintf(path[i], sizeof(path[i]), "%s/%s.tar", dir, (const char *[]){"o", "d", "bad", "cut"}[i]);
	assert_ok(policy_add_image(p, &a, &e), &e);
	before = files_in(layers);
	a.name = "layout-in-tar";
	a.layout = path[0];
	assert_ok(policy_add_image(p, &a, &e), &e);
	a.name = "docker-save";
	a.layout = path[1];
	a.tag = "v1";
	assert_ok(policy_add_image(p, &a, &e), &e);
	assert_int_equal(files_in(layers), before); /* nothing new, and no folder left */
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(p->image[i].n_layers, p->image[0].n_layers);
		assert_memory_equal(p->image[i].layer, p->image[0].layer, p->image[0].n_layers * sizeof(struct policy_layer));
	}
	assert_memory_equal(p->image[1].manifest, p->image[0].manifest, HASH_SHA256_BYTES);
	assert_memory_equal(p->image[2].config, p->image[0].config, HASH_SHA256_BYTES);
	a.name = "other";
	a.tag = "v2";
	assert_refused(policy_add_image(p, &a, &e), &e, ENOENT, "no image with tag v2");
	a.tag = NULL;
	policy_free(p);
	p = new_policy(); /* so that nothing is known */
	a.layout = path[2];
	assert_refused(policy_add_image(p, &a, &e), &e, EINVAL, "blob: digest is");
	a.layout = path[3];
	assert_refused(policy_add_image(p, &a, &e), &e, EINVAL, "has no file \"a/layer.tar\", which manifest.json names");
	assert_int_equal(files_in(layers), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_tar_gives_the_same_bytes),
		cmocka_unit_test(others_agree_on_tree_and_signature),
		cmocka_unit_test(fsck_finds_what_tar_put_in),
		cmocka_unit_test(a_refused_tar_leaves_nothing),
		cmocka_unit_test(a_full_or_absent_folder_leaves_nothing),
		cmocka_unit_test(an_entry_has_what_the_image_says_and_no_more),
		cmocka_unit_test(more_must_be_asked_for),
		cmocka_unit_test(a_user_s_name_is_looked_up_in_the_image),
		cmocka_unit_test(what_would_not_be_a_policy_is_not_added),
		cmocka_unit_test(a_name_is_taken_once),
		cmocka_unit_test(archives_give_the_same_layers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
