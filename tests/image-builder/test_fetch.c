/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/image-builder/test_fetch.c - what apt says is understood, and a damaged package is named; nothing is downloaded */
#include "tests/image-builder/make.h"

#include "image-builder/fetch_apt.h"

/* As apt 2.6 (Debian 12) and 3.0 (Debian 13) print it: apt-get -q --simulate install crun. */
static const char plan[] = "Reading package lists...\nThe following NEW packages will be installed:\n  crun libcap2\n"
			   "Inst libcap2 (1:2.75-10+b3 Debian:13.7/stable [amd64])\n"
			   "Inst crun (1.21-1 Debian:13.7/stable [amd64]) []\n"
			   "Inst adduser (3.152 Debian:13.7/stable, Debian:13.7/stable-updates [all])\n"
			   "Conf libcap2 (1:2.75-10+b3 Debian:13.7/stable [amd64])\n";

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const char shown[] =
	"Package: crun\nVersion: 1.21-1\nSize: 368640\nSHA256: " A64 "\nDescription: x\n continued\n\n"
	"Package: libcap2\nVersion: 1:2.75-10+b2\nSize: 1\nSHA256: " A64 "\n\n"
	"Package: libcap2\nVersion: 1:2.75-10+b3\nSize: 2\nSHA256: " B64 "\n\n"
	"Package: adduser\nVersion: 3.152\nSize: 3\nSHA256: " A64 "\n";

static void plan_and_index_become_a_sorted_list(void **state)
{
	struct fetch_apt a = { .archives = "/c/archives" };
	char text[sizeof(plan)], show[sizeof(shown)], path[PATH_MAX];
	struct err e = ERR_INIT;

	(void)state;
	memcpy(text, plan, sizeof(plan));
	memcpy(show, shown, sizeof(shown));
	assert_ok(fetch_apt_parse_plan(&a, text, &e), &e);
	assert_int_equal(a.n, 3);
	assert_ok(fetch_apt_parse_show(&a, show, &e), &e);
	assert_string_equal(a.package[0].name, "adduser");
	assert_string_equal(a.package[0].arch, "all");
	assert_string_equal(a.package[2].name, "libcap2");
	assert_int_equal(a.package[2].bytes, 2);
	assert_int_equal(a.package[2].sha256[0], 0xbb);
	assert_ok(fetch_apt_file(&a, &a.package[2], path, &e), &e);
	assert_string_equal(path, "/c/archives/libcap2_1%3a2.75-10+b3_amd64.deb");
	fetch_apt_free(&a);
}

