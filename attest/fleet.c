/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/fleet.c - policy sets: which of the sound hosts a fleet's owner wants */
#include "attest/fleet.h"

#include "common/deb_version.h"
#include "common/file.h"
#include "common/hex.h"

#include <stdio.h>
#include <string.h>

#define MAX_FIELD_BYTES 96 /* of a field's value as text: a digest in hex is the longest of ours */

/* ---- fields ------------------------------------------------------------------------------------------------------ */

enum field_type { FIELD_FORBIDDEN, FIELD_NUMBER, FIELD_TEXT, FIELD_PACKAGES };

/* One value: a number, or a text that is borrowed or stands in @own, or packages, of which @which failed. */
struct value {
	uint64_t number;
	const char *text;
	const struct sbom *sbom;
	size_t which;
	char own[MAX_FIELD_BYTES];
};

static void get_image_name(const struct fleet_subject *s, struct value *v)
{
	v->text = s->rv->name;
}

static void get_image_version(const struct fleet_subject *s, struct value *v)
{
	v->number = s->rv->version;
}

static void get_image_arch(const struct fleet_subject *s, struct value *v)
{
	v->text = s->rv->arch;
}

static void get_image_profile(const struct fleet_subject *s, struct value *v)
{
	v->text = s->rv->profile;
}

static void get_root_hash(const struct fleet_subject *s, struct value *v)
{
	hex_encode(s->rv->root_hash, HASH_SHA256_BYTES, v->own);
	v->text = v->own;
}

static void get_packages(const struct fleet_subject *s, struct value *v)
{
	v->sbom = &s->rv->sbom;
}

static void get_identity(const struct fleet_subject *s, struct value *v)
{
	hex_encode(s->enrolment->identity, HASH_SHA256_BYTES, v->own);
	v->text = v->own;
}

static void get_ek(const struct fleet_subject *s, struct value *v)
{
	v->text = enrolment_ek_str(s->enrolment->ek);
}

static void get_platform(const struct fleet_subject *s, struct value *v)
{
	v->text = s->platform ? s->platform->name : "none";
}

static void get_firmware(const struct fleet_subject *s, struct value *v)
{
	(void)snprintf(v->own, sizeof(v->own), "%016llx", (unsigned long long)s->quote->firmware_version); /* fits */
	v->text = v->own;
}

#define BY_REFVALUES "the signature over the reference values"
#define NOBODY_SIGNS_EVENTS "an event's digest is proven by the replay, its type and text are signed by nobody"

static const struct field {
	const char *name;
	enum field_type type;
	const char *by; /* what authenticates it; for a forbidden one, why nothing does */
	void (*get)(const struct fleet_subject *s, struct value *ret);
} fields[] = {
	{"image.name", FIELD_TEXT, BY_REFVALUES, get_image_name},
	{"image.version", FIELD_NUMBER, BY_REFVALUES, get_image_version},
	{"image.arch", FIELD_TEXT, BY_REFVALUES, get_image_arch},
	{"image.profile", FIELD_TEXT, BY_REFVALUES, get_image_profile},
	{"image.root_hash", FIELD_TEXT, BY_REFVALUES, get_root_hash},
	{"image.packages", FIELD_PACKAGES, BY_REFVALUES, get_packages},
	{"host.identity", FIELD_TEXT, "credential activation at enrolment", get_identity},
	{"host.ek", FIELD_TEXT, "the verifier's own check at enrolment", get_ek},
	{"host.platform", FIELD_TEXT, "the verifier's own check of what the host lacks", get_platform},
	{"tpm.firmware_version", FIELD_TEXT, "the TPM's signature over the quote", get_firmware},
	{"event.type", FIELD_FORBIDDEN, NOBODY_SIGNS_EVENTS, NULL},
	{"event.data", FIELD_FORBIDDEN, NOBODY_SIGNS_EVENTS, NULL},
	{"event.name", FIELD_FORBIDDEN, NOBODY_SIGNS_EVENTS, NULL},
	{"agent.message", FIELD_FORBIDDEN, "the agent may say what it likes", NULL},
	{"agent.version", FIELD_FORBIDDEN, "the agent may say what it likes", NULL},
	{"client.address", FIELD_FORBIDDEN, "an address is whoever forwards the packets", NULL},
	{"tpm.qualified_signer", FIELD_FORBIDDEN, "it is for information: the AK is the enrolled one or it is refused",
	 NULL},
};

/* ---- parsing ----------------------------------------------------------------------------------------------------- */

enum op { OP_AT_LEAST, OP_AT_MOST, OP_ONE_OF, OP_NONE_OF, OP_NOT_OLDER };

