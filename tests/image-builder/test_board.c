/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_board.c - boards and engines are read strictly, and those we ship are good */
#include "tests/image-builder/make.h"

#include "image-builder/board.h"

#define DATA    "tests/data/board/"
#define ENGINES "tests/data/engine/"

static void the_least_board_gets_defaults(void **state)
{
	struct board b = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(board_load(DATA "good-least.conf", &b, &e), &e);
	assert_string_equal(b.arch, "x86_64");
	assert_string_equal(b.profile, "enforce");
	assert_string_equal(b.tpm, "required");
	assert_string_equal(b.state, "none");
	assert_string_equal(b.on_corruption, "panic");
	assert_string_equal(b.cmdline, "");
	assert_int_equal(b.esp_mib, 64);
	assert_int_equal(b.package.n, 1);
	assert_string_equal(b.boot_module.v[0], "dm-verity require_signatures=1");
	board_free(&b);
}

static void a_board_without_uefi_has_none_of_its_files(void **state)
{
	struct board b = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(board_load(DATA "good-direct.conf", &b, &e), &e);
	assert_true(board_is_direct(&b));
	board_free(&b);
	assert_ok(board_load(DATA "good-least.conf", &b, &e), &e);
	assert_false(board_is_direct(&b));
	board_free(&b);
}

static void malformed_boards_are_refused_with_file_and_reason(void **state)
{
	static const struct {
		const char *file, *part;
	} bad[] = {
		{ "bad-unknown-key.conf", "boot.modul" },
		{ "bad-arch-twice.conf", "arch" },
		{ "bad-no-arch.conf", "arch" },
		{ "bad-arch.conf", "riscv64" },
		{ "bad-cmdline-roothash.conf", "roothash=" },
		{ "bad-stub-outside.conf", "../../etc/shadow" },
		{ "bad-firmware-absolute.conf", "firmware.code" },
		{ "bad-no-modules.conf", "module.boot" },
		{ "bad-size.conf", "size.esp_mib" },
		{ "bad-state-zero.conf", "size.state_mib" },
		{ "bad-state-word.conf", "state = \"sealed\"" },
		{ "bad-state-recovery.conf", "state.recovery = \"mail\"" },
		{ "bad-profile.conf", "permissive" },
		{ "bad-empty-package.conf", "package" },
		{ "bad-no-equals.conf", "13" }, /* its line */
		{ "bad-library-up.conf", "library" },
		{ "bad-no-stub.conf", "stub is missing" },
		{ "bad-no-loader.conf", "loader is missing" },
		{ "bad-no-firmware.conf", "firmware.vars is missing" },
		{ "bad-direct-stub.conf", "stub is given, but the profile direct has no UEFI" },
		{ "bad-direct-firmware.conf", "firmware.code is given" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct board b = { 0 };
		struct err e = ERR_INIT;
		char path[128];

		(void)snprintf(path, sizeof(path), DATA "%s", bad[i].file); /* short */
		assert_refused(board_load(path, &b, &e), &e, EINVAL, bad[i].part);
		assert_non_null(strstr(e.msg, bad[i].file));
		board_free(&b);
	}
}

static void a_missing_board_is_named(void **state)
{
	struct board b = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_refused(board_load("boards/none", &b, &e), &e, ENOENT, "boards/none/board.conf");
	board_free(&b);
}

static void malformed_engines_are_refused(void **state)
{
	static const struct {
		const char *folder, *part;
	} bad[] = {
		{ "bad-argv-relative", "argv" },     { "bad-file-one-word", "config.toml" },
		{ "bad-file-outside", "../../etc" }, { "bad-config-relative", "config" },
		{ "bad-no-program", "program" },     { "bad-no-ready", "ready" },
		{ "bad-no-runtime", "runtime" },
		{ "bad-store", "store = \"docker\", wanted one of: none, podman" },
		{ "bad-unknown-key", "start" },
	};
	struct engine g = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(board_engine_load(ENGINES "good-least", &g, &e), &e);
	assert_int_equal(g.ready_ms, 60000);
	board_engine_free(&g);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), ENGINES "%s", bad[i].folder); /* short */
		assert_refused(board_engine_load(path, &g, &e), &e, EINVAL, bad[i].part);
		board_engine_free(&g);
	}
}

static void the_boards_and_engines_we_ship_are_good(void **state)
{
	static const char *const engines[] = { "engines/containerd-cri", "engines/podman" };
	static const char *const boards[] = { "boards/qemu-x86_64", "boards/qemu-arm64", "boards/direct-x86_64",
					      "boards/direct-arm64" };
	struct engine g = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(boards); i++) {
		struct board b = { 0 };

		assert_ok(board_load(boards[i], &b, &e), &e);
		assert_string_equal(b.profile, strstr(boards[i], "direct") ? "direct" : "enforce");
		board_free(&b);
	}
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		assert_ok(board_engine_load(engines[i], &g, &e), &e);
		board_engine_free(&g);
	}
	assert_ok(board_engine_load("engines/containerd", &g, &e), &e);
	assert_string_equal(g.config.v[0], "/etc/containerd/config.toml");
	board_engine_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_board_gets_defaults),
		cmocka_unit_test(a_board_without_uefi_has_none_of_its_files),
		cmocka_unit_test(malformed_boards_are_refused_with_file_and_reason),
		cmocka_unit_test(a_missing_board_is_named),
		cmocka_unit_test(malformed_engines_are_refused),
		cmocka_unit_test(the_boards_and_engines_we_ship_are_good),
	};

	return cmocka_run_group_tests_name("image-builder/board", tests, NULL, NULL);
}
