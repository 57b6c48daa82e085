/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-builder/board.c - boards and engines: plain data that says what an image is made of */
#include "image-builder/board.h"

#include "common/file.h"
#include "image-builder/folder.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE_BYTES 65536
#define MAX_MIB        (1u << 20)
#define MAX_MS         3600000
#define STATE_MIN_MIB  32 /* init/sealed_block.h wants 12; a file system and its journal want room */

/* struct text_key - a key that may stand once: where its value goes; @words: the only values, or NULL */
struct text_key {
	const char *key;
	const char **value;
	const char *fallback; /* NULL: it must be there */
	const char *const *words;
};

struct list_key {
	const char *key;
	struct board_list *list;
};

struct number_key {
	const char *key;
	uint64_t *value;
	uint64_t fallback, max;
};

static int take_word(const struct conf *c, const struct text_key *k, struct err *e)
{
	int r = k->fallback ? conf_get(c, k->key, k->fallback, k->value, e) : conf_need(c, k->key, k->value, e);
	cleanup_buf struct buf all = BUF_INIT;

	if (r || !k->words)
		return r;
	for (size_t i = 0; k->words[i]; i++) {
		if (!strcmp(k->words[i], *k->value))
			return 0;
		buf_printf(&all, "%s%s", i ? ", " : "", k->words[i]);
	}
	buf_u8(&all, 0);
	return err_set(e, EINVAL, "%s: %s = \"%.40s\", wanted one of: %s", c->name, k->key, *k->value,
		       all.bad ? "" : (const char *)all.data);
}

static int take_list(const struct conf *c, const struct list_key *k, struct err *e)
{
	const char *v;
	size_t pos = 0;

	while ((v = conf_next(c, k->key, &pos))) {
		if (!*v)
			return err_set(e, EINVAL, "%s: line %u: %s has no value", c->name, c->line[pos - 1].number,
				       k->key);
		if (k->list->n == BOARD_MAX_LIST)
			return err_set(e, E2BIG, "%s: more than %d lines %s", c->name, BOARD_MAX_LIST, k->key);
		k->list->v[k->list->n++] = v;
	}
	return 0;
}

static int take(const struct conf *c, const struct text_key *texts, const struct list_key *lists,
		const struct number_key *numbers, struct err *e)
{
	int r = 0;

	for (; !r && texts->key; texts++)
		r = take_word(c, texts, e);
	for (; !r && lists->key; lists++)
		r = take_list(c, lists, e);
	for (; !r && numbers->key; numbers++)
		r = conf_u64(c, numbers->key, numbers->fallback, numbers->max, numbers->value, e);
	return r;
}

/* Read a file and cut it into lines; *@ret_text keeps what @ret points into. */
static int read_conf(const char *path, const char *const keys[], char **ret_text, struct conf *ret, struct err *e)
{
	struct buf text = BUF_INIT;
	int r = file_read(path, MAX_FILE_BYTES, &text, e);

	if (r)
		return r;
	*ret_text = (char *)text.data; /* from now on the board's */
	r = conf_parse(*ret_text, text.len, path, ret, e);
	return r ? r : conf_check(ret, keys, e);
}

/* A path in a tree or an image, which is put behind a folder's name: relative and without "..". */
static int check_inside(const struct conf *c, const char *key, const char *path, struct err *e)
{
	bool up = !strncmp(path, "../", 3) || strstr(path, "/../") || !strcmp(path, "..") ||
		  (strlen(path) > 2 && !strcmp(path + strlen(path) - 3, "/.."));

	if (*path == '/' || up)
		return err_set(e, EINVAL,
			       "%s: %s = \"%.80s\", wanted a path within the tree, without / in front and ..", c->name,
			       key, path);
	return 0;
}

/* UEFI's four files: all of them, or, without UEFI, none. */
static int check_uefi(const struct conf *c, const struct board *b, struct err *e)
{
	const char *const keys[] = { "stub", "loader", "firmware.code", "firmware.vars" };
	const char *const values[] = { b->stub, b->loader, b->firmware_code, b->firmware_vars };
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(keys); i++) {
		if (board_is_direct(b) == (*values[i] != '\0'))
			return err_set(e, EINVAL, "%s: %s %s", c->name, keys[i],
				       board_is_direct(b) ? "is given, but the profile direct has no UEFI" : "is missing");
		r = check_inside(c, keys[i], values[i], e);
	}
	return r;
}

