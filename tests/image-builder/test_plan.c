/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/image-builder/test_plan.c - a plan tells what is wrong before anything is written
 *
 * A whole plan needs a tree of packages; tests/vm builds and boots from one. Here each input is made good in turn, and the
 * next one's error is what must come.
 */
#include "tests/image-builder/make.h"

#include "image-builder/keys.h"
#include "image-builder/oci_make.h"
#include "image-builder/plan.h"

static const char board[] =
	"arch = x86_64\nstub = usr/lib/stub\nloader = usr/lib/loader\nmodule.boot = dm-verity\nqemu = q\nqemu.machine = q35\nqemu.cpu = max\n"
	"qemu.memory = 512\nqemu.tpm = tpm-tis\nfirmware.code = usr/code\nfirmware.vars = usr/vars\n";

/* struct world - the inputs of one plan, below one folder */
struct world {
	char folder[64];
	struct plan_params p;
};

static void refuse(struct world *w, int code, const char *part)
{
	static struct plan plan;
	struct err e = ERR_INIT;
	int r = plan_make(&plan, &w->p, &e);

	plan_free(&plan);
	plan = (struct plan){ 0 };
	assert_refused(r, &e, code, part);
	assert_int_not_equal(access(w->p.out, F_OK), 0); /* nothing was written */
}

static void make_layout(struct world *w)
{
	static const char *const entrypoint[] = { "/x" };
	const char *tree[1] = { in(w->folder, "layer") };
	const struct oci_make_params p = { .tree = tree,
					   .n_trees = 1,
					   .out = in(w->folder, "oci"),
					   .tag = "1",
					   .arch = "amd64",
					   .epoch = 1700000000,
					   .entrypoint = entrypoint,
					   .n_entrypoint = 1 };
	struct err e = ERR_INIT;

	make_file(w->folder, "layer/x", "x", 1);
	assert_ok(oci_make(&p, &e), &e);
}

static void begin(struct world *w)
{
	make_folder(w->folder);
	w->p = (struct plan_params){ .board = in(w->folder, "board"),
				     .engine = "tests/data/engine/good-least",
				     .tree = in(w->folder, "tree"),
				     .programs = in(w->folder, "programs"),
				     .keys = in(w->folder, "keys"),
				     .out = in(w->folder, "out"),
				     .name = "demo",
				     .version = 1 };
}

/* All that a plan needs but an image. */
static void begin_whole(struct world *w)
{
	struct err e = ERR_INIT;

	begin(w);
	make_file(w->folder, "board/board.conf", board, strlen(board));
	assert_ok(keys_make(w->p.keys, NULL, &e), &e);
	make_file(w->folder, "tree/usr/lib/modules/6.1-x/kernel/dm-verity.ko", "no module", 9);
	make_file(w->folder, "tree/usr/lib/modules/6.1-x/modules.builtin", "", 0);
	make_file(w->folder, "tree/boot/vmlinuz-6.1-x", "k", 1);
	make_file(w->folder, "tree/usr/lib/stub", "s", 1);
	make_file(w->folder, "tree/usr/lib/loader", "l", 1);
	make_file(w->folder, "tree/usr/bin/mkfs.erofs", "m", 1);
	make_file(w->folder, "tree/usr/lib64/ld-linux-x86-64.so.2", "l", 1);
	make_file(w->folder, "tree/usr/lib/ld-linux-aarch64.so.1", "l", 1);
}

static void each_missing_input_is_named_in_turn(void **state)
{
	struct world w;
	struct err e = ERR_INIT;

	(void)state;
	begin(&w);
	refuse(&w, ENOENT, "board.conf");
	make_file(w.folder, "board/board.conf", board, strlen(board));
	refuse(&w, ENOENT, "PK.pem");
	assert_ok(keys_make(w.p.keys, NULL, &e), &e);
	refuse(&w, ENOENT, "/tree");
	make_file(w.folder, "tree/usr/lib/modules/6.1-x/kernel/dm-verity.ko", "no module", 9);
	refuse(&w, ENOENT, "boot/vmlinuz-6.1-x");
	make_file(w.folder, "tree/usr/lib/modules/6.1-x/modules.builtin", "", 0);
	make_file(w.folder, "tree/boot/vmlinuz-6.1-x", "k", 1);
	refuse(&w, ENOENT, "usr/lib/stub");
	make_file(w.folder, "tree/usr/lib/stub", "s", 1);
	refuse(&w, ENOENT, "usr/lib/loader");
	make_file(w.folder, "tree/usr/lib/loader", "l", 1);
	refuse(&w, ENOENT, "mkfs.erofs");
	make_file(w.folder, "tree/usr/bin/mkfs.erofs", "m", 1);
	make_file(w.folder, "tree/usr/lib64/ld-linux-x86-64.so.2", "l", 1);
	make_file(w.folder, "tree/usr/lib/ld-linux-aarch64.so.1", "l", 1);
	refuse(&w, EINVAL, "no image is named");
	make_layout(&w);
	w.p.image[0] = in(w.folder, "oci:1");
	w.p.n_images = 1;
	refuse(&w, EINVAL, "dm-verity.ko"); /* the module is none */
	drop_folder(w.folder);
}

