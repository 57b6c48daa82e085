/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/policy.c - the layer policy in memory: load after its signature, look up, release */
#include "policy/policy.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/pki.h"
#include "policy/image.h"

#include <limits.h>
#include <string.h>

static void free_strv(char **v, size_t n)
{
	for (size_t i = 0; v && i < n; i++)
		free(v[i]);
	free(v);
}

static void free_argvs(char ***v, size_t n)
{
	for (size_t i = 0; v && i < n; i++) {
		for (char **s = v[i]; s && *s; s++)
			free(*s);
		free(v[i]);
	}
	free(v);
}

void policy_image_clear(struct policy_image *i)
{
	free(i->name);
	free(i->class_name);
	free(i->layer);
	free_argvs(i->run.argv, i->run.n_argv);
	free_argvs(i->run.exec, i->run.n_exec);
	free_strv(i->run.env, i->run.n_env);
	free_strv(i->run.caps, i->run.n_caps);
	free_strv(i->run.tmpfs, i->run.n_tmpfs);
	free(i->run.cwd);
}

void policy_free(struct policy *p)
{
	int saved = errno;

	if (!p)
		return;
	for (size_t i = 0; i < p->n_images; i++)
		policy_image_clear(&p->image[i]);
	free(p->image);
	for (size_t i = 0; i < p->n_classes; i++) {
		free(p->classes[i].name);
		free_strv(p->classes[i].apart, p->classes[i].n_apart);
	}
	free(p->classes);
	free(p->revoked);
	free(p->name);
	free(p);
	errno = saved;
}

const struct policy_image *policy_image_find(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_images; i++)
		if (!strcmp(p->image[i].name, name))
			return &p->image[i];
	return NULL;
}

static bool says_apart(const struct policy *p, const char *a, const char *b)
{
	for (size_t i = 0; i < p->n_classes; i++)
		for (size_t k = 0; k < p->classes[i].n_apart; k++)
			if (!strcmp(p->classes[i].name, a) && !strcmp(p->classes[i].apart[k], b))
				return true;
	return false;
}

bool policy_classes_are_apart(const struct policy *p, const char *a, const char *b)
{
	return says_apart(p, a, b) || says_apart(p, b, a);
}

bool policy_layer_is_revoked(const struct policy *p, const uint8_t root_hash[static HASH_SHA256_BYTES])
{
	for (size_t i = 0; i < p->n_revoked; i++)
		if (hash_equal(p->revoked[i], HASH_SHA256_BYTES, root_hash, HASH_SHA256_BYTES))
			return true;
	return false;
}

static int path_below(const char *root, const char *path, char ret[static PATH_MAX], struct err *e)
{
	if (snprintf(ret, PATH_MAX, "%s%s", root, path) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "path is too long: %.100s%s", root, path);
	return 0;
}

int policy_load_verified(const char *root, struct policy **ret, struct err *e)
{
	char path[PATH_MAX], sig_path[PATH_MAX], cert_path[PATH_MAX];
	cleanup_buf struct buf doc = BUF_INIT;
	cleanup_buf struct buf sig = BUF_INIT;
	cleanup_x509 X509 *cert = NULL;
	int r;

	r = path_below(root, POLICY_PATH, path, e);
	r = r ? r : path_below(root, POLICY_SIG_PATH, sig_path, e);
	r = r ? r : path_below(root, POLICY_CERT_PATH, cert_path, e);
	r = r ? r : pki_cert_load(cert_path, &cert, e);
	r = r ? r : file_read(path, POLICY_MAX_BYTES, &doc, e);
	r = r ? r : file_read(sig_path, PKI_MAX_SIGNATURE_BYTES, &sig, e);
	if (r)
		return r;
	r = pki_verify_detached(cert, doc.data, doc.len, sig.data, sig.len, e);
	if (r)
		return err_context(e, "%s", path);
	return policy_parse(doc.data, doc.len, path, ret, e);
}