static int check_board(const struct conf *c, const struct board *b, struct err *e)
{
	int r = check_uefi(c, b, e);

	for (size_t i = 0; !r && i < b->library.n; i++)
		r = check_inside(c, "library", b->library.v[i], e);
	if (!r && (strstr(b->cmdline, "roothash=") || strstr(b->cmdline, "holdfast.profile=")))
		r = err_set(e, EINVAL, "%s: cmdline holds roothash= or holdfast.profile=, which the builder writes",
			    c->name);
	if (!r && !b->boot_module.n)
		r = err_set(e, EINVAL, "%s: no line module.boot: the root cannot be reached without modules", c->name);
	if (!r && (b->esp_mib < 4 || b->state_mib == 0))
		r = err_set(e, EINVAL, "%s: size.esp_mib must be 4 at least, size.state_mib 1 at least", c->name);
	if (!r && strcmp(b->state, "none") != 0 && b->state_mib < STATE_MIN_MIB)
		r = err_set(e, EINVAL, "%s: state = %s wants size.state_mib = %d at least", c->name, b->state, STATE_MIN_MIB);
	return r;
}

int board_load(const char *folder, struct board *ret, struct err *e)
{
	static const char *const keys[] = { "arch",
					    "package",
					    "stub",
					    "loader",
					    "module.boot",
					    "module.host",
					    "library",
					    "cmdline",
					    "profile",
					    "tpm",
					    "agent.tls",
					    "on_corruption",
					    "on_failure",
					    "watchdog",
					    "watchdog_ms",
					    "deadline.tpm_ms",
					    "deadline.disk_ms",
					    "floor.healthy_ms",
					    "state",
					    "state.recovery",
					    "size.esp_mib",
					    "size.root_mib",
					    "size.state_mib",
					    "qemu",
					    "qemu.machine",
					    "qemu.cpu",
					    "qemu.memory",
					    "qemu.tpm",
					    "qemu.arg",
					    "firmware.code",
					    "firmware.vars",
					    NULL };
	static const char *const arches[] = { "x86_64", "arm64", NULL };
	static const char *const profiles[] = { "enforce", "enforce-jit", "audit", "direct", NULL };
	static const char *const tpms[] = { "required", "optional", NULL };
	static const char *const corruptions[] = { "panic", "restart", NULL };
	static const char *const states[] = { "none", "plain", "integrity", NULL };
	static const char *const recoveries[] = { "none", "print", "escrow", NULL };
	static const char *const failures[] = { "poweroff", "reboot", "halt", NULL };
	const struct text_key texts[] = {
		{ "arch", &ret->arch, NULL, arches },
		{ "stub", &ret->stub, "", NULL },
		{ "loader", &ret->loader, "", NULL },
		{ "cmdline", &ret->cmdline, "", NULL },
		{ "profile", &ret->profile, "enforce", profiles },
		{ "tpm", &ret->tpm, "required", tpms },
		{ "agent.tls", &ret->agent_tls, "", NULL },
		{ "on_corruption", &ret->on_corruption, "panic", corruptions },
		{ "on_failure", &ret->on_failure, "poweroff", failures },
		{ "state", &ret->state, "none", states },
		{ "state.recovery", &ret->state_recovery, "none", recoveries },
		{ "watchdog", &ret->watchdog, "", NULL },
		{ "qemu", &ret->qemu, NULL, NULL },
		{ "qemu.machine", &ret->qemu_machine, NULL, NULL },
		{ "qemu.cpu", &ret->qemu_cpu, NULL, NULL },
		{ "qemu.memory", &ret->qemu_memory, NULL, NULL },
		{ "qemu.tpm", &ret->qemu_tpm, NULL, NULL },
		{ "firmware.code", &ret->firmware_code, "", NULL },
		{ "firmware.vars", &ret->firmware_vars, "", NULL },
		{ 0 },
	};
	const struct list_key lists[] = { { "package", &ret->package },         { "module.boot", &ret->boot_module },
					  { "module.host", &ret->host_module }, { "library", &ret->library },
					  { "qemu.arg", &ret->qemu_arg },       { 0 } };
	const struct number_key numbers[] = { { "floor.healthy_ms", &ret->floor_healthy_ms, 60000, MAX_MS },
					      { "deadline.tpm_ms", &ret->deadline_tpm_ms, 10000, MAX_MS },
					      { "deadline.disk_ms", &ret->deadline_disk_ms, 30000, MAX_MS },
					      { "watchdog_ms", &ret->watchdog_ms, 60000, MAX_MS },
					      { "size.esp_mib", &ret->esp_mib, 64, MAX_MIB },
					      { "size.root_mib", &ret->root_mib, 0, MAX_MIB },
					      { "size.state_mib", &ret->state_mib, 16, MAX_MIB },
					      { 0 } };
	char path[PATH_MAX];
	struct conf c;
	struct stat st;
	int r = 0;

	if (stat(folder, &st) == 0 && S_ISREG(st.st_mode))
		r = folder_absolute(folder, path, e);
	else
		r = folder_join(folder, "board.conf", path, e);
	r = r ? r : read_conf(path, keys, &ret->text, &c, e);
	r = r ? r : take(&c, texts, lists, numbers, e);
	return r ? r : check_board(&c, ret, e);
}