static void wrong_words_on_the_command_line_are_named(void **state)
{
	static const struct {
		const char *image, *tmpfs, *task, *part;
		int code;
	} bad[] = {
		{ "oci", NULL, NULL, "wanted [NAME=]LAYOUT:TAG", EINVAL },
		{ "oci:", NULL, NULL, "wanted [NAME=]LAYOUT:TAG", EINVAL },
		{ "Hello=%s/oci:1", NULL, NULL, "\"Hello\"", EINVAL },
		{ "hello=%s/oci:2", NULL, NULL, "2", ENOENT },
		{ "hello=%s/none:1", NULL, NULL, "none", ENOENT },
		{ "hello=%s/oci:1", "other=/tmp", NULL, "--tmpfs \"other=/tmp\"", EINVAL },
		{ "hello=%s/oci:1", "hello=/tmp", "ctr run", "--task \"ctr run\"", EINVAL },
		{ "hello=%s/oci:1", "hello=/tmp", "/usr/bin/ctr", "dm-verity.ko",
		  EINVAL }, /* all words good: the next check */
	};
	struct world w;

	(void)state;
	begin_whole(&w);
	make_layout(&w);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char image[256];

		(void)snprintf(image, sizeof(image), bad[i].image, w.folder); /* short */
		w.p.image[0] = image;
		w.p.n_images = 1;
		w.p.tmpfs[0] = bad[i].tmpfs;
		w.p.n_tmpfs = bad[i].tmpfs ? 1 : 0;
		w.p.task[0] = bad[i].task;
		w.p.n_tasks = bad[i].task ? 1 : 0;
		refuse(&w, bad[i].code, bad[i].part);
	}
	drop_folder(w.folder);
}

/* The layout's one layer, packed by gzip: its manifest and its index are rewritten. */
static void pack_layout(const struct world *w)
{
	static const char script[] = "cd \"$1/oci/blobs/sha256\" && m=$(grep -l layer.v1.tar *) && t=$(sed 's/.*layer.v1.tar\",\"digest\":\"sha256:\\([0-9a-f]*\\).*/\\1/' $m) && "
				     "sed \"s/layer.v1.tar/&+gzip/\" $m >new && n=$(sha256sum new | cut -d ' ' -f 1) && "
				     "sed -i \"s/$m\\\",\\\"size\\\":[0-9]*/$n\\\",\\\"size\\\":$(stat -c %s new)/\" ../../index.json && mv new $n && rm $m && [ -e $t ]";
	const char *const argv[] = { "sh", "-c", script, "sh", w->folder, NULL };
	struct proc_params p = { .argv = argv, .quiet = 1 };
	struct err e = ERR_INIT;

	assert_ok(proc_run(&p, &e), &e);
}

static void what_cannot_be_pulled_is_said_so(void **state)
{
	struct world w;

	(void)state;
	begin_whole(&w);
	make_layout(&w);
	w.p.pulled[0] = in(w.folder, "oci:1");
	w.p.n_pulled = 1;
	w.p.engine = "engines/containerd";
	refuse(&w, EINVAL, "dm-verity.ko"); /* all good: the next check. A host may have no other image */
	w.p.engine = "engines/podman";
	refuse(&w, EINVAL, "keeps no blobs");
	w.p.engine = "engines/containerd";
	w.p.policy = "/policy.json";
	refuse(&w, EINVAL, "--pulled with --policy");
	w.p.policy = NULL;
	w.p.image[0] = w.p.pulled[0];
	w.p.n_images = 1;
	refuse(&w, EEXIST, "two images have the name");
	w.p.n_images = 0;
	pack_layout(&w);
	refuse(&w, ENOENT, "needs /usr/bin/gzip");
	w.p.engine = "engines/containerd-pull"; /* it has it */
	refuse(&w, EINVAL, "dm-verity.ko");
	drop_folder(w.folder);
}

static void an_output_folder_that_cannot_be_used_is_named(void **state)
{
	static struct plan plan;
	struct world w;
	struct err e = ERR_INIT;

	(void)state;
	begin(&w);
	make_file(w.folder, "board/board.conf", board, strlen(board));
	assert_ok(keys_make(w.p.keys, NULL, &e), &e);
	w.p.out = "/dev/null/out";
	refuse(&w, ENOTDIR, "/dev/null/out");
	w.p.out = "/proc/holdfast-out";
	refuse(&w, ENOENT, "/proc/holdfast-out");
	make_file(w.folder, "home/letters", "x", 1);
	w.p.out = in(w.folder, "home");
	assert_refused(plan_make(&plan, &w.p, &e), &e, EEXIST, "it is not touched");
	plan_free(&plan);
	assert_int_equal(access(in(w.folder, "home/letters"), F_OK), 0);
	drop_folder(w.folder);
}

