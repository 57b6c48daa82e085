/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/oci_spec_process.c - the process object: arguments, environment, user, capabilities, limits */
#include "policy/oci_spec_check.h"

#include "policy/capability.h"

#include <string.h>

#define MAX_OOM_SCORE_ADJ 1000
#define SANDBOX_OOM_SCORE (-998) /* CRI's own wish for a pod's sandbox */
#define MAX_CONSOLE       65535

/* --- arguments and environment -------------------------------------------------------------------------------------
 */

static bool argv_equals(json_object *v, char *const *argv)
{
	size_t n = json_object_array_length(v);

	for (size_t i = 0; i < n; i++)
		if (!argv[i] || strcmp(argv[i], json_str(json_object_array_get_idx(v, i))))
			return false;
	return argv[n] == NULL;
}

static int check_args(struct oci_check *c, json_object *v, const char *where)
{
	const struct policy_run *run = &c->image->run;
	char *const *const *allowed = (char *const *const *)(c->is_exec ? run->exec : run->argv);
	size_t n = c->is_exec ? run->n_exec : run->n_argv;
	const char *first;
	int r = oci_spec_strings(c, v, where);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		if (argv_equals(v, allowed[i]))
			c->want.argv = allowed[i];
	if (c->want.argv)
		return 0;
	first = json_object_array_length(v) ? json_str(json_object_array_get_idx(v, 0)) : "";
	return oci_spec_refuse(
		c, c->is_exec ? CODE_GATE_EXEC : CODE_GATE_ARGS,
		"%s: %s: \"%.60s\" and its %zu arguments are none of the %zu vectors that image \"%s\" allows",
		c->in->name, where, first, json_object_array_length(v), n, c->image->name);
}

static bool env_is_allowed(const struct policy_run *run, const char *s)
{
	/* Names that engines set by themselves. They are dropped, so their values do not matter. */
	static const char *const dropped[] = {"HOSTNAME=", "TERM=", "HOME=", "container="};
	/* The search path engines give an image without one; dropped as well. */
	static const char default_path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

	for (size_t i = 0; i < run->n_env; i++)
		if (!strcmp(run->env[i], s))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		if (!strncmp(s, dropped[i], strlen(dropped[i])))
			return true;
	return !strcmp(s, default_path);
}

static int check_env_item(struct oci_check *c, json_object *v, const char *where)
{
	const char *s = json_str(v);

	if (env_is_allowed(&c->image->run, s))
		return 0;
	return oci_spec_refuse(c, CODE_GATE_ENV,
			       "%s: %s: \"%.100s\" is not in the environment that image \"%s\" allows", c->in->name,
			       where, s, c->image->name);
}

static int check_env(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_string, check_env_item);
}

static int check_cwd(struct oci_check *c, json_object *v, const char *where)
{
	(void)where; /* judged as a whole in oci_spec_process_done() */
	c->want.cwd = json_str(v);
	return 0;
}

/* --- user ----------------------------------------------------------------------------------------------------------
 */

static int get_id(struct oci_check *c, json_object *v, const char *where, uint64_t *ret)
{
	int64_t n = json_object_get_int64(v);

	if (n < 0 || n > UINT32_MAX - 1)
		return oci_spec_refuse(c, CODE_GATE_USER, "%s: %s: not a user or group number", c->in->name, where);
	*ret = (uint64_t)n;
	return 0;
}

static int check_uid(struct oci_check *c, json_object *v, const char *where)
{
	return get_id(c, v, where, &c->want.uid);
}

static int check_gid(struct oci_check *c, json_object *v, const char *where)
{
	return get_id(c, v, where, &c->want.gid);
}

/* Engines add groups from the image's /etc/group; the container gets none, whatever stands here. */
static int check_groups(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_int, NULL);
}

static int check_user(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"uid", json_type_int, CODE_NONE, check_uid},
		{"gid", json_type_int, CODE_NONE, check_gid},
		{"umask", json_type_int, CODE_NONE, NULL},
		{"additionalGids", json_type_array, CODE_NONE, check_groups},
		{"username", json_type_null, CODE_GATE_USER, NULL},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

/* --- capabilities --------------------------------------------------------------------------------------------------
 */

/*
 * What containerd, docker, podman and CRI-O ask for when nobody said anything. Asking for these is the engine's habit
 * and no wish of the operator's, so they are reduced to the policy's set in silence; anything beyond was asked for.
 */
