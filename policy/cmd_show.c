/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_show.c - holdfast-policy show: say in words what a policy allows */
#include "policy/cmd.h"

#include "common/cli.h"
#include "common/hex.h"
#include "policy/policy_write.h"

static void print_list(const char *label, char *const *v, size_t n)
{
	printf("    %-13s", label);
	for (size_t i = 0; i < n; i++) {
		printf(i ? ", " : "");
		policy_cmd_quoted(v[i]);
	}
	printf("%s\n", n ? "" : "none");
}

static void print_argvs(const char *label, char **const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("    %-13s", i ? "  or" : label);
		for (char **s = v[i]; *s; s++) {
			printf(s == v[i] ? "" : " ");
			policy_cmd_quoted(*s);
		}
		printf("\n");
	}
	if (!n)
		printf("    %-13snone (refused)\n", label);
}

static void print_image(const struct policy_image *i)
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(i->manifest, HASH_SHA256_BYTES, hex);
	printf("  image %s (class %s), manifest sha256:%s\n", i->name, i->class_name, hex);
	for (size_t k = 0; k < i->n_layers; k++) {
		hex_encode(i->layer[k].root_hash, HASH_SHA256_BYTES, hex);
		printf("    layer %-7zu%s, %llu KiB\n", k, hex, (unsigned long long)i->layer[k].data_bytes / 1024);
	}
	print_argvs("runs", i->run.argv, i->run.n_argv);
	print_argvs("exec", i->run.exec, i->run.n_exec);
	print_list("environment", i->run.env, i->run.n_env);
	printf("    %-13s", "folder");
	policy_cmd_quoted(i->run.cwd);
	printf("\n    %-13s%u:%u\n", "user", i->run.uid, i->run.gid);
	print_list("capabilities", i->run.caps, i->run.n_caps);
	print_list("writable", i->run.tmpfs, i->run.n_tmpfs);
	printf("    %-13s%s\n", "network", i->run.network == POLICY_NETWORK_NONE ? "none" : "?");
	printf("    %-13s%s\n", "seccomp", i->run.seccomp == POLICY_SECCOMP_DEFAULT ? "default" : "?");
	if (i->run.jit)
		printf("    %-13s%s\n", "jit", "makes executable memory, where the profile is enforce-jit");
}

static void print_policy(const struct policy *p)
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	hex_encode(p->digest, HASH_SHA256_BYTES, hex);
	printf("policy %s version %llu, sha256:%s\n", p->name, (unsigned long long)p->version, hex);
	for (size_t i = 0; i < p->n_classes; i++) {
		const struct policy_class *c = &p->classes[i];

		printf("  class %s, users and groups %u to %u", c->name, c->first_id, c->last_id);
		for (size_t k = 0; k < c->n_apart; k++)
			printf("%s %s", k ? "," : ", not while there is", c->apart[k]);
		printf("\n");
	}
	for (size_t i = 0; i < p->n_images; i++)
		print_image(&p->image[i]);
	for (size_t i = 0; i < p->n_revoked; i++) {
		hex_encode(p->revoked[i], HASH_SHA256_BYTES, hex);
		printf("  revoked %s\n", hex);
	}
	printf("The signature was not looked at; `holdfast-policy check` does that.\n");
}

int policy_cmd_show(int argc, char **argv)
{
	int json = 0;
	const struct cli_opt opts[] = {
		{"json", NULL, "the document in its canonical text", &json, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "FILE", "say in words what a policy allows", opts);
	cleanup_policy struct policy *p = NULL;
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int r;

	if (n < 0)
		return CLI_USAGE;
	if (n != 1)
		return cli_usage(argv[0], "wants one FILE");
	r = policy_load_unverified(argv[1], &p, &e);
	if (!r && json)
		r = policy_write(p, &b, &e);
	if (r)
		return policy_cmd_exit(argv[0], r, &e);
	if (json)
		(void)fwrite(b.data, 1, b.len, stdout); /* cli_main() checks standard output */
	else
		print_policy(p);
	return CLI_PASSED;
}
