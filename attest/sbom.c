/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attest/sbom.c - the packages that an image was made from, as its reference values list them */
#include "attest/sbom.h"

#include "common/deb_version.h"

#include <stdlib.h>
#include <string.h>

static int add(struct sbom *s, const char *name, json_object *value, struct err *e)
{
	const char *version = json_object_is_type(value, json_type_string) ? json_str(value) : NULL;

	if (s->n == SBOM_MAX_PACKAGES)
		return err_set(e, EINVAL, "sbom: more than %d packages", SBOM_MAX_PACKAGES);
	if (!deb_name_is_valid(name))
		return err_set(e, EINVAL, "sbom: packages[%zu] is no package's name (Debian Policy 5.6.7)", s->n);
	if (!version || !deb_version_is_valid(version))
		return err_set(e, EINVAL, "sbom: %s: its version is none (Debian Policy 5.6.12)", name);
	if (s->n && strcmp(s->package[s->n - 1].name, name) >= 0)
		return err_set(e, EINVAL, "sbom: %s stands behind %s, wanted ascending names", name,
			       s->package[s->n - 1].name);
	s->package[s->n++] = (struct sbom_package){name, version};
	return 0;
}

int sbom_parse(json_object *doc, const char *where, struct sbom *ret, struct err *e)
{
	static const char *const keys[] = {"sha256", "packages", NULL};
	json_object *o, *list;
	struct sbom s = {.known = true};
	int rc = json_get_opt(doc, where, "sbom", json_type_object, &o, e);

	if (rc || !o)
		return rc;
	if ((rc = json_check_keys(o, "sbom", keys, e)) ||
	    (rc = json_get_hex(o, "sbom", "sha256", s.digest, sizeof(s.digest), e)) ||
	    (rc = json_get(o, "sbom", "packages", json_type_object, &list, e)))
		return rc;
	s.package = calloc((size_t)json_object_object_length(list) + 1, sizeof(*s.package));
	if (!s.package)
		return err_set(e, ENOMEM, "no memory for a list of packages");
	json_object_object_foreach (list, name, value)
		if ((rc = add(&s, name, value, e)))
			break;
	if (rc)
		sbom_free(&s);
	else
		*ret = s;
	return rc;
}

static int by_name(const void *name, const void *package)
{
	return strcmp(name, ((const struct sbom_package *)package)->name);
}

const char *sbom_version(const struct sbom *s, const char *name)
{
	const struct sbom_package *p =
		s->n ? bsearch(name, s->package, s->n, sizeof(*s->package), by_name) : NULL;

	return p ? p->version : NULL;
}

void sbom_free(struct sbom *s)
{
	free(s->package);
	*s = (struct sbom){0};
}