static const struct {
	const char *key;
	unsigned types; /* bits of enum field_type */
	const char *compares;
} ops[] = {
	[OP_AT_LEAST] = {"at_least", 1u << FIELD_NUMBER, "numbers"},
	[OP_AT_MOST] = {"at_most", 1u << FIELD_NUMBER, "numbers"},
	[OP_ONE_OF] = {"one_of", 1u << FIELD_TEXT, "texts"},
	[OP_NONE_OF] = {"none_of", 1u << FIELD_TEXT | 1u << FIELD_PACKAGES, "texts"},
	[OP_NOT_OLDER] = {"not_older", 1u << FIELD_PACKAGES, "versions of packages"},
};
_Static_assert(ARRAY_SIZE(ops) == OP_NOT_OLDER + 1, "each comparison has its word");

static const char *const type_words[] = {
	[FIELD_FORBIDDEN] = "thing that nothing authenticates",
	[FIELD_NUMBER] = "number",
	[FIELD_TEXT] = "text",
	[FIELD_PACKAGES] = "list of packages",
};
_Static_assert(ARRAY_SIZE(type_words) == FIELD_PACKAGES + 1, "each type has its word");

struct condition {
	const struct field *field;
	enum op op;
	uint64_t number;
	size_t n;
	const char *text[FLEET_MAX_VALUES];    /* borrowed from the tree */
	const char *version[FLEET_MAX_VALUES]; /* OP_NOT_OLDER: likewise */
};

struct fleet_rule {
	const char *name;
	size_t n;
	struct condition *c;
};

static int find_field(const char *name, const char *where, const struct field **ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(fields[i].name, name))
			continue;
		if (fields[i].type == FIELD_FORBIDDEN)
			return err_set(e, EINVAL, "%s: field %s is not authenticated: %s", where, name, fields[i].by);
		*ret = &fields[i];
		return 0;
	}
	return err_set(e, EINVAL, "%s: there is no field \"%.64s\"", where, name);
}

static int parse_texts(json_object *o, const char *where, struct condition *c, struct err *e)
{
	json_object *array;
	int rc = json_get(o, where, ops[c->op].key, json_type_array, &array, e);

	if (rc)
		return rc;
	c->n = json_object_array_length(array);
	if (c->n < 1 || c->n > FLEET_MAX_VALUES)
		return err_set(e, EINVAL, "%s: %s has %zu values, wanted 1 to %d", where, ops[c->op].key, c->n,
			       FLEET_MAX_VALUES);
	for (size_t i = 0; i < c->n; i++) {
		c->text[i] = json_str(json_object_array_get_idx(array, i));
		if (!c->text[i] || strlen(c->text[i]) > FLEET_MAX_TEXT_BYTES)
			return err_set(e, EINVAL, "%s: %s[%zu] is not a text of at most %d bytes", where,
				       ops[c->op].key, i, FLEET_MAX_TEXT_BYTES);
		if (c->field->type == FIELD_PACKAGES && !deb_name_is_valid(c->text[i]))
			return err_set(e, EINVAL, "%s: %s[%zu] is no package's name (Debian Policy 5.6.7)", where,
				       ops[c->op].key, i);
	}
	return 0;
}

/* {"NAME": "VERSION", ...} */
static int parse_versions(json_object *o, const char *where, struct condition *c, struct err *e)
{
	json_object *list;
	int rc = json_get(o, where, ops[c->op].key, json_type_object, &list, e);

	if (rc)
		return rc;
	json_object_object_foreach (list, name, value) {
		const char *version = json_str(value);

		if (c->n == FLEET_MAX_VALUES)
			return err_set(e, EINVAL, "%s: %s has more than %d packages", where, ops[c->op].key, FLEET_MAX_VALUES);
		if (!deb_name_is_valid(name))
			return err_set(e, EINVAL, "%s: %s has \"%.64s\", which is no package's name (Debian Policy 5.6.7)", where,
				       ops[c->op].key, name);
		if (!version || !deb_version_is_valid(version))
			return err_set(e, EINVAL, "%s: the version of %s is none (Debian Policy 5.6.12)", where, name);
		c->text[c->n] = name;
		c->version[c->n++] = version;
	}
	return c->n ? 0 : err_set(e, EINVAL, "%s: %s names no package", where, ops[c->op].key);
}

