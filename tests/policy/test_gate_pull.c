/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_gate_pull.c - from the engine's store to open layers: what is converted, what is not, and what stays behind
 *
 * Conversion is real, against what policy_add_image() made and signed of the same image. Opening needs root and a kernel: the
 * opener is a process of ours that compares with the layer as it was signed, and "open" is a file of the layer's name
 * (verity_layer_prove() is replaced at the link). tests/vm/cases/pulled has the rest.
 */
#include "tests/common/scratch.h"
#include "tests/policy/oci_make.h"
#include "tests/policy/tar_make.h"

#include "policy/gate.h"
#include "policy/policy_add.h"
#include "verity/layer.h"

#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#if defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "amd64"
#endif
#define BIG_BYTES 300000

static char dir[] = "/tmp/holdfast-pull-XXXXXX";
static struct owner owner;
static struct policy *policy;
static struct policy_image *image;
static struct gate_host host;
static struct oci_blob blob[4]; /* two layers, configuration, manifest */
static pid_t opener;

static const char *at(const char *name)
{
	return scratch_path(dir, name);
}

static void run(const char *command)
{
	scratch_run(dir, command);
}

static size_t lines_of(const char *name)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n = 0;

	if (file_read(at(name), 1 << 16, &b, &e) == 0)
		for (size_t i = 0; i < b.len; i++)
			n += b.data[i] == '\n';
	return n;
}

static size_t files_in(const char *folder)
{
	DIR *d = opendir(at(folder));
	size_t n = 0;

	for (struct dirent *f; d && (f = readdir(d));)
		n += strcmp(f->d_name, ".") && strcmp(f->d_name, "..");
	if (d)
		(void)closedir(d);
	return n;
}

static const char *layer_file(const char *folder, size_t i, const char *suffix)
{
	char hex[2 * HASH_SHA256_BYTES + 1], name[128];

	hex_encode(image->layer[i].root_hash, HASH_SHA256_BYTES, hex);
	(void)snprintf(name, sizeof(name), "%s/%s%s", folder, hex, suffix);
	return at(name);
}

int __wrap_verity_layer_prove(const char *path, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes, struct err *e);

int __wrap_verity_layer_prove(const char *path, const uint8_t root_hash[static HASH_SHA256_BYTES], uint64_t data_bytes, struct err *e)
{
	char hex[2 * HASH_SHA256_BYTES + 1], name[128];

	(void)data_bytes;
	assert_int_equal(strncmp(path, VERITY_LAYER_RUN_DIR "/", strlen(VERITY_LAYER_RUN_DIR) + 1), 0);
	hex_encode(root_hash, HASH_SHA256_BYTES, hex);
	(void)snprintf(name, sizeof(name), "open/%s", hex);
	return access(at(name), F_OK) == 0 ? 0 : err_set(e, EBADMSG, "it is not open");
}

/* Open if it is the layer that was signed; note that it was asked. A file "liar" says ok whatever it is. */
static void serve(int fd)
{
	for (;;) {
		static const char script[] = "echo \"$1\" >>asked; [ ! -e liar ] || exit 0; cmp -s pulled/$1.erofs signed/$1 && cmp -s pulled/$1.p7s signed/$1.p7s && : >open/$1";
		char request[512] = "";
		cleanup_fd int c = accept(fd, NULL, NULL);
		ssize_t n = recv(c, request, sizeof(request) - 1, 0);
		const char *const argv[] = {"sh", "-c", script, "sh", request + 6, NULL};
		struct proc_params p = {.argv = argv, .dir = dir, .quiet = 1};
		struct err e = ERR_INIT;
		const char *answer;

		if (n != 6 + 2 * HASH_SHA256_BYTES || strncmp(request, "layer ", 6) != 0)
			_exit(1);
		answer = proc_run(&p, &e) ? "refused not that tree" : "ok";
		(void)!send(c, answer, strlen(answer), MSG_NOSIGNAL);
	}
}

static void start_opener(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, at("opener.sock"));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 5), 0);
	opener = fork();
	if (opener == 0)
		serve(fd);
	(void)close(fd);
}

static void make_layout(void)
{
	static char big[BIG_BYTES + 1];
	cleanup_buf struct buf packed = BUF_INIT;
	struct buf tar[2] = {BUF_INIT, BUF_INIT};
	struct oci_blob diff[2];
	char text[2048];

	memset(big, 'b', BIG_BYTES);
	for (int i = 0; i < 2; i++) {
		uint8_t digest[HASH_SHA256_BYTES];

		tar_put(&tar[i], &(struct tar_entry){.name = i ? "upper" : "lower", .content = i ? "u" : big});
		tar_end(&tar[i]);
		hash_sha256(tar[i].data, tar[i].len, digest);
		strcpy(diff[i].digest, "sha256:");
		hex_encode(digest, sizeof(digest), diff[i].digest + 7);
	}
	oci_begin(at("store"));
	oci_pack("gzip -nc", &tar[0], &packed);
	blob[0] = oci_put(at("store"), packed.data, packed.len);
	blob[1] = oci_put(at("store"), tar[1].data, tar[1].len);
	(void)snprintf(text, sizeof(text),
		       "{\"architecture\":\"" ARCH "\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/upper\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}",
		       diff[0].digest, diff[1].digest);
	blob[2] = oci_put_text(at("store"), text);
	(void)snprintf(text, sizeof(text),
		       "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},\"layers\":["
		       "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"%s\",\"size\":%zu},"
		       "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}]}",
		       blob[2].digest, blob[2].bytes, blob[0].digest, blob[0].bytes, blob[1].digest, blob[1].bytes);
	blob[3] = oci_put_text(at("store"), text);
	(void)snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":%zu}]}",
		       blob[3].digest, blob[3].bytes);
	oci_write(at("store"), "index.json", text, strlen(text));
	buf_free(&tar[0]);
	buf_free(&tar[1]);
}

