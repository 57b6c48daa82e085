/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/gate_command.c - the engine's command line: what crun may be told */
#include "policy/gate.h"

#include "policy/oci_spec.h"

#include <string.h>

#define DEFAULT_ROOT "/run/crun"

/* What an option's value must look like. */
enum value {
	VALUE_NONE,     /* a flag */
	VALUE_PATH,     /* absolute */
	VALUE_ANY_PATH, /* may be relative: only we read it */
	VALUE_WORD,     /* letters, digits, '-' */
	VALUE_NUMBER,   /* decimal, or -1 */
	VALUE_CPUSET,   /* digits, ',' and '-' */
};

/* What is done with it besides. */
enum keep { KEEP_PASS, KEEP_BUNDLE, KEEP_PROCESS, KEEP_ROOT, KEEP_LOG, KEEP_LOG_FORMAT };

struct option_row {
	const char *name;
	char letter;
	enum value value;
	enum keep keep;
	const char *words; /* for VALUE_WORD: the values allowed, each between blanks; NULL: any */
};

/* --rootless, cgroup-manager=disabled, journald logs: nothing an engine below us needs. */
static const struct option_row global_options[] = {
	{"root", 0, VALUE_PATH, KEEP_ROOT, NULL},
	{"log", 0, VALUE_PATH, KEEP_LOG, NULL},
	{"log-format", 0, VALUE_WORD, KEEP_LOG_FORMAT, " text json "},
	{"log-level", 0, VALUE_WORD, KEEP_PASS, " error warning debug "},
	{"debug", 0, VALUE_NONE, KEEP_PASS, NULL},
	{"systemd-cgroup", 0, VALUE_NONE, KEEP_PASS, NULL},
	{"cgroup-manager", 0, VALUE_WORD, KEEP_PASS, " cgroupfs systemd "},
	{0},
};

static const struct option_row no_options[] = {{0}};

/* Not here: --config (another file), --no-pivot, --no-new-keyring (the engine's keys), --preserve-fds (its files). */
static const struct option_row create_options[] = {
	{"bundle", 'b', VALUE_ANY_PATH, KEEP_BUNDLE, NULL},
	{"console-socket", 0, VALUE_PATH, KEEP_PASS, NULL},
	{"pid-file", 0, VALUE_PATH, KEEP_PASS, NULL},
	{0},
};

static const struct option_row run_options[] = {
	{"bundle", 'b', VALUE_ANY_PATH, KEEP_BUNDLE, NULL},
	{"console-socket", 0, VALUE_PATH, KEEP_PASS, NULL},
	{"pid-file", 0, VALUE_PATH, KEEP_PASS, NULL},
	{"detach", 'd', VALUE_NONE, KEEP_PASS, NULL},
	{0},
};

/* Not here: everything that says in words what process.json says (--cap, --env, --user, --cwd), and --cgroup. */
static const struct option_row exec_options[] = {
	{"process", 'p', VALUE_ANY_PATH, KEEP_PROCESS, NULL},
	{"console-socket", 0, VALUE_PATH, KEEP_PASS, NULL},
	{"pid-file", 0, VALUE_PATH, KEEP_PASS, NULL},
	{"detach", 'd', VALUE_NONE, KEEP_PASS, NULL},
	{"tty", 't', VALUE_NONE, KEEP_PASS, NULL},
	{0},
};

static const struct option_row kill_options[] = {{"all", 'a', VALUE_NONE, KEEP_PASS, NULL}, {0}};
static const struct option_row delete_options[] = {{"force", 'f', VALUE_NONE, KEEP_PASS, NULL}, {0}};
static const struct option_row list_options[] = {
	{"format", 'f', VALUE_WORD, KEEP_PASS, " table json "},
	{"quiet", 'q', VALUE_NONE, KEEP_PASS, NULL},
	{0},
};

/* Numbers only: a --resources file could open devices. */
static const struct option_row update_options[] = {
	{"cpu-period", 0, VALUE_NUMBER, KEEP_PASS, NULL},         {"cpu-quota", 0, VALUE_NUMBER, KEEP_PASS, NULL},
	{"cpu-share", 0, VALUE_NUMBER, KEEP_PASS, NULL},          {"cpuset-cpus", 0, VALUE_CPUSET, KEEP_PASS, NULL},
	{"cpuset-mems", 0, VALUE_CPUSET, KEEP_PASS, NULL},        {"memory", 0, VALUE_NUMBER, KEEP_PASS, NULL},
	{"memory-reservation", 0, VALUE_NUMBER, KEEP_PASS, NULL}, {"memory-swap", 0, VALUE_NUMBER, KEEP_PASS, NULL},
	{"pids-limit", 0, VALUE_NUMBER, KEEP_PASS, NULL},         {0},
};