static int parse_condition(json_object *o, const char *where, struct condition *c, struct err *e)
{
	static const char *const keys[] = {"field", "at_least", "at_most", "one_of", "none_of", "not_older", NULL};
	const char *name;
	size_t found = 0;
	int rc;

	if ((rc = json_check_keys(o, where, keys, e)) ||
	    (rc = json_get_str(o, where, "field", FLEET_MAX_TEXT_BYTES, &name, e)) ||
	    (rc = find_field(name, where, &c->field, e)))
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (json_object_object_get_ex(o, ops[i].key, NULL)) {
			c->op = (enum op)i;
			found++;
		}
	if (found != 1)
		return err_set(e, EINVAL, "%s: has %zu comparisons, wanted one of at_least, at_most, one_of, none_of, not_older",
			       where, found);
	if (!(ops[c->op].types & 1u << c->field->type))
		return err_set(e, EINVAL, "%s: %s compares %s, but %s is a %s", where, ops[c->op].key, ops[c->op].compares,
			       name, type_words[c->field->type]);
	if (c->op == OP_NOT_OLDER)
		return parse_versions(o, where, c, e);
	return c->field->type == FIELD_NUMBER
		       ? json_get_u64(o, where, ops[c->op].key, UINT32_MAX, &c->number, e)
		       : parse_texts(o, where, c, e);
}

static int parse_rule(json_object *o, size_t index, struct fleet_rule *rule, struct err *e)
{
	static const char *const keys[] = {"name", "require", NULL};
	char where[64];
	json_object *list;
	size_t n;
	int rc;

	(void)snprintf(where, sizeof(where), "rules[%zu]", index); /* fits */
	if ((rc = json_check_keys(o, where, keys, e)) ||
	    (rc = json_get_str(o, where, "name", FLEET_MAX_TEXT_BYTES, &rule->name, e)) ||
	    (rc = json_get(o, where, "require", json_type_array, &list, e)))
		return rc;
	n = json_object_array_length(list);
	if (n < 1 || n > FLEET_MAX_CONDITIONS)
		return err_set(e, EINVAL, "%s: require has %zu conditions, wanted 1 to %d: a rule that asks for nothing is "
			       "a mistake", where, n, FLEET_MAX_CONDITIONS);
	rule->c = calloc(n, sizeof(*rule->c));
	if (!rule->c)
		return err_set(e, ENOMEM, "no memory for the policy set");
	for (rule->n = 0; rule->n < n; rule->n++) {
		(void)snprintf(where, sizeof(where), "rules[%zu] require[%zu]", index, rule->n); /* fits */
		rc = parse_condition(json_object_array_get_idx(list, rule->n), where, &rule->c[rule->n], e);
		if (rc)
			return rc;
	}
	return 0;
}

static int parse_rules(struct fleet *f, const char *name, struct err *e)
{
	json_object *list;
	size_t n;
	int rc = json_get(f->tree, name, "rules", json_type_array, &list, e);

	if (rc)
		return rc;
	n = json_object_array_length(list);
	if (n < 1 || n > FLEET_MAX_RULES)
		return err_set(e, EINVAL, "%s: has %zu rules, wanted 1 to %d", name, n, FLEET_MAX_RULES);
	f->rule = calloc(n, sizeof(*f->rule));
	if (!f->rule)
		return err_set(e, ENOMEM, "no memory for the policy set");
	while (f->n_rules < n) {
		size_t i = f->n_rules++; /* counted first: fleet_free() releases half a rule, too */

		rc = parse_rule(json_object_array_get_idx(list, i), i, &f->rule[i], e);
		if (rc)
			return err_context(e, "%s", name);
	}
	return 0;
}

static int parse_document(struct fleet *f, const char *name, struct err *e)
{
	static const char *const keys[] = {"holdfast", "name", "version", "result_seconds", "platforms", "rules", NULL};
	const char *kind;
	int rc;

	if ((rc = json_check_keys(f->tree, name, keys, e)) ||
	    (rc = json_get_str(f->tree, name, "holdfast", 64, &kind, e)))
		return rc;
	if (strcmp(kind, "policy-set/1"))
		return err_set(e, EINVAL, "%s: holdfast is \"%s\", wanted \"policy-set/1\"", name, kind);
	if ((rc = json_get_str(f->tree, name, "name", FLEET_MAX_TEXT_BYTES, &f->name, e)) ||
	    (rc = json_get_u64(f->tree, name, "version", UINT32_MAX, &f->version, e)))
		return rc;
	f->result_seconds = FLEET_DEFAULT_SECONDS;
	if (json_object_object_get_ex(f->tree, "result_seconds", NULL) &&
	    (rc = json_get_u64(f->tree, name, "result_seconds", UINT32_MAX, &f->result_seconds, e)))
		return rc;
	if (f->result_seconds < FLEET_MIN_SECONDS || f->result_seconds > FLEET_MAX_SECONDS)
		return err_set(e, EINVAL, "%s: result_seconds is %llu, wanted %d to %d", name,
			       (unsigned long long)f->result_seconds, FLEET_MIN_SECONDS, FLEET_MAX_SECONDS);
	rc = platform_parse_all(f->tree, name, &f->platforms, e);
	return rc ? rc : parse_rules(f, name, e);
}

