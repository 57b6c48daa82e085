/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/test_gate_command.c - what engines call passes, anything else of runc's and crun's command line does not
 */
#include "tests/common/check.h"

#include "policy/gate.h"

#define MAX_LINE 512

/* Split @line at blanks and parse it. Return: gate_command_parse()'s. */
static int parse(const char *line, struct gate_command *cmd, char store[static MAX_LINE], struct err *e)
{
	char *argv[40] = {NULL}, *save = NULL;
	int argc = 0;

	assert_true(strlen(line) < MAX_LINE);
	strcpy(store, line);
	for (char *w = strtok_r(store, " ", &save); w && argc < 39; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	*cmd = (struct gate_command){0};
	return gate_command_parse(argc, argv, cmd, e);
}

static void join(const char *const *argv, char ret[static MAX_LINE])
{
	ret[0] = '\0';
	for (; *argv; argv++) {
		assert_true(strlen(ret) + strlen(*argv) + 2 < MAX_LINE);
		strcat(ret, *argv);
		strcat(ret, argv[1] ? " " : "");
	}
}

/* As containerd's shim, conmon and podman called it (captured with containerd 1.7.24, podman 5.4.2, conmon 2.1.12). */
static void calls_of_engines_are_written_anew_for_crun(void **state)
{
	static const struct {
		const char *line;
		enum gate_verb kind;
		const char *extra;
		const char *crun;
	} cases[] = {
		{"rt --root /run/r --log /b/log.json --log-format json create --bundle /b --pid-file /b/init.pid hello",
		 GATE_CREATE, "--bundle=/ours",
		 "crun --root=/run/r --log=/b/log.json --log-format=json create --pid-file=/b/init.pid "
		 "--bundle=/ours hello"},
		{"rt create --bundle /b --pid-file /p --console-socket /var/tmp/s 0123", GATE_CREATE, "--bundle=/ours",
		 "crun create --pid-file=/p --console-socket=/var/tmp/s --bundle=/ours 0123"},
		{"rt create -b /b hello", GATE_CREATE, "--bundle=/ours", "crun create --bundle=/ours hello"},
		{"rt run --detach hello", GATE_CREATE, "--bundle=/ours", "crun run --detach --bundle=/ours hello"},
		{"rt --log-format=json --log=/l exec --process /p.json --detach --pid-file /pid hello", GATE_EXEC,
		 "--process=/ours",
		 "crun --log-format=json --log=/l exec --detach --pid-file=/pid --process=/ours hello"},
		{"rt --root /r start hello", GATE_PASS, NULL, "crun --root=/r start hello"},
		{"rt --root /run/holdfasten start hello", GATE_PASS, NULL, "crun --root=/run/holdfasten start hello"},
		{"rt kill --all hello 9", GATE_PASS, NULL, "crun kill --all hello 9"},
		{"rt kill hello SIGTERM", GATE_PASS, NULL, "crun kill hello SIGTERM"},
		{"rt delete --force hello", GATE_DELETE, NULL, "crun delete --force hello"},
		{"rt ps --format json hello", GATE_PASS, NULL, "crun ps --format=json hello"},
		{"rt state hello", GATE_PASS, NULL, "crun state hello"},
		{"rt list --format json", GATE_PASS, NULL, "crun list --format=json"},
		{"rt update --memory 1000000 --cpuset-cpus 0-1 hello", GATE_PASS, NULL,
		 "crun update --memory=1000000 --cpuset-cpus=0-1 hello"},
		{"rt features", GATE_PASS, NULL, "crun features"},
		{"rt --version", GATE_PASS, NULL, "crun --version"},
		{"rt start -- hello", GATE_PASS, NULL, "crun start hello"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *argv[3 * GATE_MAX_ARGS];
		char store[MAX_LINE], line[MAX_LINE];
		struct gate_command cmd;
		struct err e = ERR_INIT;

		assert_ok(parse(cases[i].line, &cmd, store, &e), &e);
		assert_int_equal(cmd.kind, cases[i].kind);
		gate_command_argv(&cmd, "crun", cases[i].extra, argv);
		join(argv, line);
		assert_string_equal(line, cases[i].crun);
		gate_command_free(&cmd);
	}
}

static void what_the_gate_needs_itself_is_kept(void **state)
{
	char store[MAX_LINE];
	struct gate_command cmd;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("rt --root /r --log /l --log-format json create --bundle /b hello", &cmd, store, &e), &e);
	assert_string_equal(cmd.root, "/r");
	assert_string_equal(cmd.log, "/l");
	assert_true(cmd.log_json);
	assert_string_equal(cmd.bundle, "/b");
	gate_command_free(&cmd);
	assert_ok(parse("rt create hello", &cmd, store, &e), &e);
	assert_string_equal(cmd.bundle, ".");
	assert_string_equal(cmd.root, "/run/crun");
	assert_null(cmd.log);
	gate_command_free(&cmd);
}

static void a_refused_line_still_tells_where_the_log_is(void **state)
{
	char store[MAX_LINE];
	struct gate_command cmd;
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(parse("rt --log /l --log-format json checkpoint hello", &cmd, store, &e), &e, EPERM,
		       "\"checkpoint\"");
	assert_string_equal(cmd.log, "/l");
	assert_true(cmd.log_json);
	gate_command_free(&cmd);
}

static void everything_else_is_refused(void **state)
{
	static const struct {
		const char *line;
		const char *part;
	} bad[] = {
		{"rt", "no command"},
		{"rt checkpoint hello", "\"checkpoint\" is not a command"},
		{"rt restore hello", "\"restore\" is not a command"},
		{"rt spec", "\"spec\" is not a command"},
		{"rt events hello", "\"events\" is not a command"},
		{"rt --rootless true create hello", "\"--rootless\""},
		{"rt --cgroup-manager=disabled create hello", "\"disabled\" is not a value"},
		{"rt --log journald:x create hello", "\"journald:x\" is not a value"},
		{"rt --log-format xml create hello", "\"xml\" is not a value"},
		{"rt --root r create hello", "\"r\" is not a value"},
		{"rt --root /r --root /s create hello", "--root is given twice"},
		{"rt --root", "--root: \"\" is not a value"},
		{"rt --root /run/holdfast create hello", "holdfast's own folder"},
		{"rt --root /run/holdfast/gate create hello", "holdfast's own folder"},
		{"rt --root /run/x/../holdfast create hello", "or leads there"},
		{"rt --root /run//holdfast create hello", "or leads there"},
		{"rt --debug=1 create hello", "takes no value"},
		{"rt create --config /x hello", "\"--config\" of create"},
		{"rt create -f /x hello", "\"-f\" of create"},
		{"rt create --no-pivot hello", "\"--no-pivot\" of create"},
		{"rt create --no-new-keyring hello", "\"--no-new-keyring\""},
		{"rt create --preserve-fds 3 hello", "\"--preserve-fds\""},
		{"rt create --bundle /a --bundle /b hello", "given twice"},
		{"rt create --pid-file p hello", "\"p\" is not a value"},
		{"rt create", "has 0 operands"},
		{"rt create a b", "has 2 operands"},
		{"rt create a b c d", "too many operands"},
		{"rt create ../x", "\"../x\" is not a container id"},
		{"rt create .hidden", "\".hidden\" is not a container id"},
		{"rt exec hello sh", "has 2 operands"},
		{"rt exec hello", "without --process"},
		{"rt exec --process /p --cap CAP_SYS_ADMIN hello", "\"--cap\" of exec"},
		{"rt exec --process /p --env A=B hello", "\"--env\" of exec"},
		{"rt exec --process /p --user 0 hello", "\"--user\" of exec"},
		{"rt exec --process /p --cgroup / hello", "\"--cgroup\" of exec"},
		{"rt exec --process /p --apparmor x hello", "\"--apparmor\" of exec"},
		{"rt delete --regex .*", "\"--regex\" of delete"},
		{"rt kill --regex .*", "\"--regex\" of kill"},
		{"rt kill hello -9", "\"-9\" of kill"},
		{"rt kill hello 9;x", "\"9;x\" is not a signal"},
		{"rt update --resources /x hello", "\"--resources\" of update"},
		{"rt update --memory 1x hello", "\"1x\" is not a value"},
		{"rt state --help hello", "\"--help\" of state"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char store[MAX_LINE];
		struct gate_command cmd;
		struct err e = ERR_INIT;

		assert_refused(parse(bad[i].line, &cmd, store, &e), &e, EPERM, bad[i].part);
		gate_command_free(&cmd);
	}
}

static void a_path_with_a_line_break_is_refused(void **state)
{
	char *argv[] = {"rt", "--root", "/r\nimage = other", "create", "hello", NULL};
	struct gate_command cmd = {0};
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(gate_command_parse(5, argv, &cmd, &e), &e, EPERM, "--root");
	gate_command_free(&cmd);
}

static void crun_is_started_by_the_loader_where_there_is_one(void **state)
{
	const struct gate_host direct = { .crun = "/crun" }, loaded = { .crun = "/crun", .loader = "/ld.so" };
	const char *words[GATE_LOADER_ARGS];

	(void)state;
	assert_int_equal(gate_crun_words(&direct, words), 0);
	assert_int_equal(gate_crun_words(&loaded, words), 3);
	assert_string_equal(words[0], "/ld.so");
	assert_string_equal(words[1], "--argv0");
	assert_string_equal(words[2], "crun");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crun_is_started_by_the_loader_where_there_is_one),
		cmocka_unit_test(calls_of_engines_are_written_anew_for_crun),
		cmocka_unit_test(what_the_gate_needs_itself_is_kept),
		cmocka_unit_test(a_refused_line_still_tells_where_the_log_is),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(a_path_with_a_line_break_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
