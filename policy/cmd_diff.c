/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_diff.c - holdfast-policy diff: what a new version allows more, less, or else */
#include "policy/cmd.h"

#include "common/cli.h"
#include "common/json.h"
#include "policy/policy_edit.h"
#include "policy/policy_write.h"

static void print_line(void *arg, const struct policy_diff_line *l)
{
	*(size_t *)arg += 1;
	printf("%-9s", policy_diff_kind_str(l->kind));
	if (l->image)
		printf("%s: ", l->image);
	policy_cmd_quoted(l->what);
	printf("\n");
}

static void add_line(void *arg, const struct policy_diff_line *l)
{
	json_object *o = json_object_new_object();

	(void)json_object_object_add(o, "kind", json_object_new_string(policy_diff_kind_str(l->kind))); /* out of memory ends it */
	if (l->image)
		(void)json_object_object_add(o, "image", json_object_new_string(l->image)); /* likewise */
	(void)json_object_object_add(o, "what", json_object_new_string(l->what)); /* likewise */
	(void)json_object_array_add(arg, o); /* likewise */
}

static int print_json(const struct policy *a, const struct policy *b, size_t *ret_widening, struct err *e)
{
	cleanup_json json_object *doc = json_object_new_object();
	json_object *lines = json_object_new_array();
	cleanup_buf struct buf out = BUF_INIT;
	int r;

	*ret_widening = policy_diff(a, b, add_line, lines);
	(void)json_object_object_add(doc, "widening", json_object_new_int64((int64_t)*ret_widening)); /* likewise */
	(void)json_object_object_add(doc, "differences", lines); /* likewise */
	r = json_write(&out, doc, e);
	if (!r)
		(void)fwrite(out.data, 1, out.len, stdout); /* cli_main() checks standard output */
	return r;
}

int policy_cmd_diff(int argc, char **argv)
{
	int json = 0, strict = 0;
	const struct cli_opt opts[] = {
		{"no-widening", NULL, "exit 1 if NEW allows anything that OLD does not", &strict, NULL, 0},
		{"json", NULL, "one document for programs", &json, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "OLD NEW", "say what NEW allows more, less, or else than OLD", opts);
	cleanup_policy struct policy *a = NULL;
	cleanup_policy struct policy *b = NULL;
	struct err e = ERR_INIT;
	size_t widening = 0, lines = 0;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 2)
		return cli_usage(argv[0], "wants two FILEs: OLD and NEW");
	r = policy_load_unverified(argv[1], &a, &e);
	r = r ? r : policy_load_unverified(argv[2], &b, &e);
	if (!r && json)
		r = print_json(a, b, &widening, &e);
	if (r)
		return policy_cmd_exit(argv[0], r, &e);
	if (!json) {
		widening = policy_diff(a, b, print_line, &lines);
		if (!lines)
			printf("no difference\n");
	}
	return strict && widening ? CLI_BAD : CLI_PASSED;
}