/* Not here: checkpoint and restore (a process from a file), spec, events (crun has none). */
static const struct verb_row {
	const char *verb;
	enum gate_verb kind;
	const struct option_row *options;
	size_t least, most; /* operands; the first is the id */
} verbs[] = {
	{"create", GATE_CREATE, create_options, 1, 1}, {"run", GATE_CREATE, run_options, 1, 1},
	{"exec", GATE_EXEC, exec_options, 1, 1},       {"delete", GATE_DELETE, delete_options, 1, 1},
	{"start", GATE_PASS, no_options, 1, 1},        {"state", GATE_PASS, no_options, 1, 1},
	{"kill", GATE_PASS, kill_options, 1, 2},       {"ps", GATE_PASS, list_options, 1, 1},
	{"pause", GATE_PASS, no_options, 1, 1},        {"resume", GATE_PASS, no_options, 1, 1},
	{"list", GATE_PASS, list_options, 0, 0},       {"features", GATE_PASS, no_options, 0, 0},
	{"update", GATE_PASS, update_options, 1, 1},   {"--version", GATE_PASS, no_options, 0, 0},
	{"-v", GATE_PASS, no_options, 0, 0},
};

static bool chars_only(const char *s, const char *chars, size_t max)
{
	size_t n = strlen(s);

	return n && n <= max && strspn(s, chars) == n;
}

#define DIGITS     "0123456789"
#define WORD_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "+-"

/* A path also goes into our entry file, a line each. */
static bool path_is_valid(const char *v)
{
	for (const char *s = v; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return *v && strlen(v) < GATE_MAX_ARG_BYTES;
}

static bool value_is_valid(const struct option_row *o, const char *v)
{
	const char *at;

	switch (o->value) {
	case VALUE_NONE:
		return false;
	case VALUE_PATH:
		return v[0] == '/' && path_is_valid(v);
	case VALUE_ANY_PATH:
		return path_is_valid(v);
	case VALUE_NUMBER:
		return !strcmp(v, "-1") || chars_only(v, DIGITS, 19);
	case VALUE_CPUSET:
		return chars_only(v, DIGITS ",-", 128);
	case VALUE_WORD:
		if (!chars_only(v, WORD_CHARS, 32))
			return false;
		at = o->words ? strstr(o->words, v) : NULL;
		return !o->words || (at && at[-1] == ' ' && at[strlen(v)] == ' ');
	}
	return false;
}

/* crun keeps its state below --root: it must not be made to write, or to find containers, among our own files. */
static bool root_is_ours(const char *v)
{
	static const char ours[] = "/run/holdfast";
	size_t n = sizeof(ours) - 1;

	return strstr(v, "//") || strstr(v, "/./") || strstr(v, "..") || (!strncmp(v, ours, n) && (v[n] == '/' || !v[n]));
}

/* One option for crun, in the one spelling it surely reads. */
static int pass(char *list[], size_t *n, const struct option_row *o, const char *v, struct err *e)
{
	if (*n == GATE_MAX_ARGS)
		return err_set(e, EPERM, "more than %d options", GATE_MAX_ARGS);
	if (asprintf(&list[*n], "--%s%s%s", o->name, v ? "=" : "", v ? v : "") < 0) {
		list[*n] = NULL;
		return err_set(e, ENOMEM, "no memory for the command line");
	}
	(*n)++;
	return 0;
}

static int keep(struct gate_command *cmd, const struct option_row *o, const char *v, struct err *e)
{
	bool global = cmd->verb == NULL;
	const char **slot = NULL;

	switch (o->keep) {
	case KEEP_BUNDLE:
		slot = &cmd->bundle;
		break;
	case KEEP_PROCESS:
		slot = &cmd->process;
		break;
	case KEEP_ROOT:
		slot = &cmd->root;
		break;
	case KEEP_LOG:
		slot = &cmd->log;
		break;
	case KEEP_LOG_FORMAT:
		cmd->log_json = !strcmp(v, "json");
		break;
	case KEEP_PASS:
		break;
	}
	if (slot && *slot)
		return err_set(e, EPERM, "option --%s is given twice", o->name);
	if (o->keep == KEEP_ROOT && root_is_ours(v))
		return err_set(e, EPERM, "option --root: \"%.80s\" is holdfast's own folder, or leads there", v);
	if (slot)
		*slot = v;
	if (o->keep == KEEP_BUNDLE || o->keep == KEEP_PROCESS)
		return 0;
	return pass(global ? cmd->global : cmd->option, global ? &cmd->n_global : &cmd->n_option, o, v, e);
}

/* argv[*i] is an option; *i ends on the last argument it used. */
static int parse_option(char *const argv[], int *i, const struct option_row *rows, struct gate_command *cmd,
			struct err *e)
{
	const char *arg = argv[*i], *v = NULL;
	const struct option_row *o = rows;

	if (arg[1] == '-') {
		size_t n = strcspn(arg + 2, "=");

		while (o->name && (strlen(o->name) != n || strncmp(o->name, arg + 2, n)))
			o++;
		v = arg[2 + n] == '=' ? arg + 2 + n + 1 : NULL;
	} else {
		while (o->name && (!o->letter || arg[1] != o->letter || arg[2]))
			o++;
	}
	if (!o->name)
		return err_set(e, EPERM, "option \"%.60s\" of %s is not one the gate passes on", arg,
			       cmd->verb ? cmd->verb : "the runtime");
	if (o->value == VALUE_NONE)
		return v ? err_set(e, EPERM, "option --%s takes no value", o->name) : keep(cmd, o, NULL, e);
	if (!v && argv[*i + 1])
		v = argv[++*i];
	if (!v || !value_is_valid(o, v))
		return err_set(e, EPERM, "option --%s: \"%.80s\" is not a value the gate passes on", o->name,
			       v ? v : "");
	return keep(cmd, o, v, e);
}

static const struct verb_row *find_verb(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].verb, word))
			return &verbs[i];
	return NULL;
}

