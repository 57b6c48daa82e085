/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/oci_spec.c - what an engine asks for, held against the policy: the top of config.json, and the walk by tables
 */
#include "policy/oci_spec.h"

#include "policy/oci_spec_check.h"

#include <stdarg.h>
#include <string.h>

#define DIGITS  "0123456789"
#define CRI_NOTE      "io.kubernetes.cri."
#define SANDBOX_ENTRY "pause"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* --- the walk ------------------------------------------------------------------------------------------------------
 */

int oci_spec_refuse(struct oci_check *c, enum code code, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine: it is a message */
	va_end(ap);
	c->code = code;
	return err_set(c->e, EPERM, "%s", text);
}

bool oci_spec_chars(const char *s, const char *chars, size_t max)
{
	return s && *s && strlen(s) <= max && s[strspn(s, chars)] == '\0';
}

bool oci_spec_id_is_valid(const char *id)
{
	return oci_spec_chars(id, LETTERS DIGITS "._-", OCI_SPEC_MAX_ID_BYTES) && *id != '.' && *id != '-';
}

static bool is_empty(json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_null:
		return true;
	case json_type_object:
		return json_object_object_length(v) == 0;
	case json_type_array:
		return json_object_array_length(v) == 0;
	case json_type_string:
		return json_object_get_string_len(v) == 0;
	case json_type_boolean:
		return !json_object_get_boolean(v);
	case json_type_int:
		return json_object_get_int64(v) == 0;
	default:
		return false;
	}
}

static int field_check(struct oci_check *c, const struct oci_field *f, json_object *v, const char *where)
{
	if (json_object_is_type(v, json_type_null))
		return 0;
	if (f->refuse != CODE_NONE)
		return is_empty(v)
			       ? 0
			       : oci_spec_refuse(c, f->refuse, "%s: %s: must be absent or empty", c->in->name, where);
	if (f->type != json_type_null && !json_object_is_type(v, f->type))
		return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: is of type %s, wanted %s", c->in->name, where,
				       json_type_to_name(json_object_get_type(v)), json_type_to_name(f->type));
	if (f->type == json_type_string && !json_str(v))
		return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: holds a NUL byte", c->in->name, where);
	return f->check ? f->check(c, v, where) : 0;
}

int oci_spec_object(struct oci_check *c, json_object *o, const char *where, const struct oci_field *fields)
{
	json_object_object_foreach (o, key, v) {
		char path[OCI_SPEC_MAX_PATH_BYTES];
		const struct oci_field *f = fields;
		int r;

		(void)snprintf(path, sizeof(path), "%s%s%.60s", where, *where ? "." : "", key); /* for messages */
		while (f->key && strcmp(f->key, key))
			f++;
		if (!f->key)
			return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: unknown field", c->in->name, path);
		r = field_check(c, f, v, path);
		if (r)
			return r;
	}
	return 0;
}

int oci_spec_array(struct oci_check *c, json_object *a, const char *where, enum json_type type, oci_check_fn *each)
{
	size_t n = json_object_array_length(a);

	if (n > OCI_SPEC_MAX_ITEMS)
		return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: has %zu items, at most %d are read", c->in->name,
				       where, n, OCI_SPEC_MAX_ITEMS);
	for (size_t i = 0; i < n; i++) {
		json_object *v = json_object_array_get_idx(a, i);
		char path[OCI_SPEC_MAX_PATH_BYTES];
		struct oci_field f = {.key = "", .type = type, .check = each};
		int r;

		(void)snprintf(path, sizeof(path), "%.140s[%zu]", where, i); /* for messages */
		if (json_object_is_type(v, json_type_null))
			return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: is null", c->in->name, path);
		r = field_check(c, &f, v, path);
		if (r)
			return r;
	}
	return 0;
}

int oci_spec_strings(struct oci_check *c, json_object *v, const char *where)
{
	return oci_spec_array(c, v, where, json_type_string, NULL);
}

int oci_spec_map(struct oci_check *c, json_object *v, const char *where)
{
	json_object_object_foreach (v, key, value) {
		if (!json_str(value))
			return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s.%.60s: wanted a string", c->in->name, where,
					       key);
	}
	return 0;
}

/* --- the entry -----------------------------------------------------------------------------------------------------
 */

/* "docker.io/library/hello:1.0@sha256:..." -> "hello" */
static void name_of_reference(const char *ref, char *ret, size_t size)
{
	const char *slash = strrchr(ref, '/');
	const char *last = slash ? slash + 1 : ref;

	(void)snprintf(ret, size, "%.*s", (int)strcspn(last, ":@"), last); /* cut: then it names no entry */
}