static void a_malformed_policy_is_named(void **state)
{
	struct world w;

	(void)state;
	begin_whole(&w);
	make_file(w.folder, "policy.json", "{\"holdfast\":", 12);
	w.p.policy = in(w.folder, "policy.json");
	w.p.layers = w.folder;
	refuse(&w, EINVAL, "policy.json");
	drop_folder(w.folder);
}

/* The manifest of a host with @n images of the policy, one foreign one, and a task. */
static int host_conf(size_t n, bool unseeded, const char *seed, struct buf *ret, struct err *e)
{
	static struct plan_params p;
	static struct plan plan;
	int r;

	p = (struct plan_params){ .n_images = n, .n_foreign = 1, .n_tasks = 1, .unseeded = unseeded, .task = { "/bin/task" } };
	plan = (struct plan){ .p = &p, .n_images = n + 1 };
	plan.engine = (struct engine){ .argv = "/bin/engine --x", .ready = "/sock", .seed = seed };
	plan.board.agent_tls = plan.board.watchdog = "";
	plan.board.on_failure = "halt";
	plan.board.state = "none";
	for (size_t i = 0; i < n + 1; i++)
		(void)snprintf(plan.image[i].name, sizeof(plan.image[i].name), i < n ? "image-%zu" : "foreign-%zu", i);
	assert_ok(fileset_text(&plan.root, "bin/engine", "an engine", e), e);
	r = plan_host_conf(&plan, ret, e);
	fileset_free(&plan.root);
	return r;
}

static void the_engines_digest_is_that_of_the_file_in_the_root(void **state)
{
	struct plan_params p = { .n_images = 0 };
	struct plan plan = { .p = &p, .engine = { .argv = "/bin/engine --x", .seed = "" } };
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(host_conf(1, true, "", &text, &e), &e);
	assert_non_null(strstr((const char *)text.data, "\nengine.argv = /bin/engine --x\nengine.sha256 = "
							"48189993a28ac7ea2c871d7c7c3ba80052d50958868ff560d01913094889afc8\n"));
	buf_free(&text);
	plan.board.state = "none";
	assert_refused(plan_host_conf(&plan, &text, &e), &e, ENOENT, "/bin/engine");
	buf_free(&text);
}

static void the_engine_is_told_of_the_policys_images_before_any_task(void **state)
{
	static const struct {
		bool unseeded;
		const char *seed, *want;
	} cases[] = {
		{ false, "/bin/import -x", "task = /bin/import -x /usr/lib/holdfast/images/image-0.tar\n"
					   "task = /bin/import -x /usr/lib/holdfast/images/image-1.tar\ntask = /bin/task\non_tasks_done" },
		{ true, "/bin/import -x", "\ntask = /bin/task\non_tasks_done" },
		{ false, "", "\ntask = /bin/task\non_tasks_done" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf text = BUF_INIT;
		struct err e = ERR_INIT;

		assert_ok(host_conf(2, cases[i].unseeded, cases[i].seed, &text, &e), &e);
		if (!strstr((const char *)text.data, cases[i].want) || strstr((const char *)text.data, "foreign") ||
		    (i && strstr((const char *)text.data, "import")))
			fail_msg("case %zu: %s", i, (const char *)text.data);
		buf_free(&text);
	}
}

static void more_images_than_a_manifest_holds_are_refused(void **state)
{
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(host_conf(15, false, "/import", &text, &e), &e);
	buf_free(&text);
	assert_refused(host_conf(16, false, "/import", &text, &e), &e, E2BIG, "16 images to tell the engine of and 1 tasks");
	assert_ok(host_conf(16, true, "/import", &text, &e), &e);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_missing_input_is_named_in_turn),
		cmocka_unit_test(wrong_words_on_the_command_line_are_named),
		cmocka_unit_test(what_cannot_be_pulled_is_said_so),
		cmocka_unit_test(an_output_folder_that_cannot_be_used_is_named),
		cmocka_unit_test(a_malformed_policy_is_named),
		cmocka_unit_test(the_engines_digest_is_that_of_the_file_in_the_root),
		cmocka_unit_test(the_engine_is_told_of_the_policys_images_before_any_task),
		cmocka_unit_test(more_images_than_a_manifest_holds_are_refused),
	};

	return cmocka_run_group_tests_name("image-builder/plan", tests, NULL, NULL);
}
