/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image-builder/cmd_codes.c - `holdfast-image codes`: what a failure code means, and what to do
 *
 * The one table is common/codes.c. docs/failure-codes.md is this command's --markdown, and a test holds them equal.
 */
#include "common/cli.h"
#include "common/codes.h"
#include "common/json.h"
#include "image-builder/cmd.h"

#include <stdio.h>
#include <stdlib.h>

static const char *who(enum code code)
{
	if (code < CODE_HOST_MANIFEST)
		return "PID 1, initramfs";
	if (code < CODE_GATE_CONFIG)
		return "PID 1, host";
	return code < CODE_FIRMWARE_REFUSED ? "gate" : "holdfast-image boot";
}

static void print_text(const struct code_info *c)
{
	printf("E%d %s (%s)\n  cause: %s\n  do:    %s\n", (int)c->code, c->text, who(c->code), c->cause, c->action);
}

static void print_markdown(const struct code_info *c)
{
	printf("| E%d | %s | %s | %s | %s |\n", (int)c->code, who(c->code), c->text, c->cause, c->action);
}

static int print_json(const struct code_info *c, struct err *e)
{
	cleanup_buf struct buf line = BUF_INIT;
	cleanup_json json_object *o = json_object_new_object();
	int r;

	if (!o || json_object_object_add(o, "code", json_object_new_int((int)c->code)) ||
	    json_object_object_add(o, "by", json_object_new_string(who(c->code))) ||
	    json_object_object_add(o, "text", json_object_new_string(c->text)) ||
	    json_object_object_add(o, "cause", json_object_new_string(c->cause)) ||
	    json_object_object_add(o, "action", json_object_new_string(c->action)))
		return err_set(e, ENOMEM, "no memory for a line of JSON");
	r = json_write(&line, o, e);
	if (!r)
		(void)fwrite(line.data, 1, line.len, stdout); /* cli_main checks stdout */
	return r;
}

/* "E19" or "19"; CODE_NONE if it is neither or not in the table */
static const struct code_info *find(const char *text)
{
	const struct code_info *c = code_table();
	char *end;
	unsigned long n = strtoul(*text == 'E' ? text + 1 : text, &end, 10);

	while (c->code != CODE_NONE && (c->code != n || *end))
		c++;
	return c;
}

int cmd_codes(int argc, char **argv)
{
	int markdown = 0, json = 0, n, r = 0;
	const struct cli_opt opts[] = {
		{ .name = "markdown", .help = "as docs/failure-codes.md", .value = &markdown },
		{ .name = "json", .help = "one JSON object a line", .value = &json },
		{ 0 },
	};
	struct err e = ERR_INIT;
	const struct code_info *only = NULL;

	n = cli_options(argc, argv, "[CODE]", "what a failure code means, and what to do", opts);
	if (n < 0)
		return CLI_USAGE;
	if (n > 1 || (markdown && json))
		return cli_usage("codes", "one code at most, and one of --markdown and --json");
	if (n == 1 && (only = find(argv[1]))->code == CODE_NONE)
		return cli_usage("codes", "\"%s\" is no failure code; wanted one such as E19", argv[1]);
	if (markdown)
		printf("# Failure codes\n\nMade by `make docs` from `common/codes.c`; a code never changes its meaning. "
		       "`holdfast-image codes E19` prints one.\n\n"
		       "| code | said by | what happened | usual cause | what to do |\n|---|---|---|---|---|\n");
	for (const struct code_info *c = only ? only : code_table(); c->code != CODE_NONE && !r; c++) {
		if (json)
			r = print_json(c, &e);
		else if (markdown)
			print_markdown(c);
		else
			print_text(c);
		if (only)
			break;
	}
	return r ? cli_fail(CLI_COULD_NOT, "codes", &e) : CLI_PASSED;
}