int fleet_parse(const void *text, size_t len, const char *name, struct fleet *ret, struct err *e)
{
	cleanup_fleet struct fleet f = {0};
	int rc;

	if (len > FLEET_MAX_BYTES)
		return err_set(e, E2BIG, "%s has %zu bytes, wanted at most %d", name, len, FLEET_MAX_BYTES);
	rc = json_parse(text, len, name, &f.tree, e);
	if (!rc)
		rc = parse_document(&f, name, e);
	if (rc)
		return rc;
	*ret = f;
	f = (struct fleet){0}; /* owned by the caller now */
	return 0;
}

int fleet_load(const char *path, struct fleet *ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int rc = file_read(path, FLEET_MAX_BYTES, &b, e);

	return rc ? rc : fleet_parse(b.data, b.len, path, ret, e);
}

void fleet_free(struct fleet *f)
{
	for (size_t i = 0; i < f->n_rules; i++)
		free(f->rule[i].c);
	free(f->rule);
	platform_free_all(&f->platforms);
	if (f->tree)
		(void)json_object_put(f->tree); /* drops our reference */
	*f = (struct fleet){0};
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

static bool is_listed(const struct condition *c, const char *text)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->text[i], text))
			return true;
	return false;
}

/* A package that is not listed is neither too old nor there; without a list nothing holds. */
static bool packages_hold(const struct condition *c, struct value *v)
{
	for (v->which = 0; v->sbom->known && v->which < c->n; v->which++) {
		v->text = sbom_version(v->sbom, c->text[v->which]);
		if (v->text && (c->op == OP_NONE_OF || deb_version_compare(v->text, c->version[v->which]) < 0))
			return false;
	}
	return v->sbom->known;
}

static bool holds(const struct condition *c, struct value *v)
{
	if (c->field->type == FIELD_PACKAGES)
		return packages_hold(c, v);
	switch (c->op) {
	case OP_AT_LEAST:
		return v->number >= c->number;
	case OP_AT_MOST:
		return v->number <= c->number;
	case OP_ONE_OF:
		return is_listed(c, v->text);
	case OP_NONE_OF:
		return !is_listed(c, v->text);
	case OP_NOT_OLDER:
		break; /* of packages only */
	}
	return false;
}

static void say_packages(const struct fleet_rule *rule, const struct condition *c, const struct value *v,
			 struct appraisal *a)
{
	if (!v->sbom->known)
		appraise_reason(a, "policy set, rule \"%s\": %s is not known: the reference values carry no SBOM", rule->name,
				c->field->name);
	else if (c->op == OP_NONE_OF)
		appraise_reason(a, "policy set, rule \"%s\": %s has %s %s, wanted none_of it", rule->name, c->field->name,
				c->text[v->which], v->text);
	else
		appraise_reason(a, "policy set, rule \"%s\": %s has %s %s, wanted not_older than %s", rule->name, c->field->name,
				c->text[v->which], v->text, c->version[v->which]);
}

/* "image.version is 3, wanted at_least 4" */
static void say_unmet(const struct fleet_rule *rule, const struct condition *c, const struct value *v,
		      struct appraisal *a)
{
	if (c->field->type == FIELD_PACKAGES)
		say_packages(rule, c, v, a);
	else if (c->field->type == FIELD_NUMBER)
		appraise_reason(a, "policy set, rule \"%s\": %s is %llu, wanted %s %llu", rule->name, c->field->name,
				(unsigned long long)v->number, ops[c->op].key, (unsigned long long)c->number);
	else
		appraise_reason(a, "policy set, rule \"%s\": %s is \"%s\", wanted %s %zu listed, the first \"%s\"",
				rule->name, c->field->name, v->text, ops[c->op].key, c->n, c->text[0]);
}

/* The first condition that does not hold, NULL if all do; @v is then its value. */
static const struct condition *unmet(const struct fleet_rule *rule, const struct fleet_subject *s, struct value *v)
{
	for (size_t i = 0; i < rule->n; i++) {
		rule->c[i].field->get(s, v);
		if (!holds(&rule->c[i], v))
			return &rule->c[i];
	}
	return NULL;
}

void fleet_judge(const struct fleet *f, const struct fleet_subject *s, struct appraisal *a)
{
	struct value v;

	for (size_t i = 0; i < f->n_rules; i++)
		if (!unmet(&f->rule[i], s, &v)) {
			appraise_fact(a, "policy set: %s version %llu, rule \"%s\"", f->name,
				      (unsigned long long)f->version, f->rule[i].name);
			return;
		}
	for (size_t i = 0; i < f->n_rules; i++) {
		const struct condition *c = unmet(&f->rule[i], s, &v);

		if (c) /* always, by the loop above */
			say_unmet(&f->rule[i], c, &v, a);
	}
}