static int check_operands(const struct gate_command *cmd, const struct verb_row *row, struct err *e)
{
	if (cmd->n_operand < row->least || cmd->n_operand > row->most)
		return err_set(e, EPERM, "%s has %zu operands, wanted %zu to %zu", row->verb, cmd->n_operand,
			       row->least, row->most);
	if (cmd->n_operand && !oci_spec_id_is_valid(cmd->operand[0]))
		return err_set(e, EPERM, "\"%.80s\" is not a container id the gate accepts", cmd->operand[0]);
	if (cmd->n_operand > 1 && (!chars_only(cmd->operand[1], WORD_CHARS, 16) || cmd->operand[1][0] == '-'))
		return err_set(e, EPERM, "\"%.40s\" is not a signal", cmd->operand[1]);
	if (row->kind == GATE_EXEC && !cmd->process)
		return err_set(e, EPERM, "exec without --process: its command would not be checked");
	return 0;
}

/* Options and operands may be mixed after the verb; "--" ends the options. */
static int parse_verb(int argc, char *const argv[], int i, struct gate_command *cmd, struct err *e)
{
	const struct verb_row *row = find_verb(argv[i]);
	bool ended = false;
	int r;

	if (!row)
		return err_set(e, EPERM, "\"%.40s\" is not a command the gate passes on", argv[i]);
	cmd->verb = row->verb;
	cmd->kind = row->kind;
	for (i++; i < argc; i++) {
		if (!ended && !strcmp(argv[i], "--")) {
			ended = true;
		} else if (!ended && argv[i][0] == '-' && argv[i][1]) {
			r = parse_option(argv, &i, row->options, cmd, e);
			if (r)
				return r;
		} else if (cmd->n_operand < ARRAY_SIZE(cmd->operand)) {
			cmd->operand[cmd->n_operand++] = argv[i];
		} else {
			return err_set(e, EPERM, "%s has too many operands", row->verb);
		}
	}
	return check_operands(cmd, row, e);
}

int gate_command_parse(int argc, char *const argv[], struct gate_command *ret, struct err *e)
{
	int i, r = 0;

	for (i = 1; i < argc && argv[i][0] == '-' && !find_verb(argv[i]) && !r; i++)
		r = parse_option(argv, &i, global_options, ret, e);
	if (!r && i >= argc)
		r = err_set(e, EPERM, "no command is given");
	if (!r)
		r = parse_verb(argc, argv, i, ret, e);
	if (!ret->root)
		ret->root = DEFAULT_ROOT;
	if (!ret->bundle)
		ret->bundle = ".";
	return r;
}

void gate_command_free(struct gate_command *cmd)
{
	for (size_t i = 0; i < cmd->n_global; i++)
		free(cmd->global[i]);
	for (size_t i = 0; i < cmd->n_option; i++)
		free(cmd->option[i]);
	cmd->n_global = 0;
	cmd->n_option = 0;
}

size_t gate_crun_words(const struct gate_host *host, const char *ret[static GATE_LOADER_ARGS])
{
	if (!host->loader)
		return 0;
	ret[0] = host->loader;
	ret[1] = "--argv0";
	ret[2] = "crun";
	return GATE_LOADER_ARGS;
}

void gate_command_argv(const struct gate_command *cmd, const char *crun, const char *extra,
		       const char *ret[static 3 * GATE_MAX_ARGS])
{
	size_t n = 0;

	ret[n++] = crun;
	for (size_t i = 0; i < cmd->n_global; i++)
		ret[n++] = cmd->global[i];
	ret[n++] = cmd->verb;
	for (size_t i = 0; i < cmd->n_option; i++)
		ret[n++] = cmd->option[i];
	if (extra)
		ret[n++] = extra;
	for (size_t i = 0; i < cmd->n_operand; i++)
		ret[n++] = cmd->operand[i];
	ret[n] = NULL;
}
