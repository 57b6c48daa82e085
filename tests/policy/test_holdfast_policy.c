/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/policy/test_holdfast_policy.c - the program itself: its exit codes, and the path from init to check */
#include "tests/policy/owner.h"

#include <libgen.h>
#include <sys/wait.h>

static char dir[] = "/tmp/holdfast-policy-cli-XXXXXX";
static char program[PATH_MAX];
static struct owner owner, stranger;

/* build/<variant>/tests/policy/test_x -> build/<variant>/holdfast-policy */
static int setup(void **state)
{
	char self[PATH_MAX - 64] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	(void)snprintf(program, sizeof(program), "%s/../../holdfast-policy", dirname(self));
	assert_non_null(mkdtemp(dir));
	owner_make(&owner, dir, "owner");
	owner_make(&stranger, dir, "stranger");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owner_free(&owner);
	owner_free(&stranger);
	owner_remove_folder(dir);
	return 0;
}

/* Run it in the temporary folder with @args, as a shell splits them; what it prints goes to @out. */
static int run(const char *args, struct buf *out)
{
	char command[3 * PATH_MAX], line[16];
	const char *const argv[] = {"sh", "-c", command, NULL};
	char cwd[PATH_MAX], old[PATH_MAX + 8];
	const char *const env[] = {old, NULL};
	struct proc_params p = {.argv = argv, .env = env, .dir = dir, .out = out, .out_max = 1 << 20, .quiet = 1};
	struct err e = ERR_INIT;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	(void)snprintf(old, sizeof(old), "OLDPWD=%s", cwd); /* the sources' folder, where test data is */
	(void)snprintf(command, sizeof(command), "%s %s %s 2>&1; echo \"=$?\"", check_runner(), program, args);
	assert_ok(proc_run(&p, &e), &e);
	buf_u8(out, 0);
	(void)snprintf(line, sizeof(line), "%s", strrchr((char *)out->data, '=') + 1);
	return atoi(line);
}

