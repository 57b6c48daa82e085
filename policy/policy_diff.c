/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/policy_diff.c - what two versions of a layer policy differ in (declared in policy/policy_edit.h) */
#include "policy/policy_edit.h"

#include "common/cleanup.h"
#include "common/hex.h"

#include <stdarg.h>
#include <string.h>

#define MAX_WHAT_BYTES 512

_Static_assert(POLICY_DIFF_CHANGES == 2, "policy_diff_kind_str() has a word for each");

const char *policy_diff_kind_str(enum policy_diff_kind kind)
{
	static const char *const words[] = {"widens", "tightens", "changes"};

	return words[kind];
}

/* struct diff - who is told, about which image */
struct diff {
	void (*fn)(void *arg, const struct policy_diff_line *l);
	void *arg;
	const char *image;
	size_t widening;
};

static void say(struct diff *d, enum policy_diff_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void say(struct diff *d, enum policy_diff_kind kind, const char *fmt, ...)
{
	char what[MAX_WHAT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap); /* for people; cut is fine */
	va_end(ap);
	d->widening += kind == POLICY_DIFF_WIDENS;
	d->fn(d->arg, &(struct policy_diff_line){kind, d->image, what});
}

static bool has(char *const *v, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i], s))
			return true;
	return false;
}

/* struct list - a list of strings on both sides; more of them widens */
struct list {
	const char *what;
	char *const *a;
	size_t n_a;
	char *const *b;
	size_t n_b;
};

static void strings(struct diff *d, const struct list *l)
{
	for (size_t i = 0; i < l->n_b; i++)
		if (!has(l->a, l->n_a, l->b[i]))
			say(d, POLICY_DIFF_WIDENS, "%s %s is allowed", l->what, l->b[i]);
	for (size_t i = 0; i < l->n_a; i++)
		if (!has(l->b, l->n_b, l->a[i]))
			say(d, POLICY_DIFF_TIGHTENS, "%s %s is no longer allowed", l->what, l->a[i]);
}

static bool same_argv(char *const *a, char *const *b)
{
	while (*a && *b && !strcmp(*a, *b)) {
		a++;
		b++;
	}
	return !*a && !*b;
}

static bool has_argv(char **const *v, size_t n, char *const *argv)
{
	for (size_t i = 0; i < n; i++)
		if (same_argv(v[i], argv))
			return true;
	return false;
}

static void join(char *const *argv, char ret[static MAX_WHAT_BYTES])
{
	size_t at = 0;

	ret[0] = '\0';
	for (; *argv && at < MAX_WHAT_BYTES - 1; argv++)
		at += (size_t)snprintf(ret + at, MAX_WHAT_BYTES - at, "%s%s", at ? " " : "", *argv);
}

static void argvs(struct diff *d, const char *what, const struct policy_run *a, const struct policy_run *b)
{
	bool exec = what[0] == 'e';
	char **const *va = exec ? a->exec : a->argv, **const *vb = exec ? b->exec : b->argv;
	size_t na = exec ? a->n_exec : a->n_argv, nb = exec ? b->n_exec : b->n_argv;
	char text[MAX_WHAT_BYTES];

	for (size_t i = 0; i < nb; i++)
		if (!has_argv(va, na, vb[i])) {
			join(vb[i], text);
			say(d, POLICY_DIFF_WIDENS, "%s of \"%.400s\" is allowed", what, text);
		}
	for (size_t i = 0; i < na; i++)
		if (!has_argv(vb, nb, va[i])) {
			join(va[i], text);
			say(d, POLICY_DIFF_TIGHTENS, "%s of \"%.400s\" is no longer allowed", what, text);
		}
}

/* A variable of the environment is forced, so another value is other content and a new one is no right. */
static void environment(struct diff *d, const struct policy_run *a, const struct policy_run *b)
{
	for (size_t i = 0; i < b->n_env; i++)
		if (!has(a->env, a->n_env, b->env[i]))
			say(d, POLICY_DIFF_CHANGES, "it is started with %.200s", b->env[i]);
	for (size_t i = 0; i < a->n_env; i++)
		if (!has(b->env, b->n_env, a->env[i]))
			say(d, POLICY_DIFF_CHANGES, "it is no longer started with %.200s", a->env[i]);
}

static void layers(struct diff *d, const struct policy_image *a, const struct policy_image *b)
{
	bool same = a->n_layers == b->n_layers;
	char from[2 * HASH_SHA256_BYTES + 1], to[2 * HASH_SHA256_BYTES + 1];

	for (size_t i = 0; same && i < a->n_layers; i++)
		same = !memcmp(a->layer[i].root_hash, b->layer[i].root_hash, HASH_SHA256_BYTES);
	hex_encode(a->manifest, HASH_SHA256_BYTES, from);
	hex_encode(b->manifest, HASH_SHA256_BYTES, to);
	if (!same)
		say(d, POLICY_DIFF_CHANGES, "other layers: %zu in place of %zu, manifest %.16s... in place of %.16s...",
		    b->n_layers, a->n_layers, to, from);
	else if (strcmp(from, to) != 0)
		say(d, POLICY_DIFF_CHANGES, "the same layers by manifest %.16s... in place of %.16s...", to, from);
}