/* The entry of the longest name that is the id, or is followed in it by '-' or '.'. */
static const struct policy_image *find_by_id(const struct policy *p, const char *id)
{
	const struct policy_image *found = NULL;

	for (size_t i = 0; i < p->n_images; i++) {
		const struct policy_image *im = &p->image[i];
		size_t n = strlen(im->name);

		if (!strncmp(im->name, id, n) && (id[n] == '\0' || id[n] == '-' || id[n] == '.') &&
		    (!found || n > strlen(found->name)))
			found = im;
	}
	return found;
}

/* The entry whose layers are mounted where the engine says that the root is. */
static const struct policy_image *find_by_root(const struct oci_check *c, json_object *config)
{
	json_object *root = NULL, *path = NULL;

	if (!c->in->identify || !json_object_object_get_ex(config, "root", &root) || !json_object_is_type(root, json_type_object) ||
	    !json_object_object_get_ex(root, "path", &path) || !json_str(path) || json_str(path)[0] != '/')
		return NULL;
	return c->in->identify(c->in->policy, json_str(path));
}

static enum oci_cri cri_type(json_object *notes)
{
	json_object *v = NULL;

	if (!json_object_object_get_ex(notes, CRI_NOTE "container-type", &v) || !json_str(v))
		return OCI_CRI_NONE;
	return !strcmp(json_str(v), "sandbox") ? OCI_CRI_SANDBOX : !strcmp(json_str(v), "container") ? OCI_CRI_CONTAINER : OCI_CRI_NONE;
}

int oci_spec_find_image(struct oci_check *c, json_object *config)
{
	json_object *notes = NULL, *v = NULL;
	char name[MEASURE_MAX_NAME_BYTES + 2] = "";
	const char *hint = "the container's id";

	(void)json_object_object_get_ex(config, "annotations", &notes); /* absent leaves NULL */
	if (json_object_is_type(notes, json_type_object)) {
		c->cri = cri_type(notes);
		if (json_object_object_get_ex(notes, "org.holdfast.image", &v) && json_str(v)) {
			hint = "the annotation org.holdfast.image";
			(void)snprintf(name, sizeof(name), "%s", json_str(v));
		} else if (json_object_object_get_ex(notes, CRI_NOTE "image-name", &v) && json_str(v)) {
			hint = "the annotation " CRI_NOTE "image-name";
			name_of_reference(json_str(v), name, sizeof(name));
		} else if (c->cri == OCI_CRI_SANDBOX && json_object_object_get_ex(notes, CRI_NOTE "container-type", &v)) {
			hint = "the annotation " CRI_NOTE "container-type";
			(void)snprintf(name, sizeof(name), SANDBOX_ENTRY); /* CRI does not say from which image it made a sandbox */
		}
	}
	/* The first hint that stands there decides: falling back to another would hide a typing error. */
	c->image = v ? policy_image_find(c->in->policy, name) : find_by_id(c->in->policy, c->in->id);
	if (!v && !c->image)
		c->image = find_by_root(c, config);
	if (c->image)
		return 0;
	return oci_spec_refuse(c, CODE_GATE_NO_ENTRY, "the layer policy \"%s\" has no image \"%.80s\" (named by %s)",
			       c->in->policy->name, v ? name : c->in->id, hint);
}

/* --- the top of config.json ----------------------------------------------------------------------------------------
 */

static int check_version(struct oci_check *c, json_object *v, const char *where)
{
	if (!strncmp(json_str(v), "1.", 2) && oci_spec_chars(json_str(v), LETTERS DIGITS ".+-", 32))
		return 0;
	return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: \"%.32s\", wanted 1.x", c->in->name, where, json_str(v));
}

static int check_hostname(struct oci_check *c, json_object *v, const char *where)
{
	if (!json_object_get_string_len(v))
		return 0;
	if (!oci_spec_chars(json_str(v), LETTERS DIGITS ".-_", 64))
		return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s: not a host name", c->in->name, where);
	c->want.hostname = json_str(v);
	return 0;
}

/* The root is replaced and always read-only: what the engine says of it is read only to know the fields. */
static int check_root(struct oci_check *c, json_object *v, const char *where)
{
	static const struct oci_field fields[] = {
		{"path", json_type_string, CODE_NONE, NULL},
		{"readonly", json_type_boolean, CODE_NONE, NULL},
		{0},
	};

	return oci_spec_object(c, v, where, fields);
}

/* Hooks run as root on the host, outside of every check. Lists without items are no hooks. */
static int check_hooks(struct oci_check *c, json_object *v, const char *where)
{
	json_object_object_foreach (v, key, list) {
		if (!is_empty(list))
			return oci_spec_refuse(c, CODE_GATE_HOOK, "%s: %s.%.40s: hooks are refused", c->in->name, where,
					       key);
	}
	return 0;
}

