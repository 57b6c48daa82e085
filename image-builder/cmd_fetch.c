/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/cmd_fetch.c - `holdfast-image fetch`: packages of Debian 13, extracted without being installed */
#include "common/cli.h"
#include "common/interrupt.h"
#include "image-builder/board.h"
#include "image-builder/cmd.h"
#include "image-builder/fetch.h"

#include <string.h>

/* struct names - the packages asked for, from boards, engines and operands */
struct names {
	const char *v[FETCH_MAX_PACKAGES];
	size_t n;
};

static int add(struct names *names, const char *name, struct err *e)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->v[i], name))
			return 0;
	if (names->n == FETCH_MAX_PACKAGES)
		return err_set(e, E2BIG, "more than %d packages", FETCH_MAX_PACKAGES);
	names->v[names->n++] = name;
	return 0;
}

static int add_list(struct names *names, const struct board_list *list, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < list->n; i++)
		r = add(names, list->v[i], e);
	return r;
}

static int fetch(struct fetch_params *p, const char *board_path, const char *engine_path, char *const *operand,
		 struct err *e)
{
	cleanup_board struct board board = { 0 };
	cleanup_engine struct engine engine = { 0 };
	struct names names = { .n = 0 };
	int r = board_path ? board_load(board_path, &board, e) : 0;

	r = r ? r : add_list(&names, &board.package, e);
	if (!r && !p->arch)
		p->arch = board.arch ? board_deb_arch(board.arch) : "";
	if (!r && board.arch && strcmp(p->arch, board_deb_arch(board.arch)))
		r = err_set(e, EINVAL, "%s is a board for %s, not for %s", board_path, board_deb_arch(board.arch),
			    p->arch);
	if (!r && engine_path)
		r = board_engine_load(engine_path, &engine, e);
	r = r ? r : add_list(&names, &engine.package, e);
	for (; !r && *operand; operand++)
		r = add(&names, *operand, e);
	p->package = names.v;
	p->n_packages = names.n;
	return r ? r : fetch_run(p, e);
}

int cmd_fetch(int argc, char **argv)
{
	const char *board = NULL, *engine = NULL;
	int sysroot = 0, offline = 0, refresh = 0;
	struct fetch_params p = { .say = cmd_progress };
	const struct cli_opt opts[] = {
		{ "arch", "ARCH", "amd64 or arm64 (the board's)", &p.arch, NULL, 0 },
		{ "board", "DIR", "a board: its packages", &board, NULL, 0 },
		{ "engine", "DIR", "an engine: its packages", &engine, NULL, 0 },
		{ "cache", "DIR", "kept between runs: lists and package files", &p.cache, NULL, 0 },
		{ "out", "TREE", "folder for the extracted files", &p.out, NULL, 0 },
		{ "mirror", "URI", "Debian archive (the machine's own)", &p.mirror, NULL, 0 },
		{ "security-mirror", "URI", "its security archive (the machine's own)", &p.security, NULL, 0 },
		{ "sysroot", NULL, "for a compiler: development packages", &sysroot, NULL, 0 },
		{ "offline", NULL, "download nothing", &offline, NULL, 0 },
		{ "refresh", NULL, "look for newer packages even if that was done today", &refresh, NULL, 0 },
		{ 0 },
	};
	struct err e = ERR_INIT;
	int n = cli_options(argc, argv, "PACKAGE...", "download and extract packages of Debian " FETCH_SUITE, opts);

	if (n < 0)
		return CLI_USAGE;
	if ((!p.arch && !board) || !p.cache || !p.out)
		return cli_usage("fetch", "--arch (or --board), --cache and --out are needed");
	if (p.arch && strcmp(p.arch, "amd64") && strcmp(p.arch, "arm64"))
		return cli_usage("fetch", "--arch \"%s\" is unknown, wanted amd64 or arm64", p.arch);
	if (!n && !board && !engine)
		return cli_usage("fetch", "no package is named");
	argv[n + 1] = NULL; /* operands end here; argv has room for it */
	p.sysroot = sysroot;
	p.offline = offline;
	p.refresh = refresh;
	cmd_progress_verb("fetch");
	if (interrupt_catch(&e) || fetch(&p, board, engine, argv + 1, &e))
		return cli_fail(CLI_COULD_NOT, "fetch", &e);
	return CLI_PASSED;
}
