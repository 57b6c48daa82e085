/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_explain.c - holdfast-policy explain: would the gate admit this, and if not, why */
#include "policy/cmd.h"

#include "common/cli.h"
#include "common/file.h"
#include "common/json.h"
#include "policy/oci_spec.h"
#include "policy/policy_write.h"

#define SHOWN_ROOTFS "/run/holdfast/gate/ID/rootfs"

/* struct verdict - what the gate's own code said */
struct verdict {
	const struct policy_image *image; /* NULL: none was found */
	enum code code;                   /* CODE_NONE: admitted */
	struct buf given;                 /* what the real runtime would get */
};

static void print_words(const struct verdict *v, const struct err *e)
{
	const struct code_info *info = code_info((unsigned)v->code);

	if (v->code == CODE_NONE) {
		printf("admitted as image \"%s\" (class %s); the runtime would get:\n", v->image->name, v->image->class_name);
		(void)fwrite(v->given.data, 1, v->given.len, stdout); /* cli_main() checks standard output */
		return;
	}
	printf("refused: E%u %s\n  found: ", (unsigned)v->code, info->text);
	policy_cmd_quoted(e->msg);
	printf("\n  why:   %s\n  do:    %s\n", info->cause, info->action);
}

static int print_json(const struct verdict *v, const struct err *e, struct err *ret_e)
{
	cleanup_json json_object *o = json_object_new_object();
	cleanup_buf struct buf out = BUF_INIT;
	json_object *given = NULL;
	bool admitted = v->code == CODE_NONE;
	int r = admitted ? json_parse(v->given.data, v->given.len, "given", &given, ret_e) : 0;

	(void)json_object_object_add(o, "admitted", json_object_new_boolean(admitted)); /* out of memory ends it */
	if (v->image)
		(void)json_object_object_add(o, "image", json_object_new_string(v->image->name)); /* likewise */
	if (admitted) {
		(void)json_object_object_add(o, "given", given); /* likewise */
	} else {
		(void)json_object_object_add(o, "code", json_object_new_int((int)v->code));   /* likewise */
		(void)json_object_object_add(o, "message", json_object_new_string(e->msg)); /* likewise */
	}
	r = r ? r : json_write(&out, o, ret_e);
	if (!r)
		(void)fwrite(out.data, 1, out.len, stdout); /* cli_main() checks standard output */
	return r;
}

/* Ask the code that the gate asks. Return: 0 there is a verdict; -errno there is none. */
static int judge(const struct oci_spec_input *in, const char *exec_image, struct verdict *ret, struct err *e)
{
	int r;

	if (exec_image) {
		ret->image = policy_image_find(in->policy, exec_image);
		if (!ret->image)
			return err_set(e, ENOENT, "the policy has no image named \"%.64s\"", exec_image);
		r = oci_spec_exec(in, ret->image, &ret->given, &ret->code, e);
	} else {
		r = oci_spec_create(in, &ret->image, &ret->given, &ret->code, e);
	}
	if (r && ret->code == CODE_NONE)
		return r;
	return r == -ENOMEM ? r : 0;
}

int policy_cmd_explain(int argc, char **argv)
{
	const char *path = NULL, *id = "explained", *exec_image = NULL;
	int json = 0;
	const struct cli_opt opts[] = {
		{"policy", "FILE", "the layer policy", &path, NULL, 0},
		{"id", "ID", "the container's id (a hint to its image)", &id, NULL, 0},
		{"exec", "IMAGE", "the file is a process.json: exec into a container of IMAGE", &exec_image, NULL, 0},
		{"json", NULL, "one document for programs", &json, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "CONFIG.json", "would the gate admit it, as what, and if not, why", opts);
	cleanup_policy struct policy *p = NULL;
	cleanup_buf struct buf config = BUF_INIT;
	struct verdict v = {.given = BUF_INIT};
	struct oci_spec_input in = {.rootfs = SHOWN_ROOTFS};
	struct err e = ERR_INIT, f = ERR_INIT;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1 || !path)
		return cli_usage(argv[0], "wants --policy and one CONFIG.json");
	if (!oci_spec_id_is_valid(id))
		return cli_usage(argv[0], "\"%.80s\" is no id of a container", id);
	r = policy_load_unverified(path, &p, &e);
	r = r ? r : file_read(argv[1], OCI_SPEC_MAX_BYTES, &config, &e);
	if (r)
		return policy_cmd_exit(argv[0], r, &e);
	in.bytes = config.data;
	in.len = config.len;
	in.name = argv[1];
	in.id = id;
	in.policy = p;
	r = judge(&in, exec_image, &v, &e);
	if (!r && json)
		r = print_json(&v, &e, &f);
	else if (!r)
		print_words(&v, &e);
	buf_free(&v.given);
	if (r)
		return policy_cmd_exit(argv[0], r, json && f.code ? &f : &e);
	return v.code == CODE_NONE ? CLI_PASSED : CLI_BAD;
}
