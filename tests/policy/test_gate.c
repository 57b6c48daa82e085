/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/policy/test_gate.c - the gate from its command line to crun: what starts, what does not, and what stays behind
 *
 * Everything is real but three things: crun is a script that notes how it was called, PID 1 is a process of ours behind
 * the measurement socket, and mounting the layers (which needs root) is a function here. It stands in front of the
 * library's, so policy/gate_rootfs.c is not linked; tests/policy/test_gate_rootfs.c is its own.
 */
#include "tests/common/scratch.h"

#include "common/file.h"
#include "common/json.h"
#include "common/proc.h"
#include "policy/gate.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define HASH_A   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TEXT_MAX 16384

static const char policy_text[] =
	"{\"holdfast\":\"layer-policy/"
	"1\",\"name\":\"test\",\"version\":1,\"images\":[{\"name\":\"hello\",\"class\":\"default\","
	"\"manifest\":\"" HASH_A "\",\"config\":\"" HASH_A "\","
	"\"layers\":[{\"diff_id\":\"" HASH_A "\",\"root_hash\":\"" HASH_A "\",\"data_bytes\":4096}],"
	"\"run\":{\"args\":[[\"/bin/busybox\",\"echo\",\"hello\"]],\"exec\":[[\"/bin/"
	"busybox\",\"id\"]],\"env\":[\"PATH=/bin\"],"
	"\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":[],\"tmpfs\":[],\"network\":\"none\","
	"\"seccomp\":\"default\"}}],\"revoked\":[]}";

static char dir[] = "/tmp/holdfast-gate-XXXXXX";
static struct gate_host host;
static pid_t pid1;
static int rootfs_result;

int gate_rootfs_mount(const struct gate_host *h, const struct policy *policy, const struct policy_image *image,
		      const struct gate_state *s, struct err *e)
{
	assert_ptr_equal(h, &host);
	assert_non_null(policy);
	assert_true(!strcmp(image->name, "hello") || !strcmp(image->name, "other") || !strcmp(image->name, "third"));
	assert_int_equal(faccessat(s->fd, "rootfs", F_OK, 0), 0);
	return rootfs_result ? err_set(e, rootfs_result, "layer 0 of image \"hello\": test") : 0;
}

static const char *at(const char *name)
{
	return scratch_path(dir, name);
}

static void run(const char *command)
{
	scratch_run(dir, command);
}

static void put(const char *name, const char *text, mode_t mode)
{
	struct err e = ERR_INIT;

	assert_ok(file_write(at(name), text, strlen(text), mode, &e), &e);
}

/* The text of a file, "" if it is not there. */
static void get(const char *name, char ret[static TEXT_MAX])
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	ret[0] = '\0';
	if (file_read(at(name), TEXT_MAX - 1, &b, &e) == 0)
		memcpy(ret, b.data, b.len + 1);
}

static bool there(const char *name)
{
	return access(at(name), F_OK) == 0;
}

/* PID 1: note each request in "measured", answer with what stands in "answer". */
static void serve(int fd)
{
	for (;;) {
		char request[512], answer[TEXT_MAX];
		cleanup_fd int c = accept(fd, NULL, NULL);
		ssize_t n = recv(c, request, sizeof(request) - 1, 0);
		FILE *f = fopen(at("measured"), "a");

		if (n < 0 || !f)
			_exit(1);
		(void)fprintf(f, "%.*s\n", (int)n, request);
		(void)fclose(f);
		get("answer", answer);
		(void)!send(c, answer, strlen(answer), MSG_NOSIGNAL);
	}
}

