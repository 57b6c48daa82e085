/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/policy_write.c - the layer policy document from the structure, and its signature */
#include "policy/policy_write.h"

#include "common/file.h"
#include "common/hex.h"
#include "common/json.h"

#include <limits.h>
#include <string.h>

/*
 * json-c says only that memory ran out. Each add_* hands its value over, or drops it and sets the sticky flag;
 * policy_write() looks at the flag once.
 */
struct writer {
	bool bad;
};

static json_object *keep(struct writer *w, json_object *o)
{
	w->bad |= !o;
	return o;
}

static void add(struct writer *w, json_object *o, const char *key, json_object *value)
{
	if (!o || !keep(w, value) || json_object_object_add(o, key, value) < 0) {
		w->bad = true;
		(void)json_object_put(value); /* not handed over */
	}
}

static void append(struct writer *w, json_object *array, json_object *value)
{
	if (!array || !keep(w, value) || json_object_array_add(array, value) < 0) {
		w->bad = true;
		(void)json_object_put(value); /* not handed over */
	}
}

static json_object *text(struct writer *w, const char *s)
{
	return keep(w, json_object_new_string(s));
}

static json_object *hex(struct writer *w, const uint8_t digest[static HASH_SHA256_BYTES])
{
	char s[2 * HASH_SHA256_BYTES + 1];

	hex_encode(digest, HASH_SHA256_BYTES, s);
	return text(w, s);
}

static json_object *number(struct writer *w, uint64_t v)
{
	return keep(w, json_object_new_int64((int64_t)v)); /* the parser's bounds are below INT64_MAX */
}

static json_object *strings(struct writer *w, char *const *v, size_t n)
{
	json_object *a = keep(w, json_object_new_array());

	for (size_t i = 0; i < n; i++)
		append(w, a, text(w, v[i]));
	return a;
}

static json_object *argvs(struct writer *w, char **const *v, size_t n)
{
	json_object *a = keep(w, json_object_new_array());

	for (size_t i = 0; i < n; i++) {
		size_t words = 0;

		while (v[i][words])
			words++;
		append(w, a, strings(w, v[i], words));
	}
	return a;
}

static json_object *run(struct writer *w, const struct policy_run *r)
{
	json_object *o = keep(w, json_object_new_object()), *user = keep(w, json_object_new_object());

	add(w, user, "uid", number(w, r->uid));
	add(w, user, "gid", number(w, r->gid));
	add(w, o, "args", argvs(w, r->argv, r->n_argv));
	add(w, o, "exec", argvs(w, r->exec, r->n_exec));
	add(w, o, "env", strings(w, r->env, r->n_env));
	add(w, o, "cwd", text(w, r->cwd));
	add(w, o, "user", user);
	add(w, o, "capabilities", strings(w, r->caps, r->n_caps));
	add(w, o, "tmpfs", strings(w, r->tmpfs, r->n_tmpfs));
	add(w, o, "network", text(w, r->network == POLICY_NETWORK_NONE ? "none" : "unset"));
	add(w, o, "seccomp", text(w, r->seccomp == POLICY_SECCOMP_DEFAULT ? "default" : "unset"));
	if (r->jit)
		add(w, o, "jit", keep(w, json_object_new_boolean(true)));
	return o;
}

static json_object *image(struct writer *w, const struct policy_image *i)
{
	json_object *o = keep(w, json_object_new_object()), *layers = keep(w, json_object_new_array());

	for (size_t k = 0; k < i->n_layers; k++) {
		json_object *l = keep(w, json_object_new_object());

		add(w, l, "diff_id", hex(w, i->layer[k].diff_id));
		add(w, l, "root_hash", hex(w, i->layer[k].root_hash));
		add(w, l, "data_bytes", number(w, i->layer[k].data_bytes));
		append(w, layers, l);
	}
	add(w, o, "name", text(w, i->name));
	add(w, o, "class", text(w, i->class_name));
	add(w, o, "manifest", hex(w, i->manifest));
	add(w, o, "config", hex(w, i->config));
	add(w, o, "layers", layers);
	add(w, o, "run", run(w, &i->run));
	return o;
}

