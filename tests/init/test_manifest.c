/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_manifest.c - the two manifests: what they mean, and what is refused */
#include "tests/common/check.h"

#include "init/manifest.h"

#define SIGNER "root.signer = 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define ENGINE "engine.sha256 = 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\nengine.ready = /run/e.sock\n"
#define HOST   "engine.argv = /usr/bin/e\n" ENGINE

static int boot(const char *text, struct pid1_boot_manifest *m, struct err *e)
{
	memset(m, 0, sizeof(*m));
	strcpy(m->text, text);
	return pid1_boot_manifest_parse(m, strlen(text), e);
}

static int host(const char *text, struct pid1_host_manifest *m, struct err *e)
{
	memset(m, 0, sizeof(*m));
	strcpy(m->text, text);
	return pid1_host_manifest_parse(m, strlen(text), e);
}

static void the_boot_manifest_is_read(void **state)
{
	static struct pid1_boot_manifest m;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(boot("module = 6.12/a.ko\nmodule = -6.12/b.ko\nmodule = 6.12/c.ko x=1  y=2\nmodule = +6.12/d.ko\n" SIGNER
		       "tpm = optional\ndeadline.tpm_ms = 5\ndeadline.disk_ms = 6\non_corruption = restart\non_failure "
		       "= reboot\n",
		       &m, &e),
		  &e);
	assert_int_equal(m.n_modules, 4);
	assert_string_equal(m.module[0].path, "6.12/a.ko");
	assert_string_equal(m.module[0].params, "");
	assert_false(m.module[0].optional);
	assert_false(m.module[0].late || m.module[1].late);
	assert_true(m.module[3].late);
	assert_false(m.module[3].optional);
	assert_string_equal(m.module[3].path, "6.12/d.ko");
	assert_string_equal(m.module[1].path, "6.12/b.ko");
	assert_true(m.module[1].optional);
	assert_string_equal(m.module[2].params, "x=1  y=2");
	assert_false(m.tpm_required);
	assert_int_equal(m.tpm_ms, 5);
	assert_int_equal(m.disk_ms, 6);
	assert_int_equal(m.on_corruption, VERITY_CORRUPTION_RESTART);
	assert_int_equal(m.on_failure, PID1_REBOOT);
	assert_int_equal(m.root_signer[31], 0xff);
}

static void what_is_left_out_is_the_strict_choice(void **state)
{
	static struct pid1_boot_manifest m;
	static struct pid1_host_manifest h;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(boot(SIGNER, &m, &e), &e);
	assert_true(m.tpm_required);
	assert_int_equal(m.on_corruption, VERITY_CORRUPTION_PANIC);
	assert_int_equal(m.on_failure, PID1_POWEROFF);
	assert_ok(host(HOST, &h, &e), &e);
	assert_null(h.agent.arg[0]);
	assert_int_equal(h.n_tasks, 0);
	assert_false(h.poweroff_when_done);
}

static void bad_boot_manifests_are_refused(void **state)
{
	static struct pid1_boot_manifest m;
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "\"root.signer\" is missing" },
		{ "root.signer = 00\n", "wanted 64 lower-case hex digits" },
		{ SIGNER SIGNER, "was already set" },
		{ SIGNER "shell = /bin/sh\n", "unknown setting \"shell\"" },
		{ SIGNER "tpm = maybe\n", "wanted required or optional" },
		{ SIGNER "on_corruption = ignore\n", "wanted panic or restart" },
		{ SIGNER "on_failure = shell\n", "wanted poweroff or reboot" },
		{ SIGNER "module = /etc/x.ko\n", "wanted a path below /usr/lib/modules" },
		{ SIGNER "module = a/../../x.ko\n", "wanted a path below /usr/lib/modules" },
		{ SIGNER "module = ..\n", "wanted a path below /usr/lib/modules" },
		{ SIGNER "module = -/x.ko\n", "wanted a path below /usr/lib/modules" },
		{ SIGNER "module =\n", "wanted a path below /usr/lib/modules" },
		{ SIGNER "module = -\n", "wanted a path below /usr/lib/modules" },
		{ SIGNER "deadline.tpm_ms = 3600001\n", "wanted a whole number" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		assert_refused(boot(cases[i].text, &m, &e), &e, EINVAL, cases[i].part);
	}
}

