/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/policy_add.c - add a container image to a layer policy */
#include "policy/policy_add.h"

#include "common/cleanup.h"
#include "common/hex.h"
#include "policy/image.h"
#include "policy/image_tree.h"
#include "policy/image_user.h"
#include "policy/oci_archive.h"
#include "policy/oci_layout.h"
#include "policy/policy_write.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "no memory for a policy entry");
}

static int bad_name(const char *name, struct err *e)
{
	return err_set(e, EINVAL, "\"%.80s\" is no name: wanted 1 to %d of [a-z0-9._-], a letter or digit first", name,
		       MEASURE_MAX_NAME_BYTES);
}

/* The digest of the text that policy_save() would write now; fails if that text would not parse. */
static int refresh_digest(struct policy *p, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	int r = policy_write(p, &b, e);

	if (!r)
		hash_sha256(b.data, b.len, p->digest);
	return r;
}

int policy_new(const char *name, struct policy **ret, struct err *e)
{
	int r;

	cleanup_policy struct policy *p = calloc(1, sizeof(*p));

	if (!measure_name_is_valid(name))
		return bad_name(name, e);
	if (p)
		p->name = strdup(name);
	if (!p || !p->name)
		return no_memory(e);
	p->version = 1;
	r = refresh_digest(p, e);
	if (!r)
		*ret = take_ptr(p);
	return r;
}

/* --- strings -------------------------------------------------------------------------------------------------- */