static json_object *class_object(struct writer *w, const struct policy_class *c)
{
	json_object *o = keep(w, json_object_new_object()), *ids = keep(w, json_object_new_object());

	add(w, ids, "first", number(w, c->first_id));
	add(w, ids, "last", number(w, c->last_id));
	add(w, o, "name", text(w, c->name));
	add(w, o, "ids", ids);
	add(w, o, "apart", strings(w, c->apart, c->n_apart));
	return o;
}

static json_object *document(struct writer *w, const struct policy *p)
{
	json_object *o = keep(w, json_object_new_object());
	json_object *images = keep(w, json_object_new_array()), *revoked = keep(w, json_object_new_array());

	for (size_t i = 0; i < p->n_images; i++)
		append(w, images, image(w, &p->image[i]));
	for (size_t i = 0; i < p->n_revoked; i++)
		append(w, revoked, hex(w, p->revoked[i]));
	add(w, o, "holdfast", text(w, "layer-policy/1"));
	add(w, o, "name", text(w, p->name));
	add(w, o, "version", number(w, p->version));
	if (p->n_classes) {
		json_object *classes = keep(w, json_object_new_array());

		for (size_t i = 0; i < p->n_classes; i++)
			append(w, classes, class_object(w, &p->classes[i]));
		add(w, o, "classes", classes);
	}
	add(w, o, "images", images);
	add(w, o, "revoked", revoked);
	return o;
}

int policy_write(const struct policy *p, struct buf *ret, struct err *e)
{
	struct writer w = {0};
	cleanup_json json_object *doc = document(&w, p);
	cleanup_policy struct policy *again = NULL;
	cleanup_buf struct buf b = BUF_INIT;
	int r = w.bad ? err_set(e, ENOMEM, "no memory to write a policy") : json_write(&b, doc, e);

	r = r ? r : policy_parse(b.data, b.len, "policy to be written", &again, e);
	if (r)
		return r;
	buf_put(ret, b.data, b.len);
	return ret->bad ? err_set(e, ENOMEM, "no memory to write a policy") : 0;
}

static int sig_path(const char *path, char ret[static PATH_MAX], struct err *e)
{
	if (snprintf(ret, PATH_MAX, "%s.p7s", path) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s...", path);
	return 0;
}

int policy_save(const struct policy *p, const char *path, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char sig[PATH_MAX];
	int r = sig_path(path, sig, e);

	r = r ? r : policy_write(p, &b, e);
	if (r)
		return r;
	if (unlink(sig) < 0 && errno != ENOENT)
		return err_errno(e, "cannot remove the old signature %s", sig);
	return file_write(path, b.data, b.len, 0644, e);
}

int policy_load_unverified(const char *path, struct policy **ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int r = file_read(path, POLICY_MAX_BYTES, &b, e);

	return r ? r : policy_parse(b.data, b.len, path, ret, e);
}

int policy_sign_file(const char *path, const struct pki_signer *by, struct err *e)
{
	cleanup_policy struct policy *p = NULL;
	cleanup_buf struct buf doc = BUF_INIT;
	cleanup_buf struct buf sig = BUF_INIT;
	char name[PATH_MAX];
	int r = sig_path(path, name, e);

	r = r ? r : file_read(path, POLICY_MAX_BYTES, &doc, e);
	r = r ? r : policy_parse(doc.data, doc.len, path, &p, e);
	r = r ? r : pki_sign(by, doc.data, doc.len, PKI_DETACHED, &sig, e);
	return r ? r : file_write(name, sig.data, sig.len, 0644, e);
}

int policy_check_file(const char *path, X509 *cert, struct policy **ret, struct err *e)
{
	cleanup_buf struct buf doc = BUF_INIT;
	cleanup_buf struct buf sig = BUF_INIT;
	char name[PATH_MAX];
	int r = sig_path(path, name, e);

	r = r ? r : file_read(path, POLICY_MAX_BYTES, &doc, e);
	r = r ? r : file_read(name, PKI_MAX_SIGNATURE_BYTES, &sig, e);
	if (r)
		return r;
	r = pki_verify_detached(cert, doc.data, doc.len, sig.data, sig.len, e);
	return r ? err_context(e, "%s", path) : policy_parse(doc.data, doc.len, path, ret, e);
}
