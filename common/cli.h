/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/cli.h - what every program's main.c shares: exit codes, the command table, one line of output
 */
#ifndef COMMON_CLI_H
#define COMMON_CLI_H

#include "common/err.h"

#include <stddef.h>

/* The four exit codes. "Could not check" and "checked and bad" are different things. */
enum cli_exit {
	CLI_PASSED = 0,
	CLI_BAD = 1,
	CLI_USAGE = 2,
	CLI_COULD_NOT = 3,
};

/** struct cli_command - one row of a program's command table; @run gets argv from the verb on */
struct cli_command {
	const char *verb;
	int (*run)(int argc, char **argv);
	const char *summary;
};

/**
 * cli_main() - dispatch on argv[1]
 * @program: name for messages and --help
 * @about:   one sentence
 * @table:   ended by a row whose verb is NULL
 *
 * Knows --help and --version; an unknown verb is CLI_USAGE. A flush error on stdout turns 0 into
 * CLI_COULD_NOT. Return: the exit code.
 */
int cli_main(int argc, char **argv, const char *program, const char *about, const struct cli_command *table);

/** cli_fail() - print "<verb>: <sentence>" of @e to stderr. Return: @code, to be returned at once. */
int cli_fail(enum cli_exit code, const char *verb, const struct err *e);

/** cli_usage() - print "<verb>: <sentence>" and where the help is to stderr. Return: CLI_USAGE. */
int cli_usage(const char *verb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * struct cli_opt - one long option of a verb
 * @name:  without dashes; a row whose name is NULL ends the table
 * @arg:   name of its value in the help, NULL for a flag
 * @help:  one line
 * @value: where its value goes (const char **), or for a flag where 1 goes (int *)
 * @list:  if set, the option may come again: @value is an array of @max pointers and *@count their number
 */
struct cli_opt {
	const char *name;
	const char *arg;
	const char *help;
	void *value;
	size_t *count;
	size_t max;
};

/**
 * cli_options() - parse `--name value`, `--name=value` and flags; everything else is an operand
 * @verb:     argv[0] of the verb
 * @operands: usage line of the operands, for the help ("DATA HASH")
 * @about:    what the verb does, for the help
 * @opts:     the table
 *
 * Operands are moved to argv[1..]; "--" ends the options. --help prints and exits 0.
 * Return: number of operands, or -1 after a message for bad usage (return CLI_USAGE then). An option given
 * twice that is not a list is bad usage.
 */
int cli_options(int argc, char **argv, const char *operands, const char *about, const struct cli_opt *opts);

#endif