static void image(struct diff *d, const struct policy_image *a, const struct policy_image *b)
{
	const struct policy_run *x = &a->run, *y = &b->run;
	const struct list lists[] = {
		{"capability", x->caps, x->n_caps, y->caps, y->n_caps},
		{"writing below", x->tmpfs, x->n_tmpfs, y->tmpfs, y->n_tmpfs},
	};

	layers(d, a, b);
	argvs(d, "a start", x, y);
	argvs(d, "exec", x, y);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		strings(d, &lists[i]);
	environment(d, x, y);
	if (x->uid != y->uid || x->gid != y->gid)
		say(d, y->uid == 0 && x->uid != 0 ? POLICY_DIFF_WIDENS
			: x->uid == 0 && y->uid != 0 ? POLICY_DIFF_TIGHTENS : POLICY_DIFF_CHANGES,
		    "user %u:%u in place of %u:%u", y->uid, y->gid, x->uid, x->gid);
	if (x->jit != y->jit)
		say(d, y->jit ? POLICY_DIFF_WIDENS : POLICY_DIFF_TIGHTENS, "executable memory of its own making is %s allowed",
		    y->jit ? "now" : "no longer");
	if (strcmp(x->cwd, y->cwd) != 0)
		say(d, POLICY_DIFF_CHANGES, "folder %.100s in place of %.100s", y->cwd, x->cwd);
	if (strcmp(a->class_name, b->class_name) != 0)
		say(d, POLICY_DIFF_CHANGES, "class %s in place of %s", b->class_name, a->class_name);
}

static void revoked(struct diff *d, const struct policy *a, const struct policy *b)
{
	char hex[2 * HASH_SHA256_BYTES + 1];

	for (size_t i = 0; i < b->n_revoked; i++)
		if (!policy_layer_is_revoked(a, b->revoked[i])) {
			hex_encode(b->revoked[i], HASH_SHA256_BYTES, hex);
			say(d, POLICY_DIFF_TIGHTENS, "layer %s is revoked", hex);
		}
	for (size_t i = 0; i < a->n_revoked; i++)
		if (!policy_layer_is_revoked(b, a->revoked[i])) {
			hex_encode(a->revoked[i], HASH_SHA256_BYTES, hex);
			say(d, POLICY_DIFF_WIDENS, "layer %s is no longer revoked", hex);
		}
}

static const struct policy_class *find_class(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_classes; i++)
		if (!strcmp(p->classes[i].name, name))
			return &p->classes[i];
	return NULL;
}

/* What the classes of @from keep apart and those of @to do not. Each pair is told once: the first name is the lesser. */
static void apart(struct diff *d, const struct policy *from, const struct policy *to, enum policy_diff_kind kind)
{
	for (size_t i = 0; i < from->n_classes; i++)
		for (size_t k = 0; k < from->n_classes; k++) {
			const char *x = from->classes[i].name, *y = from->classes[k].name;

			if (strcmp(x, y) < 0 && policy_classes_are_apart(from, x, y) && !policy_classes_are_apart(to, x, y))
				say(d, kind, "classes %s and %s may %s run at the same time", x, y,
				    kind == POLICY_DIFF_WIDENS ? "now" : "no longer");
		}
}

static void classes(struct diff *d, const struct policy *a, const struct policy *b)
{
	if (a->n_classes && !b->n_classes)
		say(d, POLICY_DIFF_WIDENS, "classes are no longer kept from each other");
	for (size_t i = 0; i < b->n_classes; i++) {
		const struct policy_class *now = &b->classes[i], *old = find_class(a, now->name);

		if (!old)
			say(d, POLICY_DIFF_CHANGES, "class %s has users and groups %u to %u", now->name, now->first_id,
			    now->last_id);
		else if (old->first_id != now->first_id || old->last_id != now->last_id)
			say(d,
			    now->first_id >= old->first_id && now->last_id <= old->last_id ? POLICY_DIFF_TIGHTENS
											     : POLICY_DIFF_WIDENS,
			    "class %s has users and groups %u to %u in place of %u to %u", now->name, now->first_id,
			    now->last_id, old->first_id, old->last_id);
	}
	for (size_t i = 0; i < a->n_classes; i++)
		if (!find_class(b, a->classes[i].name))
			say(d, POLICY_DIFF_CHANGES, "class %s is gone", a->classes[i].name);
	apart(d, a, b, POLICY_DIFF_WIDENS);
	apart(d, b, a, POLICY_DIFF_TIGHTENS);
}

size_t policy_diff(const struct policy *a, const struct policy *b,
		   void (*fn)(void *arg, const struct policy_diff_line *l), void *arg)
{
	struct diff d = {.fn = fn, .arg = arg};

	if (strcmp(a->name, b->name) != 0)
		say(&d, POLICY_DIFF_CHANGES, "name %s in place of %s", b->name, a->name);
	if (b->version <= a->version && memcmp(a->digest, b->digest, HASH_SHA256_BYTES) != 0)
		say(&d, POLICY_DIFF_CHANGES, "version %llu is not above %llu: a host that has seen that refuses it",
		    (unsigned long long)b->version, (unsigned long long)a->version);
	revoked(&d, a, b);
	classes(&d, a, b);
	for (size_t i = 0; i < b->n_images; i++) {
		const struct policy_image *old = policy_image_find(a, b->image[i].name);

		d.image = b->image[i].name;
		if (old)
			image(&d, old, &b->image[i]);
		else
			say(&d, POLICY_DIFF_WIDENS, "may run (class %s, %zu layers, user %u:%u)", b->image[i].class_name,
			    b->image[i].n_layers, b->image[i].run.uid, b->image[i].run.gid);
	}
	for (size_t i = 0; i < a->n_images; i++) {
		d.image = a->image[i].name;
		if (!policy_image_find(b, d.image))
			say(&d, POLICY_DIFF_TIGHTENS, "may no longer run");
	}
	return d.widening;
}