static const char *const engine_default_caps[] = {
	"CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
	"CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
	"CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
	"CAP_KILL",    "CAP_AUDIT_WRITE",
};

static int check_capability(struct oci_check *c, json_object *v, const char *where)
{
	const struct policy_run *run = &c->image->run;
	const char *s = json_str(v);

	for (size_t i = 0; i < ARRAY_SIZE(engine_default_caps); i++)
		if (!strcmp(engine_default_caps[i], s))
			return 0;
	for (size_t i = 0; i < run->n_caps; i++)
		if (!strcmp(run->caps[i], s))
			return 0;
	return oci_spec_refuse(c, CODE_GATE_CAPABILITY, "%s: %s: %.40s is not among the capabilities of image \"%s\"",
			       c->in->name, where, policy_capability_number(s) < 0 ? "an unknown name" : s,
			       c->image->name);
}

static int check_capability_set(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_string, check_capability);
}

static int check_capabilities(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"bounding", json_type_array, CODE_NONE, check_capability_set},
		{"effective", json_type_array, CODE_NONE, check_capability_set},
		{"permitted", json_type_array, CODE_NONE, check_capability_set},
		{"inheritable", json_type_array, CODE_NONE, check_capability_set},
		{"ambient", json_type_array, CODE_NONE, check_capability_set},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

/* --- limits --------------------------------------------------------------------------------------------------------
 */

/* @most: a request above it is lowered to it. Zero: no core files, no real-time priority, no negative nice. */
static const struct {
	const char *name;
	uint64_t most;
} rlimits[] = {
	{"RLIMIT_AS", UINT64_MAX},
	{"RLIMIT_CORE", 0},
	{"RLIMIT_CPU", UINT64_MAX},
	{"RLIMIT_DATA", UINT64_MAX},
	{"RLIMIT_FSIZE", UINT64_MAX},
	{"RLIMIT_LOCKS", UINT64_MAX},
	{"RLIMIT_MEMLOCK", 8 << 20},
	{"RLIMIT_MSGQUEUE", 819200},
	{"RLIMIT_NICE", 20},
	{"RLIMIT_NOFILE", 1048576},
	{"RLIMIT_NPROC", 1048576},
	{"RLIMIT_RSS", UINT64_MAX},
	{"RLIMIT_RTPRIO", 0},
	{"RLIMIT_RTTIME", UINT64_MAX},
	{"RLIMIT_SIGPENDING", 1048576},
	{"RLIMIT_STACK", UINT64_MAX},
};
_Static_assert(ARRAY_SIZE(rlimits) == OCI_SPEC_RLIMITS, "oci_spec_check.h counts the same rows");

const char *oci_spec_rlimit_name(size_t i)
{
	return i < ARRAY_SIZE(rlimits) ? rlimits[i].name : NULL;
}

static int check_rlimit(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"type", json_type_string, CODE_NONE, NULL},
		{"soft", json_type_int, CODE_NONE, NULL},
		{"hard", json_type_int, CODE_NONE, NULL},
		{0},
	};
	json_object *type = NULL, *soft = NULL, *hard = NULL;
	size_t i = 0;
	int r = oci_spec_object(c, v, where, fields);

	if (r)
		return r;
	(void)json_object_object_get_ex(v, "type", &type); /* absent leaves NULL, refused below */
	(void)json_object_object_get_ex(v, "soft", &soft);
	(void)json_object_object_get_ex(v, "hard", &hard);
	while (type && i < ARRAY_SIZE(rlimits) && strcmp(rlimits[i].name, json_str(type)))
		i++;
	if (!type || i == ARRAY_SIZE(rlimits) || !soft || !hard || c->want.rlimit[i].set ||
	    json_object_get_int64(soft) < 0 || json_object_get_int64(hard) < 0 ||
	    json_object_get_uint64(soft) > json_object_get_uint64(hard))
		return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: wanted a known type once, and soft <= hard",
				       c->in->name, where);
	c->want.rlimit[i].set = true;
	c->want.rlimit[i].soft =
		json_object_get_uint64(soft) < rlimits[i].most ? json_object_get_uint64(soft) : rlimits[i].most;
	c->want.rlimit[i].hard =
		json_object_get_uint64(hard) < rlimits[i].most ? json_object_get_uint64(hard) : rlimits[i].most;
	return 0;
}