static int setup(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	(void)state;
	assert_non_null(mkdtemp(dir));
	run("mkdir -p run etc/holdfast b");
	put("etc/holdfast/policy.json", policy_text, 0644);
	/* The command of docs/formats/layer-policy.md. */
	run("openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=t -keyout key.pem -out cert.pem && "
	    "openssl x509 -in cert.pem -outform der -out etc/holdfast/policy-cert.der && "
	    "openssl smime -sign -binary -noattr -nocerts -in etc/holdfast/policy.json -signer cert.pem -inkey key.pem "
	    "-outform der -out etc/holdfast/policy.json.p7s");
	put("crun",
	    "#!/bin/sh\nd=${0%/*}\necho \"$@\" >>\"$d/called\"\ncase \"$*\" in *state*) cat \"$d/state.json\" 2>/dev/null; exit $(cat \"$d/state\") ;; "
	    "esac\n"
	    "cat \"$d/crun-exit\" 2>/dev/null >&2 && exit 3\nexit 0\n",
	    0755);
	strcpy(addr.sun_path, at("measure.sock"));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 5), 0);
	pid1 = fork();
	if (pid1 == 0)
		serve(fd);
	(void)close(fd);
	host = (struct gate_host){.owner = geteuid()};
	host.run_dir = strdup(at("run"));
	host.policy_root = dir;
	host.layer_dir = "/nonexistent";
	host.bottom = "/nonexistent";
	host.crun = strdup(at("crun"));
	host.measure = strdup(at("measure.sock"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (pid1 > 0) /* 0 would be our own group */
		(void)kill(pid1, SIGKILL);
	(void)waitpid(pid1, NULL, 0);
	run("rm -rf \"$PWD\"");
	free((char *)host.run_dir);
	free((char *)host.crun);
	free((char *)host.measure);
	return 0;
}

/* Each test begins with a fresh folder, a good bundle, a willing PID 1 and layers that mount. */
static int fresh(void **state)
{
	cleanup_buf struct buf config = BUF_INIT, process = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	run("rm -rf run/gate state.json called measured b crun-exit log && mkdir b");
	assert_ok(file_read("tests/data/oci-config/good-ctr-run.json", 1 << 20, &config, &e), &e);
	put("b/config.json", (const char *)config.data, 0600);
	assert_ok(file_read("tests/data/oci-config/good-process-exec.json", 1 << 20, &process, &e), &e);
	put("process.json", (const char *)process.data, 0600);
	put("answer", "ok", 0600);
	put("state", "1", 0600);
	rootfs_result = 0;
	return 0;
}

struct outcome {
	int status; /* exit status of crun; -errno: refused */
	enum code code;
	struct err e;
};

/* Run the gate in a child, since it becomes crun. */
static struct outcome gate(const char *const *words)
{
	struct outcome o = {0};
	int report[2], status;
	pid_t pid;

	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct gate_command cmd = {0};
		char *argv[32] = {"holdfast-runtime"};
		int argc = 1;

		for (; words[argc - 1]; argc++)
			argv[argc] = (char *)words[argc - 1];
		o.code = CODE_GATE_VERB;
		o.status = gate_command_parse(argc, argv, &cmd, &o.e);
		if (!o.status)
			o.status = gate_run(&host, &cmd, &o.code, &o.e);
		if (o.status < 0)
			gate_measure_violation(host.measure, o.code, cmd.n_operand ? cmd.operand[0] : NULL);
		(void)!write(report[1], &o, sizeof(o));
		_exit(o.status < 0 ? 99 : o.status);
	}
	(void)close(report[1]);
	if (read(report[0], &o, sizeof(o)) != sizeof(o))
		o = (struct outcome){0}; /* it became crun */
	(void)close(report[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (o.status >= 0)
		o.status = WEXITSTATUS(status);
	return o;
}

#define gate(...) gate((const char *const[]){__VA_ARGS__, NULL})

static void assert_outcome(const struct outcome *o, enum code code, const char *part)
{
	char called[TEXT_MAX], measured[TEXT_MAX], want[32];

	if (o->status >= 0 || o->code != code || !strstr(o->e.msg, part))
		fail_msg("status %d E%d \"%s\", wanted E%d \"%s\"", o->status, o->code, o->e.msg, code, part);
	get("called", called);
	assert_string_equal(called, "");
	get("measured", measured);
	(void)snprintf(want, sizeof(want), "violation %d", code);
	assert_non_null(strstr(measured, want));
}

static void an_allowed_container_is_measured_and_then_started_from_our_bundle(void **state)
{
	char called[TEXT_MAX], measured[TEXT_MAX], want[512];
	struct outcome o = gate("--root", "/r", "create", "--bundle", at("b"), "--pid-file", "/p", "hello");
	struct stat st;

	(void)state;
	if (o.status)
		fail_msg("E%d %s", o.code, o.e.msg);
	get("measured", measured);
	assert_int_equal(strncmp(measured, "container hello ", 16), 0);
	get("called", called);
	(void)snprintf(want, sizeof(want), "--root=/r create --pid-file=/p --bundle=%s hello\n", at("run/gate/hello"));
	assert_string_equal(called, want);
	assert_int_equal(stat(at("run/gate/hello"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	get("run/gate/hello/entry", called);
	assert_int_equal(strncmp(called, "image = hello\nroot = /r\npid = ", 30), 0);
	get("run/gate/hello/config.json", called);
	assert_non_null(strstr(called, "\"noNewPrivileges\":true"));
	assert_null(strstr(called, "CAP_MKNOD"));
}

static void a_refused_container_is_a_violation_and_leaves_nothing(void **state)
{
	char measured[TEXT_MAX];
	struct outcome o;

	(void)state;
	run("sed -i 's/\"echo\"/\"cat\"/' b/config.json");
	o = gate("create", "--bundle", at("b"), "hello");
	assert_outcome(&o, CODE_GATE_ARGS, "process.args");
	get("measured", measured);
	assert_string_equal(measured, "violation 62 hello\n"); /* and whose it was */
	assert_false(there("run/gate/hello"));
}

static void a_layer_that_does_not_open_is_refused_and_leaves_nothing(void **state)
{
	struct outcome o;

	(void)state;
	rootfs_result = EKEYREJECTED;
	o = gate("create", "--bundle", at("b"), "hello");
	assert_outcome(&o, CODE_GATE_LAYER, "layer 0");
	assert_false(there("run/gate/hello"));
	assert_true(there("run/gate/lock"));
}

static void without_measurement_nothing_starts(void **state)
{
	const char *sock = host.measure;
	struct outcome o;

	(void)state;
	put("answer", "refused the policy is another", 0600);
	o = gate("create", "--bundle", at("b"), "hello");
	assert_outcome(&o, CODE_GATE_MEASURE, "\"refused the policy is another\"");
	assert_false(there("run/gate/hello"));
	put("answer", "okay", 0600);
	o = gate("create", "--bundle", at("b"), "hello");
	assert_outcome(&o, CODE_GATE_MEASURE, "\"okay\"");
	put("answer", "", 0600);
	o = gate("create", "--bundle", at("b"), "hello");
	assert_outcome(&o, CODE_GATE_MEASURE, "\"\"");
	host.measure = "/nonexistent/socket";
	o = gate("create", "--bundle", at("b"), "hello");
	host.measure = sock;
	assert_int_equal(o.code, CODE_GATE_MEASURE);
	assert_false(there("called"));
	assert_false(there("run/gate/hello"));
}

static void a_policy_that_is_not_signed_starts_nothing(void **state)
{
	struct outcome o;

	(void)state;
	run("sed -i 's/\"version\":1/\"version\":2/' etc/holdfast/policy.json");
	o = gate("create", "--bundle", at("b"), "hello");
	run("sed -i 's/\"version\":2/\"version\":1/' etc/holdfast/policy.json");
	assert_outcome(&o, CODE_GATE_POLICY, "policy.json");
	o = gate("create", "--bundle", at("b"), "hello");
	assert_int_equal(o.status, 0);
}

static void a_bundle_that_others_could_have_written_is_refused(void **state)
{
	static const struct {
		const char *command;
		const char *part;
	} bad[] = {
		{"mv b c && ln -s c b", "cannot open the bundle"},
		{"mv b/config.json c.json && ln -s ../c.json b/config.json", "cannot open config.json"},
		{"rm b/config.json && mkfifo b/config.json", "is not a regular file"},
		{"rm b/config.json && mkdir b/config.json", "is not a regular file"},
		{"rm b/config.json", "cannot open config.json"},
		{"chmod 0777 b", "no other writers"},
		{"chmod 0666 b/config.json", "no other writers"},
		{"head -c 1100000 /dev/zero >b/config.json", "larger than"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct outcome o;

		assert_int_equal(fresh(state), 0);
		run(bad[i].command);
		o = gate("create", "--bundle", at("b"), "hello");
		assert_outcome(&o, CODE_GATE_BUNDLE, bad[i].part);
		assert_false(there("run/gate/hello"));
		run("rm -rf b c c.json");
	}
}

static void our_folder_is_not_used_if_others_could_write_it(void **state)
{
	struct outcome o;

	(void)state;
	run("mkdir -p run/gate && chmod 0755 run/gate");
	o = gate("create", "--bundle", at("b"), "hello");
	assert_outcome(&o, CODE_GATE_BUNDLE, "folder gate");
	run("rm -rf run/gate && mkdir x && ln -s ../x run/gate");
	o = gate("create", "--bundle", at("b"), "hello");
	assert_outcome(&o, CODE_GATE_BUNDLE, "folder gate");
	run("rm -rf run/gate x && chmod 0777 run");
	o = gate("create", "--bundle", at("b"), "hello");
	run("chmod 0755 run");
	assert_outcome(&o, CODE_GATE_BUNDLE, "none of 0022");
}

static void an_id_in_use_is_refused_and_a_dead_one_is_used_again(void **state)
{
	char called[TEXT_MAX];
	struct outcome o = gate("create", "--bundle", at("b"), "hello");

	(void)state;
	assert_int_equal(o.status, 0);
	put("state", "0", 0600); /* crun knows it */
	run("rm called");
	o = gate("create", "--bundle", at("b"), "hello");
	assert_int_equal(o.code, CODE_GATE_BUNDLE);
	assert_non_null(strstr(o.e.msg, "already there"));
	get("called", called);
	assert_string_equal(called, "--root=/run/crun state hello\n");
	put("state", "1", 0600); /* crun does not */
	o = gate("--root", "/other", "create", "--bundle", at("b"), "hello");
	assert_int_equal(o.code, CODE_GATE_BUNDLE);
	assert_non_null(strstr(o.e.msg, "already there"));
	o = gate("create", "--bundle", at("b"), "hello");
	assert_int_equal(o.status, 0);
}

static void exec_is_held_to_the_entry_of_the_container(void **state)
{
	char called[TEXT_MAX], text[TEXT_MAX];
	struct outcome o = gate("create", "--bundle", at("b"), "hello");
	const char *process;

	(void)state;
	assert_int_equal(o.status, 0);
	run("rm called");
	o = gate("exec", "--process", at("process.json"), "--detach", "hello");
	if (o.status)
		fail_msg("E%d %s", o.code, o.e.msg);
	get("called", called);
	process = strstr(called, "--process=");
	assert_non_null(process);
	assert_non_null(strstr(process, "/run/gate/hello/process-"));
	run("cat run/gate/hello/process-*.json >seen");
	get("seen", text);
	assert_non_null(strstr(text, "\"args\":[\"/bin/busybox\",\"id\"]"));
	run("rm called; sed -i 's/\"id\"/\"sh\"/' process.json");
	o = gate("exec", "--process", at("process.json"), "hello");
	assert_outcome(&o, CODE_GATE_EXEC, "none of the 1 vectors");
}

static void exec_into_what_the_gate_did_not_create_is_refused(void **state)
{
	struct outcome o = gate("exec", "--process", at("process.json"), "hello");

	(void)state;
	assert_outcome(&o, CODE_GATE_EXEC, "is no container of the gate");
	o = gate("create", "--bundle", at("b"), "hello");
	assert_int_equal(o.status, 0);
	run("rm called");
	o = gate("--root", "/other", "exec", "--process", at("process.json"), "hello");
	assert_outcome(&o, CODE_GATE_EXEC, "another --root");
	run("sed -i 's/hello/gone/' run/gate/hello/entry");
	o = gate("exec", "--process", at("process.json"), "hello");
	assert_outcome(&o, CODE_GATE_EXEC, "no image \"gone\"");
}

static void delete_takes_our_folder_away_once_crun_let_go(void **state)
{
	char called[TEXT_MAX];
	struct outcome o = gate("create", "--bundle", at("b"), "hello");

	(void)state;
	assert_int_equal(o.status, 0);
	put("crun-exit", "it runs\n", 0600);
	o = gate("delete", "hello");
	assert_int_equal(o.status, 3);
	assert_true(there("run/gate/hello/entry"));
	run("rm crun-exit called");
	o = gate("delete", "--force", "hello");
	assert_int_equal(o.status, 0);
	assert_false(there("run/gate/hello"));
	get("called", called);
	assert_string_equal(called, "delete --force hello\n");
	o = gate("delete", "--force", "hello"); /* as engines do after a refusal */
	assert_int_equal(o.status, 0);
}

static void verbs_that_only_look_pass_and_others_do_not(void **state)
{
	char called[TEXT_MAX];
	struct outcome o = gate("state", "hello");

	(void)state;
	assert_int_equal(o.status, 1);
	get("called", called);
	assert_string_equal(called, "state hello\n");
	run("rm called");
	o = gate("restore", "hello");
	assert_outcome(&o, CODE_GATE_VERB, "\"restore\"");
}

static void a_refusal_is_in_the_log_the_engine_reads(void **state)
{
	struct gate_command cmd = {.log = at("log"), .log_json = true};
	cleanup_json json_object *o = NULL;
	struct err e = ERR_INIT;
	char text[TEXT_MAX];
	json_object *v = NULL;

	(void)state;
	assert_ok(gate_report(&cmd, CODE_GATE_NO_ENTRY, "no image \"x\x1b[31m\"\n\xc3\xa9", &e), &e);
	get("log", text);
	assert_ok(json_parse(text, strlen(text), "log", &o, &e), &e);
	assert_true(json_object_object_get_ex(o, "level", &v));
	assert_string_equal(json_str(v), "error");
	assert_true(json_object_object_get_ex(o, "msg", &v));
	assert_string_equal(json_str(v), "holdfast: E61 the layer policy names no such image: no image \"x?[31m\"???");
	assert_true(json_object_object_get_ex(o, "time", &v));
	run("rm log && ln -s target log");
	assert_refused(gate_report(&cmd, CODE_GATE_NO_ENTRY, "x", &e), &e, ELOOP, "cannot open the log");
	assert_false(there("target"));
}

/* --- classes --------------------------------------------------------------------------------------------------- */

#define IMAGE(name, class, id)                                                                                         \
	"{\"name\":\"" name "\",\"class\":\"" class "\",\"manifest\":\"" HASH_A "\",\"config\":\"" HASH_A "\","            \
	"\"layers\":[{\"diff_id\":\"" HASH_A "\",\"root_hash\":\"" HASH_A "\",\"data_bytes\":4096}],"                     \
	"\"run\":{\"args\":[[\"/bin/busybox\",\"echo\",\"hello\"]],\"exec\":[],\"env\":[\"PATH=/bin\"],"                   \
	"\"cwd\":\"/\",\"user\":{\"uid\":" id ",\"gid\":" id "},\"capabilities\":[],\"tmpfs\":[],\"network\":\"none\","    \
	"\"seccomp\":\"default\"}}"

static char classed[64];

/* hello and other are kept apart, third is of a class that minds nobody. */
static void with_classes(void)
{
	run("mkdir -p classed/etc/holdfast && cp etc/holdfast/policy-cert.der classed/etc/holdfast");
	put("classed/etc/holdfast/policy.json",
	    "{\"holdfast\":\"layer-policy/1\",\"name\":\"test\",\"version\":1,\"classes\":["
	    "{\"name\":\"a\",\"ids\":{\"first\":0,\"last\":0},\"apart\":[]},"
	    "{\"name\":\"b\",\"ids\":{\"first\":5,\"last\":9},\"apart\":[\"a\"]},"
	    "{\"name\":\"c\",\"ids\":{\"first\":10,\"last\":10},\"apart\":[]}],"
	    "\"images\":[" IMAGE("hello", "a", "0") "," IMAGE("other", "b", "5") "," IMAGE("third", "c", "10") "],\"revoked\":[]}",
	    0644);
	run("openssl smime -sign -binary -noattr -nocerts -in classed/etc/holdfast/policy.json -signer cert.pem -inkey key.pem "
	    "-outform der -out classed/etc/holdfast/policy.json.p7s");
	(void)snprintf(classed, sizeof(classed), "%s/classed", dir);
	host.policy_root = classed;
}

/* Start a container of that name and user; the bundle is made for it. */
static struct outcome start_as(const char *id, const char *user)
{
	char command[256];

	(void)snprintf(command, sizeof(command),
		       "sed -i 's/\"uid\": [0-9]*, \"gid\": [0-9]*/\"uid\": %s, \"gid\": %s/; s#/default/[a-z0-9-]*#/default/%s#' "
		       "b/config.json; rm -f called measured",
		       user, user, id);
	run(command);
	return gate("create", "--bundle", at("b"), id);
}

static void classes_that_are_apart_do_not_run_at_the_same_time(void **state)
{
	char text[TEXT_MAX];
	struct outcome o;

	(void)state;
	with_classes();
	o = start_as("hello", "0");
	assert_int_equal(o.status, 0);
	put("state", "0", 0600); /* crun knows it, and says nothing of its being stopped */
	o = start_as("other-1", "5");
	get("called", text);
	assert_non_null(strstr(text, " state hello")); /* it was asked, and nothing else was called */
	assert_null(strstr(text, "create"));
	run("rm -f called");
	assert_outcome(&o, CODE_GATE_CLASS, "class \"b\" must not run beside class \"a\", of which container \"hello\" is running");
	assert_false(there("run/gate/other-1"));
	o = start_as("third", "10"); /* the twin: nobody minds */
	assert_int_equal(o.status, 0);
	o = start_as("hello-2", "0"); /* nor in one class */
	assert_int_equal(o.status, 0);
	put("state.json", "{\"status\":\"running\"}", 0600);
	o = start_as("other-1", "5");
	assert_int_equal(o.code, CODE_GATE_CLASS);
	put("state.json", "{\"status\":\"stopped\"}", 0600);
	o = start_as("other-1", "5");
	assert_int_equal(o.status, 0);
	put("state.json", "{\"status\":\"running\"}", 0600);
	o = start_as("hello-3", "0"); /* only b named a; it holds the other way too */
	assert_int_equal(o.code, CODE_GATE_CLASS);
	host.policy_root = dir;
}

/* Between the gate's last check and crun's first note of a container, only its process tells of it. */
static void one_that_is_only_being_started_counts(void **state)
{
	char text[TEXT_MAX];
	struct outcome o;
	pid_t starting = fork(); /* not ourselves: qemu-user makes up what a process reads of itself */

	(void)state;
	assert_true(starting >= 0);
	if (starting == 0) {
		(void)sleep(60);
		_exit(0);
	}
	with_classes();
	assert_int_equal(start_as("hello", "0").status, 0);
	assert_true(gate_process_start(starting) > 1);
	(void)snprintf(text, sizeof(text), "image = hello\nroot = /run/crun\npid = %d\nstart = %llu\n", (int)starting,
		       (unsigned long long)gate_process_start(starting));
	put("run/gate/hello/entry", text, 0600);
	o = start_as("other", "5");
	assert_int_equal(o.code, CODE_GATE_CLASS);
	/* The number of a process that came later is not it. */
	(void)snprintf(text, sizeof(text), "image = hello\nroot = /run/crun\npid = %d\nstart = %llu\n", (int)starting,
		       (unsigned long long)gate_process_start(starting) - 1);
	put("run/gate/hello/entry", text, 0600);
	o = start_as("other", "5");
	assert_int_equal(o.status, 0);
	/* What cannot be read is not taken for nothing. */
	put("run/gate/other/entry", "image = other\n", 0600);
	o = start_as("hello-2", "0");
	assert_int_equal(o.code, CODE_GATE_CLASS);
	host.policy_root = dir;
	assert_int_equal(kill(starting, SIGKILL), 0);
	assert_int_equal(waitpid(starting, NULL, 0), starting);
}

static void each_class_has_a_cgroup_of_its_own(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	with_classes();
	assert_int_equal(start_as("third", "10").status, 0);
	get("run/gate/third/config.json", text);
	assert_non_null(strstr(text, "\"cgroupsPath\":\"/class.c/third\""));
	host.policy_root = dir;
	assert_int_equal(start_as("hello", "0").status, 0); /* without classes it is where the engine wants it */
	get("run/gate/hello/config.json", text);
	assert_non_null(strstr(text, "\"cgroupsPath\":\"/default/hello\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_allowed_container_is_measured_and_then_started_from_our_bundle, fresh),
		cmocka_unit_test_setup(a_refused_container_is_a_violation_and_leaves_nothing, fresh),
		cmocka_unit_test_setup(a_layer_that_does_not_open_is_refused_and_leaves_nothing, fresh),
		cmocka_unit_test_setup(without_measurement_nothing_starts, fresh),
		cmocka_unit_test_setup(a_policy_that_is_not_signed_starts_nothing, fresh),
		cmocka_unit_test_setup(a_bundle_that_others_could_have_written_is_refused, fresh),
		cmocka_unit_test_setup(our_folder_is_not_used_if_others_could_write_it, fresh),
		cmocka_unit_test_setup(an_id_in_use_is_refused_and_a_dead_one_is_used_again, fresh),
		cmocka_unit_test_setup(exec_is_held_to_the_entry_of_the_container, fresh),
		cmocka_unit_test_setup(exec_into_what_the_gate_did_not_create_is_refused, fresh),
		cmocka_unit_test_setup(delete_takes_our_folder_away_once_crun_let_go, fresh),
		cmocka_unit_test_setup(verbs_that_only_look_pass_and_others_do_not, fresh),
		cmocka_unit_test_setup(a_refusal_is_in_the_log_the_engine_reads, fresh),
		cmocka_unit_test_setup(classes_that_are_apart_do_not_run_at_the_same_time, fresh),
		cmocka_unit_test_setup(one_that_is_only_being_started_counts, fresh),
		cmocka_unit_test_setup(each_class_has_a_cgroup_of_its_own, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