static size_t count(const char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

/* Append copies of @v to an owned list that stays NULL-terminated; what stands there already is not put again. */
static int extend(char ***list, size_t *n, const char *const *v, struct err *e)
{
	char **bigger = realloc(*list, (*n + count(v) + 1) * sizeof(*bigger));

	if (!bigger)
		return no_memory(e);
	*list = bigger;
	for (; v && *v; v++) {
		size_t k = 0;

		while (k < *n && strcmp(bigger[k], *v))
			k++;
		if (k < *n)
			continue;
		bigger[*n] = strdup(*v);
		if (!bigger[*n])
			return no_memory(e);
		++*n;
	}
	bigger[*n] = NULL;
	return 0;
}

/* @a followed by @b as one owned vector, equal words kept. */
static int join(const char *const *a, const char *const *b, char ***ret, struct err *e)
{
	char **v = calloc(count(a) + count(b) + 1, sizeof(*v));
	size_t n = 0;

	*ret = v;
	for (int side = 0; v && side < 2; side++)
		for (const char *const *s = side ? b : a; s && *s; s++) {
			v[n] = strdup(*s);
			if (!v[n++])
				return no_memory(e);
		}
	return v ? 0 : no_memory(e);
}

static int copy_argvs(const char *const *const *from, size_t n, char ****ret, size_t *ret_n, struct err *e)
{
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return no_memory(e);
	for (size_t i = 0; i < n; i++) {
		int r;

		*ret_n = i + 1;
		r = join(from[i], NULL, &(*ret)[i], e);
		if (r)
			return r;
	}
	return 0;
}

/* --- what the image may be run with --------------------------------------------------------------------------- */


/* struct tars - where policy/image_tree.h gets the layers from */
struct tars {
	const struct policy_oci_image *oci;
	uint64_t max_bytes;
};

static int unpack_tar(void *arg, size_t layer, const struct policy_oci_sink *to, struct err *e)
{
	const struct tars *t = arg;

	return policy_oci_unpack(t->oci, layer, to, t->max_bytes, e);
}

/* A file of the image. *@ret is @b, or stays NULL if there is none. */
static int read_file(const struct policy_image_tree *t, const char *path, struct buf *b, const struct buf **ret,
		     struct err *e)
{
	int r = policy_image_tree_read(t, path, POLICY_USER_MAX_FILE_BYTES, b, e);

	if (!r)
		*ret = b;
	return r == -ENOENT ? 0 : r;
}

/* The image's own files say what a name means; without a name they are not looked at. */
static int fill_user(struct policy_run *run, const struct policy_add_params *a, const struct policy_oci_image *i,
		     struct err *e)
{
	const char *user = a->user ? a->user : i->user;
	struct tars tars = {i, a->convert.max_bytes ? a->convert.max_bytes : POLICY_CONVERT_MAX_BYTES};
	const struct policy_image_source from = {.unpack = unpack_tar,
						 .arg = &tars,
						 .n_layers = i->n_layers,
						 .max_bytes = tars.max_bytes,
						 .devices = a->convert.devices};
	cleanup_policy_image_tree struct policy_image_tree *tree = NULL;
	cleanup_buf struct buf passwd_bytes = BUF_INIT;
	cleanup_buf struct buf group_bytes = BUF_INIT;
	const struct buf *passwd = NULL, *group = NULL;
	bool wants_passwd = false, wants_group = false;
	int r = 0;

	policy_user_needs(user, &wants_passwd, &wants_group);
	if (wants_passwd || wants_group)
		r = policy_image_tree_load(&from, &tree, e);
	if (!r && wants_passwd)
		r = read_file(tree, "/etc/passwd", &passwd_bytes, &passwd, e);
	if (!r && wants_group)
		r = read_file(tree, "/etc/group", &group_bytes, &group, e);
	return r ? r : policy_user_resolve(user, passwd, group, &run->uid, &run->gid, e);
}
static int fill_argv(struct policy_run *run, const struct policy_add_params *a, const struct policy_oci_image *i,
		     struct err *e)
{
	int r;

	if (a->n_argv)
		return copy_argvs(a->argv, a->n_argv, &run->argv, &run->n_argv, e);
	if (!i->entrypoint[0] && !i->cmd[0])
		return err_set(e, EINVAL, "the image names no program to run; give its arguments");
	run->argv = calloc(2, sizeof(*run->argv));
	if (!run->argv)
		return no_memory(e);
	run->n_argv = 1;
	r = join((const char *const *)i->entrypoint, (const char *const *)i->cmd, &run->argv[0], e);
	return r;
}

static int fill_env(struct policy_run *run, const struct policy_add_params *a, const struct policy_oci_image *i,
		    struct err *e)
{
	static const char *const path[] = {POLICY_ADD_DEFAULT_PATH, NULL};
	bool has_path = false;
	int r = extend(&run->env, &run->n_env, (const char *const *)i->env, e);

	r = r ? r : extend(&run->env, &run->n_env, a->env, e);
	for (size_t k = 0; !r && k < run->n_env; k++)
		has_path |= !strncmp(run->env[k], "PATH=", 5);
	return r || has_path ? r : extend(&run->env, &run->n_env, path, e);
}

static int fill_run(struct policy_run *run, const struct policy_add_params *a, const struct policy_oci_image *i,
		    struct err *e)
{
	int r = fill_argv(run, a, i, e);

	r = r ? r : copy_argvs(a->exec, a->n_exec, &run->exec, &run->n_exec, e);
	r = r ? r : fill_env(run, a, i, e);
	r = r ? r : extend(&run->caps, &run->n_caps, a->caps, e);
	r = r ? r : extend(&run->tmpfs, &run->n_tmpfs, a->tmpfs, e);
	r = r ? r : fill_user(run, a, i, e);
	if (r)
		return r;
	run->cwd = strdup(i->cwd[0] ? i->cwd : "/");
	run->network = POLICY_NETWORK_NONE;
	run->seccomp = POLICY_SECCOMP_DEFAULT;
	run->jit = a->jit;
	return run->cwd ? 0 : no_memory(e);
}

/* --- layers --------------------------------------------------------------------------------------------------- */

/* struct job - the conversions of one image: threads take the next one that is left */
struct job {
	const struct policy *policy;
	const struct policy_add_params *a;
	const struct policy_oci_image *oci;
	struct policy_layer *layer; /* one an OCI layer */
	pthread_mutex_t lock;       /* of what follows */
	size_t next;
	int result;
	struct err e;
};

/* The layer files, if the policy has this tar converted already and they are still there. */
static bool find_converted(const struct job *j, struct policy_layer *l)
{
	for (size_t i = 0; i < j->policy->n_images; i++)
		for (size_t k = 0; k < j->policy->image[i].n_layers; k++) {
			const struct policy_layer *have = &j->policy->image[i].layer[k];
			char hex[2 * HASH_SHA256_BYTES + 1], path[PATH_MAX], sig[PATH_MAX];

			if (!hash_equal(have->diff_id, sizeof(have->diff_id), l->diff_id, sizeof(l->diff_id)))
				continue;
			hex_encode(have->root_hash, sizeof(have->root_hash), hex);
			if (snprintf(path, sizeof(path), "%s/%s.erofs", j->a->convert.folder, hex) >= PATH_MAX ||
			    snprintf(sig, sizeof(sig), "%s/%s.p7s", j->a->convert.folder, hex) >= PATH_MAX ||
			    access(path, F_OK) || access(sig, F_OK))
				continue;
			*l = *have;
			return true;
		}
	return false;
}

static int convert_layer(const struct job *j, size_t index, struct policy_layer *l, struct err *e)
{
	cleanup_policy_convert struct policy_convert *c = NULL;
	const struct policy_convert_params *p = &j->a->convert;
	struct policy_oci_sink to = {.put = policy_convert_push};
	char name[64];
	int r;

	(void)snprintf(name, sizeof(name), "layer %zu", index); /* always fits */
	r = policy_convert_begin(p, name, &c, e);
	if (r)
		return r;
	to.arg = c;
	r = policy_oci_unpack(j->oci, index, &to, p->max_bytes ? p->max_bytes : POLICY_CONVERT_MAX_BYTES, e);
	return r ? r : policy_convert_end(c, l, e);
}

/* The first layer of this tar is converted; the others are copies of what becomes of it. */
static size_t first_of(const struct policy_oci_image *oci, size_t index)
{
	size_t k = 0;

	while (memcmp(oci->layer[k].diff_id, oci->layer[index].diff_id, HASH_SHA256_BYTES) != 0)
		k++;
	return k;
}

static void *work(void *arg)
{
	struct job *j = arg;
	struct err e = ERR_INIT;

	for (;;) {
		struct policy_layer l = {0};
		size_t index;
		int r = 0;

		(void)pthread_mutex_lock(&j->lock); /* a plain mutex, never held by its own thread: cannot fail */
		index = j->result ? j->oci->n_layers : j->next++;
		(void)pthread_mutex_unlock(&j->lock); /* held */
		if (index >= j->oci->n_layers)
			return NULL;
		memcpy(l.diff_id, j->oci->layer[index].diff_id, sizeof(l.diff_id));
		if (first_of(j->oci, index) == index && !find_converted(j, &l))
			r = convert_layer(j, index, &l, &e);
		j->layer[index] = l;
		if (!r)
			continue;
		(void)pthread_mutex_lock(&j->lock);
		if (!j->result) { /* the first failure is the one to tell */
			j->result = r;
			j->e = e;
		}
		(void)pthread_mutex_unlock(&j->lock);
	}
}

/* As many at once as there are processors; this thread is one of them. */
static int convert_all(struct job *j, struct err *e)
{
	pthread_t thread[POLICY_ADD_MAX_JOBS];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = j->a->jobs ? j->a->jobs : cpus > 0 ? (size_t)cpus : 1, started = 0;

	n = n > POLICY_ADD_MAX_JOBS ? POLICY_ADD_MAX_JOBS : n;
	n = n > j->oci->n_layers ? j->oci->n_layers : n;
	while (started + 1 < n && pthread_create(&thread[started], NULL, work, j) == 0)
		started++;
	(void)work(j);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(thread[i], NULL); /* ours, and joinable */
	if (j->result)
		*e = j->e;
	return j->result;
}

/* Two tars may give one file system (they differ in padding, say), so what is compared is the root hash. */
static void put_layer(struct policy_image *image, const struct policy_layer *l)
{
	for (size_t k = 0; k < image->n_layers; k++)
		if (hash_equal(image->layer[k].root_hash, HASH_SHA256_BYTES, l->root_hash, HASH_SHA256_BYTES)) {
			memmove(&image->layer[k], &image->layer[k + 1], (image->n_layers - k - 1) * sizeof(*l));
			image->n_layers--;
			break;
		}
	image->layer[image->n_layers++] = *l;
}

static int fill_layers(struct policy_image *image, const struct policy *p, const struct policy_add_params *a,
		       const struct policy_oci_image *i, struct err *e)
{
	cleanup_free struct policy_layer *layer = calloc(i->n_layers, sizeof(*layer));
	struct job j = {.policy = p, .a = a, .oci = i, .layer = layer, .lock = PTHREAD_MUTEX_INITIALIZER};
	int r;

	image->layer = calloc(i->n_layers, sizeof(*image->layer));
	if (!image->layer || !layer)
		return no_memory(e);
	r = convert_all(&j, e);
	if (r)
		return err_context(e, "%s", a->layout);
	for (size_t k = 0; k < i->n_layers; k++)
		put_layer(image, &layer[first_of(i, k)]);
	return 0;
}

/* --- the entry ------------------------------------------------------------------------------------------------ */

static int fill_image(struct policy_image *image, const struct policy *p, const struct policy_add_params *a,
		      const struct policy_oci_image *i, struct err *e)
{
	int r;

	image->name = strdup(a->name);
	image->class_name = strdup(a->class_name ? a->class_name : "default");
	if (!image->name || !image->class_name)
		return no_memory(e);
	memcpy(image->manifest, i->manifest, HASH_SHA256_BYTES);
	memcpy(image->config, i->config, HASH_SHA256_BYTES);
	r = fill_run(&image->run, a, i, e);
	return r ? r : fill_layers(image, p, a, i, e);
}

/* The policy with @image in it must be one that parses; policy_write() tries. Else all is as before. */
static int commit(struct policy *p, const struct policy_image *image, struct err *e)
{
	struct policy_image *bigger = realloc(p->image, (p->n_images + 1) * sizeof(*bigger));
	int r;

	if (!bigger)
		return no_memory(e);
	p->image = bigger;
	p->image[p->n_images++] = *image;
	p->version++;
	r = refresh_digest(p, e);
	if (r) {
		p->n_images--;
		p->version--;
	}
	return r;
}

/* An image, in a folder already. */
static int add_from(struct policy *p, const struct policy_add_params *a, const char *folder, const char *tag, struct err *e)
{
	cleanup_policy_oci struct policy_oci_image *oci = NULL;
	struct policy_image image = {0};
	int r = policy_oci_load(folder, tag, a->arch, &oci, e);

	r = r ? r : fill_image(&image, p, a, oci, e);
	r = r ? r : commit(p, &image, e);
	if (r)
		policy_image_clear(&image);
	return r;
}

int policy_add_image(struct policy *p, const struct policy_add_params *a, struct err *e)
{
	char folder[PATH_MAX] = "";
	bool tagged = false;
	struct stat st;
	int r;

	if (!measure_name_is_valid(a->name))
		return bad_name(a->name, e);
	if (policy_image_find(p, a->name))
		return err_set(e, EEXIST, "the policy has an image named \"%.64s\" already", a->name);
	if (p->version >= POLICY_MAX_VERSION)
		return err_set(e, EOVERFLOW, "the policy's version is at its end");
	if (stat(a->layout, &st) < 0 || !S_ISREG(st.st_mode))
		return add_from(p, a, a->layout, a->tag, e);
	r = policy_oci_archive_unpack(a->layout, a->convert.folder, a->tag, folder, &tagged, e);
	r = r ? r : add_from(p, a, folder, tagged ? a->tag : NULL, e);
	policy_oci_archive_remove(folder);
	return r;
}