/* As the build machine does: converted and signed; then only the signatures keep their names. */
static int setup(void **state)
{
	struct policy_add_params a = {.arch = ARCH, .name = "hello", .layout = NULL};
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	run("mkdir store signed");
	owner_make(&owner, dir, "db");
	make_layout();
	assert_ok(policy_new("test", &policy, &e), &e);
	a.layout = strdup(at("store"));
	a.convert.folder = strdup(at("signed"));
	a.convert.by = owner.by;
	assert_ok(policy_add_image(policy, &a, &e), &e);
	free((char *)a.layout);
	free((char *)a.convert.folder);
	image = &policy->image[0];
	assert_int_equal(image->n_layers, 2);
	run("for f in signed/*.erofs; do mv $f ${f%.erofs}; done; rm store/index.json store/oci-layout; cp -r store sound");
	start_opener();
	host = (struct gate_host){.content = strdup(at("store")),
				  .pulled_dir = strdup(at("pulled")),
				  .layer_dir = strdup(at("signed")),
				  .opener = strdup(at("opener.sock"))};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (opener > 0) /* 0 would be our own group */
		(void)kill(opener, SIGKILL);
	(void)waitpid(opener, NULL, 0);
	policy_free(policy);
	owner_free(&owner);
	free((char *)host.content);
	free((char *)host.pulled_dir);
	free((char *)host.layer_dir);
	free((char *)host.opener);
	owner_remove_folder(dir);
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	run("rm -rf store pulled open asked liar && cp -r sound store && mkdir open");
	return 0;
}

static int pull(enum code *code, struct err *e)
{
	*code = CODE_NONE;
	return gate_pull(&host, policy, image, code, e);
}

static void assert_pulled(size_t want_asked)
{
	struct err e = ERR_INIT;
	enum code code;

	assert_ok(pull(&code, &e), &e);
	assert_int_equal(files_in("open"), 2);
	assert_int_equal(files_in("pulled"), 4); /* and no leftover */
	assert_int_equal(lines_of("asked"), want_asked);
}

/* Refused: with that code, and nothing of it stays. */
static void assert_not_pulled(enum code want, const char *part)
{
	struct err e = ERR_INIT;
	enum code code;
	int r = pull(&code, &e);

	if (!r || code != want || !strstr(e.msg, part))
		fail_msg("%d E%d \"%s\", wanted E%d \"%s\"", r, code, e.msg, want, part);
	assert_int_equal(files_in("open"), 0);
	assert_int_equal(files_in("pulled"), 0);
}

static void layers_are_converted_as_they_were_signed_and_opened(void **state)
{
	(void)state;
	assert_pulled(2); /* the opener compares byte by byte */
	assert_pulled(2); /* what is open is not asked for again */
}

static void a_layer_of_the_root_is_not_pulled(void **state)
{
	struct err e = ERR_INIT;
	enum code code;
	char command[512];

	(void)state;
	(void)snprintf(command, sizeof(command), "for f in signed/*.p7s; do cp ${f%%.p7s} ${f%%.p7s}.erofs; done; rm -r store");
	run(command);
	assert_ok(pull(&code, &e), &e);
	assert_int_equal(lines_of("asked"), 0);
	run("rm signed/*.erofs");
	assert_not_pulled(CODE_GATE_ABSENT, "cannot look at blob");
}

static void what_is_not_there_is_no_attempt_and_a_retry_works(void **state)
{
	char command[512];

	(void)state;
	for (int i = 3; i >= 0; i--) { /* manifest, configuration, layers: half a pull */
		(void)snprintf(command, sizeof(command), "rm -rf pulled; mv store/blobs/sha256/%s gone", blob[i].digest + 7);
		run(command);
		if (i == 1) {
			struct err e = ERR_INIT;
			enum code code;

			/* The lower layer is there, so it is made: only what is missing is made by the retry. */
			assert_refused(pull(&code, &e), &e, ENOENT, "pulled layer 1 of image \"hello\"");
			assert_int_equal(code, CODE_GATE_ABSENT);
			assert_int_equal(files_in("open"), 1);
		} else {
			assert_not_pulled(CODE_GATE_ABSENT, "blob");
		}
		(void)snprintf(command, sizeof(command), "mv gone store/blobs/sha256/%s", blob[i].digest + 7);
		run(command);
		run("rm -f asked");
		assert_pulled(i == 1 ? 1 : 2);
		run("rm -f open/* asked");
	}
}

