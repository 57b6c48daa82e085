/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/cmd_add.c - holdfast-policy add: convert an OCI image's layers, sign them, add its entry */
#include "policy/cmd.h"

#include "common/cleanup.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/interrupt.h"
#include "policy/oci_layout.h"
#include "policy/policy_add.h"
#include "policy/policy_write.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

/* struct options - as given; lists are NULL-terminated because they are zeroed and one longer than can be filled */
struct options {
	const char *policy, *layers, *key, *cert, *arch, *name, *class_name, *user, *jobs;
	int devices, jit;
	const char *args[POLICY_MAX_ARGVS], *exec[POLICY_MAX_ARGVS];
	const char *tmpfs[POLICY_MAX_TMPFS + 1], *env[POLICY_MAX_ENV + 1], *caps[POLICY_MAX_CAPS + 1];
	size_t n_args, n_exec, n_tmpfs, n_env, n_caps;
};

/* struct words - texts cut at blanks; @vector[i] points into @text[i] */
struct words {
	char *text[POLICY_MAX_ARGVS];
	const char *word[POLICY_MAX_ARGVS][POLICY_MAX_ARGS + 1];
	const char *const *vector[POLICY_MAX_ARGVS];
};

static void words_free(struct words *w)
{
	for (size_t i = 0; w && i < POLICY_MAX_ARGVS; i++)
		free(w->text[i]);
	free(w);
}

CLEANUP_DEFINE(words, struct words *, words_free)
#define cleanup_words __attribute__((cleanup(cleanup_words_fn)))

