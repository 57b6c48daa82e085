/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/policy_class.c - images are held to their classes' rules when the document is read
 *
 * Containers have no user namespaces, so a number is the same user in all of them, and the kernel lets one user's processes
 * signal and trace each other wherever they meet. So that classes never do, each has numbers of its own.
 */
#include "policy/policy_class.h"

#include <string.h>

static const struct policy_class *find(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_classes; i++)
		if (!strcmp(p->classes[i].name, name))
			return &p->classes[i];
	return NULL;
}

static int check_class(const struct policy *p, size_t i, const char *name, struct err *e)
{
	const struct policy_class *c = &p->classes[i];

	if (c->first_id > c->last_id)
		return err_set(e, EINVAL, "%s: classes[%zu].ids: from %u to %u is no range", name, i, c->first_id, c->last_id);
	for (size_t k = 0; k < i; k++) {
		const struct policy_class *o = &p->classes[k];

		if (!strcmp(o->name, c->name))
			return err_set(e, EINVAL, "%s: classes[%zu]: is named \"%s\" as classes[%zu] is", name, i, c->name, k);
		if (c->first_id <= o->last_id && o->first_id <= c->last_id)
			return err_set(e, EINVAL, "%s: classes[%zu].ids: %u to %u overlaps %u to %u of class \"%s\"", name, i,
				       c->first_id, c->last_id, o->first_id, o->last_id, o->name);
	}
	for (size_t k = 0; k < c->n_apart; k++)
		if (!strcmp(c->apart[k], c->name) || !find(p, c->apart[k]))
			return err_set(e, EINVAL, "%s: classes[%zu].apart[%zu]: \"%s\" is no other class", name, i, k, c->apart[k]);
	return 0;
}

static int check_image(const struct policy *p, size_t i, const char *name, struct err *e)
{
	const struct policy_image *im = &p->image[i];
	const struct policy_class *c = find(p, im->class_name);

	if (!c)
		return err_set(e, EINVAL, "%s: images[%zu].class: \"%s\" is none of the document's classes", name, i,
			       im->class_name);
	if (im->run.uid < c->first_id || im->run.uid > c->last_id || im->run.gid < c->first_id || im->run.gid > c->last_id)
		return err_set(e, EINVAL, "%s: images[%zu].run.user: %u:%u is not within %u to %u of class \"%s\"", name, i,
			       im->run.uid, im->run.gid, c->first_id, c->last_id, c->name);
	for (size_t k = 0; k < im->run.n_caps; k++)
		if (!strcmp(im->run.caps[k], "CAP_SETUID") || !strcmp(im->run.caps[k], "CAP_SETGID"))
			return err_set(e, EINVAL, "%s: images[%zu].run.capabilities[%zu]: with %s it could leave its class's numbers",
				       name, i, k, im->run.caps[k]);
	return 0;
}

int policy_classes_check(const struct policy *p, const char *name, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < p->n_classes; i++)
		r = check_class(p, i, name, e);
	for (size_t i = 0; !r && p->n_classes && i < p->n_images; i++)
		r = check_image(p, i, name, e);
	return r;
}
