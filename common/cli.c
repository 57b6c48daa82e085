/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* common/cli.c - what every program's main.c shares: exit codes, the command table, options */
#include "common/cli.h"

#include "common/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "0"
#endif

#define CLI_MAX_OPTS 64
#define HELP_WIDTH   80
#define HELP_LEFT    24 /* widest left column; a longer entry has a line of its own */

/* One line of help: @left, and from @column on @text, its further lines below. */
static void print_entry(FILE *out, const char *left, int column, const char *text)
{
	int at = fprintf(out, "  %s", left);

	while (*text) {
		size_t word = strcspn(text, " ");

		if (at + 1 > column && at + 1 + (int)word > HELP_WIDTH)
			at = fprintf(out, "\n") - 1;
		at += fprintf(out, "%*s%.*s", at < column ? column - at : 1, "", (int)word, text);
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_commands(FILE *out, const char *program, const char *about, const struct cli_command *table)
{
	fprintf(out, "%s - %s\n\nUsage: %s COMMAND [OPTION...]\n\nCommands:\n", program, about, program);
	for (; table->verb; table++)
		print_entry(out, table->verb, 2 + 16 + 1, table->summary);
	fprintf(out, "\n`%s COMMAND --help` tells more.\nExit: 0 passed, 1 checked and bad, 2 usage, 3 could not check.\n",
		program);
}

static int flush_output(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "cannot write standard output: %s\n", err_text(errno));
	return code == CLI_PASSED ? CLI_COULD_NOT : code;
}

int cli_main(int argc, char **argv, const char *program, const char *about, const struct cli_command *table)
{
	if (argc < 2) {
		print_commands(stderr, program, about, table);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_commands(stdout, program, about, table);
		return flush_output(CLI_PASSED);
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%s %s\n", program, HOLDFAST_VERSION);
		return flush_output(CLI_PASSED);
	}
	for (; table->verb; table++)
		if (!strcmp(table->verb, argv[1]))
			return flush_output(table->run(argc - 1, argv + 1));
	fprintf(stderr, "%s: unknown command \"%s\"; `%s --help` lists them\n", program, argv[1], program);
	return CLI_USAGE;
}

int cli_fail(enum cli_exit code, const char *verb, const struct err *e)
{
	(void)fflush(stdout); /* keep the order of lines; an error there shows at exit */
	fprintf(stderr, "%s: %s\n", verb, e->msg);
	return code;
}

int cli_usage(const char *verb, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", verb);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; `%s --help` tells more\n", verb);
	return CLI_USAGE;
}

static void option_words(const struct cli_opt *o, char ret[64])
{
	(void)snprintf(ret, 64, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
}

static void print_options(const char *verb, const char *operands, const char *about, const struct cli_opt *opts)
{
	int widest = (int)strlen("--help");
	char left[64], text[512];

	printf("%s - %s\nUsage: %s [OPTION...] %s\n\n", verb, about, verb, operands);
	for (const struct cli_opt *o = opts; o->name; o++) {
		option_words(o, left);
		if ((int)strlen(left) > widest && strlen(left) <= HELP_LEFT)
			widest = (int)strlen(left);
	}
	for (; opts->name; opts++) {
		option_words(opts, left);
		(void)snprintf(text, sizeof(text), "%s%s", opts->help, opts->count ? " (repeatable)" : "");
		print_entry(stdout, left, 2 + widest + 2, text);
	}
	print_entry(stdout, "--help", 2 + widest + 2, "this text");
}

static const struct cli_opt *find_option(const struct cli_opt *opts, const char *arg, size_t len)
{
	for (; opts->name; opts++)
		if (strlen(opts->name) == len && !strncmp(opts->name, arg, len))
			return opts;
	return NULL;
}

/* Store one value. @seen remembers which single options were given. Return: false after a message. */
static bool store(const char *verb, const struct cli_opt *o, const char *value, bool *seen)
{
	if (*seen && !o->count) {
		(void)cli_usage(verb, "--%s is given twice", o->name);
		return false;
	}
	*seen = true;
	if (!o->arg) {
		*(int *)o->value = 1;
		return true;
	}
	if (!o->count) {
		*(const char **)o->value = value;
		return true;
	}
	if (*o->count == o->max) {
		(void)cli_usage(verb, "--%s is given more than %zu times", o->name, o->max);
		return false;
	}
	((const char **)o->value)[(*o->count)++] = value;
	return true;
}

/* One argument that begins with "--". Return: arguments used (1 or 2), 0 after a message. */
static int take_option(char **argv, const struct cli_opt *opts, bool *seen, const char *next)
{
	const char *arg = argv[1] + 2, *eq = strchr(arg, '=');
	size_t len = eq ? (size_t)(eq - arg) : strlen(arg);
	const struct cli_opt *o = find_option(opts, arg, len);

	if (!o) {
		(void)cli_usage(argv[0], "unknown option \"%s\"", argv[1]);
		return 0;
	}
	if (!o->arg && eq) {
		(void)cli_usage(argv[0], "--%s takes no value", o->name);
		return 0;
	}
	if (o->arg && !eq && !next) {
		(void)cli_usage(argv[0], "--%s wants a value (%s)", o->name, o->arg);
		return 0;
	}
	if (!store(argv[0], o, eq ? eq + 1 : next, &seen[o - opts]))
		return 0;
	return o->arg && !eq ? 2 : 1;
}

int cli_options(int argc, char **argv, const char *operands, const char *about, const struct cli_opt *opts)
{
	bool seen[CLI_MAX_OPTS] = { false };
	int n = 0;

	for (int i = 1; i < argc;) {
		char *args[2] = { argv[0], argv[i] };
		int used;

		if (!strcmp(argv[i], "--")) {
			while (++i < argc)
				argv[++n] = argv[i];
			break;
		}
		if (!strcmp(argv[i], "--help")) {
			print_options(argv[0], operands, about, opts);
			exit(flush_output(CLI_PASSED));
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			argv[++n] = argv[i++];
			continue;
		}
		if (argv[i][1] != '-') {
			(void)cli_usage(argv[0], "unknown option \"%s\"", argv[i]);
			return -1;
		}
		used = take_option(args, opts, seen, i + 1 < argc ? argv[i + 1] : NULL);
		if (!used)
			return -1;
		i += used;
	}
	return n;
}