#define NEEDS_PROGRAM()                                                                                                \
	do {                                                                                                           \
		if (access(program, X_OK)) {                                                                           \
			print_message("SKIP: %s is not built\n", program);                                             \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

/* Run @script in the test's folder; $OLDPWD is the source's. */
static void shell(const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	char old[PATH_MAX + 8], cwd[PATH_MAX];
	const char *const env[] = {old, NULL};
	struct proc_params p = {.argv = argv, .env = env, .dir = dir, .quiet = 1};
	struct err e = ERR_INIT;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	(void)snprintf(old, sizeof(old), "OLDPWD=%s", cwd);
	assert_ok(proc_run(&p, &e), &e);
}

/* struct step - one call of the program: its exit code, and what it says among other things */
struct step {
	const char *args;
	int code;
	const char *part;
};

static void take_steps(const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_buf struct buf out = BUF_INIT;
		int code = run(steps[i].args, &out);

		if (code != steps[i].code || !strstr((char *)out.data, steps[i].part))
			fail_msg("%s: exit %d \"%s\", wanted %d with \"%s\"", steps[i].args, code, (char *)out.data,
				 steps[i].code, steps[i].part);
	}
}

static void classes_are_declared_shown_and_told(void **state)
{
	static const struct step steps[] = {
		{"init --name demo c.json", 0, ""},
		{"class --policy c.json --ids 1000-1999 web", 0, "c.json is now version 2"},
		{"class --policy c.json --ids 2000-2000 --apart web db", 0, "c.json is now version 3"},
		{"class --policy c.json --ids 1999-2005 mail", 1, "classes[2].ids: 1999 to 2005 overlaps 1000 to 1999 of class \"web\""},
		{"class --policy c.json --ids 3000-3000 --apart dc mail", 1, "\"dc\" is no other class"},
		{"class --policy c.json --ids 3000-3000 web", 1, "is named \"web\" as classes[0] is"},
		{"class --policy c.json --ids 3000 mail", 2, "wants --policy, --ids FIRST-LAST"},
		{"class --policy c.json --ids 3-4294967295 mail", 2, "wants --policy, --ids FIRST-LAST"},
		{"show c.json", 0, "class db, users and groups 2000 to 2000, not while there is web"},
		{"diff $OLDPWD/tests/data/policy/good-one-image.json $OLDPWD/tests/data/policy/good-classes.json", 0,
		 "tightens \"classes db and web may no longer run at the same time"},
		{"diff $OLDPWD/tests/data/policy/good-classes.json $OLDPWD/tests/data/policy/good-one-image.json", 0,
		 "widens   \"classes are no longer kept from each other"},
		{"diff --no-widening $OLDPWD/tests/data/policy/good-classes.json $OLDPWD/tests/data/policy/good-one-image.json", 1,
		 "widens   \"classes db and web may now run at the same time"},
	};

	(void)state;
	NEEDS_PROGRAM();
	take_steps(steps, ARRAY_SIZE(steps));
}

/* A policy made wider, taken from, and revoked from: each step by the program, each told by diff. */
static void what_changed_is_told(void **state)
{
	static const struct step steps[] = {
		{"show a.json", 0, "image hello"},
		{"diff a.json w.json", 0, "widens   hello: \"capability CAP_SYS_ADMIN is allowed\""},
		{"diff w.json a.json", 0, "tightens hello: \"capability CAP_SYS_ADMIN is no longer allowed\""},
		{"diff a.json w.json", 0, "widens   hello: \"writing below /var is allowed\""},
		{"diff a.json w.json", 0, "widens   hello: \"exec of \\\"/bin/sh -i\\\" is allowed\""},
		{"diff a.json w.json", 0, "version 1 is not above 1"},
		{"revoke --policy a.json 2222222222222222222222222222222222222222222222222222222222222222", 1, "still named by image \"hello\""},
		{"revoke --policy a.json 22", 1, "is no root hash"},
		{"remove --policy a.json nosuch", 1, "no image named \"nosuch\""},
		{"revoke --image --policy a.json hello", 0, "revoked layer 2222"},
		{"check --cert owner.crt a.json", 3, "a.json.p7s"},
		{"diff w.json a.json", 0, "tightens \"layer 2222222222222222222222222222222222222222222222222222222222222222 is revoked\""},
		{"derive ipe a.json", 0, "op=EXECUTE dmverity_roothash=sha256:2222222222222222222222222222222222222222222222222222222222222222 action=DENY"},
		{"revoke --policy a.json 2222222222222222222222222222222222222222222222222222222222222222", 1, "is revoked already"},
		{"remove --policy w.json hello", 0, "w.json is now version 2"},
		{"show w.json", 0, "version 2"},
	};
	static const char make[] = "cp \"$OLDPWD/tests/data/policy/good-one-image.json\" a.json; sed 's|\"capabilities\": \\[\\]|\"capabilities\": "
				   "[\"CAP_SYS_ADMIN\"]|; s|\"/tmp\"|\"/tmp\", \"/var\"|; s|\"exec\": \\[\\]|\"exec\": [[\"/bin/sh\", \"-i\"]]|' a.json > w.json";

	(void)state;
	NEEDS_PROGRAM();
	shell(make);
	take_steps(steps, ARRAY_SIZE(steps));
}

static void verbs_tell_by_their_exit_code(void **state)
{
	static const struct step steps[] = {
		{"init --name demo p.json", 0, ""},
		{"init --name demo p.json", 1, "p.json is there already"},
		{"init --name 'De mo' q.json", 2, "is no name"},
		{"init q.json", 2, "wants --name"},
		{"init --nonsense q.json", 2, "unknown option \"--nonsense\""},
		{"nonsense", 2, "unknown command \"nonsense\""},
		{"check --cert owner.crt p.json", 3, "p.json.p7s"},
		{"sign --key owner.key --cert stranger.crt p.json", 1, "not the one of the certificate"},
		{"sign --key gone.key --cert owner.crt p.json", 3, "gone.key"},
		{"sign --key owner.key --cert owner.crt p.json", 0, ""},
		{"check --cert owner.crt p.json", 0, "good: policy demo version 1, 0 images"},
		{"check --cert stranger.crt p.json", 1, "another certificate"},
		{"check --cert gone.crt p.json", 3, "gone.crt"},
		{"check --cert owner.crt gone.json", 3, "gone.json"},
		{"show p.json", 0, "policy demo version 1"},
		{"show --json p.json", 0, "{\"holdfast\":\"layer-policy/1\""},
		{"show owner.key", 1, "owner.key: "},
		{"derive ipe p.json", 0, "op=EXECUTE dmverity_signature=TRUE action=ALLOW"},
		{"derive ipe --out ipe.p7b --key owner.key --cert owner.crt p.json", 0, ""},
		{"derive ipe --key owner.key p.json", 2, "belong together"},
		{"derive apparmor p.json", 2, "wants what to derive"},
		{"derive refvalues p.json", 0, "\"describe\":{\"layer_policy_version\":1}"},
		{"derive refvalues --ipe ipe.p7b p.json", 0, "\"what\":\"ipe-policy\""},
		{"derive refvalues --ipe gone p.json", 3, "gone"},
		{"derive refvalues --key owner.key --cert owner.crt --out x p.json", 2, "are for ipe"},
		{"check --json --cert owner.crt p.json", 0, "{\"good\":true,\"name\":\"demo\",\"version\":1,"},
		{"diff p.json p.json", 0, "no difference"},
		{"diff p.json $OLDPWD/tests/data/policy/good-one-image.json", 0, "widens   hello: \"may run"},
		{"diff --no-widening p.json $OLDPWD/tests/data/policy/good-one-image.json", 1, "widens"},
		{"diff --no-widening $OLDPWD/tests/data/policy/good-one-image.json p.json", 0, "tightens hello: \"may no longer run"},
		{"diff --json p.json $OLDPWD/tests/data/policy/good-one-image.json", 0, "\"kind\":\"widens\",\"image\":\"hello\",\"what\":\"may run"},
		{"diff p.json", 2, "wants two FILEs"},
		{"diff p.json gone.json", 3, "gone.json"},
		{"explain --policy $OLDPWD/tests/data/policy/good-one-image.json --id hello $OLDPWD/tests/data/oci-config/good-ctr-run.json", 1, "refused: E62"},
		{"explain --json --policy $OLDPWD/tests/data/policy/good-one-image.json --id hello $OLDPWD/tests/data/oci-config/good-ctr-run.json", 1, "\"admitted\":false,\"code\":62"},
		{"explain --policy p.json $OLDPWD/tests/data/oci-config/good-ctr-run.json", 1, "refused: E61"},
		{"explain --policy p.json gone.json", 3, "gone.json"},
		{"explain --policy p.json --id ../x gone.json", 2, "is no id"},
		{"explain --policy p.json --exec no $OLDPWD/tests/data/oci-config/good-process-exec.json", 3, "no image named \"no\""},
		{"doctor $OLDPWD/engines/containerd/config.toml", 0, "good: nothing"},
		{"doctor --json $OLDPWD/engines/containerd/config.toml", 0, "{\"files\":1,\"findings\":[]}"},
		{"doctor gone", 3, "gone"},
		{"doctor owner.key", 2, "wanted config.toml"},
		{"doctor .", 3, "no engine's configuration is there"},
		{"derive ipe p.json > /dev/full", 3, ""},
		{"derive ipe --out /nonexistent/x p.json", 3, "/nonexistent/x"},
		{"add --policy p.json p", 2, "wants --policy, --layers"},
		{"add --policy p.json --layers l --key owner.key --cert owner.crt --arch vax x", 2,
		 "\"vax\" is not known"},
		{"add --policy p.json --layers l --key owner.key --cert owner.crt gone:tag", 3, "gone/oci-layout"},
		{"check --cert owner.crt p.json", 0, "good"},
		{"--help", 0, "Exit: 0 passed"},
		{"add --help", 0, "--tmpfs PATH"},
	};

	(void)state;
	NEEDS_PROGRAM();
	take_steps(steps, ARRAY_SIZE(steps));
}

/* Names in a policy are printed for people: nothing in it may reach the terminal as it is. */
static void show_escapes_what_a_terminal_would_obey(void **state)
{
	static const char edit[] = "sed 's|/bin/busybox|/bin/\\\\u001b[2J\\\\\"|' "
				   "\"$OLDPWD/tests/data/policy/good-one-image.json\" > e.json";
	cleanup_buf struct buf out = BUF_INIT;

	(void)state;
	NEEDS_PROGRAM();
	shell(edit);
	assert_int_equal(run("show e.json", &out), 0);
	assert_non_null(strstr((char *)out.data, "\"/bin/\\x1b[2J\\\"\""));
	assert_null(memchr(out.data, 0x1b, out.len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_tell_by_their_exit_code),
		cmocka_unit_test(what_changed_is_told),
		cmocka_unit_test(classes_are_declared_shown_and_told),
		cmocka_unit_test(show_escapes_what_a_terminal_would_obey),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