static int check_rlimits(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_object, check_rlimit);
}

/* Below zero the host's other processes would die in the container's place. */
static int check_oom_score_adj(struct oci_check *c, json_object *v, const char *where)
{
	int64_t n = json_object_get_int64(v);

	if (n == SANDBOX_OOM_SCORE && c->cri == OCI_CRI_SANDBOX)
		return 0; /* dropped: a sandbox is as mortal as others here */
	if (n < 0 || n > MAX_OOM_SCORE_ADJ)
		return oci_spec_refuse(c, CODE_GATE_CAPABILITY, "%s: %s: is %lld, wanted 0 to %d", c->in->name, where,
				       (long long)n, MAX_OOM_SCORE_ADJ);
	c->want.has_oom_score_adj = true;
	c->want.oom_score_adj = n;
	return 0;
}

/* --- terminal ------------------------------------------------------------------------------------------------------
 */

static int check_terminal(struct oci_check *c, json_object *v, const char *where)
{
	(void)where; /* nothing to refuse */
	c->want.terminal = json_object_get_boolean(v);
	return 0;
}

static int check_console_size(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"width", json_type_int, CODE_NONE, NULL},
		{"height", json_type_int, CODE_NONE, NULL},
		{0},
	};
	json_object *width = NULL, *height = NULL;
	int64_t w, h;
	int r = oci_spec_object(c, v, where, fields);

	if (r)
		return r;
	(void)json_object_object_get_ex(v, "width", &width); /* absent is 0 */
	(void)json_object_object_get_ex(v, "height", &height);
	w = json_object_get_int64(width);
	h = json_object_get_int64(height);
	if (w < 0 || w > MAX_CONSOLE || h < 0 || h > MAX_CONSOLE)
		return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: wanted 0 to %d", c->in->name, where, MAX_CONSOLE);
	c->want.console_width = (uint64_t)w;
	c->want.console_height = (uint64_t)h;
	return 0;
}

/* --- the object ----------------------------------------------------------------------------------------------------
 */

int oci_spec_process(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"terminal", json_type_boolean, CODE_NONE, check_terminal},
		{"consoleSize", json_type_object, CODE_NONE, check_console_size},
		{"user", json_type_object, CODE_NONE, check_user},
		{"args", json_type_array, CODE_NONE, check_args},
		{"env", json_type_array, CODE_NONE, check_env},
		{"cwd", json_type_string, CODE_NONE, check_cwd},
		{"capabilities", json_type_object, CODE_NONE, check_capabilities},
		{"rlimits", json_type_array, CODE_NONE, check_rlimits},
		{"noNewPrivileges", json_type_boolean, CODE_NONE, NULL}, /* always true in ours */
		{"oomScoreAdj", json_type_int, CODE_NONE, check_oom_score_adj},
		{"apparmorProfile", json_type_null, CODE_GATE_CONFIG, NULL},
		{"selinuxLabel", json_type_null, CODE_GATE_CONFIG, NULL},
		{"commandLine", json_type_null, CODE_GATE_CONFIG, NULL},
		{"scheduler", json_type_null, CODE_GATE_CONFIG, NULL},
		{"ioPriority", json_type_null, CODE_GATE_CONFIG, NULL},
		{"execCPUAffinity", json_type_null, CODE_GATE_CONFIG, NULL},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

int oci_spec_process_done(struct oci_check *c)
{
	const struct policy_run *run = &c->image->run;

	if (!c->want.argv)
		return oci_spec_refuse(c, c->is_exec ? CODE_GATE_EXEC : CODE_GATE_ARGS, "%s: process.args is missing",
				       c->in->name);
	if (!c->want.cwd || strcmp(c->want.cwd, run->cwd))
		return oci_spec_refuse(c, CODE_GATE_ARGS, "%s: process.cwd is \"%.80s\", image \"%s\" wants \"%.80s\"",
				       c->in->name, c->want.cwd ? c->want.cwd : "", c->image->name, run->cwd);
	/* A user that is absent is 0:0, as for the runtime. */
	if (c->want.uid != run->uid || c->want.gid != run->gid)
		return oci_spec_refuse(c, CODE_GATE_USER, "%s: process.user is %llu:%llu, image \"%s\" wants %u:%u",
				       c->in->name, (unsigned long long)c->want.uid, (unsigned long long)c->want.gid,
				       c->image->name, run->uid, run->gid);
	return 0;
}