static void the_host_manifest_is_read(void **state)
{
	static struct pid1_host_manifest m;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(
		host("module = a.ko\nengine.argv = /usr/bin/e  --config\t/etc/e\nengine.config = /etc/e\nengine.config "
		     "= /etc/f\n"
		     ENGINE "engine.ready_ms = 7\nagent.argv = /usr/bin/a serve\ntask = /bin/x 1\n"
		     "task = /bin/y\non_tasks_done = poweroff\non_failure = halt\n",
		     &m, &e),
		&e);
	assert_string_equal(m.engine.arg[2], "/etc/e");
	assert_null(m.engine.arg[3]);
	assert_int_equal(m.engine_sha256[1], 0x11);
	assert_int_equal(m.engine_sha256[HASH_SHA256_BYTES - 1], 0xff);
	assert_int_equal(m.n_engine_configs, 2);
	assert_string_equal(m.engine_config[1], "/etc/f");
	assert_string_equal(m.engine_ready, "/run/e.sock");
	assert_int_equal(m.ready_ms, 7);
	assert_string_equal(m.agent.arg[1], "serve");
	assert_int_equal(m.n_tasks, 2);
	assert_string_equal(m.task[0].arg[1], "1");
	assert_string_equal(m.task[1].arg[0], "/bin/y");
	assert_true(m.poweroff_when_done);
	assert_int_equal(m.on_failure, PID1_HALT);
}

static void bad_host_manifests_are_refused(void **state)
{
	static struct pid1_host_manifest m;
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "\"engine.argv\" is missing" },
		{ "engine.argv = /usr/bin/e\n", "\"engine.sha256\" is missing" },
		{ "engine.argv = /usr/bin/e\nengine.sha256 = 0011\n", "wanted 64 lower-case hex digits" },
		{ "engine.argv = /usr/bin/e\nengine.sha256 = 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
		  "\"engine.ready\" is missing" },
		{ "engine.argv = e\n" ENGINE, "absolute path" },
		{ HOST "engine.config = etc/x\n", "absolute path" },
		{ HOST "agent.argv = a\n", "absolute path" },
		{ HOST "agent.argv =\n", "absolute path" },
		{ HOST "task = sh -c x\n", "absolute path" },
		{ HOST "task =\n", "absolute path" },
		{ HOST "on_tasks_done = reboot\n", "wanted stay or poweroff" },
		{ HOST "state.argv = holdfast-state plain none\n", "absolute path" },
		{ HOST "root.signer = x\n", "unknown setting" },
		{ HOST "engine.argv = /usr/bin/f\n", "was already set" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		assert_refused(host(cases[i].text, &m, &e), &e, EINVAL, cases[i].part);
	}
}

static void lists_have_bounds(void **state)
{
	static struct pid1_host_manifest m;
	static char text[PID1_MAX_MANIFEST_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	strcpy(text, HOST);
	for (int i = 0; i < PID1_MAX_TASKS; i++)
		strcat(text, "task = /x\n");
	assert_ok(host(text, &m, &e), &e);
	strcat(text, "task = /x\n");
	assert_refused(host(text, &m, &e), &e, E2BIG, "more than 16 tasks");
	strcpy(text, HOST);
	for (int i = 0; i <= PID1_MAX_MODULES; i++)
		strcat(text, "module = x.ko\n");
	assert_refused(host(text, &m, &e), &e, E2BIG, "more than 48 modules");
	strcpy(text, ENGINE "engine.argv = /e");
	for (int i = 0; i < PID1_MAX_ARGS; i++)
		strcat(text, " a");
	assert_refused(host(text, &m, &e), &e, E2BIG, "more than 32 words");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_boot_manifest_is_read),
		cmocka_unit_test(what_is_left_out_is_the_strict_choice),
		cmocka_unit_test(bad_boot_manifests_are_refused),
		cmocka_unit_test(the_host_manifest_is_read),
		cmocka_unit_test(bad_host_manifests_are_refused),
		cmocka_unit_test(lists_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