/* Cut @text at blanks (no quoting), at most @max words. Return: number of words, 0 if there are none or too many. */
static size_t split(char *text, const char **word, size_t max)
{
	size_t n = 0;
	char *save = NULL;

	for (char *s = strtok_r(text, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
		if (n == max)
			return 0;
		word[n++] = s;
	}
	word[n] = NULL;
	return n;
}

static int split_all(const char *const *text, size_t n, struct words **ret, struct err *e)
{
	cleanup_words struct words *w = calloc(1, sizeof(*w));

	for (size_t i = 0; w && i < n; i++) {
		w->text[i] = strdup(text[i]);
		if (!w->text[i])
			return err_set(e, ENOMEM, "no memory for arguments");
		if (!split(w->text[i], w->word[i], POLICY_MAX_ARGS))
			return err_set(e, EINVAL, "\"%.80s\" is not 1 to %d words", text[i], POLICY_MAX_ARGS);
		w->vector[i] = w->word[i];
	}
	if (!w)
		return err_set(e, ENOMEM, "no memory for arguments");
	*ret = take_ptr(w);
	return 0;
}

/* "FOLDER" or "FOLDER:TAG"; a folder whose own name has a colon is taken as it is. @ret_tag points into @operand. */
static void split_operand(char *operand, const char **ret_tag)
{
	char *colon = strrchr(operand, ':');
	struct stat st;

	*ret_tag = NULL;
	if (!colon || strchr(colon, '/') || !stat(operand, &st))
		return;
	*colon = '\0';
	*ret_tag = colon + 1;
}

/* The name of an entry that was not given one: the layout folder's, which must then be a name. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool jobs_of(const char *s, size_t *ret)
{
	char *end = NULL;
	unsigned long n = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 0;

	*ret = n;
	return n >= 1 && n <= POLICY_ADD_MAX_JOBS && !*end;
}

static int add(const struct options *o, struct policy_add_params *a, struct err *e)
{
	cleanup_policy struct policy *p = NULL;
	int r = interrupt_catch(e);

	r = r ? r : policy_load_unverified(o->policy, &p, e);
	r = r ? r : file_mkdirs(o->layers, e);
	r = r ? r : policy_cmd_signer(o->key, o->cert, &a->convert.by, e);
	if (r)
		return r;
	r = policy_add_image(p, a, e);
	r = r ? r : policy_save(p, o->policy, e);
	policy_cmd_signer_free(&a->convert.by);
	if (!r)
		printf("added %s to %s, now version %llu; sign it next\n", a->name, o->policy,
		       (unsigned long long)p->version);
	return r;
}

static int run(const char *verb, const struct options *o, char *operand)
{
	cleanup_words struct words *args = NULL;
	cleanup_words struct words *exec = NULL;
	struct policy_add_params a = {.class_name = o->class_name,
				      .user = o->user,
				      .env = o->env,
				      .tmpfs = o->tmpfs,
				      .caps = o->caps,
				      .jit = o->jit,
				      .n_argv = o->n_args,
				      .n_exec = o->n_exec};
	struct err e = ERR_INIT;
	struct utsname u;
	int r;

	if (o->jobs && !jobs_of(o->jobs, &a.jobs))
		return cli_usage(verb, "--jobs \"%s\" is no number from 1 to %d", o->jobs, POLICY_ADD_MAX_JOBS);
	if (split_all(o->args, o->n_args, &args, &e) || split_all(o->exec, o->n_exec, &exec, &e))
		return cli_usage(verb, "%s", e.msg);
	if (!o->arch && uname(&u) < 0)
		return cli_usage(verb, "cannot tell this machine's architecture; give --arch");
	a.arch = policy_oci_arch(o->arch ? o->arch : u.machine);
	if (!a.arch)
		return cli_usage(verb, "architecture \"%s\" is not known", o->arch ? o->arch : u.machine);
	split_operand(operand, &a.tag);
	a.layout = operand;
	a.name = o->name ? o->name : base_name(operand);
	a.argv = args->vector;
	a.exec = exec->vector;
	a.convert.devices = o->devices;
	a.convert.folder = o->layers;
	r = add(o, &a, &e);
	return r ? policy_cmd_exit(verb, r, &e) : CLI_PASSED;
}

int policy_cmd_add(int argc, char **argv)
{
	struct options o = {0};
	const struct cli_opt opts[] = {
		{"policy", "FILE", "policy to add to (its version is raised by one)", &o.policy, NULL, 0},
		{"layers", "DIR", "folder for <root hash>.erofs and .p7s", &o.layers, NULL, 0},
		{"key", "KEY", "signs the layers' root hashes: PEM file or provider URI", &o.key, NULL, 0},
		{"cert", "CERT", "its certificate, enrolled in the firmware's db", &o.cert, NULL, 0},
		{"jobs", "N", "layers converted at once (default: one a processor)", &o.jobs, NULL, 0},
		{"devices", NULL, "keep device nodes of the layers, which are refused otherwise", &o.devices, NULL, 0},
		{"arch", "ARCH", "x86_64 or arm64 (default: this machine's)", &o.arch, NULL, 0},
		{"name", "NAME", "of the entry (default: the layout folder's)", &o.name, NULL, 0},
		{"class", "NAME", "class of the entry (default: default)", &o.class_name, NULL, 0},
		{"args", "'WORDS'", "allow this argument vector, not the image's own one", o.args, &o.n_args,
		 POLICY_MAX_ARGVS},
		{"exec", "'WORDS'", "allow this vector for exec", o.exec, &o.n_exec, POLICY_MAX_ARGVS},
		{"env", "K=V", "allow this too", o.env, &o.n_env, POLICY_MAX_ENV},
		{"tmpfs", "PATH", "a writable, noexec tmpfs", o.tmpfs, &o.n_tmpfs, POLICY_MAX_TMPFS},
		{"cap", "CAP_NAME", "allow this capability", o.caps, &o.n_caps, POLICY_MAX_CAPS},
		{"jit", NULL, "it makes executable memory: JIT compilers (profile enforce-jit)", &o.jit, NULL, 0},
		{"user", "USER[:GROUP]", "run as, not as the image says", &o.user, NULL, 0},
		{0},
	};
	int n = cli_options(argc, argv, "OCI-LAYOUT[:TAG]",
			    "convert an OCI image's layers, sign them, and add its entry", opts);

	if (n < 0)
		return CLI_USAGE;
	if (n != 1 || !o.policy || !o.layers || !o.key || !o.cert)
		return cli_usage(argv[0], "wants --policy, --layers, --key, --cert and one OCI-LAYOUT[:TAG]");
	return run(argv[0], &o, argv[1]);
}
