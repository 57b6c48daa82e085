/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/policy_parse.c - strict parser of the layer policy document
 *
 * Theory of operation
 *   common/json.h has checked the grammar and that no key stands twice; here every object is held to its
 *   list of fields, all of which must be there, every value to its rule, and at the end the document as a
 *   whole: names unique, no layer in use that is revoked, one size for one root hash. `where` is the place
 *   in the document and goes in front of each sentence.
 *
 * Input: hostile or authenticated, treated alike. Spec: docs/formats/layer-policy.md.
 */
#include "policy/policy.h"

#include "common/cleanup.h"
#include "common/hex.h"
#include "common/json.h"
#include "policy/capability.h"
#include "policy/policy_class.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#define WHERE_MAX        160
#define MAX_NAME_SHOWN   80
#define MAX_STRING_BYTES 131071      /* MAX_ARG_STRLEN of Linux without its NUL: execve() takes no longer one */
#define MAX_ID           4294967294u /* (uid_t)-1 means "no change" to the kernel */

/* A rule for one string of a list: 0, or -EINVAL with the sentence at @where. */
typedef int (*string_rule)(const char *s, const char *where, struct err *e);

static void where_at(char ret[static WHERE_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void where_at(char ret[static WHERE_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(ret, WHERE_MAX, fmt, ap); /* a cut place is still of use */
	va_end(ap);
}

static int no_memory(const char *where, struct err *e)
{
	return err_set(e, ENOMEM, "%s: no memory", where);
}

static int copy_string(const char *s, const char *where, char **ret, struct err *e)
{
	char *copy = strdup(s);

	if (!copy)
		return no_memory(where, e);
	*ret = copy;
	return 0;
}

/* --- rules of single strings ---------------------------------------------------------------------------------- */

static int rule_any(const char *s, const char *where, struct err *e)
{
	if (strlen(s) > MAX_STRING_BYTES)
		return err_set(e, EINVAL, "%s: has %zu bytes, at most %d can be given to a program", where, strlen(s),
			       MAX_STRING_BYTES);
	return 0;
}

static int rule_env(const char *s, const char *where, struct err *e)
{
	const char *eq = strchr(s, '=');

	if (!eq || eq == s)
		return err_set(e, EINVAL, "%s: \"%.60s\" is not of the form K=V", where, s);
	return rule_any(s, where, e);
}

static int rule_capability(const char *s, const char *where, struct err *e)
{
	if (policy_capability_number(s) < 0)
		return err_set(e, EINVAL, "%s: \"%.60s\" is no capability of Linux 6.12", where, s);
	return 0;
}

/* Absolute, without '.', '..' and empty parts: one spelling for one place. */
static int rule_path(const char *s, const char *where, struct err *e)
{
	const char *part = s;

	if (s[0] != '/')
		return err_set(e, EINVAL, "%s: \"%.60s\" is not absolute", where, s);
	if (strlen(s) >= PATH_MAX)
		return err_set(e, EINVAL, "%s: path has %zu bytes, wanted at most %d", where, strlen(s), PATH_MAX - 1);
	if (!s[1])
		return 0;
	while (*part == '/') {
		size_t n = strcspn(++part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return err_set(e, EINVAL, "%s: \"%.60s\" has a part that is empty, \".\" or \"..\"", where, s);
		part += n;
	}
	return 0;
}

static int rule_name(const char *s, const char *where, struct err *e)
{
	return measure_name_is_valid(s) ? 0 : err_set(e, EINVAL, "%s: \"%.60s\" is no name", where, s);
}

static int rule_tmpfs(const char *s, const char *where, struct err *e)
{
	int r = rule_path(s, where, e);

	if (!r && !s[1])
		return err_set(e, EINVAL, "%s: a tmpfs on \"/\" would hide the image", where);
	return r;
}

/* Two strings of a list are the same thing: for env when their keys are equal, else when they are equal. */
static bool same_entry(const char *a, const char *b, string_rule rule)
{
	size_t n = rule == rule_env ? strcspn(a, "=") + 1 : strlen(a) + 1;

	return !strncmp(a, b, n);
}

/* --- lists ---------------------------------------------------------------------------------------------------- */

static int get_array(json_object *o, const char *where, const char *key, size_t max, json_object **ret, struct err *e)
{
	json_object *a = NULL;
	int r = json_get(o, where, key, json_type_array, &a, e);

	if (r)
		return r;
	if (json_object_array_length(a) > max)
		return err_set(e, EINVAL, "%s.%s: has %zu entries, wanted at most %zu", where, key,
			       json_object_array_length(a), max);
	*ret = a;
	return 0;
}

static int get_string(json_object *o, const char *where, string_rule rule, char **ret, struct err *e)
{
	const char *s = json_str(o);
	int r = s ? rule(s, where, e) : err_set(e, EINVAL, "%s: wanted a string", where);

	return r ? r : copy_string(s, where, ret, e);
}

/* struct list - one list of distinct strings: its field, its rule, and where it goes (filled as far as it went) */
struct list {
	const char *key;
	string_rule rule;
	size_t max;
	char ***v;
	size_t *n;
};

static int get_strings(json_object *o, const char *where, const struct list *l, struct err *e)
{
	json_object *a = NULL;
	size_t n;
	int r = get_array(o, where, l->key, l->max, &a, e);

	if (r)
		return r;
	n = json_object_array_length(a);
	*l->v = calloc(n + 1, sizeof(**l->v));
	if (!*l->v)
		return no_memory(where, e);
	for (size_t i = 0; i < n; i++) {
		char at[WHERE_MAX];

		where_at(at, "%s.%s[%zu]", where, l->key, i);
		r = get_string(json_object_array_get_idx(a, i), at, l->rule, &(*l->v)[i], e);
		if (r)
			return r;
		*l->n = i + 1;
		for (size_t k = 0; k < i; k++)
			if (same_entry((*l->v)[k], (*l->v)[i], l->rule))
				return err_set(e, EINVAL, "%s: \"%.60s\" stands twice", at, (*l->v)[i]);
	}
	return 0;
}

/* One argument vector into @ret, which has room for all of it and a NULL. */
static int get_argv(json_object *a, const char *where, char ***ret, struct err *e)
{
	size_t n = json_object_is_type(a, json_type_array) ? json_object_array_length(a) : 0;

	if (n == 0 || n > POLICY_MAX_ARGS)
		return err_set(e, EINVAL, "%s: wanted a list of 1 to %d strings", where, POLICY_MAX_ARGS);
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return no_memory(where, e);
	for (size_t i = 0; i < n; i++) {
		char at[WHERE_MAX];
		int r;

		where_at(at, "%s[%zu]", where, i);
		r = get_string(json_object_array_get_idx(a, i), at, rule_any, &(*ret)[i], e);
		if (r)
			return r;
	}
	if (!(*ret)[0][0])
		return err_set(e, EINVAL, "%s[0]: the program's name is empty", where);
	return 0;
}

static int get_argvs(json_object *o, const char *where, const char *key, char ****ret, size_t *ret_n, struct err *e)
{
	json_object *a = NULL;
	size_t n;
	int r = get_array(o, where, key, POLICY_MAX_ARGVS, &a, e);

	if (r)
		return r;
	n = json_object_array_length(a);
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return no_memory(where, e);
	for (size_t i = 0; i < n; i++) {
		char at[WHERE_MAX];

		where_at(at, "%s.%s[%zu]", where, key, i);
		*ret_n = i + 1; /* what get_argv() made is released even when it fails */
		r = get_argv(json_object_array_get_idx(a, i), at, &(*ret)[i], e);
		if (r)
			return r;
	}
	return 0;
}

/* --- objects -------------------------------------------------------------------------------------------------- */

static int get_name(json_object *o, const char *where, const char *key, char **ret, struct err *e)
{
	const char *s = NULL;
	int r = json_get_str(o, where, key, MEASURE_MAX_NAME_BYTES, &s, e);

	if (r)
		return r;
	if (!measure_name_is_valid(s))
		return err_set(e, EINVAL,
			       "%s.%s: \"%s\" is no name: wanted 1 to %d of [a-z0-9._-], a letter or digit first",
			       where, key, s, MEASURE_MAX_NAME_BYTES);
	return copy_string(s, where, ret, e);
}

static int get_user(json_object *run, const char *where, struct policy_run *ret, struct err *e)
{
	static const char *const keys[] = {"uid", "gid", NULL};
	char at[WHERE_MAX];
	json_object *o = NULL;
	uint64_t uid = 0, gid = 0;
	int r = json_get(run, where, "user", json_type_object, &o, e);

	where_at(at, "%s.user", where);
	r = r ? r : json_check_keys(o, at, keys, e);
	r = r ? r : json_get_u64(o, at, "uid", MAX_ID, &uid, e);
	r = r ? r : json_get_u64(o, at, "gid", MAX_ID, &gid, e);
	if (r)
		return r;
	ret->uid = (uint32_t)uid;
	ret->gid = (uint32_t)gid;
	return 0;
}

/* A field of which version 1 of the format knows one word only. */
static int get_word(json_object *o, const char *where, const char *key, const char *word, struct err *e)
{
	const char *s = NULL;
	int r = json_get_str(o, where, key, MEASURE_MAX_NAME_BYTES, &s, e);

	if (!r && strcmp(s, word))
		return err_set(e, EINVAL, "%s.%s: \"%s\" is not known, wanted \"%s\"", where, key, s, word);
	return r;
}

static int get_cwd(json_object *run, const char *where, char **ret, struct err *e)
{
	char at[WHERE_MAX];
	json_object *o = NULL;
	int r = json_get(run, where, "cwd", json_type_string, &o, e);

	where_at(at, "%s.cwd", where);
	return r ? r : get_string(o, at, rule_path, ret, e);
}

/* It need not stand there: most programs make no code. */
static int get_jit(json_object *run, const char *where, bool *ret, struct err *e)
{
	json_object *o = NULL;
	int r = json_get_opt(run, where, "jit", json_type_boolean, &o, e);

	if (!r)
		*ret = json_object_get_boolean(o);
	return r;
}

static int get_run(json_object *image, const char *where, struct policy_run *ret, struct err *e)
{
	static const char *const keys[] = {"args",         "exec",  "env",     "cwd",     "user",
					   "capabilities", "tmpfs", "network", "seccomp", "jit", NULL};
	const struct list lists[] = {
		{"env", rule_env, POLICY_MAX_ENV, &ret->env, &ret->n_env},
		{"capabilities", rule_capability, POLICY_MAX_CAPS, &ret->caps, &ret->n_caps},
		{"tmpfs", rule_tmpfs, POLICY_MAX_TMPFS, &ret->tmpfs, &ret->n_tmpfs},
	};
	char at[WHERE_MAX];
	json_object *o = NULL;
	int r = json_get(image, where, "run", json_type_object, &o, e);

	where_at(at, "%s.run", where);
	r = r ? r : json_check_keys(o, at, keys, e);
	r = r ? r : get_argvs(o, at, "args", &ret->argv, &ret->n_argv, e);
	if (!r && ret->n_argv == 0)
		r = err_set(e, EINVAL, "%s.args: names no argument vector, so nothing could run", at);
	r = r ? r : get_argvs(o, at, "exec", &ret->exec, &ret->n_exec, e);
	for (size_t i = 0; !r && i < ARRAY_SIZE(lists); i++)
		r = get_strings(o, at, &lists[i], e);
	r = r ? r : get_cwd(o, at, &ret->cwd, e);
	r = r ? r : get_user(o, at, ret, e);
	r = r ? r : get_word(o, at, "network", "none", e);
	r = r ? r : get_word(o, at, "seccomp", "default", e);
	r = r ? r : get_jit(o, at, &ret->jit, e);
	if (r)
		return r;
	ret->network = POLICY_NETWORK_NONE;
	ret->seccomp = POLICY_SECCOMP_DEFAULT;
	return 0;
}

static int get_layer(json_object *o, const char *where, struct policy_layer *ret, struct err *e)
{
	static const char *const keys[] = {"diff_id", "root_hash", "data_bytes", NULL};
	int r = json_check_keys(o, where, keys, e);

	r = r ? r : json_get_hex(o, where, "diff_id", ret->diff_id, HASH_SHA256_BYTES, e);
	r = r ? r : json_get_hex(o, where, "root_hash", ret->root_hash, HASH_SHA256_BYTES, e);
	r = r ? r : json_get_u64(o, where, "data_bytes", INT64_MAX - 1, &ret->data_bytes, e);
	if (!r && (ret->data_bytes == 0 || ret->data_bytes % 4096))
		return err_set(e, EINVAL, "%s.data_bytes: is %llu, wanted a multiple of 4096 that is not 0", where,
			       (unsigned long long)ret->data_bytes);
	return r;
}

/* Bottom first. The same layer twice would make overlayfs refuse the mount; the upper one is enough. */
static int get_layers(json_object *image, const char *where, struct policy_image *ret, struct err *e)
{
	json_object *a = NULL;
	size_t n;
	int r = get_array(image, where, "layers", POLICY_MAX_LAYERS, &a, e);

	if (r)
		return r;
	n = json_object_array_length(a);
	if (n == 0)
		return err_set(e, EINVAL, "%s.layers: is empty", where);
	ret->layer = calloc(n, sizeof(*ret->layer));
	if (!ret->layer)
		return no_memory(where, e);
	for (size_t i = 0; i < n; i++) {
		char at[WHERE_MAX];

		where_at(at, "%s.layers[%zu]", where, i);
		r = get_layer(json_object_array_get_idx(a, i), at, &ret->layer[i], e);
		if (r)
			return r;
		for (size_t k = 0; k < i; k++)
			if (!memcmp(ret->layer[k].root_hash, ret->layer[i].root_hash, HASH_SHA256_BYTES))
				return err_set(e, EINVAL, "%s: is the layer of layers[%zu] again", at, k);
	}
	ret->n_layers = n;
	return 0;
}

static int get_image(json_object *o, const char *where, struct policy_image *ret, struct err *e)
{
	static const char *const keys[] = {"name", "class", "manifest", "config", "layers", "run", NULL};
	int r = json_check_keys(o, where, keys, e);

	r = r ? r : get_name(o, where, "name", &ret->name, e);
	r = r ? r : get_name(o, where, "class", &ret->class_name, e);
	r = r ? r : json_get_hex(o, where, "manifest", ret->manifest, HASH_SHA256_BYTES, e);
	r = r ? r : json_get_hex(o, where, "config", ret->config, HASH_SHA256_BYTES, e);
	r = r ? r : get_layers(o, where, ret, e);
	return r ? r : get_run(o, where, &ret->run, e);
}

static int get_images(json_object *doc, const char *name, struct policy *p, struct err *e)
{
	char top[WHERE_MAX];
	json_object *a = NULL;
	size_t n;
	int r;

	where_at(top, "%s: document", name);
	r = get_array(doc, top, "images", POLICY_MAX_IMAGES, &a, e);
	if (r)
		return r;
	n = json_object_array_length(a);
	p->image = calloc(n + 1, sizeof(*p->image));
	if (!p->image)
		return no_memory(name, e);
	for (size_t i = 0; i < n; i++) {
		char at[WHERE_MAX];

		where_at(at, "%s: images[%zu]", name, i);
		p->n_images = i + 1; /* what get_image() made is released even when it fails */
		r = get_image(json_object_array_get_idx(a, i), at, &p->image[i], e);
		if (r)
			return r;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(p->image[k].name, p->image[i].name))
				return err_set(e, EINVAL, "%s: is named \"%s\" as images[%zu] is", at, p->image[i].name,
					       k);
	}
	return 0;
}

static int get_revoked(json_object *doc, const char *name, struct policy *p, struct err *e)
{
	char top[WHERE_MAX];
	json_object *a = NULL;
	size_t n;
	int r;

	where_at(top, "%s: document", name);
	r = get_array(doc, top, "revoked", POLICY_MAX_REVOKED, &a, e);
	if (r)
		return r;
	n = json_object_array_length(a);
	p->revoked = calloc(n + 1, sizeof(*p->revoked));
	if (!p->revoked)
		return no_memory(name, e);
	for (size_t i = 0; i < n; i++) {
		const char *s = json_str(json_object_array_get_idx(a, i));

		if (!s || !hex_decode(s, p->revoked[i], HASH_SHA256_BYTES))
			return err_set(e, EINVAL, "%s: revoked[%zu]: wanted 64 lower-case hex digits", name, i);
		if (policy_layer_is_revoked(p, p->revoked[i]))
			return err_set(e, EINVAL, "%s: revoked[%zu]: stands twice", name, i);
		p->n_revoked = i + 1;
	}
	return 0;
}

/* --- classes (policy/policy_class.c holds images to them) ------------------------------------------------------ */

static int get_class(json_object *o, const char *where, struct policy_class *ret, struct err *e)
{
	static const char *const keys[] = {"name", "ids", "apart", NULL}, *const id_keys[] = {"first", "last", NULL};
	const struct list apart = {"apart", rule_name, POLICY_MAX_CLASSES, &ret->apart, &ret->n_apart};
	char at[WHERE_MAX];
	json_object *ids = NULL;
	uint64_t first = 0, last = 0;
	int r = json_check_keys(o, where, keys, e);

	where_at(at, "%s.ids", where);
	r = r ? r : get_name(o, where, "name", &ret->name, e);
	r = r ? r : get_strings(o, where, &apart, e);
	r = r ? r : json_get(o, where, "ids", json_type_object, &ids, e);
	r = r ? r : json_check_keys(ids, at, id_keys, e);
	r = r ? r : json_get_u64(ids, at, "first", MAX_ID, &first, e);
	r = r ? r : json_get_u64(ids, at, "last", MAX_ID, &last, e);
	ret->first_id = (uint32_t)first;
	ret->last_id = (uint32_t)last;
	return r;
}

static int get_classes(json_object *doc, const char *name, struct policy *p, struct err *e)
{
	char top[WHERE_MAX];
	json_object *a = NULL;
	size_t n;
	int r;

	where_at(top, "%s: document", name);
	r = json_get_opt(doc, top, "classes", json_type_array, &a, e);
	if (r || !a)
		return r;
	n = json_object_array_length(a);
	if (n == 0 || n > POLICY_MAX_CLASSES)
		return err_set(e, EINVAL, "%s.classes: has %zu entries, wanted 1 to %d", top, n, POLICY_MAX_CLASSES);
	p->classes = calloc(n, sizeof(*p->classes));
	if (!p->classes)
		return no_memory(name, e);
	for (size_t i = 0; !r && i < n; i++) {
		where_at(top, "%s: classes[%zu]", name, i);
		p->n_classes = i + 1; /* what get_class() made is released even when it fails */
		r = get_class(json_object_array_get_idx(a, i), top, &p->classes[i], e);
	}
	return r ? r : policy_classes_check(p, name, e);
}

/* --- the document as a whole ---------------------------------------------------------------------------------- */

/* struct use - one layer of one image, for sorting by root hash */
struct use {
	const struct policy_layer *layer;
	size_t image, index;
};

static int use_compare(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int d = memcmp(x->layer->root_hash, y->layer->root_hash, HASH_SHA256_BYTES);

	/* Equal ones stay in the document's order, so that the sentence names the later one. */
	if (d || x->image == y->image)
		return d;
	return x->image < y->image ? -1 : 1;
}

static int check_sorted(const struct policy *p, const char *name, const struct use *use, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct use *u = &use[i];
		bool again = i && !memcmp(u[-1].layer->root_hash, u->layer->root_hash, HASH_SHA256_BYTES);

		if (again && u[-1].layer->data_bytes != u->layer->data_bytes)
			return err_set(e, EINVAL,
				       "%s: images[%zu].layers[%zu]: has %llu data bytes, the same root hash has %llu "
				       "in images[%zu]",
				       name, u->image, u->index, (unsigned long long)u->layer->data_bytes,
				       (unsigned long long)u[-1].layer->data_bytes, u[-1].image);
		if (!again && policy_layer_is_revoked(p, u->layer->root_hash))
			return err_set(e, EINVAL, "%s: images[%zu].layers[%zu]: its root hash is revoked", name,
				       u->image, u->index);
	}
	return 0;
}

static int check_layers(const struct policy *p, const char *name, struct err *e)
{
	cleanup_free struct use *use = NULL;
	size_t n = 0, total = 0;

	for (size_t i = 0; i < p->n_images; i++)
		total += p->image[i].n_layers;
	use = calloc(total + 1, sizeof(*use));
	if (!use)
		return no_memory(name, e);
	for (size_t i = 0; i < p->n_images; i++)
		for (size_t k = 0; k < p->image[i].n_layers; k++)
			use[n++] = (struct use){.layer = &p->image[i].layer[k], .image = i, .index = k};
	qsort(use, n, sizeof(*use), use_compare);
	return check_sorted(p, name, use, n, e);
}

static int check_jit(const struct policy *p, const char *name, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_images; i++)
		n += p->image[i].run.jit;
	return n > POLICY_MAX_JIT ? err_set(e, EINVAL, "%s: %zu images have run.jit, wanted at most %d", name, n, POLICY_MAX_JIT) : 0;
}

static int get_document(json_object *doc, const char *name, struct policy *p, struct err *e)
{
	static const char *const keys[] = {"holdfast", "name", "version", "images", "revoked", "classes", NULL};
	char top[WHERE_MAX];
	int r;

	where_at(top, "%s: document", name);
	r = json_check_keys(doc, top, keys, e);
	r = r ? r : get_word(doc, top, "holdfast", "layer-policy/1", e);
	r = r ? r : get_name(doc, top, "name", &p->name, e);
	r = r ? r : json_get_u64(doc, top, "version", POLICY_MAX_VERSION, &p->version, e);
	if (!r && p->version == 0)
		r = err_set(e, EINVAL, "%s: field \"version\" is 0, wanted 1 to %u", top, POLICY_MAX_VERSION);
	r = r ? r : get_images(doc, name, p, e);
	r = r ? r : get_revoked(doc, name, p, e);
	r = r ? r : get_classes(doc, name, p, e);
	r = r ? r : check_jit(p, name, e);
	return r ? r : check_layers(p, name, e);
}

int policy_parse(const void *bytes, size_t len, const char *name, struct policy **ret, struct err *e)
{
	cleanup_policy struct policy *p = NULL;
	cleanup_json json_object *doc = NULL;
	size_t n = strlen(name);
	int r;

	/* The place in the document must not be cut off a sentence for the sake of a long path. */
	if (n > MAX_NAME_SHOWN)
		name += n - MAX_NAME_SHOWN;
	if (len > POLICY_MAX_BYTES)
		return err_set(e, EINVAL, "%s: has %zu bytes, wanted at most %d", name, len, POLICY_MAX_BYTES);
	r = json_parse(bytes, len, name, &doc, e);
	if (r)
		return r;
	p = calloc(1, sizeof(*p));
	if (!p)
		return no_memory(name, e);
	r = get_document(doc, name, p, e);
	if (r)
		return r;
	hash_sha256(bytes, len, p->digest);
	*ret = take_ptr(p);
	return 0;
}