int oci_spec_annotations(struct oci_check *c, json_object *v, const char *where)
{
	/* What engines write for their own book-keeping. None of it reaches the runtime, which acts on some
	 * (run.oci.*). */
	static const char *const dropped[] = {
		"io.container",  "io.kubernetes.cri",     "io.podman.", "org.opencontainers.", "nerdctl/",
		"org.holdfast.", "org.systemd.property.",
	};

	json_object_object_foreach (v, key, value) {
		size_t i = 0;

		while (i < ARRAY_SIZE(dropped) && strncmp(key, dropped[i], strlen(dropped[i])))
			i++;
		if (i == ARRAY_SIZE(dropped))
			return oci_spec_refuse(c, CODE_GATE_CONFIG,
					       "%s: %s: \"%.80s\" is not an annotation the gate knows", c->in->name,
					       where, key);
		if (!json_str(value))
			return oci_spec_refuse(c, CODE_GATE_CONFIG, "%s: %s.%.80s: wanted a string", c->in->name, where,
					       key);
	}
	return 0;
}

static const struct oci_field config_fields[] = {
	{"ociVersion", json_type_string, CODE_NONE, check_version},
	{"process", json_type_object, CODE_NONE, oci_spec_process},
	{"root", json_type_object, CODE_NONE, check_root},
	{"hostname", json_type_string, CODE_NONE, check_hostname},
	{"domainname", json_type_null, CODE_GATE_CONFIG, NULL},
	{"mounts", json_type_array, CODE_NONE, oci_spec_mounts},
	{"hooks", json_type_object, CODE_NONE, check_hooks},
	{"annotations", json_type_object, CODE_NONE, oci_spec_annotations},
	{"linux", json_type_object, CODE_NONE, oci_spec_linux},
	{"solaris", json_type_null, CODE_GATE_CONFIG, NULL},
	{"windows", json_type_null, CODE_GATE_CONFIG, NULL},
	{"vm", json_type_null, CODE_GATE_CONFIG, NULL},
	{"zos", json_type_null, CODE_GATE_CONFIG, NULL},
	{0},
};

static int check_config(struct oci_check *c, json_object *tree)
{
	int r = oci_spec_find_image(c, tree);

	if (!r)
		r = oci_spec_object(c, tree, "", config_fields);
	if (!r)
		r = oci_spec_process_done(c);
	if (!r)
		r = oci_spec_linux_done(c);
	return r;
}

/* Parse @in's bytes into an object. Any fault is CODE_GATE_CONFIG. */
static int parse(struct oci_check *c, json_object **ret)
{
	const struct oci_spec_input *in = c->in;
	int r;

	c->code = CODE_GATE_CONFIG;
	if (in->len > OCI_SPEC_MAX_BYTES)
		return err_set(c->e, EFBIG, "%s is larger than %d bytes", in->name, OCI_SPEC_MAX_BYTES);
	r = json_parse(in->bytes, in->len, in->name, ret, c->e);
	if (r)
		return r;
	if (!json_object_is_type(*ret, json_type_object))
		return err_set(c->e, EINVAL, "%s: wanted an object", in->name);
	return 0;
}

static int finish(struct oci_check *c, struct buf *out, struct buf *ret_json)
{
	if (out->bad) {
		c->code = CODE_INTERNAL;
		return err_set(c->e, ENOMEM, "no memory to write the configuration");
	}
	*ret_json = *out;
	*out = (struct buf)BUF_INIT;
	return 0;
}

int oci_spec_create(const struct oci_spec_input *in, const struct policy_image **ret_image, struct buf *ret_json,
		    enum code *code, struct err *e)
{
	struct oci_check c = {.in = in, .e = e};
	cleanup_json json_object *tree = NULL;
	cleanup_buf struct buf out = BUF_INIT;
	int r = parse(&c, &tree);

	if (!r)
		r = check_config(&c, tree);
	if (!r) {
		oci_spec_write_config(&c, &out);
		r = finish(&c, &out, ret_json);
	}
	if (r)
		*code = c.code;
	else
		*ret_image = c.image;
	return r;
}

int oci_spec_exec(const struct oci_spec_input *in, const struct policy_image *image, struct buf *ret_json,
		  enum code *code, struct err *e)
{
	struct oci_check c = {.in = in, .image = image, .is_exec = true, .e = e};
	cleanup_json json_object *tree = NULL;
	cleanup_buf struct buf out = BUF_INIT;
	int r;

	if (image->run.n_exec == 0)
		r = oci_spec_refuse(&c, CODE_GATE_EXEC, "the layer policy allows no exec into \"%s\"", image->name);
	else
		r = parse(&c, &tree);
	if (!r)
		r = oci_spec_process(&c, tree, "");
	if (!r)
		r = oci_spec_process_done(&c);
	if (!r) {
		oci_spec_write_process(&c, &out);
		r = finish(&c, &out, ret_json);
	}
	if (r)
		*code = c.code;
	return r;
}