void board_free(struct board *b)
{
	free(b->text);
	*b = (struct board){ 0 };
}

/* "A B", two words, both paths within what they are put into. */
static int check_pairs(const struct conf *c, const char *key, const struct board_list *list, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < list->n; i++) {
		const char *blank = strchr(list->v[i], ' ');

		if (!blank || !blank[1] || strchr(blank + 1, ' '))
			return err_set(e, EINVAL, "%s: %s = \"%.80s\", wanted two paths", c->name, key, list->v[i]);
		r = check_inside(c, key, list->v[i], e);
		r = r ? r : check_inside(c, key, blank + 1, e);
	}
	return r;
}

static int check_engine(const struct conf *c, const struct engine *g, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < g->program.n; i++)
		r = check_inside(c, "program", g->program.v[i], e);
	for (size_t i = 0; !r && i < g->library.n; i++)
		r = check_inside(c, "library", g->library.v[i], e);
	r = r ? r : check_inside(c, "runtime", g->runtime, e);
	r = r ? r : check_pairs(c, "file", &g->file, e);
	r = r ? r : check_pairs(c, "link", &g->link, e);
	for (size_t i = 0; !r && i < g->config.n; i++)
		if (*g->config.v[i] != '/')
			r = err_set(e, EINVAL, "%s: config = \"%.80s\", wanted an absolute path", c->name,
				    g->config.v[i]);
	if (!r && *g->seed && *g->seed != '/')
		r = err_set(e, EINVAL, "%s: seed = \"%.80s\", wanted a command that begins with an absolute path", c->name, g->seed);
	if (!r && (*g->argv != '/' || *g->ready != '/'))
		r = err_set(e, EINVAL, "%s: argv and ready must begin with an absolute path", c->name);
	if (!r && !g->program.n)
		r = err_set(e, EINVAL, "%s: no line program", c->name);
	return r;
}

int board_engine_load(const char *folder, struct engine *ret, struct err *e)
{
	static const char *const stores[] = { "none", "podman", NULL };
	static const char *const keys[] = { "package", "program", "runtime", "library",  "file", "link",
					    "config",  "argv",    "ready",   "ready_ms", "store", "seed", NULL };
	const struct text_key texts[] = { { "argv", &ret->argv, NULL, NULL },
					  { "ready", &ret->ready, NULL, NULL },
					  { "runtime", &ret->runtime, NULL, NULL },
					  { "store", &ret->store, "none", stores },
					  { "seed", &ret->seed, "", NULL },
					  { 0 } };
	const struct list_key lists[] = { { "package", &ret->package },
					  { "program", &ret->program },
					  { "library", &ret->library },
					  { "file", &ret->file },
					  { "link", &ret->link },
					  { "config", &ret->config },
					  { 0 } };
	const struct number_key numbers[] = { { "ready_ms", &ret->ready_ms, 60000, MAX_MS }, { 0 } };
	char path[PATH_MAX];
	struct conf c;
	int r = folder_join(folder, "engine.conf", path, e);

	r = r ? r : folder_absolute(folder, ret->folder, e);
	r = r ? r : read_conf(path, keys, &ret->text, &c, e);
	r = r ? r : take(&c, texts, lists, numbers, e);
	return r ? r : check_engine(&c, ret, e);
}

void board_engine_free(struct engine *g)
{
	free(g->text);
	*g = (struct engine){ 0 };
}

bool board_is_direct(const struct board *b)
{
	return !strcmp(b->profile, "direct");
}

const char *board_deb_arch(const char *arch)
{
	return strcmp(arch, "arm64") ? "amd64" : "arm64";
}