static void one_changed_byte_anywhere_is_refused(void **state)
{
	static const struct {
		int blob;
		const char *part;
	} cases[] = {{3, "digest is"}, {2, "digest is"}, {0, "digest is"}};
	char command[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(command, sizeof(command), "rm -rf pulled; printf X | dd of=store/blobs/sha256/%s bs=1 seek=20 conv=notrunc 2>/dev/null",
			       blob[cases[i].blob].digest + 7);
		run(command);
		assert_not_pulled(CODE_GATE_LAYER, cases[i].part);
		run("rm -rf store && cp -r sound store");
	}
	assert_pulled(2);
}

/* The blob is the named one, and its tar too; what comes of it is not what was signed. */
static void another_root_hash_is_refused_before_it_has_a_name(void **state)
{
	uint8_t was[HASH_SHA256_BYTES];
	char command[512];

	(void)state;
	memcpy(was, image->layer[0].root_hash, sizeof(was));
	(void)snprintf(command, sizeof(command), "cp %s ", layer_file("signed", 0, ".p7s"));
	image->layer[0].root_hash[0] ^= 1;
	strcat(command, layer_file("signed", 0, ".p7s"));
	run(command);
	assert_not_pulled(CODE_GATE_LAYER, "not the one that was signed");
	(void)unlink(layer_file("signed", 0, ".p7s"));
	memcpy(image->layer[0].root_hash, was, sizeof(was));
	assert_pulled(2);
}

static void a_layer_cannot_be_larger_than_the_policy_says(void **state)
{
	uint64_t was = image->layer[0].data_bytes;

	(void)state;
	image->layer[0].data_bytes = 4096;
	assert_not_pulled(CODE_GATE_LAYER, "File too large");
	image->layer[0].data_bytes = was;
	assert_pulled(2);
}

static void a_revoked_layer_is_not_even_converted(void **state)
{
	(void)state;
	policy->revoked = calloc(1, HASH_SHA256_BYTES);
	memcpy(policy->revoked[0], image->layer[0].root_hash, HASH_SHA256_BYTES);
	policy->n_revoked = 1;
	assert_not_pulled(CODE_GATE_LAYER, "revoked");
	policy->n_revoked = 0;
	assert_int_equal(lines_of("asked"), 0);
}

static void the_openers_word_is_not_enough(void **state)
{
	(void)state;
	run(": >liar");
	assert_not_pulled(CODE_GATE_LAYER, "it is not open");
	run("rm liar asked");
	assert_pulled(2);
}

static void without_an_opener_the_work_is_kept_for_the_retry(void **state)
{
	const char *was = host.opener;
	struct err e = ERR_INIT;
	enum code code;

	(void)state;
	host.opener = "/nonexistent/socket";
	assert_refused(pull(&code, &e), &e, ENOENT, "cannot connect");
	assert_int_equal(code, CODE_GATE_ABSENT);
	assert_int_equal(files_in("pulled"), 2);
	host.opener = was;
	assert_pulled(2);
}

static void a_layer_that_is_there_and_does_not_open_is_made_anew(void **state)
{
	char command[1024];

	(void)state;
	(void)snprintf(command, sizeof(command), "mkdir pulled; echo garbage >%s; echo half >pulled/.convert-abcdef", layer_file("pulled", 0, ".erofs"));
	run(command);
	assert_pulled(3); /* asked for the garbage, too */
}

static void two_gates_that_want_the_same_make_it_once(void **state)
{
	pid_t pid[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct err e = ERR_INIT;
			enum code code;

			_exit(pull(&code, &e) != 0);
		}
	}
	for (int i = 0; i < 2; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	assert_pulled(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(layers_are_converted_as_they_were_signed_and_opened, fresh),
		cmocka_unit_test_setup(a_layer_of_the_root_is_not_pulled, fresh),
		cmocka_unit_test_setup(what_is_not_there_is_no_attempt_and_a_retry_works, fresh),
		cmocka_unit_test_setup(one_changed_byte_anywhere_is_refused, fresh),
		cmocka_unit_test_setup(another_root_hash_is_refused_before_it_has_a_name, fresh),
		cmocka_unit_test_setup(a_layer_cannot_be_larger_than_the_policy_says, fresh),
		cmocka_unit_test_setup(a_revoked_layer_is_not_even_converted, fresh),
		cmocka_unit_test_setup(the_openers_word_is_not_enough, fresh),
		cmocka_unit_test_setup(without_an_opener_the_work_is_kept_for_the_retry, fresh),
		cmocka_unit_test_setup(a_layer_that_is_there_and_does_not_open_is_made_anew, fresh),
		cmocka_unit_test_setup(two_gates_that_want_the_same_make_it_once, fresh),
	};

	return cmocka_run_group_tests_name("policy/gate_pull", tests, setup, teardown);
}