static void what_apt_should_not_say_is_refused(void **state)
{
	static const struct {
		const char *plan, *show, *part;
	} bad[] = {
		{ "Nothing\n", "", "names no package" },
		{ "Inst crun\n", "", "not understood" },
		{ "Inst crun (1.21-1 Debian)\n", "", "not understood" },
		{ "Inst crun (1 D [amd64])\n", "", "no SHA-256 of crun" },
		{ "Inst crun (1 D [amd64])\n", "Package: crun\nVersion: 2\nSHA256: " A64 "\n", "no SHA-256 of crun" },
		{ "Inst crun (1 D [amd64])\n", "Package: crun\nVersion: 1\nSHA256: abc\n", "no SHA-256 of crun" },
		{ "Inst crun (1 D [amd64])\n", "Package: crun\nVersion: 1\nMD5sum: " A64 "\n", "no SHA-256 of crun" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fetch_apt a = { 0 };
		char text[256], show[256];
		struct err e = ERR_INIT;
		int r;

		(void)snprintf(text, sizeof(text), "%s", bad[i].plan); /* short */
		(void)snprintf(show, sizeof(show), "%s", bad[i].show); /* short */
		r = fetch_apt_parse_plan(&a, text, &e);
		r = r ? r : fetch_apt_parse_show(&a, show, &e);
		assert_refused(r, &e, EINVAL, bad[i].part);
		fetch_apt_free(&a);
	}
}

/* `printf damaged | sha256sum`, and the same of "undamaged". */
static void a_damaged_package_file_is_named(void **state)
{
	struct fetch_package pkg = { .name = "x" };
	struct err e = ERR_INIT;
	char folder[64];

	(void)state;
	make_folder(folder);
	make_file(folder, "x_1_all.deb", "undamaged", 9);
	hash_sha256("undamaged", 9, pkg.sha256);
	assert_ok(fetch_apt_check(&pkg, in(folder, "x_1_all.deb"), &e), &e);
	make_file(folder, "x_1_all.deb", "damaged", 7);
	assert_refused(fetch_apt_check(&pkg, in(folder, "x_1_all.deb"), &e), &e, EBADMSG, "x_1_all.deb is damaged");
	assert_refused(fetch_apt_check(&pkg, in(folder, "y_1_all.deb"), &e), &e, ENOENT, "y_1_all.deb");
	drop_folder(folder);
}

static void request_errors_are_told_before_anything_is_done(void **state)
{
	const char *const good[] = { "crun" }, *const minus[] = { "crun-" }, *const option[] = { "-oX=Y" };
	struct fetch_params p = {
		.arch = "amd64", .cache = "/dev/null/cache", .out = "/dev/null/out", .package = good, .n_packages = 1
	};
	struct err e = ERR_INIT;
	char folder[64];

	(void)state;
	if (access(FETCH_KEYRING, R_OK) < 0) {
		print_message("SKIP: no %s: requests to apt were NOT checked\n", FETCH_KEYRING);
		skip();
	}
	assert_refused(fetch_run(&p, &e), &e, ENOTDIR, "/dev/null/out");
	make_folder(folder);
	p.out = in(folder, "tree");
	p.mirror = "http://mirror.example.net/debian";
	p.offline = true;
	assert_refused(fetch_run(&p, &e), &e, ENOTDIR, "/dev/null/cache");
	p.arch = "i386";
	assert_refused(fetch_run(&p, &e), &e, EINVAL, "i386");
	p.arch = "amd64";
	p.n_packages = 0;
	assert_refused(fetch_run(&p, &e), &e, EINVAL, "no package");
	p.n_packages = 1;
	p.cache = in(folder, "cache");
	p.package = minus;
	assert_refused(fetch_run(&p, &e), &e, EINVAL, "\"crun-\" is no package name");
	p.package = option;
	assert_refused(fetch_run(&p, &e), &e, EINVAL, "\"-oX=Y\" is no package name");
	p.mirror = "http://mirror.example.net/debian sid main";
	assert_refused(fetch_run(&p, &e), &e, EINVAL, "URI");
	assert_int_not_equal(access(in(folder, "tree"), F_OK), 0);
	drop_folder(folder);
}

static void both_formats_of_sources_name_the_same_mirrors(void **state)
{
	static const struct {
		const char *file, *main, *security;
	} known[] = {
		{ "one-line.list", "http://mirror.example.net/debian/",
		  "http://security.example.net/debian-security/" },
		{ "deb822.sources", "https://mirror.example.net/debian/",
		  "https://security.example.net/debian-security/" },
	};
	char folder[64], parts[80], option[600];
	const char *const apt[] = { "-o", "Dir::Etc::SourceList=/dev/null", "-o", option, NULL };
	struct fetch_mirrors m;
	struct err e = ERR_INIT;

	(void)state;
	need("apt-get");
	make_folder(folder);
	(void)snprintf(parts, sizeof(parts), "%s/parts", folder); /* fits */
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct buf text = load(in("tests/data/apt", known[i].file));

		drop_folder(parts);
		make_file(parts, known[i].file, text.data, text.len);
		buf_free(&text);
		(void)snprintf(option, sizeof(option), "Dir::Etc::SourceParts=%s", parts); /* fits */
		assert_ok(fetch_mirrors_of_machine(apt, &m, &e), &e);
		assert_string_equal(m.main, known[i].main);
		assert_string_equal(m.security, known[i].security);
	}
	drop_folder(parts);
	make_file(parts, "other.list", "deb http://archive.example.org/ubuntu noble main\n", 49);
	assert_refused(fetch_mirrors_of_machine(apt, &m, &e), &e, ENOENT, "--mirror");
	drop_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_and_index_become_a_sorted_list),
		cmocka_unit_test(what_apt_should_not_say_is_refused),
		cmocka_unit_test(a_damaged_package_file_is_named),
		cmocka_unit_test(request_errors_are_told_before_anything_is_done),
		cmocka_unit_test(both_formats_of_sources_name_the_same_mirrors),
	};

	return cmocka_run_group_tests_name("image-builder/fetch", tests, NULL, NULL);
}
