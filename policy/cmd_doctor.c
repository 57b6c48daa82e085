/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_doctor.c - holdfast-policy doctor: does an engine's configuration go around the gate? */
#include "policy/cmd.h"

#include "common/cli.h"
#include "common/json.h"
#include "policy/doctor.h"

#include <string.h>
#include <sys/stat.h>

static void print_finding(void *arg, const struct policy_doctor_finding *f)
{
	(void)arg;
	printf("%s", f->file);
	if (f->line)
		printf(":%u", f->line);
	printf(": %s%s", f->where, f->where[0] ? " = " : "");
	policy_cmd_quoted(f->found);
	printf("\n    %s\n", f->why);
}

static void add_finding(void *arg, const struct policy_doctor_finding *f)
{
	const struct {
		const char *key, *text;
	} texts[] = {{"file", f->file}, {"setting", f->where}, {"found", f->found}, {"why", f->why}};
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		(void)json_object_object_add(o, texts[i].key, json_object_new_string(texts[i].text)); /* out of memory ends it */
	(void)json_object_object_add(o, "line", json_object_new_int((int)f->line)); /* likewise */
	(void)json_object_array_add(arg, o); /* likewise */
}

static int print_json(const struct policy_doctor *d, json_object *findings, struct err *e)
{
	cleanup_json json_object *doc = json_object_new_object();
	cleanup_buf struct buf out = BUF_INIT;
	int r;

	(void)json_object_object_add(doc, "files", json_object_new_int64((int64_t)d->files)); /* likewise */
	(void)json_object_object_add(doc, "findings", json_object_get(findings)); /* likewise */
	r = json_write(&out, doc, e);
	if (!r)
		(void)fwrite(out.data, 1, out.len, stdout); /* cli_main() checks standard output */
	return r;
}

int policy_cmd_doctor(int argc, char **argv)
{
	int json = 0;
	const struct cli_opt opts[] = {
		{"json", NULL, "one document for programs", &json, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "PATH",
			    "what in an engine's configuration (a root, a file) goes around the gate",
			    opts);
	cleanup_json json_object *list = json_object_new_array();
	struct policy_doctor d = {.fn = print_finding};
	struct err e = ERR_INIT;
	struct stat st;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1)
		return cli_usage(argv[0], "wants one PATH");
	if (json) {
		d.fn = add_finding;
		d.arg = list;
	}
	if (stat(argv[1], &st) < 0) {
		(void)err_errno(&e, "cannot look at %s", argv[1]);
		return cli_fail(CLI_COULD_NOT, argv[0], &e);
	}
	d.live = !strcmp(argv[1], "/");
	d.root = d.live ? "" : argv[1];
	r = S_ISDIR(st.st_mode) ? policy_doctor_root(&d, &e) : policy_doctor_file(&d, argv[1], POLICY_DOCTOR_UNSET, &e);
	if (!r && !d.files && !d.findings)
		r = err_set(&e, ENOENT, "%s: no engine's configuration is there", argv[1]);
	if (!r && json)
		r = print_json(&d, list, &e);
	if (r)
		return cli_fail(r == -EINVAL ? CLI_USAGE : CLI_COULD_NOT, argv[0], &e);
	if (!json && !d.findings)
		printf("good: nothing in %zu file(s) goes around the gate\n", d.files);
	return d.findings ? CLI_BAD : CLI_PASSED;
}
